/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: its workers, and the conversation with soak. It lives on the main thread, on the
 * first worker's loop; the workers reach it by what they share (shared.h) only.
 */
#ifndef SOAK_SERVER_SERVER_H
#define SOAK_SERVER_SERVER_H

#include "base/err.h"
#include "options.h"

/* Whether it could serve: OpenSSL takes the options and the address is free. Returns 0 or -1. */
int server_check(const struct options *o, struct err *e);
/* Serves until `quit` or SIGTERM. `probe_start` has been called. Returns 0 or -1. */
int server_run(const struct options *o, struct err *e);

#endif
