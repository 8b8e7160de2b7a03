/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/probe.h"

#include "base/check.h"
#include "page/page_file.h"
#include "probe/census.h"
#include "probe/crash.h"
#include "probe/fail.h"
#include "probe/heap.h"
#include "probe/ledger.h"
#include "probe/profile.h"

#include <unistd.h>

static struct page *probe_mapped;
static bool probe_counts;

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
    if (options->libuv)
        ledger_start_libuv();
    return 0;
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
    probe_mapped = page;
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
    return probe_counts ? census_start(probe_mapped, e) : 0;
}

void probe_thread_flush(void)
{
    profile_thread_flush();
    heap_thread_flush();
}

void probe_publish(bool classes)
{
    heap_publish(&probe_mapped->heap, classes);
}
