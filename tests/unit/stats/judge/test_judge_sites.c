/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about one site, each asked alone, by figures written by hand: its bounds from both
 * sides. Six epochs of 100 connections are judged, 2 to 7; 38 connections turn them over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

/* ---- bounded, few, halves ---- */

/* Four blocks all in one sixth of the connections: 6^-4. */
static void four_blocks_in_one_epoch_of_six_came_once(void **state)
{
    (void)state;
    static const int64_t four[] = {0, 4, 0, 0, 0, 0}, three[] = {0, 3, 0, 0, 0, 0},
                         newest[] = {0, 0, 0, 0, 0, 9}, two[] = {0, 8, 1, 0, 0, 0};
    struct said said = ask_of(four, ONLY(RULE_ONE_TIME));
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    assert_string_equal(said.f.why, "all in one epoch of 100 connections, none in the other 500");
    assert_int_equal(said.f.blocks, 4);
    assert_int_equal(said.f.bytes, 128);
    assert_true(said.f.per_conn_blocks == 4.0 / 600 && said.f.per_conn_bytes == 128.0 / 600);
    assert_false(ask_of(three, ONLY(RULE_ONE_TIME)).found);
    assert_false(ask_of(newest, ONLY(RULE_ONE_TIME)).found);
    assert_false(ask_of(two, ONLY(RULE_ONE_TIME)).found);
}

/* None in the last 400 of 600: 3^-7 is less than one in a thousand, 3^-13 than one in a million. */
static void what_has_ended_beyond_chance_is_bounded(void **state)
{
    (void)state;
    static const struct {
        int64_t kept[6];
        bool found;
        enum verdict verdict;
    } of[] = {{{3, 3}, false, 0},
              {{3, 4}, true, VERDICT_INCONCLUSIVE},
              {{5, 7}, true, VERDICT_INCONCLUSIVE},
              {{5, 8}, true, VERDICT_PASS},
              {{3, 4, 0, 0, 0, 1}, false, 0}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct said said = ask_of(of[i].kept, ONLY(RULE_BOUNDED));
        assert_int_equal(said.found, of[i].found);
        if (!said.found)
            continue;
        expect(&said, of[i].verdict,
               of[i].verdict == VERDICT_PASS ? KIND_CACHE_BOUNDED : KIND_ONE_TIME);
        assert_true(said.wants_more == (of[i].verdict != VERDICT_PASS));
        assert_string_equal(said.f.why, "grew at first, then not over the last 400 connections");
    }
}

/* Seven blocks where 20 were to be expected come by chance in 0.8 of 1,000 runs; where 19.4, in
 * 1.2. */
static void a_doubt_does_not_matter_where_a_leak_would_have_left_more(void **state)
{
    (void)state;
    static const int64_t seven[] = {3, 4, 0, 0, 0, 0};
    for (uint64_t one_in = 30; one_in <= 31; one_in++) {
        struct sim *s = keeping(seven);
        s->e.want_one_in = one_in;
        struct said said = ask(s, ONLY(RULE_BOUNDED) | ONLY(RULE_RARE));
        expect(&said, one_in == 30 ? VERDICT_PASS : VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
        assert_true(said.wants_more == (one_in == 31));
    }
}

/* Twenty came at first. Ten that came later took the place of others, where the total moved by less
 * than half of them. */
static void what_replaces_others_after_the_bound_does_not_go_on(void **state)
{
    (void)state;
    static const int64_t kept[] = {20, 0, 0, 0, 10, 0};
    for (int64_t moved = 4; moved <= 5; moved++) {
        struct sim *s = keeping(kept);
        for (size_t c = FIRST; c <= LAST; c++)
            s->site[SITE].blocks[c] = 20 + (c == NEWEST ? moved : 0);
        struct said said = ask(s, ONLY(RULE_BOUNDED));
        assert_int_equal(said.found, moved == 4);
        if (said.found)
            expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
    }
}

static void a_bound_whose_total_rises_is_in_doubt(void **state)
{
    (void)state;
    static const int64_t kept[] = {40, 0, 20, 20, 20, 20};
    struct sim *s = keeping(kept);
    for (size_t c = FIRST; c <= LAST; c++)
        s->site[SITE].blocks[c] = 40 + (c > MIDDLE ? 6 * (int64_t)(c - MIDDLE) : 0);
    struct said said = ask(s, ONLY(RULE_BOUNDED));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why, "newer blocks take the place of older ones, yet the total "
                                    "rises with every epoch");
}

