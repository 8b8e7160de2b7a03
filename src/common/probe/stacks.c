/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/stacks.h"

#include "probe/slot.h"

#include <string.h>

static struct page_capture *capture;
/* The unwinder might allocate through the hooks one day; it must not walk its own walk. */
static _Thread_local bool walking __attribute__((tls_model("initial-exec")));

/* FNV-1a by words, mixed at the end (murmur3's finaliser), because the low bits choose the entry.
 */
static uint64_t hash_of(uint32_t site, const struct walk *walk)
{
    uint64_t hash = 0xcbf29ce484222325ull ^ site;
    for (size_t i = 0; i < walk->frames; i++)
        hash = (hash ^ walk->frame[i]) * 0x100000001b3ull;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 33;
    return hash ? hash : 1;
}

static void fill(struct page_stack *stack, uint32_t site, const struct walk *walk)
{
    stack->site = site;
    stack->frames = walk->frames;
    memcpy(stack->frame, walk->frame, walk->frames * sizeof walk->frame[0]);
    atomic_store_explicit(&stack->ready, 1, memory_order_release);
}

/* Two stacks with one hash of 64 bits are taken for one: among 512 it won't happen. So nobody has
 * to wait until another thread has filled the entry that both want. */
static uint32_t find_or_add(uint32_t site, const struct walk *walk)
{
    uint64_t hash = hash_of(site, walk);
    for (uint64_t probe = 0; probe < PAGE_STACKS; probe++) {
        uint32_t index = (uint32_t)((hash + probe) % PAGE_STACKS);
        struct page_stack *stack = &capture->stack[index];
        uint64_t has = atomic_load_explicit(&stack->hash, memory_order_relaxed);
        if (has == 0 && atomic_compare_exchange_strong(&stack->hash, &has, hash)) {
            fill(stack, site, walk);
            return index + 1;
        }
        if (has == hash)
            return index + 1;
    }
    return 0;
}

void stacks_start(struct page *page)
{
    capture = &page->capture;
    walk_prepare();
}

bool stacks_wanted(uint32_t site, pid_t pid)
{
    uint64_t word = atomic_load_explicit(&capture->wanted[site / 64], memory_order_relaxed);
    uint64_t only = atomic_load_explicit(&capture->pid, memory_order_relaxed);
    return word >> site % 64 & 1 && (!only || only == (uint64_t)pid);
}

/* Returns false when a walk has led here. */
static __attribute__((noinline)) STACKS_OWN bool walk_now(struct walk *walk)
{
    if (walking)
        return false;
    walking = true;
    walk_stack(walk);
    walking = false;
    return true;
}

STACKS_OWN void stacks_trace(struct page_trace *ret)
{
    struct walk walk;
    if (!walk_now(&walk))
        walk.frames = 0;
    memcpy(ret->frame, walk.frame, walk.frames * sizeof walk.frame[0]);
    atomic_store_explicit(&ret->frames, walk.frames, memory_order_release);
}

__attribute__((noinline)) STACKS_OWN uint32_t stacks_take(uint32_t site)
{
    struct walk walk;
    if (!walk_now(&walk))
        return 0;
    uint32_t stack = find_or_add(site, &walk);
    atomic_fetch_add_explicit(stack ? &capture->taken : &capture->lost, 1, memory_order_relaxed);
    return stack;
}

void stacks_count(uint32_t stack, uint32_t epoch, int64_t blocks, int64_t bytes)
{
    struct page_live *born = &capture->stack[stack - 1].born[epoch];
    slot_add_i(false, &born->blocks, blocks);
    slot_add_i(false, &born->bytes, bytes);
}
