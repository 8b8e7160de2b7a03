/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that asks dlsym() while another is about something that the dynamic linker's locks are
 * for. Usage: loader-case load CHOOSER CRYPTO (loading_crypto.c), loader-case fork, or loader-case
 * late
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { POLL_US = 1000 };

static _Noreturn void fail(const char *what)
{
    printf("%s failed\n", what);
    fflush(stdout);
    _exit(1);
}

/* ---- threads, and where they are ---- */

static _Atomic pid_t asker;
static atomic_bool asks, asked, yielded, holds, releases;

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
    while (!atomic_load(&asked) && !atomic_load(&yielded) && !is_locked_out(asker))
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

/* ---- fork ---- */

static _Thread_local bool forks;

static int on_object(struct dl_phdr_info *object, size_t size, void *to)
{
    (void)object;
    (void)size;
    (void)to;
    atomic_store(&holds, true);
    wait_for(&releases);
    return 1;
}

/* Has the lock of the linker's list. */
static void *hold(void *unused)
{
    dl_iterate_phdr(on_object, NULL);
    return unused;
}

/* Who waits for another thread comes here. It takes as long as it takes, but not for ever. */
EXPORT int sched_yield(void)
{
    atomic_store(&yielded, true);
    if (forks && atomic_load(&holds)) {
        atomic_store(&releases, true);
        wait_for(&asked);
    }
    return (int)syscall(SYS_sched_yield);
}

/* A child that sleeps waits for a lock that nobody has any more. */
static void watch(pid_t child)
{
    int status = 0;
    pid_t ended = 0;
    bool hangs = false;
    while (!ended && !hangs) {
        usleep(POLL_US);
        ended = waitpid(child, &status, WNOHANG);
        hangs = !ended && is_locked_out(child);
    }
    if (hangs)
        kill(child, SIGKILL);
    printf("child: %s %d\n", hangs ? "hangs" : "ends", status);
}

static pid_t fork_asking(void)
{
    fflush(stdout);
    forks = true;
    pid_t child = fork();
    forks = false;
    if (child < 0)
        fail("fork");
    if (child == 0) {
        dlsym(RTLD_DEFAULT, "free");
        _exit(0);
    }
    return child;
}

/* The asker is at the linker's list, waiting for the lock that another thread has. */
static int act_fork(void)
{
    pthread_t holder = start(hold), thread = start_asker();
    wait_for(&holds);
    let_ask();
    pid_t child = fork_asking();
    atomic_store(&releases, true);
    pthread_join(thread, NULL);
    pthread_join(holder, NULL);
    watch(child);
    return 0;
}

/* ---- late: it asks when a fork is under way ---- */

static bool late;

static void before_fork(void)
{
    if (!late)
        return;
    let_ask();
    printf("the asker %s\n", atomic_load(&yielded) ? "waits" : "doesn't wait");
    fflush(stdout);
}

/* Comes before all libraries' constructors, so that of what is done before a fork this is last. */
static void first(void)
{
    pthread_atfork(before_fork, NULL, NULL);
}
__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = first;

static int act_late(void)
{
    pthread_t thread = start_asker();
    late = true;
    pid_t child = fork_asking();
    pthread_join(thread, NULL);
    watch(child);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "load") == 0)
        return act_load(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "fork") == 0)
        return act_fork();
    return argc == 2 && strcmp(argv[1], "late") == 0 ? act_late() : 2;
}
