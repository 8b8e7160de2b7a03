/* SPDX-License-Identifier: Apache-2.0 */
#include "context_internal.h"

#include "base/rng.h"
#include "tls/psk.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum { LIST_BYTES = 1024 };

static int verify_mode(enum client_auth auth)
{
    switch (auth) {
    case CLIENT_AUTH_NONE:
        break;
    case CLIENT_AUTH_REQUEST:
        return SSL_VERIFY_PEER;
    case CLIENT_AUTH_REQUIRE:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case CLIENT_AUTH_LATER:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_POST_HANDSHAKE;
    }
    return SSL_VERIFY_NONE;
}

int context_set_client_auth(SSL_CTX *ctx, const struct context_server_options *o, struct err *e)
{
    STACK_OF(X509_NAME) *names = NULL;
    if (SSL_CTX_load_verify_locations(ctx, o->client_ca_path, NULL))
        names = SSL_load_client_CA_file(o->client_ca_path);
    if (!names) {
        context_fail(e, "can't read the client authority");
        return err_prefix(e, "%s", o->client_ca_path);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(
        ctx, verify_mode(o->features ? o->features->client_auth : CLIENT_AUTH_REQUIRE), NULL);
    SSL_CTX_set_verify_depth(ctx, CONTEXT_VERIFY_DEPTH);
    return 0;
}

/* Appends `:name`, or `name` as the first. Returns 0, or -1 when there is no room. */
static int list_add(char *list, size_t size, const char *name, size_t length)
{
    size_t used = strlen(list), joint = used ? 1 : 0;
    if (used + joint + length >= size)
        return -1;
    if (joint)
        list[used] = ':';
    memcpy(list + used + joint, name, length);
    list[used + joint + length] = '\0';
    return 0;
}

/* OpenSSL passes over a suite that it doesn't know. */
static int suite_check(const SSL_CTX *ctx, const char *name, size_t length, struct err *e)
{
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const char *known = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i));
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return 0;
    }
    return err_set(e, "no such cipher suite of TLS 1.3: %.*s", (int)length, name);
}

static int suites_set(SSL_CTX *ctx, const char *suites, struct err *e)
{
    if (!SSL_CTX_set_ciphersuites(ctx, suites))
        return context_fail(e, "can't set the cipher suites of TLS 1.3");
    for (const char *name = suites;;) {
        size_t length = strcspn(name, ":");
        if (suite_check(ctx, name, length, e) < 0)
            return -1;
        if (!name[length])
            return 0;
        name += length + 1;
    }
}

/* The names of TLS 1.3's suites begin with TLS_, which no older one's does in OpenSSL. A version
 * for which none is named keeps OpenSSL's list. */
static int set_ciphers(SSL_CTX *ctx, const char *ciphers, struct err *e)
{
    char older[LIST_BYTES] = "", suites[LIST_BYTES] = "";
    for (const char *name = ciphers; *name;) {
        size_t length = strcspn(name, ":");
        bool suite = strncmp(name, "TLS_", 4) == 0;
        if (length && list_add(suite ? suites : older, LIST_BYTES, name, length) < 0)
            return err_set(e, "the list of ciphers is longer than %d bytes", LIST_BYTES - 1);
        name += length + (name[length] == ':');
    }
    if (*older && !SSL_CTX_set_cipher_list(ctx, older))
        return context_fail(e, "can't set the ciphers of TLS 1.2");
    return *suites ? suites_set(ctx, suites, e) : 0;
}

/* Whether OpenSSL knows what one word of a cipher list asks for; it passes over the others. */
static bool cipher_known(SSL_CTX *scratch, const char *word)
{
    bool plain = strchr("!-+@", word[0]) == NULL && strncmp(word, "TLS_", 4) != 0;
    bool known = !plain || SSL_CTX_set_cipher_list(scratch, word);
    ERR_clear_error();
    return known;
}

int context_check_ciphers(const char *ciphers, struct err *e)
{
    SSL_CTX *scratch = SSL_CTX_new(TLS_method());
    char word[LIST_BYTES];
    int rc = scratch ? 0 : context_fail(e, "no SSL_CTX");
    for (const char *name = ciphers; rc == 0 && *name;) {
        size_t length = strcspn(name, ": ,;");
        snprintf(word, sizeof word, "%.*s", (int)length, name);
        if (length && !cipher_known(scratch, word))
            rc = err_set(e, "--ciphers %s: OpenSSL knows no cipher '%.100s'", ciphers, word);
        name += length + (name[length] != '\0');
    }
    SSL_CTX_free(scratch);
    return rc;
}

