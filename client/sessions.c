#include "sessions.h"

#include "base/check.h"

#include <stdlib.h>
#include <time.h>

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

/* Returns 0: the reference stays OpenSSL's. While the store is full nothing needs to be encoded. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct sessions *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int length = s->count < SESSIONS_MAX ? i2d_SSL_SESSION(session, NULL) : 0;
    if (length <= 0)
        return 0;
    struct session_der der = {.bytes = malloc((size_t)length), .length = length};
    CHECK(der.bytes);
    unsigned char *at = der.bytes;
    i2d_SSL_SESSION(session, &at);
    push(s, der);
    return 0;
}

void sessions_attach(struct sessions *s, SSL_CTX *ctx)
{
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
        CHECK(session);
        offered = is_valid(session) && SSL_set_session(ssl, session);
        bool reusable = keep || SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION;
        if (offered && reusable)
            push(s, der);
        else
            free(der.bytes);
        SSL_SESSION_free(session);
    }
}

void sessions_clear(struct sessions *s)
{
    while (s->count > 0)
        free(pop(s).bytes);
}
