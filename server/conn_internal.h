/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a connection share. conn.c is the top: it takes what happens to the socket and,
 * step by step, changes the state. request.c (messages of an open connection) and below it
 * conn_tls.c (the SSL object and what comes before it) return the step to take: they never close.
 * Private to them; everything here runs on the loop of the connection's worker.
 */
#ifndef SOAK_SERVER_CONN_INTERNAL_H
#define SOAK_SERVER_CONN_INTERNAL_H

#include "conn_log.h"
#include "deadline.h"
#include "defect.h"
#include "net/http2.h"
#include "net/socket.h"
#include "shared.h"
#include "tls/wire.h"
#include "worker.h"

#include <openssl/ssl.h>
#include <stdint.h>

enum conn_state { CONN_NEW, CONN_STARTTLS, CONN_HANDSHAKE, CONN_OPEN, CONN_LINGER, CONN_CLOSED };

/* What is to become of a connection. */
enum step {
    STEP_STAY,        /* it waits for what comes */
    STEP_TLS,         /* the dialogue before TLS is over */
    STEP_ESTABLISHED, /* the handshake is done */
    STEP_LEAVE,       /* says close_notify, and lingers */
    STEP_FAIL,        /* TLS has failed: lingers until the peer has read the alert */
    STEP_LINGER,      /* its last words are written */
    STEP_CLOSE
};

struct conn {
    enum conn_state state;
    bool alerted;     /* OpenSSL has sent the peer an alert */
    bool early;       /* early data may still come */
    uint64_t number;  /* from 1, in the order of the accepts */
    bool replied;     /* with --reply: nothing more is to be said */
    bool resets;      /* closes by RST */
    struct turn turn; /* with --paced */
    bool h2;          /* with --reply: the client speaks HTTP/2 */
    struct http2 http2;
    struct worker *worker;
    struct shared *shared;     /* the worker's */
    struct starttls *starttls; /* owned; NULL but in CONN_STARTTLS */
    SSL *ssl;                  /* owned; NULL in and before CONN_STARTTLS, and once closed */
    struct net_socket socket;
    struct deadline deadline;
    struct defect_conn defect;
    struct request *request; /* owned; NULL until one comes */
    struct conn_log *log;    /* owned; NULL without --log */
};

/* Sends what OpenSSL has written, and keeps what the kernel has no room for; then nothing is read
 * until that is sent. */
void conn_flush(struct conn *c);
/* The same, but never at once: request_written is told when all of it is sent. */
void conn_flush_kept(struct conn *c);

/* Begins the dialogue before TLS. */
void conn_starttls_open(struct conn *c);
/* Takes what has come of it from the wire, and leaves there what belongs to TLS. */
enum step conn_starttls(struct conn *c);

/* Makes the SSL object. Returns 0 or -1. */
int conn_tls_open(struct conn *c, struct err *e);
/* What an SSL call has come to. A full buffer is emptied here, so that the call can be made again
 * at once. */
enum ssl_result conn_result(struct conn *c, int returned);
/* Goes as far with a handshake as the bytes at hand allow. */
enum ssl_result conn_do_handshake(struct conn *c);
/* The same with the first one, and the early data before it, which is echoed. */
enum step conn_handshake(struct conn *c);
/* Whether its turn was done with the handshake; else it is at the end of the answer, if ever. */
bool conn_turn_done(const struct conn *c);
/* Whether ALPN has agreed on h2. */
bool conn_speaks_h2(const struct conn *c);
/* Sends bytes, whatever that takes from OpenSSL. */
enum ssl_result conn_send(struct conn *c, const uint8_t *bytes, int count);

#endif
