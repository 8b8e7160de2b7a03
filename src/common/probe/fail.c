/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/fail.h"

#include "probe/stacks.h"

static struct page *fail_page;
static atomic_bool fail_counts; /* the connection of the plan is under way */

static STACKS_OWN uint64_t load(const page_u64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static STACKS_OWN void store(page_u64 *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

void fail_start(struct page *page)
{
    fail_page = page;
}

void fail_on_connection(uint64_t nth)
{
    bool planned = nth + 1 == load(&fail_page->fail.connection);
    if (planned)
        store(&fail_page->fail.asked, 0);
    atomic_store(&fail_counts, planned);
}

static STACKS_OWN void note(struct page_fail *fail, size_t size, uint32_t site)
{
    store(&fail->site, site);
    store(&fail->size, size);
    stacks_trace(&fail->stack);
    atomic_store_explicit(&fail->failed, 1, memory_order_release);
}

STACKS_OWN bool fail_asked(size_t size, uint32_t site)
{
    struct page_fail *fail = &fail_page->fail;
    if (!atomic_load_explicit(&fail_counts, memory_order_relaxed))
        return false;
    uint64_t number = atomic_fetch_add_explicit(&fail->asked, 1, memory_order_relaxed) + 1;
    if (number != load(&fail->nth))
        return false;
    note(fail, size, site);
    return true;
}
