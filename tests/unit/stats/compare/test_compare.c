/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controls: for each deciding rule of a comparison a case that it decides. The last test switches
 * the rules off one by one and fails unless a case of that rule then gets another answer.
 */
#include "compare_measured.h"
#include "stats/compare/compare_internal.h"
#include "tests/unit/stats/golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 6, VERSIONS = 3 };

struct made {
    struct compare_run run[VERSIONS][ROUNDS];
    struct compare_version version[VERSIONS];
    struct compare_input input;
};

/* Two versions, alike: six rounds, everything known. */
static void make(struct made *m)
{
    memset(m, 0, sizeof *m);
    for (size_t v = 0; v < VERSIONS; v++) {
        for (size_t r = 0; r < ROUNDS; r++) {
            struct compare_run *run = &m->run[v][r];
            *run = (struct compare_run){.verdict = VERDICT_PASS, .round = r, .sensitivity = 300};
            for (int row = 0; row < COMPARE_ROWS; row++)
                run->row[row] = 1000;
            run->row[COMPARE_GROWTH_BYTES] = run->row[COMPARE_GROWTH_BLOCKS] = 0;
            run->row[COMPARE_CPU] = 300 + (double)r;
        }
        m->version[v] = (struct compare_version){m->run[v], ROUNDS};
    }
    m->input = (struct compare_input){
        .version = m->version, .versions = 2, .tolerance = 0.01, .footprint = true};
}

/* Sets a row of all runs of a version. */
static void set(struct made *m, size_t version, enum compare_row row, double value)
{
    for (size_t r = 0; r < ROUNDS; r++)
        m->run[version][r].row[row] = value;
}

static void leak(struct made *m, size_t version, double bytes)
{
    for (size_t r = 0; r < ROUNDS; r++) {
        struct compare_run *run = &m->run[version][r];
        run->verdict = VERDICT_LEAK;
        run->kind = KIND_SIDE;
        run->place[0] = (struct compare_place){
            .file = "ssl/statem/extensions_srvr.c", .line = 1207, .kind = KIND_SIDE};
        run->places = 1;
        run->row[COMPARE_GROWTH_BYTES] = bytes + (double)(r % 2);
        run->row[COMPARE_GROWTH_BLOCKS] = 2;
    }
}

static void alike(struct made *m)
{
    (void)m;
}

static void one_of_six_leaks(struct made *m)
{
    m->run[1][3].verdict = VERDICT_LEAK;
}

static void invalid_and_leak(struct made *m)
{
    m->run[1][2].verdict = VERDICT_INVALID;
    m->run[1][3].verdict = VERDICT_LEAK;
}

static void one_is_inconclusive(struct made *m)
{
    m->run[1][5].verdict = VERDICT_INCONCLUSIVE;
}

static void first_is_invalid(struct made *m)
{
    m->run[0][0].verdict = VERDICT_INVALID;
}

static void leak_comes(struct made *m)
{
    leak(m, 1, 994);
}

static void leak_goes(struct made *m)
{
    leak(m, 0, 994);
}

static void leak_goes_and_allocations_rise(struct made *m)
{
    leak_goes(m);
    set(m, 1, COMPARE_ALLOCS_SERVER, 1300);
}

static void leak_grows(struct made *m)
{
    leak(m, 0, 994);
    leak(m, 1, 5640);
}

static void leak_shrinks(struct made *m)
{
    leak(m, 0, 5640);
    leak(m, 1, 994);
}

static void leak_stays(struct made *m)
{
    leak(m, 0, 994);
    leak(m, 1, 995);
}

/* Both leak, the second by less: a place of all its runs, or of one. */
static struct compare_place *leaks_less(struct made *m)
{
    leak(m, 0, 5640);
    leak(m, 1, 994);
    for (size_t r = 0; r < ROUNDS; r++)
        m->run[0][r].place[0].function = "tls_parse_ctos_psk";
    return m->run[1][4].place;
}

static void leak_in_another_file(struct made *m)
{
    leaks_less(m)->file = "ssl/ssl_sess.c";
}

static void leak_in_another_function(struct made *m)
{
    leaks_less(m)->function = "tls_parse_ctos_ems";
}

static void leak_where_no_function_is_known(struct made *m)
{
    leaks_less(m)->line = 1300;
}

static void leak_on_another_line(struct made *m)
{
    struct compare_place *place = leaks_less(m);
    place->function = "tls_parse_ctos_psk";
    place->line = 1300;
}

/* Outside OpenSSL a leak has no file: there it is the kind that tells. */
static void leak_of_another_kind(struct made *m)
{
    *leaks_less(m) = (struct compare_place){.kind = KIND_OUTSIDE};
    m->run[0][0].place[0] = (struct compare_place){.kind = KIND_DESCRIPTORS};
}

static void leak_of_the_same_kind(struct made *m)
{
    leak_of_another_kind(m);
    m->run[0][3].place[0] = m->run[1][4].place[0];
}

static void second_place(struct made *m, size_t version, enum kind kind)
{
    struct compare_run *run = &m->run[version][2];
    run->place[run->places++] = (struct compare_place){.file = "ssl/ssl_sess.c", .kind = kind};
}

static void leak_beside_the_old_one(struct made *m)
{
    leaks_less(m);
    second_place(m, 1, KIND_SIDE);
}

static void leak_that_was_beside_another(struct made *m)
{
    leak_in_another_file(m);
    second_place(m, 0, KIND_SIDE);
}

static void leak_of_what_an_object_holds(struct made *m)
{
    leaks_less(m);
    second_place(m, 1, KIND_OBJECT);
}

/* The function that allocates an SSL has another name in 3.5. */
static void objects_of_a_class(struct made *m, const char *before, const char *after)
{
    struct compare_place *place = leaks_less(m);
    *place = (struct compare_place){.file = "ssl/ssl_lib.c",
                                    .function = "ossl_ssl_connection_new_int",
                                    .object = after,
                                    .kind = KIND_OBJECT};
    m->run[0][3].place[0] = *place;
    m->run[0][3].place[0].function = "SSL_new";
    m->run[0][3].place[0].object = before;
}

static void leak_of_the_same_object(struct made *m)
{
    objects_of_a_class(m, "SSL", "SSL");
}

static void leak_of_another_object(struct made *m)
{
    objects_of_a_class(m, "SSL_CTX", "SSL");
}

static void leak_of_an_unknown_object(struct made *m)
{
    objects_of_a_class(m, NULL, NULL);
}

static void more_allocations(struct made *m)
{
    set(m, 0, COMPARE_ALLOCS_SERVER, 2302);
    set(m, 1, COMPARE_ALLOCS_SERVER, 3005);
}

