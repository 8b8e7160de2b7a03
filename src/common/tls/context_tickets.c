/* SPDX-License-Identifier: Apache-2.0 */
#include "context_internal.h"

#include <openssl/ssl.h>

enum { EARLY_DATA_USUAL = SSL3_RT_MAX_PLAIN_LENGTH };

/* What the server says to a ticket that decrypts well; the others are answered as without a
 * callback: a full handshake and a new ticket. */
static SSL_TICKET_RETURN ticket_answer(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t name_length, SSL_TICKET_STATUS status, void *arg)
{
    (void)session;
    (void)name;
    (void)name_length;
    (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    switch (context_features_of(ssl)->ticket_answer) {
    case TICKET_CALLBACK_NONE:
    case TICKET_CALLBACK_RENEW:
        return SSL_TICKET_RETURN_USE_RENEW;
    case TICKET_CALLBACK_IGNORE:
        return SSL_TICKET_RETURN_IGNORE;
    case TICKET_CALLBACK_ABORT:
        break;
    }
    return SSL_TICKET_RETURN_ABORT;
}

/* OpenSSL's protection against replays takes each session out of the server's cache when it is
 * used, so with early data there is a cache whatever the kind of session. */
static int set_early_data(SSL_CTX *ctx, const struct context_server_options *o)
{
    uint32_t bytes = o->features->early_data_bytes;
    if (!bytes)
        return 0;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, (long)o->cache_size);
    if (bytes > EARLY_DATA_USUAL && !SSL_CTX_set_recv_max_early_data(ctx, bytes))
        return -1;
    return SSL_CTX_set_max_early_data(ctx, bytes) ? 0 : -1;
}

int context_set_tickets(SSL_CTX *ctx, const struct context_server_options *o, struct err *e)
{
    const struct context_features *f = o->features;
    if (f->session_timeout_s)
        SSL_CTX_set_timeout(ctx, (long)f->session_timeout_s);
    if (o->session == SESSION_NONE)
        return 0;
    if (!SSL_CTX_set_num_tickets(ctx, (size_t)f->tickets))
        return context_fail(e, "can't set the number of tickets");
    if (f->ticket_answer != TICKET_CALLBACK_NONE &&
        !SSL_CTX_set_session_ticket_cb(ctx, NULL, ticket_answer, NULL))
        return context_fail(e, "can't set the answer to tickets");
    if (f->ring && ticket_ring_use(ctx) < 0)
        return context_fail(e, "can't set the ticket keys");
    if (set_early_data(ctx, o) < 0)
        return context_fail(e, "can't accept early data");
    return 0;
}
