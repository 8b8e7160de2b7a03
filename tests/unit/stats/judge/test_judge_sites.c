/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about one site, each asked alone, by figures written by hand: its bounds from both
 * sides. Six epochs of 100 connections are judged, 2 to 7; 38 connections turn them over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"

enum { SITE = 1, FIRST = 2, MIDDLE = 4, NEWEST = 7, LAST = 8 };

struct said {
    bool found, wants_more, wants_hold;
    struct judge_finding f;
};

#define ONLY(rule) (UINT64_C(1) << (rule))

/* What the rules say of site 1; frees the run. */
static struct said ask(struct sim *s, uint64_t rules)
{
    struct said said = {0};
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), rules);
    said.found = site_judge(&h, SITE, &said.f);
    said.wants_more = h.wants_more;
    said.wants_hold = h.wants_hold;
    free(s);
    return said;
}

static struct sim *keeping(const int64_t kept[6])
{
    struct sim *s = sim_six(false);
    assert_int_equal(sim_six_site(s, kept), SITE);
    return s;
}

static struct said ask_of(const int64_t kept[6], uint64_t rules)
{
    return ask(keeping(kept), rules);
}

static void expect(const struct said *said, enum verdict verdict, enum kind kind)
{
    assert_true(said->found);
    assert_string_equal(verdict_name(said->f.verdict), verdict_name(verdict));
    assert_string_equal(kind_name(said->f.kind), kind_name(kind));
}

/* ---- blocks that take the place of others ---- */

/* Survivors of every epoch, and a total that is as written. */
static struct sim *replaced(int64_t each, const int64_t total[LAST + 1])
{
    const int64_t kept[6] = {each, each, each, each, each, each};
    struct sim *s = keeping(kept);
    for (size_t c = 0; c <= LAST; c++) {
        s->site[SITE].blocks[c] = total[c];
        s->site[SITE].bytes[c] = 32 * total[c];
    }
    return s;
}

/* The total moved by less than half of the twelve that survived, up and down together. */
static void a_total_that_stays_has_replaced_them(void **state)
{
    (void)state;
    static const int64_t still[] = {9, 40, 40, 40, 40, 40, 40, 40, 40},
                         five[] = {9, 40, 38, 40, 43, 40, 40, 40, 40},
                         six[] = {9, 40, 38, 40, 44, 40, 40, 40, 40},
                         down[] = {9, 40, 34, 40, 40, 40, 40, 40, 40},
                         late[] = {9, 40, 40, 40, 40, 40, 40, 40, 46};
    struct said said = ask(replaced(2, still), ONLY(RULE_REPLACED));
    expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why,
                        "12 newer blocks took the place of older ones, the total stayed");
    assert_true(ask(replaced(2, five), ONLY(RULE_REPLACED)).found);
    assert_false(ask(replaced(2, six), ONLY(RULE_REPLACED)).found);
    assert_false(ask(replaced(2, down), ONLY(RULE_REPLACED)).found);
    assert_false(ask(replaced(2, late), ONLY(RULE_REPLACED)).found);
}

static void two_that_were_replaced_were_made_once(void **state)
{
    (void)state;
    for (int64_t blocks = 2; blocks <= 3; blocks++) {
        const int64_t kept[6] = {0, 0, blocks, 0, 0, 0};
        struct sim *s = keeping(kept);
        for (size_t c = 0; c <= LAST; c++)
            s->site[SITE].blocks[c] = 40;
        struct said said = ask(s, ONLY(RULE_REPLACED));
        expect(&said, VERDICT_PASS, blocks == 2 ? KIND_ONE_TIME : KIND_CACHE_BOUNDED);
    }
}

/* Of 600 replaced, the total rises with each epoch of the second half: five in its first part, of
 * 100 connections, and three quarters of that pace in the other, of 200. */
