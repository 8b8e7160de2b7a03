/* The dialogue in clear text before TLS, which ends with the SSL object being made. */
#include "base/check.h"
#include "conn_internal.h"
#include "server.h"
#include "starttls/starttls.h"

_Static_assert((int)PRELUDE_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");

void conn_prelude_open(struct conn *c)
{
    const struct options *o = &c->worker->server->options;
    struct prelude_io io = {.out = c->wire.out->bytes};
    c->prelude = prelude_new((enum prelude_protocol)o->starttls, PRELUDE_SERVER, NULL);
    CHECK(c->prelude); /* libuv itself has no way on without memory */
    conn_set_state(c, CONN_PRELUDE);
    prelude_start(c->prelude, &io);
    c->wire.out->used = io.out_used;
    conn_finish(c);
}

/* What is said about it may still be read, as an alert would. */
static void fail(struct conn *c, const char *why)
{
    server_problem(c->worker->server, PROBLEM_HANDSHAKE, "a prelude failed: %s", why);
    if (c->wire.out->used == 0 && c->writes == 0)
        c->broken = UV_EPROTO;
    conn_set_state(c, CONN_LINGER);
}

void conn_prelude_received(struct conn *c)
{
    struct err why;
    struct prelude_io io = {
        .in = c->wire.in, .in_left = c->wire.in_left, .out = c->wire.out->bytes};
    enum prelude_result result = prelude_feed(c->prelude, &io, &why);
    c->wire.in = io.in;
    c->wire.in_left = io.in_left;
    c->wire.out->used = io.out_used;
    if (result == PRELUDE_MORE)
        return;
    prelude_free(c->prelude);
    c->prelude = NULL;
    if (result == PRELUDE_DONE)
        conn_secure(c);
    else
        fail(c, why.text);
}
