/* SPDX-License-Identifier: Apache-2.0 */
/* The rules about a site whose blocks take the place of others, each asked alone: its bounds from
 * both sides. Six epochs of 100 connections are judged, 2 to 7; 38 connections turn them over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

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

/* Where nothing was before the measuring what the first epoch held counts. */
static void a_total_that_fell_after_the_first_epoch_has_not_stayed(void **state)
{
    (void)state;
    for (int64_t first = 5; first <= 6; first++) {
        const int64_t total[] = {first, 2, 2, 2, 2, 2, 2, 2, 2};
        struct sim *s = replaced(2, total);
        s->epoch[0].measured = s->epoch[1].measured = true;
        for (size_t c = 0; c < FIRST; c++)
            s->site[SITE].live[c] = 0;
        assert_true(ask(s, ONLY(RULE_REPLACED)).found == (first == 5));
    }
}

/* One epoch and no checkpoint before it. */
static struct said of_one_epoch(uint64_t want_one_in)
{
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_site(s, SIM_CONN, 7, 1);
    assert_int_equal(sim_site(s, SIM_STATIC, 2, 0), SITE);
    sim_epoch(s, SIM_MEASURE, 100, 1);
    sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
    s->site[SITE].live[0] = 12;
    s->e.want_one_in = want_one_in;
    return ask(s, ONLY(RULE_REPLACED) | ONLY(RULE_HIDDEN));
}

static void where_no_loss_would_have_shown_none_is_named(void **state)
{
    (void)state;
    struct said said = of_one_epoch(0);
    expect(&said, VERDICT_PASS, KIND_CACHE_BOUNDED);
    assert_string_equal(said.f.why,
                        "12 newer blocks took the place of older ones, the total stayed");
    said = of_one_epoch(1);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_BOUNDED);
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
    } of[] = {{{6, 5, 4}, true}, {{6, 4, 4}, false}, {{6, 9, 0}, false},   {{0, 6, 9}, false},
              {{5, 4, 4}, true}, {{4, 9, 9}, false}, {{6, 10, -1}, false}, {{68, 51, 50}, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t total[LAST + 1] = {40, 40, 40, 40, 40};
        for (size_t c = MIDDLE + 1; c <= NEWEST; c++)
            total[c] = total[c - 1] + of[i].more[c - MIDDLE - 1];
        total[LAST] = total[NEWEST];
        if (ask(replaced(100, total), ONLY(RULE_REPLACED)).found == of[i].rises)
            fail_msg("case %zu", i);
    }
}

/* ... whether or not it is held without churn meanwhile, when nothing can come. */
static void a_hold_is_no_end_of_what_rises(void **state)
{
    (void)state;
    for (int opens = 0; opens < 2; opens++) {
        for (int64_t more = 5; more <= 6; more++) {
            const int64_t total[] = {40, 40, 40, 40, 40, 48, 48, 48 + more, 48 + more};
            struct sim *s = replaced(100, total);
            assert_int_equal(s->epoch[MIDDLE + 2].opened, 100);
            if (!opens) {
                s->epoch[FIRST].opened = s->epoch[MIDDLE].opened = 50; /* so that the halves stay */
                s->epoch[MIDDLE + 2].opened = 0;
                s->epoch[MIDDLE + 2].hold = true;
            }
            assert_int_equal(ask(s, ONLY(RULE_REPLACED)).found, opens || more == 5);
        }
    }
}

/* No more was lost than the total moved since some checkpoint, nor than is left of what came since:
 * none after 600 connections, 400 or 500. One chance of 6,000 makes none of 8.7 losses. */