static void a_total_that_rises_to_the_end_is_not_replaced(void **state)
{
    (void)state;
    static const struct {
        int64_t more[3];
        bool rises;
    } of[] = {{{6, 5, 4}, true}, {{6, 4, 4}, false}, {{6, 9, 0}, false},  {{0, 6, 9}, false},
              {{5, 4, 4}, true}, {{4, 9, 9}, false}, {{6, 10, -1}, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t total[LAST + 1] = {40, 40, 40, 40, 40};
        for (size_t c = MIDDLE + 1; c <= NEWEST; c++)
            total[c] = total[c - 1] + of[i].more[c - MIDDLE - 1];
        total[LAST] = total[NEWEST];
        if (ask(replaced(100, total), ONLY(RULE_REPLACED)).found == of[i].rises)
            fail_msg("case %zu", i);
    }
}

/* Two objects take each other's place, with three blocks each of the other site. */
struct together {
    int64_t first, second, drained, flushed; /* of the site: 3 and 3, 6 and 6 go with the objects */
};

static bool goes_with_objects(struct together t, bool drained)
{
    static const int64_t one_each[] = {1, 0, 0, 1, 0, 0};
    const int64_t three_each[] = {t.first, 0, 0, t.second, 0, 0};
    struct sim *s = keeping(three_each);
    size_t own = sim_six_site(s, one_each);
    s->e.classes = 3;
    s->class_[0] = (struct judge_class){.name = "SSL", .live = s->live[0], .site = SIZE_MAX};
    s->class_[1] = (struct judge_class){.name = "SSL_CTX", .live = s->live[0], .site = own};
    for (size_t c = 0; c <= LAST; c++) {
        s->site[own].blocks[c] = 2;
        s->site[SITE].blocks[c] = 20 + (c % 2 ? 9 : 0);
    }
    s->e.classes = 2;
    s->e.drained = drained;
    s->lent[SITE].drained_blocks = t.drained;
    s->lent[SITE].flushed_blocks = t.flushed;
    s->lent[own].drained_blocks = s->lent[own].flushed_blocks = 2;
    struct said said = ask(s, ONLY(RULE_REPLACED_WITH));
    if (said.found) {
        expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
        assert_string_equal(said.f.why,
                            "made with an object, SSL_CTX, that took the place of an older one");
    }
    return said.found;
}

static void blocks_that_come_and_go_with_an_object_are_its_own(void **state)
{
    (void)state;
    assert_true(goes_with_objects((struct together){3, 3, 6, 6}, true));
    assert_false(goes_with_objects((struct together){2, 4, 6, 6}, true));
    assert_false(goes_with_objects((struct together){3, 4, 6, 6}, true));
    assert_false(goes_with_objects((struct together){3, 3, 5, 6}, true));
    assert_false(goes_with_objects((struct together){3, 3, 6, 5}, true));
    assert_true(goes_with_objects((struct together){3, 3, 5, 5}, false));
}

/* Another site of the type falls by `gone` with the epoch `at`. */
static struct said swapped(int64_t kept, int64_t gone, size_t at, void (*change)(struct sim *s))
{
    const int64_t came[6] = {0, 0, 0, kept, 0, 0}, none[6] = {0};
    struct sim *s = keeping(came);
    size_t other = sim_six_site(s, none);
    for (size_t c = 0; c <= LAST; c++) {
        s->site[other].blocks[c] = c < at ? 50 : 50 - gone;
        s->site[other].bytes[c] = 32 * s->site[other].blocks[c];
    }
    if (change)
        change(s);
    return ask(s, ONLY(RULE_SWAPPED));
}

static void other_file(struct sim *s)
{
    s->lent[SITE + 1].file = "other.c";
}

static void other_size(struct sim *s)
{
    for (size_t c = 0; c <= LAST; c++)
        s->site[SITE + 1].bytes[c] += s->site[SITE + 1].blocks[c];
}

/* A third site of the type that leaks: the sum of all rises. */
static void third_grows(struct sim *s)
{
    static const int64_t came[6] = {0, 0, 5, 0, 0, 0};
    sim_six_site(s, came);
}

/* ... or is of another type, and what it does is its own. */
static void third_is_another(struct sim *s)
{
    third_grows(s);
    s->lent[SITE + 2].file = "other.c";
}

static void blocks_that_went_elsewhere_at_once_were_swapped(void **state)
{
    (void)state;
    enum { AT = FIRST + 3 };
    struct said said = swapped(10, 10, AT, NULL);
    expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why,
                        "as many blocks of its size went at other places of the file: their sum "
                        "stayed");
    assert_true(swapped(10, 6, AT, NULL).found);
    assert_false(swapped(10, 5, AT, NULL).found);
    assert_true(swapped(10, 14, AT, NULL).found);
    assert_false(swapped(10, 15, AT, NULL).found);
    assert_false(swapped(10, 10, AT + 1, NULL).found);
    assert_false(swapped(10, 10, AT - 1, NULL).found);
    assert_false(swapped(10, 0, AT, NULL).found);
    assert_false(swapped(10, -10, AT, NULL).found);
    said = swapped(2, 2, AT, NULL);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
}

