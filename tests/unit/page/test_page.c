/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "page/page_file.h"
#include "page/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct made {
    int fd;
    struct page *page;
};

static int make(void **state)
{
    static struct made made;
    *state = &made;
    return page_file_make(&made.fd, &made.page, NULL);
}

static int unmake(void **state)
{
    struct made *made = *state;
    page_file_unmap(made->page);
    close(made->fd);
    return 0;
}

static struct page *page_of(void **state)
{
    return ((struct made *)*state)->page;
}

/* What a probe would write. */
static void add_site(struct page *page, size_t index, const char *file, uint64_t line)
{
    struct page_site *site = &page->site[index];
    memcpy(site->file, file, strlen(file) + 1);
    site->line = line;
    site->ready = 1;
    page->sites = index + 1;
}

struct place {
    size_t thread, epoch, site;
};

static void add_blocks(struct page *page, struct place at, int64_t blocks, int64_t bytes)
{
    struct page_cell *cell = &page->thread[at.thread].cell[at.epoch][at.site];
    page->slot[at.thread].used = 1;
    *(blocks > 0 ? &cell->made : &cell->freed) += (uint64_t)llabs(blocks);
    *(bytes > 0 ? &cell->made_bytes : &cell->freed_bytes) += (uint64_t)llabs(bytes);
}

static struct snapshot read_page(const struct page *page)
{
    struct snapshot s;
    assert_int_equal(snapshot_read(page, &s, NULL), 0);
    return s;
}

static void a_page_that_was_made_can_be_mapped_again(void **state)
{
    struct made *made = *state;
    struct page *again;
    assert_int_equal(page_file_map(made->fd, &again, NULL), 0);
    made->page->epoch = page_epoch_word(7);
    assert_int_equal(page_epoch(again->epoch), 7);
    page_file_unmap(again);
}

static void the_descriptor_is_closed_on_exec(void **state)
{
    assert_true(fcntl(((struct made *)*state)->fd, F_GETFD) & FD_CLOEXEC);
}

static void a_subject_cannot_shrink_the_page_under_its_reader(void **state)
{
    assert_int_equal(ftruncate(((struct made *)*state)->fd, 0), -1);
}

static void assert_refused(int fd, const char *because)
{
    struct page *page = NULL;
    struct err e;
    assert_int_equal(page_file_map(fd, &page, &e), -1);
    assert_null(page);
    assert_non_null(strstr(e.text, because));
}

