/* SPDX-License-Identifier: Apache-2.0 */
/* What a sweep says to people: each kind of finding is named with who, where and how often. */
#include "src/soak/torture/torture_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FINDINGS = 24 };

static struct run_dir dir = {.path = "/runs/one"};
static struct torture_sweep sweep;
static struct torture_finding made[FINDINGS], *finding[FINDINGS];
static struct torture t;

static int clear(void **state)
{
    (void)state;
    memset(made, 0, sizeof made);
    sweep = (struct torture_sweep){.side = PAIR_SERVER, .least = 40, .most = 42, .tried = 42};
    t = (struct torture){
        .dir = &dir, .sweep = &sweep, .sweeps = 1, .finding = finding, .complete = true};
    strcpy(t.behaviour[0], "clean");
    strcpy(t.behaviour[2], "reset-data");
    for (size_t i = 0; i < FINDINGS; i++)
        finding[i] = &made[i];
    return 0;
}

/* The next finding: the server's 14th allocation, asked for in SSL_new. */
static struct torture_finding *add(enum torture_kind kind, int kept_side)
{
    struct torture_finding *f = &made[t.findings++];
    sweep.count[kind]++;
    f->kind = kind;
    f->side = PAIR_SERVER;
    f->kept_side = kept_side;
    f->behaviours = 1;
    f->times = 1;
    f->number[0] = 14;
    strcpy(f->failed.call, "SSL_new");
    return f;
}

/* The caller frees it. */
static char *text(bool quiet)
{
    char *said = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&said, &size);
    assert_non_null(out);
    torture_text(&t, quiet, out);
    fclose(out);
    return said;
}

static void assert_says(const char *expected)
{
    char *said = text(false);
    if (!strstr(said, expected))
        fail_msg("'%s' isn't in:\n%s", expected, said);
    free(said);
}

static void nothing_found_is_a_pass_with_its_sweeps(void **state)
{
    (void)state;
    assert_int_equal(torture_exit(&t), EXIT_PASS);
    assert_says("PASS  each of 42 allocations has failed: nothing stays, no crash, no hang, ");
    assert_says("\n  server   clean                    40-42      42 ");
    assert_says("\n  Report     /runs/one/result.json\n");
}

static void quiet_is_the_headline_alone(void **state)
{
    (void)state;
    add(TORTURE_CRASH, PAIR_SERVER);
    char *said = text(true);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_int_equal(strncmp(said, "FOUND  of 42 allocations", 24), 0);
    free(said);
}

static void what_stays_is_named_with_its_places_and_repeats(void **state)
{
    (void)state;
    struct torture_finding *f = add(TORTURE_LOST, PAIR_CLIENT);
    f->repeats = f->stayed = 20;
    f->step.kept[PAIR_CLIENT] = (struct kept){.blocks = 1, .bytes = 96, .sites = 2};
    f->step.kept[PAIR_CLIENT].site[0] =
        (struct kept_site){.file = "ssl/a.c", .line = 7, .blocks = 1, .bytes = 64};
    f->step.kept[PAIR_CLIENT].site[1] =
        (struct kept_site){.file = "ssl/b.c", .line = 8, .blocks = 2, .bytes = 32};
    assert_says("server SSL_new #14 fails: 1 block, 96 B stay, at ssl/a.c:7 (client, 20 of 20 "
                "repeats)\n       stays     2 blocks, 32 B at ssl/b.c:8\n");
}

static void a_crash_says_who_died_and_where(void **state)
{
    (void)state;
    struct torture_finding *f = add(TORTURE_CRASH, PAIR_CLIENT);
    f->failed.call[0] = '\0';
    f->step.signal = 11;
    f->end = (struct trace){.lines = 2, .line = {"SSL_free", "main"}};
    assert_says("server allocation #14 fails: the client dies, by signal 11\n");
    assert_says("       ended in  SSL_free\n                 ← main\n");
}

