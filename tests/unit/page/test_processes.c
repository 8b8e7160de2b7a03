/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page_file.h"
#include "page/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MASTER = 100, WORKER = 101, EPOCH = 3, SITE = 1 };

static int make(void **state)
{
    int fd;
    int code = page_file_make(&fd, (struct page **)state, NULL);
    return code ? code : close(fd);
}

static int unmake(void **state)
{
    page_file_unmap(*state);
    return 0;
}

static struct page_process *add_process(struct page *page, pid_t pid, pid_t parent)
{
    struct page_process *row = page_process_take(page, parent);
    assert_non_null(row);
    page_process_enter(row, pid);
    return row;
}

/* What a thread of `pid` would write. */
static void add_thread(struct page *page, size_t slot, pid_t pid, bool busy, int64_t blocks)
{
    struct page_thread *thread = &page->thread[slot];
    page->epoch = page_epoch_word(EPOCH);
    page->sites = SITE + 1;
    page->classes = 1;
    page->slot[slot].used = 1;
    page->slot[slot].owner = PAGE_OWNER(pid, busy);
    page->slot[slot].claimed_ns = page_process_now_ns();
    thread->census[0] = blocks;
    thread->moved[SITE] = 1;
    thread->cell[EPOCH][SITE].made = 11;
    thread->cell[EPOCH][SITE].freed = (uint64_t)(11 - blocks);
    thread->cell[EPOCH][SITE].made_bytes = 1100;
    thread->cell[EPOCH][SITE].freed_bytes = (uint64_t)(1100 - 100 * blocks);
}

static void reap(struct page *page, pid_t pid, uint64_t before_ns)
{
    page_reap(page, &(struct page_reap){pid, before_ns, getpid()});
}

static struct snapshot read_process(const struct page *page, pid_t pid)
{
    struct snapshot s;
    int code = pid ? snapshot_read_process(page, pid, &s, NULL) : snapshot_read(page, &s, NULL);
    assert_int_equal(code, 0);
    return s;
}

static void assert_holds(const struct page *page, pid_t pid, int64_t blocks)
{
    struct snapshot s = read_process(page, pid);
    assert_int_equal(s.blocks, blocks);
    assert_int_equal(s.bytes, 100 * blocks);
    assert_int_equal(s.site[SITE].born_blocks[EPOCH], blocks);
    assert_int_equal(s.class_[0].live, blocks);
    snapshot_free(&s);
}

static void a_row_tells_what_its_process_wrote(void **state)
{
    struct page *page = *state;
    struct snapshot_process rows[PAGE_PROCESSES];
    add_process(page, MASTER, 1);
    struct page_process *row = add_process(page, WORKER, MASTER);
    row->mode = PAGE_MODE_HOOKS;
    row->flags = PAGE_PROCESS_LATE;
    strcpy(row->name, "worker\n");
    strcpy(row->libcrypto, "/lib/libcrypto.so.3");
    assert_int_equal(snapshot_processes(page, rows), 2);
    assert_int_equal(rows[0].pid, MASTER);
    assert_int_equal(rows[0].mode, PAGE_MODE_INACTIVE);
    assert_int_equal(row->parent, MASTER);
    assert_int_equal(rows[1].mode, PAGE_MODE_HOOKS);
    assert_int_equal(rows[1].flags, PAGE_PROCESS_LATE);
    assert_string_equal(rows[1].name, "worker?");
    assert_string_equal(rows[1].libcrypto, "/lib/libcrypto.so.3");
}

static void a_row_that_is_being_filled_is_not_shown(void **state)
{
    struct snapshot_process rows[PAGE_PROCESSES];
    assert_non_null(page_process_take(*state, 1));
    assert_int_equal(snapshot_processes(*state, rows), 0);
}

static void a_process_without_a_row_is_counted(void **state)
{
    struct page *page = *state;
    for (pid_t pid = 1; pid <= PAGE_PROCESSES; pid++)
        add_process(page, pid, 0);
    assert_null(page_process_take(page, 0));
    struct snapshot s = read_process(page, 0);
    assert_int_equal(s.processes_lost, 1);
    snapshot_free(&s);
}

static void the_threads_of_one_process_are_told_from_the_others(void **state)
{
    struct page *page = *state;
    add_thread(page, 0, MASTER, true, 2);
    add_thread(page, 1, WORKER, true, 3);
    add_thread(page, 2, WORKER, false, 4);
    assert_holds(page, MASTER, 2);
    assert_holds(page, WORKER, 7);
    assert_holds(page, 999, 0);
    assert_holds(page, 0, 9);
}

static void a_process_that_has_gone_holds_nothing_and_keeps_its_totals(void **state)
{
    struct page *page = *state;
    struct snapshot_process rows[PAGE_PROCESSES];
    add_process(page, MASTER, 1);
    add_process(page, WORKER, MASTER);
    add_thread(page, 0, MASTER, true, 2);
    add_thread(page, 1, WORKER, true, 3);
    add_thread(page, 2, WORKER, false, 4);
    page->check.pid = WORKER;
    uint64_t activity = snapshot_activity(page);
    reap(page, WORKER, UINT64_MAX);
    assert_holds(page, WORKER, 0);
    assert_holds(page, 0, 2);
    struct snapshot s = read_process(page, 0);
    assert_int_equal(s.allocs, 30);
    assert_int_equal(s.frees, 8 + 7 + 6);
    assert_int_equal(s.reallocs, 3);
    assert_int_equal(s.alloc_bytes, 3300);
    assert_int_equal(s.site[SITE].made, 30);
    snapshot_free(&s);
    assert_int_equal(snapshot_activity(page), activity);
    assert_int_equal(page->slot[1].owner, 0);
    assert_int_equal(page->slot[2].owner, 0);
    assert_int_equal(page->check.pid, 0);
    assert_int_equal(snapshot_processes(page, rows), 1);
    assert_int_equal(rows[0].pid, MASTER);
}

