/* SPDX-License-Identifier: Apache-2.0 */
#include "operate.h"

#include "base/check.h"
#include "peer_tls.h"
#include "tls/context.h"

#include <openssl/err.h>
#include <string.h>

/* docs/reference/protocol.md, requests. */
static const char ticket_request[] = "soak:ticket 1\n", ticket_answer[] = "soak:done\n";

static void refused(struct peer *p)
{
    char why[200];
    context_error(why, sizeof why);
    peer_fail(p, PEER_FAIL_LOST, "%s: %s", operation_name(p->operation), why);
}

/* The new keys are asked for when the message is written. */
static void update_keys(struct peer *p)
{
    if (!SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED))
        refused(p);
}

/* What OpenSSL has read of a ticket becomes the connection's session: another object. */
static void ask_ticket(struct peer *p)
{
    p->session = SSL_get_session(p->ssl);
    peer_tls_say(p, ticket_request);
}

void operate_begin(struct peer *p, enum operation operation)
{
    CHECK(p->state == PEER_HELD && p->operation == OPERATE_NONE);
    p->operation = operation;
    p->sent = p->echoed = p->answered = 0;
    ERR_clear_error();
    switch (operation) {
    case OPERATE_REQUEST:
        break;
    case OPERATE_KEY_UPDATE:
        update_keys(p);
        break;
    case OPERATE_RENEGOTIATE:
        if (!SSL_renegotiate(p->ssl))
            refused(p);
        break;
    case OPERATE_TICKET:
        ask_ticket(p);
        break;
    case OPERATE_NONE:
    case OPERATIONS:
        CHECK(false);
    }
    if (p->state != PEER_CLOSED)
        peer_tls_advance(p);
}

static bool renegotiating(const struct peer *p)
{
    return p->operation == OPERATE_RENEGOTIATE &&
           (SSL_renegotiate_pending(p->ssl) || SSL_in_init(p->ssl));
}

void operate_advance(struct peer *p)
{
    if (renegotiating(p))
        peer_tls_do_handshake(p);
}

bool operate_sends(const struct peer *p)
{
    return p->operation != OPERATE_NONE && p->operation != OPERATE_TICKET && !renegotiating(p);
}

bool operate_heard(struct peer *p, const uint8_t *bytes, size_t count)
{
    size_t left = sizeof ticket_answer - 1 - p->answered;
    if (p->operation != OPERATE_TICKET)
        return false;
    if (count > left || memcmp(bytes, ticket_answer + p->answered, count) != 0)
        peer_fail(p, PEER_FAIL_ECHO, "the server doesn't answer requests for tickets");
    else
        p->answered += count;
    return true;
}

static bool has_answer(struct peer *p)
{
    if (p->answered < sizeof ticket_answer - 1)
        return false;
    if (SSL_get_session(p->ssl) == p->session)
        peer_fail(p, PEER_FAIL_ECHO, "the server was asked for a ticket and sent none");
    return p->state != PEER_CLOSED;
}

bool operate_is_over(struct peer *p)
{
    if (p->state != PEER_HELD || p->operation == OPERATE_NONE)
        return false;
    bool over =
        p->operation == OPERATE_TICKET ? has_answer(p) : p->echoed == p->shared->payload_bytes;
    if (over)
        p->operation = OPERATE_NONE;
    return over;
}
