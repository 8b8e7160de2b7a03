/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of preload-case about OpenSSL: a program's own memory functions, objects. */
#include "preload_case.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- memory functions of the program's own: a mark lies before each block ---- */

enum { MARK = 0x5eed, MARK_BYTES = 16 };

static long own_live;

static void *own_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    char *room = size ? malloc(MARK_BYTES + size) : NULL;
    if (!room)
        return NULL;
    own_live++;
    *(int *)(void *)room = MARK;
    return room + MARK_BYTES;
}

static void *marked(void *block)
{
    char *room = (char *)block - MARK_BYTES;
    if (*(int *)(void *)room != MARK)
        abort(); /* a block that we didn't make */
    return room;
}

static void own_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!block)
        return;
    own_live--;
    *(int *)marked(block) = 0;
    free((char *)block - MARK_BYTES);
}

static void *own_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return own_malloc(size, file, line);
    char *room = realloc(marked(block), MARK_BYTES + size);
    return room ? room + MARK_BYTES : NULL;
}

static int use_openssl(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    SSL_free(ssl);
    SSL_CTX_free(context);
    return ssl ? 0 : 5;
}

int case_chained(void)
{
    CRYPTO_malloc_fn malloc_fn;
    CRYPTO_realloc_fn realloc_fn;
    CRYPTO_free_fn free_fn;
    if (!CRYPTO_set_mem_functions(own_malloc, own_realloc, own_free))
        return 1;
    CRYPTO_get_mem_functions(&malloc_fn, &realloc_fn, &free_fn);
    if (malloc_fn != own_malloc || realloc_fn != own_realloc || free_fn != own_free)
        return 2;
    void *block = CRYPTO_realloc(make(10, 1), 5000, FILE_NAME, 2);
    if (own_live < 1 || use_openssl() != 0)
        return 3;
    step_saying(own_live);
    drop(block);
    step_saying(own_live);
    OPENSSL_cleanup();
    step_saying(own_live);
    return 0;
}

/* ---- memory that processes share ---- */

enum { POOL_BYTES = 1 << 20 };
static struct pool {
    atomic_size_t used;
    void *passed[2]; /* what the child leaves to its parent */
    alignas(16) char byte[POOL_BYTES];
} * pool;

static void pool_free(void *block, const char *file, int line)
{
    (void)block;
    (void)file;
    (void)line;
}

static void *pool_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    size_t at = atomic_fetch_add(&pool->used, (size + 15) / 16 * 16);
    return at + size <= POOL_BYTES ? pool->byte + at : NULL;
}

static void *pool_realloc(void *block, size_t size, const char *file, int line)
{
    void *now = pool_malloc(size, file, line);
    return now && block ? memmove(now, block, 8) : now;
}

/* One process frees and moves what another has allocated. */
int case_shared(void)
{
    pool = mmap(NULL, sizeof *pool, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pool == MAP_FAILED || !CRYPTO_set_mem_functions(pool_malloc, pool_realloc, pool_free))
        return 1;
    void *block = make(40, 1);
    pid_t pid = fork();
    if (pid == 0) {
        pool->passed[0] = make(50, 2);
        pool->passed[1] = CRYPTO_realloc(block, 60, FILE_NAME, 3);
        exit(0);
    }
    int code = wait_for(pid);
    step();
    drop(pool->passed[0]);
    drop(pool->passed[1]);
    step();
    return code;
}

/* ---- signals ---- */

/* Memory in turns, so that a handler can't come between; what is alive is never as much. */
enum { ARENA_BYTES = 1 << 20, ARENA_STEP = 64 };
static alignas(16) char arena[ARENA_BYTES];
static atomic_size_t arena_turn;

static void *arena_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    size_t turn = atomic_fetch_add(&arena_turn, 1);
    return size <= ARENA_STEP ? arena + turn * ARENA_STEP % ARENA_BYTES : NULL;
}

static void arena_free(void *block, const char *file, int line)
{
    (void)block;
    (void)file;
    (void)line;
}

static void *arena_realloc(void *block, size_t size, const char *file, int line)
{
    void *now = arena_malloc(size, file, line);
    return now && block ? memcpy(now, block, size < 8 ? size : 8) : now;
}

static volatile sig_atomic_t handled;

static void on_alarm(int number)
{
    (void)number;
    void *block = CRYPTO_malloc(20, FILE_NAME, 100 + handled % 500);
    CRYPTO_free(CRYPTO_realloc(block, 40, FILE_NAME, 700), FILE_NAME, 0);
    handled++;
}

int case_signals(void)
{
    enum { SIGNALS = 400 };
    const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    if (!CRYPTO_set_mem_functions(arena_malloc, arena_realloc, arena_free))
        return 1;
    step();
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; handled < SIGNALS; i++)
        drop(CRYPTO_realloc(make(30, 1 + i % 50), 50, FILE_NAME, 60));
    setitimer(ITIMER_REAL, &never, NULL);
    step_saying(handled);
    return 0;
}

/* ---- objects ---- */

static void child_frees(SSL_CTX *context, SSL *inherited)
{
    SSL *own = SSL_new(context);
    SSL_free(inherited);
    step_saying(getpid());
    SSL_free(own);
    SSL_CTX_free(context);
    step_saying(getpid());
    _exit(0);
}

int case_objects(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(context);
    step();
    pid_t pid = fork();
    if (pid == 0)
        child_frees(context, ssl);
    int code = wait_for(pid);
    SSL_free(ssl);
    SSL_CTX_free(context);
    step();
    return code;
}

enum { CONNECTIONS = 100 };

static void connect_often(SSL_CTX *context, int times)
{
    for (int i = 0; i < times; i++)
        SSL_free(SSL_new(context));
}

/* In turn in two processes. */
int case_connections(void)
{
    int to_child[2], to_parent[2];
    char byte = 0;
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (pipe(to_child) != 0 || pipe(to_parent) != 0)
        return 1;
    step();
    pid_t pid = fork();
    int from = pid ? to_parent[0] : to_child[0], to = pid ? to_child[1] : to_parent[1];
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!pid && read(from, &byte, 1) != 1)
            _exit(1);
        connect_often(context, 1 + i % 3);
        if (write(to, &byte, 1) != 1 || (pid && read(from, &byte, 1) != 1))
            _exit(2);
    }
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
    }
    step_saying(pid);
    kill(pid, SIGKILL);
    wait_for(pid);
    return 0;
}

/* Something is allocated at times; what for, the program doesn't say. */
int case_operations(void)
{
    for (int turn = 0; turn < 4; turn++) {
        for (int i = 0; i < 100; i++)
            drop(make(10, 1));
        step();
    }
    return 0;
}

int case_published(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    connect_often(context, 2);
    step();
    connect_often(context, 1);
    step();
    void *more = malloc(1 << 20);
    __asm__ volatile("" : : "r"(more) : "memory");
    connect_often(context, 1);
    step();
    free(more);
    SSL_CTX_free(context);
    return 0;
}