static void a_loss_that_has_to_be_seen_may_hide_among_what_comes_and_goes(void **state)
{
    (void)state;
    static const struct {
        int64_t kept, late; /* in each of the first five epochs, and of the newest */
        int64_t moved;      /* at the end of the second */
        uint64_t shows;
    } of[] = {{2, 2, 0, 68}, {2, 2, 1, 45}, {0, 9, 1, 57}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        for (uint64_t want = of[i].shows; want <= of[i].shows + 1; want++) {
            int64_t total[LAST + 1];
            for (size_t c = 0; c <= LAST; c++)
                total[c] = 40 + (c >= FIRST + 1 ? of[i].moved : 0);
            struct sim *s = replaced(of[i].kept, total);
            s->site[SITE].live[FIRST] = of[i].kept ? of[i].kept : of[i].late;
            s->e.want_one_in = want;
            struct said said = ask(s, ONLY(RULE_REPLACED) | ONLY(RULE_HIDDEN));
            bool passes = want == of[i].shows;
            if (!said.found || (said.f.verdict == VERDICT_PASS) != passes)
                fail_msg("case %zu, 1/%d: %s", i, (int)want, said.f.why);
            assert_true(said.wants_more == !passes);
        }
    }
}

/* The rarest loss that shows at a site with 200 survivors of each epoch and that total; of the
 * newest epoch with so many connections, the fourth a hold or not. */
struct varying {
    int64_t total[LAST + 1];
    uint64_t newest;
    bool hold;
    uint64_t shows;
};

static uint64_t shows(const struct varying *v)
{
    for (uint64_t want = 1;; want++) {
        struct sim *s = replaced(200, v->total);
        s->epoch[NEWEST].opened = v->newest;
        s->epoch[MIDDLE + 1].hold = v->hold;
        s->epoch[MIDDLE + 1].opened = v->hold ? 0 : 100;
        s->e.want_one_in = want;
        if (ask(s, ONLY(RULE_REPLACED) | ONLY(RULE_HIDDEN)).f.verdict != VERDICT_PASS)
            return want - 1;
    }
}

/* What open connections hold varies from checkpoint to checkpoint: at the last they may hold so
 * much less than before that losses don't show. Four checkpoints that are alike since the newest
 * large epoch say that it doesn't, three may be so by chance; and one after a hold says nothing. */
static void what_open_connections_hold_may_hide_losses(void **state)
{
    (void)state;
    static const struct varying of[] = {
        {{9, 40, 40, 40, 40, 40, 40, 40, 40}, 100, false, 68},
        {{9, 40, 41, 40, 40, 41, 40, 41, 40}, 100, false, 31},
        {{9, 40, 50, 40, 40, 50, 40, 50, 40}, 100, false, 8},
        {{9, 50, 50, 40, 50, 40, 40, 50, 40}, 100, false, 11},
        {{9, 40, 50, 40, 40, 50, 40, 40, 50}, 100, false, 7},
        {{9, 40, 45, 38, 44, 41, 40, 40, 40}, 5000, false, 144},
        {{9, 40, 45, 38, 44, 40, 40, 40, 40}, 5000, false, 586},
        {{9, 40, 45, 38, 44, 44, 38, 41, 40}, 100, true, 10},
        {{9, 40, 45, 40, 38, 38, 40, 40, 40}, 2000, true, 64},
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        if (shows(&of[i]) != of[i].shows)
            fail_msg("case %zu: 1/%d", i, (int)shows(&of[i]));
    }
}

/* One block with each 100 connections, up or down: seven in all. */
static void a_total_that_falls_shows_no_more_than_one_that_rises(void **state)
{
    (void)state;
    for (int64_t each = -1; each <= 1; each += 2) {
        for (uint64_t want = 26; want <= 27; want++) {
            int64_t total[LAST + 1];
            for (int64_t c = 0; c <= LAST; c++)
                total[c] = 40 + each * c;
            struct sim *s = replaced(20, total);
            s->epoch[LAST].opened = 100;
            s->e.want_one_in = want;
            struct said said = ask(s, ONLY(RULE_REPLACED) | ONLY(RULE_HIDDEN));
            if ((said.f.verdict == VERDICT_PASS) != (want == 26))
                fail_msg("%d each, 1/%d: %s", (int)each, (int)want, said.f.why);
        }
    }
}

