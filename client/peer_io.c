/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn of a peer is made of: its state, its output, and what it notes. */
#include "base/check.h"
#include "peer.h"

#include <stdarg.h>
#include <stdio.h>

ENUM_NAMES(peer_failure, PEER_FAILURE_LIST)

void peer_set_state(struct peer *p, enum peer_state state)
{
    CHECK(state > p->state);
    p->state = state;
}

void peer_note_connected(struct peer *p)
{
    if (p->state == PEER_CONNECT)
        peer_set_state(p, p->starttls ? PEER_STARTTLS : PEER_HANDSHAKE);
}

bool peer_hear_first(struct peer *p)
{
    int fd = net_fd(&p->socket);
    return fd >= 0 && target_hear_first(fd);
}

size_t peer_variant(const struct peer *p)
{
    return p->variant;
}

enum step peer_fail(struct peer *p, enum peer_failure kind, const char *format, ...)
{
    struct peer_shared *shared = p->shared;
    va_list args;
    va_start(args, format);
    vsnprintf(shared->why, sizeof shared->why, format, args);
    va_end(args);
    shared->failure = kind;
    return STEP_FAIL;
}

bool peer_awaits_refusal(const struct peer *p)
{
    return p->recipe->end == RECIPE_REFUSED && p->state <= PEER_WORK && !p->starttls;
}

enum step peer_refused(struct peer *p, int alert)
{
    bool tls12 = p->ssl && SSL_version(p->ssl) == TLS1_2_VERSION && p->recipe->alert_tls12;
    int awaited = tls12 ? p->recipe->alert_tls12 : p->recipe->alert;
    /* Others have other words for it, or none. */
    if (!awaited || alert == awaited || p->shared->talk->foreign)
        return STEP_ABORT_FIN;
    return peer_fail(
        p, PEER_FAIL_HANDSHAKE, "%s: refused by %s, not by %s", behaviour_name((int)p->behaviour),
        alert ? SSL_alert_desc_string_long(alert) : "a close", SSL_alert_desc_string_long(awaited));
}

/* Whether a server to which nothing is said has accepted the handshake. In TLS 1.3 the client is
 * done before the server has read its Finished: what refuses it comes later, and what follows a
 * success too, if anything does. Servers that send no tickets are waited for a few times only: what
 * they refuse is then a connection lost. */
static bool has_accepted(const struct peer *p)
{
    enum { TICKS = 2, SILENT = 3 };
    bool refused = p->recipe->end == RECIPE_REFUSED;
    if (refused && p->recipe->wordy)
        return false; /* it is its message that is refused */
    if (SSL_version(p->ssl) < TLS1_3_VERSION || p->heard_after)
        return true;
    return !refused && (p->ticks >= TICKS || p->shared->silent >= SILENT);
}

bool peer_is_answered(const struct peer *p)
{
    const struct talk *talk = p->shared->talk;
    if (p->sent < p->message_bytes)
        return false;
    switch (talk->kind) {
    case TALK_ECHO:
        return p->echoed == p->message_bytes;
    case TALK_TEXT:
        return talk_answered(talk, p->echoed);
    case TALK_SILENT:
        break;
    }
    return p->state == PEER_HELD || has_accepted(p);
}

void peer_queue(struct peer *p, const uint8_t *bytes, size_t count)
{
    if (p->state != PEER_CLOSED && !p->socket.broken)
        net_keep(&p->socket, bytes, count);
}

void peer_flush(struct peer *p)
{
    if (p->recipe->transmit && p->shared->net.out.used && (!p->starttls || p->recipe->in_starttls))
        p->recipe->transmit(p);
    if (net_flush(&p->socket) > 0)
        peer_note_connected(p);
}

void peer_flush_with_fin(struct peer *p)
{
    net_flush_with_fin(&p->socket);
    peer_flush(p);
}
