/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include "base/clock.h"
#include "object.h"

#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

bool loader_patience(uint64_t *since)
{
    static const uint64_t patience_ns = 100000000;
    uint64_t now = clock_now_ns();
    if (!*since)
        *since = now;
    if (now - *since > patience_ns)
        return false;
    sched_yield();
    return true;
}

/* ---- forks ---- */

static _Atomic int readers; /* threads that read the list, or are about to */
static _Atomic int forks;   /* threads that fork */

/* Of this thread. */
static _Thread_local int reads __attribute__((tls_model("initial-exec")));
static _Thread_local bool in_fork __attribute__((tls_model("initial-exec")));

static void take_back(_Atomic int *count)
{
    int now = atomic_load(count);
    while (now > 0 && !atomic_compare_exchange_weak(count, &now, now - 1))
        ;
}

/* When a fork takes too long for one thread, no other waits for it any more: in a process that was
 * cloned meanwhile it never ends. */
static void read_begin(void)
{
    uint64_t since = 0;
    if (reads++ > 0)
        return;
    atomic_fetch_add(&readers, 1);
    while (atomic_load(&forks) > 0 && !in_fork) {
        take_back(&readers);
        if (!loader_patience(&since))
            atomic_store(&forks, 0);
        atomic_fetch_add(&readers, 1);
    }
}

static void read_end(void)
{
    if (--reads == 0)
        take_back(&readers);
}

static void before_fork(void)
{
    uint64_t since = 0;
    in_fork = true;
    atomic_fetch_add(&forks, 1);
    while (atomic_load(&readers) > (reads > 0) && loader_patience(&since))
        ;
}

static void after_fork(void)
{
    in_fork = false;
    take_back(&forks);
}

static void after_fork_in_child(void)
{
    in_fork = false;
    atomic_store(&forks, 0);
    atomic_store(&readers, reads > 0);
}

bool loader_start(void)
{
    return pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0;
}

/* ---- the list ---- */

typedef __typeof__(&dl_iterate_phdr) iterate_fn;

/* In the list for debuggers, which needs no lock as far as that: the C library stays, and so does
 * what comes before it. */
static iterate_fn find_iterate(void)
{
    for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
        struct object o;
        if (object_read_map(map, &o) && o.soname && object_names_match(o.soname, LIBC_SO))
            return (iterate_fn)object_function(&o, "dl_iterate_phdr");
    }
    return NULL;
}

int loader_iterate(int (*on)(struct dl_phdr_info *object, size_t size, void *to), void *to)
{
    static _Atomic iterate_fn known;
    iterate_fn iterate = atomic_load_explicit(&known, memory_order_relaxed);
    if (!iterate) {
        iterate = find_iterate();
        iterate = iterate ? iterate : dl_iterate_phdr;
        atomic_store_explicit(&known, iterate, memory_order_relaxed);
    }
    read_begin();
    int code = iterate(on, to);
    read_end();
    return code;
}

bool loader_is_done(const void *address)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
    struct dl_find_object found;
    return _dl_find_object((void *)(uintptr_t)address, &found) == 0;
#else
    (void)address;
    return true;
#endif
}
