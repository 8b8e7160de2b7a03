/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a connection share: conn.c (its states, accept and teardown), conn_io.c (the
 * socket) and conn_tls.c (the SSL object). Private to them; everything here runs on the loop of the
 * connection's worker.
 */
#ifndef SOAK_SERVER_CONN_PARTS_H
#define SOAK_SERVER_CONN_PARTS_H

#include "conn_log.h"
#include "deadline.h"
#include "defect.h"
#include "request.h"
#include "tls/wire.h"
#include "worker.h"

#include <openssl/ssl.h>
#include <stdint.h>
#include <uv.h>

enum conn_state { CONN_NEW, CONN_STARTTLS, CONN_HANDSHAKE, CONN_OPEN, CONN_LINGER, CONN_CLOSED };

struct conn {
    uint32_t magic;
    enum conn_state state;
    bool alerted;    /* OpenSSL has sent the peer an alert */
    int broken;      /* why it closes at the end of this turn, a libuv error; or 0 */
    bool early;      /* early data may still come */
    unsigned writes; /* kept output under way; nothing is read meanwhile */
    uint64_t number; /* from 1, in the order of the accepts */
    struct worker *worker;
    struct starttls *starttls; /* owned; NULL but in CONN_STARTTLS */
    SSL *ssl;                  /* owned; NULL in and before CONN_STARTTLS, and once closed */
    struct wire wire;
    struct deadline deadline;
    struct defect_conn defect;
    struct request *request; /* owned; NULL until one comes */
    struct trace *trace;     /* owned; NULL without --log */
    uv_tcp_t tcp;
};

/* What an SSL call has come to. */
enum outcome { OUTCOME_DONE, OUTCOME_WAITS, OUTCOME_AGAIN, OUTCOME_ENDED, OUTCOME_FAILED };

/* The checked way back from a handle's or a write's pointer. */
struct conn *conn_of(void *data);

/* The one place that changes the state. */
void conn_set_state(struct conn *c, enum conn_state state);
/* Closes it at once; harmless when it is closed. */
void conn_close(struct conn *c);
/* TLS begins: makes the SSL object, and closes when it can't be made. */
void conn_start_tls(struct conn *c);
/* The socket is no good any more: `why` is a libuv error. */
void conn_break(struct conn *c, int why);

/* conn_io.c */
void conn_read_start(struct conn *c);
/* Sends what OpenSSL has written, and keeps what the kernel has no room for. */
void conn_flush(struct conn *c);
/* The same, but never at once: request_written is told when all of it is sent. */
void conn_flush_kept(struct conn *c);
/* The end of every turn: what OpenSSL wrote leaves, and a broken connection closes. */
void conn_finish(struct conn *c);

/* conn_starttls.c */
/* Begins the dialogue before TLS. */
void conn_starttls_open(struct conn *c);
/* Takes what has come of it from c->wire, and leaves there what belongs to TLS. */
void conn_starttls_received(struct conn *c);

/* conn_tls.c */
/* Makes the SSL object. Returns 0 or -1. */
int conn_tls_open(struct conn *c, struct err *e);
/* Takes bytes from the peer, as the state wants it. */
void conn_tls_received(struct conn *c, const uint8_t *bytes, size_t count);
/* The peer has closed its side: no more bytes will come. */
void conn_tls_ended(struct conn *c);
/* Sends bytes, whatever that takes from OpenSSL; what has to wait for the kernel is kept. */
enum outcome conn_send(struct conn *c, const uint8_t *bytes, int count);
/* Judges the result of an SSL call. A full buffer is emptied here, so that the call can be made
 * again at once. */
enum outcome conn_outcome(struct conn *c, int result);
/* Goes as far with the handshake as the bytes at hand allow. */
enum outcome conn_do_handshake(struct conn *c);
/* conn_early.c: reads and echoes early data. DONE when there will be no more: the handshake goes
 * on.
 */
enum outcome conn_early(struct conn *c);
/* TLS has failed: tells it, and lingers until the peer has read the alert. */
void conn_fail(struct conn *c);
/* Says close_notify and lingers. */
void conn_send_close_notify(struct conn *c);

#endif
