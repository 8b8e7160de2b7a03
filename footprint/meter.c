/* SPDX-License-Identifier: Apache-2.0 */
#include "meter.h"

#include "base/check.h"
#include "meter_blocks.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

/*
 * Which function allocates. OpenSSL tells its allocator a file and a line, but no function, and
 * the stack alone may mislead: a function that ends in a call of OpenSSL's allocator jumps there,
 * so that its own caller is what the stack shows. So a frame counts only when its call, read back
 * from the code, went to one of OpenSSL's allocating functions. x86-64; elsewhere, and whenever
 * that can't be seen, the answer is that it isn't known.
 */

enum { FRAMES = 8 };

/* Those that take the caller's file and line. Not every version has all of them. */
static const char *const names[] = {"CRYPTO_malloc",        "CRYPTO_zalloc",
                                    "CRYPTO_calloc",        "CRYPTO_realloc",
                                    "CRYPTO_clear_realloc", "CRYPTO_malloc_array",
                                    "CRYPTO_realloc_array", "CRYPTO_aligned_alloc",
                                    "CRYPTO_memdup",        "CRYPTO_strdup",
                                    "CRYPTO_strndup",       "CRYPTO_secure_malloc",
                                    "CRYPTO_secure_zalloc", "CRYPTO_clear_realloc_array"};
enum { NAMES = sizeof names / sizeof *names };

static uint64_t allocator[NAMES]; /* 0: this version has none of the name */

/* Looks up OpenSSL's allocating functions. Once, before caller_find. */
static void caller_start(void)
{
    for (size_t i = 0; i < NAMES; i++)
        allocator[i] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
}

#ifdef __x86_64__
static int32_t offset_at(uint64_t at)
{
    int32_t offset;
    memcpy(&offset, (const void *)(uintptr_t)at, sizeof offset);
    return offset;
}

static bool bytes_are(uint64_t at, const char *bytes, size_t count)
{
    return memcmp((const void *)(uintptr_t)at, bytes, count) == 0;
}

static uint64_t pointer_at(uint64_t at)
{
    uint64_t value;
    memcpy(&value, (const void *)(uintptr_t)at, sizeof value);
    return value;
}

/* Where a stub of the procedure linkage table jumps to; any other code is its own target. */
static uint64_t past_stub(uint64_t at)
{
    uint64_t code = at;
    if (bytes_are(code, "\xf3\x0f\x1e\xfa", 4)) /* endbr64 */
        code += 4;
    if (bytes_are(code, "\xf2", 1)) /* bnd */
        code += 1;
    if (!bytes_are(code, "\xff\x25", 2)) /* jmp *offset(%rip) */
        return at;
    return pointer_at(code + 6 + (uint64_t)(int64_t)offset_at(code + 2));
}

/* The function that the call right before `back` went to; 0 when it isn't one of those two forms.
 */
static uint64_t callee(uint64_t back)
{
    if (bytes_are(back - 5, "\xe8", 1)) /* call offset */
        return past_stub(back + (uint64_t)(int64_t)offset_at(back - 4));
    if (bytes_are(back - 6, "\xff\x15", 2)) /* call *offset(%rip) */
        return pointer_at(back + (uint64_t)(int64_t)offset_at(back - 4));
    return 0;
}
#else
static uint64_t callee(uint64_t back)
{
    (void)back;
    return 0;
}
#endif

struct walk {
    uint64_t hook_caller;
    size_t frames;
    uint64_t frame[FRAMES]; /* from the hook's caller outwards */
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *to)
{
    struct walk *walk = to;
    uint64_t ip = (uint64_t)_Unwind_GetIP(context);
    if (!ip || walk->frames == FRAMES)
        return _URC_END_OF_STACK;
    if (walk->frames || ip == walk->hook_caller)
        walk->frame[walk->frames++] = ip;
    return _URC_NO_REASON;
}

static bool is_allocator(uint64_t function)
{
    for (size_t i = 0; function && i < NAMES; i++) {
        if (allocator[i] == function)
            return true;
    }
    return false;
}

/* Whether the frame lies in an allocating function, or in a nameless one right behind it. */
static bool in_allocator(uint64_t frame)
{
    Dl_info nearest;
    return dladdr((void *)(uintptr_t)(frame - 1), &nearest) &&
           is_allocator((uint64_t)(uintptr_t)nearest.dli_saddr);
}

