/* SPDX-License-Identifier: Apache-2.0 */
/* What is said while another program keeps soak waiting, on a terminal. */
#include "src/soak/library/spawn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void the_last_percentage_counts(void **state)
{
    (void)state;
    int percent = 7;
    assert_int_equal(waiting_percent("[  5%] a\n[ 45%] b\n", &percent), 0);
    assert_int_equal(percent, 45);
    assert_int_equal(waiting_percent("[100%] a [x] [3", &percent), 0);
    assert_int_equal(percent, 100);
    percent = 7;
    assert_int_equal(waiting_percent("Get:1 [12 kB]\n[300%]", &percent), -1);
    assert_int_equal(waiting_percent("", &percent), -1);
    assert_int_equal(percent, 7);
}

static void on_enough(uv_timer_t *timer)
{
    struct waiting *w = timer->data;
    waiting_stop(w);
    uv_close((uv_handle_t *)timer, NULL);
}

/* Runs for `ms` with a terminal as stderr; what was drawn there. */
static char *drawn(const char *log, uint64_t ms, char *text, size_t size)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), keep = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int screen = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(screen >= 0 && dup2(screen, STDERR_FILENO) == STDERR_FILENO);
    uv_loop_t loop;
    uv_timer_t enough;
    struct waiting w;
    assert_int_equal(uv_loop_init(&loop), 0);
    waiting_start(&w, &loop, "cmake", log);
    uv_timer_init(&loop, &enough);
    enough.data = &w;
    uv_timer_start(&enough, on_enough, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    dup2(keep, STDERR_FILENO);
    assert_true(fcntl(terminal, F_SETFL, O_NONBLOCK) == 0);
    ssize_t got = read(terminal, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(screen);
    close(terminal);
    close(keep);
    return text;
}

static void a_short_wait_says_nothing_and_a_long_one_how_far_it_is(void **state)
{
    (void)state;
    char path[] = "/tmp/soak-waiting-XXXXXX", text[4096];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[ 45%] Building\n", 16), 16);
    setenv("TERM", "xterm", 1);
    assert_string_equal(drawn(path, 10, text, sizeof text), "");
    drawn(path, 2500, text, sizeof text);
    assert_non_null(strstr(text, "soak: cmake is under way, 45 %, "));
    assert_non_null(strstr(text, "; Ctrl-C stops it"));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_percentage_counts),
        cmocka_unit_test(a_short_wait_says_nothing_and_a_long_one_how_far_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
