/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/wire.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct wire_out out;
    struct wire wire;
    BIO *bio;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->wire.out = &f->out;
    f->bio = wire_bio_new(&f->wire);
    assert_non_null(f->bio);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    BIO_free(f->bio);
    free(f);
    return 0;
}

static void an_empty_wire_says_retry_later(void **state)
{
    struct fixture *f = *state;
    char to[8];
    assert_int_equal(BIO_read(f->bio, to, sizeof to), -1);
    assert_true(BIO_should_retry(f->bio));
    assert_true(BIO_should_read(f->bio));
    assert_false(BIO_eof(f->bio));
}

static void a_closed_wire_gives_end_of_file_only_after_its_bytes(void **state)
{
    struct fixture *f = *state;
    char to[8];
    f->wire.in = (const uint8_t *)"abc";
    f->wire.in_left = 3;
    f->wire.in_eof = true;
    assert_false(BIO_eof(f->bio));
    assert_int_equal(BIO_read(f->bio, to, sizeof to), 3);
    assert_int_equal(BIO_read(f->bio, to, sizeof to), 0);
    assert_false(BIO_should_retry(f->bio));
    assert_true(BIO_eof(f->bio));
}

static void reading_takes_the_bytes_in_order_and_no_more_than_asked(void **state)
{
    struct fixture *f = *state;
    char to[4] = "";
    f->wire.in = (const uint8_t *)"hello";
    f->wire.in_left = 5;
    assert_int_equal(BIO_pending(f->bio), 5);
    assert_int_equal(BIO_read(f->bio, to, 3), 3);
    assert_memory_equal(to, "hel", 3);
    assert_int_equal(BIO_read(f->bio, to, 3), 2);
    assert_memory_equal(to, "lo", 2);
    assert_int_equal(f->wire.in_left, 0);
}

static void retry_is_forgotten_once_bytes_are_there(void **state)
{
    struct fixture *f = *state;
    char to[4];
    assert_int_equal(BIO_read(f->bio, to, 4), -1);
    f->wire.in = (const uint8_t *)"x";
    f->wire.in_left = 1;
    assert_int_equal(BIO_read(f->bio, to, 4), 1);
    assert_false(BIO_should_retry(f->bio));
}

static void writing_appends_to_the_shared_buffer(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(BIO_write(f->bio, "ab", 2), 2);
    assert_int_equal(BIO_write(f->bio, "cd", 2), 2);
    assert_int_equal(f->out.used, 4);
    assert_int_equal(BIO_wpending(f->bio), 4);
    assert_memory_equal(f->out.bytes, "abcd", 4);
    assert_int_equal(BIO_flush(f->bio), 1);
    assert_int_equal(f->out.used, 4);
}

static void a_full_wire_takes_what_fits_and_then_says_retry_later(void **state)
{
    struct fixture *f = *state;
    f->out.used = WIRE_OUT_BYTES - 3;
    assert_int_equal(BIO_write(f->bio, "abcde", 5), 3);
    assert_int_equal(f->out.used, WIRE_OUT_BYTES);
    assert_int_equal(BIO_write(f->bio, "de", 2), -1);
    assert_true(BIO_should_retry(f->bio));
    assert_true(BIO_should_write(f->bio));
    assert_memory_equal(f->out.bytes + WIRE_OUT_BYTES - 3, "abc", 3);
}

static size_t allocations;

static void *counting_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(size);
}

static void *counting_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(block, size);
}

static void counting_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

static void moving_bytes_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    char to[64];
    size_t before = allocations;
    assert_true(before > 0);
    for (int i = 0; i < 100; i++) {
        f->wire.in = (const uint8_t *)"0123456789";
        f->wire.in_left = 10;
        assert_int_equal(BIO_read(f->bio, to, sizeof to), 10);
        assert_int_equal(BIO_write(f->bio, to, 10), 10);
    }
    assert_int_equal(allocations, before);
}

static void freeing_the_bio_leaves_the_wire_alone(void **state)
{
    struct fixture *f = *state;
    struct wire wire = {.out = &f->out};
    BIO *bio = wire_bio_new(&wire);
    assert_non_null(bio);
    assert_int_equal(BIO_write(bio, "abc", 3), 3);
    BIO_free(bio);
    assert_int_equal(f->out.used, 3);
    assert_ptr_equal(wire.out, &f->out);
}

int main(void)
{
    if (!CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free))
        return 1;
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(an_empty_wire_says_retry_later),
        CLAIM(a_closed_wire_gives_end_of_file_only_after_its_bytes),
        CLAIM(reading_takes_the_bytes_in_order_and_no_more_than_asked),
        CLAIM(retry_is_forgotten_once_bytes_are_there),
        CLAIM(writing_appends_to_the_shared_buffer),
        CLAIM(a_full_wire_takes_what_fits_and_then_says_retry_later),
        CLAIM(moving_bytes_allocates_nothing),
        CLAIM(freeing_the_bio_leaves_the_wire_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
