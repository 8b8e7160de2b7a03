/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include "blocks.h"
#include "preload.h"
#include "probe/census.h"
#include "probe/heap.h"
#include "probe/plant.h"
#include "probe/site_table.h"
#include "row.h"
#include "under.h"

#include <errno.h>
#include <time.h>

/* ---- the heap's figures ---- */

enum { PUBLISH_SHARE = 100, PUBLISH_SAVED_NS = 20000000 };

/* Under `publishing`: when there is time for the next, and whether somebody came meanwhile. */
static atomic_flag publishing = ATOMIC_FLAG_INIT;
static atomic_bool publish_again;
static uint64_t publish_due_ns;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* no system call, as a rule */
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool was_asked(void)
{
    return atomic_load_explicit(&preload_page->publish_asked, memory_order_relaxed) &&
           atomic_exchange(&preload_page->publish_asked, 0);
}

/* Each publishing puts the next one off by a hundred times its own length; time that wasn't needed
 * is saved up, but not for long. One that was asked for isn't put off. */
static void publish_timed(struct page_heap *heap)
{
    uint64_t from = now_ns();
    if (publish_due_ns + PUBLISH_SAVED_NS < from)
        publish_due_ns = from - PUBLISH_SAVED_NS;
    if (!was_asked() && publish_due_ns > from)
        return;
    heap_publish(heap, true);
    publish_due_ns += PUBLISH_SHARE * (now_ns() - from);
}

/* One at a time; who comes meanwhile leaves it to that one, whose figures may be too old: what was
 * asked for meanwhile, too. */
static void publish(struct page_heap *heap)
{
    atomic_store(&publish_again, true);
    while (atomic_load(&publish_again) && !atomic_flag_test_and_set(&publishing)) {
        atomic_store(&publish_again, false);
        publish_timed(heap);
        atomic_flag_clear(&publishing);
    }
}

/* ---- connections ---- */

/* Whether they are objects that a library tells of, or only seen to be accepted. */
static atomic_int objects_state;
enum { NOT_STARTED, STARTING, UNSEEN, SEEN };

static void publish_own(void)
{
    struct page_heap *heap = row_heap();
    if (heap && heap_present())
        publish(heap);
}

static void on_ssl_freed(void)
{
    atomic_fetch_add(&preload_page->app.closed, 1);
    publish_own();
}

static void on_connection(void)
{
    plant_on_connection(atomic_fetch_add(&preload_page->app.opened, 1), row_pid());
}

static void on_ssl(int by)
{
    if (by < 0)
        on_ssl_freed();
    else
        on_connection();
}

/* Connections are held: what comes and goes are operations, which only the orchestrator counts. */
static void on_turn(void)
{
    /* heap_present tries malloc(), which leads here again. */
    static _Thread_local bool inside __attribute__((tls_model("initial-exec")));
    if (inside)
        return;
    inside = true;
    plant_catch_up(row_pid());
    publish_own();
    inside = false;
}

void objects_start(struct page *page, const struct libcrypto *lib)
{
    const struct census_calls calls = {.get_ex_new_index = lib->get_ex_new_index,
                                       .version = lib->version,
                                       .site_of = blocks_site_of,
                                       .is_inherited = blocks_is_inherited,
                                       .on_ssl = on_ssl};
    atomic_store(&objects_state, SEEN);
    blocks_turn_by_malloc = false;
    blocks_on_turn = on_turn;
    plant_start(page, &(struct plant_calls){lib->malloc, lib->free});
    if (lib->version && lib->malloc && lib->free && lib->get_ex_new_index)
        census_start(page, &calls, NULL);
}

static void *unseen_malloc(size_t size, const char *file, int line)
{
    void *block = under.malloc(block_room(size));
    if (block)
        blocks_born(block, size, site_find(file, line), BLOCK_OPENSSL);
    return block;
}

static void unseen_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    blocks_end(block);
    under.free(block);
}

void objects_start_unseen(struct page *page)
{
    int none = NOT_STARTED;
    if (atomic_compare_exchange_strong(&objects_state, &none, STARTING)) {
        blocks_on_turn = on_turn;
        blocks_turn_by_malloc = true;
        plant_start(page, &(struct plant_calls){unseen_malloc, unseen_free});
        atomic_compare_exchange_strong(&objects_state, &(int){STARTING}, UNSEEN);
    }
}

void objects_accepted(void)
{
    if (atomic_load_explicit(&objects_state, memory_order_acquire) != UNSEEN)
        return;
    int kept = errno;
    on_connection();
    publish_own();
    errno = kept;
}

void objects_forked(void)
{
    plant_forked();
    atomic_flag_clear(&publishing);
}
