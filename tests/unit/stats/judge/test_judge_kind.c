/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of leak a finding is, by figures written by hand: each bound from both sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"

enum { HOLD = 8, FIRST = 2, NEVER = 99 };

static const int64_t EVENLY[6] = {100, 100, 100, 100, 100, 100};

/* A run and the findings about it: each a lost side allocation as yet. */
struct named {
    struct sim *s;
    struct judge_context h;
    struct judge_finding finding[4];
    size_t count;
};

static struct named named(bool hold)
{
    return (struct named){.s = sim_six(hold)};
}

/* Six epochs that kept as much each; returns the finding. */
static size_t loses(struct named *n, int64_t blocks)
{
    int64_t kept[6] = {0};
    for (int64_t i = 0; i < blocks; i++)
        kept[i % 6]++;
    size_t site = sim_six_site(n->s, kept);
    n->finding[n->count] = (struct judge_finding){
        .site = site, .verdict = VERDICT_LEAK, .kind = KIND_SIDE, .blocks = blocks};
    finding_why(&n->finding[n->count], "it was lost");
    return n->count++;
}

/* A class of which so many more are alive after the newest judged epoch than before the first. */
static struct judge_class *class_growing(struct named *n, const char *name, int64_t grown)
{
    struct sim *s = n->s;
    size_t i = s->e.classes++;
    s->class_[i] =
        (struct judge_class){.name = name, .drained = grown, .flushed = grown, .site = SIZE_MAX};
    for (size_t c = 0; c < s->epochs; c++)
        s->live[i][c] = 30 + (c > SIM_SIX_BASE ? grown : 0);
    return &s->class_[i];
}

/* Returns the class. What stands behind the findings is none of them. */
static size_t name(struct named *n)
{
    struct judge_finding behind = {
        .site = 1, .verdict = VERDICT_LEAK, .kind = KIND_SIDE, .blocks = 100, .why = "behind"};
    n->finding[n->count] = behind;
    judge_context_open(&n->h, sim_evidence(n->s), RULES_ALL);
    size_t class_ = kinds_name(&n->h, n->finding, n->count);
    assert_int_equal(n->finding[n->count].kind, KIND_SIDE);
    assert_string_equal(n->finding[n->count].why, "behind");
    return class_;
}

static void expect(const struct named *n, size_t i, enum kind kind, const char *why)
{
    assert_string_equal(kind_name(n->finding[i].kind), kind_name(kind));
    if (why)
        assert_string_equal(n->finding[i].why, why);
}

/* ---- by time ---- */

static void a_pace_without_churn_is_told_beside_the_other(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 600);
    loses(&n, 606);
    n.s->site[1].live[HOLD] = 110; /* half of 100 per second, and more */
    name(&n);
    expect(&n, 0, KIND_TIME,
           "55.00 blocks per second while held without churn, 100.00 while connections churn");
    expect(&n, 1, KIND_SIDE, "it was lost");
    free(n.s);
}

/* Half of the pace, where chance has no part in it; and a pace that chance explains. */
static void growth_while_held_is_by_time_from_half_of_the_pace_on(void **state)
{
    (void)state;
    const struct judge_context run = {.hold_seconds = 2, .seconds = 6},
                               brief = {.hold_seconds = 0.5, .seconds = 0.5},
                               no_hold = {.seconds = 6}, only_held = {.hold_seconds = 2};
    assert_true(is_by_time(&run, 10000, 60000));
    assert_false(is_by_time(&run, 9999, 60000));
    assert_true(is_by_time(&run, 1, 0));
    assert_false(is_by_time(&run, 0, 0) || is_by_time(&run, 0, 1) || is_by_time(&run, -1, 0));
    assert_true(is_by_time(&brief, 1, 12)); /* 14 / 2^13 */
    assert_false(is_by_time(&brief, 1, 13));
    assert_false(is_by_time(&no_hold, 10, 0) || is_by_time(&only_held, 10, 0));
}

