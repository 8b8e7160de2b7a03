/* SPDX-License-Identifier: Apache-2.0 */
#include "behaviour_table.h"

#include <ctype.h>
#include <string.h>

static void copy_name(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size - 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];
        to[i] = isprint(c) ? (char)c : '?';
    }
    to[length] = 0;
}

void behaviour_table_read(const struct page *page, struct behaviour_table *ret)
{
    uint64_t count = atomic_load_explicit(&page->behaviours, memory_order_acquire);
    ret->count = count < PAGE_BEHAVIOURS ? (size_t)count : PAGE_BEHAVIOURS;
    for (size_t b = 0; b < ret->count; b++) {
        const struct page_behaviour *from = &page->behaviour[b];
        copy_name(ret->name[b], from->name, sizeof ret->name[b]);
        ret->weight[b] = from->weight;
        for (size_t e = 0; e < PAGE_EPOCHS; e++) {
            ret->begun[e][b] = atomic_load_explicit(&from->begun[e], memory_order_relaxed);
            ret->ended[e][b] = atomic_load_explicit(&from->ended[e], memory_order_relaxed);
        }
    }
}
