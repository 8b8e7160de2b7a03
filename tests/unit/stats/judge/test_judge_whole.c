/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement as a whole, over many sites and several reasons: order, sums, marks and sentences;
 * and what its rooms sum up of the evidence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"

static struct judgement judged(struct sim *s)
{
    struct judgement j;
    judge(sim_evidence(s), &j);
    free(s);
    return j;
}

static const int64_t EVENLY[6] = {100, 100, 100, 100, 100, 100};

/* ---- more sites than have room ---- */

enum { MANY = 2051, EPOCHS = 9, LEAKS_FROM = 3 };

/* Sites that lose a block for each connection, of ever more bytes; the first three lose none. */
struct crowd {
    struct sim *s;
    struct judge_site site[MANY];
    int64_t blocks[EPOCHS], born[EPOCHS], none[EPOCHS];
    int64_t bytes[MANY][EPOCHS], born_bytes[MANY][EPOCHS];
};

static struct crowd *crowd(void)
{
    static struct crowd c;
    c.s = sim_six(true);
    for (size_t k = 2; k < EPOCHS; k++) {
        c.born[k] = k < 8 ? 100 : 0;
        c.blocks[k] = c.blocks[k - 1] + c.born[k];
    }
    sim_evidence(c.s);
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < EPOCHS; k++) {
            c.bytes[i][k] = c.blocks[k] * (int64_t)(i + 1);
            c.born_bytes[i][k] = c.born[k] * (int64_t)(i + 1);
        }
        bool leaks = i >= LEAKS_FROM;
        c.site[i] = (struct judge_site){.file = "many.c",
                                        .line = (uint32_t)i + 1,
                                        .blocks = leaks ? c.blocks : c.none,
                                        .bytes = leaks ? c.bytes[i] : c.none,
                                        .born_blocks = leaks ? c.born : c.none,
                                        .born_bytes = leaks ? c.born_bytes[i] : c.none,
                                        .drained_blocks = leaks ? 600 : 0,
                                        .flushed_blocks = leaks ? 600 : 0};
    }
    c.s->e.epochs = EPOCHS;
    c.s->e.site = c.site;
    c.s->e.sites = MANY;
    return &c;
}

static void the_largest_of_many_are_told_and_all_are_marked(void **state)
{
    (void)state;
    struct judgement j;
    struct crowd *c = crowd();
    judge(&c->s->e, &j);
    free(c->s);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_int_equal(j.findings_total, MANY - LEAKS_FROM);
    assert_int_equal(j.findings, JUDGE_FINDINGS);
    for (size_t i = 0; i < JUDGE_FINDINGS; i++)
        assert_int_equal(j.finding[i].site, MANY - 1 - i);
    for (size_t i = 0; i < JUDGE_SITES + 3; i++)
        assert_true(judgement_leaks(&j, i) == (i >= LEAKS_FROM && i < JUDGE_SITES));
    assert_int_equal(j.reasons, JUDGE_REASONS);
    double blocks = MANY - LEAKS_FROM, bytes = 0;
    for (size_t i = LEAKS_FROM; i < MANY; i++)
        bytes += (double)(i + 1);
    assert_true(fabs(j.per_conn_blocks - blocks) < 1e-6);
    assert_true(fabs(j.per_conn_bytes - bytes) < 1e-6 * bytes);
    const struct judge_metric *m = judgement_metric(&j, METRIC_OPENSSL_BLOCKS);
    assert_true(m->per_conn == blocks && m->state == METRIC_GROWS);
    assert_true(m->start == 0 && m->end == 600 * blocks);
    assert_true(judgement_metric(&j, METRIC_OPENSSL_BYTES)->per_conn == bytes);
}

/* A site that loses none, or the one that loses least, is the only one of another row. */
static void a_loss_without_room_is_in_its_row(void **state)
{
    (void)state;
    for (size_t site = LEAKS_FROM - 1; site <= LEAKS_FROM; site++) {
        struct judgement j;
        struct crowd *c = crowd();
        c->site[site].file = "libuv";
        judge(&c->s->e, &j);
        free(c->s);
        const struct judge_metric *m = judgement_metric(&j, METRIC_LIBUV_BLOCKS);
        assert_true(m->per_conn == (site == LEAKS_FROM));
        assert_int_equal(m->state, site == LEAKS_FROM ? METRIC_GROWS : METRIC_LEVEL);
    }
}

