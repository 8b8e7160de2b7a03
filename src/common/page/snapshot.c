/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include "page/process.h"
#include "page/snapshot_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void snapshot_copy_name(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size - 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];
        to[i] = isprint(c) ? (char)c : '?';
    }
    to[length] = 0;
}

/* OpenSSL's builds outside the source tree pass "../crypto/mem.c": the way there says nothing. */
static const char *skip_parents(const char *file)
{
    while (strncmp(file, "../", 3) == 0)
        file += 3;
    return file;
}

static void read_site_name(const struct page_site *from, struct snapshot_site *to)
{
    char name[PAGE_FILE_BYTES];
    if (!atomic_load_explicit(&from->ready, memory_order_acquire))
        return;
    snapshot_copy_name(name, from->file, sizeof name);
    const char *tail = skip_parents(name);
    memcpy(to->file, tail, strlen(tail) + 1);
    to->line = (uint32_t)from->line;
}

static size_t clamp(uint64_t value, size_t low, size_t high)
{
    return value < low ? low : value > high ? high : (size_t)value;
}

struct snapshot_scope snapshot_scope(const struct page *page)
{
    struct snapshot_scope scope;
    scope.first_epoch = 0;
    scope.epochs = clamp(page_epoch(load_u(&page->epoch)), 0, PAGE_EPOCHS - 1) + 1;
    scope.sites = clamp(atomic_load_explicit(&page->sites, memory_order_acquire), 1, PAGE_SITES);
    for (size_t i = 0; i < scope.sites; i++)
        scope.told[i] = !load_u(&page->site[i].apart);
    return scope;
}

static void add_cell(const struct page_cell *cell, struct snapshot_totals *to)
{
    to->allocs += load_u(&cell->made);
    to->frees += load_u(&cell->freed);
    to->alloc_bytes += load_u(&cell->made_bytes);
}

void snapshot_totals_add(const struct page_thread *thread, const struct snapshot_scope *scope,
                         struct snapshot_totals *to)
{
    for (size_t epoch = scope->first_epoch; epoch < scope->epochs; epoch++) {
        for (size_t i = 0; i < scope->sites; i++) {
            if (scope->told[i])
                add_cell(&thread->cell[epoch][i], to);
        }
    }
    for (size_t i = 0; i < scope->sites; i++) {
        uint64_t moved = scope->told[i] ? load_u(&thread->moved[i]) : 0;
        to->allocs -= moved;
        to->frees -= moved;
        to->reallocs += moved;
    }
}

uint64_t snapshot_made(const struct page_thread *thread, const struct snapshot_scope *scope,
                       size_t site)
{
    uint64_t made = 0;
    for (size_t epoch = scope->first_epoch; epoch < scope->epochs; epoch++)
        made += load_u(&thread->cell[epoch][site].made);
    return scope->told[site] ? made - load_u(&thread->moved[site]) : 0;
}

static void add_cells(const struct page_thread *thread, size_t epochs, struct snapshot *s)
{
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        for (size_t i = 0; i < s->sites; i++) {
            const struct page_cell *cell = &thread->cell[epoch][i];
            s->site[i].born_blocks[epoch] += (int64_t)(load_u(&cell->made) - load_u(&cell->freed));
            s->site[i].born_bytes[epoch] +=
                (int64_t)(load_u(&cell->made_bytes) - load_u(&cell->freed_bytes));
        }
    }
}

static void add_thread(const struct page_thread *thread, const struct snapshot_scope *scope,
                       struct snapshot *s)
{
    struct snapshot_totals totals = {0};
    snapshot_totals_add(thread, scope, &totals);
    s->allocs += totals.allocs;
    s->frees += totals.frees;
    s->reallocs += totals.reallocs;
    s->alloc_bytes += totals.alloc_bytes;
    for (size_t i = 0; i < s->classes; i++)
        s->class_[i].live += load_i(&thread->census[i]);
    for (size_t i = 0; i < s->sites; i++)
        s->site[i].made += snapshot_made(thread, scope, i);
    add_cells(thread, scope->epochs, s);
}

