/* SPDX-License-Identifier: Apache-2.0 */
#include "operate.h"

#include "base/check.h"
#include "peer_tls.h"
#include "tls/context.h"

#include <openssl/err.h>
#include <string.h>

/* docs/reference/protocol.md, requests. */
static const char ticket_request[] = "soak:ticket 1\n", ticket_answer[] = "soak:done\n";

static enum step refused(struct peer *p)
{
    char why[200];
    context_error(why, sizeof why);
    return peer_fail(p, PEER_FAIL_LOST, "%s: %s", operation_name(p->operation), why);
}

/* What OpenSSL has read of a ticket becomes the connection's session: another object. */
static enum step ask_ticket(struct peer *p)
{
    p->session = SSL_get_session(p->ssl);
    return peer_tls_say(p, ticket_request);
}

enum step operate_begin(struct peer *p, enum operation operation)
{
    CHECK(p->state == PEER_HELD && p->operation == OPERATE_NONE);
    p->operation = operation;
    p->sent = p->echoed = p->answered = 0;
    p->heard[0] = '\0';
    ERR_clear_error();
    switch (operation) {
    case OPERATE_REQUEST:
        break;
    case OPERATE_KEY_UPDATE: /* the new keys are asked for when the message is written */
        return SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) ? STEP_STAY : refused(p);
    case OPERATE_RENEGOTIATE:
        return SSL_renegotiate(p->ssl) ? STEP_STAY : refused(p);
    case OPERATE_TICKET:
        return ask_ticket(p);
    case OPERATE_NONE:
    case OPERATIONS:
        CHECK(false);
    }
    return STEP_STAY;
}

static bool renegotiating(const struct peer *p)
{
    return p->operation == OPERATE_RENEGOTIATE &&
           (SSL_renegotiate_pending(p->ssl) || SSL_in_init(p->ssl));
}

enum step operate_advance(struct peer *p)
{
    enum step step = renegotiating(p) ? peer_tls_do_handshake(p) : STEP_STAY;
    return step == STEP_ON ? STEP_STAY : step;
}

bool operate_sends(const struct peer *p)
{
    return p->operation != OPERATE_NONE && p->operation != OPERATE_TICKET && !renegotiating(p);
}

enum step operate_heard(struct peer *p, const uint8_t *bytes, size_t count)
{
    size_t left = sizeof ticket_answer - 1 - p->answered;
    if (count > left || memcmp(bytes, ticket_answer + p->answered, count) != 0)
        return peer_fail(p, PEER_FAIL_ECHO, "the server doesn't answer requests for tickets");
    p->answered += count;
    return STEP_STAY;
}

enum step operate_conclude(struct peer *p)
{
    bool ticket = p->operation == OPERATE_TICKET;
    if (renegotiating(p) ||
        (ticket ? p->answered < sizeof ticket_answer - 1 : !peer_is_answered(p)))
        return STEP_STAY;
    if (ticket && SSL_get_session(p->ssl) == p->session)
        return peer_fail(p, PEER_FAIL_ECHO, "the server was asked for a ticket and sent none");
    p->operation = OPERATE_NONE;
    return STEP_OPERATED;
}
