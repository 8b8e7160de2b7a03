/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe.h"

#include "base/check.h"
#include "page/page_file.h"
#include "page/process.h"
#include "probe/census.h"
#include "probe/crash.h"
#include "probe/fail.h"
#include "probe/heap.h"
#include "probe/heap_profile.h"
#include "probe/ledger.h"
#include "probe/plant.h"
#include "probe/slot.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

static struct page *probe_mapped;
static pid_t probe_pid;
static bool probe_counts;
static struct page_process *probe_row; /* NULL: the page had none left */

/* The page of the orchestrator, or one of our own for a program that is run by hand. */
static int page_get(int page_fd, struct page **ret_page, struct err *e)
{
    if (page_fd >= 0)
        return page_file_map(page_fd, ret_page, e);
    int own_fd;
    if (page_file_make(&own_fd, ret_page, e) != 0)
        return -1;
    close(own_fd);
    return 0;
}

static int hooks_install(struct page *page, const struct probe_options *options, struct err *e)
{
    if (!options->ledger)
        return 0;
    if (ledger_start(page, e) != 0)
        return -1;
    fail_start(page);
    plant_start(page, &(struct plant_calls){CRYPTO_malloc, CRYPTO_free});
    if (options->libuv)
        ledger_start_libuv();
    return 0;
}

/* It neither forks nor ends before its page has been read for the last time. */
static void row_take(struct page *page, bool counts)
{
    probe_row = page_process_take(page, getppid());
    if (!probe_row)
        return;
    prctl(PR_GET_NAME, probe_row->name);
    atomic_store(&probe_row->mode, counts ? PAGE_MODE_HOOKS : PAGE_MODE_INACTIVE);
    page_process_enter(probe_row, getpid());
}

int probe_start(int page_fd, const struct probe_options *options, struct err *e)
{
    CHECK(!probe_mapped);
    struct page *page;
    if (page_get(page_fd, &page, e) != 0)
        return -1;
    if (hooks_install(page, options, e) != 0) {
        page_file_unmap(page);
        return -1;
    }
    if (page_fd >= 0) {
        crash_start(page); /* by hand nobody would read of it */
        close(page_fd);
    }
    row_take(page, options->ledger);
    probe_mapped = page;
    probe_pid = getpid();
    probe_counts = options->ledger;
    return 0;
}

struct page *probe_page(void)
{
    return probe_mapped;
}

int probe_census_start(struct err *e)
{
    CHECK(probe_mapped);
    const struct census_calls calls = {.get_ex_new_index = CRYPTO_get_ex_new_index,
                                       .version = OPENSSL_VERSION_NUMBER,
                                       .site_of = ledger_site_of};
    return probe_counts ? census_start(probe_mapped, &calls, e) : 0;
}

void probe_on_connection(uint64_t nth)
{
    if (!probe_counts)
        return;
    plant_on_connection(nth, probe_pid);
    if (UNLIKELY(atomic_load_explicit(&probe_mapped->epoch, memory_order_relaxed) &
                 PAGE_EPOCH_FAILS))
        fail_on_connection(nth);
}

void probe_on_operation(uint64_t nth)
{
    if (probe_counts)
        plant_on_operation(nth, probe_pid);
}

void probe_on_drain(void)
{
    if (probe_counts)
        plant_on_drain();
}

void probe_thread_flush(void)
{
    heap_profile_thread_flush();
    heap_thread_flush();
}

void probe_publish(bool classes)
{
    if (probe_row)
        heap_publish(&probe_row->heap, classes);
}

/* `OpenSSL 3.0.19 27 Jan 2026` -> `3.0.19`; `5.3.0-0-g54eaed1d` -> `5.3.0`. */
static void second_word(char *to, size_t size, const char *text)
{
    const char *blank = strchr(text, ' ');
    const char *word = blank ? blank + 1 : text;
    snprintf(to, size, "%.*s", (int)strcspn(word, " "), word);
}

/* The allocator behind malloc(): jemalloc, glibc, or the file name of whatever took their place (a
 * sanitizer's runtime). */
static void allocator_text(char *to, size_t size)
{
    const char *heap = heap_version();
    Dl_info libc, own;
    void *taken = dlsym(RTLD_DEFAULT, "malloc");
    if (heap)
        snprintf(to, size, "jemalloc=%.*s", (int)strcspn(heap, "-"), heap);
    else if (!taken || !dladdr(taken, &own) || !own.dli_fname ||
             !dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc))
        snprintf(to, size, "malloc=unknown");
    else if (own.dli_fbase == libc.dli_fbase)
        snprintf(to, size, "malloc=glibc-%s", gnu_get_libc_version());
    else {
        const char *slash = strrchr(own.dli_fname, '/');
        snprintf(to, size, "malloc=%.40s", slash ? slash + 1 : own.dli_fname);
    }
}

char *probe_versions(char *buf, size_t size)
{
    char openssl[64], allocator[64];
    second_word(openssl, sizeof openssl, OpenSSL_version(OPENSSL_VERSION));
    allocator_text(allocator, sizeof allocator);
    snprintf(buf, size, "openssl=%s libuv=%s %s", openssl, uv_version_string(), allocator);
    return buf;
}