/* Which of a page's memory is there at all. */
static bool is_there(const void *at)
{
    unsigned char there;
    uintptr_t bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(mincore((void *)((uintptr_t)at / bytes * bytes), 1, &there), 0);
    return there & 1;
}

static void what_a_process_did_is_looked_for_since_it_came(void **state)
{
    struct page *page = *state;
    for (pid_t pid = MASTER; pid <= WORKER; pid++)
        add_thread(page, (size_t)(pid - MASTER), pid, true, 2);
    page->slot[1].since_epoch = EPOCH;
    reap(page, WORKER, UINT64_MAX);
    assert_false(is_there(&page->thread[1].cell[EPOCH - 1][SITE]));
    reap(page, MASTER, UINT64_MAX);
    assert_true(is_there(&page->thread[0].cell[EPOCH - 1][SITE]));
    assert_holds(page, 0, 0);
}

static void where_processes_share_memory_all_that_one_freed_goes_with_it(void **state)
{
    struct page *page = *state;
    add_thread(page, 0, WORKER, true, 2);
    page->slot[0].since_epoch = EPOCH + 1;
    page->memory_shared = 1;
    reap(page, WORKER, UINT64_MAX);
    assert_holds(page, 0, 0);
}

static void a_process_without_a_row_is_reaped_by_its_slots(void **state)
{
    struct page *page = *state;
    pid_t all[PAGE_OWNERS];
    add_process(page, MASTER, 1);
    add_thread(page, 0, MASTER, true, 2);
    add_thread(page, 1, WORKER, true, 3);
    assert_int_equal(page_process_all(page, all), 2);
    assert_int_equal(all[0], MASTER);
    assert_int_equal(all[1], WORKER);
    reap(page, WORKER, page_process_now_ns());
    assert_int_equal(page_process_all(page, all), 1);
    assert_holds(page, 0, 2);
}

static void what_began_later_is_another_process_with_the_same_number(void **state)
{
    struct page *page = *state;
    struct snapshot_process rows[PAGE_PROCESSES];
    add_process(page, WORKER, MASTER);
    add_thread(page, 0, WORKER, true, 2);
    uint64_t between = page_process_now_ns() + 1;
    while (page_process_now_ns() <= between)
        ;
    add_process(page, WORKER, MASTER);
    add_thread(page, 1, WORKER, true, 3);
    add_thread(page, 2, WORKER, true, 4);
    page->slot[2].claimed_ns = 0; /* it is about to say since when */
    reap(page, WORKER, between);
    assert_holds(page, WORKER, 7);
    assert_int_equal(snapshot_processes(page, rows), 1);
    reap(page, WORKER, UINT64_MAX);
    assert_holds(page, WORKER, 0);
}

static void a_process_that_counted_in_the_slot_of_all_is_lost_when_it_goes(void **state)
{
    struct page *page = *state;
    for (pid_t pid = MASTER; pid <= WORKER; pid++)
        add_process(page, pid, 1)->flags = PAGE_PROCESS_SHARES;
    assert_int_equal(page->processes_lost, 0);
    reap(page, MASTER, UINT64_MAX);
    assert_int_equal(page->processes_lost, 1);
    page_process_leave(page, &page->process[1], WORKER);
    reap(page, WORKER, UINT64_MAX);
    assert_int_equal(page->processes_lost, 2);
}

static void the_heap_is_the_sum_of_those_of_the_processes(void **state)
{
    struct page *page = *state;
    struct page_process *row[] = {add_process(page, MASTER, 1), add_process(page, WORKER, MASTER)};
    for (size_t i = 0; i < 2; i++) {
        row[i]->heap.present = 1;
        row[i]->heap.allocated = 1000 + i;
        row[i]->heap.class_size[3] = 48;
        row[i]->heap.class_regions[3] = 7;
    }
    struct snapshot all = read_process(page, 0), one = read_process(page, WORKER);
    assert_int_equal(all.heap.present, 1);
    assert_int_equal(all.heap.allocated, 2001);
    assert_int_equal(all.heap.class_size[3], 48);
    assert_int_equal(all.heap.class_regions[3], 14);
    assert_int_equal(one.heap.allocated, 1001);
    snapshot_free(&all);
    snapshot_free(&one);
    page_process_leave(page, row[1], WORKER);
    all = read_process(page, 0);
    assert_int_equal(all.heap.allocated, 1000);
    snapshot_free(&all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_tells_what_its_process_wrote),
        TEST(a_row_that_is_being_filled_is_not_shown),
        TEST(a_process_without_a_row_is_counted),
        TEST(the_threads_of_one_process_are_told_from_the_others),
        TEST(a_process_without_a_row_is_reaped_by_its_slots),
        TEST(what_began_later_is_another_process_with_the_same_number),
        TEST(what_a_process_did_is_looked_for_since_it_came),
        TEST(where_processes_share_memory_all_that_one_freed_goes_with_it),
        TEST(a_process_that_counted_in_the_slot_of_all_is_lost_when_it_goes),
        TEST(the_heap_is_the_sum_of_those_of_the_processes),
        TEST(a_process_that_has_gone_holds_nothing_and_keeps_its_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
