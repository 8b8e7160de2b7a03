/* SPDX-License-Identifier: Apache-2.0 */
#include "base/exit_codes.h"
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define FRUIT_LIST(X)                                                                              \
    X(FRUIT_APPLE, "apple", "grows on trees", 7)                                                   \
    X(FRUIT_MELON, "melon", "grows on the ground", 9)
#define WEIGHT(id, name, text, weight) [id] = weight,

enum fruit { FRUIT_LIST(ENUM_ID) FRUIT_COUNT };

static ENUM_NAMES(fruit, FRUIT_LIST) static ENUM_TEXTS(fruit, FRUIT_LIST) static ENUM_FROM_NAME(
    fruit, FRUIT_LIST) static ENUM_COLUMN(fruit_weight, int, fruit, FRUIT_LIST, WEIGHT)

#define STONE_LIST(X) X(STONE_FLINT, 1) X(STONE_SLATE, 2)
    enum stone {
        STONE_NONE,
        STONE_LIST(ENUM_ID)
    };
static ENUM_SPELLINGS(stone, STONE_LIST)

    static void every_value_has_its_columns(void **state)
{
    (void)state;
    assert_int_equal(FRUIT_COUNT, 2);
    assert_int_equal(ENUM_COUNT(FRUIT_LIST), 2);
    assert_string_equal(fruit_name(FRUIT_MELON), "melon");
    assert_string_equal(fruit_text(FRUIT_APPLE), "grows on trees");
    assert_int_equal(fruit_weight(FRUIT_MELON), 9);
}

static void a_name_leads_back_to_its_value(void **state)
{
    (void)state;
    enum fruit fruit = FRUIT_APPLE;
    assert_true(fruit_from_name("melon", &fruit));
    assert_int_equal(fruit, FRUIT_MELON);
    assert_false(fruit_from_name("melo", &fruit));
    assert_false(fruit_from_name("", &fruit));
    assert_false(fruit_from_name(NULL, &fruit));
    assert_int_equal(fruit, FRUIT_MELON);
}

static void values_before_the_list_leave_no_trace_in_it(void **state)
{
    (void)state;
    assert_string_equal(stone_name(STONE_FLINT), "STONE_FLINT");
    assert_string_equal(stone_name(STONE_SLATE), "STONE_SLATE");
    assert_null(stone_name(STONE_NONE));
}

/* Scripts depend on them (docs/reference/exit-codes.md). */
static void exit_codes_stay_what_they_are(void **state)
{
    (void)state;
    assert_int_equal(EXIT_PASS, 0);
    assert_int_equal(EXIT_FOUND, 1);
    assert_int_equal(EXIT_USAGE, 2);
    assert_int_equal(EXIT_INCONCLUSIVE, 3);
    assert_int_equal(EXIT_BROKEN, 4);
    assert_int_equal(EXIT_INTERRUPTED, 130);
    assert_int_equal(EXIT_SKIP, 125);
    assert_int_equal(EXIT_STOP, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_columns),
        cmocka_unit_test(a_name_leads_back_to_its_value),
        cmocka_unit_test(values_before_the_list_leave_no_trace_in_it),
        cmocka_unit_test(exit_codes_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
