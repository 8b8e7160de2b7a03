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
#include <stdio.h>
#include <stdlib.h>
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

/* ---- what the scenario's file says of its length ---- */

/* A run of a.soak, whose file has so many of its lengths; `typed` is what the command line had. */
struct of_file {
    struct scenario scenario;
    struct scenario_origin origin;
    struct run run;
    char command[512];
};

static size_t option_of(const char *name)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    return (size_t)(opts_find(table, count, name) - table);
}

static void note(struct of_file *f, const char *name, enum scenario_source source)
{
    scenario_note(&f->origin, option_of(name), (struct scenario_place){.source = source});
}

static void of_file(struct of_file *ret, const char *length)
{
    *ret = (struct of_file){0};
    scenario_defaults(&ret->scenario);
    if (length)
        note(ret, length, SCENARIO_FILE);
    judge_server(&ret->run, &(struct run){.scenario = &ret->scenario,
                                          .origin = &ret->origin,
                                          .word = "a.soak",
                                          .seed = 0x5eed});
    ret->run.watched[1].subject = &ret->run.subjects.subject[ret->run.subjects.count++];
    ret->run.subjects.subject[1] =
        (struct subject){.role = SUBJECT_LOAD, .all = &ret->run.subjects};
    for (size_t i = 0; i < 2; i++) {
        ret->run.watched[i].judgement.sensitivity.one_in = 100;
        ret->run.watched[i].history = history_new();
    }
    scenario_plan(&ret->scenario, &ret->run.plan.in);
    ret->run.plan.unit = 250;
}

static const char *next_of(struct of_file *f, const struct result *result)
{
    advice_next(&f->run, result, 0, f->command, sizeof f->command);
    for (size_t i = 0; i < 2; i++)
        history_free(f->run.watched[i].history);
    assert_int_equal(strncmp(f->command, "./soak run a.soak ", strlen("./soak run a.soak ")), 0);
    return f->command + strlen("./soak run a.soak ");
}

static void a_closer_look_takes_back_the_length_in_the_file(void **state)
{
    (void)state;
    static const char plain_look[] = "--until-sure --sensitivity 1/1000";
    struct of_file *f = malloc(sizeof *f);
    const struct result pass = {.verdict = VERDICT_PASS, .run = {.rate_per_s = 1e6}};
    of_file(f, NULL);
    assert_string_equal(next_of(f, &pass), plain_look);
    of_file(f, "closed");
    assert_string_equal(next_of(f, &pass), "--closed 0 --until-sure --sensitivity 1/1000");
    of_file(f, "for");
    assert_string_equal(next_of(f, &pass), "--until-sure --sensitivity 1/1000 --for 0s");
    /* What the command line had in its place isn't typed again, and the file's holds then. */
    of_file(f, "closed");
    note(f, "closed", SCENARIO_COMMAND);
    assert_string_equal(next_of(f, &pass), "--closed 0 --until-sure --sensitivity 1/1000");
    of_file(f, NULL);
    note(f, "closed", SCENARIO_COMMAND);
    assert_string_equal(next_of(f, &pass), plain_look);
    free(f);
}

static void a_longer_time_stands_in_place_of_that_in_the_file(void **state)
{
    (void)state;
    struct of_file *f = malloc(sizeof *f);
    const struct result slow = {.verdict = VERDICT_PASS, .run = {.rate_per_s = 2}};
    of_file(f, "for");
    const char *next = next_of(f, &slow);
    assert_non_null(strstr(next, " --for "));
    assert_null(strstr(next, " --for 0s"));
    free(f);
}

static void processes_of_a_loop_take_back_how_many_connections_the_file_has(void **state)
{
    (void)state;
    struct of_file *f = malloc(sizeof *f);
    const struct result pass = {.verdict = VERDICT_PASS, .run = {.rate_per_s = 1e6}};
    of_file(f, "closed");
    f->scenario.loop = 12;
    assert_string_equal(next_of(f, &pass), "--closed 0 --sensitivity 1/1000");
    free(f);
}

static void a_longer_run_takes_back_the_time_in_the_file(void **state)
{
    (void)state;
    static const char *const by[] = {"for", "until-sure"};
    static const char *const taken_back[] = {"--for 0s --closed ", "--until-sure=false --closed "};
    const struct result doubt = {.verdict = VERDICT_INCONCLUSIVE, .run = {.rate_per_s = 1e6}};
    struct of_file *f = malloc(sizeof *f);
    for (size_t i = 0; i < 2; i++) {
        of_file(f, by[i]);
        const char *next = next_of(f, &doubt);
        assert_int_equal(strncmp(next, taken_back[i], strlen(taken_back[i])), 0);
    }
    free(f);
}

