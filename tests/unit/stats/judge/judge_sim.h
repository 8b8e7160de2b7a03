/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subject made of figures, for the judge's tests: it is churned epoch by epoch, its sites gain
 * and lose blocks by their models, and the evidence is what a probe would have seen. Everything is
 * seeded. Header-only, for the unit tests alone.
 */
#ifndef SOAK_TESTS_JUDGE_SIM_H
#define SOAK_TESTS_JUDGE_SIM_H

#include "base/check.h"
#include "base/rng.h"
#include "stats/hits.h"
#include "stats/judge/judge_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIM_EPOCHS = 64, SIM_SITES = 24, SIM_GAUGES = 6, SIM_THREADS = 100 };

enum sim_model {
    SIM_STATIC,  /* `amount` blocks from the start */
    SIM_CONN,    /* `amount` blocks per open connection */
    SIM_LEAK,    /* a clump of `amount` blocks lost with `chance` per connection */
    SIM_EXACT,   /* `amount` blocks lost by every (1/chance)th connection */
    SIM_SLOTS,   /* `amount` singletons, each replaced with `chance` per connection */
    SIM_LAZY,    /* `amount` blocks, each made once, with `chance` per connection */
    SIM_CACHE,   /* up to `amount` entries, one added with `chance`; full: the oldest goes */
    SIM_TABLE1,  /* up to `amount` entries, one added with `chance`; full: none is added */
    SIM_TIMER,   /* `chance` blocks per second */
    SIM_DEFERRED /* as SIM_EXACT, but the drain frees them */
};

struct sim_site {
    enum sim_model model;
    int64_t amount, size;
    double chance;
    double loses;             /* blocks per connection, by chance, beside what the model does */
    int64_t holds;            /* each open connection up to so many blocks, by chance, beside it */
    int64_t live[SIM_EPOCHS]; /* by birth epoch */
    int64_t lost[SIM_EPOCHS]; /* of them */
    int64_t held[SIM_EPOCHS]; /* of them, by open connections */
    int64_t blocks[SIM_EPOCHS], bytes[SIM_EPOCHS], born_bytes[SIM_EPOCHS];
};

struct sim {
    struct rng rng;
    uint64_t conns, opened;
    double seconds; /* until the newest epoch */
    size_t epochs;
    struct judge_epoch epoch[SIM_EPOCHS];
    size_t sites;
    struct sim_site site[SIM_SITES];
    struct judge_site lent[SIM_SITES];
    bool without_line[SIM_SITES];
    uint64_t kept_by[SIM_SITES][SIM_THREADS];
    struct judge_cache cache[2];
    uint64_t population[2][SIM_EPOCHS];
    size_t cached[2]; /* the site each cache's entries are in */
    struct judge_class class_[2];
    int64_t live[2][SIM_EPOCHS];
    size_t gauges, size_classes;
    struct judge_gauge gauge[SIM_GAUGES];
    double closed[SIM_EPOCHS], value[SIM_GAUGES][SIM_EPOCHS];
    struct judge_size_class size_class[2];
    int64_t regions[2][SIM_EPOCHS];
    struct evidence e;
};

static inline struct sim *sim_new(uint64_t conns, uint64_t seed)
{
    struct sim *s = calloc(1, sizeof *s);
    CHECK(s);
    s->rng.state = seed;
    s->conns = conns;
    s->seconds = (double)(seed % 1000) / 100;
    s->e = (struct evidence){.hooked = true, .handshakes = 100000, .tried = 100000, .seed = seed};
    return s;
}

static inline size_t sim_site(struct sim *s, enum sim_model model, int64_t amount, double chance)
{
    CHECK(s->sites < SIM_SITES);
    s->site[s->sites] =
        (struct sim_site){.model = model, .amount = amount, .size = 32, .chance = chance};
    return s->sites++;
}

static inline void sim_cache(struct sim *s, size_t site, uint64_t capacity)
{
    CHECK(s->e.caches < 2);
    s->cached[s->e.caches] = site;
    s->cache[s->e.caches] = (struct judge_cache){.name = "peers", .capacity = capacity};
    s->e.caches++;
}