/* A table of one block: `held` bytes more in the hold, `churned` in six seconds before. Another
 * block comes at a checkpoint, or never. */
static enum kind kind_of_growing(const struct judge_finding *as, int64_t held, int64_t churned,
                                 size_t came)
{
    struct named n = named(true);
    size_t i = loses(&n, 0);
    struct sim_site *t = &n.s->site[1];
    for (size_t c = 0; c < n.s->epochs; c++) {
        t->blocks[c] = 1 + (c >= came);
        t->bytes[c] = 4096 + (c >= 5 ? churned : 0) + (c >= HOLD ? held : 0);
    }
    n.finding[i].verdict = as->verdict;
    n.finding[i].kind = as->kind;
    n.finding[i].bytes = held + churned;
    name(&n);
    enum kind kind = n.finding[i].kind;
    if (kind == KIND_TIME && held == 400)
        assert_string_equal(n.finding[i].why,
                            "its blocks were made larger by 200 bytes per second while held "
                            "without churn, by 400 while connections churn");
    free(n.s);
    return kind;
}

static enum kind kind_of_table(int64_t held, int64_t churned, size_t came)
{
    const struct judge_finding leak = {.verdict = VERDICT_LEAK, .kind = KIND_TABLE};
    return kind_of_growing(&leak, held, churned, came);
}

static void only_a_table_that_leaks_is_asked_for_its_pace(void **state)
{
    (void)state;
    const struct judge_finding doubt = {.verdict = VERDICT_INCONCLUSIVE, .kind = KIND_TABLE},
                               over = {.verdict = VERDICT_LEAK, .kind = KIND_CACHE_OVER};
    assert_int_equal(kind_of_growing(&doubt, 400, 2400, NEVER), KIND_TABLE);
    assert_int_equal(kind_of_growing(&over, 400, 2400, NEVER), KIND_CACHE_OVER);
}

static void a_table_that_grows_at_half_the_pace_while_held_grows_by_time(void **state)
{
    (void)state;
    assert_int_equal(kind_of_table(400, 2400, NEVER), KIND_TIME);
    assert_int_equal(kind_of_table(400, 2401, NEVER), KIND_TABLE);
    assert_int_equal(kind_of_table(400, 2400, HOLD), KIND_TABLE);
    assert_int_equal(kind_of_table(400, 2400, HOLD - 1), KIND_TIME);
    assert_int_equal(kind_of_table(0, 0, NEVER), KIND_TABLE);
    assert_int_equal(kind_of_table(-400, 2400, NEVER), KIND_TABLE);
    assert_int_equal(kind_of_table(1, 0, NEVER), KIND_TIME);
}

/* ---- what closing and draining free ---- */

static void a_tenth_left_by_the_drain_is_still_deferred(void **state)
{
    (void)state;
    for (int64_t left = 10; left <= 11; left++) {
        struct named n = named(true);
        loses(&n, 100);
        n.s->lent[1].drained_blocks = left;
        name(&n);
        if (left == 10)
            expect(&n, 0, KIND_DEFERRED,
                   "100 blocks stayed while connections churned; the drain freed all but 10");
        else
            expect(&n, 0, KIND_SIDE, "it was lost");
        free(n.s);
    }
}

static void a_tenth_left_by_closing_is_still_the_connections(void **state)
{
    (void)state;
    for (int64_t left = 10; left <= 11; left++) {
        struct named n = named(true);
        loses(&n, 100);
        n.s->e.unit = UNIT_OPERATION;
        n.s->lent[1].closed_blocks = left;
        n.s->lent[1].drained_blocks = 30;
        name(&n);
        expect(&n, 0, left == 10 ? KIND_HELD : KIND_SIDE, NULL);
        assert_non_null(strstr(n.finding[0].why, "100 blocks stayed while the connections were "
                                                 "held, over 600 operations; closing them left "));
        free(n.s);
    }
}

