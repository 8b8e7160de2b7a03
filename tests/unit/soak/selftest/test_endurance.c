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

static void checkpoint(int server, int client, int libuv)
{
    json_t *line = json_pack("{s:s,s:{s:{s:i},s:{s:i}},s:{s:{s:i},s:{s:i}}}", "kind", "checkpoint",
                             "server", "openssl", "blocks", server, "libuv", "blocks", libuv,
                             "client", "openssl", "blocks", client, "libuv", "blocks", 6);
    assert_non_null(line);
    endurance_add(&seen, line);
    json_decref(line);
}

static void tick(int epoch, int allocated)
{
    json_t *line = json_pack("{s:s,s:i,s:{s:i}}", "kind", "tick", "epoch", epoch, "soak",
                             "allocated", allocated);
    assert_non_null(line);
    endurance_add(&seen, line);
    json_decref(line);
}

static bool flat(void)
{
    return endurance_flat(&seen, text, sizeof text);
}

/* Two checkpoints of the warm-up, of which the second is the base. */
static int warm_up(void **state)
{
    (void)state;
    seen = (struct endurance){.base = 1, .epoch = -1};
    checkpoint(7000, 6000, 2);
    checkpoint(7957, 7322, 2);
    return 0;
}

static void equal_checkpoints_are_flat_whatever_the_warm_up_was(void **state)
{
    (void)state;
    checkpoint(7957, 7322, 2);
    assert_false(flat()); /* too few */
    checkpoint(7957, 7322, 2);
    assert_true(flat());
    assert_string_equal(text, "3 checkpoints; server 7959 blocks; client 7328 blocks; no epoch was "
                              "long enough to see soak's own heap");
}

static void one_block_of_either_side_is_not_flat_even_if_it_goes_again(void **state)
{
    (void)state;
    checkpoint(7957, 7323, 2);
    checkpoint(7957, 7322, 2);
    assert_false(flat());
    assert_non_null(strstr(text, "client MOVED, 7328 blocks to 7328"));
    checkpoint(7957, 7322, 3);
    assert_false(flat());
    assert_non_null(strstr(text, "server MOVED, 7959 blocks to 7960"));
}

static void soak_may_grow_at_a_checkpoint_and_not_between(void **state)
{
    (void)state;
    checkpoint(7957, 7322, 2);
    checkpoint(7957, 7322, 2);
    for (int i = 0; i < 5; i++)
        tick(3, 90000);
    for (int i = 0; i < 5; i++)
        tick(4, i ? 100000 : 95000);
    assert_true(flat());
    assert_non_null(strstr(text, "soak's own heap grew by at most 0 B within an epoch"));
    for (int i = 5; i < 100; i++)
        tick(4, 100000 + 16 * i);
    assert_false(flat());
    assert_non_null(strstr(text, "grew by at most 1584 B"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_checkpoints_are_flat_whatever_the_warm_up_was, warm_up),
        cmocka_unit_test_setup(one_block_of_either_side_is_not_flat_even_if_it_goes_again, warm_up),
        cmocka_unit_test_setup(soak_may_grow_at_a_checkpoint_and_not_between, warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
