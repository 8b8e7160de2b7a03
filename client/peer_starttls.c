/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_starttls.h"

#include "base/check.h"
#include "leave.h"
#include "recipe.h"
#include "starttls/starttls.h"

/* Sends what is to be said, which may be all that is to be said. */
static enum step speak(struct peer *p)
{
    peer_flush(p);
    bool due = !p->socket.broken && p->recipe->in_starttls && leave_is_due(p);
    return due ? leave_at_point(p) : STEP_STAY;
}

static struct starttls_io io_of(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct wire_out *out = &p->shared->net.out;
    _Static_assert((int)STARTTLS_OUT_BYTES <= (int)WIRE_OUT_BYTES, "a dialogue's words have room");
    CHECK(out->used == 0);
    return (struct starttls_io){.in = bytes, .in_left = count, .out = out->bytes};
}

enum step peer_starttls_begin(struct peer *p)
{
    p->starttls = starttls_new(p->shared->starttls, STARTTLS_CLIENT, p->shared->sni);
    CHECK(p->starttls); /* libuv itself has no way on without memory */
    struct starttls_io io = io_of(p, NULL, 0);
    starttls_start(p->starttls, &io);
    p->shared->net.out.used = io.out_used;
    if (io.out_used == 0 && peer_hear_first(p))
        peer_set_state(p, PEER_STARTTLS);
    return speak(p);
}

enum step peer_starttls_received(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct err why;
    struct starttls_io io = io_of(p, bytes, count);
    enum starttls_result result = starttls_feed(p->starttls, &io, &why);
    p->shared->net.out.used = io.out_used;
    enum step step = speak(p);
    if (step != STEP_STAY || p->socket.broken || result == STARTTLS_MORE)
        return step;
    if (p->recipe->in_starttls && starttls_asked(p->starttls))
        return leave_at_point(p); /* its deed is done and answered */
    if (result == STARTTLS_FAILED)
        return peer_fail(p, PEER_FAIL_HANDSHAKE, "the STARTTLS dialogue failed: %s", why.text);
    starttls_free(p->starttls);
    p->starttls = NULL;
    peer_set_state(p, PEER_HANDSHAKE);
    return STEP_ON;
}

bool peer_starttls_may_end(const struct peer *p)
{
    return p->state == PEER_STARTTLS && p->recipe->in_starttls && starttls_asked(p->starttls);
}
