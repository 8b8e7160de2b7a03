/* SPDX-License-Identifier: Apache-2.0 */
#include "preload.h"

#include "find.h"
#include "fork.h"
#include "hooks.h"
#include "page/page_file.h"
#include "page/process.h"
#include "probe/site_table.h"
#include "probe/slot.h"
#include "probe/stacks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct page *preload_page;

static struct page_process *row;
static pid_t row_pid;

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

static void enter_row(pid_t pid, pid_t parent, const struct page_process *like)
{
    page_reap(preload_page, pid);
    row_pid = pid;
    row = page_process_take(preload_page, parent);
    if (!row)
        return;
    if (like) {
        atomic_store(&row->mode, atomic_load(&like->mode));
        atomic_store(&row->flags, atomic_load(&like->flags));
        memcpy(row->name, like->name, sizeof row->name);
        memcpy(row->libcrypto, like->libcrypto, sizeof row->libcrypto);
    } else {
        prctl(PR_GET_NAME, row->name);
        atomic_store(&row->flags, PAGE_PROCESS_NO_OPENSSL);
    }
    page_process_enter(row, pid);
}

/* This process is a forked child that is about to count. The parent may have gone meanwhile, and
 * its row be another's; then the child's tells that one's name. */
static void on_fork(void)
{
    pid_t parent = row_pid, pid = getpid();
    slot_forked(pid);
    enter_row(pid, parent, row);
    hooks_forked();
}

void preload_show_mode(enum page_mode mode)
{
    if (row)
        atomic_store_explicit(&row->mode, mode, memory_order_release);
    atomic_store_explicit(&preload_page->mode, mode, memory_order_release);
}

void preload_show(uint64_t flags, bool on)
{
    if (!row)
        return;
    if (on)
        atomic_fetch_or(&row->flags, flags);
    else
        atomic_fetch_and(&row->flags, ~flags);
}

/* ---- start ---- */

static bool prepare(struct page *page)
{
    if (!block_table_start() || !fork_start(on_fork) || slot_init(page, NULL) != 0)
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
    preload_page = page;
    enter_row(getpid(), getppid(), NULL);
    preload_look();
}

__attribute__((constructor)) void preload_start(void)
{
    static atomic_flag started = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&started))
        start();
}

/* ---- looking for libcrypto ---- */

static void look(void)
{
    struct libcrypto found;
    size_t count = find_libcrypto(&found);
    if (count == 0)
        return;
    preload_show(PAGE_PROCESS_NO_OPENSSL, false);
    preload_show(PAGE_PROCESS_TWO_LIBCRYPTOS, count > 1);
    if (row)
        memcpy(row->libcrypto, found.path, sizeof row->libcrypto);
    hooks_install(preload_page, &found);
}

void preload_look(void)
{
    static atomic_flag busy = ATOMIC_FLAG_INIT;
    static unsigned long long seen; /* under busy */
    static _Thread_local bool inside __attribute__((tls_model("initial-exec")));
    if (!preload_page || inside)
        return;
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        sched_yield();
    inside = true;
    unsigned long long loads = find_loads();
    if (loads != seen) {
        seen = loads;
        look();
    }
    inside = false;
    atomic_flag_clear_explicit(&busy, memory_order_release);
}
