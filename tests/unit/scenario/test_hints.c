/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what other tools call things: none of its rows is out of reach or out of date. */
#include "options/opts.h"
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct hint rows[] = {
#define X(typed, option, remark) {typed, option, remark},
#include "scenario/hints.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static void a_name_that_soak_has_needs_no_hint(void **state)
{
    (void)state;
    size_t count;
    const struct opt *run = scenario_options(&count);
    for (size_t i = 0; i < ROWS; i++)
        if (opts_find(run, count, rows[i].typed))
            fail_msg("--%s is an option", rows[i].typed);
}

/* Two texts, each of which may be missing. */
static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void each_row_is_found_by_what_is_typed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const struct hint *found = hint_for(rows[i].typed);
        if (!found || !same(found->option, rows[i].option) || !same(found->remark, rows[i].remark))
            fail_msg("%s stands there twice", rows[i].typed);
        assert_true(rows[i].option || rows[i].remark);
    }
    assert_null(hint_for("conns"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_soak_has_needs_no_hint),
        cmocka_unit_test(each_row_is_found_by_what_is_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
