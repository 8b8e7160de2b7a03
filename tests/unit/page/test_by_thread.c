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
static void whose_blocks_are_left_where_another_thread_freed_some_is_not_known(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    count(page, 3, SITE, 1, 2);
    count(page, 3, SITE, 2, 2);
    count(page, 3, OTHER, 1, 2);
    count(page, 4, SITE, 1, -1);
    count(page, 4, SITE, 0, 1);
    by_thread_read(page, &b);
    assert_int_equal(b.kept[SITE * 2 + 0], 1 << 2);
    assert_int_equal(b.kept[SITE * 2 + 1], 1 << 0);
    assert_int_equal(b.kept[OTHER * 2 + 0], 1 << 1);
    by_thread_free(&b);
}

/* Many threads may be in the last slot, and what isn't OpenSSL's is in no total. */
static void threads_without_a_slot_and_other_blocks_are_left_out(void **state)
{
    struct page *page = *state;
    struct by_thread b;
    page->site[OTHER].apart = 1;
    count(page, PAGE_THREADS - 1, SITE, 1, 2);
    count(page, PAGE_THREADS - 2, OTHER, 1, 2);
    by_thread_read(page, &b);
    assert_int_equal(b.threads, 1);
    assert_int_equal(b.makes[0], 0);
    assert_int_equal(b.kept[OTHER], 1 << 1);
    by_thread_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_thread_keeps_its_own, make, unmake),
        cmocka_unit_test_setup_teardown(
            whose_blocks_are_left_where_another_thread_freed_some_is_not_known, make, unmake),
        cmocka_unit_test_setup_teardown(threads_without_a_slot_and_other_blocks_are_left_out, make,
                                        unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