static void a_file_of_another_size_is_refused(void **state)
{
    (void)state;
    int fd = memfd_create("small", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_refused(fd, "4096 bytes");
    close(fd);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_refused(ends[0], "not a probe page");
    close(ends[0]);
    close(ends[1]);
    assert_refused(ends[0], "not a probe page");
}

static void a_file_with_another_magic_is_refused(void **state)
{
    struct made *made = *state;
    made->page->magic++;
    assert_refused(made->fd, "bad magic");
}

static void a_page_of_another_version_is_refused(void **state)
{
    struct made *made = *state;
    made->page->version++;
    assert_refused(made->fd, "this program reads version");
}

static void a_snapshot_sums_threads_and_epochs(void **state)
{
    struct page *page = page_of(state);
    add_site(page, 1, "ssl/ssl_lib.c", 10);
    page->epoch = page_epoch_word(2);
    add_blocks(page, (struct place){0, 0, 1}, 5, 500);
    add_blocks(page, (struct place){3, 0, 1}, -2, -200);
    add_blocks(page, (struct place){PAGE_THREADS - 1, 2, 1}, 1, 100);
    add_blocks(page, (struct place){3, 1, 1}, 1, 40);
    add_blocks(page, (struct place){3, 1, 1}, -1, -40);
    page->thread[3].moved[1] = 1;

    struct snapshot s = read_page(page);
    assert_int_equal(s.sites, 2);
    assert_string_equal(s.site[1].file, "ssl/ssl_lib.c");
    assert_int_equal(s.site[1].line, 10);
    assert_int_equal(s.site[1].made, 6);
    assert_int_equal(s.site[1].born_blocks[0], 3);
    assert_int_equal(s.site[1].born_bytes[0], 300);
    assert_int_equal(s.site[1].born_blocks[2], 1);
    assert_int_equal(s.site[1].blocks, 4);
    assert_int_equal(s.blocks, 4);
    assert_int_equal(s.bytes, 400);
    assert_int_equal(s.allocs, 6);
    assert_int_equal(s.frees, 2);
    assert_int_equal(s.reallocs, 1);
    assert_int_equal(s.alloc_bytes, 640);
    snapshot_free(&s);
}

static void a_snapshot_ignores_epochs_after_the_present_one(void **state)
{
    struct page *page = page_of(state);
    add_site(page, 1, "a.c", 1);
    add_blocks(page, (struct place){0, 1, 1}, 1, 1);
    struct snapshot s = read_page(page);
    assert_int_equal(s.blocks, 0);
    snapshot_free(&s);
}

static void libuv_is_kept_out_of_the_totals_of_openssl(void **state)
{
    struct page *page = page_of(state);
    add_site(page, 1, "libuv", 0);
    add_site(page, 2, "libuv", 3);
    add_blocks(page, (struct place){0, 0, 1}, 4, 64);
    add_blocks(page, (struct place){0, 0, 2}, 1, 16);
    page->site[1].apart = 1;
    page->thread[0].moved[1] = 1;
    struct snapshot s = read_page(page);
    assert_int_equal(s.uv_blocks, 4);
    assert_int_equal(s.uv_bytes, 64);
    assert_int_equal(s.blocks, 1);
    assert_int_equal(s.bytes, 16);
    assert_int_equal(s.site[1].made, 0);
    assert_int_equal(s.allocs, 1);
    assert_int_equal(s.reallocs, 0);
    assert_int_equal(s.alloc_bytes, 16);
    assert_int_equal(snapshot_allocs(page), 1);
    snapshot_free(&s);
}

static void names_from_another_process_are_cleaned(void **state)
{
    struct page *page = page_of(state);
    add_site(page, 1, "../../crypto/mem.c", 1);
    add_site(page, 2, "a\x1b[31m\xff.c", 1);
    add_site(page, 3, "", 1);
    memset(page->site[3].file, 'x', PAGE_FILE_BYTES);
    struct snapshot s = read_page(page);
    assert_string_equal(s.site[1].file, "crypto/mem.c");
    assert_string_equal(s.site[2].file, "a?[31m?.c");
    assert_int_equal(strlen(s.site[3].file), PAGE_FILE_BYTES - 1);
    snapshot_free(&s);
}

static void counts_beyond_the_tables_are_cut_to_them(void **state)
{
    struct page *page = page_of(state);
    page->sites = UINT64_MAX;
    page->classes = UINT64_MAX;
    page->epoch = UINT64_MAX;
    page->class_[0].ready = 1;
    page->class_[0].site = PAGE_SITES;
    add_blocks(page, (struct place){0, PAGE_EPOCHS - 1, PAGE_SITES - 1}, 1, 8);
    struct snapshot s = read_page(page);
    assert_int_equal(s.sites, PAGE_SITES);
    assert_int_equal(s.classes, PAGE_CLASSES);
    assert_int_equal(s.class_[0].site, 0);
    assert_int_equal(s.bytes, 8);
    snapshot_free(&s);
}

static void a_site_that_is_not_ready_has_no_name_yet(void **state)
{
    struct page *page = page_of(state);
    add_site(page, 1, "half", 1);
    page->site[1].ready = 0;
    struct snapshot s = read_page(page);
    assert_string_equal(s.site[1].file, "");
    snapshot_free(&s);
}

static void times_added_piece_by_piece_are_those_of_one_histogram(void **state)
{
    enum { VALUES = 1000 };
    struct page *page = page_of(state);
    static struct hist part[2], both, read;
    struct rng r = {5};
    for (int i = 0; i < VALUES; i++) {
        uint64_t value = rng_next(&r) >> rng_below(&r, 64);
        hist_add(&part[i % 3 == 0], value);
        hist_add(&both, value);
    }
    page_times_add(&page->times, &part[0]);
    page_times_add(&page->times, &part[1]);
    page_times_read(&page->times, &read);
    assert_memory_equal(&read, &both, sizeof both);
}

static void a_snapshot_copies_census_caches_heap_and_application(void **state)
{
    struct page *page = page_of(state);
    page->classes = 2;
    page->class_[1].ready = 1;
    strcpy(page->class_[1].name, "SSL");
    add_site(page, 1, "ssl/ssl_lib.c", 7);
    page->class_[1].site = 1;
    page->slot[0].used = page->slot[1].used = 1;
    page->thread[0].census[1] = 31;
    page->thread[1].census[1] = -1;
    strcpy(page->cache[2].name, "sessions");
    page->cache[2].population = 11;
    page->process[0].pid = 4711;
    page->process[0].heap.retained = 12;
    page->process[0].heap.class_regions[71] = 13;
    page->app.fail_lost = 14;
    page->bad_frees = 15;

    struct snapshot s = read_page(page);
    assert_string_equal(s.class_[1].name, "SSL");
    assert_int_equal(s.class_[1].live, 30);
    assert_int_equal(s.class_[1].site, 1);
    assert_string_equal(s.cache[2].name, "sessions");
    assert_int_equal(s.cache[2].population, 11);
    assert_int_equal(s.heap.retained, 12);
    assert_int_equal(s.heap.class_regions[71], 13);
    assert_int_equal(s.app.fail_lost, 14);
    assert_int_equal(s.bad_frees, 15);
    snapshot_free(&s);
}

static void activity_moves_with_every_allocation_and_connection(void **state)
{
    struct page *page = page_of(state);
    page_u64 *const counters[] = {
        &page->thread[0].cell[0][0].made,
        &page->thread[5].cell[0][0].freed,
        &page->app.opened,
        &page->app.closed,
        &page->app.handshakes,
        &page->app.failed,
    };
    page->slot[0].used = page->slot[5].used = page->slot[255].used = 1;
    uint64_t before = snapshot_activity(page);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        (*counters[i])++;
        uint64_t after = snapshot_activity(page);
        assert_int_not_equal(after, before);
        before = after;
    }
    page->thread[255].cell[0][0].made++; /* a realloc, as it counts */
    page->thread[255].cell[0][0].freed++;
    page->thread[255].moved[0]++;
    assert_int_not_equal(snapshot_activity(page), before);
}

#define on_a_page(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_a_page(a_page_that_was_made_can_be_mapped_again),
        on_a_page(the_descriptor_is_closed_on_exec),
        on_a_page(a_subject_cannot_shrink_the_page_under_its_reader),
        cmocka_unit_test(a_file_of_another_size_is_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        on_a_page(a_file_with_another_magic_is_refused),
        on_a_page(a_page_of_another_version_is_refused),
        on_a_page(a_snapshot_sums_threads_and_epochs),
        on_a_page(a_snapshot_ignores_epochs_after_the_present_one),
        on_a_page(libuv_is_kept_out_of_the_totals_of_openssl),
        on_a_page(names_from_another_process_are_cleaned),
        on_a_page(counts_beyond_the_tables_are_cut_to_them),
        on_a_page(a_site_that_is_not_ready_has_no_name_yet),
        on_a_page(times_added_piece_by_piece_are_those_of_one_histogram),
        on_a_page(a_snapshot_copies_census_caches_heap_and_application),
        on_a_page(activity_moves_with_every_allocation_and_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