static void only_sites_of_the_type_are_swapped(void **state)
{
    (void)state;
    assert_false(swapped(10, 10, FIRST + 3, other_file).found);
    assert_false(swapped(10, 10, FIRST + 3, other_size).found);
    assert_false(swapped(10, 10, FIRST + 3, third_grows).found);
    assert_true(swapped(10, 10, FIRST + 3, third_is_another).found);
}

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

/* From one block in eight connections on, a common divisor says nothing. */
static void where_many_lose_a_block_there_are_no_clumps(void **state)
{
    (void)state;
    static const int64_t seldom[] = {37, 37, 0, 0, 0, 0}, often[] = {25, 25, 25, 0, 0, 0};
    assert_true(ask_of(seldom, ONLY(RULE_FEW)).found);
    assert_false(ask_of(often, ONLY(RULE_FEW)).found);
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
                         later[] = {22, 22, 22, 25, 1, 1}, faster[] = {9, 9, 9, 22, 22, 22};
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

/* ---- populations that several sites share ---- */

/* Entries of a cache of a hundred each, made at two places of a file; `second` of each epoch's at
 * the other. Beside them a site of another file that keeps seven blocks of each epoch. */
struct shared {
    size_t count;
    struct judge_finding finding[4];
    bool taken[4];
};

static struct shared shared(const int64_t second[6], uint64_t capacity,
                            void (*change)(struct sim *))
{
    struct shared found = {0};
    static const int64_t seven[6] = {7, 7, 7, 7, 7, 7};
    int64_t first[6];
    for (size_t i = 0; i < 6; i++)
        first[i] = 100 - second[i];
    struct sim *s = keeping(first);
    sim_six_site(s, seven);
    sim_six_site(s, second);
    s->lent[SITE + 1].file = "other.c";
    s->e.caches = 1;
    s->cache[0] = (struct judge_cache){.name = "sessions", .capacity = capacity};
    for (size_t c = 0; c <= LAST; c++)
        s->population[0][c] = 40 + (c < FIRST ? 0 : c < 8 ? 100 * (c - 1) : 600);
    s->e.drained = false;
    if (change)
        change(s);
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    found.count = shared_judge(&h, found.taken, found.finding);
    free(s);
    return found;
}

static const int64_t MORE_AND_MORE[6] = {10, 20, 30, 40, 60, 80};

static void sites_that_share_a_population_are_judged_by_their_sum(void **state)
{
    (void)state;
    struct shared found = shared(MORE_AND_MORE, 1000, NULL);
    assert_int_equal(found.count, 2);
    assert_true(!found.taken[0] && found.taken[1] && !found.taken[2] && found.taken[3]);
    for (size_t i = 0; i < 2; i++) {
        const struct judge_finding *f = &found.finding[i];
        assert_int_equal(f->site, i ? 3 : 1);
        assert_int_equal(f->blocks, i ? 240 : 360);
        assert_int_equal(f->bytes, i ? 240 * 32 : 360 * 32);
        assert_int_equal(f->verdict, VERDICT_PASS);
        assert_int_equal(f->kind, KIND_CACHE_FILLING);
        assert_string_equal(f->why, "grows exactly as sessions does: 640 entries of 1000, full "
                                    "after about 383 more connections at this pace");
    }
    found = shared(MORE_AND_MORE, 639, NULL);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.finding[1].kind, KIND_CACHE_OVER);
    assert_string_equal(found.finding[0].why, "sessions holds 640 entries, 1 more than the 639 it "
                                              "may hold, and goes on");
}

static void another_size(struct sim *s)
{
    for (size_t c = 0; c <= LAST; c++)
        s->site[SITE + 2].bytes[c] *= 2;
}

static void another_file(struct sim *s)
{
    s->lent[SITE + 2].file = "third.c";
}

static void no_cache(struct sim *s)
{
    s->e.caches = 0;
}

static void what_follows_alone_or_is_no_population_is_judged_alone(void **state)
{
    (void)state;
    static const int64_t none[6] = {0}, half[6] = {50, 50, 50, 50, 50, 50};
    assert_int_equal(shared(MORE_AND_MORE, 1000, another_size).count, 0);
    assert_int_equal(shared(MORE_AND_MORE, 1000, another_file).count, 0);
    assert_int_equal(shared(MORE_AND_MORE, 1000, no_cache).count, 0);
    assert_int_equal(shared(none, 1000, NULL).count, 0);
    assert_int_equal(shared(half, 1000, NULL).count, 0); /* each follows it by itself */
}

