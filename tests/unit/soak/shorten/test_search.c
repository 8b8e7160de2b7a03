/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the shortest run, over made-up leaks: what a leak takes is said by a function. */
#include "shorten/ddmin.h"
#include "shorten/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- ddmin ---- */

struct needs {
    uint64_t all, never; /* every one of these, and none of those */
    size_t asked;
    uint64_t whole;
};

static bool has_needs(void *owner, uint64_t part)
{
    struct needs *n = owner;
    n->asked++;
    assert_true(part != 0 && part != n->whole && (part & ~n->whole) == 0);
    return (part & n->all) == n->all && !(part & n->never);
}

static void ddmin_finds_each_pair_of_eight(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 8; k++) {
            struct needs n = {.all = (UINT64_C(1) << i) | (UINT64_C(1) << k), .whole = 0xff};
            assert_int_equal(ddmin(0xff, has_needs, &n), n.all);
            assert_in_range(n.asked, 1, 8 * 8 + 3 * 8);
        }
    }
}

/* The article's example: of eight changes 1, 7 and 8 fail together. */
static void ddmin_finds_the_three_of_the_article(void **state)
{
    (void)state;
    struct needs n = {.all = 0xc1, .whole = 0xff};
    assert_int_equal(ddmin(0xff, has_needs, &n), 0xc1);
}

static void ddmin_keeps_what_it_cannot_lessen(void **state)
{
    (void)state;
    struct needs all = {.all = 0x2d, .whole = 0x2d}, one = {.all = 4, .whole = 4};
    assert_int_equal(ddmin(0x2d, has_needs, &all), 0x2d);
    assert_int_equal(ddmin(4, has_needs, &one), 4);
    assert_int_equal(one.asked, 0);
    struct needs sixty_four = {.all = UINT64_C(1) << 63, .whole = UINT64_MAX};
    assert_true(ddmin(UINT64_MAX, has_needs, &sixty_four) == UINT64_C(1) << 63);
}

/* ---- the search ---- */

/* What a leak takes. */
struct leak {
    uint64_t closed, conns; /* at least so many */
    uint64_t behaviours;    /* one of these, by bit */
    bool takes_psk, takes_tls12;
    size_t late_after, stops_after; /* runs; 0: never */
    size_t unsteady;                /* the run of this number hides it; 0: none */
    size_t runs;
};

static bool leaks_in(const struct leak *l, const struct scenario *s)
{
    bool done = false;
    for (size_t i = 0; i < BEHAVIOUR_COUNT; i++)
        done |= s->weight[i] && (l->behaviours >> i & 1);
    return done && s->conns >= l->conns && (!s->closed || s->closed >= l->closed) &&
           (!l->takes_psk || s->psk) && (!l->takes_tls12 || s->tls == 0);
}

static enum trial run(void *owner, const struct scenario *s, uint64_t *ret_closed)
{
    struct leak *l = owner;
    struct err e;
    assert_int_equal(scenario_check(s, &e), 0);
    if (l->stops_after && l->runs >= l->stops_after)
        return TRIAL_STOPPED;
    l->runs++;
    *ret_closed = s->closed ? s->closed - 3 : 4321;
    return leaks_in(l, s) && l->runs != l->unsteady ? TRIAL_SHOWS : TRIAL_HIDES;
}

static bool is_late(void *owner)
{
    const struct leak *l = owner;
    return l->late_after && l->runs >= l->late_after;
}

static struct search_asked asked_of(struct leak *l, const struct scenario *from)
{
    return (struct search_asked){
        .from = from, .most = 60, .is_late = is_late, .run = run, .owner = l};
}

static struct scenario usual_run(void)
{
    struct scenario s;
    scenario_defaults(&s);
    s.seed = 0x7f3a;
    return s;
}

static size_t behaviours_of(const struct scenario *s)
{
    size_t count = 0;
    for (size_t i = 0; i < BEHAVIOUR_COUNT; i++)
        count += s->weight[i] > 0;
    return count;
}

enum { ANY_BEHAVIOUR = 0xffff };