static void nothing_is_deferred_that_was_not_drained(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 100);
    n.s->lent[1].drained_blocks = 0;
    n.s->e.drained = false;
    name(&n);
    expect(&n, 0, KIND_UNKNOWN, "it was lost; not drained, so it may only be deferred");
    free(n.s);
}

static void without_a_hold_time_may_make_it(void **state)
{
    (void)state;
    struct named n = named(false);
    loses(&n, 100);
    name(&n);
    expect(&n, 0, KIND_UNKNOWN, "it was lost; never held without churn, so time may make it");
    free(n.s);
}

/* Half a second of holding is one, too. */
static void a_short_hold_is_a_hold(void **state)
{
    (void)state;
    for (int drained = 0; drained < 2; drained++) {
        struct named n = named(true);
        loses(&n, 100);
        n.s->epoch[HOLD].seconds = 0.5;
        n.s->e.drained = drained;
        name(&n);
        expect(&n, 0, drained ? KIND_SIDE : KIND_UNKNOWN,
               drained ? "it was lost" : "it was lost; not drained, so it may only be deferred");
        free(n.s);
    }
}

/* ---- processes of their own ---- */

/* Runs of 256 to 512 connections that end with a block for each, `off` more at the third; the
 * second takes `late` seconds more than its share of two. */
static enum kind kind_of_runs(int64_t off, double late, double seconds)
{
    static const uint64_t made[] = {256, 448, 320, 512};
    struct named n = {.s = sim_new(0, 7)};
    sim_site(n.s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < 4; c++) {
        double share = (double)(made[c] - 256) / 256;
        sim_epoch(n.s, SIM_MEASURE, 256, 8 + seconds * share + (c == 1 ? late : 0));
        n.s->epoch[c].closed = made[c];
        n.s->site[0].blocks[c] = 5 + (int64_t)made[c] + (c == 2 ? off : 0);
    }
    n.s->e.ended = true;
    n.finding[n.count++] = (struct judge_finding){
        .site = 0, .verdict = VERDICT_LEAK, .kind = KIND_SIDE, .blocks = 256};
    finding_why(&n.finding[0], "it was lost");
    sim_site(n.s, SIM_STATIC, 0, 0);
    name(&n);
    enum kind kind = n.finding[0].kind;
    if (kind == KIND_UNKNOWN)
        assert_string_equal(n.finding[0].why,
                            "it was lost; longer runs take longer, so time may make it");
    free(n.s);
    return kind;
}

/* 256 blocks in two seconds more: 1/128 of a second off is a block. */
static void runs_refute_time_where_it_would_be_a_block_off(void **state)
{
    (void)state;
    assert_int_equal(kind_of_runs(0, 0, 2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, 1.0 / 128, 2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, 1.0 / 64, 2), KIND_SIDE);
    assert_int_equal(kind_of_runs(0, -1.0 / 128, 2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, -1.0 / 64, 2), KIND_SIDE);
    assert_int_equal(kind_of_runs(1, 1, 2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(-1, 1, 2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, 0, 0), KIND_SIDE); /* as long, with more blocks */
    assert_int_equal(kind_of_runs(0, 0, 0.5), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, 1.0 / 128, -2), KIND_UNKNOWN);
    assert_int_equal(kind_of_runs(0, 1.0 / 64, -2), KIND_SIDE);
}

/* ---- objects ---- */

static void three_more_objects_are_the_least_that_hold_a_block(void **state)
{
    (void)state;
    for (int64_t grown = 2; grown <= 3; grown++) {
        struct named n = named(true);
        loses(&n, grown);
        n.s->epoch[8].seconds = 60; /* so few are told from time */
        class_growing(&n, "SSL", grown);
        assert_int_equal(name(&n), grown == 3 ? 0 : SIZE_MAX);
        if (grown == 3)
            expect(&n, 0, KIND_OBJECT,
                   "3 more SSL objects are alive, with 1 block of this site each");
        else
            expect(&n, 0, KIND_SIDE,
                   "SSL objects are freed (32 live), this block is not: it was lost");
        free(n.s);
    }
}

