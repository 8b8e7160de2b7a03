/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/ledger.h"

#include "base/check.h"
#include "probe/count.h"
#include "probe/fail.h"
#include "probe/site_table.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* Lies right before each block and keeps malloc's 16-byte alignment. A block whose call stack is
 * known has another magic, so that only the rare path has to take `size` apart. */
struct header {
    uint64_t size; /* with STACKED_MAGIC: the stack's number in the upper 16 bits */
    uint32_t cell; /* cell_of epoch and site */
    uint32_t magic;
};

_Static_assert(sizeof(struct header) == 16, "the header must keep the alignment of malloc");

#define HEADER_MAGIC  0x6b616f73u /* "soak" */
#define STACKED_MAGIC 0x6b617473u /* "stak" */
#define STACK_SHIFT   48
#define SIZE_MASK     ((UINT64_C(1) << STACK_SHIFT) - 1)

_Static_assert(PAGE_STACKS < 1 << 16, "a header has 16 bits for the number of a stack");

/* Looking for a header before a block that has none reads memory that isn't the block's; the
 * address sanitizer must let these functions look. */
#define PEEKS __attribute__((no_sanitize("address")))

/* Whose totals an allocation belongs to: page_thread.allocs and the like are OpenSSL's alone. */
enum origin { FROM_OPENSSL, FROM_LIBUV };

static struct page *ledger_page;
static pid_t ledger_pid;
static uint32_t libuv_site;

HOT bool is_ours(const void *block)
{
    return LIKELY(((const struct header *)block - 1)->magic == HEADER_MAGIC);
}

HOT PEEKS bool is_stacked(const void *block)
{
    return ((const struct header *)block - 1)->magic == STACKED_MAGIC;
}

COLD void count_bad_free(void)
{
    atomic_fetch_add_explicit(&ledger_page->bad_frees, 1, memory_order_relaxed);
}

/* ---- call stacks ---- */

/* Gives the block the present call stack if its site's stacks are wanted. */
static STACKS_OWN void stack_attach(struct header *h)
{
    uint32_t site = cell_site(h->cell);
    if (!stacks_wanted(site, ledger_pid) || h->size > SIZE_MASK)
        return;
    uint32_t stack = stacks_take(site);
    if (!stack)
        return;
    stacks_count(stack, cell_epoch(h->cell), 1, (int64_t)h->size);
    h->size |= (uint64_t)stack << STACK_SHIFT;
    h->magic = STACKED_MAGIC;
}

/* Takes the block's stack away from it: an ordinary block of ours from here on. */
static void stack_detach(struct header *h)
{
    uint32_t stack = (uint32_t)(h->size >> STACK_SHIFT);
    h->size &= SIZE_MASK;
    h->magic = HEADER_MAGIC;
    stacks_count(stack, cell_epoch(h->cell), -1, -(int64_t)h->size);
}

/* ---- counting ---- */

/* Counts a birth and writes the header. */
HOT void count_birth(struct place at, enum origin from, struct header *h, size_t size,
                     uint32_t cell)
{
    h->size = size;
    h->cell = cell;
    h->magic = HEADER_MAGIC;
    count_born(at, from == FROM_OPENSSL, cell, size);
}

/* Whether this allocation is the one to fail. `word` may have other flags. */
HOT bool fails(uint64_t word, enum origin from, size_t size, uint32_t site)
{
    return UNLIKELY(word & PAGE_EPOCH_FAILS) && from == FROM_OPENSSL && fail_asked(size, site);
}

/* Stacks are wanted, an allocation must fail, or the epoch lies beyond the table. */
COLD void *count_alloc_rare(struct place at, enum origin from, struct header *h, size_t size,
                            uint32_t site)
{
    uint64_t word = epoch_word(ledger_page);
    if (fails(word, from, size, site)) {
        free(h);
        return NULL;
    }
    count_birth(at, from, h, size, cell_of(epoch_number(ledger_page, word), site));
    if (word & PAGE_EPOCH_CAPTURES)
        stack_attach(h);
    return h + 1;
}

/* Returns the block, or NULL when the allocation must fail. */
HOT void *count_alloc(struct place at, enum origin from, struct header *h, size_t size,
                      uint32_t site)
{
    uint64_t word = epoch_word(ledger_page);
    if (UNLIKELY(word >= PAGE_EPOCHS))
        return count_alloc_rare(at, from, h, size, site);
    count_birth(at, from, h, size, cell_of((uint32_t)word, site));
    return h + 1;
}

HOT void count_free(struct place at, enum origin from, struct header *h)
{
    h->magic = 0;
    count_freed(at, from == FROM_OPENSSL, h->cell, h->size);
}

/* A block keeps its birth epoch and moves to the site of the realloc call. */
HOT void count_realloc(struct place at, enum origin from, struct header *h, size_t size,
                       uint32_t site)
{
    uint32_t cell = cell_of(cell_epoch(h->cell), site);
    count_moved(at, from == FROM_OPENSSL, (struct counted){h->cell, h->size},
                (struct counted){cell, size});
    h->size = size;
    h->cell = cell;
}

/* The thread counts here for the first time, or has no slot of its own. */
COLD struct place place_slow(void)
{
    struct page_thread *slot = slot_claim();
    return slot ? (struct place){slot, true} : (struct place){slot_shared(), false};
}

