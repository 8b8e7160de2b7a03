/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <stdlib.h>

_Static_assert(PAGE_EPOCHS <= 64, "an epoch is a bit of a word");

static struct capture_site *find(const struct capture *c, size_t site)
{
    for (size_t i = 0; i < c->sites; i++) {
        if (c->site[i].site == site)
            return (struct capture_site *)&c->site[i];
    }
    return NULL;
}

/* ---- what the page holds ---- */

static void count_site(struct capture_site *s, const struct snapshot *snapshot, uint64_t closed)
{
    s->blocks = s->bytes = 0;
    if (s->site >= snapshot->sites)
        return;
    const struct snapshot_site *from = &snapshot->site[s->site];
    for (size_t i = 0; i < PAGE_EPOCHS; i++) {
        if (!(s->epochs & closed & UINT64_C(1) << i))
            continue;
        s->blocks += from->born_blocks[i];
        s->bytes += from->born_bytes[i];
    }
}

int capture_keep(struct capture *c, const struct capture_end *end, struct err *e)
{
    struct snapshot_stacks stacks;
    const uint64_t epoch = end->epoch, oldest = end->oldest;
    if (snapshot_stacks_read(end->page, &stacks, e) != 0)
        return -1;
    snapshot_stacks_free(&c->stacks);
    c->stacks = stacks;
    c->closed = oldest < PAGE_EPOCHS ? (UINT64_C(1) << oldest) - 1 : UINT64_MAX;
    for (size_t i = 0; i < c->sites; i++) {
        struct capture_site *s = &c->site[i];
        if (s->wanted && epoch < PAGE_EPOCHS)
            s->epochs |= UINT64_C(1) << epoch;
        count_site(s, end->snapshot, c->closed);
    }
    return 0;
}

/* ---- which sites ---- */

struct candidate {
    size_t site;
    int rank; /* lower comes first */
    int64_t bytes;
};

static int by_rank(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static bool is_guilty(const struct judge_finding *f)
{
    return f->site < PAGE_SITES &&
           (f->verdict == VERDICT_LEAK || f->verdict == VERDICT_INCONCLUSIVE);
}

/* Blocks alive on a site's stacks, whatever became of their connections. */
static int64_t stack_blocks(const struct capture *c, size_t site)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < c->stacks.count; i++) {
        const struct snapshot_stack *s = &c->stacks.stack[i];
        for (size_t e = 0; s->site == site && e < PAGE_EPOCHS; e++)
            blocks += s->born_blocks[e];
    }
    return blocks;
}

/* Walking stacks is dear where a site allocates a hundred times per connection: an epoch that left
 * so many blocks tells as much as all others would. When they turn out to be no survivors there are
 * fewer, and the site is marked again. */
static bool has_plenty(const struct capture *c, const struct capture_site *s)
{
    return s->epochs && stack_blocks(c, s->site) >= CAPTURE_PLENTY;
}

static bool is_suspect(const struct judge_finding *f)
{
    return is_guilty(f) || (f->site < PAGE_SITES && f->may_leak);
}

static size_t collect(const struct capture *c, const struct judgement *j, struct candidate *into)
{
    enum { BLAMED, MARKED, LEAKS, IN_DOUBT, MAY_LEAK };
    size_t count = 0;
    for (size_t i = 0; i < j->findings; i++) {
        const struct judge_finding *f = &j->finding[i];
        if (!is_suspect(f))
            continue;
        const struct capture_site *known = find(c, f->site);
        int rank = f->verdict == VERDICT_LEAK ? LEAKS : f->may_leak ? MAY_LEAK : IN_DOUBT;
        if (known && (known->wanted || has_plenty(c, known)))
            rank = MARKED;
        if (i == 0 && is_guilty(f))
            rank = BLAMED;
        into[count++] = (struct candidate){f->site, rank, f->bytes};
    }
    qsort(into, count, sizeof *into, by_rank);
    return count < CAPTURE_WANTED ? count : CAPTURE_WANTED;
}