/* Twelve in six seconds: of as many by time none would have come in 2.81 seconds without churn, in
 * one of a hundred runs. One that did makes them time's. */
static void a_hold_tells_few_losses_from_time_when_it_is_long(void **state)
{
    (void)state;
    static const int64_t kept[] = {2, 2, 1, 3, 2, 2};
    static const struct {
        double seconds;
        int64_t held;
        enum kind kind;
    } of[] = {{2.80, 0, KIND_UNKNOWN}, {2.82, 0, KIND_SIDE}, {2.82, 1, KIND_TIME}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct sim *s = sim_six(true);
        struct judgement j;
        size_t site = sim_six_site(s, kept);
        s->epoch[8].seconds = of[i].seconds;
        s->site[site].live[8] = of[i].held;
        judge(sim_evidence(s), &j);
        assert_int_equal(j.verdict, VERDICT_LEAK);
        assert_string_equal(kind_name(j.kind), kind_name(of[i].kind));
        assert_int_equal(j.held, of[i].kind == KIND_SIDE);
        assert_int_equal(j.hold_ms > 0, of[i].kind == KIND_UNKNOWN);
        if (j.hold_ms) {
            assert_in_range(j.hold_ms, 5, 15);
            assert_non_null(strstr(j.finding[0].why, "held too short to tell, so time may make"));
        }
        free(s);
    }
}

/* Of what is no leak, or time's, or a table's, nothing is to be told; of files as of blocks. */
static void a_longer_hold_is_wanted_for_what_is_lost_by_connections(void **state)
{
    (void)state;
    static const int64_t kept[] = {1, 0, 0, 1, 0, 0};
    static const struct judge_finding of[] = {
        {.verdict = VERDICT_LEAK, .kind = KIND_SIDE, .site = 1},
        {.verdict = VERDICT_LEAK,
         .kind = KIND_DESCRIPTORS,
         .gauge = METRIC_OPEN_FILES,
         .blocks = 2},
        {.verdict = VERDICT_INCONCLUSIVE, .kind = KIND_SIDE, .site = 1},
        {.verdict = VERDICT_LEAK, .kind = KIND_TIME, .site = 1},
        {.verdict = VERDICT_LEAK, .kind = KIND_TABLE, .site = 1},
        {.verdict = VERDICT_LEAK, .kind = KIND_OUTSIDE, .gauge = METRIC_HEAP_ALLOCATED}};
    struct sim *s = sim_six(true);
    struct judge_context h;
    sim_six_site(s, kept);
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct judge_finding f = of[i];
        f.site = f.gauge ? SIZE_MAX : f.site;
        double missing = hold_missing_of(&h, &f); /* 54 seconds for two, and 2 were held */
        if (i < 2 ? fabs(missing - 52) > 1e-6 : missing != 0)
            fail_msg("case %zu: %g", i, missing);
    }
    free(s);
}

/* Six seconds of churn, two of hold: of one loss by time a hold of 594 seconds would have seen some
 * with 99 %; of nine, of four. */
static void a_hold_is_long_enough_when_it_would_have_seen_a_loss_by_time(void **state)
{
    (void)state;
    static const struct {
        double held;
        int64_t losses;
        double missing;
    } of[] = {{0, 1, 592}, {0, 0, 0}, {1, 1, 0}, {0, 6, 4.927}, {0, 9, 2.0086}, {0, 20, 0}};
    struct sim *s = sim_six(true);
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        double missing = hold_missing(&h, of[i].held, of[i].losses);
        if (fabs(missing - of[i].missing) > 0.001)
            fail_msg("case %zu: %g", i, missing);
    }
    free(s);
}

