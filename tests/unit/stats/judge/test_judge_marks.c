/* SPDX-License-Identifier: Apache-2.0 */
/* Sites without a line, which are all that calls malloc: what proves that they go on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

static struct sim *of_malloc(const int64_t kept[6])
{
    struct sim *s = keeping(kept);
    s->without_line[SITE] = true;
    return s;
}

/* 200 connections warm up, and 600 are judged: whether these are enough. */
static bool goes_on(const int64_t kept[6])
{
    struct said said = ask(of_malloc(kept), ONLY(RULE_MARKS));
    if (said.found)
        expect(&said, VERDICT_INCONCLUSIVE, KIND_ONE_TIME);
    return !said.found;
}

/* By 29 in each, of 0.25 of the variance that chance gives; those that differ by four from 46 to 54
 * are more than chance. The figures are from the formulas alone. */
static void blocks_that_come_evenly_go_on(void **state)
{
    (void)state;
    static const int64_t less[6] = {28, 28, 28, 28, 28, 28}, even[6] = {29, 29, 29, 29, 29, 29},
                         varied_less[6] = {53, 45, 53, 45, 53, 45},
                         varied[6] = {54, 46, 54, 46, 54, 46},
                         rising_less[6] = {22, 24, 26, 22, 24, 26},
                         rising[6] = {23, 25, 27, 23, 25, 27}, none[6] = {0};
    assert_true(goes_on(even) && goes_on(varied) && goes_on(rising));
    assert_false(goes_on(less) || goes_on(varied_less) || goes_on(rising_less) || goes_on(none));
}

/* Epochs of the first half may be left out, and no others. */
static void a_warm_up_of_the_first_half_is_left_out(void **state)
{
    (void)state;
    static const int64_t one[6] = {1290, 129, 129, 129, 129, 129},
                         one_less[6] = {1280, 128, 128, 128, 128, 128},
                         two[6] = {3276, 2184, 1092, 1092, 1092, 1092},
                         two_less[6] = {3273, 2182, 1091, 1091, 1091, 1091},
                         half[6] = {0, 0, 0, 1000000, 1000000, 1000000};
    assert_true(goes_on(one) && goes_on(two));
    assert_false(goes_on(one_less) || goes_on(two_less) || goes_on(half));
}

/* The first connection of all is where a mark begins. */
static void without_a_warm_up_a_mark_begins_with_one_connection(void **state)
{
    (void)state;
    for (int64_t each = 2; each <= 3; each++) {
        const int64_t kept[6] = {0};
        struct sim *s = of_malloc(kept);
        for (size_t c = 0; c < FIRST; c++)
            s->epoch[c].opened = 0;
        for (size_t c = FIRST; c < 8; c++)
            s->site[SITE].live[c] = each;
        assert_true(ask(s, ONLY(RULE_MARKS)).found == (each == 2));
    }
}

static void only_what_has_no_line_is_asked_and_no_reloads(void **state)
{
    (void)state;
    static const int64_t few[6] = {1, 1, 1, 1, 1, 1};
    assert_false(ask_of(few, ONLY(RULE_MARKS)).found);
    assert_true(ask(of_malloc(few), ONLY(RULE_MARKS)).found);
    struct sim *s = of_malloc(few);
    s->e.unit = UNIT_RELOAD;
    assert_false(ask(s, ONLY(RULE_MARKS)).found);
    s = of_malloc(few);
    s->lent[SITE].file = "libuv"; /* of soak's own programs, and no pool */
    assert_false(ask(s, ONLY(RULE_MARKS)).found);
}

/* ---- what would have shown ---- */

static double shown_of(struct sim *s, uint64_t opens, uint64_t rules)
{
    struct judge_context h;
    for (size_t c = FIRST; c < 8; c++)
        s->epoch[c].opened = opens;
    judge_context_open(&h, sim_evidence(s), rules);
    double one_in = marks_one_in(&h);
    free(s);
    return one_in;
}

static double shown(uint64_t opens, bool has_line, uint64_t rules)
{
    static const int64_t none[6] = {0};
    struct sim *s = of_malloc(none);
    s->without_line[SITE] = !has_line;
    s->site[SITE].blocks[0] = 1;
    return shown_of(s, opens, rules);
}

/* 593.914 blocks of six epochs of a thousand, within four deviations; the search ends less than a
 * thousandth above. Of a hundred it takes more blocks than there are connections. */
static void a_leak_of_mallocs_would_have_shown(void **state)
{
    (void)state;
    double one_in = shown(1000, false, RULES_ALL), most = 6000 / 593.914;
    assert_true(one_in <= most && one_in > most / 1.001);
    one_in = shown(100, false, RULES_ALL);
    assert_true(one_in > 0 && one_in < 1);
    assert_true(shown(1000, true, RULES_ALL) == 0);
    assert_true(shown(1000, false, RULES_ALL & ~ONLY(RULE_MARKS)) == 0);
}

/* Where malloc isn't counted nothing is said of it: the site of what has no place is empty, and
 * libuv's isn't malloc's. */
static void nothing_is_said_of_malloc_where_it_is_not_counted(void **state)
{
    (void)state;
    static const int64_t none[6] = {0};
    assert_true(shown_of(of_malloc(none), 1000, RULES_ALL) == 0);
    struct sim *s = of_malloc(none);
    s->site[SITE].blocks[0] = 1;
    s->lent[SITE].file = "libuv";
    assert_true(shown_of(s, 1000, RULES_ALL) == 0);
    s = of_malloc(none);
    s->site[SITE].blocks[LAST] = 1;
    assert_true(shown_of(s, 1000, RULES_ALL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_come_evenly_go_on),
        cmocka_unit_test(a_warm_up_of_the_first_half_is_left_out),
        cmocka_unit_test(without_a_warm_up_a_mark_begins_with_one_connection),
        cmocka_unit_test(only_what_has_no_line_is_asked_and_no_reloads),
        cmocka_unit_test(a_leak_of_mallocs_would_have_shown),
        cmocka_unit_test(nothing_is_said_of_malloc_where_it_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