static void a_side_that_is_stuck_is_told_from_one_that_waits(void **state)
{
    (void)state;
    struct torture_finding *f = add(TORTURE_HANG, PAIR_SERVER);
    f->step.outcome = STEP_STUCK;
    assert_says("fails: the server answers no more\n");
    f->step.outcome = STEP_HUNG;
    assert_says("fails: a side waits in vain\n");
}

static void damage_says_that_nothing_fails_in_what_fails(void **state)
{
    (void)state;
    add(TORTURE_DAMAGED, PAIR_SERVER);
    assert_says("fails: connections fail although nothing fails in them\n");
}

static void the_failed_block_its_stack_and_its_behaviours_are_shown(void **state)
{
    (void)state;
    struct torture_finding *f = add(TORTURE_CRASH, PAIR_SERVER);
    f->step.hit = true;
    f->step.size = 512;
    strcpy(f->step.file, "ssl/c.c");
    f->step.line = 9;
    f->failed.lines = 8;
    for (size_t i = 0; i < f->failed.lines; i++)
        snprintf(f->failed.line[i], TRACE_TEXT, "frame%zu", i);
    f->behaviours = 1 | 1 << 2;
    f->times = 3;
    assert_says("       failed    512 B at ssl/c.c:9\n       by        frame0\n");
    assert_says("← frame5\n       in        clean reset-data, 3 times\n");
}

static void what_was_kept_once_is_no_finding(void **state)
{
    (void)state;
    add(TORTURE_ONCE, PAIR_SERVER);
    assert_int_equal(torture_exit(&t), EXIT_PASS);
    assert_says("\n  Kept once: after 1 of them a block stayed that no longer stayed when the same "
                "failed again\n");
    char *said = text(false);
    assert_null(strstr(said, "#14"));
    free(said);
}

static void of_many_findings_the_rest_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < FINDINGS; i++)
        add(TORTURE_DAMAGED, PAIR_SERVER);
    assert_says("\n  ... and 4 more in result.json\n");
}

/* ---- what is one finding ---- */

/* Three functions that a side could die in, and whose innermost frames these are. */
static __attribute__((noinline)) void one(void)
{
    __asm__ volatile("nop; nop; nop; nop" ::: "memory");
}

static __attribute__((noinline)) void other(void)
{
    __asm__ volatile("nop; nop; nop; nop; nop" ::: "memory");
}

static __attribute__((noinline)) void caller(void)
{
    one();
    other();
    __asm__ volatile("nop" ::: "memory");
}

/* A server that dies, `offset` bytes within a function, after its `number`th allocation failed. */
static void dies(void (*in)(void), uint64_t offset, uint64_t number)
{
    struct attempt a = {.sweep = &sweep, .number = number};
    const uint64_t handler = 0x10, call = (uint64_t)(uintptr_t)caller + 2;
    const uint64_t frame[] = {handler, (uint64_t)(uintptr_t)in + offset, call, call};
    a.step.outcome = STEP_CRASHED;
    a.step.hit = true;
    a.step.signal = 11;
    strcpy(a.step.file, "crypto/stack/stack.c");
    a.step.line = 68;
    a.step.end_stack.frames = sizeof frame / sizeof *frame;
    memcpy(a.step.end_stack.frame, frame, sizeof frame);
    torture_find_end(&t, &a);
}

static char *own_maps(void)
{
    enum { MOST = 256 << 10 };
    char *text = calloc(1, MOST);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_true(text && maps);
    assert_true(fread(text, 1, MOST - 1, maps) > 0);
    fclose(maps);
    return text;
}

