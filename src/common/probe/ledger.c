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
 * known, or whose size doesn't fit, has another magic, so that only the rare path has to ask. */
struct header {
    union {
        uint64_t word; /* both, as they are carried across the allocator's call */
        struct {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            uint32_t size, cell; /* cell_of epoch and site */
#else
            uint32_t cell, size;
#endif
        };
    };
    uint32_t more; /* STACKED_MAGIC: the stack's number; HUGE_MAGIC: the upper half of the size */
    uint32_t magic;
};

_Static_assert(sizeof(struct header) == 16, "the header must keep the alignment of malloc");

#define HEADER_MAGIC  SLOT_SEAL   /* of the usual block */
#define STACKED_MAGIC 0x6b617473u /* "stak" */
#define HUGE_MAGIC    0x65677568u /* "huge" */

/* Looking for a header before a block that has none reads memory that isn't the block's; the
 * address sanitizer must let these functions look. */
#define PEEKS __attribute__((no_sanitize("address")))

static struct page *ledger_page;
static pid_t ledger_pid;
static uint32_t libuv_site = UINT32_MAX; /* none yet */

HOT PEEKS uint32_t magic_of(const void *block)
{
    return ((const struct header *)block - 1)->magic;
}

HOT PEEKS bool is_usual(const void *block)
{
    return LIKELY(magic_of(block) == HEADER_MAGIC);
}

static PEEKS bool is_ours(const void *block)
{
    uint32_t magic = magic_of(block);
    return magic == HEADER_MAGIC || magic == STACKED_MAGIC || magic == HUGE_MAGIC;
}

COLD void count_bad_free(void)
{
    atomic_fetch_add_explicit(&ledger_page->bad_frees, 1, memory_order_relaxed);
}

static size_t header_size(const struct header *h)
{
    return h->size | (h->magic == HUGE_MAGIC ? (size_t)h->more << 32 : 0);
}

static void header_write(struct header *h, size_t size, uint32_t cell)
{
    h->size = (uint32_t)size;
    h->cell = cell;
    h->more = (uint32_t)(size >> 32);
    h->magic = h->more ? HUGE_MAGIC : HEADER_MAGIC;
}

/* ---- call stacks ---- */

/* Gives the block the present call stack if its site's stacks are wanted. */
static STACKS_OWN void stack_attach(struct header *h)
{
    uint32_t site = cell_site(h->cell);
    if (!stacks_wanted(site, ledger_pid) || h->magic != HEADER_MAGIC)
        return;
    uint32_t stack = stacks_take(site);
    if (!stack)
        return;
    stacks_count(stack, cell_epoch(h->cell), 1, h->size);
    h->more = stack;
    h->magic = STACKED_MAGIC;
}

/* Takes the block's stack away from it if it has one: an ordinary block of ours from here on. */
static void stack_detach(struct header *h)
{
    if (h->magic != STACKED_MAGIC)
        return;
    h->magic = HEADER_MAGIC;
    stacks_count(h->more, cell_epoch(h->cell), -1, -(int64_t)h->size);
}

/* ---- the rare path: the thread has no slot, stacks are wanted, an allocation must fail, the epoch
 * lies beyond the table, or the size beyond what fits a header's half ---- */

COLD struct place place_now(void)
{
    struct page_thread *slot = slot_own ? slot_own : slot_claim();
    return slot ? (struct place){slot, true} : (struct place){slot_shared(), false};
}

/* Whether this allocation is the one to fail. */
COLD bool fails(uint64_t word, size_t size, uint32_t site)
{
    return word & PAGE_EPOCH_FAILS && site != libuv_site && fail_asked(size, site);
}

HOT bool fits(size_t size)
{
    return LIKELY(size <= SIZE_MAX - sizeof(struct header));
}

COLD void *malloc_rare(size_t size, uint32_t site)
{
    uint64_t word = epoch_word(ledger_page);
    if (!fits(size) || fails(word, size, site))
        return NULL;
    struct header *h = malloc(size + sizeof *h);
    if (!h)
        return NULL;
    header_write(h, size, cell_of(epoch_alone(ledger_page, word), site));
    count_born(place_now(), h->cell, size);
    if (word & PAGE_EPOCH_CAPTURES)
        stack_attach(h);
    return h + 1;
}

COLD PEEKS void free_rare(void *block)
{
    struct header *h = (struct header *)block - 1;
    if (!is_ours(block)) {
        count_bad_free();
        free(block);
        return;
    }
    stack_detach(h);
    count_freed(place_now(), h->cell, header_size(h));
    h->magic = 0;
    free(h);
}

/* The old stack is taken off only when the block has moved: a realloc that fails changes nothing.
 */
