/* SPDX-License-Identifier: Apache-2.0 */
#include "options/limits.h"
#include "subject/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct scenario asked(uint64_t conns)
{
    struct scenario s;
    scenario_defaults(&s);
    s.conns = conns;
    s.client_workers = 1;
    return s;
}

static void shares_add_up_and_cover_the_slots(void **state)
{
    (void)state;
    for (uint64_t slots = 1; slots <= 37; slots++) {
        for (uint64_t total = slots; total < slots * 3 + 5; total++) {
            uint64_t a = load_share(total, 0, slots / 3, slots);
            uint64_t b = load_share(total, slots / 3, slots, slots);
            assert_int_equal(a + b, total);
            assert_true(a >= slots / 3 && b >= slots - slots / 3);
        }
    }
    assert_true(load_share(UINT64_MAX, 0, 1, 1) == UINT64_MAX);
}

static void check_sum(uint64_t conns, size_t of, uint64_t opens)
{
    const struct scenario all = asked(conns);
    uint64_t sum_conns = 0, sum_opens = 0;
    double per_s = 0;
    for (size_t i = 0; i < of; i++) {
        struct scenario one;
        struct share at = {i, of};
        share_scenario(&all, at, &one);
        uint64_t own = share_opens(opens, at, conns);
        assert_true(one.conns >= 1);
        assert_true(opens < conns || own >= one.conns);
        sum_conns += one.conns;
        sum_opens += own;
        per_s += one.churn.per_s;
    }
    assert_int_equal(sum_conns, conns);
    assert_int_equal(sum_opens, opens);
    assert_true(per_s > all.churn.per_s * 0.999999 && per_s < all.churn.per_s * 1.000001);
}

static void the_load_of_all_processes_is_the_whole(void **state)
{
    (void)state;
    for (size_t of = 1; of <= LIMIT_PROCESSES; of++) {
        check_sum(of, of, 1);
        check_sum(of, of, of);
        check_sum(1000, of, 250);
        check_sum(50000, of, 62508);
    }
}

/* From `before` on, so many addresses. */
static void check_sources(uint64_t asked_for, size_t of)
{
    struct scenario all = asked(1000), one;
    unsigned next = 0;
    all.sources = asked_for;
    for (size_t i = 0; i < of; i++) {
        share_scenario(&all, (struct share){i, of}, &one);
        unsigned before = share_sources_before(&all, (struct share){i, of});
        assert_true(before >= next);
        next = before + (unsigned)one.sources;
        assert_true(next <= (asked_for ? asked_for : LIMIT_SOURCES));
    }
}

static void each_process_has_source_addresses_of_its_own(void **state)
{
    (void)state;
    for (size_t of = 2; of <= LIMIT_PROCESSES; of++) {
        check_sources(0, of);
        check_sources(LIMIT_SOURCES, of);
        check_sources(of, of);
    }
    struct scenario all = asked(1000), one;
    all.sources = 1; /* they share it */
    share_scenario(&all, (struct share){2, 3}, &one);
    assert_int_equal(one.sources, 1);
    assert_int_equal(share_sources_before(&all, (struct share){2, 3}), 0);
}

static void as_many_processes_are_needed_as_their_files_hold_the_connections(void **state)
{
    (void)state;
    const struct scenario all = asked(50000);
    size_t clients = share_clients_needed(&all, 20000), servers = share_servers_needed(&all, 20000);
    assert_int_equal(clients, 3);
    assert_int_equal(servers, 4);
    assert_true(share_client_files(&all, 3) <= 20000 && share_client_files(&all, 2) > 20000);
    assert_true(share_server_files(&all, 4) <= 20000 && share_server_files(&all, 3) > 20000);
    assert_int_equal(share_servers_needed(&all, 1024), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_add_up_and_cover_the_slots),
        cmocka_unit_test(the_load_of_all_processes_is_the_whole),
        cmocka_unit_test(each_process_has_source_addresses_of_its_own),
        cmocka_unit_test(as_many_processes_are_needed_as_their_files_hold_the_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