static void crashes_in_two_functions_are_two_findings(void **state)
{
    (void)state;
    struct image image = {0};
    struct err e;
    static struct scenario scenario;
    image_keep(&image, 0, 0, own_maps());
    t.finding = NULL;
    t.bench.pair.scenario = &scenario;
    t.bench.pair.symbols[PAIR_SERVER] = symbols_open(&image, &e);
    assert_non_null(t.bench.pair.symbols[PAIR_SERVER]);
    dies(one, 2, 14);
    dies(one, 3, 15);
    dies(other, 2, 16);
    dies(one, 2, 17);
    assert_int_equal(t.findings, 2);
    assert_int_equal(t.finding[0]->times, 3);
    assert_int_equal(t.finding[1]->times, 1);
    assert_int_equal(t.finding[1]->number[0], 16);
    assert_non_null(strstr(t.finding[0]->end.line[0], "one"));
    assert_non_null(strstr(t.finding[1]->end.line[0], "other"));
    symbols_close(t.bench.pair.symbols[PAIR_SERVER]);
    image_fini(&image);
    t.sweeps = 0;
    t.sweep = NULL;
    torture_fini(&t);
}

/* Where nothing has a name the addresses of two processes say nothing. */
static void crashes_without_names_are_one_finding(void **state)
{
    (void)state;
    static struct scenario scenario;
    t.finding = NULL;
    t.bench.pair.scenario = &scenario;
    dies(one, 2, 14);
    dies(other, 2, 15);
    assert_int_equal(t.findings, 1);
    assert_int_equal(t.finding[0]->times, 2);
    t.sweeps = 0;
    t.sweep = NULL;
    torture_fini(&t);
}

static void what_was_not_asked_for_has_not_failed(void **state)
{
    (void)state;
    sweep.not_reached = 2;
    assert_says("PASS  each of 40 allocations has failed: ");
    assert_says("\n  server   clean                    40-42      40 ");
    assert_says("\n  Not failed: 2 of the allocations weren't asked for when their turn came\n");
}

static void an_unfinished_sweep_passes_in_nothing(void **state)
{
    (void)state;
    t.complete = false;
    assert_says("INTERRUPTED  after 42 allocations\n");
    torture_break(&t, "the disk is %s", "full");
    torture_break(&t, "later");
    assert_int_equal(torture_exit(&t), EXIT_BROKEN);
    assert_says("BROKEN  the disk is full\n");
}

static void what_could_not_be_written_is_no_pass(void **state)
{
    (void)state;
    t.unwritten = "--json";
    assert_int_equal(torture_exit(&t), EXIT_BROKEN);
    assert_says("PASS  --json not written; each of 42 allocations has failed: ");
    t.complete = false;
    assert_int_equal(torture_exit(&t), EXIT_INTERRUPTED);
}

static void a_behaviour_that_was_not_reached_has_no_row(void **state)
{
    (void)state;
    sweep.least = sweep.most = 0;
    char *said = text(false);
    assert_null(strstr(said, "  server "));
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_found_is_a_pass_with_its_sweeps, clear),
        cmocka_unit_test_setup(quiet_is_the_headline_alone, clear),
        cmocka_unit_test_setup(what_stays_is_named_with_its_places_and_repeats, clear),
        cmocka_unit_test_setup(a_crash_says_who_died_and_where, clear),
        cmocka_unit_test_setup(a_side_that_is_stuck_is_told_from_one_that_waits, clear),
        cmocka_unit_test_setup(damage_says_that_nothing_fails_in_what_fails, clear),
        cmocka_unit_test_setup(the_failed_block_its_stack_and_its_behaviours_are_shown, clear),
        cmocka_unit_test_setup(what_was_kept_once_is_no_finding, clear),
        cmocka_unit_test_setup(of_many_findings_the_rest_is_counted, clear),
        cmocka_unit_test_setup(crashes_in_two_functions_are_two_findings, clear),
        cmocka_unit_test_setup(crashes_without_names_are_one_finding, clear),
        cmocka_unit_test_setup(what_was_not_asked_for_has_not_failed, clear),
        cmocka_unit_test_setup(an_unfinished_sweep_passes_in_nothing, clear),
        cmocka_unit_test_setup(what_could_not_be_written_is_no_pass, clear),
        cmocka_unit_test_setup(a_behaviour_that_was_not_reached_has_no_row, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
