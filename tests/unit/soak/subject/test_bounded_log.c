/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a program that may print without end. */
#include "base/memory_file.h"
#include "subject/bounded_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = BOUNDED_LOG_HEAD + BOUNDED_LOG_TAIL + 200 };

static struct bounded_log bounded;
static char kept[ROOM + 1];

/* What the file holds after `bytes` bytes, the byte n being 'a' + n % 23, in portions. */
static size_t log_of(size_t bytes, size_t portion)
{
    static char text[100000];
    int fd;
    assert_int_equal(memory_file_make("log", "", &fd, NULL), 0);
    int reader = dup(fd);
    bounded_log_open(&bounded, fd);
    for (size_t n = 0; n < bytes;) {
        size_t some = portion < bytes - n ? portion : bytes - n;
        for (size_t i = 0; i < some; i++)
            text[i] = (char)('a' + (n + i) % 23);
        bounded_log_add(&bounded, text, some);
        n += some;
    }
    bounded_log_finish(&bounded);
    bounded_log_finish(&bounded); /* harmless */
    ssize_t length = pread(reader, kept, ROOM, 0);
    close(reader);
    assert_true(length >= 0 && length < ROOM);
    kept[length] = '\0';
    return (size_t)length;
}

static void assert_bytes(const char *at, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] != (char)('a' + (from + i) % 23))
            fail_msg("byte %zu is wrong", from + i);
}

static void what_has_room_is_kept_whole(void **state)
{
    (void)state;
    const size_t sizes[] = {
        0, 1, 5000, BOUNDED_LOG_HEAD, BOUNDED_LOG_HEAD + 1, BOUNDED_LOG_HEAD + BOUNDED_LOG_TAIL};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(log_of(sizes[i], 3333), sizes[i]);
        assert_bytes(kept, 0, sizes[i]);
    }
}

static void the_beginning_and_the_end_are_kept_of_the_rest(void **state)
{
    (void)state;
    const size_t bytes = BOUNDED_LOG_HEAD + BOUNDED_LOG_TAIL + 1234567;
    for (size_t portion = 700; portion < 100000; portion = portion * 3 + 1) {
        size_t length = log_of(bytes, portion);
        assert_bytes(kept, 0, BOUNDED_LOG_HEAD);
        assert_bytes(kept + length - BOUNDED_LOG_TAIL, bytes - BOUNDED_LOG_TAIL, BOUNDED_LOG_TAIL);
        assert_non_null(
            strstr(kept + BOUNDED_LOG_HEAD, "\n[soak left out 1234567 bytes here, of 2348679]\n"));
    }
}

static void what_a_pipe_still_has_is_added(void **state)
{
    (void)state;
    int ends[2], log;
    assert_int_equal(memory_file_make("log", "", &log, NULL), 0);
    int reader = dup(log);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(write(ends[1], "its last words\n", 15), 15);
    bounded_log_open(&bounded, log);
    bounded_log_drain(&bounded, ends[0], ROOM); /* the other end is open: it doesn't wait */
    close(ends[0]);
    close(ends[1]);
    bounded_log_finish(&bounded);
    assert_int_equal(pread(reader, kept, ROOM, 0), 15);
    assert_memory_equal(kept, "its last words\n", 15);
    close(reader);
}

static void one_that_never_ends_is_read_no_further(void **state)
{
    (void)state;
    int log, zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    const size_t sizes[] = {0, 1, 4096, 4097, BOUNDED_LOG_HEAD};
    assert_true(zero >= 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(memory_file_make("log", "", &log, NULL), 0);
        bounded_log_open(&bounded, log);
        bounded_log_drain(&bounded, zero, sizes[i]);
        assert_int_equal(bounded.bytes, sizes[i]);
        bounded_log_finish(&bounded);
    }
    close(zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_room_is_kept_whole),
        cmocka_unit_test(the_beginning_and_the_end_are_kept_of_the_rest),
        cmocka_unit_test(what_a_pipe_still_has_is_added),
        cmocka_unit_test(one_that_never_ends_is_read_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
