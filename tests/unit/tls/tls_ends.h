/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ends of a TLS connection joined in memory, without sockets: what one writes is what the other
 * reads. Whatever can't be made fails the running test.
 */
#ifndef TESTS_TLS_ENDS_H
#define TESTS_TLS_ENDS_H

#include "tls/context.h"
#include "tls/wire.h"

struct end {
    struct wire_out out;
    struct wire wire;
    SSL *ssl;
    int alert; /* the last one received, 0 for none */
};

struct ends {
    struct identity identity, authority;
    struct end server, client;
};

/* For a group of cmocka tests: *state is a struct ends. */
int ends_setup(void **state);
int ends_teardown(void **state);

/* The server's identity is that of `f`. The caller frees both. */
SSL_CTX *ends_server_ctx(struct ends *f, struct context_server_options o);
SSL_CTX *ends_client_ctx(struct context_client_options o);

void ends_open(struct ends *f, SSL_CTX *server, SSL_CTX *client);
/* Without close_notify: the client's session can't be resumed again. */
void ends_close(struct ends *f);

/* One turn of one end: it reads all that the other has written. Returns false on a TLS failure. */
bool end_turn(struct end *self, struct end *other);
/* Turns until nothing can be left to say. Returns whether both handshakes are done. */
bool ends_do_handshake(struct ends *f);

/* The session that the client holds; the caller frees it. Both ends send close_notify and close. */
SSL_SESSION *ends_session(struct ends *f);
/* Opens both ends, the client with `session` to resume or NULL, and shakes. */
bool ends_meet(struct ends *f, SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session);

#endif
