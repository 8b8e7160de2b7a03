/* SPDX-License-Identifier: Apache-2.0 */
#include "leave.h"

#include "base/check.h"
#include "peer_tls.h"
#include "recipe.h"
#include "records.h"

#include <sys/socket.h>

/* Nothing of ours is queued that FIN could overtake: a held connection has its echo, and a flight
 * fits into the kernel's buffer. */
static void half_close(struct peer *p)
{
    uv_os_fd_t fd;
    peer_set_state(p, PEER_HALF_CLOSED);
    if (uv_fileno((uv_handle_t *)&p->tcp, &fd) < 0 || shutdown(fd, SHUT_WR) < 0)
        peer_close(p);
}

void leave_held(struct peer *p)
{
    CHECK(p->state == PEER_HELD && p->recipe->end == RECIPE_HELD);
    switch (p->recipe->exit) {
    case EXIT_CLOSE_NOTIFY:
        peer_set_state(p, PEER_CLOSE_NOTIFY);
        peer_tls_send_close_notify(p);
        break;
    case EXIT_SERVER_FIRST:
        peer_set_state(p, PEER_ASKED_CLOSE);
        peer_tls_say(p, "soak:close\n");
        break;
    case EXIT_HALF_CLOSE:
        half_close(p);
        break;
    case EXIT_FIN:
        peer_close(p);
        break;
    case EXIT_RESET:
    case EXIT_IN_TURN:
    case EXIT_STALL:
        peer_reset(p);
        break;
    }
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
    struct wire_out *out = &p->shared->out;
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
void leave_at_point(struct peer *p)
{
    switch (p->recipe->exit) {
    case EXIT_STALL:
        p->stalled = true;
        return;
    case EXIT_FIN:
        half_close(p);
        break;
    case EXIT_IN_TURN:
        if (p->shared->aborts++ % 2 == 0)
            peer_reset(p);
        else
            peer_close(p);
        break;
    case EXIT_RESET:
    case EXIT_CLOSE_NOTIFY:
    case EXIT_SERVER_FIRST:
    case EXIT_HALF_CLOSE:
        peer_reset(p);
        break;
    }
    p->shared->on_aborted(p);
}
