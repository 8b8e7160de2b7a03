/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the workers of a server share, and how they reach its main thread: counters, one sentence of
 * each kind of problem, and a wake-up. Made and freed by the main thread, which outlives them; all
 * of it may be used on any worker's thread.
 */
#ifndef SOAK_SERVER_SHARED_H
#define SOAK_SERVER_SHARED_H

#include "conn_log.h"
#include "contexts.h"
#include "defect.h"
#include "fd_exhaustion.h"
#include "options.h"
#include "page/page.h"
#include "tls.h"
#include "turns.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Each kind is told once, then silence: a log must not grow with the connections. */
enum problem {
    PROBLEM_ACCEPT,
    PROBLEM_HANDSHAKE,
    PROBLEM_TLS,
    PROBLEM_TIMEOUT,
    PROBLEM_LOG,
    PROBLEMS
};

struct problem_note {
    atomic_int state; /* enum in shared.c */
    char text[256];
};

struct shared {
    struct options options;
    struct server_tls tls;
    struct contexts *contexts; /* owned */
    struct fd_exhaustion fd_exhaustion;
    struct turns turns;
    struct defect *defect;     /* owned */
    struct conn_log_file *log; /* owned; NULL without --log */
    struct page *page;         /* borrowed: lives as long as the process */
    struct page_app *app;      /* in page */
    atomic_int listening;      /* workers that still listen */
    atomic_int open;           /* connections */
    atomic_int settling;       /* workers that haven't settled yet */
    atomic_bool deaf;          /* no report is taken any more: only the main thread is left */
    uv_async_t report;         /* on the main thread's loop */
    struct problem_note problem[PROBLEMS];
};

static inline uint64_t counter_add(page_u64 *counter)
{
    return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void counter_take(page_u64 *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

/* Something has changed that the main thread may be waiting for. */
void shared_report(struct shared *s);
/* One sentence for the log. */
void shared_problem(struct shared *s, enum problem kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The sentence of this kind if it is still to be told, else NULL. On the main thread. */
const char *shared_take_problem(struct shared *s, enum problem kind);

#endif