/* One block is a loss like any other. */
static void a_block_without_room_is_in_its_row(void **state)
{
    (void)state;
    static const int64_t live[EPOCHS] = {0, 0, 0, 1, 1, 1, 1, 1, 1}, born[EPOCHS] = {0, 0, 0, 1};
    struct judgement j;
    struct crowd *c = crowd();
    struct judge_site *s = &c->site[0];
    s->file = "libuv";
    s->blocks = s->bytes = live;
    s->born_blocks = s->born_bytes = born;
    judge(&c->s->e, &j);
    free(c->s);
    const struct judge_metric *m = judgement_metric(&j, METRIC_LIBUV_BLOCKS);
    assert_true(m->per_conn == 1 / 600.);
    assert_int_equal(m->state, METRIC_EXPLAINED);
}

/* ---- holds, and what is certain ---- */

/* Two seconds were held: of 600 losses by time that would have seen some, of six 6.9 would have. */
static void the_longest_hold_that_any_leak_lacks_is_told(void **state)
{
    (void)state;
    static const int64_t one_each[6] = {1, 1, 1, 1, 1, 1}, none[6] = {0};
    for (int leaks = 0; leaks <= 1; leaks++) {
        struct sim *s = sim_six(true);
        sim_six_site(s, leaks ? EVENLY : none);
        sim_six_site(s, leaks ? one_each : none);
        struct judgement j = judged(s);
        assert_true((j.verdict == VERDICT_LEAK) == leaks);
        assert_int_equal(j.hold_ms, leaks ? 4927 : 0);
    }
}

static void three_epochs_with_more_files_are_certain(void **state)
{
    (void)state;
    for (size_t epochs = 2; epochs <= 3; epochs++) {
        struct sim *s = sim_new(SIM_SIX_CONNS, 7);
        sim_site(s, SIM_CONN, 7, 1);
        for (size_t c = 0; c < 2 + epochs; c++)
            sim_epoch(s, c < 2 ? SIM_WARM : SIM_MEASURE, 100, 1);
        sim_epoch(s, SIM_HOLD, 0, 2);
        sim_epoch(s, SIM_MEASURE, 100, 1);
        sim_drain(s);
        double *files = sim_gauge(s, METRIC_OPEN_FILES, 0);
        for (size_t i = 0; i < s->gauge[0].count; i++)
            files[i] = 10 + s->closed[i] / 20 + (i == 1);
        struct judgement j = judged(s);
        assert_int_equal(j.verdict, VERDICT_LEAK);
        assert_true(j.certain == (epochs == 3));
    }
}

/* One epoch, in which twelve blocks took the place of others: no loss would have shown anywhere. */
static void nothing_lowers_what_shows_nothing(void **state)
{
    (void)state;
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_site(s, SIM_CONN, 7, 1);
    size_t site = sim_site(s, SIM_STATIC, 2, 0);
    sim_epoch(s, SIM_MEASURE, 100, 1);
    sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
    s->site[site].live[0] = 12;
    struct judgement j = judged(s);
    assert_true(j.sensitivity.one_in == 0 && j.sensitivity.share == 1);
}

/* ---- order and marks ---- */

