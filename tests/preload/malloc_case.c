/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocates in one way, COUNT times, and keeps or frees what it got. A test runs it with two
 * counts: the difference is that of the way alone. It ends by _exit(), so that the probe leaves its
 * counts where they are. Usage: malloc-case WAY COUNT keep|free
 */
#include <dlfcn.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 777, SMALL = 3, ALIGNMENT = 256, MOST = 1000 };

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

static void drop_aligned_new(void *block)
{
    void (*to)(void *block, size_t alignment);
    operator_get("_ZdaPvSt11align_val_t", &to);
    to(block, ALIGNMENT);
}

static const struct {
    const char *name;
    void *(*make)(void);
    void (*drop)(void *block);
} ways[] = {
    {"malloc", by_malloc, free},
    {"small", by_small, free},
    {"calloc", by_calloc, free},
    {"realloc", by_realloc, free},
    {"reallocarray", by_reallocarray, free},
    {"memalign", by_memalign, free},
    {"aligned_alloc", by_aligned_alloc, free},
    {"posix_memalign", by_posix_memalign, free},
    {"valloc", by_valloc, free},
    {"pvalloc", by_pvalloc, free},
    {"strdup", by_strdup, free},
    {"new", by_new, drop_new},
    {"aligned-new", by_aligned_new, drop_aligned_new},
    {"openssl", by_openssl, free},
    {"thread", by_thread, free},
    {"fork", by_fork, free},
};

static int run(size_t way, size_t count, bool keep)
{
    static void *kept[MOST];
    for (size_t i = 0; i < count; i++) {
        kept[i] = ways[way].make();
        if (!kept[i])
            return 3;
    }
    for (size_t i = 0; i < count && !keep; i++)
        ways[way].drop(kept[i]);
    return 0;
}

int main(int argc, char **argv)
{
    size_t count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (argc != 4)
            puts(ways[i].name);
        else if (strcmp(argv[1], ways[i].name) == 0 && count <= MOST)
            _exit(run(i, count, strcmp(argv[3], "keep") == 0));
    }
    return argc == 4 ? 2 : 0;
}
