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
/* A thread that found no slot doesn't ask again, nor does one that has given its slot back. */
static SLOT_TLS bool slot_asked;
static SLOT_TLS bool slot_ending;

static struct page *slot_page;
static pthread_key_t slot_key;
static _Atomic pid_t slot_pid;
static page_u64 slot_since; /* the epoch in which this process came */
static bool (*slot_is_kept)(void);
/* Where the threads of this process that are ending count; NULL: none has yet. */
static struct page_thread *_Atomic slot_late;

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

/* Leaves a slot of this process to another of its threads. */
static void release(const struct page_thread *slot)
{
    uint64_t busy = owner_now(true);
    atomic_compare_exchange_strong(&slot_page->slot[slot - slot_page->thread].owner, &busy,
                                   owner_now(false));
}

/* The key's destructor: this thread ends, another may go on counting in its slot. */
static void give_back(void *value)
{
    slot_ending = slot_asked = true;
    own(NULL);
    if (!slot_is_kept || slot_is_kept())
        release(value);
}

static void note_epoch(void)
{
    uint64_t epoch = page_epoch(atomic_load_explicit(&slot_page->epoch, memory_order_relaxed));
    slot_since = epoch < PAGE_EPOCHS ? epoch : PAGE_EPOCHS - 1;
}

int slot_init(struct page *page, bool (*is_kept)(void), struct err *e)
{
    int code = pthread_key_create(&slot_key, give_back);
    if (code != 0)
        return err_set(e, "cannot make a thread key for the probe: %s", strerror(code));
    slot_page = page;
    slot_is_kept = is_kept;
    slot_pid = getpid();
    note_epoch();
    return 0;
}

void slot_forked(pid_t pid)
{
    atomic_store(&slot_late, NULL);
    atomic_store_explicit(&slot_pid, pid, memory_order_relaxed);
    note_epoch();
}

void slot_forget(void)
{
    own(NULL);
    slot_asked = slot_ending;
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
        atomic_store(&slot->since_epoch, slot_since);
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

static void note_shared(void)
{
    atomic_fetch_add_explicit(&slot_page->threads_shared, 1, memory_order_relaxed);
}

struct page_thread *slot_claim(void)
{
    if (slot_asked)
        return slot_own;
    slot_asked = true;
    own(slot_find());
    if (!slot_own)
        note_shared();
    pthread_setspecific(slot_key, slot_own); /* may call calloc(), and so lead here again */
    return slot_own;
}

/* Several threads may look for one at a time: the first has found it for all. */
static struct page_thread *find_late(void)
{
    struct page_thread *late = atomic_load(&slot_late), *mine = late ? NULL : slot_find();
    if (!mine)
        return late;
    if (atomic_compare_exchange_strong(&slot_late, &late, mine))
        return mine;
    release(mine);
    return late;
}

struct page_thread *slot_shared(void)
{
    struct page_thread *late = slot_ending ? find_late() : NULL;
    if (late)
        return late;
    if (slot_ending)
        note_shared();
    slot_ending = false;
    atomic_store_explicit(&slot_page->slot[SLOT_LAST].used, 1, memory_order_relaxed);
    return &slot_page->thread[SLOT_LAST];
}

bool slot_is_last(const struct page_thread *slot)
{
    return slot == &slot_page->thread[SLOT_LAST];
}

bool slot_is_only(void)
{
    const struct page_thread *late = atomic_load(&slot_late);
    uint64_t busy = owner_now(true);
    for (size_t i = 0; i < SLOT_LAST; i++) {
        const struct page_thread *slot = &slot_page->thread[i];
        if (slot != slot_own && slot != late && atomic_load(&slot_page->slot[i].owner) == busy)
            return false;
    }
    return true;
}
