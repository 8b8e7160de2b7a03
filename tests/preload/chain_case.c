/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that sets memory functions of its own and prints what OpenSSL makes of them, the same
 * with the probe as without. Usage: chain-case CASE; without one it prints their names.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t mallocs, nothings, reallocs, frees;

static void *own_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    mallocs++;
    nothings += size == 0;
    return malloc(size ? size : 1);
}

static void *own_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    reallocs++;
    nothings += size == 0 || !block;
    return realloc(block, size ? size : 1);
}

static void own_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    frees += block != NULL;
    free(block);
}

static void say(const char *what)
{
    printf("%s: %zu mallocs, %zu reallocs, %zu of nothing, %zu frees\n", what, mallocs, reallocs,
           nothings, frees);
}

static void set(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn, CRYPTO_free_fn free_fn)
{
    CRYPTO_malloc_fn has_malloc;
    CRYPTO_realloc_fn has_realloc;
    CRYPTO_free_fn has_free;
    int taken = CRYPTO_set_mem_functions(malloc_fn, realloc_fn, free_fn);
    CRYPTO_get_mem_functions(&has_malloc, &has_realloc, &has_free);
    printf("set: %d, has its own: %d %d %d\n", taken, has_malloc == own_malloc,
           has_realloc == own_realloc, has_free == own_free);
}

static void set_all(void)
{
    set(own_malloc, own_realloc, own_free);
}

static void use(void)
{
    char *block = OPENSSL_malloc(20);
    say("malloc");
    block = OPENSSL_realloc(block, 5000);
    memset(block, 1, 5000);
    say("realloc");
    OPENSSL_free(block);
    say("free");
    block = OPENSSL_realloc(NULL, 9);
    say("realloc of NULL");
    block = OPENSSL_realloc(block, 0);
    say("realloc to nothing");
    printf("which gives %s\n", block ? "a block" : "NULL");
    OPENSSL_free(block);
    OPENSSL_free(OPENSSL_malloc(0));
    say("malloc of nothing");
}

static void set_and_use(CRYPTO_malloc_fn malloc_fn, CRYPTO_realloc_fn realloc_fn,
                        CRYPTO_free_fn free_fn)
{
    set(malloc_fn, realloc_fn, free_fn);
    use();
    set_all();
    use();
}

static void case_all(void)
{
    set_and_use(own_malloc, own_realloc, own_free);
}

static void case_none(void)
{
    set_and_use(NULL, NULL, NULL);
}

static void case_malloc_alone(void)
{
    set_and_use(own_malloc, NULL, NULL);
}

static void case_realloc_alone(void)
{
    set_and_use(NULL, own_realloc, NULL);
}

static void case_free_alone(void)
{
    set_and_use(NULL, NULL, own_free);
}

static void case_one_by_one(void)
{
    set(NULL, NULL, own_free);
    set(NULL, own_realloc, NULL);
    set_and_use(own_malloc, NULL, NULL);
}

static void case_realloc_first(void)
{
    set(NULL, NULL, own_free);
    OPENSSL_free(OPENSSL_realloc(NULL, 9));
    set_all();
}

static void case_nothing_first(void)
{
    OPENSSL_free(OPENSSL_malloc(0));
    set_and_use(own_malloc, own_realloc, own_free);
}

/* ---- processes ---- */

/* In a child that has been left by its parent, as daemons are; `end` ends the parent. */
static void leave_child(void (*end)(int code))
{
    int gate[2];
    char byte;
    if (pipe(gate) != 0)
        exit(1);
    fflush(stdout);
    pid_t pid = fork();
    close(gate[pid ? 0 : 1]);
    if (pid)
        end(0);
    char *volatile block = malloc(5);
    free(block);
    if (read(gate[0], &byte, 1) != 0) /* until the parent has gone */
        exit(1);
    set_all();
    use();
}

static void case_daemon_of_one_that_exits(void)
{
    leave_child(exit);
}

static void case_daemon_of_one_that_stops(void)
{
    leave_child(_exit);
}

static void case_child_of_one_that_has_allocated(void)
{
    OPENSSL_free(OPENSSL_malloc(9));
    leave_child(_exit);
}

static void case_child_of_one_that_has_set(void)
{
    set_all();
    leave_child(_exit);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"all", case_all},
        {"none", case_none},
        {"malloc-alone", case_malloc_alone},
        {"realloc-alone", case_realloc_alone},
        {"free-alone", case_free_alone},
        {"one-by-one", case_one_by_one},
        {"realloc-first", case_realloc_first},
        {"nothing-first", case_nothing_first},
        {"daemon-of-one-that-exits", case_daemon_of_one_that_exits},
        {"daemon-of-one-that-stops", case_daemon_of_one_that_stops},
        {"child-of-one-that-has-allocated", case_child_of_one_that_has_allocated},
        {"child-of-one-that-has-set", case_child_of_one_that_has_set},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc == 1)
            puts(cases[i].name);
        else if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    }
    return 0;
}
