/* SPDX-License-Identifier: Apache-2.0 */
#include "leave.h"

#include "base/check.h"
#include "peer_tls.h"
#include "recipe.h"
#include "records.h"

/* Nothing of ours is queued that FIN could overtake: a held connection has its echo, and a flight
 * fits into the kernel's buffer. Returns whether the socket was good for it. */
static bool half_close(struct peer *p)
{
    peer_set_state(p, PEER_HALF_CLOSED);
    return net_half_close(&p->socket) == 0;
}

enum step leave_held(struct peer *p)
{
    CHECK(p->state == PEER_HELD && p->recipe->end == RECIPE_HELD);
    if (p->recipe->last_words && p->recipe->last_words(p) == STEP_FAIL)
        return STEP_FAIL;
    switch (p->recipe->exit) {
    case EXIT_CLOSE_NOTIFY:
        peer_set_state(p, PEER_CLOSE_NOTIFY);
        return peer_tls_send_close_notify(p);
    case EXIT_SERVER_FIRST:
        peer_set_state(p, PEER_ASKED_CLOSE);
        return peer_tls_say(p, "soak:close\n");
    case EXIT_HALF_CLOSE:
        return half_close(p) ? STEP_STAY : STEP_FIN;
    case EXIT_FIN:
        return STEP_FIN;
    case EXIT_RESET:
    case EXIT_IN_TURN:
    case EXIT_STALL:
        break;
    }
    return STEP_RST;
}

/* The bytes of the records up to the first of the handshake, as far as they are whole. A dummy
 * ChangeCipherSpec (RFC 8446 D.4) comes before it in TLS 1.3, where the rest looks like data. */
static size_t first_message(const struct wire_out *out)
{
    size_t at = 0, end;
    while ((end = record_end(out, at))) {
        if (out->bytes[at] == RECORD_HANDSHAKE || out->bytes[at] == RECORD_DATA)
            return end;
        at = end;
    }
    return out->used;
}

void leave_transmit(struct peer *p)
{
    struct wire_out *out = &p->shared->net.out;
    p->flights++;
    if (p->flights < 2)
        return;
    if (p->recipe->point == POINT_SERVER_FLIGHT)
        out->used = 0;
    else if (p->recipe->point == POINT_KEY_EXCHANGE)
        out->used = first_message(out);
}

static bool ticket_is_here(const struct peer *p)
{
    return p->state == PEER_ECHO && (p->heard_after || SSL_version(p->ssl) < TLS1_3_VERSION);
}

bool leave_is_due(const struct peer *p)
{
    switch (p->recipe->point) {
    case POINT_CONNECTED:
        return p->state <= PEER_HANDSHAKE;
    case POINT_STARTTLS:
    case POINT_CLIENT_HELLO:
        return p->flights >= 1;
    case POINT_SERVER_FLIGHT:
    case POINT_KEY_EXCHANGE:
    case POINT_FINISHED:
        return p->flights >= 2;
    case POINT_TICKET:
        return ticket_is_here(p);
    case POINT_DATA:
        return p->sent > 0;
    case POINT_SERVER_HELLO: /* before TLS sees the bytes: peer.c asks no one */
    case POINT_NONE:
        break;
    }
    return false;
}

bool leave_is_silent(const struct peer *p)
{
    const struct recipe *recipe = p->recipe;
    return recipe->mute || (recipe->point != POINT_NONE && recipe->point < POINT_DATA);
}

/* FIN and the server's end: closing at once would send RST as soon as the server writes. */
enum step leave_at_point(struct peer *p)
{
    switch (p->recipe->exit) {
    case EXIT_STALL:
        p->stalled = true;
        return STEP_STAY;
    case EXIT_FIN:
        return half_close(p) ? STEP_ABORTED : STEP_ABORT_FIN;
    case EXIT_IN_TURN:
        return p->shared->aborts++ % 2 == 0 ? STEP_ABORT_RST : STEP_ABORT_FIN;
    case EXIT_RESET:
    case EXIT_CLOSE_NOTIFY:
    case EXIT_SERVER_FIRST:
    case EXIT_HALF_CLOSE:
        break;
    }
    return STEP_ABORT_RST;
}