/* Five or more that emptying the caches left, of some that it freed, and half as many more. */
static void what_emptying_the_caches_left_took_nobodys_place(void **state)
{
    (void)state;
    static const struct {
        int64_t drained, flushed, grown;
        bool doubt;
    } of[] = {{60, 5, 3, true}, {60, 4, 3, false}, {60, 5, 2, false},
              {5, 5, 3, false}, {6, 5, 3, true},   {60, 6, 3, true}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t total[LAST + 1];
        for (size_t c = 0; c <= LAST; c++)
            total[c] = 40 + (c == LAST ? of[i].grown : 0);
        struct sim *s = replaced(10, total);
        s->lent[SITE].drained_blocks = of[i].drained;
        s->lent[SITE].flushed_blocks = of[i].flushed;
        struct said said = ask(s, ONLY(RULE_REPLACED) | ONLY(RULE_HIDDEN));
        expect(&said, of[i].doubt ? VERDICT_INCONCLUSIVE : VERDICT_PASS, KIND_CACHE_BOUNDED);
        if (of[i].doubt && of[i].flushed == 5)
            assert_string_equal(said.f.why, "emptying the caches freed what newer blocks replace, "
                                            "but left 5, and the total grew by 3");
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

/* ... or is at rest at the end, whatever it held in between. */
static void third_breathes(struct sim *s)
{
    static const int64_t none[6] = {0};
    size_t third = sim_six_site(s, none);
    for (size_t c = 0; c <= LAST; c++) {
        s->site[third].blocks[c] = c == MIDDLE ? 90 : 40;
        s->site[third].bytes[c] = 32 * s->site[third].blocks[c];
    }
}

/* ... but not while a block of it survives. */
static void third_keeps_one(struct sim *s)
{
    third_breathes(s);
    s->site[SITE + 2].live[FIRST] = 1;
}

/* The first site of all goes instead of the other. */
static void first_goes(struct sim *s)
{
    for (size_t c = 0; c <= LAST; c++) {
        int64_t gone = 50 - s->site[SITE + 1].blocks[c];
        s->site[0].blocks[c] = 200 - gone;
        s->site[SITE + 1].blocks[c] = 50;
        s->site[0].bytes[c] = 32 * s->site[0].blocks[c];
        s->site[SITE + 1].bytes[c] = 32 * 50;
    }
}

static void more_goes_at_last(struct sim *s)
{
    s->site[SITE + 1].blocks[LAST] -= 5;
    s->site[SITE + 1].bytes[LAST] -= 5 * 32;
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
    assert_true(swapped(10, 10, FIRST + 3, third_breathes).found);
    assert_false(swapped(10, 10, FIRST + 3, third_keeps_one).found);
    assert_true(swapped(10, 10, FIRST + 3, first_goes).found);
    assert_false(swapped(10, 10, FIRST + 3, more_goes_at_last).found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_that_stays_has_replaced_them),
        cmocka_unit_test(a_total_that_fell_after_the_first_epoch_has_not_stayed),
        cmocka_unit_test(where_no_loss_would_have_shown_none_is_named),
        cmocka_unit_test(two_that_were_replaced_were_made_once),
        cmocka_unit_test(a_total_that_rises_to_the_end_is_not_replaced),
        cmocka_unit_test(a_hold_is_no_end_of_what_rises),
        cmocka_unit_test(a_loss_that_has_to_be_seen_may_hide_among_what_comes_and_goes),
        cmocka_unit_test(what_open_connections_hold_may_hide_losses),
        cmocka_unit_test(a_total_that_falls_shows_no_more_than_one_that_rises),
        cmocka_unit_test(what_emptying_the_caches_left_took_nobodys_place),
        cmocka_unit_test(blocks_that_come_and_go_with_an_object_are_its_own),
        cmocka_unit_test(blocks_that_went_elsewhere_at_once_were_swapped),
        cmocka_unit_test(only_sites_of_the_type_are_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
