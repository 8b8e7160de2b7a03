/* SPDX-License-Identifier: Apache-2.0 */
/* From how many connections on an idle one gives its buffers back. */
#include "client/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void idle_connections_give_buffers_back_from_a_thousand_on(void **state)
{
    static const uint64_t few[] = {1, 30, 999}, many[] = {1000, 1001, 50000};
    (void)state;
    for (size_t i = 0; i < sizeof few / sizeof *few; i++)
        assert_false(worker_modes(few[i]) & SSL_MODE_RELEASE_BUFFERS);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        assert_true(worker_modes(many[i]) & SSL_MODE_RELEASE_BUFFERS);
}

static void a_part_of_a_write_is_enough_whatever_the_number(void **state)
{
    (void)state;
    assert_true(worker_modes(1) & SSL_MODE_ENABLE_PARTIAL_WRITE);
    assert_true(worker_modes(1000) & SSL_MODE_ENABLE_PARTIAL_WRITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connections_give_buffers_back_from_a_thousand_on),
        cmocka_unit_test(a_part_of_a_write_is_enough_whatever_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
