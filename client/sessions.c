/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include "base/check.h"

#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEER_CERTIFICATE_TAG = 3 };

static struct session_der pop(struct sessions *s)
{
    struct session_der der = s->entry[s->first];
    s->first = (s->first + 1) % SESSIONS_MAX;
    s->count--;
    return der;
}

static void push(struct sessions *s, struct session_der der)
{
    CHECK(s->count < SESSIONS_MAX);
    s->entry[(s->first + s->count++) % SESSIONS_MAX] = der;
}

/* Finds the peer's certificate, field [3] of SSL_SESSION's ASN.1 form, between `at` and `end`.
 * Returns its first byte and its size, 0 when there is none. */
static const unsigned char *find_certificate(const unsigned char *at, const unsigned char *end,
                                             size_t *ret_size)
{
    *ret_size = 0;
    while (at < end) {
        const unsigned char *field = at;
        long length;
        int tag, class;
        CHECK(!(ASN1_get_object(&at, &length, &tag, &class, end - at) & 0x80));
        at += length;
        if (class == V_ASN1_CONTEXT_SPECIFIC && tag == PEER_CERTIFICATE_TAG) {
            *ret_size = (size_t)(at - field);
            return field;
        }
    }
    return end;
}

static struct session_der without_certificate(const unsigned char *der, long length)
{
    const unsigned char *at = der;
    int tag, class;
    CHECK(!(ASN1_get_object(&at, &length, &tag, &class, length) & 0x80));
    size_t dropped;
    const unsigned char *drop = find_certificate(at, at + length, &dropped);
    size_t before = (size_t)(drop - at), after = (size_t)length - before - dropped;
    int kept = (int)(before + after), size = ASN1_object_size(1, kept, V_ASN1_SEQUENCE);
    struct session_der ret = {.bytes = malloc((size_t)size), .length = size};
    CHECK(ret.bytes);
    unsigned char *to = ret.bytes;
    ASN1_put_object(&to, 1, kept, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(to, at, before);
    memcpy(to + before, drop + dropped, after);
    return ret;
}

static struct session_der copy(const struct session_der *der)
{
    struct session_der ret = {.bytes = malloc((size_t)der->length), .length = der->length};
    CHECK(ret.bytes);
    memcpy(ret.bytes, der->bytes, (size_t)der->length);
    return ret;
}

/* Returns 0: the reference stays OpenSSL's. While the store is full nothing needs to be encoded. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct sessions *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    bool wanted = s->count < SESSIONS_MAX && s->fits_others(ssl);
    int length = wanted ? i2d_SSL_SESSION(session, NULL) : 0;
    if (length <= 0)
        return 0;
    unsigned char *der = malloc((size_t)length);
    CHECK(der);
    unsigned char *at = der;
    /* Encoding allocates, so it may fail where the length could still be told. */
    if (i2d_SSL_SESSION(session, &at) == length) {
        struct session_der kept = without_certificate(der, length);
        if (!s->ancient.bytes)
            s->ancient = copy(&kept);
        push(s, kept);
    }
    free(der);
    return 0;
}

void sessions_attach(struct sessions *s, SSL_CTX *ctx, bool (*fits_others)(const SSL *ssl))
{
    s->fits_others = fits_others;
    SSL_CTX_set_app_data(ctx, s);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_new_session);
}

static bool is_valid(const SSL_SESSION *session)
{
    long age = (long)time(NULL) - (long)SSL_SESSION_get_time(session);
    return SSL_SESSION_is_resumable(session) && age < SSL_SESSION_get_timeout(session);
}

void sessions_offer(struct sessions *s, SSL *ssl, bool keep)
{
    bool offered = false;
    while (s->count > 0 && !offered) {
        struct session_der der = pop(s);
        const unsigned char *at = der.bytes;
        SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, der.length);
        if (!session) { /* no memory for it */
            free(der.bytes);
            continue;
        }
        offered = is_valid(session) && SSL_set_session(ssl, session);
        bool reusable = keep || SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION;
        if (offered && reusable)
            push(s, der);
        else
            free(der.bytes);
        SSL_SESSION_free(session);
    }
}

struct session_der sessions_take(struct sessions *s, bool newest)
{
    if (s->count == 0)
        return (struct session_der){0};
    if (!newest)
        return pop(s);
    s->count--;
    return s->entry[(s->first + s->count) % SESSIONS_MAX];
}

void sessions_put(struct sessions *s, struct session_der der)
{
    if (der.bytes && s->count < SESSIONS_MAX)
        push(s, der);
    else
        free(der.bytes);
}

SSL_SESSION *session_decode(const struct session_der *der)
{
    const unsigned char *at = der->bytes;
    return at ? d2i_SSL_SESSION(NULL, &at, der->length) : NULL;
}

void sessions_clear(struct sessions *s)
{
    free(s->ancient.bytes);
    free(s->replay.bytes);
    s->ancient = s->replay = (struct session_der){0};
    while (s->count > 0)
        free(pop(s).bytes);
}
