/* SPDX-License-Identifier: Apache-2.0 */
/* When the live view asks to be told anything: each time costs a reading of the whole page. */
#include "src/soak/run/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct live_facts at_10_s = {
    .phase = "measuring", .scenario = "", .libs = "", .tls = "", .key = "", .elapsed_ms = 10000};

static void on_a_terminal_every_tick_is_due(void **state)
{
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), keep = dup(STDERR_FILENO);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int screen = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(screen >= 0 && dup2(screen, STDERR_FILENO) == STDERR_FILENO);
    setenv("TERM", "xterm", 1);
    struct live *l = live_new();
    dup2(keep, STDERR_FILENO);
    assert_true(live_due(l, 0));
    assert_true(live_due(l, 250));
    live_free(l);
    close(screen);
    close(terminal);
    close(keep);
}

static void elsewhere_a_tick_is_due_30_s_after_the_last_line(void **state)
{
    (void)state;
    int nowhere = open("/dev/null", O_WRONLY), keep = dup(STDERR_FILENO);
    dup2(nowhere, STDERR_FILENO);
    struct live *l = live_new();
    assert_false(live_due(l, 29999));
    assert_true(live_due(l, 30000));
    live_phase(l, &at_10_s);
    assert_false(live_due(l, 39999));
    assert_true(live_due(l, 40000));
    live_free(l);
    dup2(keep, STDERR_FILENO);
    close(nowhere);
    close(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_terminal_every_tick_is_due),
        cmocka_unit_test(elsewhere_a_tick_is_due_30_s_after_the_last_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
