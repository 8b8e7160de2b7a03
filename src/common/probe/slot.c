/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/slot.h"

#include "page/process.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { SLOT_LAST = PAGE_THREADS - 1 };

static const page_u64 no_epoch = UINT64_MAX;
#define NO_SEAL 0x656e6f6eu /* "none" */

SLOT_TLS struct page_thread *slot_own;
SLOT_TLS const page_u64 *slot_epoch = &no_epoch;
SLOT_TLS uint32_t slot_seal = NO_SEAL;
/* A thread that found no slot doesn't ask again. */
static SLOT_TLS bool slot_asked;
/* How often it gave one back. There are PTHREAD_DESTRUCTOR_ITERATIONS (4) rounds of destructors,
 * and what is claimed in the last one would never be given back. */
enum { SLOT_RETURNS = 3 };
static SLOT_TLS int slot_returned;

static struct page *slot_page;
static pthread_key_t slot_key;
static _Atomic pid_t slot_pid;

static void own(struct page_thread *slot)
{
    slot_own = slot;
    slot_epoch = slot ? &slot_page->epoch : &no_epoch;
    slot_seal = slot ? SLOT_SEAL : NO_SEAL;
}

static uint64_t owner_now(bool busy)
{
    return PAGE_OWNER(atomic_load_explicit(&slot_pid, memory_order_relaxed), busy);
}

/* The key's destructor: this thread ends, another may go on counting in its slot. A forked child's
 * thread may still hold its parent's, which isn't its to give. */
static void slot_give_back(void *value)
{
    const struct page_thread *slot = value;
    page_u64 *owner = &slot_page->slot[slot - slot_page->thread].owner;
    uint64_t busy = owner_now(true);
    own(NULL);
    slot_asked = ++slot_returned == SLOT_RETURNS;
    atomic_compare_exchange_strong(owner, &busy, owner_now(false));
}

int slot_init(struct page *page, struct err *e)
{
    int code = pthread_key_create(&slot_key, slot_give_back);
    if (code != 0)
        return err_set(e, "cannot make a thread key for the probe: %s", strerror(code));
    slot_page = page;
    slot_pid = getpid();
    return 0;
}

void slot_forked(pid_t pid)
{
    atomic_store_explicit(&slot_pid, pid, memory_order_relaxed);
}

void slot_forget(void)
{
    own(NULL);
    slot_asked = false;
}

/* Takes the first slot whose owner is `from`; NULL when there is none. */
static struct page_thread *slot_take(uint64_t from)
{
    for (size_t i = 0; i < SLOT_LAST; i++) {
        struct page_slot *slot = &slot_page->slot[i];
        uint64_t owner = from;
        if (atomic_load_explicit(&slot->owner, memory_order_relaxed) != from ||
            !atomic_compare_exchange_strong(&slot->owner, &owner, owner_now(true)))
            continue;
        atomic_store(&slot->claimed_ns, page_process_now_ns());
        atomic_store_explicit(&slot->used, 1, memory_order_relaxed);
        return &slot_page->thread[i];
    }
    return NULL;
}

/* One that an ended thread of this process left, else a free one. */
static struct page_thread *slot_find(void)
{
    struct page_thread *slot = slot_take(owner_now(false));
    return slot ? slot : slot_take(0);
}

struct page_thread *slot_claim(void)
{
    if (slot_asked)
        return slot_own;
    slot_asked = true;
    own(slot_find());
    if (!slot_own)
        atomic_fetch_add_explicit(&slot_page->threads_shared, 1, memory_order_relaxed);
    pthread_setspecific(slot_key, slot_own);
    return slot_own;
}

struct page_thread *slot_shared(void)
{
    atomic_store_explicit(&slot_page->slot[SLOT_LAST].used, 1, memory_order_relaxed);
    return &slot_page->thread[SLOT_LAST];
}