static inline int64_t sim_total(const struct sim_site *t)
{
    int64_t sum = 0;
    for (size_t c = 0; c < SIM_EPOCHS; c++)
        sum += t->live[c];
    return sum;
}

static inline void sim_drop_oldest(struct sim_site *t, int64_t count)
{
    for (size_t c = 0; c < SIM_EPOCHS && count > 0; c++) {
        int64_t gone = t->live[c] < count ? t->live[c] : count;
        t->live[c] -= gone;
        count -= gone;
    }
}

static inline void sim_replace_slots(struct sim *s, struct sim_site *t, size_t now, uint64_t opens)
{
    int64_t fill = t->amount - sim_total(t);
    t->live[now] += fill;
    for (size_t c = 0; c < now; c++) {
        for (int64_t left = t->live[c]; left > 0; left--) {
            if (hits_draw(&s->rng, opens, t->chance) == 0)
                continue;
            t->live[c]--;
            t->live[now]++;
        }
    }
}

static inline void sim_lazy(struct sim *s, struct sim_site *t, size_t now, uint64_t opens)
{
    for (int64_t left = t->amount - sim_total(t); left > 0; left--)
        t->live[now] += hits_draw(&s->rng, opens, t->chance) > 0;
}

static inline void sim_churn_site(struct sim *s, struct sim_site *t, size_t now, uint64_t opens)
{
    uint64_t before = s->opened, after = s->opened + opens;
    switch (t->model) {
    case SIM_STATIC:
        t->live[0] = t->amount;
        break;
    case SIM_CONN:
        if (opens) {
            memset(t->live, 0, sizeof t->live);
            t->live[now] = t->amount * (int64_t)s->conns;
        }
        break;
    case SIM_LEAK:
        t->live[now] += t->amount * hits_draw(&s->rng, opens, t->chance);
        break;
    case SIM_EXACT:
    case SIM_DEFERRED:
        t->live[now] += t->amount * ((int64_t)((double)after * t->chance + 1e-9) -
                                     (int64_t)((double)before * t->chance + 1e-9));
        break;
    case SIM_SLOTS:
        sim_replace_slots(s, t, now, opens);
        break;
    case SIM_LAZY:
        sim_lazy(s, t, now, opens);
        break;
    case SIM_CACHE:
    case SIM_TABLE1: {
        int64_t room = t->amount - sim_total(t), added = hits_draw(&s->rng, opens, t->chance);
        if (t->model == SIM_TABLE1 && added > room)
            added = room;
        t->live[now] += added;
        sim_drop_oldest(t, added > room ? added - room : 0);
        break;
    }
    case SIM_TIMER:
        t->live[now] += (int64_t)floor(t->chance * (s->seconds + s->epoch[now].seconds) + 1e-9) -
                        (int64_t)floor(t->chance * s->seconds + 1e-9);
        break;
    }
}

/* A hold opens no others. */
static inline void sim_hold_open(struct sim *s, struct sim_site *t, size_t now, uint64_t opens)
{
    t->held[now] = 0;
    if (opens == 0 || t->holds == 0)
        return;
    memset(t->held, 0, sizeof t->held);
    for (uint64_t i = 0; i < s->conns; i++)
        t->held[now] += (int64_t)rng_below(&s->rng, (uint64_t)t->holds + 1);
}

/* What is lost, or held by open connections, takes no part in what the model does. */
static inline void sim_beside(struct sim *s, struct sim_site *t, size_t now, uint64_t opens)
{
    for (size_t c = 0; c < now; c++)
        t->live[c] -= t->lost[c] + t->held[c];
    sim_churn_site(s, t, now, opens);
    t->lost[now] = hits_draw(&s->rng, opens, t->loses);
    sim_hold_open(s, t, now, opens);
    for (size_t c = 0; c <= now; c++)
        t->live[c] += t->lost[c] + t->held[c];
}

enum sim_step { SIM_WARM, SIM_MEASURE, SIM_HOLD };

