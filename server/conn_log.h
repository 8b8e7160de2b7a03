/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection log (--log): one line of key=value per closed connection with what the server's
 * own SSL object saw, as docs/reference/connection-log.md lists it. With it tests prove that a peer
 * really did what its behaviour says.
 *
 * One struct conn_log per connection, on the connection's loop; none without --log, and then every
 * function here that takes one does nothing. It isn't allocated through OpenSSL, so the ledger
 * doesn't see it. The file is shared by the workers: a line is one write to a file opened to
 * append, so lines don't mix, and what has been closed is in the file even if the server crashes.
 */
#ifndef SOAK_SERVER_CONN_LOG_H
#define SOAK_SERVER_CONN_LOG_H

#include "base/err.h"
#include "base/names.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct conn_log;
struct conn_log_file;

/* How a connection ended; the first cause counts. X(ENUM, name in the log) */
#define CONN_LOG_END_LIST(X)                                                                       \
    X(CONN_LOG_GOES_ON, "server")                                                                  \
    X(CONN_LOG_CLOSE_NOTIFY, "close-notify") /* the peer said it */                                \
    X(CONN_LOG_FIN, "fin")                   /* the peer closed without it */                      \
    X(CONN_LOG_RESET, "reset")                                                                     \
    X(CONN_LOG_TIMEOUT, "timeout")                                                                 \
    X(CONN_LOG_ERROR, "error")   /* TLS failed: our alert or the peer's */                         \
    X(CONN_LOG_SERVER, "server") /* the server's own will */

enum conn_log_end { CONN_LOG_END_LIST(ENUM_ID) };

/* Opens `path` to append, for its owner only. Returns 0 or -1; conn_log_file_close frees. */
int conn_log_file_open(const char *path, struct conn_log_file **ret, struct err *e);
void conn_log_file_close(struct conn_log_file *log);

/* NULL when `log` is NULL; conn_log_close frees. */
struct conn_log *conn_log_new(struct conn_log_file *log, uint64_t number);
/* Listens to `ssl` from now on. */
void conn_log_attach(struct conn_log *t, SSL *ssl);

/* Bytes taken from and given to TCP. */
void conn_log_in(struct conn_log *t, size_t bytes);
void conn_log_out(struct conn_log *t, size_t bytes);
/* The first handshake is finished: a renegotiation may resume where that one didn't. */
void conn_log_done(struct conn_log *t, const SSL *ssl);
void conn_log_ended(struct conn_log *t, enum conn_log_end how);

/* Writes the line and leaves `ssl` alone from now on; NULL: it never came to TLS. Returns 0, or -1
 * when the file can't be written: told once, the log then stops. Frees `t` in any case. */
int conn_log_close(struct conn_log *t, SSL *ssl, struct err *e);

#endif