/* As many objects of a class are alive, one for each block, to a fiftieth. */
static int64_t objects[LAST + 1];

static void class_of_objects(struct sim *s)
{
    s->e.caches = 0;
    s->e.classes = 2;
    s->class_[0] = (struct judge_class){.name = "SSL_CTX", .site = SIZE_MAX};
    s->class_[1] = (struct judge_class){.name = "SSL_SESSION", .site = SIZE_MAX};
    for (size_t c = 0; c <= LAST; c++) {
        s->live[0][c] = 1;
        s->live[1][c] = objects[c];
    }
}

static void a_class_of_objects_is_a_population_too(void **state)
{
    (void)state;
    for (int64_t off = -13; off <= 13; off++) {
        for (size_t c = 0; c <= LAST; c++)
            objects[c] = 30 + (c < FIRST ? 0 : c < 8 ? 100 * (int64_t)(c - 1) : 600);
        objects[5] += off;
        assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count,
                         llabs(off) <= 12 ? 2 : 0);
    }
    for (size_t c = 0; c <= LAST; c++) /* two blocks for each object */
        objects[c] = 30 + (c < FIRST ? 0 : c < 8 ? 50 * (int64_t)(c - 1) : 300);
    assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count, 2);
    for (size_t c = 0; c <= LAST; c++) /* two objects for each block */
        objects[c] = 30 + (c < FIRST ? 0 : c < 8 ? 200 * (int64_t)(c - 1) : 1200);
    assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count, 0);
}

/* ---- tables ---- */

/* A block that is made larger: so many bytes more with each epoch from the first on. */
static struct sim *table(const int64_t more[LAST + 1 - FIRST])
{
    static const int64_t none[6] = {0};
    struct sim *s = keeping(none);
    s->site[SITE].live[0] = 1;
    for (size_t c = 0; c <= LAST; c++) {
        s->site[SITE].blocks[c] = 1;
        s->site[SITE].bytes[c] = c < FIRST ? 100000 : s->site[SITE].bytes[c - 1] + more[c - FIRST];
    }
    return s;
}

static struct said ask_table(const int64_t more[LAST + 1 - FIRST])
{
    return ask(table(more), RULES_ALL);
}

static void one_step_came_once_two_are_in_doubt_three_a_leak(void **state)
{
    (void)state;
    static const int64_t once[] = {0, 0, 96, 0, 0, 0, 0}, newest[] = {0, 0, 0, 0, 0, 96, 0},
                         last[] = {0, 0, 0, 0, 0, 0, 96}, before[] = {0, 0, 0, 0, 96, 0, 0},
                         two[] = {0, 96, 0, 0, 0, 96, 0}, earlier[] = {0, 96, 0, 0, 96, 0, 0},
                         three[] = {0, 96, 0, 0, 96, 96, 0};
    struct said said = ask_table(once);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    assert_false(said.wants_more);
    assert_string_equal(said.f.why, "its blocks were made larger by 96 bytes in 1 step, none was "
                                    "added");
    assert_int_equal(said.f.bytes, 96);
    assert_true(said.f.per_conn_blocks == 0 && said.f.per_conn_bytes == 96.0 / 638);
    assert_true(ask_table(newest).wants_more && ask_table(last).wants_more);
    assert_false(ask_table(before).wants_more);
    said = ask_table(two);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask_table(earlier);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    said = ask_table(three);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    assert_true(said.wants_hold);
    assert_string_equal(said.f.why, "its blocks were made larger by 288 bytes in 3 steps, none was "
                                    "added, and the second half of the run no slower than half of "
                                    "the first");
}

/* 300 connections in the first half, 338 after it. */
static void a_table_goes_on_at_half_the_pace(void **state)
{
    (void)state;
    static const int64_t half[] = {300, 0, 300, 0, 338, 0, 0}, less[] = {300, 0, 300, 0, 337, 0, 0},
                         middle[] = {300, 0, 0, 300, 37, 0, 0};
    struct said said = ask_table(half);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    said = ask_table(less);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    said = ask_table(middle);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
}