/* Of equally many bytes the first in the evidence. */
static void equal_losses_are_told_in_the_evidences_order(void **state)
{
    (void)state;
    struct sim *s = sim_six(true);
    for (int i = 0; i < 5; i++)
        sim_six_site(s, EVENLY);
    struct judgement j = judged(s);
    assert_int_equal(j.findings, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(j.finding[i].site, i + 1);
    assert_true(j.per_conn_blocks == 5 && j.per_conn_bytes == 160);
}

/* By time, or in place: what connections lose blocks of isn't marked so. */
static void only_what_loses_blocks_by_connections_is_marked(void **state)
{
    (void)state;
    struct sim *s = sim_six(true);
    size_t by_time = sim_six_site(s, EVENLY), leaks = sim_six_site(s, EVENLY), table;
    static const int64_t none[6] = {0};
    table = sim_six_site(s, none);
    s->site[by_time].live[8] = 200;
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[table].blocks[c] = 1;
        s->site[table].bytes[c] = 10000 + (c > 1 && c < 8 ? 900 * (int64_t)(c - 1)
                                           : c > 7        ? 5400
                                                          : 0);
        s->site[table].bytes[c] += c > 8 ? 342 : 0; /* the turnover's 38 connections */
    }
    struct judgement j = judged(s);
    assert_int_equal(j.findings, 3);
    assert_int_equal(j.finding[1].kind + j.finding[0].kind, KIND_TIME + KIND_SIDE);
    assert_int_equal(j.finding[2].kind, KIND_TABLE);
    assert_int_equal(j.finding[2].site, table);
    assert_true(judgement_leaks(&j, leaks));
    assert_false(judgement_leaks(&j, by_time) || judgement_leaks(&j, table));
    assert_true(fabs(j.per_conn_bytes - (64 + 5742.0 / 638)) < 1e-9);
}

/* Three epochs that lost any, and five hundred blocks: a small table is full before that. */
static void a_leak_is_certain_from_five_hundred_blocks_on(void **state)
{
    (void)state;
    static const struct {
        int64_t kept[6];
        size_t judged; /* the last of them */
        bool certain;
    } of[] = {{{0, 0, 0, 167, 166, 167}, 3, true},
              {{0, 0, 0, 167, 166, 166}, 3, false},
              {{0, 0, 0, 0, 300, 301}, 2, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct sim *s = sim_six(true);
        sim_six_site(s, of[i].kept);
        for (size_t c = 2; c + of[i].judged < 8; c++)
            s->epoch[c].all_closed = false;
        s->epoch[8].seconds = 0.5; /* so short a hold is one */
        struct judgement j = judged(s);
        assert_int_equal(j.verdict, VERDICT_LEAK);
        assert_true(j.certain == of[i].certain);
        assert_true(j.held);
    }
}

/* ---- sentences ---- */

static void each_leak_and_each_doubt_has_its_reason(void **state)
{
    (void)state;
    static const int64_t first[6] = {2, 2, 3, 0, 0, 0}, late[6] = {0, 0, 0, 3, 2, 4},
                         once[6] = {0, 9, 0, 0, 0, 0};
    struct sim *s = sim_six(true);
    sim_six_site(s, late);
    sim_six_site(s, once);
    sim_six_site(s, first);
    s->e.failed = 2;
    s->e.overflowed = true;
    s->e.moving = "3 blocks moved";
    struct judgement j = judged(s);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.reasons, 5);
    assert_string_equal(j.reason[0], "ssl/sim.c:101: 9 blocks, all in the second half of the "
                                     "connections");
    assert_string_equal(j.reason[1], "ssl/sim.c:103: 7 blocks, all in the first half of the "
                                     "connections");
    assert_string_equal(j.reason[2], "2 connections failed that were meant to succeed");
    assert_string_equal(j.reason[3], "the probe's tables were too small: some allocations have no "
                                     "place or epoch");
    assert_string_equal(j.reason[4], "NO STEADY STATE: 3 blocks moved");
    s = sim_six(true);
    sim_six_site(s, EVENLY);
    sim_six_site(s, once);
    sim_six_site(s, EVENLY);
    j = judged(s);
    assert_int_equal(j.reasons, 2);
    assert_string_equal(j.reason[0], "side allocation lost: 32.00 bytes in 1.0000 blocks per "
                                     "closed connection at ssl/sim.c:101");
    assert_string_equal(j.reason[1], "side allocation lost: 32.00 bytes in 1.0000 blocks per "
                                     "closed connection at ssl/sim.c:103");
}

