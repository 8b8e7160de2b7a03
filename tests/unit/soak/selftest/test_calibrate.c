/* SPDX-License-Identifier: Apache-2.0 */
/* What soak calibrate counts of a run. */
#include "src/soak/selftest/calibrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static json_t *sample(const char *kind, int server_blocks, int client_bytes)
{
    return json_pack("{s:s, s:{s:{s:i, s:i}}, s:{s:{s:i, s:i}}}", "kind", kind, "server", "openssl",
                     "blocks", server_blocks, "bytes", 100, "client", "openssl", "blocks", 7,
                     "bytes", client_bytes);
}

static void add(struct calibrate_ledger *l, const char *kind, int server_blocks, int client_bytes)
{
    json_t *s = sample(kind, server_blocks, client_bytes);
    calibrate_ledger_add(l, s);
    json_decref(s);
}

/* Two checkpoints of warm-up, then two that are the same. */
static struct calibrate_ledger level(void)
{
    struct calibrate_ledger l = {.checkpoints = 0};
    add(&l, "checkpoint", 5, 1);
    add(&l, "checkpoint", 8, 2);
    add(&l, "checkpoint", 9, 3);
    add(&l, "tick", 1000, 1000);
    add(&l, "checkpoint", 9, 3);
    return l;
}

static void what_moves_in_the_warm_up_is_level(void **state)
{
    (void)state;
    struct calibrate_ledger l = level();
    assert_true(calibrate_ledger_level(&l));
}

static void one_block_or_byte_of_either_side_moves_the_ledger(void **state)
{
    (void)state;
    struct calibrate_ledger server = level(), client = level();
    add(&server, "checkpoint", 10, 3);
    add(&server, "checkpoint", 9, 3);
    add(&client, "checkpoint", 9, 4);
    assert_false(calibrate_ledger_level(&server));
    assert_false(calibrate_ledger_level(&client));
}

static void nothing_to_compare_is_not_level(void **state)
{
    (void)state;
    struct calibrate_ledger none = {.checkpoints = 0}, few = {.checkpoints = 0}, strange = level();
    add(&few, "checkpoint", 9, 3);
    add(&few, "checkpoint", 9, 3);
    add(&few, "checkpoint", 9, 3);
    assert_false(calibrate_ledger_level(&none));
    assert_false(calibrate_ledger_level(&few));
    json_t *s = json_pack("{s:s}", "kind", "checkpoint");
    calibrate_ledger_add(&strange, s);
    json_decref(s);
    assert_false(calibrate_ledger_level(&strange));
}

static void count(struct calibrate_tally *t, enum verdict verdict)
{
    const struct result result = {.verdict = verdict};
    calibrate_count(t, &result, false);
}

static void each_verdict_is_counted_and_none_is_invalid(void **state)
{
    (void)state;
    struct calibrate_tally t = {.runs = 0};
    count(&t, VERDICT_PASS);
    count(&t, VERDICT_PASS);
    count(&t, VERDICT_LEAK);
    count(&t, VERDICT_INCONCLUSIVE);
    count(&t, VERDICT_INVALID);
    assert_int_equal(calibrate_count(&t, NULL, true), VERDICT_INVALID);
    assert_int_equal(t.runs, 6);
    assert_int_equal(t.verdict[VERDICT_PASS], 2);
    assert_int_equal(t.verdict[VERDICT_LEAK], 1);
    assert_int_equal(t.verdict[VERDICT_INCONCLUSIVE], 1);
    assert_int_equal(t.verdict[VERDICT_INVALID], 2);
    assert_int_equal(t.level, 1);
}

static void mixes_have_names_of_their_own_and_options_that_end(void **state)
{
    (void)state;
    size_t mixes;
    const struct calibrate_mix *m = calibrate_mixes(&mixes);
    for (size_t i = 0; i < mixes; i++) {
        assert_null(m[i].options[CALIBRATE_OPTIONS]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(m[i].name, m[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_in_the_warm_up_is_level),
        cmocka_unit_test(one_block_or_byte_of_either_side_moves_the_ledger),
        cmocka_unit_test(nothing_to_compare_is_not_level),
        cmocka_unit_test(each_verdict_is_counted_and_none_is_invalid),
        cmocka_unit_test(mixes_have_names_of_their_own_and_options_that_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