/* Two blocks beside it may have come; three are what grew. */
static void bytes_of_new_blocks_are_no_tables(void **state)
{
    (void)state;
    static const int64_t more[] = {96, 96, 96, 96, 96, 96, 0};
    for (int64_t born = 2; born <= 3; born++) {
        struct sim *s = table(more);
        s->site[SITE].live[FIRST] = born;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (born == 2));
        s = table(more);
        for (size_t c = MIDDLE; c <= LAST; c++)
            s->site[SITE].blocks[c] += born;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (born == 2));
    }
}

/* What the open connections' own blocks take: the growth is more than a quarter of it, and lies
 * beside it. */
static void buffers_of_open_connections_are_no_table(void **state)
{
    (void)state;
    static const int64_t more[] = {96, 96, 96, 96, 96, 96, 0};
    for (int64_t open = 0; open <= 1; open++) {
        struct sim *s = table(more);
        s->site[SITE].live[LAST] = 1;
        s->site[SITE].size = 4 * 576 - 1 + open;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (open == 0));
        s = table(more);
        for (size_t c = 0; c <= LAST; c++)
            s->site[SITE].bytes[c] += 1000 - 100000;
        s->site[SITE].live[LAST] = 1;
        s->site[SITE].size = 1000 + open;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (open == 0));
    }
}

/* What it gave back doesn't count, and one that shrank may go up and down. Steps that come to less
 * than twice the largest fall each are those of what wanders. */
static void a_table_that_shrank_grew_by_what_it_kept(void **state)
{
    (void)state;
    static const int64_t gone[] = {96, 96, 96, 96, 96, 96, -576};
    for (int64_t fall = 227; fall <= 228; fall++) {
        const int64_t back[] = {500, -fall, 500, 500, 500, 500, 0};
        struct said said =
            ask(table(back), ONLY(RULE_TABLE) | ONLY(RULE_TABLE_WANDERS) | ONLY(RULE_TABLE_SHRANK));
        assert_int_equal(said.found, fall == 227);
        if (!said.found)
            continue;
        expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
        assert_string_equal(said.f.why, "its blocks shrank by 227, then grew by 2273 bytes in 5 "
                                        "steps, none was added");
    }
    assert_false(ask_table(gone).found);
}

/* An entry of 8 bytes for each descriptor and two more, in a table that doubles from 16 on; each
 * thread may have one. */
static void a_table_of_descriptors_is_as_large_as_it_must_be(void **state)
{
    (void)state;
    static const struct {
        int64_t step;
        uint64_t descriptors;
        double threads;
        bool bounded;
    } of[] = {{128, 14, 0, true},  {256, 14, 0, false}, {256, 15, 0, true},  {256, 30, 0, true},
              {512, 30, 0, false}, {512, 31, 0, true},  {384, 14, 0, false}, {384, 14, 3, true},
              {512, 14, 3, false}, {120, 14, 0, false}, {128, 0, 0, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const int64_t more[] = {0, of[i].step, 0, 0, 0, 0, 0};
        struct sim *s = table(more);
        s->e.descriptors = of[i].descriptors;
        double *other = sim_gauge(s, METRIC_OPEN_FILES, 0),
               *threads = sim_gauge(s, METRIC_THREADS, 0);
        for (size_t k = 0; k < s->gauge[0].count; k++) {
            other[k] = 99;
            threads[k] = k == 5 ? of[i].threads : 1;
        }
        struct said said = ask(s, RULES_ALL);
        expect(&said, VERDICT_PASS, of[i].bounded ? KIND_CACHE_BOUNDED : KIND_ONE_TIME);
        if (i == 0)
            assert_string_equal(said.f.why,
                                "its blocks were made larger by 128 bytes in 1 step, none was "
                                "added: no more than a table of 14 file descriptors takes");
    }
}

/* ---- caches of the program's own, and texts of errors ---- */

/* 300 of the site's blocks since the first checkpoint, one or two for a connection. */
static void an_expected_cache_has_room_for_what_grew(void **state)
{
    (void)state;
    static const struct {
        int64_t each;
        uint64_t expected;
        const char *why;
    } of[] = {{1, 600,
               "600 of the 600 entries of --expect-cache; full after about 0 more "
               "connections"},
              {1, 599, NULL},
              {1, 0, NULL},
              {2, 601,
               "600 of the 601 entries of --expect-cache; full after about 1 more "
               "connections"},
              {2, 599, NULL}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t kept[6];
        for (size_t k = 0; k < 6; k++)
            kept[k] = 100 * of[i].each;
        struct sim *s = keeping(kept);
        s->e.expected = of[i].expected;
        struct said said = ask(s, ONLY(RULE_EXPECTED));
        assert_int_equal(said.found, of[i].why != NULL);
        if (!said.found)
            continue;
        expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_FILLING);
        assert_string_equal(said.f.why, of[i].why);
    }
}

