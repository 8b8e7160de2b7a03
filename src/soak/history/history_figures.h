/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of a run that the history keeps, each once: where a result has it, what it is called,
 * and how large a step in it must be to be told. A name is `subject.figure`
 * ("server.allocs_per_conn"), `subject.growth.METRIC` with a metric's id, or a figure of the whole
 * run ("handshake_p50"). Pure.
 */
#ifndef SOAK_HISTORY_FIGURES_H
#define SOAK_HISTORY_FIGURES_H

#include "archive/history_db.h"
#include "report/result.h"

#include <stdbool.h>
#include <stddef.h>

/* X(name, label, unit, counted, relative, value): of a subject `s` of the result `r`. Guards
 * are shares of the level before, wide for times, which follow what else the machine does. */
#define HISTORY_SUBJECT_FIGURES(X)                                                                 \
    X("allocs_per_conn", "allocations/conn", "", false, 0.002, s->allocs_per_conn)                 \
    X("cpu_us_per_conn", "CPU/conn", "us", false, 0.2, s->cpu_us_per_conn)                         \
    X("connection_allocs", "allocations/handshake", "", true, 0, side_figure(r, s, 0))             \
    X("connection_bytes", "bytes/handshake", "bytes", true, 0, side_figure(r, s, 1))               \
    X("handshake_peak", "handshake's peak", "bytes", true, 0, side_figure(r, s, 2))                \
    X("idle_bytes", "bytes/idle connection", "bytes", true, 0, side_figure(r, s, 3))               \
    X("openssl_bytes", "OpenSSL bytes, end", "bytes", false, 0.01, level(s, METRIC_OPENSSL_BYTES)) \
    X("heap_allocated", "heap, end", "bytes", false, 0.03, level(s, METRIC_HEAP_ALLOCATED))        \
    X("rss", "RSS, end", "bytes", false, 0.1, level(s, METRIC_RSS))
/* Of the whole run. */
#define HISTORY_RUN_FIGURES(X)                                                                     \
    X("handshake_p50", "handshake p50", "ns", false, 0.25, (double)r->run.p50_ns)                  \
    X("sensitivity", "would show 1 lost block in", "", false, 0.5, one_in(r))

enum { HISTORY_NAME = 64, HISTORY_FIGURES = 96 };

struct history_figure_info {
    char label[HISTORY_NAME]; /* "server CPU/conn" */
    const char *unit;         /* "bytes", "ns", "us" or "" */
    bool counted;
    double relative, absolute; /* a step is larger: stats/step.h */
    bool judged;               /* false: it is shown, and steps of it aren't told */
    bool growth;               /* per connection, around nothing */
    size_t rank;               /* where it stands: the run's, the server's, the client's */
};

/* What a name means; one that this soak doesn't know is shown and not judged. */
struct history_figure_info history_figure_info(const char *name);
/* `690`, `1.69 MiB`, `1.6 ms`; of a growth with its sign. Returns buf. */
char *history_figure_text(const struct history_figure_info *info, double value, char *buf,
                          size_t size);

struct history_figures {
    size_t count;
    char name[HISTORY_FIGURES][HISTORY_NAME];
    struct history_figure figure[HISTORY_FIGURES]; /* borrows the names */
};

/* All that the result has: what wasn't measured is left out. */
void history_figures_read(struct history_figures *f, const struct result *r);

#endif
