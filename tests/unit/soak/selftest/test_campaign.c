/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that a campaign draws, what it makes of them, and how it goes on. */
#include "src/soak/selftest/campaign_journal.h"

#include "report/document.h"
#include "tests/unit/remove_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/put_file.h"

enum { DRAWS = 3000 };

static const struct campaign_choice leaks = {.which = CAMPAIGN_LEAKS, .seed = 1};

/* ---- draws ---- */

static void the_same_number_draws_the_same_run(void **state)
{
    (void)state;
    for (int which = 0; which < CAMPAIGNS; which++) {
        struct campaign_choice c = {.which = (enum campaign_of)which, .seed = 7};
        struct campaign_case a, b;
        int differ = 0;
        for (uint64_t i = 0; i < 100; i++) {
            campaign_draw(&c, i, &a);
            campaign_draw(&c, i, &b);
            assert_int_equal(a.words, b.words);
            for (size_t w = 0; w < a.words; w++)
                assert_string_equal(a.word[w], b.word[w]);
            campaign_draw(&c, i + 1, &b);
            differ += strcmp(a.word[a.words - 1], b.word[b.words - 1]) != 0;
        }
        assert_true(differ > 90); /* their seeds */
    }
}

static void every_bug_that_leaks_is_drawn_and_no_other(void **state)
{
    (void)state;
    size_t count;
    const struct selftest_case *row = selftest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        bool drawn = false, leaks_ever = false;
        for (size_t j = 0; row[i].defect && j < count; j++)
            leaks_ever |= row[j].defect && strcmp(row[i].defect, row[j].defect) == 0 &&
                          row[j].verdict == VERDICT_LEAK && !row[j].not_asked;
        for (uint64_t n = 0; row[i].defect && n < DRAWS && !drawn; n++) {
            struct campaign_case c;
            campaign_draw(&leaks, n, &c);
            drawn = strcmp(c.expected.defect, row[i].defect) == 0;
        }
        if (drawn != leaks_ever)
            fail_msg("%s: %s", row[i].defect, drawn ? "drawn" : "never drawn");
    }
}

/* A rate that no row asks for must not be drawn, and each decade to the rarest must be. */
static void rates_reach_from_each_connection_to_the_rarest_that_is_asked_for(void **state)
{
    (void)state;
    uint64_t most = 0, common = 0, outside = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        struct campaign_case c;
        campaign_draw(&leaks, n, &c);
        most = c.expected.one_in > most ? c.expected.one_in : most;
        common += c.expected.one_in == 1;
        if (strcmp(c.expected.defect, "outside") == 0 && c.expected.one_in > outside)
            outside = c.expected.one_in;
        assert_true(c.expected.blocks == 0 || c.expected.blocks == 1.0 / (double)c.expected.one_in);
    }
    assert_in_range(most, 5000, 10000);
    assert_in_range(common, 1, DRAWS / 2);
    assert_in_range(outside, 50, 100);
}

static void what_is_lost_outside_openssl_is_never_drawn_with_libcs_malloc(void **state)
{
    (void)state;
    int libc = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        struct campaign_case c;
        bool has = false;
        campaign_draw(&leaks, n, &c);
        for (size_t w = 0; w < c.words; w++)
            has |= strcmp(c.word[w], "--malloc=libc") == 0;
        libc += has;
        if (has && (c.expected.kind == KIND_OUTSIDE || c.expected.kind == KIND_FRAGMENTATION))
            fail_msg("run %d: %s with libc's malloc", (int)n, c.expected.defect);
    }
    assert_true(libc > 0);
}

static void versions_and_scenarios_are_drawn_from_their_lists(void **state)
{
    (void)state;
    struct campaign_choice c = {.seed = 1, .openssl = {"3.0.19", "3.5.4"}, .versions = 2};
    int first = 0, second = 0;
    for (uint64_t n = 0; n < 100; n++) {
        struct campaign_case drawn;
        campaign_draw(&c, n, &drawn);
        first += strncmp(drawn.row, "3.0.19, ", 8) == 0;
        second += strncmp(drawn.row, "3.5.4, ", 7) == 0;
    }
    assert_int_equal(first + second, 100);
    assert_true(first > 20 && second > 20);
    c = (struct campaign_choice){.seed = 1, .scenario = {"servers/nginx"}, .scenarios = 1};
    struct campaign_case drawn;
    campaign_draw(&c, 3, &drawn);
    assert_string_equal(drawn.word[0], "servers/nginx");
    assert_string_equal(drawn.row, "servers/nginx");
}

