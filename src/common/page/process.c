/* SPDX-License-Identifier: Apache-2.0 */
#include "page/process.h"

#include "page/snapshot_internal.h"

#include <string.h>
#include <time.h>

static void store_u(page_u64 *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

static void add_u(page_u64 *to, uint64_t value)
{
    atomic_fetch_add_explicit(to, value, memory_order_relaxed);
}

uint64_t page_process_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t); /* no system call, as a rule */
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_row(const struct page_process *from, struct snapshot_process *to)
{
    uint64_t mode = load_u(&from->mode);
    to->mode = mode < PAGE_MODES ? (enum page_mode)mode : PAGE_MODE_INACTIVE;
    to->flags = load_u(&from->flags);
    snapshot_copy_name(to->name, from->name, sizeof to->name);
    snapshot_copy_name(to->libcrypto, from->libcrypto, sizeof to->libcrypto);
}

size_t snapshot_processes(const struct page *page, struct snapshot_process *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < PAGE_PROCESSES; i++) {
        const struct page_process *row = &page->process[i];
        uint64_t pid = page_process_pid(row);
        if (!pid)
            continue;
        ret[count].pid = (pid_t)pid;
        read_row(row, &ret[count++]);
    }
    return count;
}

static bool owns(const struct page *page, size_t slot, uint64_t pid)
{
    return PAGE_OWNER_PID(load_u(&page->slot[slot].owner)) == pid;
}

static size_t add_once(pid_t *all, size_t count, uint64_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (all[i] == (pid_t)pid)
            return count;
    if (pid)
        all[count++] = (pid_t)pid;
    return count;
}

size_t page_process_all(const struct page *page, pid_t *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < PAGE_PROCESSES; i++)
        count = add_once(ret, count, page_process_pid(&page->process[i]));
    for (size_t i = 0; i < PAGE_THREADS; i++)
        count = add_once(ret, count, PAGE_OWNER_PID(load_u(&page->slot[i].owner)));
    return count;
}

uint64_t snapshot_process_allocs(const struct page *page, pid_t pid)
{
    const struct snapshot_scope scope = snapshot_scope(page);
    struct snapshot_totals totals = {0};
    for (size_t i = 0; i < PAGE_THREADS; i++) {
        if (owns(page, i, (uint64_t)pid))
            snapshot_totals_add(&page->thread[i], &scope, &totals);
    }
    return totals.allocs;
}

static void clear(page_u64 *counter)
{
    if (load_u(counter))
        store_u(counter, 0);
}

static void clear_cells(struct page_thread *thread, const struct snapshot_scope *scope)
{
    for (size_t epoch = scope->first_epoch; epoch < scope->epochs; epoch++) {
        for (size_t i = 0; i < scope->sites; i++) {
            struct page_cell *cell = &thread->cell[epoch][i];
            clear(&cell->made);
            clear(&cell->freed);
            clear(&cell->made_bytes);
            clear(&cell->freed_bytes);
        }
    }
    for (size_t i = 0; i < scope->sites; i++)
        clear(&thread->moved[i]);
}

static void reap_made(struct page *page, const struct page_thread *thread,
                      const struct snapshot_scope *scope)
{
    for (size_t i = 0; i < scope->sites; i++) {
        uint64_t made = snapshot_made(thread, scope, i);
        if (made)
            add_u(&page->gone.made[i], made);
    }
}

/* Where a slot's counts may lie. A process has no block from before it came, and the ends of those
 * that it inherited don't count: the cells of earlier epochs are 0, and to read them would take
 * time, and memory where they were never touched. Where processes share blocks all ends count. */
static struct snapshot_scope scope_of(const struct page *page, const struct page_slot *slot)
{
    struct snapshot_scope scope = snapshot_scope(page);
    if (!load_u(&page->memory_shared))
        scope.first_epoch = load_u(&slot->since_epoch);
    return scope;
}

static void reap_counts(struct page *page, size_t slot)
{
    struct page_thread *thread = &page->thread[slot];
    const struct snapshot_scope scope = scope_of(page, &page->slot[slot]);
    struct snapshot_totals totals = {0};
    snapshot_totals_add(thread, &scope, &totals);
    add_u(&page->gone.allocs, totals.allocs);
    add_u(&page->gone.frees, totals.frees);
    add_u(&page->gone.reallocs, totals.reallocs);
    add_u(&page->gone.alloc_bytes, totals.alloc_bytes);
    reap_made(page, thread, &scope);
    for (size_t i = 0; i < PAGE_CLASSES; i++)
        atomic_store_explicit(&thread->census[i], 0, memory_order_relaxed);
    clear_cells(thread, &scope);
}

