/* SPDX-License-Identifier: Apache-2.0 */
/* When the ports of one address run out. */
#include "src/soak/subject/preflight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ports_in_time_wait_are_counted_where_they_are_not_taken_again(void **state)
{
    (void)state;
    const struct {
        double per_s;
        uint64_t conns;
        long ports;
        bool reused, suffice;
    } row[] = {
        {1000, 30, 28232, true, true},   {0, 30, 28232, true, true},
        {1000, 30, 28232, false, false}, {0, 30, 28232, false, false},
        {400, 30, 28232, false, true},   {470, 30, 28232, false, true},
        {470, 100, 28232, false, false}, {1, 30000, 28232, true, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(ports_suffice(row[i].per_s, row[i].conns, row[i].ports, row[i].reused),
                         row[i].suffice);
}

static void ipv4_has_addresses_enough(void **state)
{
    (void)state;
    struct scenario s;
    scenario_defaults(&s);
    assert_int_equal(ports_check(&s, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_in_time_wait_are_counted_where_they_are_not_taken_again),
        cmocka_unit_test(ipv4_has_addresses_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
