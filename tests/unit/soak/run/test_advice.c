/* SPDX-License-Identifier: Apache-2.0 */
/* What a run is to be followed by. */
#include "run/advice.h"

#include "run/outcome.h"
#include "stats/judge/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DAY_S = 86400 };
static const struct scenario plain = {.loop = 0};

/* Connections per second at which so rare a leak takes a day to the connection. */
static double a_day_for(uint64_t one_in)
{
    return (double)plan_measured_for(one_in, 1) / DAY_S;
}

static void ten_times_what_was_seen_at_least(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 1, 1, 1e9), 10);
    assert_int_equal(advice_closer(&plain, 1, 560, 1e9), 10000);
    assert_int_equal(advice_closer(&plain, 1, 1000, 1e9), 10000);
    assert_int_equal(advice_closer(&plain, 1, 1001, 1e9), 100000);
}

static void it_takes_a_day_at_most(void **state)
{
    (void)state;
    const double day = a_day_for(100000);
    assert_int_equal(advice_closer(&plain, 1, 4000, day), 100000);
    assert_int_equal(advice_closer(&plain, 1, 4000, day * 0.999), 10000);
    assert_int_equal(advice_closer(&plain, 1, 4000, a_day_for(10000) * 0.999), 0);
}

static void what_is_hardly_more_is_not_worth_it(void **state)
{
    (void)state;
    const double day = a_day_for(10000);
    assert_int_equal(advice_closer(&plain, 1, 5000, day), 10000);
    assert_int_equal(advice_closer(&plain, 1, 5001, day), 0);
}

static void nothing_follows_a_week(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 1, 37e6, 1000), 0);
    assert_int_equal(advice_closer(&plain, 1, 2e9, 1e12), 0);
    assert_int_equal(advice_closer(&plain, 1, INFINITY, 1000), 0);
}

static void without_a_rate_no_bound_is_known(void **state)
{
    (void)state;
    assert_int_equal(advice_closer(&plain, 1, 37e6, 0), 1000000000);
}

static void processes_of_a_loop_have_the_same_bound(void **state)
{
    (void)state;
    const struct scenario loop = {.loop = 100};
    assert_true(advice_closer(&loop, 1, 560, 1e9) > 0);
    assert_int_equal(advice_closer(&loop, 1, 560, 1e-3), 0);
}

/* ---- the command that shows whether a leak is mended ---- */

enum { ITEM = 480 };

static void judge_server(struct run *ret, const struct run *like)
{
    static const struct subject_ops ops = {.can = SUBJECT_HAS_PAGE};
    *ret = *like;
    struct subject *server = ret->watched[0].subject = &ret->subjects.subject[0];
    *server = (struct subject){.ops = &ops, .role = SUBJECT_JUDGED, .all = &ret->subjects};
    ret->subjects.count = 1;
}

/* Of a run with a defect and `items` long variables typed. */
static char *mended(size_t items, char *buf, size_t size)
{
    static const char *const typed[] = {"soak", "--defect", "lost-state", "--env", "X=x"};
    static char item[ITEM + 1];
    struct scenario s;
    struct scenario_origin origin = {0};
    static struct run r;
    judge_server(
        &r, &(struct run){.scenario = &s, .origin = &origin, .word = "default", .seed = 0x5eed});
    const struct result leak = {.verdict = VERDICT_LEAK};
    scenario_defaults(&s);
    s.defect = "lost-state";
    memcpy(memset(item, 'x', ITEM), "X=", 2);
    while (s.env.count < items)
        s.env.item[s.env.count++] = item;
    scenario_note_command(&origin, sizeof typed / sizeof *typed, (char **)(uintptr_t)typed);
    return advice_next(&r, &leak, 0, buf, size);
}

static void a_command_has_all_options_that_were_typed(void **state)
{
    (void)state;
    char command[sizeof((struct outcome *)NULL)->next[0]];
    mended(4, command, sizeof command);
    assert_non_null(strstr(command, " --defect lost-state "));
    assert_non_null(strstr(command, " --seed 5eed"));
    assert_true(strlen(command) > (size_t)4 * ITEM);
}

static void a_command_that_is_too_long_is_not_said(void **state)
{
    (void)state;
    char command[3 * ITEM];
    assert_string_equal(mended(3, command, sizeof command), "");
}

static void the_log_to_read_is_a_word_of_the_shell(void **state)
{
    (void)state;
    char command[512];
    static struct run r;
    judge_server(&r, &(struct run){.broken = "the server crashed"});
    const struct result broken = {
        .verdict = VERDICT_INVALID, .broken = r.broken, .shown_dir = "runs/it's; here"};
    advice_next(&r, &broken, 0, command, sizeof command);
    assert_string_equal(command, "less 'runs/it'\\''s; here/server.log'");
}

/* Of connections that failed, with `server` as --server. */
static void log_of_failures(const char *server, char *command, size_t size)
{
    struct scenario s;
    static struct run r;
    scenario_defaults(&s);
    s.server = server;
    judge_server(&r, &(struct run){.scenario = &s, .word = "default"});
    r.watched[1].subject = &r.subjects.subject[r.subjects.count++];
    r.subjects.subject[1] = (struct subject){.role = SUBJECT_LOAD, .all = &r.subjects};
    for (size_t i = 0; i < 2; i++) {
        r.watched[i].judgement.sensitivity.one_in = 1e6;
        r.watched[i].history = history_new();
    }
    const struct result failed = {
        .verdict = VERDICT_INCONCLUSIVE, .shown_dir = "runs/last", .run = {.errors = {.total = 2}}};
    advice_next(&r, &failed, 0, command, size);
    for (size_t i = 0; i < 2; i++)
        history_free(r.watched[i].history);
}

static void failures_are_explained_by_the_log_of_a_server_that_is_not_soak_s(void **state)
{
    (void)state;
    char command[512];
    log_of_failures("nginx", command, sizeof command);
    assert_string_equal(command, "less runs/last/server.log");
    log_of_failures(NULL, command, sizeof command);
    assert_string_equal(command, "less runs/last/client.log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_times_what_was_seen_at_least),
        cmocka_unit_test(it_takes_a_day_at_most),
        cmocka_unit_test(what_is_hardly_more_is_not_worth_it),
        cmocka_unit_test(nothing_follows_a_week),
        cmocka_unit_test(without_a_rate_no_bound_is_known),
        cmocka_unit_test(processes_of_a_loop_have_the_same_bound),
        cmocka_unit_test(a_command_has_all_options_that_were_typed),
        cmocka_unit_test(a_command_that_is_too_long_is_not_said),
        cmocka_unit_test(the_log_to_read_is_a_word_of_the_shell),
        cmocka_unit_test(failures_are_explained_by_the_log_of_a_server_that_is_not_soak_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
