/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program that is under test, to leak on purpose: PLANT=HOW:N loses a block of
 * PLANT_BYTES with each Nth SSL object of a process.
 *
 *     PLANT=openssl:1     by the process's own CRYPTO_malloc, as the file "planted.c", line 1
 *     PLANT=malloc:100    by malloc, in the function planted_by_malloc
 *     PLANT=both:1        one block of each
 *
 *     PLANT=openssl:1:client  the same in a client program
 *     PLANT=openssl:1:fork    with each Nth fork() of a process instead, as a server's for its
 *                             workers when it is reloaded
 *
 * It asks OpenSSL to be told of each SSL object (a CRYPTO_EX_INDEX_SSL of its own), which needs no
 * function of OpenSSL to be replaced. It does so at the first accept() of a process, of a
 * client's at its first connect() over IP: by then OpenSSL is there, wherever it came from, and has
 * the memory functions that it will have.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { PLANT_BYTES = 48, EX_INDEX_SSL = 0 };

/* As in openssl/crypto.h; the headers would tie this to one version of it. */
typedef void *malloc_fn(size_t bytes, const char *file, int line);
typedef void new_fn(void *parent, void *ptr, void *ad, int idx, long argl, void *argp);
typedef int index_fn(int class_index, long argl, void *argp, new_fn *on_new, void *on_copy,
                     void *on_free);

static malloc_fn *crypto_malloc;
static atomic_ulong objects;
static unsigned long every;
static bool by_malloc, by_openssl, in_client, at_fork;

/* Not static, not inlined: its name is looked for in call stacks. */
EXPORT void planted_by_malloc(void);
EXPORT __attribute__((noinline)) void planted_by_malloc(void)
{
    void *volatile lost = malloc(PLANT_BYTES);
    (void)lost;
}

static void plant(void)
{
    if ((atomic_fetch_add(&objects, 1) + 1) % every != 0)
        return;
    if (by_malloc)
        planted_by_malloc();
    if (by_openssl)
        crypto_malloc(PLANT_BYTES, "planted.c", 1);
}

static void on_new_ssl(void *parent, void *ptr, void *ad, int idx, long argl, void *argp)
{
    (void)parent, (void)ptr, (void)ad, (void)idx, (void)argl, (void)argp;
    plant();
}

/* A function of the libcrypto that the process has: linked to it, in it, or loaded later. */
static void *find(const char *name)
{
    static const char *const files[] = {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so.4"};
    void *function = dlsym(RTLD_DEFAULT, name);
    for (size_t i = 0; !function && i < sizeof files / sizeof *files; i++) {
        void *library = dlopen(files[i], RTLD_LAZY | RTLD_NOLOAD);
        function = library ? dlsym(library, name) : NULL;
    }
    return function;
}

/* At the start: nginx's workers have no environment. */
__attribute__((constructor)) static void read_plant(void)
{
    const char *how = getenv("PLANT"), *colon = how ? strchr(how, ':') : NULL;
    every = colon ? strtoul(colon + 1, NULL, 10) : 0;
    bool both = every && strncmp(how, "both:", 5) == 0;
    by_malloc = both || (every && strncmp(how, "malloc:", 7) == 0);
    by_openssl = both || !by_malloc;
    in_client = every && strstr(how, ":client");
    at_fork = every && strstr(how, ":fork");
}

static void begin(void)
{
    index_fn *new_index = (index_fn *)find("CRYPTO_get_ex_new_index");
    crypto_malloc = (malloc_fn *)find("CRYPTO_malloc");
    if (every && !at_fork && new_index && crypto_malloc)
        new_index(EX_INDEX_SSL, 0, NULL, on_new_ssl, NULL, NULL);
}

static void begin_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
}

EXPORT pid_t fork(void)
{
    if (at_fork)
        begin_once();
    if (at_fork && crypto_malloc)
        plant();
    pid_t (*next)(void) = dlsym(RTLD_NEXT, "fork");
    return next();
}

EXPORT int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict bytes)
{
    begin_once();
    int (*next)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "accept");
    return next(fd, address, bytes);
}

EXPORT int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict bytes, int flags)
{
    begin_once();
    int (*next)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    return next(fd, address, bytes, flags);
}

EXPORT int connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
    if (in_client && address->sa_family == AF_INET)
        begin_once();
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    return next(fd, address, bytes);
}
