/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "base/check.h"
#include "tls/context.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static const struct bench_case cases[] = {
    {.name = "full"},
    {.name = "rsa", .rsa = true},
    {.name = "resume", .resumes = true},
    {.name = "resume12", .resumes = true, .tls12 = true},
};

static SSL_SESSION *session; /* owned: what the next connection resumes */

const struct bench_case *case_named(const char *name)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    return NULL;
}

static enum tls_version version_of(const struct bench_case *c)
{
    return c->tls12 ? TLS_1_2 : TLS_1_3;
}

SSL_CTX *case_server(const struct bench_case *c)
{
    struct err e;
    SSL_CTX *ctx;
    struct identity id = {0};
    struct context_server_options o = {
        .version = version_of(c), .session = SESSION_TICKET, .identity = &id};
    CHECK(identity_make(c->rsa ? KEY_RSA2048 : KEY_P256, "localhost", NULL, &id, &e) == 0);
    CHECK(context_server_new(&o, &ctx, &e) == 0);
    identity_fini(&id);
    return ctx;
}

static int keep_session(SSL *ssl, SSL_SESSION *fresh)
{
    (void)ssl;
    SSL_SESSION_free(session);
    session = fresh;
    return 1;
}

SSL_CTX *case_client(const struct bench_case *c)
{
    struct err e;
    SSL_CTX *ctx;
    struct context_client_options o = {.version = version_of(c)};
    CHECK(context_client_new(&o, &ctx, &e) == 0);
    if (c->resumes) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
    }
    return ctx;
}

void case_resume(const struct bench_case *c, SSL *ssl)
{
    if (c->resumes && session)
        CHECK(SSL_set_session(ssl, session) == 1);
}

void case_fini(void)
{
    SSL_SESSION_free(session);
    session = NULL;
}

void case_no_delay(int fd)
{
    int on = 1;
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}