/* From within an allocation hook: a return address in the function that asked for the memory, past
 * OpenSSL's own allocating functions; 0 when it isn't certain. `hook_caller`: where the hook
 * returns to. */
static uint64_t caller_find(uint64_t hook_caller)
{
    struct walk walk = {.hook_caller = hook_caller};
    size_t i = 0;
    _Unwind_Backtrace(on_frame, &walk);
    while (i < walk.frames && in_allocator(walk.frame[i]))
        i++;
    return i < walk.frames && is_allocator(callee(walk.frame[i])) ? walk.frame[i] : 0;
}

static struct {
    unsigned int now; /* whose step is running */
    size_t blocks_limit, sites_limit, sites;
    struct meter_site *site; /* owned until the process ends */
    struct meter_end end[FOOTPRINT_END_COUNT];
    bool handshaken[FOOTPRINT_END_COUNT];
    bool blocks_full, sites_full;
    uint64_t unknown_frees;
} meter = {.now = METER_NOBODY};

/* ---- sites ---- */

static bool is_site(const struct meter_site *site, const char *file, int line)
{
    return site->line == line && (site->file == file || strcmp(site->file, file) == 0);
}

/* The number of the site. When the table is full: that of the first, and the meter is spoilt. */
static uint32_t site_of(const char *file, int line, uint64_t hook_caller)
{
    file = file && *file ? file : "?";
    for (size_t i = 0; i < meter.sites; i++) {
        if (is_site(&meter.site[i], file, line))
            return (uint32_t)i;
    }
    if (meter.sites == meter.sites_limit) {
        meter.sites_full = true;
        return 0;
    }
    meter.site[meter.sites] =
        (struct meter_site){.file = file, .line = line, .caller = caller_find(hook_caller)};
    return (uint32_t)meter.sites++;
}

/* ---- counting ---- */

static void add_calls(struct meter_calls *c, uint64_t allocs, uint64_t reallocs, uint64_t bytes)
{
    c->allocs += allocs;
    c->reallocs += reallocs;
    c->bytes += bytes;
}

static void count_call(uint32_t site, uint64_t allocs, uint64_t reallocs, uint64_t bytes)
{
    if (meter.now == METER_NOBODY)
        return;
    add_calls(&meter.end[meter.now].calls, allocs, reallocs, bytes);
    add_calls(&meter.site[site].end[meter.now].calls, allocs, reallocs, bytes);
}

/* A block's size has changed from nothing, or to nothing, or between. */
static void count_live(const struct meter_block *block, uint64_t from, uint64_t to)
{
    if (!block->of_present || block->end == METER_NOBODY)
        return;
    struct meter_end *end = &meter.end[block->end];
    end->live_bytes += to - from;
    if (!meter.handshaken[block->end] && end->live_bytes > end->peak_bytes)
        end->peak_bytes = end->live_bytes;
}

/* ---- the hooks: as OpenSSL's default allocator, malloc(0) and realloc(p, 0) give NULL ---- */

static void *allocate(size_t size, const char *file, int line, uint64_t hook_caller)
{
    void *at = size ? malloc(size) : NULL;
    if (!at)
        return NULL;
    uint32_t site = site_of(file, line, hook_caller);
    struct meter_block *block = meter_blocks_add(at);
    if (!block) {
        meter.blocks_full = true;
        return at;
    }
    block->size = size;
    block->site = site;
    block->end = meter.now;
    count_call(site, 1, 0, size);
    count_live(block, 0, size);
    return at;
}

static void release(void *at)
{
    struct meter_block *block = at ? meter_blocks_find(at) : NULL;
    if (block) {
        count_live(block, block->size, 0);
        meter_blocks_drop(block);
    } else if (at) {
        meter.unknown_frees++;
    }
    free(at);
}

