/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/slot.h"

#include <pthread.h>
#include <string.h>

enum { SLOT_LAST = PAGE_THREADS - 1 };

_Thread_local struct page_thread *slot_own __attribute__((tls_model("initial-exec")));
/* A thread asks for a slot once in its life: neither again when there was none, nor after it gave
 * its own back. */
static _Thread_local bool slot_asked __attribute__((tls_model("initial-exec")));

static struct page *slot_page;
static pthread_key_t slot_key;
static atomic_bool slot_taken[SLOT_LAST];

/* The key's destructor: this thread ends, another may go on counting in its slot. */
static void slot_give_back(void *slot)
{
    size_t index = (size_t)((struct page_thread *)slot - slot_page->thread);
    slot_own = NULL;
    atomic_store_explicit(&slot_taken[index], false, memory_order_release);
}

int slot_init(struct page *page, struct err *e)
{
    int code = pthread_key_create(&slot_key, slot_give_back);
    if (code != 0)
        return err_set(e, "cannot make a thread key for the probe: %s", strerror(code));
    slot_page = page;
    return 0;
}

static bool slot_try(size_t index)
{
    atomic_bool *taken = &slot_taken[index];
    return !atomic_load_explicit(taken, memory_order_relaxed) &&
           !atomic_exchange_explicit(taken, true, memory_order_acquire);
}

struct page_thread *slot_claim(void)
{
    if (slot_asked)
        return slot_own;
    slot_asked = true;
    for (size_t i = 0; i < SLOT_LAST; i++) {
        if (!slot_try(i))
            continue;
        struct page_thread *slot = &slot_page->thread[i];
        atomic_store_explicit(&slot->used, 1, memory_order_relaxed);
        slot_own = slot;
        pthread_setspecific(slot_key, slot);
        return slot;
    }
    atomic_fetch_add_explicit(&slot_page->threads_shared, 1, memory_order_relaxed);
    return NULL;
}

struct page_thread *slot_shared(void)
{
    struct page_thread *slot = &slot_page->thread[SLOT_LAST];
    atomic_store_explicit(&slot->used, 1, memory_order_relaxed);
    return slot;
}
