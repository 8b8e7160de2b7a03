#include "sessions.h"

static SSL_SESSION *pop(struct sessions *s)
{
    SSL_SESSION *session = s->entry[s->first];
    s->first = (s->first + 1) % SESSIONS_MAX;
    s->count--;
    return session;
}

static void push(struct sessions *s, SSL_SESSION *session)
{
    if (s->count == SESSIONS_MAX)
        SSL_SESSION_free(pop(s));
    s->entry[(s->first + s->count++) % SESSIONS_MAX] = session;
}

/* Returning 1 keeps the reference that the callback was given. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    push(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), session);
    return 1;
}

void sessions_attach(struct sessions *s, SSL_CTX *ctx)
{
    SSL_CTX_set_app_data(ctx, s);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_new_session);
}

void sessions_offer(struct sessions *s, SSL *ssl, bool keep)
{
    if (s->count == 0)
        return;
    SSL_SESSION *session = pop(s);
    SSL_set_session(ssl, session);
    if (keep || SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION)
        push(s, session);
    else
        SSL_SESSION_free(session);
}

void sessions_clear(struct sessions *s)
{
    while (s->count > 0)
        SSL_SESSION_free(pop(s));
}
