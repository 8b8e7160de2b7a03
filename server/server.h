/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: what the workers share, and the conversation with soak. It lives on the main thread,
 * on the first worker's loop; the workers reach it by atomics and server_report only.
 */
#ifndef SOAK_SERVER_SERVER_H
#define SOAK_SERVER_SERVER_H

#include "base/err.h"
#include "conn_log.h"
#include "contexts.h"
#include "control/control.h"
#include "defect.h"
#include "fd_exhaustion.h"
#include "options.h"
#include "options/limits.h"
#include "page/page.h"
#include "tls.h"
#include "worker.h"

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
    atomic_int state; /* enum in server.c */
    char text[256];
};

struct server {
    struct options options;
    struct server_tls tls;
    struct contexts *contexts; /* owned */
    struct fd_exhaustion fd_exhaustion;
    struct defect *defect; /* owned */
    struct trace_log *log; /* owned; NULL without --log */
    struct page *page;     /* borrowed: lives as long as the process */
    struct page_app *app;  /* in page */
    struct worker *worker[LIMIT_WORKERS];
    atomic_int listening; /* workers that still listen */
    atomic_int open;      /* connections */
    atomic_bool deaf;     /* no report is taken any more: only the main thread is left */
    atomic_int settling;  /* workers that haven't settled yet */
    struct problem_note problem[PROBLEMS];

    uv_async_t report;
    uv_timer_t publish;
    uv_signal_t term, interrupt;
    struct control control;
    bool settle_asked, drain_asked, ending, quitting;
    uint64_t settle_id;
    int seconds_empty;
};

/* Whether it could serve: OpenSSL takes the options and the address is free. Returns 0 or -1. */
int server_check(const struct options *o, struct err *e);
/* Serves until `quit` or SIGTERM. `probe_start` has been called. Returns 0 or -1. */
int server_run(const struct options *o, struct err *e);

/* From any worker: something has changed that the main thread may be waiting for. */
void server_report(struct server *s);
/* From any worker: one sentence for the log. */
void server_problem(struct server *s, enum problem kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