static void five_losses_are_enough_and_fewer_than_three_none(void **state)
{
    (void)state;
    static const int64_t two[] = {0, 1, 1, 0, 0, 0}, newest[] = {0, 1, 0, 0, 0, 1},
                         three[] = {0, 1, 1, 1, 0, 0}, four[] = {1, 1, 1, 1, 0, 0},
                         five[] = {1, 1, 1, 1, 1, 0}, clumps[] = {4, 4, 4, 4, 0, 0};
    struct said said = ask_of(two, ONLY(RULE_FEW));
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    assert_false(said.wants_more);
    said = ask_of(newest, ONLY(RULE_FEW));
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    assert_true(said.wants_more);
    said = ask_of(three, ONLY(RULE_FEW));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    said = ask_of(four, ONLY(RULE_FEW));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    assert_string_equal(said.f.why, "4 blocks in 4 losses over 600 connections: fewer than a "
                                    "verdict needs");
    said = ask_of(clumps, ONLY(RULE_FEW));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    assert_string_equal(said.f.why, "16 blocks in 4 losses over 600 connections: fewer than a "
                                    "verdict needs");
    assert_false(ask_of(five, ONLY(RULE_FEW)).found);
}

/* From one block in eight connections on a common divisor says nothing, where each epoch up to the
 * last that kept some kept its share. */