static void all_that_a_leak_does_not_take_goes(void **state)
{
    (void)state;
    struct leak l = {.closed = 60, .conns = 1, .behaviours = ANY_BEHAVIOUR};
    struct scenario from = usual_run();
    from.psk = from.footprint = from.keep_going = true;
    from.for_ns = 3600 * UINT64_C(1000000000);
    from.workers = 4;
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    asked.is_quick = *state != NULL;
    search_shortest(&asked, &found);
    assert_true(found.shown && found.confirmed && !found.stopped);
    assert_in_range(found.best.closed, 60, 119);
    assert_int_equal(found.best.conns, 1);
    assert_int_equal(behaviours_of(&found.best), 1);
    assert_false(found.best.psk || found.best.footprint || found.best.keep_going);
    assert_int_equal(found.best.for_ns, 0);
    assert_int_equal(found.best.workers, 1);
    assert_int_equal(found.best.seed, 0x7f3a);
    assert_int_equal(found.runs, l.runs);
    assert_in_range(found.runs, 5, 30);
}

/* Then what made the run long goes as any option does. */
static void of_a_quick_run_too(void **state)
{
    (void)state;
    void *quick = &quick;
    all_that_a_leak_does_not_take_goes(&quick);
}

/* The bound that the run had is where the halving begins. */
static void no_run_is_longer_than_the_quick_one_was(void **state)
{
    (void)state;
    struct leak l = {.closed = 100, .conns = 1, .behaviours = ANY_BEHAVIOUR};
    struct scenario from = usual_run();
    from.conns = 2;
    from.closed = 120;
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    asked.is_quick = true;
    search_shortest(&asked, &found);
    assert_true(found.confirmed);
    assert_int_equal(found.best.closed, 120);
    assert_int_equal(found.best.conns, 1);
}

static void what_a_leak_takes_stays(void **state)
{
    (void)state;
    struct leak l = {.closed = 700,
                     .conns = 6,
                     .behaviours = UINT64_C(1) << BEHAVIOUR_RESET,
                     .takes_psk = true,
                     .takes_tls12 = false};
    struct scenario from = usual_run();
    from.psk = from.sni_switch = true;
    from.payload = 77;
    from.openssl = "3.0.20";
    from.defect = "reset-path";
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    search_shortest(&asked, &found);
    assert_true(found.confirmed);
    assert_true(found.best.psk && !found.best.sni_switch);
    assert_int_equal(found.best.payload, 32);
    assert_string_equal(found.best.openssl, "3.0.20");
    assert_string_equal(found.best.defect, "reset-path");
    assert_int_equal(behaviours_of(&found.best), 1);
    assert_int_equal(found.best.weight[BEHAVIOUR_RESET], 1);
    assert_int_equal(found.best.conns, 7);
    assert_in_range(found.best.closed, 700, 1399);
}

/* Knowing them saves runs, and a wrong word does no harm. */
static void behaviours_that_are_known_to_leak_are_tried_first(void **state)
{
    (void)state;
    struct leak plain = {.behaviours = UINT64_C(1) << BEHAVIOUR_MID_HANDSHAKE}, known = plain,
                wrong = plain;
    struct scenario from = usual_run();
    struct search_found found;
    struct search_asked asked = asked_of(&plain, &from);
    search_shortest(&asked, &found);
    assert_int_equal(found.best.weight[BEHAVIOUR_MID_HANDSHAKE], 1);
    asked = asked_of(&known, &from);
    asked.leaks[BEHAVIOUR_MID_HANDSHAKE] = true;
    search_shortest(&asked, &found);
    assert_int_equal(found.best.weight[BEHAVIOUR_MID_HANDSHAKE], 1);
    assert_true(known.runs < plain.runs);
    asked = asked_of(&wrong, &from);
    asked.leaks[BEHAVIOUR_CLEAN] = true;
    search_shortest(&asked, &found);
    assert_int_equal(found.best.weight[BEHAVIOUR_MID_HANDSHAKE], 1);
}