/* Some site leaks as many: to a twentieth, or by one. */
static void the_site_of_a_class_is_found_by_its_number(void **state)
{
    (void)state;
    static const struct {
        int64_t grown, blocks;
        bool found;
    } of[] = {{100, 94, false}, {100, 95, true}, {100, 105, true}, {100, 106, false},
              {10, 8, false},   {10, 9, true},   {10, 11, true},   {10, 12, false},
              {39, 40, true},   {39, 41, false}, {40, 42, true},   {40, 43, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct named n = named(true);
        loses(&n, 3000);
        loses(&n, of[i].blocks);
        n.s->lent[1].file = "elsewhere.c";
        n.s->epoch[8].seconds = 60; /* the fewest are told from time */
        class_growing(&n, "SSL_CTX", 1);
        class_growing(&n, "SSL", of[i].grown);
        assert_int_equal(name(&n), of[i].found ? 1 : SIZE_MAX);
        expect(&n, 1, of[i].found ? KIND_OBJECT : KIND_SIDE, NULL);
        free(n.s);
    }
}

/* `blocks` at another site than the objects' own, which loses one for each of 100. */
static enum kind beside_objects(int64_t blocks, const char *why)
{
    struct named n = named(true);
    loses(&n, 100);
    loses(&n, blocks);
    n.s->lent[1].file = "own.c";
    class_growing(&n, "SSL", 100)->site = 1;
    assert_int_equal(name(&n), 0);
    expect(&n, 0, KIND_OBJECT, "100 more SSL objects are alive, with 1 block of this site each");
    enum kind kind = n.finding[1].kind;
    if (why)
        assert_string_equal(n.finding[1].why, why);
    free(n.s);
    return kind;
}

static void blocks_of_an_object_are_a_whole_number_each(void **state)
{
    (void)state;
    assert_int_equal(beside_objects(1, NULL), KIND_UNKNOWN);
    assert_int_equal(beside_objects(49, NULL), KIND_UNKNOWN);
    assert_int_equal(beside_objects(94, "it was lost; some of the SSL objects that stay may hold "
                                        "it"),
                     KIND_UNKNOWN);
    assert_int_equal(beside_objects(95, NULL), KIND_OBJECT);
    assert_int_equal(beside_objects(105, NULL), KIND_OBJECT);
    assert_int_equal(beside_objects(106, NULL), KIND_UNKNOWN);
    assert_int_equal(beside_objects(189, NULL), KIND_UNKNOWN);
    assert_int_equal(beside_objects(190, NULL), KIND_OBJECT);
    assert_int_equal(beside_objects(210, "100 more SSL objects are alive, with 2 blocks of this "
                                         "site each"),
                     KIND_OBJECT);
    assert_int_equal(beside_objects(211, NULL), KIND_UNKNOWN);
}

/* However many blocks it lost: three objects in ten are made twice. */
static void the_objects_own_site_is_named_whatever_its_number(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 130);
    class_growing(&n, "SSL", 100)->site = 1;
    assert_int_equal(name(&n), 0);
    expect(&n, 0, KIND_OBJECT, NULL);
    free(n.s);
}

static void objects_made_at_several_places_are_counted_together(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 70);
    loses(&n, 30);
    loses(&n, 40);
    n.s->lent[3].file = "elsewhere.c";
    class_growing(&n, "SSL_SESSION", 100);
    assert_int_equal(name(&n), 0);
    for (size_t i = 0; i < 2; i++)
        expect(&n, i, KIND_OBJECT,
               "100 more SSL_SESSION objects are alive, with 1 block of this size, made at several "
               "places of the file, each");
    expect(&n, 2, KIND_UNKNOWN,
           "it was lost; some of the SSL_SESSION objects that stay may hold it");
    free(n.s);
}

