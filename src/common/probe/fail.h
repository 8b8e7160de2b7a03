/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocation that fails: the orchestrator names a connection and a number in the page, the probe
 * counts what OpenSSL asks for from that connection's begin to the next one's, and the allocation
 * of that number gets no memory, once. Which connection asks can't be told from the call, so one at
 * a time must be open. libuv's allocations and our own never fail.
 *
 * Only a subject that was started with PAGE_EPOCH_FAILS in its page comes here; the path of a block
 * pays nothing otherwise.
 */
#ifndef SOAK_PROBE_FAIL_H
#define SOAK_PROBE_FAIL_H

#include "page/page.h"

#include <stdbool.h>
#include <stddef.h>

/* Once, after stacks_start. */
void fail_start(struct page *page);

/* A connection begins; `nth` as for probe_on_connection. */
void fail_on_connection(uint64_t nth);

/* OpenSSL asks for memory. Returns whether it gets none; then the page tells which it was. */
bool fail_asked(size_t size, uint32_t site);

#endif
