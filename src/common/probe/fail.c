#include "probe/fail.h"

#include "probe/stacks.h"

#include <signal.h>

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

/* The page is shared memory, so what is written here outlives the process. The walk is no
 * async-signal-safe call by its manual; stacks_start has prepared it, it takes no lock that an
 * allocation holds, and when it fails the process ends all the same, by this signal. */
static STACKS_OWN void on_fatal(int number)
{
    struct page_fail *fail = &fail_page->fail;
    uint64_t none = 0;
    if (atomic_compare_exchange_strong(&fail->signal, &none, (uint64_t)number))
        stacks_trace(&fail->crash);
    raise(number);
}

/* The sanitizers tell more about a crash than we could. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CATCHES = 0 };
#else
enum { CATCHES = 1 };
#endif

void fail_start(struct page *page)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    fail_page = page;
    if (!CATCHES || !(load(&page->epoch) & PAGE_EPOCH_FAILS))
        return;
    /* At the call the default is back, so the signal that the handler raises ends the process. */
    struct sigaction action = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i], &action, NULL);
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