/* Else it would be refused: too few for the file's sensitivity. */
static void a_longer_run_is_long_enough_for_the_sensitivity_in_the_file(void **state)
{
    (void)state;
    const struct result doubt = {.verdict = VERDICT_INCONCLUSIVE, .run = {.rate_per_s = 1e6}};
    struct of_file *f = malloc(sizeof *f);
    struct err e = {{0}};
    of_file(f, "sensitivity");
    f->scenario.sensitivity = 5000;
    for (size_t i = 0; i < 2; i++)
        f->run.watched[i].judgement.sensitivity.one_in = 1e6;
    unsigned long long closed = 0;
    assert_int_equal(sscanf(next_of(f, &doubt), "--closed %llu", &closed), 1);
    f->scenario.closed = closed;
    assert_int_equal(scenario_check(&f->scenario, &e), 0);
    free(f);
}

/* Left out, the file's would hold again, and so few would be refused. */
static void a_longer_run_keeps_a_sensitivity_that_was_typed_over_the_files(void **state)
{
    (void)state;
    const struct result doubt = {.verdict = VERDICT_INCONCLUSIVE, .run = {.rate_per_s = 1e6}};
    struct of_file *f = malloc(sizeof *f);
    static const char kept[] = "--sensitivity 1/10 --closed ";
    of_file(f, "sensitivity");
    note(f, "sensitivity", SCENARIO_COMMAND);
    f->scenario.sensitivity = 10;
    assert_int_equal(strncmp(next_of(f, &doubt), kept, strlen(kept)), 0);
    of_file(f, NULL);
    note(f, "sensitivity", SCENARIO_COMMAND);
    f->scenario.sensitivity = 10;
    assert_int_equal(strncmp(next_of(f, &doubt), "--closed ", strlen("--closed ")), 0);
    free(f);
}

static void a_run_that_was_stopped_is_repeated_at_its_length(void **state)
{
    (void)state;
    struct of_file *f = malloc(sizeof *f);
    const struct result stopped = {.verdict = VERDICT_INCONCLUSIVE, .interrupted = true};
    of_file(f, "closed");
    note(f, "closed", SCENARIO_COMMAND);
    f->scenario.closed = 20000;
    f->run.interrupted = true;
    assert_string_equal(next_of(f, &stopped), "--closed 20k --seed 5eed");
    free(f);
}

/* Without a length it ends as soon as the leak is sure; the file's is too short for this one. */
static void
a_leak_is_looked_for_at_the_length_that_showed_it_where_the_file_has_another(void **state)
{
    (void)state;
    struct of_file *f = malloc(sizeof *f);
    const struct result leak = {.verdict = VERDICT_LEAK};
    for (int in_file = 0; in_file < 2; in_file++) {
        of_file(f, in_file ? "closed" : NULL);
        note(f, "closed", SCENARIO_COMMAND);
        f->scenario.closed = 20000;
        assert_string_equal(next_of(f, &leak),
                            in_file ? "--closed 20k --seed 5eed" : "--seed 5eed");
    }
    free(f);
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
        cmocka_unit_test(a_closer_look_takes_back_the_length_in_the_file),
        cmocka_unit_test(a_longer_time_stands_in_place_of_that_in_the_file),
        cmocka_unit_test(processes_of_a_loop_take_back_how_many_connections_the_file_has),
        cmocka_unit_test(a_longer_run_takes_back_the_time_in_the_file),
        cmocka_unit_test(a_longer_run_is_long_enough_for_the_sensitivity_in_the_file),
        cmocka_unit_test(a_longer_run_keeps_a_sensitivity_that_was_typed_over_the_files),
        cmocka_unit_test(a_run_that_was_stopped_is_repeated_at_its_length),
        cmocka_unit_test(
            a_leak_is_looked_for_at_the_length_that_showed_it_where_the_file_has_another),
        cmocka_unit_test(the_log_to_read_is_a_word_of_the_shell),
        cmocka_unit_test(failures_are_explained_by_the_log_of_a_server_that_is_not_soak_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
