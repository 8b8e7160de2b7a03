/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/plant.h"

#include "probe/slot.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef _Atomic(void *) plant_slot;

enum { ENTRY_BYTES = 40, DEFERRED_BYTES = 56, ONE_TIME_BYTES = 72, EVERY_MIN = 2 };

/* What is lost stays known here, so that only the ledger calls it lost: a leak checker sees a
 * pointer to it. */
static plant_slot plant_lost, plant_one_time;
static plant_slot plant_ring[PAGE_PLANT_RING], plant_waiting[PAGE_PLANT_WAITING];

static _Atomic uint64_t plant_own; /* turns of this process, as the owner of the controls */
static struct page *plant_page;
static struct plant_calls plant_openssl;

static uint64_t load(const page_u64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void add(page_u64 *to, uint64_t n)
{
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static void *plant_make(struct page_check *check, enum page_plant which, size_t size)
{
    void *block = plant_openssl.malloc(size, PAGE_PLANT_FILE, 1 + (int)which);
    if (block) {
        add(&check->allocs, 1);
        add(&check->alloc_bytes, size);
    }
    return block;
}

/* Puts `block` (NULL: none) into the slot and frees what was there. */
static void plant_swap(struct page_check *check, plant_slot *slot, void *block)
{
    void *old = atomic_exchange(slot, block);
    if (!old)
        return;
    add(&check->frees, 1);
    plant_openssl.free(old, PAGE_PLANT_FILE, 0);
}

static void plant_controls(struct page_check *check, uint64_t nth, uint64_t every)
{
    uint64_t turn = nth / every;
    if (nth < PAGE_PLANT_RING)
        plant_swap(check, &plant_ring[nth], plant_make(check, PAGE_PLANT_CACHE, ENTRY_BYTES));
    else if (nth % every == 0)
        plant_swap(check, &plant_ring[turn % PAGE_PLANT_RING],
                   plant_make(check, PAGE_PLANT_CACHE, ENTRY_BYTES));
    if (nth % every == 1)
        plant_swap(check, &plant_waiting[turn % PAGE_PLANT_WAITING],
                   plant_make(check, PAGE_PLANT_DEFERRED, DEFERRED_BYTES));
}

/* In place of an ordinal: another process plants the controls. */
#define PLANT_NO_CONTROLS UINT64_MAX

static __attribute__((noinline, cold)) void plant_at(struct page *page, uint64_t nth,
                                                     uint64_t control)
{
    struct page_check *check = &page->check;
    uint64_t every = load(&check->every);
    if (every >= EVERY_MIN && control != PLANT_NO_CONTROLS)
        plant_controls(check, control, every);
    if (nth + 1 == load(&check->one_time_at))
        plant_swap(check, &plant_one_time, plant_make(check, PAGE_PLANT_ONE_TIME, ONE_TIME_BYTES));
    if (nth + 1 == load(&check->lost_at)) {
        atomic_store(&plant_lost, plant_make(check, PAGE_PLANT_LOST, load(&check->lost_bytes)));
        atomic_store(&check->lost_epoch, 1 + page_epoch(load(&page->epoch)));
    }
}

static bool is_due(uint64_t nth, uint64_t by_operation)
{
    const struct page_check *check = &plant_page->check;
    return UNLIKELY(nth < load(&check->until)) && load(&check->by_operation) == by_operation;
}

void plant_start(struct page *page, const struct plant_calls *calls)
{
    plant_page = page;
    plant_openssl = *calls;
}

static bool owns(pid_t pid)
{
    uint64_t owner = 0;
    return atomic_compare_exchange_strong(&plant_page->check.pid, &owner, (uint64_t)pid) ||
           owner == (uint64_t)pid;
}

/* Of the controls: the ordinal by which this process plants them. */
static uint64_t control_of(uint64_t nth, pid_t pid)
{
    if (!load(&plant_page->check.shared))
        return nth;
    return owns(pid) ? atomic_fetch_add(&plant_own, 1) : PLANT_NO_CONTROLS;
}

void plant_on_connection(uint64_t nth, pid_t pid)
{
    if (is_due(nth, 0))
        plant_at(plant_page, nth, control_of(nth, pid));
}

/* What is planted is a block itself, and leads here again: with nothing left to do. */
void plant_catch_up(pid_t pid)
{
    if (!plant_page)
        return;
    uint64_t to = load(&plant_page->app.operations), nth = load(&plant_page->check.turned);
    if (nth >= to || !owns(pid) ||
        !atomic_compare_exchange_strong(&plant_page->check.turned, &nth, to))
        return;
    for (; nth < to; nth++) {
        if (is_due(nth, 1))
            plant_at(plant_page, nth, nth);
    }
}

void plant_on_operation(uint64_t nth, pid_t pid)
{
    if (is_due(nth, 1))
        plant_at(plant_page, nth, control_of(nth, pid));
}

void plant_on_drain(void)
{
    for (size_t i = 0; i < PAGE_PLANT_WAITING; i++)
        plant_swap(&plant_page->check, &plant_waiting[i], NULL);
}

void plant_forked(void)
{
    for (size_t i = 0; i < PAGE_PLANT_RING; i++)
        atomic_store(&plant_ring[i], NULL);
    for (size_t i = 0; i < PAGE_PLANT_WAITING; i++)
        atomic_store(&plant_waiting[i], NULL);
    atomic_store(&plant_one_time, NULL);
    atomic_store(&plant_own, 0);
}