/* 30 of the objects' blocks go with the drain. */
static void blocks_that_the_drain_frees_are_counted_with_the_others(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 70);
    loses(&n, 30);
    n.s->lent[2].drained_blocks = 0;
    class_growing(&n, "SSL_SESSION", 100);
    assert_int_equal(name(&n), 0);
    expect(&n, 0, KIND_OBJECT, NULL);
    expect(&n, 1, KIND_DEFERRED, NULL);
    free(n.s);
}

/* The drain, or closing the connections, freed them all: no other site says how many. */
static void the_objects_that_are_freed_late_are_found_as_well(void **state)
{
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct named n = named(true);
        loses(&n, 100);
        n.s->e.unit = held ? UNIT_OPERATION : UNIT_CONNECTION;
        n.s->lent[1].closed_blocks = held ? 0 : 100;
        n.s->lent[1].drained_blocks = 0;
        class_growing(&n, "SSL", 100)->drained = 0;
        assert_int_equal(name(&n), 0);
        expect(&n, 0, held ? KIND_HELD : KIND_DEFERRED, NULL);
        free(n.s);
    }
}

/* The drain frees half of them, emptying the caches the rest but less than half. */
static void objects_that_emptying_the_caches_frees_are_a_caches(void **state)
{
    (void)state;
    static const struct {
        int64_t drained, flushed;
        bool caches;
    } of[] = {{50, 49, true}, {50, 50, false}, {49, 49, false}, {100, 0, true}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct named n = named(true);
        loses(&n, 100);
        struct judge_class *k = class_growing(&n, "SSL_SESSION", 100);
        k->drained = of[i].drained;
        k->flushed = of[i].flushed;
        assert_int_equal(name(&n), of[i].caches ? SIZE_MAX : 0);
        free(n.s);
        n = named(true);
        loses(&n, 100);
        k = class_growing(&n, "SSL_SESSION", 100);
        k->drained = of[i].drained;
        k->flushed = of[i].flushed;
        n.s->e.drained = false;
        assert_int_equal(name(&n), 0);
        free(n.s);
    }
}

/* The drain freed all objects but a tenth, and not the blocks: none of them holds these. */
static void what_outlives_its_objects_is_in_none(void **state)
{
    (void)state;
    for (int64_t left = 10; left <= 11; left++) {
        struct named n = named(true);
        loses(&n, 100);
        class_growing(&n, "SSL_SESSION", 100)->drained = left;
        assert_int_equal(name(&n), 0);
        expect(&n, 0, left == 10 ? KIND_SIDE : KIND_OBJECT, NULL);
        free(n.s);
    }
}

static void what_is_deferred_or_no_leak_is_not_named_an_object(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 100);
    loses(&n, 100);
    loses(&n, 100);
    n.s->lent[2].drained_blocks = 0;
    n.finding[2].verdict = VERDICT_INCONCLUSIVE;
    class_growing(&n, "SSL", 100);
    name(&n);
    expect(&n, 0, KIND_OBJECT, NULL);
    expect(&n, 1, KIND_DEFERRED, NULL);
    expect(&n, 2, KIND_SIDE, "it was lost");
    free(n.s);
}

/* Only where connections are counted, and of class SSL. */
static void the_objects_that_go_are_told_of_connections_alone(void **state)
{
    (void)state;
    static const enum unit unit[] = {UNIT_CONNECTION, UNIT_RELOAD};
    for (size_t i = 0; i < 2; i++) {
        struct named n = named(true);
        loses(&n, 100);
        class_growing(&n, "SSL_CTX", 0);
        class_growing(&n, "SSL", 1);
        n.s->e.unit = unit[i];
        name(&n);
        expect(&n, 0, KIND_SIDE,
               i ? "it was lost"
                 : "SSL objects are freed (31 live), this block is not: it was lost");
        free(n.s);
    }
}

