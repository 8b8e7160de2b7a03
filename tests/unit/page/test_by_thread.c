/* SPDX-License-Identifier: Apache-2.0 */
#include "page/by_thread.h"

#include "page/page_file.h"
#include "page/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

enum { SITE = 1, OTHER = 2, NEWEST = 5 };

static int make(void **state)
{
    int fd;
    int code = page_file_make(&fd, (struct page **)state, NULL);
    if (code)
        return code;
    struct page *page = *state;
    page->epoch = page_epoch_word(NEWEST);
    page->sites = OTHER + 1;
    return close(fd);
}

static int unmake(void **state)
{
    page_file_unmap(*state);
    return 0;
}

static void count(struct page *page, size_t slot, size_t site, size_t epoch, int64_t kept)
{
    struct page_cell *cell = &page->thread[slot].cell[epoch][site];
    page->slot[slot].used = 1;
    cell->made = 7;
    cell->freed = (uint64_t)(7 - kept);
}

static void each_thread_keeps_its_own(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    count(page, 3, SITE, 0, 7);
    count(page, 3, SITE, NEWEST, 1);
    count(page, 3, SITE, 2, 0);
    count(page, 9, SITE, 2, 2);
    count(page, 9, OTHER, 1, 1);
    by_thread_read(page, &b);
    assert_int_equal(b.threads, 2);
    assert_int_equal(b.sites, OTHER + 1);
    assert_int_equal(b.kept[SITE * 2 + 0], 1 | 1 << NEWEST);
    assert_int_equal(b.kept[SITE * 2 + 1], 1 << 2);
    assert_int_equal(b.kept[OTHER * 2 + 0], 0);
    assert_int_equal(b.kept[OTHER * 2 + 1], 1 << 1);
    assert_int_equal(b.makes[0], 1 | 1 << 2 | 1 << NEWEST);
    assert_int_equal(b.makes[1], 1 << 1 | 1 << 2);
    by_thread_free(&b);
    assert_int_equal(b.threads, 0);
}

/* Of an epoch: a thread that has ended may have freed what another then made in its slot. */
static void of_whose_blocks_another_thread_freed_some_is_told(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    count(page, 3, SITE, 1, 2);
    count(page, 3, SITE, 2, 2);
    count(page, 3, OTHER, 1, 2);
    count(page, 4, SITE, 1, -1);
    by_thread_read(page, &b);
    assert_int_equal(b.passed_on[SITE], 1 << 1);
    assert_int_equal(b.passed_on[OTHER], 0);
    by_thread_free(&b);
}

static void what_is_not_openssls_makes_no_thread_one_that_serves(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    page->site[OTHER].apart = 1;
    count(page, 3, OTHER, 1, 2);
    by_thread_read(page, &b);
    assert_int_equal(b.threads, 1);
    assert_int_equal(b.makes[0], 0);
    assert_int_equal(b.kept[OTHER], 1 << 1);
    by_thread_free(&b);
}

/* The last slot is that of all that found no place. */
static void where_threads_share_a_slot_nothing_is_known(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    count(page, PAGE_THREADS - 1, SITE, 1, 2);
    count(page, PAGE_THREADS - 2, SITE, 1, 2);
    by_thread_read(page, &b);
    assert_int_equal(b.threads, 0);
    by_thread_free(&b);
    page->slot[PAGE_THREADS - 1].used = 0;
    by_thread_read(page, &b);
    assert_int_equal(b.threads, 1);
    by_thread_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_thread_keeps_its_own, make, unmake),
        cmocka_unit_test_setup_teardown(of_whose_blocks_another_thread_freed_some_is_told, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(what_is_not_openssls_makes_no_thread_one_that_serves, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(where_threads_share_a_slot_nothing_is_known, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
