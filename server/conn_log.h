/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection log (--log): one line of key=value per closed connection with what the server's
 * own SSL object saw, as docs/reference/connection-log.md lists it. Tests prove by it that a peer
 * really did what it was to do.
 *
 * One struct trace per connection, on the connection's loop; none without --log, and then every
 * function here that takes one does nothing. It isn't allocated through OpenSSL, so the ledger
 * doesn't see it. The file is shared by the workers: a line is one write to a file opened to
 * append, so lines don't mix, and what has been closed is in the file even if the server crashes.
 */
#ifndef SOAK_SERVER_TRACE_H
#define SOAK_SERVER_TRACE_H

#include "base/err.h"
#include "base/names.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct trace;
struct trace_log;

/* How a connection ended; the first cause counts. X(ENUM, name in the log) */
#define TRACE_END_LIST(X)                                                                          \
    X(TRACE_GOES_ON, "server")                                                                     \
    X(TRACE_CLOSE_NOTIFY, "close-notify") /* the peer said it */                                   \
    X(TRACE_FIN, "fin")                   /* the peer closed without it */                         \
    X(TRACE_RESET, "reset")                                                                        \
    X(TRACE_TIMEOUT, "timeout")                                                                    \
    X(TRACE_ERROR, "error")   /* TLS failed: our alert or the peer's */                            \
    X(TRACE_SERVER, "server") /* the server's own will */

enum trace_end { TRACE_END_LIST(ENUM_ID) };

/* Opens `path` to append, for its owner only. Returns 0 or -1; trace_log_close frees. */
int trace_log_open(const char *path, struct trace_log **ret, struct err *e);
void trace_log_close(struct trace_log *log);

/* NULL when `log` is NULL; trace_close frees. */
struct trace *trace_new(struct trace_log *log, uint64_t number);
/* Listens to `ssl` from now on. */
void trace_attach(struct trace *t, SSL *ssl);

/* Bytes taken from and given to TCP. */
void trace_in(struct trace *t, size_t bytes);
void trace_out(struct trace *t, size_t bytes);
/* The first handshake is finished: a renegotiation may resume where that one didn't. */
void trace_done(struct trace *t, const SSL *ssl);
void trace_ended(struct trace *t, enum trace_end how);

/* Writes the line and leaves `ssl` alone from now on; NULL: it never came to TLS. Returns 0, or -1
 * when the file can't be written: told once, the log then stops. Frees `t` in any case. */
int trace_close(struct trace *t, SSL *ssl, struct err *e);

#endif