/* The self-check's blocks leave the ledger here, the one place, so that no sum, verdict or list
 * ever has them. */
static void take_plants(struct snapshot *s)
{
    for (size_t i = 1; i < s->sites; i++) {
        struct snapshot_site *site = &s->site[i];
        if (strcmp(site->file, PAGE_PLANT_FILE) != 0 || site->line - 1u >= PAGE_PLANTS)
            continue;
        struct snapshot_site *plant = &s->plant[site->line - 1];
        *plant = *site;
        *site = (struct snapshot_site){.line = plant->line};
        memcpy(site->file, plant->file, sizeof site->file);
    }
}

/* They are known of the whole subject only. */
static void take_plant_totals(const struct page *page, struct snapshot *s)
{
    s->allocs -= load_u(&page->check.allocs);
    s->alloc_bytes -= load_u(&page->check.alloc_bytes);
    s->frees -= load_u(&page->check.frees);
}

static void sum_site(size_t epochs, struct snapshot_site *site)
{
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        site->blocks += site->born_blocks[epoch];
        site->bytes += site->born_bytes[epoch];
    }
}

static void sum_sites(size_t epochs, struct snapshot *s)
{
    for (size_t i = 0; i < s->sites; i++) {
        struct snapshot_site *site = &s->site[i];
        sum_site(epochs, site);
        bool libuv = site->line == 0 && strcmp(site->file, "libuv") == 0;
        *(libuv ? &s->uv_blocks : &s->blocks) += site->blocks;
        *(libuv ? &s->uv_bytes : &s->bytes) += site->bytes;
    }
}

static void read_classes(const struct page *page, struct snapshot *s)
{
    for (size_t i = 0; i < s->classes; i++) {
        const struct page_class *from = &page->class_[i];
        if (!atomic_load_explicit(&from->ready, memory_order_acquire))
            continue;
        snapshot_copy_name(s->class_[i].name, from->name, sizeof s->class_[i].name);
        uint64_t site = load_u(&from->site);
        s->class_[i].site = site < s->sites ? (uint32_t)site : 0;
    }
}

static void read_caches(const struct page *page, struct snapshot *s)
{
    for (size_t i = 0; i < PAGE_CACHES; i++) {
        const struct page_cache *from = &page->cache[i];
        snapshot_copy_name(s->cache[i].name, from->name, sizeof s->cache[i].name);
        s->cache[i].population = load_u(&from->population);
        s->cache[i].capacity = load_u(&from->capacity);
    }
}

#define READ(to, from, field) (to).field = load_u(&(from).field)

#define ADD(to, from, field) (to).field += load_u(&(from).field)

/* The size classes of one jemalloc are those of another. */
static void add_heap(const struct page_heap *from, struct snapshot *s)
{
    s->heap.present |= load_u(&from->present);
    ADD(s->heap, *from, allocated);
    ADD(s->heap, *from, active);
    ADD(s->heap, *from, resident);
    ADD(s->heap, *from, mapped);
    ADD(s->heap, *from, retained);
    ADD(s->heap, *from, metadata);
    for (size_t i = 0; i < PAGE_SIZE_CLASSES; i++) {
        if (load_u(&from->class_size[i]))
            READ(s->heap, *from, class_size[i]);
        ADD(s->heap, *from, class_regions[i]);
    }
}

/* Whether a row is that of a process, of `pid` if that isn't 0, that hasn't ended by itself. */
static bool is_alive(const struct page_process *row, pid_t pid)
{
    uint64_t has = page_process_pid(row);
    return has != 0 && (!pid || has == (uint64_t)pid) && !page_process_has_ended(row);
}

/* Of `pid`, or with 0 of all processes. */
static void read_heap(const struct page *page, pid_t pid, struct snapshot *s)
{
    for (size_t i = 0; i < PAGE_PROCESSES; i++) {
        if (is_alive(&page->process[i], pid))
            add_heap(&page->process[i].heap, s);
    }
}

