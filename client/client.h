/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's main thread: makes the workers, turns control lines into orders for them and their
 * replies into answers, publishes the figures. Without a control socket it plays both parts: one
 * epoch of --closed connections, a drain, a summary on stdout.
 */
#ifndef SOAK_CLIENT_CLIENT_H
#define SOAK_CLIENT_CLIENT_H

#include "page/page.h"
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "options.h"

/* Whether it could run: OpenSSL can do at least one of the behaviours. Returns 0 or -1. */
int client_check(const struct options *options, struct err *e);
/* Runs until it is told to quit or, by hand, until it is done. `options` is borrowed. Returns the
 * exit code, or -1 when it couldn't start. After probe_start. */
int client_run(const struct options *options, struct err *e);

/* What a run by hand prints at its end. */
void summary_print(FILE *out, const struct page *page, uint64_t took_ns);

#endif
