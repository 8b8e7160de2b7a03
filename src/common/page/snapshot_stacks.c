/* SPDX-License-Identifier: Apache-2.0 */
#include "page_file.h"

#include <stdbool.h>
#include <stdlib.h>

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