static inline void sim_epoch(struct sim *s, enum sim_step step, uint64_t opens, double seconds)
{
    size_t now = s->epochs++;
    CHECK(now < SIM_EPOCHS);
    s->epoch[now] = (struct judge_epoch){.opened = opens,
                                         .seconds = seconds,
                                         .measured = step != SIM_WARM,
                                         .hold = step == SIM_HOLD};
    for (size_t i = 0; i < s->sites; i++) {
        struct sim_site *t = &s->site[i];
        t->live[now] = 0; /* sim_bound */
        sim_beside(s, t, now, opens);
        t->blocks[now] = sim_total(t);
        t->bytes[now] = t->blocks[now] * t->size;
    }
    s->opened += opens;
    s->seconds += seconds;
    s->epoch[now].closed = s->opened > s->conns ? s->opened - s->conns : 0;
    for (size_t i = 0; i < s->e.caches; i++)
        s->population[i][now] = (uint64_t)s->site[s->cached[i]].blocks[now];
    for (size_t c = 0; c < now && opens >= s->conns; c++)
        s->epoch[c].all_closed = true;
}

static inline bool sim_is_cached(const struct sim *s, size_t site)
{
    for (size_t i = 0; i < s->e.caches; i++) {
        if (s->cached[i] == site)
            return true;
    }
    return false;
}

static inline void sim_drain(struct sim *s)
{
    s->e.drained = true;
    for (size_t i = 0; i < s->sites; i++) {
        struct judge_site *l = &s->lent[i];
        int64_t lost = 0;
        l->drained_blocks = 0;
        for (size_t c = 0; c < s->epochs; c++) {
            if (!s->epoch[c].measured || !s->epoch[c].all_closed)
                continue;
            l->drained_blocks += s->site[i].live[c];
            lost += s->site[i].lost[c];
        }
        if (s->site[i].model == SIM_DEFERRED)
            l->drained_blocks = 0;
        l->flushed_blocks = sim_is_cached(s, i) ? lost : l->drained_blocks;
        l->flushed_bytes = l->flushed_blocks * s->site[i].size;
    }
}

/* So many threads keep a site's blocks: by turns, or by chance. */
static inline void sim_threads(struct sim *s, size_t site, size_t threads, bool by_turns)
{
    size_t t = 0;
    CHECK(threads <= SIM_THREADS && s->epochs <= 64);
    s->e.threads = s->e.serving = threads;
    s->lent[site].kept_by = s->kept_by[site];
    for (size_t c = 0; c < s->epochs; c++) {
        for (int64_t i = 0; i < s->site[site].live[c]; i++) {
            t = by_turns ? (t + 1) % threads : rng_below(&s->rng, threads);
            s->kept_by[site][t] |= UINT64_C(1) << c;
        }
    }
}

/* Behind the last checkpoint stands what no run has: whoever reads it decides otherwise. */
static inline void sim_bound(struct sim *s)
{
    enum { BEYOND = 1000003 };
    size_t end = s->epochs;
    if (end == SIM_EPOCHS)
        return;
    s->epoch[end] = (struct judge_epoch){.opened = BEYOND,
                                         .closed = BEYOND,
                                         .seconds = BEYOND,
                                         .measured = true,
                                         .all_closed = true};
    for (size_t i = 0; i < s->sites; i++) {
        struct sim_site *t = &s->site[i];
        t->blocks[end] = t->bytes[end] = t->live[end] = t->born_bytes[end] = BEYOND;
    }
    for (size_t i = 0; i < 2; i++) {
        s->population[i][end] = BEYOND;
        s->live[i][end] = s->regions[i][end] = BEYOND;
    }
    for (size_t i = 0; i < s->e.gauges; i++) {
        if (s->gauge[i].value == s->value[i] && s->gauge[i].count < SIM_EPOCHS)
            s->value[i][s->gauge[i].count] = BEYOND;
    }
}