static void fewer_allocations(struct made *m)
{
    set(m, 0, COMPARE_ALLOCS_SERVER, 3001);
    set(m, 1, COMPARE_ALLOCS_SERVER, 1676);
}

static void within_the_tolerance(struct made *m)
{
    set(m, 1, COMPARE_HELD_IDLE, 1009);
}

static void more_than_the_tolerance(struct made *m)
{
    set(m, 1, COMPARE_HELD_IDLE, 1011);
}

static void from_nothing(struct made *m)
{
    set(m, 0, COMPARE_REALLOCS_SERVER, 0);
}

static void said_to_be_inexact(struct made *m)
{
    more_allocations(m);
    m->run[1][0].inexact[COMPARE_ALLOCS_SERVER] = true;
}

static void repeats_disagree(struct made *m)
{
    set(m, 1, COMPARE_HELD_IDLE, 2000);
    m->run[1][4].row[COMPARE_HELD_IDLE] = 2001;
}

/* The first loses sessions: how many there are says nothing of a connection. */
static void objects_that_grew(struct made *m)
{
    leak_goes(m);
    set(m, 0, COMPARE_CENSUS_SESSION, 276000);
    m->run[0][0].inexact[COMPARE_CENSUS_SESSION] = true;
}

/* 1.1.1 has no callback for EVP_PKEY. */
static void a_class_that_one_cannot_count(struct made *m)
{
    set(m, 0, COMPARE_CENSUS_PKEY, NAN);
}

static void more_objects(struct made *m)
{
    set(m, 1, COMPARE_CENSUS_PKEY, 2000);
}

static void inexact_but_near(struct made *m)
{
    set(m, 1, COMPARE_ALLOCS_SERVER, 1001);
    m->run[1][0].inexact[COMPARE_ALLOCS_SERVER] = true;
}

static void a_row_is_missing(struct made *m)
{
    set(m, 1, COMPARE_PEAK, NAN);
}

static void nobody_has_the_row(struct made *m)
{
    set(m, 0, COMPARE_PEAK, NAN);
    set(m, 1, COMPARE_PEAK, NAN);
}

static void only_the_first_round_has_a_footprint(struct made *m)
{
    for (size_t v = 0; v < 2; v++)
        for (size_t r = 1; r < ROUNDS; r++)
            m->run[v][r].row[COMPARE_ALLOCS_SERVER] = NAN;
}

static void nobody_has_a_footprint(struct made *m)
{
    for (size_t v = 0; v < 2; v++)
        for (int row = 0; row < COMPARE_ROWS; row++)
            if (compare_row_exact((enum compare_row)row))
                set(m, v, (enum compare_row)row, NAN);
}

static void no_footprint_was_asked_for(struct made *m)
{
    nobody_has_a_footprint(m);
    m->input.footprint = false;
}

/* The machine slows down from round to round; the pairs show it. */
static void cpu(struct made *m, double ratio)
{
    for (size_t r = 0; r < ROUNDS; r++) {
        m->run[0][r].row[COMPARE_CPU] = 300 + 100 * (double)r;
        m->run[1][r].row[COMPARE_CPU] =
            m->run[0][r].row[COMPARE_CPU] * (ratio + 0.002 * (double)(r % 3));
    }
}

static void slower(struct made *m)
{
    cpu(m, 1.05);
}

static void faster(struct made *m)
{
    cpu(m, 0.9);
}

static void hardly_slower(struct made *m)
{
    cpu(m, 1.01);
}

static void slower_in_five_of_six(struct made *m)
{
    cpu(m, 1.05);
    m->run[1][2].row[COMPARE_CPU] = m->run[0][2].row[COMPARE_CPU];
}

static void slower_in_five_pairs(struct made *m)
{
    cpu(m, 1.05);
    m->version[1].runs = 5;
}

static void more_rss(struct made *m)
{
    set(m, 1, COMPARE_RSS, 2000);
    set(m, 1, COMPARE_KEPT, 90000);
}

static void leak_goes_and_nobody_can_tell(struct made *m)
{
    leak_goes_and_allocations_rise(m);
    repeats_disagree(m);
}

static void better_and_worse(struct made *m)
{
    set(m, 1, COMPARE_ALLOCS_SERVER, 900);
    set(m, 1, COMPARE_HELD_IDLE, 1300);
}

static void worse_and_inconclusive(struct made *m)
{
    one_is_inconclusive(m);
    more_allocations(m);
}

/* Only the load generator allocates more. */
static void more_by_the_client(struct made *m)
{
    set(m, 1, COMPARE_ALLOCS_CLIENT, 2252);
}

static void more_of_both_ends(struct made *m)
{
    set(m, 1, COMPARE_ALLOCS, 2252);
    set(m, 1, COMPARE_REALLOCS, 2252);
    set(m, 1, COMPARE_ALLOC_BYTES, 2252);
}

static void the_client_is_judged(struct made *m)
{
    more_by_the_client(m);
    m->input.side = COMPARE_SIDE_CLIENT;
}

static void the_server_is_not_judged(struct made *m)
{
    more_allocations(m);
    cpu(m, 1.05);
    m->input.side = COMPARE_SIDE_CLIENT;
}

static void both_are_judged(struct made *m)
{
    more_of_both_ends(m);
    m->input.side = COMPARE_SIDE_BOTH;
}

static void a_leak_decides_whoever_is_judged(struct made *m)
{
    leak_comes(m);
    m->input.side = COMPARE_SIDE_CLIENT;
}

static void never_run(struct made *m)
{
    m->version[1].runs = 0;
}

