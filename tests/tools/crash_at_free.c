/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload: SSL_CTX_free crashes on a context whose connections have all gone, as
 * OpenSSL 1.1.1w-0+deb11u1 does when it frees a session cache that CVE-2024-2511 has broken.
 */
#include <openssl/ssl.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>

#define EXPORT __attribute__((visibility("default")))

static _Atomic long made, freed;

EXPORT SSL *SSL_new(SSL_CTX *ctx)
{
    SSL *(*real)(SSL_CTX *) = (SSL * (*)(SSL_CTX *)) dlsym(RTLD_NEXT, "SSL_new");
    made++;
    return real(ctx);
}

EXPORT void SSL_free(SSL *ssl)
{
    void (*real)(SSL *) = (void (*)(SSL *))dlsym(RTLD_NEXT, "SSL_free");
    real(ssl);
    freed++;
}

EXPORT void SSL_CTX_free(SSL_CTX *ctx)
{
    void (*real)(SSL_CTX *) = (void (*)(SSL_CTX *))dlsym(RTLD_NEXT, "SSL_CTX_free");
    if (ctx && SSL_CTX_sess_accept(ctx) > 0 && made == freed)
        raise(SIGSEGV);
    real(ctx);
}