/* Said of each that is lost; three objects that stay are not said to be freed. */
static void objects_that_stay_are_not_said_to_go(void **state)
{
    (void)state;
    for (int64_t grown = 2; grown <= 3; grown++) {
        struct named n = named(true);
        loses(&n, 100);
        loses(&n, 200);
        class_growing(&n, "SSL", grown);
        assert_int_equal(name(&n), SIZE_MAX);
        for (size_t i = 0; i < 2; i++)
            expect(&n, i, KIND_SIDE,
                   grown == 3 ? "it was lost"
                              : "SSL objects are freed (32 live), this block is not: it was lost");
        free(n.s);
    }
}

/* ---- in proportion ---- */

static bool in_proportion(const int64_t kept[6])
{
    struct named n = named(true);
    struct judge_finding f = {.site = sim_six_site(n.s, kept)};
    judge_context_open(&n.h, sim_evidence(n.s), RULES_ALL);
    bool found = kind_proportional(&n.h, &f);
    free(n.s);
    return found;
}

/* Four standard deviations of what is expected, 40 of 100, or a quarter of it, 250 of 1,000. */
static void epochs_are_in_proportion_to_a_quarter_or_by_chance(void **state)
{
    (void)state;
    static const int64_t by_chance[] = {100, 140, 100, 60, 100, 100},
                         beyond[] = {100, 141, 100, 59, 100, 100},
                         newest[] = {120, 120, 120, 120, 61, 59},
                         quarter[] = {1000, 1250, 1000, 1000, 750, 1000},
                         more[] = {1000, 1251, 1000, 1000, 749, 1000}, none[6] = {0};
    assert_true(in_proportion(EVENLY) && in_proportion(by_chance) && in_proportion(quarter));
    assert_false(in_proportion(beyond) || in_proportion(newest) || in_proportion(more));
    assert_false(in_proportion(none));
}

/* Ten blocks to an epoch in clumps of four: four standard deviations are 25. */
static void losses_in_clumps_scatter_more(void **state)
{
    (void)state;
    static const int64_t by_chance[] = {32, 4, 4, 8, 8, 4}, beyond[] = {36, 4, 4, 8, 4, 4},
                         single[] = {32, 5, 3, 8, 8, 4};
    assert_true(in_proportion(by_chance));
    assert_false(in_proportion(beyond) || in_proportion(single));
}

/* 40 more than 100 may be chance, in the first epoch of all as in any; 41 are not. */
static void without_a_warm_up_the_first_epoch_counts(void **state)
{
    (void)state;
    for (int64_t more = 40; more <= 41; more++) {
        struct sim *s = sim_new(SIM_SIX_CONNS, 7);
        struct judge_context h;
        const struct judge_finding f = {.site = sim_site(s, SIM_STATIC, 0, 0)};
        for (int i = 0; i < 5; i++)
            sim_epoch(s, SIM_MEASURE, 100, 1);
        for (size_t c = 0; c < 4; c++)
            s->site[0].live[c] = 100;
        s->site[0].live[0] += more;
        s->site[0].live[1] -= more - 40;
        s->site[0].live[2] -= 20;
        s->site[0].live[3] -= 20;
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        assert_int_equal(h.base, SIZE_MAX);
        assert_true(kind_proportional(&h, &f) == (more == 40));
        free(s);
    }
}

static void what_is_no_site_is_in_no_proportion(void **state)
{
    (void)state;
    struct named n = named(true);
    const struct judge_finding f = {.site = SIZE_MAX};
    judge_context_open(&n.h, sim_evidence(n.s), RULES_ALL);
    assert_false(kind_proportional(&n.h, &f));
    free(n.s);
}

