/* SPDX-License-Identifier: Apache-2.0 */
#include "canary_record.h"

#include "base/rng.h"

#include <string.h>

/* Odd sizes, so that no block of OpenSSL's is taken for the planted one. */
enum {
    BYTES_FROM = 33,
    BYTES_STEPS = 240,
    EVERY_FROM = 5,
    EVERY_STEPS = 8,
    CONTROLS_AT_LEAST = 64
};

_Static_assert((int)PAGE_PLANT_ONE_TIME == 1 + (int)CANARY_ONE_TIME &&
                   (int)PAGE_PLANT_CACHE == 1 + (int)CANARY_CACHE &&
                   (int)PAGE_PLANT_DEFERRED == 1 + (int)CANARY_DEFERRED &&
                   (int)PAGE_PLANTS == 1 + (int)CANARY_CONTROLS,
               "the page's plants are the lost block and the quiet controls, in their order");

void canary_record_begin(struct canary_record *s, struct page *page, enum unit unit, uint64_t seed)
{
    struct rng r = {.state = seed};
    s->plan = (struct canary_plan){.planned = true,
                                   .every = EVERY_FROM + rng_below(&r, EVERY_STEPS),
                                   .cache_entries = PAGE_PLANT_RING,
                                   .waiting = PAGE_PLANT_WAITING,
                                   .late = atomic_load(&page->epoch) & PAGE_EPOCH_TURNS};
    s->seed = rng_next(&r);
    atomic_store(&page->check.by_operation, unit != UNIT_CONNECTION);
    atomic_store(&page->check.every, s->plan.every);
    atomic_store(&page->check.until, UINT64_MAX);
}

void canary_record_arm(struct canary_record *s, struct page *page, uint64_t connections)
{
    struct rng r = {.state = s->seed};
    const page_u64 *count =
        atomic_load(&page->check.by_operation) ? &page->app.operations : &page->app.opened;
    uint64_t from = atomic_load(count), until = from + connections;
    if (!s->plan.planned || s->plan.armed || connections == 0)
        return;
    s->plan.armed = true;
    s->plan.lost_at = from + rng_below(&r, connections);
    s->plan.lost_bytes = BYTES_FROM + 2 * (int64_t)rng_below(&r, BYTES_STEPS);
    s->plan.one_time_at = from + rng_below(&r, connections);
    atomic_store(&page->check.lost_bytes, (uint64_t)s->plan.lost_bytes);
    atomic_store(&page->check.lost_at, s->plan.lost_at + 1);
    atomic_store(&page->check.one_time_at, s->plan.one_time_at + 1);
    atomic_store(&page->check.until, until > CONTROLS_AT_LEAST ? until : CONTROLS_AT_LEAST);
}

void canary_record_place(struct canary_record *s, bool armed, uint64_t ordinal)
{
    s->plan.armed = armed;
    s->plan.lost_at = s->plan.one_time_at = ordinal;
}

void canary_record_checkpoint(struct canary_record *s, const struct snapshot *snapshot, size_t c)
{
    memcpy(s->last, snapshot->plant, sizeof s->last);
    for (size_t i = 0; i < PAGE_PLANTS; i++) {
        s->blocks[i][c] = snapshot->plant[i].blocks;
        s->bytes[i][c] = snapshot->plant[i].bytes;
    }
}

static void keep_flushed(struct canary_record *s, const struct snapshot *snapshot,
                         const struct judge_epoch *epoch, size_t epochs)
{
    int64_t(*into)[2] = s->flushed;
    for (size_t i = 0; i < PAGE_PLANTS; i++) {
        into[i][0] = into[i][1] = 0;
        for (size_t c = 0; c < epochs; c++) {
            if (!epoch[c].measured || !epoch[c].all_closed)
                continue;
            into[i][0] += snapshot->plant[i].born_blocks[c];
            into[i][1] += snapshot->plant[i].born_bytes[c];
        }
    }
}

void canary_record_drained(struct canary_record *s, const struct snapshot *snapshot,
                           const struct judge_epoch *epoch, size_t epochs)
{
    keep_flushed(s, snapshot, epoch, epochs);
    for (size_t i = 0; i < PAGE_PLANTS; i++)
        s->drained[i] = s->flushed[i][0];
}

void canary_record_flushed(struct canary_record *s, const struct snapshot *snapshot,
                           const struct judge_epoch *epoch, size_t epochs)
{
    keep_flushed(s, snapshot, epoch, epochs);
}

static struct judge_site site_of(const struct canary_record *s, size_t i)
{
    return (struct judge_site){.file = PAGE_PLANT_FILE,
                               .line = (uint32_t)(1 + i),
                               .blocks = s->blocks[i],
                               .bytes = s->bytes[i],
                               .born_blocks = s->last[i].born_blocks,
                               .born_bytes = s->last[i].born_bytes,
                               .drained_blocks = s->drained[i],
                               .flushed_blocks = s->flushed[i][0],
                               .flushed_bytes = s->flushed[i][1]};
}

void canary_record_judge(const struct canary_record *s, const struct canary_subject *subject,
                         struct canary *ret)
{
    struct canary_evidence e = {.plan = s->plan,
                                .epochs = subject->epochs,
                                .epoch = subject->epoch,
                                .lost = site_of(s, PAGE_PLANT_LOST),
                                .drained = subject->drained,
                                .shared = subject->shared,
                                .one_process = subject->one_process,
                                .gone = subject->gone};
    for (size_t i = 0; i < CANARY_CONTROLS; i++)
        e.control[i] = site_of(s, 1 + i);
    canary_judge(&e, ret);
}
