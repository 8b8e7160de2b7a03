/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_tls.h"

#include "tls/context.h"

#include <openssl/err.h>
#include <string.h>

int peer_tls_open(struct peer *p)
{
    struct peer_shared *shared = p->shared;
    ERR_clear_error();
    SSL *ssl = wire_ssl_new(shared->ctx, &p->socket.wire, false);
    if (!ssl || (shared->sni && !SSL_set_tlsext_host_name(ssl, shared->sni))) {
        SSL_free(ssl);
        ERR_clear_error();
        return -1;
    }
    p->ssl = ssl;
    if (p->resume)
        sessions_offer(shared->sessions, ssl, p->recipe->end != RECIPE_HELD);
    return p->recipe->prepare ? p->recipe->prepare(p) : 0;
}

bool peer_tls_session_fits_others(const SSL *ssl)
{
    const struct wire *wire = wire_of(ssl);
    const struct peer *p = (const void *)((const char *)wire - offsetof(struct peer, socket.wire));
    return !p->recipe->own_sessions;
}

void peer_tls_free(struct peer *p)
{
    ERR_clear_error();
    SSL_free(p->ssl);
    p->ssl = NULL;
}

enum ssl_result peer_tls_result(struct peer *p, int returned)
{
    enum ssl_result result = ssl_result_of(p->ssl, returned);
    if (result != SSL_RESULT_AGAIN)
        return result;
    peer_flush(p);
    return p->socket.writes || p->socket.broken ? SSL_RESULT_WAITS : SSL_RESULT_AGAIN;
}

/* An alert that refuses our certificate arrives after our side of a TLS 1.3 handshake is done. */
static enum peer_failure failure_kind(const struct peer *p)
{
    if (p->state <= PEER_HANDSHAKE || (p->state == PEER_ECHO && p->echoed == 0))
        return PEER_FAIL_HANDSHAKE;
    return p->state == PEER_ECHO ? PEER_FAIL_ECHO : PEER_FAIL_LOST;
}

/* The alert that the error in OpenSSL's queue tells of, or 0. */
static int alert_received(void)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    bool told = ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET;
    return told ? reason - SSL_AD_REASON_OFFSET : 0;
}

/* What would have helped: a server that doesn't speak the one version that is spoken. */
static const char *remedy(const struct peer *p, int alert)
{
    SSL_CTX *ctx = p->shared->ctx;
    bool one = SSL_CTX_get_min_proto_version(ctx) == SSL_CTX_get_max_proto_version(ctx) &&
               SSL_CTX_get_min_proto_version(ctx) != 0;
    return alert == SSL_AD_PROTOCOL_VERSION && one ? "; --tls any takes what the server has" : "";
}

enum step peer_tls_failed(struct peer *p)
{
    char why[200];
    int alert = alert_received();
    context_error(why, sizeof why);
    peer_flush(p);
    if (p->state == PEER_CLOSE_NOTIFY)
        return STEP_FIN;
    if (peer_awaits_refusal(p))
        return peer_refused(p, alert);
    enum peer_failure kind = failure_kind(p);
    return peer_fail(p, kind, "%s failed: %s%s",
                     kind == PEER_FAIL_HANDSHAKE ? "a handshake" : "an established connection", why,
                     remedy(p, alert));
}

enum step peer_tls_do_handshake(struct peer *p)
{
    enum ssl_result result;
    do {
        ERR_clear_error();
        result = peer_tls_result(p, SSL_do_handshake(p->ssl));
    } while (result == SSL_RESULT_AGAIN);
    if (result == SSL_RESULT_DONE)
        return STEP_ON;
    return result == SSL_RESULT_WAITS ? STEP_STAY : peer_tls_failed(p);
}

enum step peer_tls_write(struct peer *p, const void *bytes, size_t count)
{
    ERR_clear_error();
    int written = SSL_write(p->ssl, bytes, (int)count);
    if (peer_tls_result(p, written) != SSL_RESULT_DONE || written != (int)count)
        return peer_tls_failed(p);
    peer_flush(p);
    return STEP_STAY;
}

enum step peer_tls_say(struct peer *p, const char *line)
{
    return peer_tls_write(p, line, strlen(line));
}

enum step peer_tls_send_close_notify(struct peer *p)
{
    ERR_clear_error();
    /* Without our close_notify the server would have nothing to answer. */
    if (SSL_shutdown(p->ssl) < 0)
        p->socket.broken = UV_EPROTO;
    ERR_clear_error();
    peer_flush_with_fin(p);
    return p->socket.broken ? STEP_FIN : STEP_STAY;
}