/* Five objects stay, and a block of each at another site. */
static void the_objects_own_site_is_theirs_even_where_others_leave_it_in_doubt(void **state)
{
    (void)state;
    enum { LOST, OWN, OTHER };
    for (int64_t own = 4; own <= 6; own++) {
        struct named n = named(true);
        loses(&n, 5);
        loses(&n, own);
        loses(&n, 5);
        n.finding[OWN].verdict = n.finding[OTHER].verdict = VERDICT_INCONCLUSIVE;
        n.finding[OWN].kind = n.finding[OTHER].kind = KIND_ONE_TIME;
        class_growing(&n, "X509", 5)->site = n.finding[OWN].site;
        assert_int_equal(name(&n), 0);
        expect(&n, LOST, KIND_OBJECT, NULL);
        assert_true((n.finding[OWN].verdict == VERDICT_LEAK) == (own >= 5));
        expect(&n, OWN, own >= 5 ? KIND_OBJECT : KIND_ONE_TIME, NULL);
        assert_int_equal(n.finding[OTHER].verdict, VERDICT_INCONCLUSIVE);
        free(n.s);
    }
}

/* A gauge has no site, nor has a class whose objects nobody saw made. */
static void a_doubt_about_a_gauge_is_no_objects(void **state)
{
    (void)state;
    struct named n = named(true);
    loses(&n, 5);
    loses(&n, 5);
    n.finding[1].site = SIZE_MAX;
    n.finding[1].verdict = VERDICT_INCONCLUSIVE;
    class_growing(&n, "X509", 5);
    assert_int_equal(name(&n), 0);
    assert_int_equal(n.finding[1].verdict, VERDICT_INCONCLUSIVE);
    free(n.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_objects_own_site_is_theirs_even_where_others_leave_it_in_doubt),
        cmocka_unit_test(a_doubt_about_a_gauge_is_no_objects),
        cmocka_unit_test(a_pace_without_churn_is_told_beside_the_other),
        cmocka_unit_test(growth_while_held_is_by_time_from_half_of_the_pace_on),
        cmocka_unit_test(only_a_table_that_leaks_is_asked_for_its_pace),
        cmocka_unit_test(a_table_that_grows_at_half_the_pace_while_held_grows_by_time),
        cmocka_unit_test(a_tenth_left_by_the_drain_is_still_deferred),
        cmocka_unit_test(a_tenth_left_by_closing_is_still_the_connections),
        cmocka_unit_test(nothing_is_deferred_that_was_not_drained),
        cmocka_unit_test(without_a_hold_time_may_make_it),
        cmocka_unit_test(a_short_hold_is_a_hold),
        cmocka_unit_test(runs_refute_time_where_it_would_be_a_block_off),
        cmocka_unit_test(three_more_objects_are_the_least_that_hold_a_block),
        cmocka_unit_test(a_hold_tells_few_losses_from_time_when_it_is_long),
        cmocka_unit_test(a_longer_hold_is_wanted_for_what_is_lost_by_connections),
        cmocka_unit_test(a_hold_is_long_enough_when_it_would_have_seen_a_loss_by_time),
        cmocka_unit_test(the_site_of_a_class_is_found_by_its_number),
        cmocka_unit_test(blocks_of_an_object_are_a_whole_number_each),
        cmocka_unit_test(the_objects_own_site_is_named_whatever_its_number),
        cmocka_unit_test(objects_made_at_several_places_are_counted_together),
        cmocka_unit_test(blocks_that_the_drain_frees_are_counted_with_the_others),
        cmocka_unit_test(the_objects_that_are_freed_late_are_found_as_well),
        cmocka_unit_test(objects_that_emptying_the_caches_frees_are_a_caches),
        cmocka_unit_test(what_outlives_its_objects_is_in_none),
        cmocka_unit_test(what_is_deferred_or_no_leak_is_not_named_an_object),
        cmocka_unit_test(the_objects_that_go_are_told_of_connections_alone),
        cmocka_unit_test(objects_that_stay_are_not_said_to_go),
        cmocka_unit_test(epochs_are_in_proportion_to_a_quarter_or_by_chance),
        cmocka_unit_test(losses_in_clumps_scatter_more),
        cmocka_unit_test(without_a_warm_up_the_first_epoch_counts),
        cmocka_unit_test(what_is_no_site_is_in_no_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