#define READ_COUNTER(counter, moves) READ(s->app, page->app, counter);

static void read_app(const struct page *page, struct snapshot *s)
{
    PAGE_APP_FIELDS(READ_COUNTER)
}

static void read_head(const struct page *page, struct snapshot *s)
{
    READ(*s, *page, mode);
    READ(*s, *page, sites_lost);
    READ(*s, *page, threads_shared);
    READ(*s, *page, epochs_late);
    READ(*s, *page, bad_frees);
    READ(*s, *page, blocks_lost);
    READ(*s, *page, processes_lost);
    READ(*s, *page, processes_apart);
}

static void add_gone(const struct page *page, struct snapshot *s)
{
    s->allocs += load_u(&page->gone.allocs);
    s->frees += load_u(&page->gone.frees);
    s->reallocs += load_u(&page->gone.reallocs);
    s->alloc_bytes += load_u(&page->gone.alloc_bytes);
    for (size_t i = 0; i < s->sites; i++)
        s->site[i].made += load_u(&page->gone.made[i]);
}

/* What the threads of `pid` counted, or with 0 those of all processes, even when they have gone. */
static void add_threads(const struct page *page, pid_t pid, const struct snapshot_scope *scope,
                        struct snapshot *s)
{
    for (size_t i = 0; i < PAGE_THREADS; i++) {
        const struct page_slot *slot = &page->slot[i];
        bool wanted = !pid || PAGE_OWNER_PID(load_u(&slot->owner)) == (uint64_t)pid;
        if (load_u(&slot->used) && wanted)
            add_thread(&page->thread[i], scope, s);
    }
    if (!pid)
        add_gone(page, s);
}

static int read_page(const struct page *page, pid_t pid, struct snapshot *ret, struct err *e)
{
    struct snapshot s = {0};
    read_head(page, &s);
    const struct snapshot_scope scope = snapshot_scope(page);
    s.sites = scope.sites;
    s.classes = clamp(load_u(&page->classes), 0, PAGE_CLASSES);
    s.site = calloc(s.sites, sizeof *s.site);
    if (!s.site)
        return err_set(e, "out of memory while reading the probe page");

    for (size_t i = 0; i < s.sites; i++)
        read_site_name(&page->site[i], &s.site[i]);
    read_classes(page, &s);
    read_caches(page, &s);
    read_heap(page, pid, &s);
    read_app(page, &s);

    add_threads(page, pid, &scope, &s);
    take_plants(&s);
    if (!pid)
        take_plant_totals(page, &s);
    for (size_t i = 0; i < PAGE_PLANTS; i++)
        sum_site(scope.epochs, &s.plant[i]);
    sum_sites(scope.epochs, &s);
    *ret = s;
    return 0;
}

int snapshot_read(const struct page *page, struct snapshot *ret, struct err *e)
{
    return read_page(page, 0, ret, e);
}

int snapshot_read_process(const struct page *page, pid_t pid, struct snapshot *ret, struct err *e)
{
    return read_page(page, pid, ret, e);
}

void snapshot_free(struct snapshot *s)
{
    free(s->site);
    s->site = NULL;
    s->sites = 0;
}

#define ADD_IF_IT_MOVES(counter, moves) +(moves)*load_u(&page->app.counter)

/* Of all processes, those that have gone too. */
static struct snapshot_totals totals_of(const struct page *page)
{
    const struct snapshot_scope scope = snapshot_scope(page);
    struct snapshot_totals totals = {.allocs = load_u(&page->gone.allocs),
                                     .frees = load_u(&page->gone.frees),
                                     .reallocs = load_u(&page->gone.reallocs)};
    for (size_t i = 0; i < PAGE_THREADS; i++) {
        if (load_u(&page->slot[i].used))
            snapshot_totals_add(&page->thread[i], &scope, &totals);
    }
    return totals;
}

uint64_t snapshot_allocs(const struct page *page)
{
    return totals_of(page).allocs;
}