/* Of a name that stands there twice OpenSSL before 3.5 says nothing but no. */
static bool name_twice(const char *list, char *ret_name, size_t size)
{
    for (const char *name = list; *name;) {
        size_t length = strcspn(name, ":");
        for (const char *other = name + length; *other;) {
            other++;
            size_t others = strcspn(other, ":");
            if (length && length == others && strncmp(name, other, length) == 0) {
                snprintf(ret_name, size, "%.*s", (int)length, name);
                return true;
            }
            other += others;
        }
        name += length + (name[length] == ':');
    }
    return false;
}

/* The first group of a list that OpenSSL hasn't. What is more than a name is passed over: from 3.5
 * on a list may have marks, such as ?X25519. */
static bool name_unknown(SSL_CTX *ctx, const char *list, char *ret_name, size_t size)
{
    for (const char *name = list; *name;) {
        size_t length = strcspn(name, ":");
        bool plain = length && length < size && isalnum((unsigned char)*name) &&
                     strcspn(name, "/*?") >= length;
        snprintf(ret_name, size, "%.*s", (int)length, name);
        if (plain && !SSL_CTX_set1_groups_list(ctx, ret_name))
            return true;
        name += length + (name[length] == ':');
    }
    return false;
}

static int set_groups(SSL_CTX *ctx, const char *groups, struct err *e)
{
    char name[64];
    if (SSL_CTX_set1_groups_list(ctx, groups))
        return 0;
    bool unknown = name_unknown(ctx, groups, name, sizeof name);
    if (!unknown && !name_twice(groups, name, sizeof name))
        return context_fail(e, "can't set the groups");
    ERR_clear_error();
    return unknown ? err_set(e, "can't set the groups: OpenSSL knows no group '%s'", name)
                   : err_set(e, "can't set the groups: %s is there twice", name);
}

static void allow_renegotiation(SSL_CTX *ctx)
{
    SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
}

int context_set_features(SSL_CTX *ctx, const struct context_server_options *o, struct err *e)
{
    const struct context_features *f = o->features;
    SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)f);
    if (context_set_tickets(ctx, o, e) < 0)
        return -1;
    if (f->psk)
        psk_serve(ctx);
    if (f->staple)
        staple_use(ctx);
    if (f->renegotiation)
        allow_renegotiation(ctx);
    if (f->second && (!SSL_CTX_use_certificate(ctx, f->second->cert) ||
                      !SSL_CTX_use_PrivateKey(ctx, f->second->key)))
        return context_fail(e, "can't use the server's second certificate and key");
    if (f->groups && set_groups(ctx, f->groups, e) < 0)
        return err_prefix(e, "--groups %s", f->groups);
    if (f->ciphers && set_ciphers(ctx, f->ciphers, e) < 0)
        return err_prefix(e, "--ciphers %s", f->ciphers);
    if (f->padding_bytes && !SSL_CTX_set_block_padding(ctx, (size_t)f->padding_bytes))
        return context_fail(e, "can't set the padding");
    return 0;
}

static int unknown_name(const struct context_features *f, int *alert)
{
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    switch (f->unknown_name) {
    case SNI_UNKNOWN_ACCEPT:
        break;
    case SNI_UNKNOWN_WARN:
        return SSL_TLSEXT_ERR_ALERT_WARNING;
    case SNI_UNKNOWN_REFUSE:
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* Called for every ClientHello, with a name or without. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    const struct context_features *f = context_features_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)arg;
    if (!f || !name || strcmp(name, "localhost") == 0)
        return SSL_TLSEXT_ERR_OK;
    if (!f->other || strcmp(name, CONTEXT_OTHER_NAME) != 0)
        return unknown_name(f, alert);
    return SSL_set_SSL_CTX(ssl, f->other) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void context_set_names(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
}

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

/* The same in every process that draws from this seed. No secret: the load is soak's own. */
static int share_ticket_keys(SSL_CTX *ctx, uint64_t seed)
{
    unsigned char keys[256];
    long bytes = SSL_CTX_get_tlsext_ticket_keys(ctx, NULL, 0);
    struct rng rng = {.state = seed};
    if (bytes <= 0 || bytes > (long)sizeof keys)
        return -1;
    for (long i = 0; i < bytes; i++)
        keys[i] = (unsigned char)rng_next(&rng);
    return SSL_CTX_set_tlsext_ticket_keys(ctx, keys, bytes) == 1 ? 0 : -1;
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
    if ((f->ring && ticket_ring_use(ctx) < 0) ||
        (f->ticket_seed && share_ticket_keys(ctx, f->ticket_seed) < 0))
        return context_fail(e, "can't set the ticket keys");
    if (set_early_data(ctx, o) < 0)
        return context_fail(e, "can't accept early data");
    return 0;
}
