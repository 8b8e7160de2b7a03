/* SPDX-License-Identifier: Apache-2.0 */
#include "contexts.h"

#include "base/memory_file.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 40, SERIAL_BYTES = 8, EXPONENT_BYTES = 5, WORD_BYTES = 8, TRIES = 1000 };

/* RFC 3279 2.2.3: an ECDSA signature is two integers, and each takes a byte more when its first bit
 * is set: half of those by P-256 have 71 bytes. One by RSA is as long as the key's modulus. */
static int usual_signature(enum key_kind signer)
{
    return signer == KEY_P256 ? 71 : 256;
}

/* Before the first operation by a modulus OpenSSL inverts its last 64 bits, for which it allocates
 * less when they are a number below 2^61 or so. RFC 8017 A.1.1: behind the modulus stands the
 * exponent, which takes five bytes. */
static bool is_usual_modulus(const X509 *cert)
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
    int first = ASN1_STRING_length(key) - EXPONENT_BYTES - WORD_BYTES;
    return first >= 0 && ASN1_STRING_get0_data(key)[first] >= 0x40;
}

static bool is_usual(const struct identity *id, enum key_kind kind, enum key_kind signer)
{
    const ASN1_BIT_STRING *signature = NULL;
    X509_get0_signature(&signature, NULL, id->cert);
    return ASN1_STRING_length(signature) == usual_signature(signer) &&
           ASN1_STRING_length(X509_get0_serialNumber(id->cert)) == SERIAL_BYTES &&
           (kind == KEY_P256 || is_usual_modulus(id->cert));
}

/* An identity whose certificate and key have the commonest length. An authority's key is always
 * P-256. */
static int make_usual(enum key_kind kind, const char *name, const struct identity *issuer,
                      struct identity *ret, struct err *e)
{
    for (int i = 0; i < TRIES; i++) {
        struct identity id;
        if (identity_make(kind, name, issuer, &id, e) < 0)
            return -1;
        if (is_usual(&id, kind, issuer ? KEY_P256 : kind)) {
            *ret = id;
            return 0;
        }
        identity_fini(&id);
    }
    return err_set(e, "no certificate for '%s' came out of the usual length", name);
}

static char *path_of(char *buf, int fd)
{
    snprintf(buf, PATH_BYTES, "/proc/self/fd/%d", fd);
    return buf;
}

static int put_pem(const struct identity *id, bool with_key, int *ret_fd, struct err *e)
{
    char *pem = identity_pem(id, with_key);
    int rc = pem ? memory_file_make("soak-footprint", pem, ret_fd, e)
                 : err_set(e, "out of memory for a certificate");
    free(pem);
    return rc;
}

/* The authority for the server, a certificate and its key for the client, each as a file. */
struct client_files {
    int authority, client; /* -1: none */
};

static int make_client_files(struct client_files *f, struct err *e)
{
    struct identity authority = {0}, client = {0};
    int rc = make_usual(KEY_P256, "soak client authority", NULL, &authority, e);
    if (rc == 0)
        rc = make_usual(KEY_P256, "soak client", &authority, &client, e);
    if (rc == 0)
        rc = put_pem(&authority, false, &f->authority, e);
    if (rc == 0)
        rc = put_pem(&client, true, &f->client, e);
    identity_fini(&client);
    identity_fini(&authority);
    return rc;
}

/* Keeps the newest one, but none that is shorter by chance (samples.h). Returns 0: the reference
 * stays OpenSSL's. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct contexts *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int length = i2d_SSL_SESSION(session, NULL);
    unsigned char *at = c->session;
    if (length < c->session_bytes || length > CONTEXTS_SESSION_BYTES)
        return 0;
    c->session_bytes = i2d_SSL_SESSION(session, &at) == length ? length : 0;
    return 0;
}

static int make_server(struct contexts *c, const struct options *o, const struct client_files *f,
                       struct err *e)
{
    char authority[PATH_BYTES];
    struct identity id = {0};
    if (make_usual((enum key_kind)o->key, "localhost", NULL, &id, e) < 0)
        return -1;
    c->features = (struct context_features){.tickets = o->tickets,
                                            .groups = o->groups,
                                            .ciphers = o->ciphers,
                                            .client_auth = (enum client_auth)o->client_auth};
    const struct context_server_options server = {
        .version = (enum tls_version)o->tls,
        .session = (enum session_kind)o->session,
        .cache_size = 20480,
        .identity = &id,
        .client_ca_path = f->authority < 0 ? NULL : path_of(authority, f->authority),
        .accept_sni = true,
        .features = &c->features};
    int rc = context_server_new(&server, &c->ctx[FOOTPRINT_SERVER], e);
    identity_fini(&id);
    return rc;
}

static int make_client(struct contexts *c, const struct options *o, const struct client_files *f,
                       struct err *e)
{
    char cert[PATH_BYTES];
    const struct context_client_options client = {
        .version = (enum tls_version)o->tls,
        .cert_path = f->client < 0 ? NULL : path_of(cert, f->client)};
    SSL_CTX *ctx = NULL;
    if (context_client_new(&client, &ctx, e) < 0)
        return -1;
    c->ctx[FOOTPRINT_CLIENT] = ctx;
    if (o->resume) {
        SSL_CTX_set_app_data(ctx, c);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
    }
    return 0;
}

int contexts_open(struct contexts *c, const struct options *o, struct err *e)
{
    struct client_files files = {-1, -1};
    *c = (struct contexts){.session_bytes = 0};
    int rc = o->client_auth ? make_client_files(&files, e) : 0;
    if (rc == 0)
        rc = make_server(c, o, &files, e);
    if (rc == 0)
        rc = make_client(c, o, &files, e);
    if (files.authority >= 0)
        close(files.authority);
    if (files.client >= 0)
        close(files.client);
    return rc;
}

void contexts_fini(struct contexts *c)
{
    SSL_CTX_free(c->ctx[FOOTPRINT_CLIENT]);
    SSL_CTX_free(c->ctx[FOOTPRINT_SERVER]);
}

int contexts_offer(const struct contexts *c, SSL *client, struct err *e)
{
    const unsigned char *at = c->session;
    if (c->session_bytes == 0)
        return 0;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, c->session_bytes);
    int set = session && SSL_set_session(client, session);
    SSL_SESSION_free(session);
    char why[256];
    return set ? 0 : err_set(e, "the session can't be offered: %s", context_error(why, sizeof why));
}