/* One loss for two connections: twice as many have to come until it is full. */
static void an_expected_cache_that_fills_seldom_is_full_later(void **state)
{
    (void)state;
    static const int64_t kept[6] = {50, 50, 50, 50, 50, 50};
    struct sim *s = keeping(kept);
    s->e.expected = 400;
    struct said said = ask(s, ONLY(RULE_EXPECTED));
    assert_string_equal(said.f.why, "300 of the 400 entries of --expect-cache; full after about "
                                    "200 more connections");
}

static void sixteen_texts_for_each_thread_are_a_queue_of_errors(void **state)
{
    (void)state;
    static const int64_t kept[6] = {3, 3, 3, 3, 2, 2};
    static const char *const file[] = {"crypto/err/err_blocks.c", "../crypto/err/err_blocks.c",
                                       "crypto/err/err_blocks.cc", "rr_blocks.c"};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        struct sim *s = keeping(kept);
        s->lent[SITE].file = file[i];
        struct said said = ask(s, ONLY(RULE_ERROR_QUEUE));
        assert_int_equal(said.found, i < 2);
        if (i == 0)
            assert_string_equal(said.f.why, "texts of OpenSSL's error queues: 16, and there is "
                                            "room for 16 in each of 1 threads");
    }
    struct sim *s = keeping(kept);
    s->lent[SITE].file = file[0];
    s->site[SITE].blocks[LAST] = 17;
    assert_false(ask(s, ONLY(RULE_ERROR_QUEUE)).found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_that_stays_has_replaced_them),
        cmocka_unit_test(two_that_were_replaced_were_made_once),
        cmocka_unit_test(a_total_that_rises_to_the_end_is_not_replaced),
        cmocka_unit_test(blocks_that_come_and_go_with_an_object_are_its_own),
        cmocka_unit_test(blocks_that_went_elsewhere_at_once_were_swapped),
        cmocka_unit_test(only_sites_of_the_type_are_swapped),
        cmocka_unit_test(four_blocks_in_one_epoch_of_six_came_once),
        cmocka_unit_test(what_has_ended_beyond_chance_is_bounded),
        cmocka_unit_test(a_doubt_does_not_matter_where_a_leak_would_have_left_more),
        cmocka_unit_test(what_replaces_others_after_the_bound_does_not_go_on),
        cmocka_unit_test(a_bound_whose_total_rises_is_in_doubt),
        cmocka_unit_test(five_losses_are_enough_and_fewer_than_three_none),
        cmocka_unit_test(where_many_lose_a_block_there_are_no_clumps),
        cmocka_unit_test(losses_are_wanted_in_both_halves),
        cmocka_unit_test(a_total_that_grew_by_less_than_half_confirms_nothing),
        cmocka_unit_test(what_slows_down_beyond_chance_is_in_doubt),
        cmocka_unit_test(what_emptying_the_caches_freed_was_theirs),
        cmocka_unit_test(one_step_came_once_two_are_in_doubt_three_a_leak),
        cmocka_unit_test(a_table_goes_on_at_half_the_pace),
        cmocka_unit_test(bytes_of_new_blocks_are_no_tables),
        cmocka_unit_test(buffers_of_open_connections_are_no_table),
        cmocka_unit_test(a_table_that_shrank_grew_by_what_it_kept),
        cmocka_unit_test(a_table_of_descriptors_is_as_large_as_it_must_be),
        cmocka_unit_test(an_expected_cache_has_room_for_what_grew),
        cmocka_unit_test(an_expected_cache_that_fills_seldom_is_full_later),
        cmocka_unit_test(sites_that_share_a_population_are_judged_by_their_sum),
        cmocka_unit_test(what_follows_alone_or_is_no_population_is_judged_alone),
        cmocka_unit_test(a_class_of_objects_is_a_population_too),
        cmocka_unit_test(sixteen_texts_for_each_thread_are_a_queue_of_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