static void where_many_lose_a_block_there_are_no_clumps(void **state)
{
    (void)state;
    static const struct {
        int64_t kept[6];
        const char *few;
    } of[] = {{{37, 37}, "74 blocks in 2 losses"},
              {{25, 50, 25, 50, 25, 0}, NULL},
              {{50, 25, 50, 25, 50, 25}, NULL},
              {{50, 50, 50, 50, 0, 25}, NULL},
              {{25, 25, 25}, "75 blocks in 3 losses"},
              {{40, 80, 0, 0, 0, 0}, "120 blocks in 3 losses"},
              {{75, 0, 0, 0, 0, 75}, "150 blocks in 2 losses"},
              {{40, 0, 40, 0, 40, 0}, "120 blocks in 3 losses"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct said said = ask_of(of[i].kept, ONLY(RULE_FEW) | ONLY(RULE_CLUMPS));
        if (said.found != (of[i].few != NULL) ||
            (said.found && strncmp(said.f.why, of[i].few, strlen(of[i].few)) != 0))
            fail_msg("case %zu: %s", i, said.found ? said.f.why : "nothing");
    }
}

/* Twenty of one half of the connections alone come so by chance in one of a million runs, nineteen
 * in two: each epoch's are one loss then, unless all that kept none came first. */
static void epochs_that_kept_none_refute_losses_of_single_blocks(void **state)
{
    (void)state;
    const uint64_t rules = ONLY(RULE_FEW) | ONLY(RULE_CLUMPS);
    static const int64_t twenty[] = {7, 0, 0, 7, 0, 6}, nineteen[] = {7, 0, 0, 7, 0, 5},
                         unlike[] = {0, 8, 0, 0, 0, 9}, five[] = {90, 70, 80, 0, 60, 75},
                         late[] = {0, 0, 30, 31, 29, 35}, single[] = {1, 0, 0, 12, 0, 7};
    struct said said = ask_of(twenty, rules);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    assert_string_equal(said.f.why, "20 blocks in 3 losses over 600 connections: fewer than a "
                                    "verdict needs");
    assert_false(ask_of(nineteen, rules).found);
    assert_true(ask_of(unlike, rules).found);
    assert_true(ask_of(single, rules).found);
    assert_false(ask_of(five, rules).found);
    assert_false(ask_of(late, rules).found);
}

/* Of 600 connections 299 without are too few for these twenty, 300 are enough. */
static void a_connection_less_without_any_refutes_nothing(void **state)
{
    (void)state;
    static const int64_t twenty[] = {7, 0, 0, 7, 0, 6};
    for (uint64_t less = 0; less <= 1; less++) {
        struct sim *s = keeping(twenty);
        s->epoch[FIRST].opened += less;
        s->epoch[FIRST + 1].opened -= less;
        assert_true(ask(s, ONLY(RULE_FEW) | ONLY(RULE_CLUMPS)).found == (less == 0));
    }
}

/* So many losses are counted for the site's blocks; frees the run. */
static void expect_losses(size_t row, struct sim *s, int64_t losses)
{
    struct judge_context h;
    struct survivors v;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    survivors_count(&h, SITE, &v);
    free(s);
    if (v.events != losses)
        fail_msg("case %zu: %d losses", row, (int)v.events);
}

/* Where one connection in eight loses a block: epochs of 100 that keep equal shares, and others
 * none, had a loss each, as soon as chance leaves so many out in less than one of a million runs:
 * (5/6)^75 is more, (5/6)^80 less. */
static void equal_shares_of_some_epochs_are_a_loss_each(void **state)
{
    (void)state;
    static const struct {
        int64_t kept[6], losses;
    } of[] = {{{25, 0, 25, 0, 25, 0}, 3},    {{0, 25, 0, 25, 0, 25}, 3},
              {{15, 15, 15, 15, 15, 0}, 75}, {{16, 16, 16, 16, 16, 0}, 5},
              {{0, 16, 16, 16, 16, 16}, 5},  {{20, 0, 20, 0, 20, 16}, 76},
              {{24, 0, 25, 0, 26, 0}, 75}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        expect_losses(i, keeping(of[i].kept), of[i].losses);
}

/* Where 100 of an epoch are expected, 40 more or less are its share, as chance has it; from the
 * first that kept some on. A larger one is a loss that took several. */
static void shares_are_alike_within_what_chance_makes_of_them(void **state)
{
    (void)state;
    static const struct {
        int64_t kept[6], losses;
    } of[] = {{{100, 140}, 240},
              {{100, 142}, 121},
              {{60, 140, 100}, 300},
              {{58, 142, 100}, 150},
              {{40, 72}, 14},
              {{20, 100, 100, 100}, 16},
              {{100, 100, 100, 20}, 320},
              {{0, 0, 0, 24, 28, 24}, 76}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        expect_losses(i, keeping(of[i].kept), of[i].losses);
}

/* What one connection left is the rate of the next hundred. */
static void a_single_connection_tells_the_share(void **state)
{
    (void)state;
    static const int64_t alike[6] = {10, 1250}, more[6] = {10, 1260};
    for (int i = 0; i < 2; i++) {
        struct sim *s = keeping(i ? more : alike);
        s->epoch[FIRST].opened = 1;
        expect_losses((size_t)i, s, i ? 127 : 1260);
    }
}

static void shares_are_of_the_judged_epochs(void **state)
{
    (void)state;
    static const int64_t kept[6] = {60, 0, 140, 100};
    struct sim *s = keeping(kept);
    s->epoch[FIRST + 1].measured = false;
    expect_losses(0, s, 300);
}

/* 75 blocks of 500 connections, and none of 100 others: (5/6)^75 is no proof. */
static void of_a_single_epoch_the_share_is_its_own(void **state)
{
    (void)state;
    static const int64_t kept[6] = {75};
    struct sim *s = keeping(kept);
    for (size_t c = FIRST; c <= NEWEST; c++)
        s->epoch[c].opened = c == FIRST ? 500 : 20;
    expect_losses(0, s, 75);
}

static void losses_are_wanted_in_both_halves(void **state)
{
    (void)state;
    static const int64_t first[] = {0, 5, 6, 0, 0, 0}, second[] = {0, 0, 0, 5, 6, 0},
                         both[] = {0, 0, 1, 1, 0, 0};
    struct said said = ask_of(first, ONLY(RULE_HALVES));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    assert_string_equal(said.f.why, "11 blocks, all in the first half of the connections");
    said = ask_of(second, ONLY(RULE_HALVES));
    assert_string_equal(said.f.why, "11 blocks, all in the second half of the connections");
    assert_false(ask_of(both, ONLY(RULE_HALVES)).found);
}

/* Twelve survive: the total has grown by half of them at the last checkpoint and at the newest
 * judged one. */
static void a_total_that_grew_by_less_than_half_confirms_nothing(void **state)
{
    (void)state;
    static const int64_t kept[] = {2, 2, 2, 2, 2, 2};
    static const struct {
        int64_t newest, last;
        bool doubt;
        const char *by;
    } of[] = {
        {6, 6, false, ""}, {5, 6, true, "only 5"}, {6, 5, true, "only 5"}, {9, 4, true, "only 4"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct sim *s = keeping(kept);
        s->site[SITE].blocks[SIM_SIX_BASE] = 100;
        s->site[SITE].blocks[NEWEST] = 100 + of[i].newest;
        s->site[SITE].blocks[LAST] = 100 + of[i].last;
        struct said said = ask(s, ONLY(RULE_UNCONFIRMED));
        assert_int_equal(said.found, of[i].doubt);
        if (!said.found)
            continue;
        expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_BOUNDED);
        assert_non_null(strstr(said.f.why, "12 blocks survived but the site's total grew by "));
        assert_non_null(strstr(said.f.why, of[i].by));
    }
}

/* 27 of 87 in one half come by chance in 2.6 of 10,000 runs, 27 of 93 in 0.4; and half of the pace
 * is none that slows down. What scatters within the halves takes chance's part. */
static void what_slows_down_beyond_chance_is_in_doubt(void **state)
{
    (void)state;
    static const int64_t by_chance[] = {20, 20, 20, 9, 9, 9}, slower[] = {22, 22, 22, 9, 9, 9},
                         half[] = {200, 200, 200, 100, 100, 100},
                         less[] = {200, 200, 200, 100, 100, 99}, scattered[] = {60, 3, 3, 9, 9, 9},
                         later[] = {22, 22, 22, 25, 1, 1}, faster[] = {9, 9, 9, 22, 22, 22},
                         uneven[] = {35, 25, 15, 8, 8, 8}, just[] = {30, 20, 10, 0, 0, 4},
                         ended[] = {60, 3, 3, 0, 0, 0};
    struct said said = ask_of(slower, ONLY(RULE_DECELERATING));
    expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why, "slows down: 0.2200 blocks per connection in the first half, "
                                    "0.0900 in the second");
    assert_true(ask_of(less, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(by_chance, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(half, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(scattered, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(later, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(faster, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(uneven, ONLY(RULE_DECELERATING)).found);
    assert_true(ask_of(just, ONLY(RULE_DECELERATING)).found);
    assert_false(ask_of(ended, ONLY(RULE_DECELERATING)).found);
}

/* The first, and of the other half two: alike, or as different as clumps are. */
static void three_epochs_are_enough_to_see_losses_scatter(void **state)
{
    (void)state;
    static const int64_t alike[] = {40, 9, 9}, clumps[] = {40, 18, 0};
    for (int i = 0; i < 2; i++) {
        const int64_t *kept = i ? clumps : alike;
        struct sim *s = keeping((const int64_t[6]){kept[0], kept[1], kept[2]});
        for (size_t c = FIRST + 3; c <= LAST; c++)
            s->epoch[c].all_closed = false;
        assert_int_equal(ask(s, ONLY(RULE_DECELERATING)).found, i == 0);
    }
}

/* ---- what emptying the caches freed ---- */

struct emptied {
    int64_t kept, drained, flushed;
};

static struct said after_the_drain(struct emptied e, uint64_t capacity)
{
    const int64_t kept[] = {e.kept - 2, 0, 1, 1, 0, 0};
    struct sim *s = keeping(kept);
    sim_cache(s, 0, capacity);
    for (size_t c = 0; c <= LAST; c++)
        s->population[0][c] = 5;
    s->lent[SITE].drained_blocks = e.drained;
    s->lent[SITE].flushed_blocks = e.flushed;
    return ask(s, ONLY(RULE_CACHE));
}

/* All but two of a site's blocks, of which the drain had left half; or fewer where fewer were
 * left. */
static void what_emptying_the_caches_freed_was_theirs(void **state)
{
    (void)state;
    struct said said = after_the_drain((struct emptied){100, 50, 2}, 5);
    expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why, "emptying the caches freed all of it");
    assert_false(after_the_drain((struct emptied){100, 50, 3}, 5).found);
    assert_false(after_the_drain((struct emptied){100, 49, 2}, 5).found);
    assert_true(after_the_drain((struct emptied){3, 2, 1}, 5).found);
    assert_false(after_the_drain((struct emptied){3, 2, 2}, 5).found);
    assert_false(after_the_drain((struct emptied){2, 2, 0}, 5).found);
    said = after_the_drain((struct emptied){100, 50, 2}, 0);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_FILLING);
    assert_string_equal(said.f.why, "emptying the caches freed it, but nothing says how large they "
                                    "may become");
}

/* Three entries to a block, or one less in all: only at the end is it known whose they were. */
static void what_keeps_step_with_several_entries_may_leak(void **state)
{
    (void)state;
    static const int64_t kept[] = {10, 10, 10, 10, 10, 10};
    for (uint64_t less = 0; less < 2; less++) {
        struct sim *s = keeping(kept);
        sim_cache(s, 0, 100000);
        for (size_t c = FIRST; c <= LAST; c++)
            s->population[0][c] = 3 * (uint64_t)s->site[SITE].blocks[c] - less;
        s->e.drained = false;
        struct said said = ask(s, ONLY(RULE_CACHE));
        expect(&said, VERDICT_PASS, KIND_CACHE_FILLING);
        assert_int_equal(said.f.may_leak, less == 0);
        assert_int_equal(said.wants_hold, less == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_blocks_in_one_epoch_of_six_came_once),
        cmocka_unit_test(what_has_ended_beyond_chance_is_bounded),
        cmocka_unit_test(a_doubt_does_not_matter_where_a_leak_would_have_left_more),
        cmocka_unit_test(what_replaces_others_after_the_bound_does_not_go_on),
        cmocka_unit_test(a_bound_whose_total_rises_is_in_doubt),
        cmocka_unit_test(five_losses_are_enough_and_fewer_than_three_none),
        cmocka_unit_test(where_many_lose_a_block_there_are_no_clumps),
        cmocka_unit_test(epochs_that_kept_none_refute_losses_of_single_blocks),
        cmocka_unit_test(a_connection_less_without_any_refutes_nothing),
        cmocka_unit_test(equal_shares_of_some_epochs_are_a_loss_each),
        cmocka_unit_test(shares_are_alike_within_what_chance_makes_of_them),
        cmocka_unit_test(a_single_connection_tells_the_share),
        cmocka_unit_test(shares_are_of_the_judged_epochs),
        cmocka_unit_test(of_a_single_epoch_the_share_is_its_own),
        cmocka_unit_test(losses_are_wanted_in_both_halves),
        cmocka_unit_test(a_total_that_grew_by_less_than_half_confirms_nothing),
        cmocka_unit_test(what_slows_down_beyond_chance_is_in_doubt),
        cmocka_unit_test(what_keeps_step_with_several_entries_may_leak),
        cmocka_unit_test(three_epochs_are_enough_to_see_losses_scatter),
        cmocka_unit_test(what_emptying_the_caches_freed_was_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