static void no_more_reasons_are_told_than_have_room(void **state)
{
    (void)state;
    static const int64_t first[6] = {2, 2, 3, 0, 0, 0};
    struct sim *s = sim_six(true);
    for (int i = 0; i < 12; i++)
        sim_six_site(s, first);
    struct judgement j = judged(s);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.reasons, JUDGE_REASONS);
    assert_int_equal(j.findings, 12);
}

/* 600 connections show one in so many, and no more may have been asked for. */
static void what_was_asked_for_must_have_shown(void **state)
{
    (void)state;
    struct judgement j = judged(sim_six(true));
    double seen = j.sensitivity.one_in;
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_string_equal(j.reason[0], "nothing grows over 600 connections in 6 epochs");
    for (int more = 0; more < 2; more++) {
        struct sim *s = sim_six(true);
        s->e.want_one_in = (uint64_t)seen + (uint64_t)more;
        j = judged(s);
        assert_int_equal(j.verdict, more ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
        char said[192];
        snprintf(said, sizeof said,
                 "one lost block in %.0f connections would have shown; asked: 1 in %.0f", seen,
                 floor(seen) + 1);
        if (more)
            assert_string_equal(j.reason[0], said);
    }
}

/* A run without a bound that was stopped: nobody asked it for anything. */
static void a_run_says_what_was_asked_of_it_only_where_something_was(void **state)
{
    (void)state;
    struct sim *s = sim_six(true);
    s->e.want_one_in = 1000;
    s->e.unasked = true;
    const struct judgement j = judged(s);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(j.reason[0], "would have shown; a whole run without a bound shows 1 in "
                                        "1000"));
}

