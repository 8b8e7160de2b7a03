/* SPDX-License-Identifier: Apache-2.0 */
/* What stays of a connection, told apart from what only moves. */
#include "src/soak/torture/torture_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SITES = 12 };

static struct snapshot_site then[SITES], now[SITES];

static struct snapshot ledger(struct snapshot_site *site)
{
    return (struct snapshot){.sites = SITES, .site = site};
}

static void set(struct snapshot_site *site, const char *file, uint32_t line, int64_t blocks,
                int64_t bytes)
{
    strcpy(site->file, file);
    site->line = line;
    site->blocks = blocks;
    site->bytes = bytes;
}

static struct kept compared(void)
{
    struct kept k;
    struct snapshot before = ledger(then), after = ledger(now);
    kept_compare(&before, &after, &k);
    return k;
}

static int clear(void **state)
{
    (void)state;
    memset(then, 0, sizeof then);
    memset(now, 0, sizeof now);
    return 0;
}

static void a_block_more_stays_at_its_site(void **state)
{
    (void)state;
    set(&then[3], "ssl/a.c", 7, 5, 500);
    set(&now[3], "ssl/a.c", 7, 6, 620);
    struct kept k = compared();
    assert_true(kept_any(&k));
    assert_int_equal(k.blocks, 1);
    assert_int_equal(k.bytes, 120);
    assert_int_equal(k.sites, 1);
    assert_string_equal(k.site[0].file, "ssl/a.c");
    assert_int_equal(k.site[0].line, 7);
    assert_int_equal(k.site[0].site, 3);
}

static void a_block_that_moves_to_another_site_does_not_stay(void **state)
{
    (void)state;
    set(&then[3], "ssl/a.c", 7, 1, 100);
    set(&now[4], "ssl/b.c", 8, 1, 100);
    struct kept k = compared();
    assert_false(kept_any(&k));
}

static void a_larger_block_in_its_place_stays(void **state)
{
    (void)state;
    set(&then[3], "ssl/a.c", 7, 1, 100);
    set(&now[3], "ssl/a.c", 7, 1, 148);
    struct kept k = compared();
    assert_true(kept_any(&k));
}

static void what_is_freed_late_does_not_stay(void **state)
{
    (void)state;
    set(&then[3], "ssl/a.c", 7, 2, 100);
    set(&now[4], "ssl/b.c", 8, 1, 400);
    struct kept k = compared();
    assert_int_equal(k.blocks, -1);
    assert_int_equal(k.bytes, 300);
    assert_false(kept_any(&k));
}

static void libuvs_blocks_are_no_part_of_it(void **state)
{
    (void)state;
    set(&now[1], "libuv", 0, 3, 300);
    struct kept k = compared();
    assert_false(kept_any(&k));
    assert_int_equal(k.sites, 0);
}

static void the_largest_sites_come_first_and_the_others_are_counted(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < SITES; i++)
        set(&now[i], "x.c", i, 1, (int64_t)(i * 7 % 11) * 10 + 10);
    struct kept k = compared();
    assert_int_equal(k.sites, KEPT_SITES);
    assert_int_equal(k.more_sites, SITES - 1 - KEPT_SITES);
    for (size_t i = 1; i < k.sites; i++)
        assert_true(k.site[i - 1].bytes >= k.site[i].bytes);
    assert_int_equal(k.site[0].bytes, 110);
}

static void the_same_is_the_same_blocks_at_the_same_sites(void **state)
{
    (void)state;
    set(&now[2], "a.c", 1, 1, 100);
    set(&now[3], "b.c", 2, 1, 90);
    struct kept first = compared();
    now[3].bytes = 120; /* now the larger one, so the order differs */
    struct kept second = compared();
    assert_true(kept_same(&first, &second));
    now[3].blocks = 2;
    second = compared();
    assert_false(kept_same(&first, &second));
    now[3] = (struct snapshot_site){.line = 0};
    set(&now[4], "c.c", 3, 1, 90);
    second = compared();
    assert_false(kept_same(&first, &second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_block_more_stays_at_its_site, clear),
        cmocka_unit_test_setup(a_block_that_moves_to_another_site_does_not_stay, clear),
        cmocka_unit_test_setup(a_larger_block_in_its_place_stays, clear),
        cmocka_unit_test_setup(what_is_freed_late_does_not_stay, clear),
        cmocka_unit_test_setup(libuvs_blocks_are_no_part_of_it, clear),
        cmocka_unit_test_setup(the_largest_sites_come_first_and_the_others_are_counted, clear),
        cmocka_unit_test_setup(the_same_is_the_same_blocks_at_the_same_sites, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