/* ---- what came of a run ---- */

static enum campaign_outcome outcome(const struct campaign_case *c, const char *verdict,
                                     const char *kind, double one_in)
{
    json_t *owned = json_pack(
        "{s:s, s:s, s:{}, s:[{s:s, s:s, s:s, s:{s:f}, s:[{s:s, s:i, s:s, s:f, s:i}]}]}", "schema",
        "soak/1", "verdict", verdict, "run", "subjects", "name", "server", "verdict", verdict,
        "kind", kind, "sensitivity", "one_in", one_in, "sites", "file", "server/defect.c", "line",
        94, "kind", kind, "per_conn_blocks", c->expected.blocks, "blocks", 100);
    struct document *d = document_read(owned, NULL);
    enum campaign_outcome o = campaign_judge(c, d ? &d->result : NULL);
    document_free(d);
    json_decref(owned);
    return o;
}

static void a_pass_is_a_miss_only_where_it_says_that_it_would_have_seen_it(void **state)
{
    (void)state;
    struct campaign_case c = {.row = ""};
    campaign_plant(&c, "lost-state", 300);
    c.expected.function = NULL;
    assert_int_equal(outcome(&c, "PASS", "none", 300), CAMPAIGN_MISSED);
    assert_int_equal(outcome(&c, "PASS", "none", 299), CAMPAIGN_BELOW);
    assert_int_equal(outcome(&c, "PASS", "none", 0), CAMPAIGN_BELOW);
    assert_int_equal(outcome(&c, "LEAK", "side-allocation-lost", 300), CAMPAIGN_RIGHT);
    assert_int_equal(outcome(&c, "LEAK", "object-retained", 300), CAMPAIGN_KIND);
    assert_int_equal(outcome(&c, "INCONCLUSIVE", "none", 300), CAMPAIGN_DOUBT);
    assert_int_equal(outcome(&c, "INVALID", "none", 300), CAMPAIGN_BROKEN);
    assert_int_equal(campaign_judge(&c, NULL), CAMPAIGN_BROKEN);
}

static void a_clean_server_passes_or_it_is_no_good(void **state)
{
    (void)state;
    struct campaign_case c = {.expected.verdict = VERDICT_PASS};
    assert_int_equal(outcome(&c, "PASS", "none", 10), CAMPAIGN_RIGHT);
    assert_int_equal(outcome(&c, "LEAK", "none", 10), CAMPAIGN_ALARM);
    assert_int_equal(outcome(&c, "INCONCLUSIVE", "none", 10), CAMPAIGN_DOUBT);
    assert_int_equal(outcome(&c, "INVALID", "none", 10), CAMPAIGN_BROKEN);
}

static void
one_wrong_run_fails_a_campaign_and_a_share_only_when_it_is_surely_too_large(void **state)
{
    (void)state;
    static const enum campaign_outcome never[] = {CAMPAIGN_MISSED, CAMPAIGN_ALARM, CAMPAIGN_BROKEN};
    uint64_t o[CAMPAIGN_OUTCOMES] = {[CAMPAIGN_RIGHT] = 10000};
    assert_true(campaign_good(CAMPAIGN_CLEAN, o));
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        o[never[i]] = 1;
        assert_false(campaign_good(CAMPAIGN_CLEAN, o));
        o[never[i]] = 0;
    }
    o[CAMPAIGN_DOUBT] = 50;
    assert_true(campaign_good(CAMPAIGN_CLEAN, o));
    o[CAMPAIGN_DOUBT] = 100;
    assert_false(campaign_good(CAMPAIGN_CLEAN, o));
    assert_true(campaign_good(CAMPAIGN_LEAKS, o));
    o[CAMPAIGN_KIND] = 200;
    assert_false(campaign_good(CAMPAIGN_LEAKS, o));
    uint64_t few[CAMPAIGN_OUTCOMES] = {[CAMPAIGN_RIGHT] = 99, [CAMPAIGN_DOUBT] = 1};
    assert_true(campaign_good(CAMPAIGN_CLEAN, few));
}

