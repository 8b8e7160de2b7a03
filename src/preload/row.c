/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include "page/page_file.h"
#include "page/process.h"

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct page *row_page;
static struct page_process *row; /* NULL: there was none left */

/* What the row says, in the process's own memory: a forked child begins with it. */
static struct page_process mine;

/* What the page says of this number is of an image before exec, or of a process long gone. */
static void enter(pid_t pid, pid_t parent)
{
    page_reap(row_page, &(struct page_reap){pid, UINT64_MAX, pid});
    atomic_store(&mine.pid, (uint64_t)pid);
    if (atomic_load(&mine.flags) & PAGE_PROCESS_APART)
        atomic_fetch_add_explicit(&row_page->processes_apart, 1, memory_order_relaxed);
    row = page_process_take(row_page, parent);
    if (!row)
        return;
    atomic_store(&row->mode, atomic_load(&mine.mode));
    atomic_store(&row->flags, atomic_load(&mine.flags));
    memcpy(row->name, mine.name, sizeof row->name);
    memcpy(row->libcrypto, mine.libcrypto, sizeof row->libcrypto);
    page_process_enter(row, pid);
}

/* The first process of a namespace is known by its number too, where /proc says nothing. */
static bool is_apart(pid_t pid)
{
    bool apart = pid == 1;
    for (size_t i = 0; i < PAGE_NAMESPACES; i++) {
        uint64_t own = page_namespace(i), theirs = row_page->namespaces[i];
        apart |= own && theirs && own != theirs;
    }
    return apart;
}

void row_start(struct page *page)
{
    pid_t pid = getpid();
    row_page = page;
    prctl(PR_GET_NAME, mine.name);
    atomic_store(&mine.flags, PAGE_PROCESS_NO_OPENSSL | (is_apart(pid) ? PAGE_PROCESS_APART : 0));
    enter(pid, getppid());
    atomic_compare_exchange_strong(&page->keeper, &(uint64_t){PAGE_KEEPER_NEXT}, (uint64_t)pid);
}

bool row_keeps(void)
{
    return atomic_load(&row_page->keeper) == (uint64_t)row_pid();
}

/* What it inherited of sharing a slot is its parent's; it may ask for no file here, as it may have
 * given up the right to. */
void row_forked(pid_t pid)
{
    atomic_fetch_and(&mine.flags, ~(uint64_t)PAGE_PROCESS_SHARES);
    if (pid == 1)
        atomic_fetch_or(&mine.flags, PAGE_PROCESS_APART);
    enter(pid, row_pid());
}

pid_t row_pid(void)
{
    return (pid_t)atomic_load_explicit(&mine.pid, memory_order_relaxed);
}

struct page_heap *row_heap(void)
{
    return row ? &row->heap : NULL;
}

void row_leave(void)
{
    page_process_leave(row_page, row, row_pid());
}

void row_show_sharing(void)
{
    if (!(atomic_load_explicit(&mine.flags, memory_order_relaxed) & PAGE_PROCESS_SHARES))
        row_show(PAGE_PROCESS_SHARES, true);
}

void row_show(uint64_t flags, bool on)
{
    uint64_t now = on ? atomic_fetch_or(&mine.flags, flags) | flags
                      : atomic_fetch_and(&mine.flags, ~flags) & ~flags;
    if (row)
        atomic_store(&row->flags, now);
}

/* Whether what is counted in one way and what is in another are two libraries. Of OpenSSL's two
 * ways there is one at a time: the later one is of a library that was loaded again. */
static bool are_two(enum page_mode before, enum page_mode mode)
{
    bool both = before != PAGE_MODE_INACTIVE && before != PAGE_MODE_MALLOC;
    return both && (before == PAGE_MODE_BORINGSSL) != (mode == PAGE_MODE_BORINGSSL);
}

void row_show_mode(enum page_mode mode)
{
    if (are_two((enum page_mode)atomic_load(&mine.mode), mode)) {
        row_show(PAGE_PROCESS_TWO_LIBCRYPTOS, true);
        return;
    }
    atomic_store(&mine.mode, mode);
    if (row)
        atomic_store_explicit(&row->mode, mode, memory_order_release);
    atomic_store_explicit(&row_page->mode, mode, memory_order_release);
}

void row_show_libcrypto(const char path[PAGE_FILE_BYTES])
{
    row_show(PAGE_PROCESS_NO_OPENSSL, false);
    memcpy(mine.libcrypto, path, sizeof mine.libcrypto);
    if (row)
        memcpy(row->libcrypto, path, sizeof row->libcrypto);
}