/* A block keeps its birth and moves to the site of the call, as in the ledger. */
static void *reallocate(void *at, size_t size, const char *file, int line, uint64_t hook_caller)
{
    struct meter_block *block = meter_blocks_find(at);
    void *to = realloc(at, size);
    if (!to)
        return NULL;
    if (!block) {
        meter.unknown_frees++;
        return to;
    }
    meter_blocks_move(block, to);
    block->site = site_of(file, line, hook_caller);
    count_call(block->site, 0, 1, size);
    count_live(block, block->size, size);
    block->size = size;
    return to;
}

/* The address that called the hook. */
#define HOOK_CALLER() ((uint64_t)(uintptr_t)__builtin_return_address(0))

static void *hook_malloc(size_t size, const char *file, int line)
{
    return allocate(size, file, line, HOOK_CALLER());
}

static void hook_free(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    release(at);
}

static void *hook_realloc(void *at, size_t size, const char *file, int line)
{
    if (!at)
        return allocate(size, file, line, HOOK_CALLER());
    if (size)
        return reallocate(at, size, file, line, HOOK_CALLER());
    release(at);
    return NULL;
}

int meter_start(const struct meter_limits *limits, struct err *e)
{
    meter.sites_limit = limits->sites;
    meter.blocks_limit = limits->blocks;
    meter.site = calloc(limits->sites, sizeof *meter.site);
    if (!meter.site)
        return err_set(e, "no memory for a table of %zu sites", limits->sites);
    if (meter_blocks_open(limits->blocks, e) < 0)
        return -1;
    caller_start();
    if (!CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free))
        return err_set(e, "OpenSSL has allocated before the meter started, so it can't be hooked");
    return 0;
}

/* ---- a connection ---- */

void meter_enter(unsigned int end)
{
    CHECK(end <= METER_NOBODY);
    meter.now = end;
}

void meter_begin(void)
{
    meter_blocks_begin();
    memset(meter.end, 0, sizeof meter.end);
    memset(meter.handshaken, 0, sizeof meter.handshaken);
    for (size_t i = 0; i < meter.sites; i++)
        memset(meter.site[i].end, 0, sizeof meter.site[i].end);
}

void meter_look(enum footprint_end end, enum footprint_stage stage)
{
    CHECK(end < FOOTPRINT_END_COUNT && stage < FOOTPRINT_STAGE_COUNT);
    struct meter_held *held = &meter.end[end].held[stage];
    *held = (struct meter_held){.allocs = meter.end[end].calls.allocs};
    if (stage == FOOTPRINT_HANDSHAKE)
        meter.handshaken[end] = true;
    for (struct meter_block *b = meter_blocks_newest(); b; b = meter_blocks_older(b)) {
        if (b->end != end)
            continue;
        b->size_at[stage] = b->size;
        held->blocks++;
        held->bytes += b->size;
        if (stage == FOOTPRINT_IDLE)
            meter.site[b->site].end[end].idle_bytes += b->size;
    }
}

static void take_out(struct meter_block *b)
{
    struct meter_end *end = &meter.end[b->end];
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        end->held[stage].blocks -= b->size_at[stage] != 0;
        end->held[stage].bytes -= b->size_at[stage];
    }
    meter.site[b->site].end[b->end].idle_bytes -= b->size_at[FOOTPRINT_IDLE];
    end->kept_blocks++;
    end->kept_bytes += b->size;
}

void meter_finish(void)
{
    for (struct meter_block *b = meter_blocks_newest(); b; b = meter_blocks_older(b)) {
        if (b->end != METER_NOBODY)
            take_out(b);
    }
}

const struct meter_end *meter_end_of(enum footprint_end end)
{
    CHECK(end < FOOTPRINT_END_COUNT);
    return &meter.end[end];
}

size_t meter_site_count(void)
{
    return meter.sites;
}

const struct meter_site *meter_site_at(size_t index)
{
    CHECK(index < meter.sites);
    return &meter.site[index];
}

int meter_check(struct err *e)
{
    if (meter.blocks_full)
        return err_set(e, "OpenSSL holds more than %zu blocks: the meter's table is full",
                       meter.blocks_limit);
    if (meter.sites_full)
        return err_set(e, "OpenSSL allocates at more than %zu places: the meter's table is full",
                       meter.sites_limit);
    if (meter.unknown_frees)
        return err_set(e, "OpenSSL freed %llu blocks that the meter never saw",
                       (unsigned long long)meter.unknown_frees);
    return 0;
}