uint64_t snapshot_activity(const struct page *page)
{
    uint64_t sum = 0 PAGE_APP_FIELDS(ADD_IF_IT_MOVES);
    const struct snapshot_totals totals = totals_of(page);
    return sum + totals.allocs + totals.frees + totals.reallocs;
}

static bool is_filled(const struct page_stack *from)
{
    return atomic_load_explicit(&from->ready, memory_order_acquire) != 0;
}

/* Copies an entry that another process wrote: each number is bounded. Returns whether it has a
 * stack at all. */
static bool read_stack(const struct page_stack *from, struct snapshot_stack *to)
{
    uint64_t site = from->site, frames = from->frames;
    if (site >= PAGE_SITES || frames == 0)
        return false;
    to->site = (uint32_t)site;
    to->frames = frames < PAGE_STACK_FRAMES ? (size_t)frames : PAGE_STACK_FRAMES;
    for (size_t i = 0; i < to->frames; i++)
        to->frame[i] = from->frame[i];
    for (size_t i = 0; i < PAGE_EPOCHS; i++) {
        to->born_blocks[i] = atomic_load_explicit(&from->born[i].blocks, memory_order_relaxed);
        to->born_bytes[i] = atomic_load_explicit(&from->born[i].bytes, memory_order_relaxed);
    }
    return true;
}

int snapshot_stacks_read(const struct page *page, struct snapshot_stacks *ret, struct err *e)
{
    const struct page_capture *capture = &page->capture;
    struct snapshot_stacks s = {.taken =
                                    atomic_load_explicit(&capture->taken, memory_order_relaxed),
                                .lost = atomic_load_explicit(&capture->lost, memory_order_relaxed)};
    bool filled[PAGE_STACKS];
    size_t room = 0;
    for (size_t i = 0; i < PAGE_STACKS; i++)
        room += filled[i] = is_filled(&capture->stack[i]);
    if (room && !(s.stack = calloc(room, sizeof *s.stack)))
        return err_set(e, "out of memory while reading the probe page");
    for (size_t i = 0; i < PAGE_STACKS; i++) {
        if (filled[i] && read_stack(&capture->stack[i], &s.stack[s.count]))
            s.count++;
    }
    *ret = s;
    return 0;
}

void snapshot_stacks_free(struct snapshot_stacks *s)
{
    free(s->stack);
    *s = (struct snapshot_stacks){0};
}

void behaviour_table_read(const struct page *page, struct behaviour_table *ret)
{
    uint64_t count = atomic_load_explicit(&page->behaviours, memory_order_acquire);
    ret->count = count < PAGE_BEHAVIOURS ? (size_t)count : PAGE_BEHAVIOURS;
    for (size_t b = 0; b < ret->count; b++) {
        const struct page_behaviour *from = &page->behaviour[b];
        snapshot_copy_name(ret->name[b], from->name, sizeof ret->name[b]);
        ret->weight[b] = from->weight;
        for (size_t e = 0; e < PAGE_EPOCHS; e++) {
            ret->begun[e][b] = atomic_load_explicit(&from->begun[e], memory_order_relaxed);
            ret->ended[e][b] = atomic_load_explicit(&from->ended[e], memory_order_relaxed);
        }
    }
}

/* The greatest first: whoever reads meanwhile finds no time beyond it. */
void page_times_add(struct page_times *to, const struct hist *times)
{
    uint64_t max = load_u(&to->max);
    while (max < times->max && !atomic_compare_exchange_weak(&to->max, &max, times->max))
        ;
    for (size_t i = 0; i < HIST_BUCKETS && times->count; i++) {
        if (times->bucket[i])
            atomic_fetch_add_explicit(&to->bucket[i], times->bucket[i], memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&to->count, times->count, memory_order_relaxed);
}

void page_times_read(const struct page_times *from, struct hist *ret)
{
    for (size_t i = 0; i < HIST_BUCKETS; i++)
        ret->bucket[i] = load_u(&from->bucket[i]);
    ret->count = load_u(&from->count);
    ret->max = load_u(&from->max);
}
