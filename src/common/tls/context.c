/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/context.h"

#include "context_internal.h"

#include <openssl/err.h>
#include <string.h>

enum { ALPN_MAX_BYTES = 256 };

/* What ties a resumed session to the same kind of service; needed with client certificates. */
static const unsigned char session_context[] = "soak";

static int set_version(SSL_CTX *ctx, enum tls_version version)
{
    int low = version == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    int high = version == TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    return SSL_CTX_set_min_proto_version(ctx, low) && SSL_CTX_set_max_proto_version(ctx, high) ? 0
                                                                                               : -1;
}

/* `a,b` as length-prefixed names (RFC 7301 3.1). Returns the count of bytes, or -1. */
static int alpn_encode(const char *list, unsigned char *to, size_t size, struct err *e)
{
    size_t used = 0;
    for (const char *name = list; name; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL) {
        size_t length = strcspn(name, ",");
        if (length == 0)
            return err_set(e, "the protocol list '%s' holds an empty name", list);
        if (length > 255 || used + 1 + length > size)
            return err_set(e, "the protocol list '%s' is longer than %zu bytes", list, size);
        to[used] = (unsigned char)length;
        memcpy(to + used + 1, name, length);
        used += 1 + length;
    }
    return (int)used;
}

/* The server's first protocol that the client offers too; none in common ends the handshake, as
 * RFC 7301 3.2 asks. `arg` is the server's comma-separated list. */
static int alpn_select(SSL *ssl, const unsigned char **ret, unsigned char *ret_length,
                       const unsigned char *offered, unsigned int offered_length, void *arg)
{
    unsigned char known[ALPN_MAX_BYTES];
    unsigned char *choice = NULL;
    (void)ssl;
    int count = alpn_encode(arg, known, sizeof known, NULL);
    if (count < 0 || SSL_select_next_proto(&choice, ret_length, known, (unsigned int)count, offered,
                                           offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    /* With known names first, the choice points into `known`: find it in what was offered, which
     * outlives this call. */
    for (const unsigned char *at = offered; at < offered + offered_length; at += 1 + at[0]) {
        if (at[0] == *ret_length && memcmp(at + 1, choice, *ret_length) == 0)
            *ret = at + 1;
    }
    return SSL_TLSEXT_ERR_OK;
}

static int set_sessions(SSL_CTX *ctx, const struct context_server_options *o)
{
    switch (o->session) {
    case SESSION_TICKET:
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        break;
    case SESSION_CACHE:
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_cache_size(ctx, (long)o->cache_size);
        break;
    case SESSION_NONE:
        /* TLS 1.3 would still send tickets that no one can redeem. */
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        if (!SSL_CTX_set_num_tickets(ctx, 0))
            return -1;
        break;
    }
    return SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) ? 0
                                                                                            : -1;
}

static int server_fill(SSL_CTX *ctx, const struct context_server_options *o, struct err *e)
{
    unsigned char known[ALPN_MAX_BYTES];
    if (set_version(ctx, o->version) < 0)
        return context_fail(e, "can't set the TLS version");
    if (!SSL_CTX_use_certificate(ctx, o->identity->cert) ||
        !SSL_CTX_use_PrivateKey(ctx, o->identity->key))
        return context_fail(e, "can't use the server's certificate and key");
    /* As servers do today; it also means that a write never waits for a read. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    if (set_sessions(ctx, o) < 0)
        return context_fail(e, "can't set up sessions");
    if (o->client_ca_path && context_set_client_auth(ctx, o, e) < 0)
        return -1;
    if (o->alpn) {
        if (alpn_encode(o->alpn, known, sizeof known, e) < 0)
            return -1;
        SSL_CTX_set_alpn_select_cb(ctx, alpn_select, (void *)(uintptr_t)o->alpn);
    }
    if (o->accept_sni)
        context_set_names(ctx);
    return o->features ? context_set_features(ctx, o, e) : 0;
}

static int client_fill(SSL_CTX *ctx, const struct context_client_options *o, struct err *e)
{
    unsigned char wanted[ALPN_MAX_BYTES];
    if (set_version(ctx, o->version) < 0)
        return context_fail(e, "can't set the TLS version");
    if (o->cert_path && (SSL_CTX_use_certificate_chain_file(ctx, o->cert_path) != 1 ||
                         SSL_CTX_use_PrivateKey_file(ctx, o->cert_path, SSL_FILETYPE_PEM) != 1)) {
        context_fail(e, "can't read the client's certificate and key");
        return err_prefix(e, "%s", o->cert_path);
    }
    if (o->alpn) {
        int count = alpn_encode(o->alpn, wanted, sizeof wanted, e);
        if (count < 0)
            return -1;
        if (SSL_CTX_set_alpn_protos(ctx, wanted, (unsigned int)count) != 0)
            return context_fail(e, "can't set the protocol list");
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    return 0;
}

/* The context if it could be filled. */
static int finish(SSL_CTX *ctx, bool filled, SSL_CTX **ret)
{
    if (!filled) {
        SSL_CTX_free(ctx);
        return -1;
    }
    *ret = ctx;
    return 0;
}

int context_server_new(const struct context_server_options *o, SSL_CTX **ret, struct err *e)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    return ctx ? finish(ctx, server_fill(ctx, o, e) == 0, ret)
               : context_fail(e, "can't make a TLS context");
}

int context_client_new(const struct context_client_options *o, SSL_CTX **ret, struct err *e)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    return ctx ? finish(ctx, client_fill(ctx, o, e) == 0, ret)
               : context_fail(e, "can't make a TLS context");
}