/* ---- the folder ---- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/soak-campaign-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static json_t *line(uint64_t number)
{
    return json_pack("{s:I, s:s, s:s}", "number", (json_int_t)number, "row", "a", "outcome",
                     number % 2 ? "in doubt" : "right");
}

static int reopen(const char *about, struct campaign_journal *j, struct campaign_tally *t)
{
    json_t *a = json_pack("{s:s}", "campaign", about);
    *t = (struct campaign_tally){.runs = 0};
    int rc = campaign_journal_open(j, folder, a, t, NULL);
    json_decref(a);
    return rc;
}

static void write_runs(uint64_t count)
{
    struct campaign_journal j;
    struct campaign_tally t;
    assert_int_equal(reopen("mine", &j, &t), 0);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(campaign_journal_add(&j, line(t.runs + i), NULL), 0);
    campaign_journal_close(&j);
}

static void it_goes_on_where_it_was(void **state)
{
    (void)state;
    struct campaign_journal j;
    struct campaign_tally t;
    write_runs(3);
    write_runs(2);
    assert_int_equal(reopen("mine", &j, &t), 0);
    assert_int_equal(t.runs, 5);
    assert_int_equal(t.outcome[CAMPAIGN_RIGHT], 3);
    assert_int_equal(t.outcome[CAMPAIGN_DOUBT], 2);
    campaign_journal_close(&j);
}

static void the_folder_of_another_campaign_is_refused_and_stays_as_it_is(void **state)
{
    (void)state;
    struct campaign_journal j;
    struct campaign_tally t;
    write_runs(3);
    assert_int_equal(reopen("another", &j, &t), -1);
    assert_int_equal(reopen("mine", &j, &t), 0);
    assert_int_equal(t.runs, 3);
    struct campaign_journal second;
    struct campaign_tally unused;
    assert_int_equal(reopen("mine", &second, &unused), -1); /* one writes at a time */
    campaign_journal_close(&j);
}

static void a_line_that_was_cut_is_dropped_and_a_wrong_one_refused(void **state)
{
    (void)state;
    struct campaign_journal j;
    struct campaign_tally t;
    put_file(folder, "runs.jsonl",
             "{\"campaign\":\"mine\"}\n{\"number\":0,\"row\":\"a\",\"outcome\":\"right\"}\n{\"nu");
    write_runs(1);
    assert_int_equal(reopen("mine", &j, &t), 0);
    assert_int_equal(t.runs, 2);
    campaign_journal_close(&j);
    put_file(folder, "runs.jsonl",
             "{\"campaign\":\"mine\"}\n{\"number\":4,\"row\":\"a\",\"outcome\":\"right\"}\n");
    assert_int_equal(reopen("mine", &j, &t), -1);
    put_file(folder, "runs.jsonl",
             "{\"campaign\":\"mine\"}\n{\"number\":0,\"row\":\"a\",\"outcome\":\"odd\"}\n");
    assert_int_equal(reopen("mine", &j, &t), -1);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_number_draws_the_same_run),
        cmocka_unit_test(every_bug_that_leaks_is_drawn_and_no_other),
        cmocka_unit_test(rates_reach_from_each_connection_to_the_rarest_that_is_asked_for),
        cmocka_unit_test(what_is_lost_outside_openssl_is_never_drawn_with_libcs_malloc),
        cmocka_unit_test(versions_and_scenarios_are_drawn_from_their_lists),
        cmocka_unit_test(a_pass_is_a_miss_only_where_it_says_that_it_would_have_seen_it),
        cmocka_unit_test(a_clean_server_passes_or_it_is_no_good),
        cmocka_unit_test(
            one_wrong_run_fails_a_campaign_and_a_share_only_when_it_is_surely_too_large),
        IN_FOLDER(it_goes_on_where_it_was),
        IN_FOLDER(the_folder_of_another_campaign_is_refused_and_stays_as_it_is),
        IN_FOLDER(a_line_that_was_cut_is_dropped_and_a_wrong_one_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