static void what_does_not_show_again_is_left_as_it_was(void **state)
{
    (void)state;
    struct leak l = {.conns = 31, .behaviours = ANY_BEHAVIOUR};
    struct scenario from = usual_run();
    from.keep_going = true;
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    search_shortest(&asked, &found);
    assert_false(found.shown || found.confirmed);
    assert_int_equal(found.runs, 2); /* ended as soon as it is certain, and to the letter */
    assert_true(found.best.keep_going);
}

static void runs_are_bounded_and_one_is_kept_to_confirm(void **state)
{
    (void)state;
    for (size_t most = 2; most < 20; most++) {
        struct leak l = {.behaviours = ANY_BEHAVIOUR};
        struct scenario from = usual_run();
        struct search_asked asked = asked_of(&l, &from);
        struct search_found found;
        asked.most = most;
        search_shortest(&asked, &found);
        assert_in_range(l.runs, 2, most);
        assert_true(found.shown && found.confirmed);
        assert_true(found.stopped || found.best.conns == 1);
    }
}

static void when_time_is_over_what_was_found_is_confirmed(void **state)
{
    (void)state;
    struct leak l = {.behaviours = ANY_BEHAVIOUR, .late_after = 3};
    struct scenario from = usual_run();
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    search_shortest(&asked, &found);
    assert_int_equal(l.runs, 4);
    assert_true(found.stopped && found.confirmed);
    assert_true(found.best.closed > 0);
}

static void an_interrupt_keeps_the_shortest_yet(void **state)
{
    (void)state;
    struct leak l = {.behaviours = ANY_BEHAVIOUR, .stops_after = 4};
    struct scenario from = usual_run();
    struct search_asked asked = asked_of(&l, &from);
    struct search_found found;
    search_shortest(&asked, &found);
    assert_true(found.shown && found.stopped && !found.confirmed);
    assert_int_equal(found.runs, 4);
    assert_true(found.best.closed > 0);
}

/* What showed once and not again gives way to what was found before it. */
static void the_shortest_that_shows_twice_is_found(void **state)
{
    (void)state;
    struct leak steady = {.behaviours = ANY_BEHAVIOUR}, l = steady;
    struct scenario from = usual_run();
    struct search_found once, found;
    struct search_asked asked = asked_of(&steady, &from);
    search_shortest(&asked, &once);
    l.unsteady = steady.runs;
    asked = asked_of(&l, &from);
    search_shortest(&asked, &found);
    assert_true(found.confirmed);
    assert_int_equal(found.runs, once.runs + 1);
    assert_true(found.best.closed > once.best.closed || found.best.conns > once.best.conns);
}

static void what_a_command_does_not_say_is_taken_back(void **state)
{
    (void)state;
    struct scenario s = usual_run();
    s.quiet = true;
    s.results = "r";
    s.expect = "leak";
    s.conns = 7;
    search_only_command(&s);
    assert_false(s.quiet);
    assert_null(s.results);
    assert_null(s.expect);
    assert_int_equal(s.conns, 7);
    assert_int_equal(s.seed, 0x7f3a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ddmin_finds_each_pair_of_eight),
        cmocka_unit_test(ddmin_finds_the_three_of_the_article),
        cmocka_unit_test(ddmin_keeps_what_it_cannot_lessen),
        cmocka_unit_test(all_that_a_leak_does_not_take_goes),
        cmocka_unit_test(of_a_quick_run_too),
        cmocka_unit_test(no_run_is_longer_than_the_quick_one_was),
        cmocka_unit_test(what_a_leak_takes_stays),
        cmocka_unit_test(behaviours_that_are_known_to_leak_are_tried_first),
        cmocka_unit_test(what_does_not_show_again_is_left_as_it_was),
        cmocka_unit_test(runs_are_bounded_and_one_is_kept_to_confirm),
        cmocka_unit_test(when_time_is_over_what_was_found_is_confirmed),
        cmocka_unit_test(an_interrupt_keeps_the_shortest_yet),
        cmocka_unit_test(the_shortest_that_shows_twice_is_found),
        cmocka_unit_test(what_a_command_does_not_say_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