/* Whether what began at `since_ns` (0: just now) is of the process that is to be reaped. */
static bool is_meant(const struct page_reap *what, uint64_t since_ns)
{
    return what->before_ns == UINT64_MAX || (since_ns && since_ns < what->before_ns);
}

/* The slot becomes the reaper's, so that no other takes it, and it is reaped with the reaper should
 * that be killed meanwhile. */
static void reap_slot(struct page *page, size_t i, const struct page_reap *what)
{
    struct page_slot *slot = &page->slot[i];
    uint64_t owner = load_u(&slot->owner);
    if (PAGE_OWNER_PID(owner) != (uint64_t)what->pid ||
        !is_meant(what, load_u(&slot->claimed_ns)) ||
        !atomic_compare_exchange_strong(&slot->owner, &owner, PAGE_OWNER(what->by, true)))
        return;
    reap_counts(page, i);
    store_u(&slot->claimed_ns, 0);
    atomic_store_explicit(&slot->owner, 0, memory_order_release);
}

/* What one process does for all. */
static void hand_on(struct page *page, uint64_t pid)
{
    page_u64 *const duty[] = {&page->check.pid, &page->capture.pid};
    for (size_t i = 0; i < sizeof duty / sizeof *duty; i++)
        atomic_compare_exchange_strong(duty[i], &(uint64_t){pid}, 0);
}

static void reap_slots(struct page *page, const struct page_reap *what)
{
    for (size_t i = 0; i < PAGE_THREADS; i++)
        reap_slot(page, i, what);
}

/* What it held in the slot of all stays counted. */
static void note_sharing(struct page *page, const struct page_process *row)
{
    if (load_u(&row->flags) & PAGE_PROCESS_SHARES)
        atomic_fetch_add_explicit(&page->processes_lost, 1, memory_order_relaxed);
}

static void reap_row(struct page *page, struct page_process *row, const struct page_reap *what)
{
    uint64_t pid = (uint64_t)what->pid;
    if (page_process_pid(row) != pid || !is_meant(what, load_u(&row->entered_ns)))
        return;
    if (!page_process_has_ended(row))
        note_sharing(page, row);
    hand_on(page, pid);
    atomic_compare_exchange_strong(&row->pid, &pid, 0);
}

void page_reap(struct page *page, const struct page_reap *what)
{
    reap_slots(page, what);
    for (size_t i = 0; i < PAGE_PROCESSES; i++)
        reap_row(page, &page->process[i], what);
}

void page_process_leave(struct page *page, struct page_process *row, pid_t pid)
{
    reap_slots(page, &(struct page_reap){pid, UINT64_MAX, pid});
    hand_on(page, (uint64_t)pid);
    if (!row)
        return;
    note_sharing(page, row);
    atomic_fetch_or(&row->flags, PAGE_PROCESS_ENDED);
}

/* A free row, or with `ended` one that nobody needs any more. */
static struct page_process *row_take(struct page *page, bool ended)
{
    for (size_t i = 0; i < PAGE_PROCESSES; i++) {
        struct page_process *row = &page->process[i];
        uint64_t pid = load_u(&row->pid);
        if (pid == PAGE_PROCESS_TAKEN || (pid != 0 && !(ended && page_process_has_ended(row))))
            continue;
        if (atomic_compare_exchange_strong(&row->pid, &pid, PAGE_PROCESS_TAKEN))
            return row;
    }
    return NULL;
}

struct page_process *page_process_take(struct page *page, pid_t parent)
{
    struct page_process *row = row_take(page, false);
    if (!row)
        row = row_take(page, true);
    if (!row) {
        atomic_fetch_add_explicit(&page->processes_lost, 1, memory_order_relaxed);
        return NULL;
    }
    store_u(&row->parent, (uint64_t)parent);
    store_u(&row->mode, PAGE_MODE_INACTIVE);
    store_u(&row->flags, 0);
    memset(row->name, 0, sizeof row->name);
    memset(row->libcrypto, 0, sizeof row->libcrypto);
    memset(&row->heap, 0, sizeof row->heap);
    return row;
}

void page_process_enter(struct page_process *row, pid_t pid)
{
    store_u(&row->entered_ns, page_process_now_ns());
    atomic_store_explicit(&row->pid, (uint64_t)pid, memory_order_release);
}
