/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --metrics: the figures of a run for whoever scrapes them (Prometheus, or a browser), over plain
 * HTTP on a loopback address, read-only, on the run's loop. Bounded: METRICS_PEERS at a time, the
 * oldest gives way to the next; one request each.
 */
#ifndef SOAK_METRICS_SERVER_H
#define SOAK_METRICS_SERVER_H

#include "base/err.h"
#include "live.h"

#include <uv.h>

enum { METRICS_PEERS = 8, METRICS_REQUEST = 4096 };

/* The document of OpenMetrics 1.0 (the text format of Prometheus with a stricter form), malloc'd;
 * NULL: the run has no figures yet, or no longer. */
char *openmetrics_write(const struct live_facts *facts);

struct metrics_server;
/* What is asked for a document each time one is wanted; free. */
typedef char *metrics_write(const void *owner);

/* Listens on `address`, as address_parse takes it; port 0 is any. NULL with a sentence that doesn't
 * repeat it. */
struct metrics_server *metrics_open(uv_loop_t *loop, const char *address, metrics_write *write,
                                    const void *owner, struct err *e);
/* `metrics at http://127.0.0.1:9464/metrics` */
const char *metrics_address(const struct metrics_server *m);
/* Closes all of it; the last close callback frees. NULL is fine. */
void metrics_close(struct metrics_server *m);

#endif