void capture_choose(struct capture *c, const struct judgement *j)
{
    struct candidate candidate[JUDGE_FINDINGS] = {{0}};
    size_t count = collect(c, j, candidate);
    for (size_t i = 0; i < c->sites; i++)
        c->site[i].wanted = false;
    for (size_t i = 0; i < count; i++) {
        struct capture_site *s = find(c, candidate[i].site);
        if (!s && c->sites < CAPTURE_KNOWN) {
            s = &c->site[c->sites++];
            *s = (struct capture_site){.site = (uint32_t)candidate[i].site};
        }
        if (s)
            s->wanted = !has_plenty(c, s);
    }
}

void capture_mark(const struct capture *c, struct page *page, uint64_t epoch)
{
    uint64_t word[PAGE_CAPTURE_WORDS] = {0};
    bool any = false;
    for (size_t i = 0; i < c->sites; i++) {
        if (!c->site[i].wanted)
            continue;
        word[c->site[i].site / 64] |= UINT64_C(1) << c->site[i].site % 64;
        any = true;
    }
    for (size_t i = 0; i < PAGE_CAPTURE_WORDS; i++)
        atomic_store(&page->capture.wanted[i], word[i]);
    uint64_t kept = atomic_load(&page->epoch) & PAGE_EPOCH_TURNS;
    atomic_store(&page->epoch, page_epoch_word(epoch) | kept | (any ? PAGE_EPOCH_CAPTURES : 0));
}

/* ---- what it came to ---- */

static int by_survivors(const void *a, const void *b)
{
    const struct stack_sample *x = a, *y = b;
    if (x->blocks != y->blocks)
        return x->blocks > y->blocks ? -1 : 1;
    return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

/* Epochs before the marking count too: a block that a marked realloc moved keeps its birth. */
static struct stack_sample sample_of(const struct snapshot_stack *s, uint64_t closed)
{
    struct stack_sample sample = {
        .frame = s->frame, .frames = s->frames, .site = s->site, .epoch = PAGE_EPOCHS};
    for (size_t i = 0; i < PAGE_EPOCHS; i++) {
        if (!(closed & UINT64_C(1) << i) || (!s->born_blocks[i] && !s->born_bytes[i]))
            continue;
        sample.blocks += s->born_blocks[i];
        sample.bytes += s->born_bytes[i];
        if (sample.epoch == PAGE_EPOCHS)
            sample.epoch = i;
        sample.last = i;
    }
    return sample;
}

size_t capture_samples(const struct capture *c, struct stack_sample **ret)
{
    size_t count = 0;
    *ret = NULL;
    struct stack_sample *all = c->stacks.count ? calloc(c->stacks.count, sizeof *all) : NULL;
    if (!all)
        return 0;
    for (size_t i = 0; i < c->stacks.count; i++) {
        struct stack_sample sample = sample_of(&c->stacks.stack[i], c->closed);
        if (sample.blocks > 0)
            all[count++] = sample;
    }
    qsort(all, count, sizeof *all, by_survivors);
    *ret = all;
    return count;
}

static int64_t stack_survivors(const struct capture *c, size_t site)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < c->stacks.count; i++) {
        if (c->stacks.stack[i].site == site)
            blocks += sample_of(&c->stacks.stack[i], c->closed).blocks;
    }
    return blocks;
}

bool capture_has_enough(const struct capture *c, const struct judgement *j)
{
    const struct judge_finding *blamed = j->findings ? &j->finding[0] : NULL;
    const struct capture_site *s = blamed && is_guilty(blamed) ? find(c, blamed->site) : NULL;
    return !s || stack_survivors(c, s->site) > 0 ||
           __builtin_popcountll(s->epochs) >= CAPTURE_PATIENCE;
}

uint64_t capture_epochs(const struct capture *c)
{
    uint64_t epochs = 0;
    for (size_t i = 0; i < c->sites; i++)
        epochs |= c->site[i].epochs;
    return epochs;
}

void capture_fini(struct capture *c)
{
    snapshot_stacks_free(&c->stacks);
}