/* One in one is the smallest figure there is, and enough where no more was asked for. */
static void a_run_that_shows_one_in_one_has_a_figure(void **state)
{
    (void)state;
    static const struct {
        double seen;
        uint64_t want;
        const char *reason;
    } of[] = {{1, 1, "nothing grows over 600 connections in 6 epochs"},
              {1, 2, "one lost block in 1 connections would have shown; asked: 1 in 2"},
              {0.99, 1,
               "no lost block would surely have shown in 300 and 300 connections, the "
               "halves of what could be judged; asked: 1 in 1"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct evidence e = {.want_one_in = of[i].want};
        const struct judge_context h = {.e = &e,
                                        .rules = UINT64_C(1) << RULE_NO_FIGURE |
                                                 UINT64_C(1) << RULE_INSENSITIVE,
                                        .epochs = 6,
                                        .half = {300, 300},
                                        .opened = 600};
        struct judgement j = {.sensitivity = {.one_in = of[i].seen}};
        verdict_decide(&h, &j);
        assert_int_equal(j.verdict, i ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
        assert_string_equal(j.reason[0], of[i].reason);
    }
}

static void seen_from_outside_nothing_is_more_than_a_doubt(void **state)
{
    (void)state;
    struct sim *s = sim_six(true);
    sim_six_site(s, EVENLY);
    sim_six_site(s, EVENLY);
    s->e.outside = "it can't be loaded into";
    s->e.hooked = false;
    struct judgement j = judged(s);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.reasons, 3);
    assert_int_equal(j.finding[0].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.finding[1].verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(j.reason[2], "it can't be loaded into");
    assert_true(j.sensitivity.one_in == 0 && j.sensitivity.epochs == 0 && !j.wants_more);
    for (size_t i = 0; i < j.metrics; i++)
        assert_string_equal(j.metric[i].note, "from outside");
    struct crowd *c = crowd();
    c->s->e.outside = "it can't be loaded into";
    judge(&c->s->e, &j);
    free(c->s);
    assert_int_equal(j.findings, JUDGE_FINDINGS);
    for (size_t i = 0; i < j.findings; i++)
        assert_int_equal(j.finding[i].verdict, VERDICT_INCONCLUSIVE);
}

/* ---- what is summed up ---- */

/* The newest five of six epochs, and of a run's processes the four largest. */
static void the_newest_epochs_are_listed(void **state)
{
    (void)state;
    static const int64_t kept[6] = {201, 202, 203, 204, 205, 206};
    struct sim *s = sim_six(true);
    sim_six_site(s, kept);
    struct judgement j = judged(s);
    assert_non_null(strstr(j.finding[0].why, "epochs of 100, 100, 100, 100, 100 connections kept "
                                             "202, 203, 204, 205, 206 blocks"));
}

/* Where nothing came before the measuring the first epoch is one of them; of processes there are
 * four at most. */
static void few_epochs_are_listed_from_the_first_on(void **state)
{
    (void)state;
    static const char *const runs[] = {
        "runs of 70, 170 connections ended with 100, 200 blocks",
        "runs of 70, 170, 270, 370 connections ended with 100, 200, "
        "300, 400 blocks",
        "runs of 170, 270, 370, 470 connections ended with 200, 300, "
        "400, 500 blocks"};
    for (size_t epochs = 3; epochs <= 6; epochs++) {
        struct sim *s = sim_new(SIM_SIX_CONNS, 7);
        struct judge_finding f;
        struct judge_context h;
        sim_site(s, SIM_EXACT, 1, 1);
        for (size_t c = 0; c < epochs - 1; c++)
            sim_epoch(s, SIM_MEASURE, 100, 1);
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        assert_int_equal(h.half[0] + h.half[1], 100 * (epochs - 2)); /* the first is judged */
        assert_int_equal(h.opened, 100 * (epochs - 2));
        finding_why_ratio(&h, &s->lent[0], &f);
        if (epochs == 3)
            assert_string_equal(f.why, "epochs of 100 connections kept 100 blocks");
        if (epochs == 4)
            assert_string_equal(f.why, "epochs of 100, 100 connections kept 100, 100 blocks");
        s->e.ended = true;
        finding_why_ratio(&h, &s->lent[0], &f);
        if (epochs != 4)
            assert_string_equal(f.why, runs[epochs == 3 ? 0 : epochs - 4]);
        free(s);
    }
}

static void an_epoch_of_one_connection_is_judged_and_of_none_is_not(void **state)
{
    (void)state;
    for (uint64_t opened = 0; opened < 2; opened++) {
        struct sim *s = sim_six(false);
        struct judge_context h;
        s->epoch[4].opened = opened;
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        assert_int_equal(h.epochs, opened ? 6 : 5);
        free(s);
    }
}

static void losses_of_two_blocks_are_half_as_many(void **state)
{
    (void)state;
    static const int64_t kept[6] = {2, 4, 2, 0, 6, 2};
    struct sim *s = sim_six(false);
    size_t site = sim_six_site(s, kept);
    struct judge_context h;
    struct survivors v;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    survivors_count(&h, site, &v);
    assert_true(v.blocks == 16 && v.events == 8);
    free(s);
}

static void the_epochs_are_sorted_out(void **state)
{
    (void)state;
    static const int64_t kept[6] = {5, 10, 15, 20, 0, 30};
    struct sim *s = sim_six(true);
    size_t site = sim_six_site(s, kept);
    s->site[site].live[8] = 4;    /* the hold */
    s->site[site].live[1] = 1000; /* the warm-up */
    s->site[site].live[9] = 77;   /* open as yet */
    struct judge_context h;
    struct survivors v;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    assert_true(h.base == 1 && h.last == 9 && h.newest == 7 && h.middle == 4 && h.epochs == 6);
    assert_true(h.half[0] == 300 && h.half[1] == 300 && h.opened == 600);
    assert_true(h.hold && h.hold_seconds == 2 && h.seconds == 6);
    survivors_count(&h, site, &v);
    assert_true(v.blocks == 80 && v.bytes == 80 * 32 && v.half[0] == 30 && v.half[1] == 50);
    assert_true(v.events == 16); /* of five: the newest has more than its share */
    assert_true(v.held == 4 && v.epochs == 5 && v.newest == 7 && v.growth == 80);
    assert_int_equal(survivors_after(&h, v.s, 4), 50);
    assert_int_equal(survivors_after(&h, v.s, SIZE_MAX), 80);
    assert_int_equal(opened_after(&h, 4), 300);
    assert_int_equal(opened_after(&h, SIZE_MAX), 600);
    assert_int_equal(begun_after(&h, 1), 638);
    assert_int_equal(begun_after(&h, SIZE_MAX), 838);
    assert_int_equal(followed_from(&h), 1);
    h.base = SIZE_MAX;
    assert_int_equal(followed_from(&h), 0);
    assert_int_equal(at_base(&h, v.s->blocks), 0);
    free(s);
}

/* In the same file, of the same size: at the end, or before where all are gone. */
static void sites_of_a_type_have_blocks_of_a_size(void **state)
{
    (void)state;
    static const int64_t kept[6] = {5, 5, 5, 5, 5, 5}, none[6] = {0};
    struct sim *s = sim_six(true);
    size_t a = sim_six_site(s, kept), b = sim_six_site(s, EVENLY), gone = sim_six_site(s, none);
    struct judge_context h;
    s->site[gone].blocks[1] = 3;
    s->site[gone].bytes[1] = 96;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    const struct judge_site *site = s->lent;
    assert_true(same_type(&h, &site[a], &site[b]) && same_type(&h, &site[gone], &site[b]));
    assert_true(same_type(&h, &site[a], &site[gone]));
    assert_true(site_moved(&h, &site[gone]) && site_moved(&h, &site[a]));
    assert_false(site_moved(&h, &site[0]));
    s->site[gone].bytes[1] = 97;
    assert_false(same_type(&h, &site[gone], &site[b]) || same_type(&h, &site[b], &site[gone]));
    s->site[b].bytes[h.last]++;
    assert_false(same_type(&h, &site[a], &site[b]));
    s->site[b].bytes[h.last]--;
    s->site[b].blocks[h.last] = 1; /* one block is enough to know its size */
    s->site[b].bytes[h.last] = 33;
    assert_false(same_type(&h, &site[a], &site[b]) || same_type(&h, &site[b], &site[a]));
    s->site[b].blocks[h.last] = 600;
    s->site[b].bytes[h.last] = 600 * 32;
    s->lent[b].file = "other.c";
    assert_false(same_type(&h, &site[a], &site[b]));
    s->lent[b].file = s->lent[a].file;
    h.base = SIZE_MAX;
    assert_false(same_type(&h, &site[gone], &site[b]) || same_type(&h, &site[b], &site[gone]));
    assert_true(same_type(&h, &site[a], &site[b]));
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_of_many_are_told_and_all_are_marked),
        cmocka_unit_test(a_loss_without_room_is_in_its_row),
        cmocka_unit_test(a_block_without_room_is_in_its_row),
        cmocka_unit_test(the_longest_hold_that_any_leak_lacks_is_told),
        cmocka_unit_test(three_epochs_with_more_files_are_certain),
        cmocka_unit_test(nothing_lowers_what_shows_nothing),
        cmocka_unit_test(equal_losses_are_told_in_the_evidences_order),
        cmocka_unit_test(only_what_loses_blocks_by_connections_is_marked),
        cmocka_unit_test(a_leak_is_certain_from_five_hundred_blocks_on),
        cmocka_unit_test(each_leak_and_each_doubt_has_its_reason),
        cmocka_unit_test(no_more_reasons_are_told_than_have_room),
        cmocka_unit_test(what_was_asked_for_must_have_shown),
        cmocka_unit_test(a_run_says_what_was_asked_of_it_only_where_something_was),
        cmocka_unit_test(a_run_that_shows_one_in_one_has_a_figure),
        cmocka_unit_test(seen_from_outside_nothing_is_more_than_a_doubt),
        cmocka_unit_test(the_newest_epochs_are_listed),
        cmocka_unit_test(few_epochs_are_listed_from_the_first_on),
        cmocka_unit_test(an_epoch_of_one_connection_is_judged_and_of_none_is_not),
        cmocka_unit_test(losses_of_two_blocks_are_half_as_many),
        cmocka_unit_test(the_epochs_are_sorted_out),
        cmocka_unit_test(sites_of_a_type_have_blocks_of_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
