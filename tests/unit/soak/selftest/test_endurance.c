/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/endurance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct endurance seen;
static char text[512];

static double now; /* seconds since the start of the run */

/* The end of an epoch that took some time and in which soak grew by some bytes. */
static void epoch(int server, int client, int libuv, double seconds, int grew)
{
    now += seconds;
    json_t *line =
        json_pack("{s:s,s:f,s:{s:i,s:i},s:{s:{s:i},s:{s:i}},s:{s:{s:i},s:{s:i}}}", "kind",
                  "checkpoint", "seconds", now, "soak", "began", 90000, "allocated", 90000 + grew,
                  "server", "openssl", "blocks", server, "libuv", "blocks", libuv, "client",
                  "openssl", "blocks", client, "libuv", "blocks", 6);
    assert_non_null(line);
    endurance_add(&seen, line);
    json_decref(line);
}

static void checkpoint(int server, int client, int libuv)
{
    epoch(server, client, libuv, 5, 0);
}

static enum endurance_state judged(void)
{
    return endurance_judge(&seen, text, sizeof text);
}

/* Two checkpoints of the warm-up, of which the second is the base. */
static int warm_up(void **state)
{
    (void)state;
    seen = (struct endurance){.base = 1};
    now = 0;
    epoch(7000, 6000, 2, 100, 5000);
    checkpoint(7957, 7322, 2);
    return 0;
}

static void equal_checkpoints_are_flat_whatever_the_warm_up_was(void **state)
{
    (void)state;
    assert_int_equal(judged(), ENDURANCE_TOO_SHORT);
    assert_string_equal(text, "1 checkpoint; server 7959 blocks; client 7328 blocks");
    checkpoint(7957, 7322, 2);
    assert_int_equal(judged(), ENDURANCE_TOO_SHORT);
    checkpoint(7957, 7322, 2);
    assert_int_equal(judged(), ENDURANCE_FLAT);
    assert_string_equal(text,
                        "3 checkpoints; server 7959 blocks; client 7328 blocks; soak's own heap "
                        "grew by at most 0 B within an epoch, the longest of 5 s");
}

static void nothing_at_all_is_too_short(void **state)
{
    (void)state;
    seen = (struct endurance){.base = 0};
    assert_int_equal(judged(), ENDURANCE_TOO_SHORT);
    assert_string_equal(text, "0 checkpoints");
}

static void one_block_of_either_side_is_not_flat_even_if_it_goes_again(void **state)
{
    (void)state;
    checkpoint(7957, 7323, 2);
    checkpoint(7957, 7322, 2);
    assert_int_equal(judged(), ENDURANCE_MOVED);
    assert_non_null(strstr(text, "client MOVED, 7328 blocks to 7328"));
    checkpoint(7957, 7322, 3);
    assert_int_equal(judged(), ENDURANCE_MOVED);
    assert_non_null(strstr(text, "server MOVED, 7959 blocks to 7960"));
}

static void a_block_that_moved_counts_however_short_the_run_was(void **state)
{
    (void)state;
    checkpoint(7958, 7322, 2);
    assert_int_equal(judged(), ENDURANCE_MOVED);
}

static void soak_may_grow_at_a_checkpoint_and_not_within_an_epoch(void **state)
{
    (void)state;
    epoch(7957, 7322, 2, 4, 160);
    epoch(7957, 7322, 2, 37, 0);
    assert_int_equal(judged(), ENDURANCE_FLAT);
    assert_non_null(strstr(text, "grew by at most 160 B within an epoch, the longest of 37 s"));
    epoch(7957, 7322, 2, 9, 1584);
    assert_int_equal(judged(), ENDURANCE_MOVED);
    assert_non_null(strstr(text, "grew by at most 1584 B"));
}

static void short_epochs_are_said_to_show_nothing_of_what_is_done_once_a_second(void **state)
{
    (void)state;
    epoch(7957, 7322, 2, 0.5, 0);
    epoch(7957, 7322, 2, 2.5, 0);
    assert_int_equal(judged(), ENDURANCE_FLAT);
    assert_non_null(strstr(text, "grew by at most 0 B within an epoch, but no epoch lasted the "
                                 "3 s that it takes to see what soak does once a second"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_checkpoints_are_flat_whatever_the_warm_up_was, warm_up),
        cmocka_unit_test_setup(nothing_at_all_is_too_short, warm_up),
        cmocka_unit_test_setup(one_block_of_either_side_is_not_flat_even_if_it_goes_again, warm_up),
        cmocka_unit_test_setup(a_block_that_moved_counts_however_short_the_run_was, warm_up),
        cmocka_unit_test_setup(soak_may_grow_at_a_checkpoint_and_not_within_an_epoch, warm_up),
        cmocka_unit_test_setup(short_epochs_are_said_to_show_nothing_of_what_is_done_once_a_second,
                               warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
