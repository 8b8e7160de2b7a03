/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which behaviour ended how many connections of which epoch, copied out of the client's page. The
 * page is another process's memory: names and counts are checked and bounded here. Plain numbers,
 * no heap; the struct is large (64 KiB), so it is kept and not put on a stack.
 */
#ifndef SOAK_PROBE_BEHAVIOUR_TABLE_H
#define SOAK_PROBE_BEHAVIOUR_TABLE_H

#include "page.h"

#include <stddef.h>

struct behaviour_table {
    size_t count; /* at most PAGE_BEHAVIOURS; index = the client's number of the behaviour */
    char name[PAGE_BEHAVIOURS][24]; /* printable, terminated */
    uint64_t weight[PAGE_BEHAVIOURS];
    uint64_t begun[PAGE_EPOCHS][PAGE_BEHAVIOURS];
    uint64_t ended[PAGE_EPOCHS][PAGE_BEHAVIOURS];
};

/* Exact only when the client is quiescent. */
void behaviour_table_read(const struct page *page, struct behaviour_table *ret);

#endif