static const struct control {
    const char *name;
    void (*make)(struct made *m);
    enum compare_rule rule; /* that the case is a control of; COMPARE_RULES: of none */
    enum compare_outcome outcome;
    enum compare_row row; /* whose change is looked at */
    enum compare_change change;
} controls[] = {
#define C(make, rule, outcome, row, change)                                                        \
    {                                                                                              \
#make, make, COMPARE_##rule, COMPARE_##outcome, COMPARE_##row, COMPARE_CHANGE_##change     \
    }
    C(alike, RULES, SAME, ALLOCS_SERVER, EQUAL),
    C(one_of_six_leaks, RULE_WORST, WORSE, ALLOCS_SERVER, EQUAL),
    C(invalid_and_leak, RULE_WORST, WORSE, ALLOCS_SERVER, EQUAL),
    C(one_is_inconclusive, RULE_UNDECIDED, UNSURE, ALLOCS_SERVER, EQUAL),
    C(first_is_invalid, RULE_UNDECIDED, UNSURE, ALLOCS_SERVER, EQUAL),
    C(leak_comes, RULE_TURNED, WORSE, GROWTH_BYTES, MORE),
    C(leak_goes, RULE_TURNED, BETTER, GROWTH_BYTES, LESS),
    C(leak_goes_and_allocations_rise, RULE_MENDED, MIXED, ALLOCS_SERVER, MORE),
    C(leak_goes_and_nobody_can_tell, RULE_GRAVEST, UNSURE, HELD_IDLE, UNSURE),
    C(leak_grows, RULE_GROWTH, WORSE, GROWTH_BYTES, MORE),
    C(leak_shrinks, RULE_GROWTH, BETTER, GROWTH_BYTES, LESS),
    C(leak_stays, RULES, SAME, GROWTH_BYTES, SAME),
    C(leak_in_another_file, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_in_another_function, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_of_another_kind, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_beside_the_old_one, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_of_another_object, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_of_an_unknown_object, RULE_ANOTHER, WORSE, GROWTH_BYTES, LESS),
    C(leak_where_no_function_is_known, RULES, BETTER, GROWTH_BYTES, LESS),
    C(leak_on_another_line, RULES, BETTER, GROWTH_BYTES, LESS),
    C(leak_of_the_same_kind, RULES, BETTER, GROWTH_BYTES, LESS),
    C(leak_that_was_beside_another, RULES, BETTER, GROWTH_BYTES, LESS),
    C(leak_of_what_an_object_holds, RULES, BETTER, GROWTH_BYTES, LESS),
    C(leak_of_the_same_object, RULES, BETTER, GROWTH_BYTES, LESS),
    C(more_allocations, RULE_TOLERANCE, WORSE, ALLOCS_SERVER, MORE),
    C(fewer_allocations, RULE_TOLERANCE, BETTER, ALLOCS_SERVER, LESS),
    C(within_the_tolerance, RULES, SAME, HELD_IDLE, MORE),
    C(more_than_the_tolerance, RULE_TOLERANCE, WORSE, HELD_IDLE, MORE),
    C(from_nothing, RULES, WORSE, REALLOCS_SERVER, MORE),
    C(said_to_be_inexact, RULE_INEXACT, UNSURE, ALLOCS_SERVER, UNSURE),
    C(repeats_disagree, RULE_INEXACT, UNSURE, HELD_IDLE, UNSURE),
    C(objects_that_grew, RULE_COUNTED, BETTER, CENSUS_SESSION, UNSURE),
    C(a_class_that_one_cannot_count, RULE_COUNTED, SAME, CENSUS_PKEY, MISSING),
    C(more_objects, RULE_TOLERANCE, WORSE, CENSUS_PKEY, MORE),
    C(inexact_but_near, RULES, SAME, ALLOCS_SERVER, SAME),
    C(a_row_is_missing, RULE_MISSING, UNSURE, PEAK, MISSING),
    C(nobody_has_the_row, RULES, SAME, PEAK, NONE),
    C(only_the_first_round_has_a_footprint, RULES, SAME, ALLOCS_SERVER, EQUAL),
    C(nobody_has_a_footprint, RULE_FOOTPRINT, UNSURE, ALLOCS_SERVER, NONE),
    C(no_footprint_was_asked_for, RULES, SAME, ALLOCS_SERVER, NONE),
    C(slower, RULES, WORSE, CPU, MORE),
    C(faster, RULES, BETTER, CPU, LESS),
    C(hardly_slower, RULE_MARGIN, SAME, CPU, SAME),
    C(slower_in_five_of_six, RULE_MARGIN, SAME, CPU, UNSURE),
    C(more_by_the_client, RULE_SIDE, SAME, ALLOCS_CLIENT, MORE),
    C(more_of_both_ends, RULE_SIDE, SAME, ALLOCS, MORE),
    C(the_client_is_judged, RULES, WORSE, ALLOCS_CLIENT, MORE),
    C(the_server_is_not_judged, RULE_SIDE, SAME, ALLOCS_SERVER, MORE),
    C(both_are_judged, RULES, WORSE, ALLOCS, MORE),
    C(a_leak_decides_whoever_is_judged, RULES, WORSE, GROWTH_BYTES, MORE),
    C(slower_in_five_pairs, RULE_PAIRS, SAME, CPU, UNSURE),
    C(more_rss, RULE_WITNESS, SAME, RSS, NONE),
    C(better_and_worse, RULE_GRAVEST, WORSE, HELD_IDLE, MORE),
    C(worse_and_inconclusive, RULE_GRAVEST, WORSE, ALLOCS_SERVER, MORE),
    C(never_run, RULES, UNSURE, ALLOCS_SERVER, MISSING),
};
enum { CONTROLS = sizeof controls / sizeof *controls };

/* Whether the control's answer comes out with these rules. */
static bool holds(const struct control *c, uint64_t rules)
{
    struct made m;
    struct compare_judgement j;
    make(&m);
    c->make(&m);
    compare_judge_with_rules(&m.input, rules, &j);
    return j.outcome == c->outcome && j.column[1].outcome == c->outcome &&
           j.column[1].cell[c->row].change == c->change;
}

static void every_control_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONTROLS; i++)
        if (!holds(&controls[i], COMPARE_RULES_ALL))
            fail_msg("%s", controls[i].name);
}

static void the_growth_is_that_of_the_runs_that_leak(void **state)
{
    (void)state;
    struct made m;
    struct compare_judgement j;
    make(&m);
    m.run[1][3].verdict = VERDICT_LEAK;
    m.run[1][3].place[0].file = "server/defect.c";
    m.run[1][3].places = 1;
    m.run[1][3].row[COMPARE_GROWTH_BYTES] = 32;
    compare_judge(&m.input, &j);
    assert_int_equal(j.column[1].verdict, VERDICT_LEAK);
    assert_string_equal(j.column[1].file, "server/defect.c");
    assert_true(j.column[1].cell[COMPARE_GROWTH_BYTES].value == 32);
}

static void the_first_of_the_worst_runs_is_blamed(void **state)
{
    (void)state;
    struct made m;
    struct compare_judgement j;
    make(&m);
    leak(&m, 1, 994);
    m.run[1][0].verdict = VERDICT_PASS;
    m.run[1][ROUNDS - 1].place[0].line = 7;
    compare_judge(&m.input, &j);
    assert_int_equal(j.column[1].verdict, VERDICT_LEAK);
    assert_int_equal(j.column[1].line, 1207);
}