COLD void *count_alloc_slow(enum origin from, struct header *h, size_t size, uint32_t site)
{
    struct place at = place_slow();
    return count_alloc(at, from, h, size, site);
}

COLD PEEKS void free_slow(enum origin from, void *block)
{
    struct header *h = (struct header *)block - 1;
    if (is_stacked(block))
        stack_detach(h);
    if (!is_ours(block)) {
        count_bad_free();
        free(block);
        return;
    }
    count_free(place_slow(), from, h);
    free(h);
}

HOT bool fits(size_t size)
{
    return LIKELY(size <= SIZE_MAX - sizeof(struct header));
}

HOT void *ledger_malloc(enum origin from, size_t size, uint32_t site)
{
    struct header *h = malloc(size + sizeof *h);
    if (UNLIKELY(!h))
        return NULL;
    struct page_thread *slot = slot_own;
    if (UNLIKELY(!slot))
        return count_alloc_slow(from, h, size, site);
    return count_alloc((struct place){slot, true}, from, h, size, site);
}

HOT PEEKS void ledger_free(enum origin from, void *block)
{
    struct page_thread *slot = slot_own;
    if (UNLIKELY(!slot || !is_ours(block))) {
        free_slow(from, block);
        return;
    }
    struct header *h = (struct header *)block - 1;
    count_free((struct place){slot, true}, from, h);
    free(h);
}

/* The block had a stack, or gets one, or is none of ours. The old stack is taken off only when the
 * block has moved: a realloc that fails changes nothing. */
COLD PEEKS void *realloc_rare(enum origin from, void *block, size_t size, uint32_t site)
{
    if (!is_stacked(block) && !is_ours(block)) {
        count_bad_free();
        return realloc(block, size);
    }
    uint64_t word = epoch_word(ledger_page);
    if (fails(word, from, size, site))
        return NULL;
    struct header *h = realloc((struct header *)block - 1, size + sizeof *h);
    if (!h)
        return NULL;
    if (h->magic == STACKED_MAGIC)
        stack_detach(h);
    struct page_thread *slot = slot_own;
    count_realloc(slot ? (struct place){slot, true} : place_slow(), from, h, size, site);
    if (word & PAGE_EPOCH_CAPTURES)
        stack_attach(h);
    return h + 1;
}

HOT PEEKS void *ledger_realloc(enum origin from, void *block, size_t size, uint32_t site)
{
    if (UNLIKELY(!is_ours(block) || epoch_word(ledger_page) >= PAGE_EPOCHS))
        return realloc_rare(from, block, size, site);
    struct header *h = realloc((struct header *)block - 1, size + sizeof *h);
    if (UNLIKELY(!h))
        return NULL;
    struct page_thread *slot = slot_own;
    count_realloc(slot ? (struct place){slot, true} : place_slow(), from, h, size, site);
    return h + 1;
}

/* The hooks behave as OpenSSL's default allocator: malloc(0) and realloc(p, 0) give NULL. */

static STACKS_OWN void *openssl_malloc(size_t size, const char *file, int line)
{
    if (UNLIKELY(size == 0 || !fits(size)))
        return NULL;
    return ledger_malloc(FROM_OPENSSL, size, site_find(file, line));
}

static PEEKS void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block)
        ledger_free(FROM_OPENSSL, block);
}

static STACKS_OWN PEEKS void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return openssl_malloc(size, file, line);
    if (size == 0) {
        openssl_free(block, file, line);
        return NULL;
    }
    if (UNLIKELY(!fits(size)))
        return NULL;
    return ledger_realloc(FROM_OPENSSL, block, size, site_find(file, line));
}

static STACKS_OWN void *libuv_malloc(size_t size)
{
    return fits(size) ? ledger_malloc(FROM_LIBUV, size, libuv_site) : NULL;
}

static STACKS_OWN void *libuv_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *block = libuv_malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

static PEEKS void libuv_free(void *block)
{
    if (block)
        ledger_free(FROM_LIBUV, block);
}

static STACKS_OWN PEEKS void *libuv_realloc(void *block, size_t size)
{
    if (!block)
        return libuv_malloc(size);
    return fits(size) ? ledger_realloc(FROM_LIBUV, block, size, libuv_site) : NULL;
}

int ledger_start(struct page *page, struct err *e)
{
    ledger_page = page;
    ledger_pid = getpid();
    if (slot_init(page, e) != 0)
        return -1;
    site_table_init(page);
    stacks_start(page);
    if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
        return err_set(e, "OpenSSL has allocated before the probe started, so its hooks "
                          "can't be installed");
    atomic_store_explicit(&page->mode, PAGE_MODE_HOOKS, memory_order_release);
    return 0;
}

void ledger_start_libuv(void)
{
    libuv_site = site_find("libuv", 0);
    int code = uv_replace_allocator(libuv_malloc, libuv_realloc, libuv_calloc, libuv_free);
    CHECK(code == 0);
}

PEEKS uint32_t ledger_site_of(const void *block)
{
    bool ours = is_ours(block) || is_stacked(block);
    return ours ? cell_site(((const struct header *)block - 1)->cell) : 0;
}
