/* SPDX-License-Identifier: Apache-2.0 */
#include "fork.h"

#include "row.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* The word's values: 0 in a child that hasn't found out, RENEWING while it does. */
enum { WORD_CHILD = 0, WORD_RENEWING = 2, WORD_FIRST = 4, WORD_STEP = 2, WORD_NONE = 1 };

_Atomic uint64_t *fork_word;
_Thread_local uint64_t fork_known __attribute__((tls_model("initial-exec"))) = WORD_NONE;

static _Atomic uint64_t fork_latest = WORD_FIRST; /* the parent's word, in a child at first */
static void (*fork_callback)(void);

static void on_atfork(void)
{
    atomic_store(fork_word, WORD_CHILD);
}

bool fork_start(void (*on_fork)(void))
{
    long size = sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return false;
    bool wiped = madvise(at, (size_t)size, MADV_WIPEONFORK) == 0;
    if (!wiped && pthread_atfork(NULL, NULL, on_atfork) != 0) {
        munmap(at, (size_t)size);
        return false;
    }
    fork_callback = on_fork;
    fork_word = at;
    atomic_store(fork_word, WORD_FIRST);
    return true;
}

/* Returns the word, or WORD_RENEWING when somebody else is at it: the thread that a signal has
 * interrupted, or another one; neither can be waited for. */
static uint64_t renew(void)
{
    uint64_t word = WORD_CHILD;
    if (!atomic_compare_exchange_strong(fork_word, &word, WORD_RENEWING))
        return word;
    word = atomic_load(&fork_latest) + WORD_STEP;
    atomic_store(&fork_latest, word);
    fork_callback();
    atomic_store(fork_word, word);
    return word;
}

void fork_notice(void)
{
    if (atomic_load(fork_word) == WORD_CHILD)
        renew();
}

bool fork_retire(void)
{
    uint64_t word = atomic_load(&fork_latest);
    return atomic_compare_exchange_strong(fork_word, &word, word + WORD_STEP) &&
           atomic_fetch_add(&fork_latest, WORD_STEP) == word;
}

struct page_thread *fork_enter(void)
{
    uint64_t word = renew();
    if (word == WORD_RENEWING)
        return NULL;
    if ((fork_known & ~UINT64_C(1)) != word)
        slot_forget();
    fork_known = word | 1; /* known, should the claim lead here again */
    struct page_thread *slot = slot_claim();
    if (slot)
        fork_known = word;
    else if (slot_is_last(slot_shared()))
        row_show_sharing();
    return slot;
}

bool fork_keeps_slot(void)
{
    return fork_unchanged();
}

uint64_t fork_generation(void)
{
    return (atomic_load_explicit(&fork_latest, memory_order_relaxed) - WORD_FIRST) / WORD_STEP;
}
