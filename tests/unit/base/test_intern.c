/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { MANY = 5000 };

static void equal_texts_are_kept_once(void **state)
{
    (void)state;
    struct intern *set = intern_new();
    assert_non_null(set);
    char text[32] = "a";
    const char *kept = intern_text(set, text);
    assert_ptr_not_equal(kept, text);
    assert_ptr_equal(intern_text(set, "a"), kept);
    text[0] = 'b';
    assert_string_equal(kept, "a");
    assert_ptr_not_equal(intern_text(set, text), kept);
    assert_int_equal(intern_count(set), 2);
    intern_free(set);
}

static void numbers_follow_arrival_and_stay(void **state)
{
    (void)state;
    struct intern *set = intern_new();
    assert_non_null(set);
    char text[32];
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "text %d", i);
            assert_int_equal(intern_number(set, text), i);
            assert_string_equal(intern_at(set, (size_t)i), text);
        }
    }
    assert_int_equal(intern_count(set), MANY);
    assert_int_equal(intern_number(set, ""), MANY);
    intern_free(set);
}

/* The values of the algorithm's authors for "" and "foobar". */
static void the_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(intern_hash("", 0) == 0xcbf29ce484222325u);
    assert_true(intern_hash("foobar", 6) == 0x85944171f73967e8u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_are_kept_once),
        cmocka_unit_test(numbers_follow_arrival_and_stay),
        cmocka_unit_test(the_hash_is_fnv_1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
