/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked to settle, and whose answers are waited for: none of these subjects is started. */
#include "src/soak/subject/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned asked; /* a bit per subject */

static void settle(struct subject *s, uint64_t id, const char *words)
{
    (void)words;
    assert_int_equal(id, s->all->settle_id);
    asked |= 1u << subject_index(s);
}

static const struct subject_ops settles = {.can = SUBJECT_CAN_SETTLE, .settle = settle};
static const struct subject_ops runs_on = {.can = 0, .settle = settle};

static struct scenario scenario;
static const struct programs programs = {.scenario = &scenario};

static void make(struct subjects *all, const struct subject_ops *of_the_load)
{
    scenario_defaults(&scenario);
    *all = (struct subjects){.programs = &programs};
    assert_int_equal(subjects_init(all, NULL), 0);
    subjects_find(all, SUBJECT_JUDGED)->ops = &settles;
    subjects_find(all, SUBJECT_LOAD)->ops = of_the_load;
    asked = 0;
}

static void all_have_settled_when_the_last_one_answers(void **state)
{
    (void)state;
    struct subjects all;
    make(&all, &settles);
    subjects_settle(&all, NULL);
    assert_int_equal(asked, 3);
    assert_false(subjects_settled(&all, &all.subject[0], all.settle_id));
    assert_false(subjects_settled(&all, &all.subject[0], all.settle_id)); /* said twice */
    assert_true(subjects_settled(&all, &all.subject[1], all.settle_id));
    subjects_fini(&all);
}

static void an_answer_to_an_earlier_order_is_none(void **state)
{
    (void)state;
    struct subjects all;
    make(&all, &settles);
    subjects_settle(&all, NULL);
    uint64_t earlier = all.settle_id;
    subjects_settle(&all, NULL);
    assert_false(subjects_settled(&all, &all.subject[0], earlier));
    assert_false(subjects_settled(&all, &all.subject[1], all.settle_id));
    assert_true(subjects_settled(&all, &all.subject[0], all.settle_id));
    subjects_fini(&all);
}

static void one_that_cannot_settle_is_not_waited_for(void **state)
{
    (void)state;
    struct subjects all;
    make(&all, &runs_on);
    subjects_settle(&all, NULL);
    assert_int_equal(asked, 1u << subject_index(subjects_find(&all, SUBJECT_JUDGED)));
    assert_true(subjects_settled(&all, subjects_find(&all, SUBJECT_JUDGED), all.settle_id));
    subjects_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_have_settled_when_the_last_one_answers),
        cmocka_unit_test(an_answer_to_an_earlier_order_is_none),
        cmocka_unit_test(one_that_cannot_settle_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
