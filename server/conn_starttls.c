/* SPDX-License-Identifier: Apache-2.0 */
/* The dialogue in clear text before TLS, which ends with the SSL object being made. */
#include "base/check.h"
#include "conn_internal.h"
#include "server.h"
#include "starttls/starttls.h"

_Static_assert((int)STARTTLS_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");

void conn_starttls_open(struct conn *c)
{
    const struct options *o = &c->worker->server->options;
    struct starttls_io io = {.out = c->wire.out->bytes};
    c->starttls = starttls_new((enum starttls_protocol)o->starttls, STARTTLS_SERVER, NULL);
    CHECK(c->starttls); /* libuv itself has no way on without memory */
    conn_set_state(c, CONN_STARTTLS);
    starttls_start(c->starttls, &io);
    c->wire.out->used = io.out_used;
    conn_finish(c);
}

/* What is said about it may still be read, as an alert would. */
static void fail(struct conn *c, const char *why)
{
    server_problem(c->worker->server, PROBLEM_HANDSHAKE, "the STARTTLS dialogue failed: %s", why);
    if (c->wire.out->used == 0 && c->writes == 0)
        c->broken = UV_EPROTO;
    conn_set_state(c, CONN_LINGER);
}

void conn_starttls_received(struct conn *c)
{
    struct err why;
    struct starttls_io io = {
        .in = c->wire.in, .in_left = c->wire.in_left, .out = c->wire.out->bytes};
    enum starttls_result result = starttls_feed(c->starttls, &io, &why);
    c->wire.in = io.in;
    c->wire.in_left = io.in_left;
    c->wire.out->used = io.out_used;
    if (result == STARTTLS_MORE)
        return;
    starttls_free(c->starttls);
    c->starttls = NULL;
    if (result == STARTTLS_DONE)
        conn_start_tls(c);
    else
        fail(c, why.text);
}
