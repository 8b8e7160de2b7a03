/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call stacks of blocks at sites that already look guilty. The orchestrator marks the sites in the
 * page; the ledger asks here at each block while any site is marked, and not at all otherwise.
 *
 * The stacks lie in the page's fixed table, found by their hash, without a lock: several threads
 * may take the same stack at the same time. A stack that finds no place is counted as lost.
 */
#ifndef SOAK_PROBE_STACKS_H
#define SOAK_PROBE_STACKS_H

#include "page/page.h"
#include "probe/walk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Once, before the hooks. */
void stacks_start(struct page *page);

/* Whether the orchestrator wants the stacks of `site` in process `pid`. */
bool stacks_wanted(uint32_t site, pid_t pid);

/* The number of the present call stack: 1 to PAGE_STACKS, or 0 when there was no room or when the
 * walk itself led here. Frames of functions marked STACKS_OWN are left out. Any thread. */
uint32_t stacks_take(uint32_t site);

/* Writes the present call stack to a place of its own, frames of functions marked STACKS_OWN left
 * out at its beginning. */
void stacks_trace(struct page_trace *ret);

/* Adds to the live blocks and bytes of a stack. */
void stacks_count(uint32_t stack, uint32_t epoch, int64_t blocks, int64_t bytes);

#endif
