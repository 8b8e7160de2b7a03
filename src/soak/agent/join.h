/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an agent finds its run: the address that it is told, by name or number, which may begin to
 * listen a while later, and the token, whose file may come then, too.
 */
#ifndef SOAK_JOIN_H
#define SOAK_JOIN_H

#include "base/err.h"
#include "channel/token.h"

#include <stdint.h>

/* Whether it can be one: HOST:PORT. Returns 0 or -1. */
int join_check(const char *where, struct err *e);
/* Waits for the token's file and for the run; after two seconds stderr has a line for what. Returns
 * a connected descriptor; -EINVAL when there is no token, or it is none; else -1. */
int join_run(const char *where, const char *token_file, uint64_t wait_ns, char token[TOKEN_BYTES],
             struct err *e);

#endif
