/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that asks dlsym() while another loads a library. Usage:
 * loader-case load CHOOSER CRYPTO (loading_crypto.c)
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { POLL_US = 1000 };

static _Noreturn void fail(const char *what)
{
    printf("%s failed\n", what);
    fflush(stdout);
    _exit(1);
}

/* ---- threads, and where they are ---- */

static _Atomic pid_t asker;
static atomic_bool asks, asked;

static void wait_for(const atomic_bool *what)
{
    while (!atomic_load(what))
        usleep(POLL_US);
}

/* Whether a thread, or another process, waits for a lock. The kernel says a call only of one that
 * is off its processor. */
static bool is_locked_out(pid_t id)
{
    char path[64], text[16] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        fail(path);
    close(fd);
    return text[0] != 'r' && atoi(text) == SYS_futex;
}

static void *ask(void *unused)
{
    atomic_store(&asker, (pid_t)syscall(SYS_gettid));
    wait_for(&asks);
    dlsym(RTLD_DEFAULT, "puts");
    atomic_store(&asked, true);
    return unused;
}

static pthread_t start(void *(*act)(void *unused))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, act, NULL) != 0)
        fail("pthread_create");
    return thread;
}

static pthread_t start_asker(void)
{
    pthread_t thread = start(ask);
    while (!atomic_load(&asker))
        usleep(POLL_US);
    return thread;
}

/* Lets it ask, until it has been answered or can't go on. */
static void let_ask(void)
{
    atomic_store(&asks, true);
    while (!atomic_load(&asked) && !is_locked_out(asker))
        usleep(POLL_US);
}

/* ---- load ---- */

static void *symbol(void *library, const char *name)
{
    void *found = library ? dlsym(library, name) : NULL;
    if (!found)
        fail(name);
    return found;
}

static int act_load(const char *chooser, const char *crypto)
{
    pthread_t thread = start_asker();
    *(void (**)(void))symbol(dlopen(chooser, RTLD_NOW), "chooser_hook") = let_ask;
    void *library = dlopen(crypto, RTLD_NOW);
    if (!library)
        fail(dlerror());
    pthread_join(thread, NULL);
    bool (*was_early)(void);
    void *(*make)(int line);
    *(void **)&was_early = symbol(library, "loading_was_early");
    *(void **)&make = symbol(library, "loading_make");
    printf("asked: %d, early: %d, hooked: %d\n", asked, was_early(), make(7) != NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "load") == 0)
        return act_load(argv[2], argv[3]);
    return 2;
}