static void the_gravest_version_is_the_whole(void **state)
{
    (void)state;
    struct made m;
    struct compare_judgement j;
    make(&m);
    m.input.versions = 3;
    set(&m, 1, COMPARE_ALLOCS_SERVER, 1300);
    set(&m, 2, COMPARE_ALLOCS_SERVER, 700);
    compare_judge(&m.input, &j);
    assert_int_equal(j.column[1].outcome, COMPARE_WORSE);
    assert_int_equal(j.column[2].outcome, COMPARE_BETTER);
    assert_int_equal(j.outcome, COMPARE_WORSE);
    assert_int_equal(compare_outcome_exit_code(j.outcome), 1);
}

static void the_interval_of_six_pairs_is_their_range(void **state)
{
    (void)state;
    double ratio[] = {1.04, 1.01, 1.03, 1.06, 1.02, 1.05};
    struct compare_ratio r = compare_ratio_of(ratio, 6);
    assert_true(r.low == 1.01 && r.high == 1.06);
    assert_true(fabs(r.median - 1.035) < 1e-12);
    assert_true(fabs(r.level - 0.96875) < 1e-12);
}

/* From tables of the sign test: n = 5: 93.75 %; 9: the 2nd and 8th hold 96.1 %; 15: 4th, 96.5 %. */
static void the_interval_keeps_its_level(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        double low, high, level;
    } expected[] = {{1, 0, 0, 0}, {5, 0, 4, 0.9375}, {9, 1, 7, 0.9609375}, {15, 3, 11, 0.96484375}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        double ratio[COMPARE_RUNS];
        for (size_t k = 0; k < expected[i].count; k++)
            ratio[k] = (double)k;
        struct compare_ratio r = compare_ratio_of(ratio, expected[i].count);
        assert_true(r.low == expected[i].low && r.high == expected[i].high);
        assert_true(fabs(r.level - expected[i].level) < 1e-9);
    }
    struct compare_ratio none = compare_ratio_of(NULL, 0);
    assert_true(none.pairs == 0 && isnan(none.median));
}

/* ---- bounds, from both sides ---- */

static const struct compare_cell *judged(struct made *m, enum compare_row row,
                                         struct compare_judgement *j)
{
    compare_judge(&m->input, j);
    return &j->column[1].cell[row];
}

static void expect_cell(const struct compare_cell *c, enum compare_change change,
                        enum compare_outcome outcome)
{
    assert_string_equal(compare_change_name(c->change), compare_change_name(change));
    assert_string_equal(compare_outcome_name(c->outcome), compare_outcome_name(outcome));
}

