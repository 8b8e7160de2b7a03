/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe inside a subject: OpenSSL's allocation hooks, the ledger, the census, jemalloc's
 * figures, libuv's allocations. It writes the probe page and nothing else.
 *
 * Order: probe_start before the first call into OpenSSL or libuv, from the main thread, once.
 * The hooks then run on whatever thread allocates. They never allocate through the hooked
 * allocator, never lock across a call out, never format, never do stdio. The page must stay mapped
 * until the process ends: there is no stop.
 */
#ifndef SOAK_PROBE_PROBE_H
#define SOAK_PROBE_PROBE_H

#include "base/err.h"
#include "page/page.h"

#include <stdbool.h>
#include <stddef.h>

struct probe_options {
    bool ledger; /* false: the page serves for the application's counters only (probe off) */
    bool libuv;  /* also count libuv's allocations (uv_replace_allocator) as site "libuv":0 */
};

/* Maps the page from `page_fd` (checked: magic, version, size; the descriptor is closed) and
 * installs the hooks as `options` say. Fails when the hooks can't be installed because OpenSSL has
 * allocated already. `page_fd` < 0: a private page of its own, so that a program run by hand works
 * the same. Returns 0 or -1. */
int probe_start(int page_fd, const struct probe_options *options, struct err *e);

/* The mapped page: borrowed, lives as long as the process. Never NULL after probe_start. */
struct page *probe_page(void);

/* Registers the census (ex_data callbacks). After probe_start and before the first SSL object;
 * does nothing when the ledger is off. Returns 0 or -1. */
int probe_census_start(struct err *e);

/* Empties this thread's jemalloc cache, so that the next publish is exact. No-op without jemalloc.
 */
void probe_thread_flush(void);

/* Refreshes jemalloc's figures in the page. `classes`: the live regions per size class as well
 * (costs tens of microseconds; at checkpoints only). Any thread, one at a time. */
void probe_publish(bool classes);

/* Once for each connection as it is opened, on whatever thread; `nth` counts from 0 over all
 * threads (what the atomic add to app.opened gave). Plants the self-check's blocks where the page's
 * plan says, and begins the count of allocations of which one is to fail; else it costs two loads
 * and compares. */
void probe_on_connection(uint64_t nth);
/* The same for each operation on a connection (the atomic add to app.operations). A run plants by
 * either, as its page says. */
void probe_on_operation(uint64_t nth);
/* All connections have closed: the self-check's deferred blocks are freed. */
void probe_on_drain(void);

/* The libraries that this process runs with, for the `ready` line: "openssl=3.0.19 libuv=1.44.2
 * jemalloc=5.3.0" in one line; without jemalloc's malloc() the last word is such as
 * "malloc=glibc-2.36". Returns buf. */
char *probe_versions(char *buf, size_t size);

#endif