/* Lends the arrays; figures that a test wrote into blocks[], bytes[] or live[] are kept. */
static const struct evidence *sim_evidence(struct sim *s)
{
    static const char *const file = "ssl/sim.c";
    for (size_t i = 0; i < s->sites; i++) {
        struct sim_site *t = &s->site[i];
        struct judge_site *l = &s->lent[i];
        for (size_t c = 0; c < s->epochs; c++)
            t->born_bytes[c] = t->live[c] * t->size;
        l->file = l->file ? l->file : file;
        l->line = s->without_line[i] ? 0 : (uint32_t)(100 + i);
        l->blocks = t->blocks;
        l->bytes = t->bytes;
        l->born_blocks = t->live;
        l->born_bytes = t->born_bytes;
    }
    sim_bound(s);
    for (size_t i = 0; i < s->e.caches; i++)
        s->cache[i].population = s->population[i];
    for (size_t i = 0; i < s->e.classes; i++)
        s->class_[i].live = s->live[i];
    for (size_t i = 0; i < s->e.size_classes; i++)
        s->size_class[i].regions = s->regions[i];
    s->e.epochs = s->epochs;
    s->e.epoch = s->epoch;
    s->e.sites = s->sites;
    s->e.site = s->lent;
    s->e.class_ = s->class_;
    s->e.cache = s->cache;
    s->e.gauge = s->gauge;
    s->e.size_class = s->size_class;
    return &s->e;
}

/* Two epochs of warm-up, six of 100 connections and a second each, two seconds of hold when asked
 * for, and the turnover. Nothing but the connections is there: site 0. */
enum { SIM_SIX_CONNS = 30, SIM_SIX_BASE = 1, SIM_SIX_OPENED = 600 };

static inline struct sim *sim_six(bool hold)
{
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_site(s, SIM_CONN, 7, 1);
    for (int i = 0; i < 8; i++)
        sim_epoch(s, i < 2 ? SIM_WARM : SIM_MEASURE, 100, 1);
    if (hold)
        sim_epoch(s, SIM_HOLD, 0, 2);
    sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
    sim_drain(s);
    return s;
}

/* A site that keeps kept[i] blocks of the i-th of the six epochs. */
static inline size_t sim_six_site(struct sim *s, const int64_t kept[6])
{
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    struct sim_site *t = &s->site[site];
    int64_t sum = 0;
    for (size_t c = 0; c < s->epochs; c++) {
        t->live[c] = c >= 2 && c < 8 ? kept[c - 2] : 0;
        t->blocks[c] = sum += t->live[c];
        t->bytes[c] = sum * t->size;
    }
    sim_drain(s);
    return site;
}

/* Adds a gauge whose points are the checkpoints from the baseline on; returns its values, to be
 * written for these. */
static inline double *sim_gauge(struct sim *s, enum metric metric, double limit)
{
    size_t base = 0;
    while (base + 1 < s->epochs && !s->epoch[base + 1].measured)
        base++;
    for (size_t c = base; c < s->epochs; c++)
        s->closed[c - base] = (double)s->epoch[c].closed;
    s->gauge[s->e.gauges] = (struct judge_gauge){.metric = metric,
                                                 .limit = limit,
                                                 .count = s->epochs - base,
                                                 .closed = s->closed,
                                                 .value = s->value[s->e.gauges]};
    return s->value[s->e.gauges++];
}

/* jemalloc's region for so many bytes. */
static inline int64_t sim_region(int64_t bytes)
{
    int64_t step = 16;
    for (; bytes > 8 * step; step *= 2)
        ;
    return (bytes + step - 1) / step * step;
}

/* Of blocks: all of `most` bytes, or when `mixed` of 20 to `most`. */
struct sim_size {
    int64_t most;
    bool mixed;
};

/* Writes a site's live blocks at a checkpoint. Returns what they take of the heap with the ledger's
 * headers. */
static inline int64_t sim_hold(struct sim *s, size_t site, size_t c, int64_t blocks,
                               struct sim_size size)
{
    struct sim_site *t = &s->site[site];
    int64_t taken = 0;
    t->blocks[c] = blocks;
    t->bytes[c] = 0;
    for (int64_t i = 0; i < blocks; i++) {
        int64_t one =
            size.mixed ? 20 + (int64_t)rng_below(&s->rng, (uint64_t)size.most - 19) : size.most;
        t->bytes[c] += one;
        taken += sim_region(one + 16);
    }
    return taken;
}

#endif
