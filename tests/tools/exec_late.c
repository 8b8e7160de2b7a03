/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload: the hundredth SSL_new of a process executes a program, as a library that
 * was broken into would. Where it can't be executed all goes on.
 */
#include <openssl/ssl.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic long made;

__attribute__((visibility("default"))) SSL *SSL_new(SSL_CTX *ctx)
{
    SSL *(*real)(SSL_CTX *) = (SSL * (*)(SSL_CTX *)) dlsym(RTLD_NEXT, "SSL_new");
    char *const argv[] = {(char *)"no such program", NULL};
    if (++made == 100)
        execv("/nonexistent/program", argv);
    return real(ctx);
}
