/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocates in one way, COUNT times, and keeps or frees what it got. Usage: malloc-case WAY COUNT
 * keep|free; without words it prints the ways.
 */
#include "ways.h"

#include <dlfcn.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

enum { SIZE = 777, SMALL = 3, ALIGNMENT = 256 };

/* One of C++'s operators new and delete, by its name in the ABI. Some library has it. */
static void operator_get(const char *name, void *to)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found)
        exit(4);
    memcpy(to, &found, sizeof found);
}

static void *by_malloc(void)
{
    return malloc(SIZE);
}

static void *by_small(void)
{
    return malloc(SMALL);
}

static void *by_calloc(void)
{
    return calloc(7, 111);
}

static void *by_realloc(void)
{
    void *block = realloc(NULL, 5);
    block = realloc(block, 100000);
    return realloc(block, SIZE);
}

static void *by_reallocarray(void)
{
    return reallocarray(malloc(1), 7, 111);
}

static void *by_memalign(void)
{
    return memalign(ALIGNMENT, SIZE);
}

static void *by_aligned_alloc(void)
{
    return aligned_alloc(ALIGNMENT, SIZE);
}

static void *by_posix_memalign(void)
{
    void *block = NULL;
    return posix_memalign(&block, ALIGNMENT, SIZE) == 0 ? block : NULL;
}

static void *by_valloc(void)
{
    return valloc(SIZE);
}

static void *by_pvalloc(void)
{
    return pvalloc(SIZE);
}

static void *by_strdup(void)
{
    char text[SIZE];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return strdup(text);
}

static void *by_new(void)
{
    void *(*new)(size_t size);
    operator_get("_Znwm", &new);
    return new (SIZE);
}

static void *by_aligned_new(void)
{
    void *(*new)(size_t size, size_t alignment);
    operator_get("_ZnamSt11align_val_t", &new);
    return new (SIZE, ALIGNMENT);
}

/* Each of the operators in its turn. All are called with an alignment and a tag: what an operator
 * doesn't take it doesn't see, as arguments are passed in registers. */
static void *by_operators(void)
{
    static const char *const names[] = {"_Znwm",
                                        "_Znam",
                                        "_ZnwmRKSt9nothrow_t",
                                        "_ZnamRKSt9nothrow_t",
                                        "_ZnwmSt11align_val_t",
                                        "_ZnamSt11align_val_t",
                                        "_ZnwmSt11align_val_tRKSt9nothrow_t",
                                        "_ZnamSt11align_val_tRKSt9nothrow_t"};
    static size_t turn;
    void *(*new)(size_t size, size_t alignment, const void *tag);
    operator_get(names[turn++ % (sizeof names / sizeof *names)], &new);
    return new (SIZE, ALIGNMENT, names);
}

/* free() finds a block of OpenSSL's. */
static void *by_openssl(void)
{
    return CRYPTO_malloc(SIZE, "case.c", 1);
}

static void *on_thread(void *unused)
{
    (void)unused;
    return malloc(SIZE);
}

static void *by_thread(void)
{
    pthread_t thread;
    void *block = NULL;
    if (pthread_create(&thread, NULL, on_thread, NULL) == 0)
        pthread_join(thread, &block);
    return block;
}

/* The C library frees the text of an error that has no name when all destructors of the thread's
 * have run. */
static void *on_ending_thread(void *unused)
{
    (void)unused;
    return strerror(123456) ? malloc(SIZE) : NULL;
}

static void *by_ending_thread(void)
{
    pthread_t thread;
    void *block = NULL;
    if (pthread_create(&thread, NULL, on_ending_thread, NULL) == 0)
        pthread_join(thread, &block);
    return block;
}

/* The child frees the parent's block, which stays the parent's. */
static void *by_fork(void)
{
    void *block = malloc(SIZE);
    pid_t pid = fork();
    if (pid == 0) {
        free(block);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return block;
}

static void drop_new(void *block)
{
    void (*to)(void *block, size_t size);
    operator_get("_ZdlPvm", &to);
    to(block, SIZE);
}

static void drop_operators(void *block)
{
    static const char *const names[] = {"_ZdlPv",
                                        "_ZdaPv",
                                        "_ZdlPvm",
                                        "_ZdaPvm",
                                        "_ZdlPvRKSt9nothrow_t",
                                        "_ZdaPvRKSt9nothrow_t",
                                        "_ZdlPvSt11align_val_t",
                                        "_ZdaPvSt11align_val_t",
                                        "_ZdlPvmSt11align_val_t",
                                        "_ZdaPvmSt11align_val_t",
                                        "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                                        "_ZdaPvSt11align_val_tRKSt9nothrow_t"};
    static size_t turn;
    void (*to)(void *block, size_t size_or_alignment, size_t alignment);
    operator_get(names[turn++ % (sizeof names / sizeof *names)], &to);
    to(block, SIZE, ALIGNMENT);
}

static void drop_aligned_new(void *block)
{
    void (*to)(void *block, size_t alignment);
    operator_get("_ZdaPvSt11align_val_t", &to);
    to(block, ALIGNMENT);
}

/* glibc's gives back nothing, jemalloc's a block of no bytes. */
static void drop_by_realloc(void *block)
{
    free(realloc(block, 0));
}

static const struct way ways[] = {
    {"malloc", by_malloc, free, NULL},
    {"small", by_small, free, NULL},
    {"calloc", by_calloc, free, NULL},
    {"realloc", by_realloc, free, NULL},
    {"reallocarray", by_reallocarray, free, NULL},
    {"realloc-to-nothing", by_malloc, drop_by_realloc, NULL},
    {"memalign", by_memalign, free, NULL},
    {"aligned_alloc", by_aligned_alloc, free, NULL},
    {"posix_memalign", by_posix_memalign, free, NULL},
    {"valloc", by_valloc, free, NULL},
    {"pvalloc", by_pvalloc, free, NULL},
    {"strdup", by_strdup, free, NULL},
    {"new", by_new, drop_new, NULL},
    {"aligned-new", by_aligned_new, drop_aligned_new, NULL},
    {"operators", by_operators, drop_operators, NULL},
    {"openssl", by_openssl, free, NULL},
    {"thread", by_thread, free, NULL},
    {"ending-thread", by_ending_thread, free, NULL},
    {"fork", by_fork, free, NULL},
};

int main(int argc, char **argv)
{
    enum { WAYS = sizeof ways / sizeof *ways };
    if (argc == 4)
        ways_run(ways, WAYS, argv + 1);
    for (size_t i = 0; argc == 1 && i < WAYS; i++)
        puts(ways[i].name);
    return argc == 1 ? 0 : 2;
}