COLD PEEKS void *realloc_rare(void *block, size_t size, uint32_t site)
{
    if (!is_ours(block)) {
        count_bad_free();
        return realloc(block, size);
    }
    uint64_t word = epoch_word(ledger_page);
    if (!fits(size) || fails(word, size, site))
        return NULL;
    struct header *h = realloc((struct header *)block - 1, size + sizeof *h);
    if (!h)
        return NULL;
    stack_detach(h);
    struct counted was = {h->cell, header_size(h)};
    header_write(h, size, cell_of(cell_epoch_word(was.cell), site));
    count_moved(place_now(), was, (struct counted){h->cell, size});
    if (word & PAGE_EPOCH_CAPTURES)
        stack_attach(h);
    return h + 1;
}

/* The allocator had none after all. */
COLD void *malloc_failed(uint64_t word)
{
    struct header was = {.word = word};
    count_unborn((struct place){slot_own, true}, was.cell, was.size);
    return NULL;
}

/* ---- the way of every block ---- */

/* Sizes of the usual path: 1 to 2^31 - 1. */
HOT bool is_usual_size(size_t size)
{
    return LIKELY(size - 1 < INT32_MAX);
}

/* `first`: the site's cell in the first epoch. Counts first, so that one register is all that must
 * outlive the allocator's call. */
HOT void *ledger_malloc(size_t size, uint32_t first)
{
    uint64_t epoch = slot_epoch_word();
    if (UNLIKELY(epoch >= PAGE_EPOCH_END))
        return malloc_rare(size, cell_site(first));
    uint64_t cell = epoch + first;
    uint64_t word = cell << 32 | (uint32_t)size;
    count_born((struct place){slot_own, true}, cell, size);
    struct header *h = malloc(size + sizeof *h);
    if (UNLIKELY(!h))
        return malloc_failed(word);
    h->word = word;
    h->magic = HEADER_MAGIC;
    return h + 1;
}

HOT PEEKS void ledger_free(void *block)
{
    if (UNLIKELY(magic_of(block) != slot_seal)) {
        free_rare(block);
        return;
    }
    struct header *h = (struct header *)block - 1;
    h->magic = 0;
    count_freed((struct place){slot_own, true}, h->cell, h->size);
    free(h);
}

/* A block keeps its birth epoch and moves to the site of the realloc call. */
HOT PEEKS void *ledger_realloc(void *block, size_t size, uint32_t site)
{
    if (UNLIKELY(!is_usual_size(size) || !is_usual(block) || slot_epoch_word() >= PAGE_EPOCH_END))
        return realloc_rare(block, size, site);
    struct header *h = realloc((struct header *)block - 1, size + sizeof *h);
    if (UNLIKELY(!h))
        return NULL;
    struct counted was = {h->cell, h->size};
    h->size = (uint32_t)size;
    h->cell = cell_of(cell_epoch_word(was.cell), site);
    count_moved((struct place){slot_own, true}, was, (struct counted){h->cell, size});
    return h + 1;
}

/* The hooks behave as OpenSSL's default allocator: malloc(0) and realloc(p, 0) give NULL. */

COLD void *openssl_malloc_rare(size_t size, const char *file, int line)
{
    return size ? malloc_rare(size, site_find(file, line)) : NULL;
}

/* Nothing but the allocator is called on the way, and all else by its last instruction: so nothing
 * else has to be kept across a call. */
static STACKS_OWN void *openssl_malloc(size_t size, const char *file, int line)
{
    if (UNLIKELY(!is_usual_size(size)))
        return openssl_malloc_rare(size, file, line);
    const struct site_key *key = site_key_at(file, line);
    if (UNLIKELY(!site_key_is(key, file, line)))
        return openssl_malloc_rare(size, file, line);
    return ledger_malloc(size, key->cell);
}

static PEEKS void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block)
        ledger_free(block);
}

static STACKS_OWN PEEKS void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block)
        return openssl_malloc(size, file, line);
    if (size == 0) {
        openssl_free(block, file, line);
        return NULL;
    }
    return ledger_realloc(block, size, site_find(file, line));
}

static STACKS_OWN void *libuv_malloc(size_t size)
{
    return is_usual_size(size) ? ledger_malloc(size, cell_of(0, libuv_site))
                               : malloc_rare(size, libuv_site);
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
        ledger_free(block);
}

static STACKS_OWN PEEKS void *libuv_realloc(void *block, size_t size)
{
    if (!block)
        return libuv_malloc(size);
    return ledger_realloc(block, size, libuv_site);
}

int ledger_start(struct page *page, struct err *e)
{
    ledger_page = page;
    ledger_pid = getpid();
    if (slot_init(page, NULL, e) != 0)
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
    site_set_apart(libuv_site);
    int code = uv_replace_allocator(libuv_malloc, libuv_realloc, libuv_calloc, libuv_free);
    CHECK(code == 0);
}

PEEKS uint32_t ledger_site_of(const void *block)
{
    return is_ours(block) ? cell_site(((const struct header *)block - 1)->cell) : 0;
}