/* Sixteen of 1,024 are the tolerance. */
static void an_exact_row_may_differ_by_the_tolerance(void **state)
{
    (void)state;
    static const struct {
        double value;
        enum compare_change change, unsure;
        enum compare_outcome outcome;
    } of[] = {{1024, COMPARE_CHANGE_EQUAL, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {1040, COMPARE_CHANGE_MORE, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {1041, COMPARE_CHANGE_MORE, COMPARE_CHANGE_UNSURE, COMPARE_WORSE},
              {1008, COMPARE_CHANGE_LESS, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {1007, COMPARE_CHANGE_LESS, COMPARE_CHANGE_UNSURE, COMPARE_BETTER}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        for (int inexact = 0; inexact < 3; inexact++) {
            struct made m;
            struct compare_judgement j;
            make(&m);
            m.input.tolerance = 1.0 / 64;
            set(&m, 0, COMPARE_HELD_IDLE, 1024);
            set(&m, 1, COMPARE_HELD_IDLE, of[i].value);
            if (inexact)
                m.run[inexact - 1][4].inexact[COMPARE_HELD_IDLE] = true;
            bool sure = !inexact;
            expect_cell(judged(&m, COMPARE_HELD_IDLE, &j), sure ? of[i].change : of[i].unsure,
                        sure || of[i].outcome == COMPARE_SAME ? of[i].outcome : COMPARE_UNSURE);
            assert_true(j.column[0].cell[COMPARE_HELD_IDLE].exact == (inexact != 1));
            assert_true(j.column[1].cell[COMPARE_HELD_IDLE].exact == (inexact != 2));
        }
    }
}

/* A run that lacks the row says nothing about its exactness; a repeat that disagrees does. */
static void a_row_is_exact_by_the_runs_that_have_it(void **state)
{
    (void)state;
    struct made m;
    struct compare_judgement j;
    make(&m);
    m.run[1][2].row[COMPARE_PEAK] = NAN;
    m.run[1][2].inexact[COMPARE_PEAK] = true;
    assert_true(judged(&m, COMPARE_PEAK, &j)->exact);
    assert_false(judged(&m, COMPARE_CPU, &j)->exact);
    m.run[1][5].row[COMPARE_PEAK] = 1001;
    assert_false(judged(&m, COMPARE_PEAK, &j)->exact);
    assert_true(j.column[1].cell[COMPARE_PEAK].value == 1000);
    make(&m);
    set(&m, 1, COMPARE_PEAK, NAN);
    assert_false(judged(&m, COMPARE_PEAK, &j)->exact);
}

/* No run of one comes near any of the other's: 16 of 1,024 is near. */
static void growth_differs_where_no_runs_come_near(void **state)
{
    (void)state;
    static const struct {
        double least, most;
        enum compare_change change;
        enum compare_outcome outcome;
    } of[] = {{1024, 1024, COMPARE_CHANGE_EQUAL, COMPARE_SAME},
              {1040, 1040, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {1041, 1041, COMPARE_CHANGE_MORE, COMPARE_WORSE},
              {1040, 2000, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {1041, 2000, COMPARE_CHANGE_MORE, COMPARE_WORSE},
              {500, 1009, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {500, 1008, COMPARE_CHANGE_LESS, COMPARE_BETTER}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct made m;
        struct compare_judgement j;
        make(&m);
        m.input.tolerance = 1.0 / 64;
        leak(&m, 0, 1024);
        leak(&m, 1, of[i].least);
        for (size_t r = 0; r < ROUNDS; r++) {
            m.run[0][r].row[COMPARE_GROWTH_BYTES] = 1024;
            m.run[1][r].row[COMPARE_GROWTH_BYTES] = r == 3 ? of[i].least : of[i].most;
        }
        expect_cell(judged(&m, COMPARE_GROWTH_BYTES, &j), of[i].change, of[i].outcome);
        /* Where one of them is no leak, that says more than the figures. */
        for (size_t r = 0; r < ROUNDS; r++)
            m.run[0][r].verdict = VERDICT_PASS;
        assert_int_equal(judged(&m, COMPARE_GROWTH_BYTES, &j)->outcome, COMPARE_SAME);
    }
}

/* The interval of all pairs lies beyond three in a hundred, or within, or on both sides. */
static void processor_time_differs_beyond_its_margin(void **state)
{
    (void)state;
    static const struct {
        double least, most;
        enum compare_change change;
        enum compare_outcome outcome;
    } of[] = {{1.031, 1.031, COMPARE_CHANGE_MORE, COMPARE_WORSE},
              {1.029, 1.09, COMPARE_CHANGE_UNSURE, COMPARE_SAME},
              {1.029, 1.029, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {0.972, 1.029, COMPARE_CHANGE_SAME, COMPARE_SAME},
              {0.970, 1.029, COMPARE_CHANGE_UNSURE, COMPARE_SAME},
              {0.972, 1.031, COMPARE_CHANGE_UNSURE, COMPARE_SAME},
              {0.8, 0.972, COMPARE_CHANGE_UNSURE, COMPARE_SAME},
              {0.8, 0.970, COMPARE_CHANGE_LESS, COMPARE_BETTER}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct made m;
        struct compare_judgement j;
        make(&m);
        for (size_t r = 0; r < ROUNDS; r++) {
            m.run[0][r].row[COMPARE_CPU] = 0.25 * (double)(r + 1);
            m.run[1][r].row[COMPARE_CPU] =
                m.run[0][r].row[COMPARE_CPU] * (r < 3 ? of[i].most : of[i].least);
        }
        const struct compare_cell *c = judged(&m, COMPARE_CPU, &j);
        expect_cell(c, of[i].change, of[i].outcome);
        assert_int_equal(c->ratio.pairs, ROUNDS);
    }
}

/* What is just three in a hundred more, or takes the other version just as much more, is the same.
 */
static void processor_time_at_its_margin_is_the_same(void **state)
{
    (void)state;
    for (size_t slower = 0; slower < 2; slower++) {
        struct made m;
        struct compare_judgement j;
        make(&m);
        for (size_t r = 0; r < ROUNDS; r++) {
            m.run[slower][r].row[COMPARE_CPU] = 1 + COMPARE_CPU_MARGIN;
            m.run[!slower][r].row[COMPARE_CPU] = 1;
        }
        expect_cell(judged(&m, COMPARE_CPU, &j), COMPARE_CHANGE_SAME, COMPARE_SAME);
    }
}

/* Runs are pairs where they stood beside one another and both say something. */
static void pairs_are_those_of_a_round(void **state)
{
    (void)state;
    struct made m;
    struct compare_judgement j;
    make(&m);
    for (size_t r = 0; r < ROUNDS; r++) {
        m.run[0][r].row[COMPARE_CPU] = 100 + 10 * (double)r;
        m.run[1][ROUNDS - 1 - r].row[COMPARE_CPU] = 2 * m.run[0][r].row[COMPARE_CPU];
        m.run[1][ROUNDS - 1 - r].round = r;
    }
    const struct compare_cell *c = judged(&m, COMPARE_CPU, &j);
    expect_cell(c, COMPARE_CHANGE_MORE, COMPARE_WORSE);
    assert_true(c->ratio.pairs == ROUNDS && c->ratio.low == 2 && c->ratio.high == 2);
    m.run[0][2].row[COMPARE_CPU] = 0;
    m.run[1][0].row[COMPARE_CPU] = 0;
    m.run[1][1].round = 77;
    c = judged(&m, COMPARE_CPU, &j);
    assert_int_equal(c->ratio.pairs, ROUNDS - 3);
    expect_cell(c, COMPARE_CHANGE_UNSURE, COMPARE_SAME);
    set(&m, 0, COMPARE_CPU, 0);
    c = judged(&m, COMPARE_CPU, &j);
    assert_true(c->ratio.pairs == 0 && isnan(c->ratio.median));
}

static void a_version_is_as_sensitive_as_its_worst_run(void **state)
{
    (void)state;
    for (size_t r = 0; r < ROUNDS; r++) {
        struct made m;
        struct compare_judgement j;
        make(&m);
        m.run[1][r].sensitivity = 200;
        compare_judge(&m.input, &j);
        assert_true(j.column[0].sensitivity == 300 && j.column[1].sensitivity == 200);
        assert_int_equal(j.column[1].runs, ROUNDS);
    }
}

static void one_run_of_each_is_compared_and_none_is_not(void **state)
{
    (void)state;
    for (size_t version = 0; version < 2; version++) {
        for (size_t runs = 0; runs < 2; runs++) {
            struct made m;
            struct compare_judgement j;
            make(&m);
            m.version[version].runs = runs;
            compare_judge(&m.input, &j);
            assert_int_equal(j.column[version].runs, runs);
            assert_int_equal(j.column[1].verdict_change,
                             runs ? COMPARE_CHANGE_EQUAL : COMPARE_CHANGE_MISSING);
            assert_int_equal(j.column[1].verdict_outcome, runs ? COMPARE_SAME : COMPARE_UNSURE);
        }
    }
}

/* Sixteen versions of 64 runs are the most. */
static void the_most_versions_and_runs_have_room(void **state)
{
    (void)state;
    static struct compare_run run[COMPARE_RUNS];
    struct compare_version version[COMPARE_VERSIONS];
    struct made m;
    struct compare_judgement j;
    make(&m);
    for (size_t r = 0; r < COMPARE_RUNS; r++) {
        run[r] = m.run[0][0];
        run[r].round = r;
        run[r].row[COMPARE_CPU] = 1 + (double)r;
    }
    for (size_t v = 0; v < COMPARE_VERSIONS; v++)
        version[v] = (struct compare_version){run, COMPARE_RUNS};
    m.input.version = version;
    m.input.versions = COMPARE_VERSIONS;
    compare_judge(&m.input, &j);
    assert_int_equal(j.outcome, COMPARE_SAME);
    assert_int_equal(j.column[COMPARE_VERSIONS - 1].cell[COMPARE_CPU].ratio.pairs, COMPARE_RUNS);
    assert_true(j.column[COMPARE_VERSIONS - 1].cell[COMPARE_CPU].value == 32.5);
    for (size_t r = 0; r < COMPARE_RUNS; r++)
        run[r].round = 7; /* each with each other: more pairs than have room */
    compare_judge(&m.input, &j);
    assert_int_equal(j.column[1].cell[COMPARE_CPU].ratio.pairs, COMPARE_RUNS);
    m.input.versions = 1;
    compare_judge(&m.input, &j);
    assert_int_equal(j.outcome, COMPARE_SAME);
}

/* ---- sites ---- */

#define SITES(array)                                                                               \
    (struct compare_sites)                                                                         \
    {                                                                                              \
        array, sizeof(array) / sizeof *(array)                                                     \
    }

/* The step of 3.0.20, by the figures measured then: crypto/property/property.c is new, two
 * sites of crypto/stack/stack.c are asked 231 times more, and all other lines of these files only
 * moved. */
static bool names_the_step(uint64_t rules)
{
    struct compare_explanation x;
    struct compare_sites before = SITES(measured_3_0_17), after = SITES(measured_3_0_20);
    compare_explain_with_rules(&before, &after, COMPARE_BY_ALLOCS, rules, &x);
    if (x.after - x.before != 703 || x.groups != 2 || x.explained < 0.9)
        return false;
    const struct compare_group *stack = &x.group[0], *property = &x.group[1];
    return strcmp(stack->file, "crypto/stack/stack.c") == 0 && stack->lines_total == 2 &&
           stack->line[0].before == 48 && stack->line[0].after == 49 &&
           stack->line[0].difference == 231 && stack->line[1].before == 68 &&
           stack->line[1].after == 69 && stack->line[1].difference == 231 &&
           strcmp(property->file, "crypto/property/property.c") == 0 &&
           property->line[0].before == 0 && property->line[0].after == 478 &&
           property->line[0].difference == 231;
}

static const struct compare_site moved_before[] = {{"../ssl/a.c", "first", 10, 5, 100},
                                                   {"../ssl/a.c", "second", 30, 7, 900},
                                                   {"../ssl/b.c", "one", 5, 1, 0}};
static const struct compare_site moved_after[] = {{"ssl/a.c", "first", 30, 5, 100},
                                                  {"ssl/a.c", "second", 60, 9, 1200},
                                                  {"ssl/b.c", "one", 5, 1, 0}};

/* `second` has two allocations more; `first` stands where `second` stood. */
static bool follows_the_function(uint64_t rules)
{
    struct compare_explanation x;
    struct compare_sites before = SITES(moved_before), after = SITES(moved_after);
    compare_explain_with_rules(&before, &after, COMPARE_BY_ALLOCS, rules, &x);
    return x.groups_total == 1 && x.group[0].function &&
           strcmp(x.group[0].function, "second") == 0 && x.group[0].before == 7 &&
           x.group[0].after == 9 && x.group[0].line[0].before == 30 &&
           x.group[0].line[0].after == 60;
}

/* The second build has no symbols: nothing is new in it. */
static bool bears_an_unknown_function(uint64_t rules)
{
    static const struct compare_site nameless[] = {
        {"ssl/a.c", NULL, 11, 5, 100}, {"ssl/a.c", NULL, 31, 7, 900}, {"ssl/b.c", "one", 5, 1, 0}};
    struct compare_explanation x;
    struct compare_sites before = SITES(moved_before), after = SITES(nameless);
    compare_explain_with_rules(&before, &after, COMPARE_BY_ALLOCS, rules, &x);
    return x.groups_total == 0 && x.explained == 1;
}

static const struct {
    bool (*holds)(uint64_t rules);
    enum compare_rule rule;
} site_controls[] = {{names_the_step, COMPARE_RULE_ORDER},
                     {names_the_step, COMPARE_RULE_ENOUGH},
                     {follows_the_function, COMPARE_RULE_FUNCTIONS},
                     {bears_an_unknown_function, COMPARE_RULE_UNNAMED}};
enum { SITE_CONTROLS = sizeof site_controls / sizeof *site_controls };

static void the_step_of_3_0_20_is_named(void **state)
{
    (void)state;
    assert_true(names_the_step(COMPARE_RULES_ALL));
}

static void a_function_that_moved_is_the_same(void **state)
{
    (void)state;
    assert_true(follows_the_function(COMPARE_RULES_ALL));
    assert_true(bears_an_unknown_function(COMPARE_RULES_ALL));
}

static void held_bytes_have_their_own_explanation(void **state)
{
    (void)state;
    struct compare_explanation x;
    struct compare_sites before = SITES(moved_before), after = SITES(moved_after);
    compare_explain(&before, &after, COMPARE_BY_HELD, &x);
    assert_true(x.before == 1000 && x.after == 1300 && x.groups == 1);
    assert_true(x.group[0].after - x.group[0].before == 300);
}

static void both_ends_at_one_line_are_one_site(void **state)
{
    (void)state;
    static const struct compare_site one[] = {{"ssl/a.c", NULL, 10, 5, 0}};
    static const struct compare_site two[] = {{"ssl/a.c", NULL, 10, 5, 0},
                                              {"ssl/a.c", NULL, 10, 4, 0}};
    struct compare_explanation x;
    struct compare_sites before = SITES(one), after = SITES(two), none = {NULL, 0};
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.group[0].lines, 1);
    assert_true(x.group[0].line[0].before == 10 && x.group[0].line[0].difference == 4);
    assert_true(x.before == 5 && x.after == 9);
    compare_explain(&none, &none, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.groups_total, 0);
}

static void the_largest_lines_of_a_file_are_kept(void **state)
{
    (void)state;
    struct compare_site many[20];
    struct compare_explanation x;
    for (uint32_t i = 0; i < 20; i++)
        many[i] = (struct compare_site){"a.c", NULL, 100 + i, (double)((i * 7) % 20 + 1), 0};
    struct compare_sites before = {NULL, 0}, after = {many, 20};
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.group[0].lines_total, 20);
    assert_int_equal(x.group[0].lines, COMPARE_LINES);
    for (size_t i = 0; i < COMPARE_LINES; i++)
        assert_true(x.group[0].line[i].difference == 20 - (double)i);
}

/* Nine tenths of what changed are enough, and eight groups the most. */
static void groups_are_told_until_enough_is_explained(void **state)
{
    (void)state;
    for (int less = 0; less < 2; less++) {
        const struct compare_site changed[] = {{"a.c", NULL, 1, 30, 0},
                                               {"b.c", NULL, 1, 60 - less, 0},
                                               {"c.c", NULL, 1, 10 + less, 0}};
        struct compare_explanation x;
        struct compare_sites none = {NULL, 0}, after = SITES(changed);
        compare_explain(&none, &after, COMPARE_BY_ALLOCS, &x);
        assert_int_equal(x.groups_total, 3);
        assert_int_equal(x.groups, less ? 3 : 2);
        assert_true(x.explained == (less ? 1 : 0.9));
        assert_string_equal(x.group[0].file, "b.c");
        assert_string_equal(x.group[1].file, "a.c");
        compare_explain(&after, &none, COMPARE_BY_ALLOCS, &x);
        assert_true(x.before == 100 && x.after == 0 && x.explained == (less ? 1 : 0.9));
    }
}

/* Averages are often less than one. */
static void fractions_are_explained_as_well(void **state)
{
    (void)state;
    static const struct compare_site changed[] = {{"a.c", NULL, 1, 14.0 / 32, 0},
                                                  {"b.c", NULL, 1, 1.0 / 32, 0},
                                                  {"c.c", NULL, 1, 1.0 / 32, 0}};
    struct compare_explanation x;
    struct compare_sites none = {NULL, 0}, after = SITES(changed);
    compare_explain(&none, &after, COMPARE_BY_ALLOCS, &x);
    assert_true(x.groups == 2 && x.explained == 15.0 / 16);
}

static void eight_groups_are_told_in_the_order_of_their_names(void **state)
{
    (void)state;
    struct compare_site same[10];
    char name[10][8];
    struct compare_explanation x;
    for (uint32_t i = 0; i < 10; i++) {
        snprintf(name[i], sizeof name[i], "%c", 'a' + (int)(i * 7 % 10));
        same[i] = (struct compare_site){"same.c", name[i], i, i % 2 ? 0 : 5, i % 2 ? 5 : 0};
        same[i].allocs = 5;
    }
    struct compare_sites none = {NULL, 0}, after = {same, 10};
    compare_explain(&none, &after, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.groups_total, 10);
    assert_int_equal(x.groups, COMPARE_GROUPS);
    assert_true(fabs(x.explained - 0.8) < 1e-12);
    for (size_t i = 0; i < COMPARE_GROUPS; i++)
        assert_int_equal(x.group[i].function[0], 'a' + (int)i);
}

/* One line went, one came, one changed and all moved: the others are paired in their order. */
static void lines_are_paired_in_their_order(void **state)
{
    (void)state;
    static const struct compare_site a[] = {{"a.c", "f", 10, 5, 0},
                                            {"a.c", "f", 20, 3, 0},
                                            {"a.c", "f", 30, 80, 0},
                                            {"a.c", "f", 40, 2, 0}},
                                     b[] = {{"a.c", "f", 11, 5, 0},
                                            {"a.c", "f", 31, 90, 0},
                                            {"a.c", "f", 41, 2, 0},
                                            {"a.c", "f", 50, 7, 0}};
    struct compare_explanation x;
    struct compare_sites before = SITES(a), after = SITES(b);
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    const struct compare_group *g = &x.group[0];
    assert_true(x.groups == 1 && g->before == 90 && g->after == 104);
    assert_int_equal(g->lines, 3);
    assert_true(g->line[0].before == 30 && g->line[0].after == 31 && g->line[0].difference == 10);
    assert_true(g->line[1].before == 0 && g->line[1].after == 50 && g->line[1].difference == 7);
    assert_true(g->line[2].before == 20 && g->line[2].after == 0 && g->line[2].difference == -3);
}

/* A line that only the other measure knows is none of this one. */
static void a_line_without_allocations_is_no_ones_pair(void **state)
{
    (void)state;
    static const struct compare_site a[] = {{"a.c", "f", 20, 5, 0}, {"a.c", "f", 40, 0, 64}},
                                     b[] = {{"a.c", "f", 21, 5, 0}, {"a.c", "f", 41, 4, 64}};
    struct compare_explanation x;
    struct compare_sites before = SITES(a), after = SITES(b);
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.group[0].lines_total, 1);
    assert_true(x.group[0].line[0].before == 0 && x.group[0].line[0].after == 41);
}

/* By the functions that are known; in a file where one isn't, by none. */
static void an_unknown_function_makes_all_of_its_file_unknown(void **state)
{
    (void)state;
    static const struct compare_site a[] = {{"a.c", "f", 10, 5, 0},
                                            {"a.c", "g", 20, 3, 0},
                                            {"b.c", "f", 10, 5, 0}},
                                     b[] = {{"a.c", "f", 10, 6, 0},
                                            {"a.c", NULL, 20, 3, 0},
                                            {"b.c", "f", 10, 7, 0}};
    struct compare_explanation x;
    struct compare_sites before = SITES(a), after = SITES(b);
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    assert_int_equal(x.groups_total, 2);
    assert_true(x.group[0].after - x.group[0].before == 2 && x.group[0].function);
    assert_true(x.group[1].before == 8 && x.group[1].after == 9 && !x.group[1].function);
}

static void the_most_sites_of_both_sides_have_room(void **state)
{
    (void)state;
    static struct compare_site many[COMPARE_SITES], more[COMPARE_SITES];
    struct compare_explanation x;
    for (uint32_t i = 0; i < COMPARE_SITES; i++) {
        many[i] = (struct compare_site){"a.c", "f", i + 1, 1, 0};
        more[i] = (struct compare_site){"b.c", "g", i + 1, 2, 0};
    }
    struct compare_sites before = {many, COMPARE_SITES}, after = {more, COMPARE_SITES};
    compare_explain(&before, &after, COMPARE_BY_ALLOCS, &x);
    assert_true(x.before == COMPARE_SITES && x.after == 2 * COMPARE_SITES);
    assert_int_equal(x.group[0].lines_total, COMPARE_SITES);
    assert_string_equal(compare_file("../.././../a/../b.c"), "a/../b.c");
    assert_string_equal(compare_file(".a/b.c"), ".a/b.c");
    assert_string_equal(compare_file("..a/b.c"), "..a/b.c");
}

/* ---- all that is said ---- */

static void write_cell(FILE *out, int row, const struct compare_cell *c)
{
    fprintf(out, "    row %d: " FIGURE "%s, %s, %s", row, c->value, c->exact ? " exactly" : "",
            compare_change_name(c->change), compare_outcome_name(c->outcome));
    if (c->ratio.pairs)
        fprintf(out, "; %zu pairs, " FIGURE " in " FIGURE " to " FIGURE " at " FIGURE,
                c->ratio.pairs, c->ratio.median, c->ratio.low, c->ratio.high, c->ratio.level);
    fprintf(out, "\n");
}

static void write_column(FILE *out, const struct compare_column *c)
{
    fprintf(out, "  %zu runs, %s %s at %s:%u, 1/" FIGURE ", verdict %s, %s; %s\n", c->runs,
            verdict_name(c->verdict), kind_name(c->kind), c->file ? c->file : "", c->line,
            c->sensitivity, compare_change_name(c->verdict_change),
            compare_outcome_name(c->verdict_outcome), compare_outcome_name(c->outcome));
    for (int row = 0; row < COMPARE_ROWS; row++) {
        const struct compare_cell *cell = &c->cell[row];
        bool same = cell->change == COMPARE_CHANGE_EQUAL || cell->change == COMPARE_CHANGE_NONE;
        if (!same || !(fabs(cell->value - 1000) < 0.5))
            write_cell(out, row, cell);
    }
}

static void write_controls(FILE *out)
{
    for (size_t i = 0; i < CONTROLS; i++) {
        struct made m;
        struct compare_judgement j;
        make(&m);
        controls[i].make(&m);
        compare_judge(&m.input, &j);
        fprintf(out, "%s: %s\n", controls[i].name, compare_outcome_name(j.outcome));
        for (size_t c = 0; c < m.input.versions; c++)
            write_column(out, &j.column[c]);
    }
}

static void write_sites(FILE *out, const char *name, struct compare_sites before,
                        struct compare_sites after, enum compare_measure measure)
{
    struct compare_explanation x;
    compare_explain(&before, &after, measure, &x);
    fprintf(out, "%s, %s: " FIGURE " to " FIGURE ", " FIGURE " explained by %zu of %zu\n", name,
            compare_measure_name(measure), x.before, x.after, x.explained, x.groups,
            x.groups_total);
    for (size_t i = 0; i < x.groups; i++) {
        const struct compare_group *g = &x.group[i];
        fprintf(out, "  %s %s: " FIGURE " to " FIGURE ", %zu lines\n", g->file,
                g->function ? g->function : "-", g->before, g->after, g->lines_total);
        for (size_t k = 0; k < g->lines; k++)
            fprintf(out, "    %u to %u: " FIGURE "\n", g->line[k].before, g->line[k].after,
                    g->line[k].difference);
    }
}

static void write_both_ways(FILE *out, const char *name, struct compare_sites a,
                            struct compare_sites b)
{
    for (int measure = 0; measure < COMPARE_MEASURES; measure++) {
        write_sites(out, name, a, b, (enum compare_measure)measure);
        write_sites(out, "  ... and back", b, a, (enum compare_measure)measure);
    }
}

static void write_explanations(FILE *out)
{
    static const struct compare_site lines[] = {{"a.c", NULL, 10, 1, 5},  {"a.c", NULL, 20, 8, 50},
                                                {"a.c", NULL, 30, 2, 7},  {"a.c", NULL, 40, 64, 9},
                                                {"b.c", "f", 7, 3, 3},    {"b.c", "f", 9, 3, 11},
                                                {"../c.c", "g", 1, 4, 20}};
    static const struct compare_site moved[] = {{"a.c", NULL, 12, 8, 50}, {"a.c", NULL, 25, 3, 7},
                                                {"a.c", NULL, 44, 60, 9}, {"a.c", NULL, 50, 2, 2},
                                                {"b.c", "f", 9, 3, 3},    {"b.c", "f", 12, 5, 11},
                                                {"c.c", "g", 3, 4, 20},   {"d.c", "h", 4, 1, 100}};
    struct compare_site many[20];
    for (uint32_t i = 0; i < 20; i++)
        many[i] = (struct compare_site){i % 3 ? "many.c" : "few.c", "k", 100 + i, i * 7 % 20, i};
    write_both_ways(out, "the step", SITES(measured_3_0_17), SITES(measured_3_0_20));
    write_both_ways(out, "moved functions", SITES(moved_before), SITES(moved_after));
    write_both_ways(out, "lines", SITES(lines), SITES(moved));
    write_both_ways(out, "many", SITES(lines), SITES(many));
}

/* What nobody asks of a control alone: each figure of it, and each line that explains one. */
static void every_comparison_is_told_as_kept(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write_controls(out);
    write_explanations(out);
    fclose(out);
    golden_expect("compared", text);
    free(text);
}

/* How many cases name the rule; each of them fails without it. */
static int controls_of(enum compare_rule rule)
{
    uint64_t rules = COMPARE_RULES_ALL & ~(UINT64_C(1) << rule);
    int found = 0;
    for (size_t i = 0; i < CONTROLS; i++) {
        if (controls[i].rule != rule)
            continue;
        if (holds(&controls[i], rules))
            fail_msg("%s doesn't notice that %s is off", controls[i].name, compare_rule_name(rule));
        found++;
    }
    for (size_t i = 0; i < SITE_CONTROLS; i++) {
        if (site_controls[i].rule != rule)
            continue;
        assert_false(site_controls[i].holds(rules));
        found++;
    }
    return found;
}

static void without_a_rule_its_controls_fail(void **state)
{
    (void)state;
    for (int rule = 0; rule < COMPARE_RULES; rule++)
        if (!controls_of((enum compare_rule)rule))
            fail_msg("%s: no case depends on it", compare_rule_name((enum compare_rule)rule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_control_gets_its_answer),
        cmocka_unit_test(the_growth_is_that_of_the_runs_that_leak),
        cmocka_unit_test(the_first_of_the_worst_runs_is_blamed),
        cmocka_unit_test(the_gravest_version_is_the_whole),
        cmocka_unit_test(the_interval_of_six_pairs_is_their_range),
        cmocka_unit_test(the_interval_keeps_its_level),
        cmocka_unit_test(the_step_of_3_0_20_is_named),
        cmocka_unit_test(a_function_that_moved_is_the_same),
        cmocka_unit_test(held_bytes_have_their_own_explanation),
        cmocka_unit_test(both_ends_at_one_line_are_one_site),
        cmocka_unit_test(the_largest_lines_of_a_file_are_kept),
        cmocka_unit_test(every_comparison_is_told_as_kept),
        cmocka_unit_test(an_exact_row_may_differ_by_the_tolerance),
        cmocka_unit_test(a_row_is_exact_by_the_runs_that_have_it),
        cmocka_unit_test(growth_differs_where_no_runs_come_near),
        cmocka_unit_test(processor_time_differs_beyond_its_margin),
        cmocka_unit_test(processor_time_at_its_margin_is_the_same),
        cmocka_unit_test(pairs_are_those_of_a_round),
        cmocka_unit_test(a_version_is_as_sensitive_as_its_worst_run),
        cmocka_unit_test(one_run_of_each_is_compared_and_none_is_not),
        cmocka_unit_test(the_most_versions_and_runs_have_room),
        cmocka_unit_test(groups_are_told_until_enough_is_explained),
        cmocka_unit_test(eight_groups_are_told_in_the_order_of_their_names),
        cmocka_unit_test(lines_are_paired_in_their_order),
        cmocka_unit_test(a_line_without_allocations_is_no_ones_pair),
        cmocka_unit_test(an_unknown_function_makes_all_of_its_file_unknown),
        cmocka_unit_test(the_most_sites_of_both_sides_have_room),
        cmocka_unit_test(fractions_are_explained_as_well),
        cmocka_unit_test(without_a_rule_its_controls_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
