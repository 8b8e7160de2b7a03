/* SPDX-License-Identifier: Apache-2.0 */
#include "preload.h"

#include "find.h"
#include "fork.h"
#include "hooks.h"
#include "interpose.h"
#include "limit.h"
#include "loader.h"
#include "objects.h"
#include "page/page_file.h"
#include "probe/site_table.h"
#include "probe/slot.h"
#include "probe/stacks.h"
#include "row.h"
#include "under.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct page *preload_page;

/* ---- the page ---- */

/* What SOAK_PROBE says: fd=FD,ino=DEV:INO,path=PATH */
struct where {
    int fd;
    unsigned long long device, inode;
    const char *path; /* borrowed from the environment */
};

static bool read_where(const char *text, struct where *ret)
{
    int length = 0;
    int got =
        sscanf(text, "fd=%d,ino=%llu:%llu,path=%n", &ret->fd, &ret->device, &ret->inode, &length);
    ret->path = text + length;
    return got == 3 && length > 0;
}

static bool is_the_file(int fd, const struct where *where)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_dev == where->device && st.st_ino == where->inode;
}

static struct page *map(int fd, const struct where *where)
{
    struct page *page = NULL;
    if (is_the_file(fd, where))
        page_file_map(fd, &page, NULL);
    return page;
}

/* The descriptor may have been inherited, or closed, or be another file by now. */
static struct page *reach_page(void)
{
    const char *text = getenv("SOAK_PROBE");
    struct where where;
    if (!text || !read_where(text, &where))
        return NULL;
    struct page *page = map(where.fd, &where);
    int fd = page ? -1 : open(where.path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        page = map(fd, &where);
        close(fd);
    }
    return page;
}

/* ---- the process ---- */

/* This process is a forked child that is about to count. */
static void on_fork(void)
{
    pid_t pid = getpid();
    slot_forked(pid);
    row_forked(pid);
    hooks_forked();
}

/* A server may fork a process for each connection: it makes room for the next one itself. A thread
 * that goes on while the process ends must keep its slot. What is left to count, of destructors
 * that run later, is of a process that holds nothing. */
__attribute__((destructor)) static void leave(void)
{
    if (!preload_page || row_keeps() || atomic_load(&preload_page->memory_shared) ||
        !slot_is_only() || !fork_retire())
        return;
    slot_forked(row_pid());
    hooks_forked();
    row_leave();
}

/* ---- start ---- */

static bool prepare(struct page *page)
{
    if (!limit_leaves_room() || !block_table_start() || !loader_start() || !fork_start(on_fork) ||
        slot_init(page, fork_keeps_slot, NULL) != 0)
        return false;
    site_table_init(page);
    stacks_start(page);
    return true;
}

static void start(void)
{
    struct page *page = reach_page();
    if (!page)
        return;
    if (!prepare(page)) {
        page_file_unmap(page);
        return;
    }
    row_start(page);
    uint64_t flags = under_start();
    row_show(flags, true);
    preload_page = page;
    if (flags & PAGE_PROCESS_MALLOC) {
        under_count();
        row_show_mode(PAGE_MODE_MALLOC);
        objects_start_unseen(page);
    }
}

void preload_start(void)
{
    static atomic_flag started = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&started))
        start();
}

/* The constructors of libraries may have started it before, and have used OpenSSL. */
__attribute__((constructor)) static void begin(void)
{
    limit_start();
    preload_start();
    preload_look();
}

/* ---- looking for libcrypto ---- */

static _Atomic size_t libcryptos;

bool preload_sees_one(void)
{
    return atomic_load_explicit(&libcryptos, memory_order_relaxed) == 1;
}

static void install(const struct libcrypto *found, size_t count)
{
    row_show_libcrypto(found->path);
    hooks_install(found);
    if (count > 1) {
        row_show(PAGE_PROCESS_TWO_LIBCRYPTOS, true);
        interpose_let_go();
    }
}

/* Returns whether there is no more to see until something else is loaded or unloaded. */
static bool look(void)
{
    struct libcrypto found;
    bool loading;
    size_t count = find_libcrypto(&found, &loading);
    atomic_store(&libcryptos, count);
    if (count > 0)
        install(&found, count);
    else
        hooks_lost();
    return !loading;
}

/* As find_changes() had it when it was last looked. */
static _Atomic unsigned long long seen;

/* One thread at a time, for which others wait, as they may be about to allocate. It may itself wait
 * for a lock of the dynamic linker that another has, inside a dlopen() whose constructors led here:
 * so nobody waits for long. Returns whether this thread is the one. */
static _Atomic pid_t looks; /* whose thread; a forked child may find its parent here */

static bool look_begin(void)
{
    fork_notice();
    pid_t other = 0;
    uint64_t since = 0;
    while (!atomic_compare_exchange_weak(&looks, &other, row_pid())) {
        if (other == row_pid()) {
            if (!loader_patience(&since))
                return false;
            other = 0;
        }
    }
    return true;
}

static void look_on(void)
{
    unsigned long long changes = find_changes();
    if (changes != atomic_load(&seen) && look())
        atomic_store(&seen, changes);
    hooks_objects_start();
    atomic_store(&looks, 0);
}

/* What is called here may be the program's own (a clock, say), and ask dlsym() for the real one. */
void preload_look(void)
{
    static _Thread_local bool inside __attribute__((tls_model("initial-exec")));
    if (!preload_page || inside)
        return;
    inside = true;
    if ((find_changes() != atomic_load(&seen) || hooks_objects_wait()) && look_begin())
        look_on();
    inside = false;
}
