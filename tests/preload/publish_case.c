/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with a jemalloc of its own, for all that the probe asks of one, in which one thread can
 * be held while it publishes the figures. As in preload-case, it prints `step` and waits.
 */
#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);
EXPORT int mallctlnametomib(const char *name, size_t *mib, size_t *length);
EXPORT int mallctlbymib(const size_t *mib, size_t length, void *old, size_t *old_size, void *new,
                        size_t new_size);

enum { MIB_OTHER, MIB_EPOCH };

static sem_t publishing, released;
static bool holds_next;

/* All figures are 0 but one, which grows, as jemalloc's does when malloc() is its own. */
int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
{
    static unsigned char allocated;
    (void)new;
    (void)new_size;
    memset(old, 0, *old_size);
    if (strcmp(name, "thread.allocated") == 0)
        *(unsigned char *)old = ++allocated;
    return 0;
}

int mallctlnametomib(const char *name, size_t *mib, size_t *length)
{
    mib[0] = strcmp(name, "epoch") == 0 ? MIB_EPOCH : MIB_OTHER;
    *length = 1;
    return 0;
}

int mallctlbymib(const size_t *mib, size_t length, void *old, size_t *old_size, void *new,
                 size_t new_size)
{
    (void)length;
    (void)new;
    (void)new_size;
    if (old)
        memset(old, 0, *old_size);
    if (mib[0] == MIB_EPOCH && holds_next) {
        holds_next = false;
        sem_post(&publishing);
        sem_wait(&released);
    }
    return 0;
}

static void step(void)
{
    char line[16];
    puts("step");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(9);
}

static void *end_connection(void *ssl)
{
    SSL_free(ssl);
    return NULL;
}

int main(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL *ssl[] = {SSL_new(context), SSL_new(context)};
    pthread_t thread;
    if (sem_init(&publishing, 0, 0) != 0 || sem_init(&released, 0, 0) != 0)
        return 1;
    holds_next = true;
    if (pthread_create(&thread, NULL, end_connection, ssl[0]) != 0)
        return 2;
    sem_wait(&publishing);
    step();
    SSL_free(ssl[1]); /* leaves the figures to the other thread */
    sem_post(&released);
    pthread_join(thread, NULL);
    step();
    SSL_CTX_free(context);
    return 0;
}
