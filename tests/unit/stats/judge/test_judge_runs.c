/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole runs, as plan.c lays them out, over subjects made of figures: thousands of clean histories
 * of random make never give LEAK, and leaks that the printed sensitivity covers always do.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"
#include "stats/judge/plan.h"

static int64_t ledger_at(const struct sim *s, size_t c)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->sites; i++)
        sum += s->site[i].blocks[c];
    return sum;
}

static struct plan_seen seen_of(const struct sim *s, const struct judgement *j)
{
    struct plan_seen seen = {.opened = s->opened,
                             .wants_hold = j->wants_hold,
                             .wants_more = j->wants_more,
                             .hold_ms = j->hold_ms,
                             .certain = j->certain};
    double seconds = 0;
    uint64_t opened = s->opened;
    for (size_t i = 0; i < s->epochs; i++)
        seconds += s->epoch[i].seconds;
    seen.elapsed_ms = (uint64_t)(seconds * 1000);
    for (size_t i = 0; i < 3 && i < s->epochs; i++) {
        size_t c = s->epochs - 1 - i;
        seen.ledger_blocks[i] = ledger_at(s, c);
        seen.ledger_opened[i] = opened;
        opened -= s->epoch[c].opened;
        seen.checkpoints++;
    }
    return seen;
}

static void step(struct sim *s, const struct plan_action *a, double rate)
{
    enum sim_step how = a->step == PLAN_WARM   ? SIM_WARM
                        : a->step == PLAN_HOLD ? SIM_HOLD
                                               : SIM_MEASURE;
    sim_epoch(s, how, a->opens,
              how == SIM_HOLD ? (double)a->hold_ms / 1000 : (double)a->opens / rate);
}

/* Churns to the end of the plan and judges. */
static void run(struct sim *s, const struct plan_input *in, struct judgement *ret)
{
    struct plan plan;
    struct judgement j = {0};
    plan_init(&plan, in);
    for (;;) {
        struct plan_seen seen = seen_of(s, &j);
        struct plan_action a = plan_next(&plan, &seen);
        if (a.step == PLAN_DRAIN)
            break;
        step(s, &a, in->rate_per_s);
        judge(sim_evidence(s), &j);
    }
    sim_drain(s);
    judge(sim_evidence(s), ret);
}

static struct plan_input random_input(struct rng *r)
{
    static const double rates[] = {100, 250, 500, 1000};
    struct plan_input in = {.conns = 1 + rng_below(r, 200), .rate_per_s = rates[rng_below(r, 4)]};
    if (rng_below(r, 3) == 0)
        in.closed = 2000 + rng_below(r, 20000);
    in.early_stop = rng_below(r, 2);
    return in;
}

/* 10^-x for x uniform in [from, to). */
static double chance(struct rng *r, double from, double to)
{
    return pow(10, -(from + (to - from) * rng_unit(r)));
}

static int64_t some(struct rng *r, uint64_t most)
{
    return 1 + (int64_t)rng_below(r, most);
}

static void add_clean_site(struct sim *s, struct rng *r)
{
    switch (rng_below(r, 9)) {
    case 0:
        sim_site(s, SIM_STATIC, some(r, 500), 0);
        break;
    case 1:
        sim_site(s, SIM_CONN, some(r, 40), 0);
        break;
    case 2: /* saved sessions, one-entry caches */
        sim_site(s, SIM_SLOTS, some(r, 16), chance(r, 0.5, 4.5));
        break;
    case 3: /* made once, by each of some threads, at a behaviour that isn't rare */
        sim_site(s, SIM_LAZY, some(r, 16), chance(r, 0.5, 2.5));
        break;
    case 4: /* made once, by at most four threads, however rare the reason */
        sim_site(s, SIM_LAZY, some(r, 4), chance(r, 2, 5));
        break;
    case 5:
        sim_cache(s, sim_site(s, SIM_CACHE, some(r, 30000), chance(r, 0, 2)), 30000);
        break;
    case 6: /* a small undeclared cache */
        sim_site(s, SIM_CACHE, some(r, 100), chance(r, 0, 1));
        break;
    case 7:
        sim_site(s, SIM_TABLE1, some(r, 100), chance(r, 0, 1));
        break;
    case 8: /* an evicting cache that nobody declared, full before the run gets going */
        sim_site(s, SIM_SLOTS, some(r, 400), chance(r, 1.5, 3));
        break;
    default:
        break;
    }
}

static void make_clean(struct sim *s, struct rng *r)
{
    sim_site(s, SIM_CONN, 7, 0);
    for (uint64_t left = 2 + rng_below(r, 6); left > 0; left--) {
        if (s->e.caches < 2)
            add_clean_site(s, r);
    }
}

static void complain(const struct sim *s, const struct judgement *j, uint64_t seed)
{
    const struct judge_finding *f = &j->finding[0];
    print_error("seed %llu: %s %s: %s (%s)\n", (unsigned long long)seed, verdict_name(j->verdict),
                kind_name(j->kind), f->why, j->reason[0]);
    if (f->site == SIZE_MAX)
        return;
    const struct sim_site *t = &s->site[f->site];
    print_error("  model %d amount %lld chance %g\n", (int)t->model, (long long)t->amount,
                t->chance);
}

static void clean_histories_never_give_a_leak(void **state)
{
    (void)state;
    enum { RUNS = 3000 };
    int count[4] = {0}, defaults = 0, unsure = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct rng r = {.state = seed};
        struct plan_input in = random_input(&r);
        struct sim *s = sim_new(in.conns, seed * 977);
        struct judgement j;
        make_clean(s, &r);
        s->e.want_one_in = in.closed ? 0 : 1000;
        run(s, &in, &j);
        count[j.verdict]++;
        defaults += in.closed == 0;
        unsure += in.closed == 0 && j.verdict == VERDICT_INCONCLUSIVE;
        if (j.verdict == VERDICT_LEAK)
            complain(s, &j, seed);
        free(s);
    }
    print_message("clean: %d PASS, %d LEAK, %d INCONCLUSIVE of %d; of %d default runs %d unsure\n",
                  count[VERDICT_PASS], count[VERDICT_LEAK], count[VERDICT_INCONCLUSIVE], RUNS,
                  defaults, unsure);
    assert_int_equal(count[VERDICT_LEAK], 0);
    assert_int_equal(count[VERDICT_INVALID], 0);
    assert_true(count[VERDICT_PASS] * 10 > RUNS * 9);
}

/* A heap that wanders and that fills its thread caches at first, over 8 to 19 checkpoints. */
static void wander(struct sim *s, struct rng *r)
{
    static const enum metric id[] = {METRIC_HEAP_ALLOCATED, METRIC_HEAP_ACTIVE,
                                     METRIC_HEAP_RESIDENT, METRIC_RSS_ANON};
    static const double size[] = {20e3, 150e3, 400e3, 1e6};
    for (size_t g = 0; g < 4; g++) {
        double *v = sim_gauge(s, id[g], g == 0 ? 1 : 16);
        double carried = 0, fills = 4 * size[g] * rng_unit(r), over = 500 + 4000 * rng_unit(r);
        for (size_t i = 0; i < s->gauge[g].count; i++) {
            carried = carried / 2 + size[g] * (2 * rng_unit(r) - 1);
            v[i] = 6e6 + carried + fills * (1 - exp(-s->closed[i] / over));
        }
    }
    s->e.size_classes = 2;
    for (size_t k = 0; k < 2; k++) {
        s->size_class[k].size = k ? 320 : 48;
        for (size_t c = 0; c < s->epochs; c++)
            s->regions[k][c] = 900 + (int64_t)rng_below(r, 21);
    }
}

static void wandering_heaps_never_give_a_leak(void **state)
{
    (void)state;
    enum { RUNS = 2000 };
    int count[4] = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct rng r = {.state = seed};
        struct sim *s = sim_new(30, seed);
        struct judgement j;
        uint64_t opens = 250;
        sim_site(s, SIM_CONN, 7, 0);
        sim_epoch(s, SIM_WARM, 280, 0.28);
        sim_epoch(s, SIM_WARM, 250, 0.25);
        for (uint64_t left = 6 + rng_below(&r, 12); left > 0; left--) {
            sim_epoch(s, SIM_MEASURE, opens, (double)opens / 1000);
            opens = opens < 2000 ? 2 * opens : opens;
        }
        sim_epoch(s, SIM_MEASURE, 45, 0.045);
        wander(s, &r);
        judge(sim_evidence(s), &j);
        count[j.verdict]++;
        if (j.verdict == VERDICT_LEAK)
            complain(s, &j, seed);
        free(s);
    }
    print_message("wandering heaps: %d PASS, %d LEAK, %d INCONCLUSIVE of %d\n", count[VERDICT_PASS],
                  count[VERDICT_LEAK], count[VERDICT_INCONCLUSIVE], RUNS);
    assert_int_equal(count[VERDICT_LEAK], 0);
    assert_true(count[VERDICT_PASS] * 100 > RUNS * 99);
}

/* As client-certificates and hostile peers are: the open connections of each checkpoint hold blocks
 * of some sizes in other numbers, at sites of one size and of many, and a cache may fill. The heap
 * has the ledger's blocks, rounded, and wanders by 4 KB or 150 KB; `outside` bytes are lost by each
 * connection, and `pinned` are held by pages. */
static void unlike_heap(struct sim *s, struct rng *r, double outside, double pinned)
{
    bool fills = rng_below(r, 3) == 0;
    size_t site = sim_site(s, SIM_STATIC, 0, 0), kinds = 2 + rng_below(r, 6);
    uint64_t middle = 100 + rng_below(r, 1500);
    double wanders = rng_below(r, 3) ? 4e3 : 150e3;
    int64_t size[8];
    double *allocated = sim_gauge(s, METRIC_HEAP_ALLOCATED, 1);
    double *active = sim_gauge(s, METRIC_HEAP_ACTIVE, 16);
    for (size_t k = 0; k < kinds; k++) {
        if (k)
            sim_site(s, SIM_STATIC, 0, 0);
        size[k] = 24 + (int64_t)rng_below(r, k ? 2000 : 400);
    }
    s->e.caches = 0;
    for (size_t c = 0; c < s->epochs; c++) {
        double taken = 0, closed = (double)s->epoch[c].closed;
        for (size_t k = 0; k < kinds; k++) {
            bool cached = fills && k == 0;
            uint64_t blocks = cached ? s->epoch[c].closed / 2 : middle + rng_below(r, middle);
            taken += (double)sim_hold(s, site + k, c, (int64_t)blocks,
                                      (struct sim_size){size[k], k % 2});
            for (size_t b = 0; cached && b <= c; b++)
                s->site[site].live[b] =
                    (int64_t)(s->epoch[b].closed / 2 - (b ? s->epoch[b - 1].closed / 2 : 0));
        }
        if (fills)
            s->population[0][c] = s->epoch[c].closed / 2;
        if (c + s->gauge[0].count < s->epochs)
            continue;
        size_t i = c + s->gauge[0].count - s->epochs;
        allocated[i] = 5e5 + taken + outside * closed + wanders * rng_unit(r);
        active[i] = allocated[i] * 1.04 + 2e5 + pinned * closed + 6e4 * rng_unit(r);
    }
    if (fills)
        sim_cache(s, site, 100000);
}

/* Twelve thousand connections, as the matrix of families has them. */
static void unlike_run(uint64_t seed, double outside, double pinned, struct judgement *ret)
{
    static const uint64_t opens[] = {250,  500,  1000, 1000, 1000, 1000,
                                     1000, 1000, 1000, 1000, 1000, 45};
    struct rng r = {.state = seed};
    struct sim *s = sim_new(30, seed * 17);
    sim_site(s, SIM_CONN, 7, 0);
    sim_epoch(s, SIM_WARM, 280, 0.28);
    sim_epoch(s, SIM_WARM, 1750, 1.75);
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++)
        sim_epoch(s, SIM_MEASURE, opens[i], (double)opens[i] / 1000);
    unlike_heap(s, &r, outside, pinned);
    judge(sim_evidence(s), ret);
    if (ret->verdict == VERDICT_LEAK && outside + pinned == 0)
        complain(s, ret, seed);
    free(s);
}

static void unlike_connections_never_give_a_leak(void **state)
{
    (void)state;
    enum { RUNS = 2000 };
    int count[4] = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct judgement j;
        unlike_run(seed, 0, 0, &j);
        count[j.verdict]++;
    }
    print_message("unlike connections: %d PASS, %d LEAK, %d INCONCLUSIVE of %d\n",
                  count[VERDICT_PASS], count[VERDICT_LEAK], count[VERDICT_INCONCLUSIVE], RUNS);
    assert_int_equal(count[VERDICT_LEAK], 0);
}

/* What a clean run says would have shown does show when it is added. */
static void what_would_have_shown_outside_does_show(void **state)
{
    (void)state;
    enum { RUNS = 300 };
    int found[2] = {0};
    double most[2] = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct judgement clean, lost, held;
        unlike_run(seed, 0, 0, &clean);
        unlike_run(seed, clean.sensitivity.heap_bytes + 0.5, 0, &lost);
        unlike_run(seed, 0, clean.sensitivity.page_bytes + 0.5, &held);
        found[0] += lost.verdict == VERDICT_LEAK && lost.kind == KIND_OUTSIDE;
        found[1] += held.verdict == VERDICT_LEAK && held.kind == KIND_FRAGMENTATION;
        most[0] = fmax(most[0], clean.sensitivity.heap_bytes);
        most[1] = fmax(most[1], clean.sensitivity.page_bytes);
    }
    print_message("at what would have shown: outside %d, pages %d of %d; %.1f and %.1f B at most\n",
                  found[0], found[1], RUNS, most[0], most[1]);
    assert_int_equal(found[0], RUNS);
    assert_int_equal(found[1], RUNS);
}

/* A site of old blocks and of a few that open connections hold, as many as the peers' behaviours
 * make it: now and then as many as at the checkpoint before. */
static enum verdict open_buffers(uint64_t seed, uint64_t rules)
{
    struct rng r = {.state = seed};
    struct sim *s = sim_new(30, seed);
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    struct judgement j;
    int64_t some = (int64_t)rng_below(&r, 40), most = 1 + (int64_t)rng_below(&r, 12);
    sim_epoch(s, SIM_WARM, 280, 0.28);
    sim_epoch(s, SIM_WARM, 1750, 1.75);
    for (uint64_t left = 6 + rng_below(&r, 24); left > 0; left--)
        sim_epoch(s, SIM_MEASURE, 400, 0.4);
    sim_epoch(s, SIM_MEASURE, 45, 0.045);
    for (size_t c = 0; c < s->epochs; c++) {
        int64_t open = some + (int64_t)rng_below(&r, (uint64_t)most);
        sim_hold(s, site, c, open, (struct sim_size){32 + 32 * (int64_t)(1 + seed % 16), true});
        s->site[site].blocks[c] += 50;
        s->site[site].bytes[c] += 20000;
        s->site[site].live[s->epochs - 1] = open;
    }
    s->site[site].live[0] = 50;
    judge_with_rules(sim_evidence(s), rules, &j);
    free(s);
    return j.verdict;
}

static void buffers_of_open_connections_are_no_table(void **state)
{
    (void)state;
    enum { RUNS = 20000 };
    int leaks = 0, without = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        leaks += open_buffers(seed, RULES_ALL) == VERDICT_LEAK;
        without +=
            open_buffers(seed, RULES_ALL & ~(UINT64_C(1) << RULE_TABLE_WANDERS)) != VERDICT_PASS;
    }
    print_message("open connections' buffers: %d LEAK of %d, %d no PASS without the rule\n", leaks,
                  RUNS, without);
    assert_int_equal(leaks, 0);
    assert_true(without > RUNS / 1000);
}

/* Bytes of a clean site whose number of blocks stays: open connections' buffers that differ in
 * size, or a hash table that doubles when it is full and halves when it is a quarter full, of
 * entries that come and go. */
static int64_t bytes_up_and_down(struct rng *r, bool buffers, double *entries, int64_t *places)
{
    enum { MIDDLE = 1000, ENTRY = 8, CONNS = 30, BUFFER = 700 };
    if (buffers)
        return CONNS * BUFFER + (int64_t)rng_below(r, CONNS * BUFFER / 3);
    *entries = fmax(*entries + 0.3 * (MIDDLE - *entries) + MIDDLE * (rng_unit(r) - 0.5), 1);
    while ((double)*places < *entries)
        *places *= 2;
    while ((double)*places / 4 > *entries)
        *places /= 2;
    return *places * ENTRY;
}

static enum verdict up_and_down(uint64_t seed, uint64_t rules)
{
    struct rng r = {.state = seed};
    struct sim *s = sim_new(30, seed);
    size_t site = sim_site(s, SIM_STATIC, 80, 0);
    bool buffers = seed % 2;
    struct judgement j;
    double entries = 1000;
    int64_t places = 256;
    sim_epoch(s, SIM_WARM, 280, 0.28);
    sim_epoch(s, SIM_WARM, 1750, 1.75);
    for (uint64_t left = 6 + rng_below(&r, 24); left > 0; left--)
        sim_epoch(s, SIM_MEASURE, 400, 0.4);
    sim_epoch(s, SIM_MEASURE, 45, 0.045);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[site].bytes[c] = 20000 + bytes_up_and_down(&r, buffers, &entries, &places);
    s->site[site].live[0] = buffers ? 50 : 80;
    s->site[site].live[s->epochs - 1] = buffers ? 30 : 0;
    s->site[site].size = buffers ? 700 : 1;
    judge_with_rules(sim_evidence(s), rules, &j);
    free(s);
    return j.verdict;
}

/* Where the number of blocks stays, nothing tells such a series from a table that shrank and grows
 * again but how long it goes on. */
static void tables_that_go_up_and_down_are_no_leak(void **state)
{
    (void)state;
    enum { RUNS = 20000 };
    int leaks = 0, doubts = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        enum verdict verdict = up_and_down(seed, RULES_ALL);
        leaks += verdict == VERDICT_LEAK;
        doubts += verdict == VERDICT_INCONCLUSIVE;
    }
    print_message("tables up and down: %d LEAK, %d INCONCLUSIVE of %d\n", leaks, doubts, RUNS);
    assert_int_equal(leaks, 0);
    assert_true(doubts <= RUNS / 500);
}

/* Runs with a leak of `model` at `rate` beside clean sites; returns how many were not convicted. */
static int missed(enum sim_model model, double rate, int runs, bool early_stop)
{
    int missed = 0;
    for (uint64_t seed = 1; seed <= (uint64_t)runs; seed++) {
        struct rng r = {.state = seed};
        struct plan_input in = {.conns = 30, .rate_per_s = 500, .early_stop = early_stop};
        struct sim *s = sim_new(in.conns, seed * 31);
        struct judgement j;
        size_t leak = sim_site(s, model, some(&r, 3), rate);
        make_clean(s, &r);
        s->e.want_one_in = 1000;
        run(s, &in, &j);
        bool found = j.verdict == VERDICT_LEAK && j.finding[0].site == leak;
        if (!found)
            complain(s, &j, seed);
        missed += !found;
        free(s);
    }
    return missed;
}

static void a_leak_at_every_connection_is_always_convicted(void **state)
{
    (void)state;
    assert_int_equal(missed(SIM_EXACT, 1, 300, false), 0);
    assert_int_equal(missed(SIM_EXACT, 1, 300, true), 0);
}

static void a_leak_at_one_in_a_hundred_is_always_convicted(void **state)
{
    (void)state;
    assert_int_equal(missed(SIM_LEAK, 0.01, 300, false), 0);
    assert_int_equal(missed(SIM_LEAK, 0.01, 300, true), 0);
}

static void a_leak_at_one_in_a_thousand_is_always_convicted(void **state)
{
    (void)state;
    assert_int_equal(missed(SIM_LEAK, 0.001, 300, false), 0);
    assert_int_equal(missed(SIM_EXACT, 0.001, 300, false), 0);
}

struct misses {
    int escaped, doubted;
};

/* Of 2,000 runs with a leak of one block per `limit` connections. */
static struct misses misses_at(const struct plan_input *in, double limit, bool without_line)
{
    enum { RUNS = 2000 };
    struct misses m = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct sim *s = sim_new(in->conns, seed * 7919);
        struct judgement j;
        s->without_line[sim_site(s, SIM_LEAK, 1, 1 / limit)] = without_line;
        run(s, in, &j);
        m.escaped += j.verdict == VERDICT_PASS;
        m.doubted += j.verdict == VERDICT_INCONCLUSIVE;
        free(s);
    }
    print_message("at 1/%.0f%s: %d PASS, %d INCONCLUSIVE of %d\n", limit,
                  without_line ? " of malloc's" : "", m.escaped, m.doubted, RUNS);
    return m;
}

/* At the very limit that a run prints, one leak in a thousand may escape, and a few in a thousand
 * are in doubt because they look as if they slowed down. At a site that is all that malloc gave,
 * none passes that wouldn't pass elsewhere; what surely convicts there is a limit of its own. */
static void the_printed_sensitivity_holds(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 100};
    struct sim *probe = sim_new(in.conns, 1);
    struct judgement j;
    probe->without_line[sim_site(probe, SIM_STATIC, 400, 0)] = true;
    run(probe, &in, &j);
    double limit = j.sensitivity.one_in, of_malloc = j.sensitivity.malloc_one_in;
    free(probe);
    assert_true(limit >= 1000);
    assert_true(of_malloc >= 100 && of_malloc < limit / 2);
    struct misses m = misses_at(&in, limit, false);
    assert_true(m.escaped <= 2 && m.escaped + m.doubted <= 8);
    assert_true(misses_at(&in, limit, true).escaped <= 2);
    m = misses_at(&in, of_malloc, true);
    assert_int_equal(m.escaped, 0);
    assert_true(m.doubted <= 8);
}

/* A cache of 400 at the leak's own site: entries that are replaced, or evicted in their order, of
 * which emptying frees all; and up to so many blocks of each open connection. */
struct cache_of_leak {
    bool declared;
    int64_t holds;
    uint64_t one_in; /* 0: none is lost */
};

static void run_cache(const struct plan_input *in, const struct cache_of_leak *c, uint64_t seed,
                      struct judgement *ret)
{
    enum { ENTRIES = 400 };
    struct sim *s = sim_new(in->conns, seed * 977);
    sim_site(s, SIM_CONN, 7, 0);
    size_t cache =
        sim_site(s, c->declared ? SIM_CACHE : SIM_SLOTS, ENTRIES, c->declared ? 0.9 : 0.01);
    if (c->declared)
        sim_cache(s, cache, ENTRIES);
    s->site[cache].loses = c->one_in ? 1 / (double)c->one_in : 0;
    s->site[cache].holds = c->holds;
    s->e.want_one_in = in->closed ? 0 : 1000;
    run(s, in, ret);
    free(s);
}

/* Returns how many passed that said they would have shown it. */
static int passed_though_seen(const struct plan_input *in, const struct cache_of_leak *c)
{
    enum { RUNS = 300 };
    int missed = 0, doubts = 0, passed = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct judgement j;
        run_cache(in, c, seed, &j);
        passed += j.verdict == VERDICT_PASS;
        doubts += j.verdict == VERDICT_INCONCLUSIVE;
        missed +=
            c->one_in && j.verdict == VERDICT_PASS && j.sensitivity.one_in >= (double)c->one_in;
    }
    print_message("1/%d in a cache%s, 0 to %d held: %d PASS, %d of them missed, %d INCONCLUSIVE "
                  "of %d\n",
                  (int)c->one_in, c->declared ? " that is emptied" : "", (int)c->holds, passed,
                  missed, doubts, RUNS);
    if (c->one_in == 0 && c->holds == 0)
        assert_int_equal(passed, RUNS);
    return missed;
}

static void what_a_cache_hides_never_passes_as_seen(void **state)
{
    (void)state;
    static const uint64_t closed[] = {0, 6000}, one_in[] = {0, 30, 100, 300, 1000};
    for (size_t i = 0; i < 2; i++) {
        struct plan_input in = {
            .conns = 30, .rate_per_s = 500, .early_stop = true, .closed = closed[i]};
        for (size_t k = 0; k < sizeof one_in / sizeof *one_in; k++) {
            for (int declared = 0; declared < 2; declared++) {
                struct cache_of_leak c = {.declared = declared, .one_in = one_in[k]};
                assert_int_equal(passed_though_seen(&in, &c), 0);
            }
        }
    }
}

static void what_open_connections_hide_never_passes_as_seen(void **state)
{
    (void)state;
    static const uint64_t closed[] = {6000, 20000}, one_in[] = {10, 20, 40, 80};
    for (size_t i = 0; i < 2; i++) {
        struct plan_input in = {
            .conns = 30, .rate_per_s = 500, .early_stop = true, .closed = closed[i]};
        for (size_t k = 0; k < sizeof one_in / sizeof *one_in; k++) {
            for (int64_t holds = 3; holds <= 9; holds *= 3) {
                struct cache_of_leak c = {.holds = holds, .one_in = one_in[k]};
                assert_int_equal(passed_though_seen(&in, &c), 0);
            }
        }
    }
}

/* Pools of as many threads as `sites` of a program: at each a mark that rises by one block when
 * more is needed than ever before, as the greatest of so many moments does. */
static enum verdict pools(uint64_t seed, uint64_t rules)
{
    static const uint64_t opens[] = {250, 500, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 45};
    enum { MEASURED = sizeof opens / sizeof *opens };
    struct rng r = {.state = seed};
    struct sim *s = sim_new(30, seed);
    struct judgement j;
    size_t site = sim_site(s, SIM_STATIC, 0, 0);
    double mark[8] = {0}, needs = pow(10, 1.5 * rng_unit(&r));
    uint64_t threads = 1 + rng_below(&r, 8);
    s->without_line[site] = true;
    sim_epoch(s, SIM_WARM, 280, 0.28);
    for (size_t i = 0; i <= MEASURED; i++)
        sim_epoch(s, i ? SIM_MEASURE : SIM_WARM, i ? opens[i - 1] : 250, 1);
    for (size_t c = 0; c < s->epochs; c++) {
        int64_t sum = 0;
        for (uint64_t t = 0; t < threads; t++) {
            /* the greatest of n numbers of an exponential distribution */
            double u = pow(rng_unit(&r), 1 / (double)s->epoch[c].opened);
            mark[t] = fmax(mark[t], -needs * log1p(-fmin(u, 1 - 1e-12)));
            sum += (int64_t)mark[t];
        }
        s->site[site].live[c] = sum - (c ? s->site[site].blocks[c - 1] : 0);
        s->site[site].blocks[c] = sum;
        s->site[site].bytes[c] = sum * s->site[site].size;
    }
    sim_drain(s);
    judge_with_rules(sim_evidence(s), rules, &j);
    free(s);
    return j.verdict;
}

static void pools_are_no_leak(void **state)
{
    (void)state;
    enum { RUNS = 20000, WITHOUT = RUNS / 10 };
    int leaks = 0, without = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        leaks += pools(seed, RULES_ALL) == VERDICT_LEAK;
    for (uint64_t seed = 1; seed <= WITHOUT; seed++)
        without += pools(seed, RULES_ALL & ~(UINT64_C(1) << RULE_MARKS)) == VERDICT_LEAK;
    print_message("pools: %d LEAK of %d, %d of %d without the rule\n", leaks, RUNS, without,
                  WITHOUT);
    assert_true(leaks <= RUNS / 2000);
    assert_true(without > WITHOUT / 20);
}

/* The largest of so many messages, whose sizes are of a distribution with a short or a long tail.
 */
static double largest_of(struct rng *r, int tail, uint64_t messages)
{
    double above = -expm1(log(rng_unit(r)) / (double)messages); /* that part is larger */
    switch (tail) {
    case 0:
        return 200 * (1 - above);
    case 1:
        return -200 * log(above);
    case 2:
        return 200 / sqrt(above);
    default:
        return 200 / above;
    }
}

/* A buffer that is made as large as the largest message so far, or one that each adds 64 bytes to.
 * The epochs are as long as those of a default run. */
static enum verdict buffer(uint64_t seed, bool leaks, uint64_t rules)
{
    static const uint64_t opens[] = {280,  250,  500,  250,  500,  1000, 2000, 2000,
                                     2000, 2000, 2000, 2000, 2000, 2000, 45};
    struct rng r = {.state = seed};
    struct sim *s = sim_new(30, seed);
    struct judgement j;
    double largest = 0;
    sim_site(s, SIM_CONN, 7, 0);
    size_t site = sim_site(s, SIM_STATIC, 1, 0);
    int tail = (int)rng_below(&r, 4);
    for (size_t c = 0; c < sizeof opens / sizeof *opens; c++) {
        sim_epoch(s, c < 3 ? SIM_WARM : SIM_MEASURE, opens[c], 1);
        largest = fmax(largest, largest_of(&r, tail, opens[c]));
        s->site[site].bytes[c] = 256 + (leaks ? 64 * (int64_t)s->opened : (int64_t)largest);
        s->site[site].size = s->site[site].bytes[c];
    }
    sim_drain(s);
    judge_with_rules(sim_evidence(s), rules, &j);
    free(s);
    return j.verdict;
}

static void buffers_for_the_largest_message_are_no_leak(void **state)
{
    (void)state;
    enum { RUNS = 20000, WITHOUT = RUNS / 10 };
    int leaks = 0, doubts = 0, without = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        enum verdict verdict = buffer(seed, false, RULES_ALL);
        leaks += verdict == VERDICT_LEAK;
        doubts += verdict == VERDICT_INCONCLUSIVE;
    }
    for (uint64_t seed = 1; seed <= WITHOUT; seed++)
        without +=
            buffer(seed, false, RULES_ALL & ~(UINT64_C(1) << RULE_TABLE_MARKS)) == VERDICT_LEAK;
    print_message("buffers: %d LEAK of %d, %d in doubt, %d of %d without the rule\n", leaks, RUNS,
                  doubts, without, WITHOUT);
    assert_true(leaks <= RUNS / 2000);
    assert_true(without > WITHOUT / 20);
    assert_int_equal(buffer(1, true, RULES_ALL), VERDICT_LEAK);
}

/* 16 bytes once per 100,000 connections, at random, beside clean sites: one run of about 1.8
 * million connections, which is what that sensitivity takes, finds it. */
static void a_leak_of_one_in_a_hundred_thousand_is_found_in_one_run(void **state)
{
    (void)state;
    enum { RUNS = 400 };
    int found = 0;
    uint64_t most = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct plan_input in = {.conns = 30,
                                .rate_per_s = 1000,
                                .one_in = 100000,
                                .until_sure = true,
                                .for_ms = 3600000,
                                .early_stop = true};
        struct sim *s = sim_new(in.conns, seed * 104729);
        struct judgement j;
        size_t leak = sim_site(s, SIM_LEAK, 1, 1e-5);
        s->site[leak].size = 16;
        sim_site(s, SIM_CONN, 7, 0);
        sim_site(s, SIM_SLOTS, 8, 1e-3);
        sim_site(s, SIM_STATIC, 400, 0);
        s->e.want_one_in = in.one_in;
        run(s, &in, &j);
        most = s->opened > most ? s->opened : most;
        if (j.verdict == VERDICT_LEAK && j.finding[0].site == leak)
            found++;
        else
            complain(s, &j, seed);
        assert_int_not_equal(j.verdict, VERDICT_PASS);
        free(s);
    }
    print_message("at 1/100000: %d of %d, %llu connections at most\n", found, RUNS,
                  (unsigned long long)most);
    assert_true(found >= RUNS - 2);
}

static void an_early_stop_comes_within_a_few_thousand_connections(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 500, .early_stop = true};
    struct sim *s = sim_new(in.conns, 3);
    struct judgement j;
    sim_site(s, SIM_EXACT, 1, 1);
    run(s, &in, &j);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_true(j.finding[0].per_conn_blocks == 1.0);
    assert_true(s->opened <= 5 * 500);
    free(s);
}

/* The price of ending sooner behind the hold: such a table is still filling at 3,075 connections.
 */
static void a_table_that_a_default_run_fills_is_no_leak(void **state)
{
    (void)state;
    static const int64_t entries[] = {300, 2250, 3400};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        struct plan_input in = {.conns = 30, .rate_per_s = 1000, .early_stop = true};
        struct sim *s = sim_new(in.conns, 1 + i);
        struct judgement j;
        sim_site(s, SIM_CONN, 7, 0);
        sim_site(s, SIM_CACHE, entries[i], 1);
        run(s, &in, &j);
        if (j.verdict != VERDICT_PASS)
            complain(s, &j, 1 + i);
        assert_int_equal(j.verdict, VERDICT_PASS);
        free(s);
    }
}

static void growth_by_time_and_by_connection_are_told_apart(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 500};
    for (int timed = 0; timed < 2; timed++) {
        struct sim *s = sim_new(in.conns, 3);
        struct judgement j;
        sim_site(s, timed ? SIM_TIMER : SIM_LEAK, 1, timed ? 20 : 0.04);
        run(s, &in, &j);
        assert_int_equal(j.verdict, VERDICT_LEAK);
        assert_int_equal(j.kind, timed ? KIND_TIME : KIND_SIDE);
        free(s);
    }
}

/* How many of 200 default runs call a leak lost by connections. */
static int called_lost(enum sim_model model, double rate)
{
    enum { RUNS = 200 };
    int lost = 0, by_time = 0, unknown = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct plan_input in = {.conns = 30, .rate_per_s = 300, .early_stop = true};
        struct sim *s = sim_new(in.conns, seed * 7919);
        struct judgement j;
        sim_site(s, SIM_CONN, 7, 0);
        sim_site(s, model, 1, rate);
        s->e.want_one_in = 1000;
        run(s, &in, &j);
        lost += j.verdict == VERDICT_LEAK && j.kind == KIND_SIDE;
        by_time += j.verdict == VERDICT_LEAK && j.kind == KIND_TIME;
        unknown += j.verdict == VERDICT_LEAK && j.kind == KIND_UNKNOWN;
        assert_true(j.kind != KIND_TIME || model != SIM_LEAK);
        free(s);
    }
    print_message("%s %g: %d lost, %d by time, %d unknown of %d\n",
                  model == SIM_LEAK ? "by connection" : "by the second", rate, lost, by_time,
                  unknown, RUNS);
    return lost;
}

static void seldom_losses_are_told_from_time(void **state)
{
    (void)state;
    static const double every_s[] = {2, 3, 4.5, 6.8, 10};
    for (size_t i = 0; i < sizeof every_s / sizeof *every_s; i++)
        assert_true(called_lost(SIM_TIMER, 1 / every_s[i]) <= 2);
    assert_true(called_lost(SIM_LEAK, 1.0 / 1000) >= 190);
    assert_int_equal(called_lost(SIM_LEAK, 1.0 / 100), 200);
}

/* The cache explains it until it is emptied: the hold must have been made by then. */
static void a_leak_that_keeps_step_with_a_cache_is_told_from_time(void **state)
{
    (void)state;
    struct plan_input in = {.conns = 30, .rate_per_s = 500, .closed = 8000};
    struct sim *s = sim_new(in.conns, 3);
    struct judgement j;
    sim_site(s, SIM_CONN, 7, 0);
    sim_cache(s, sim_site(s, SIM_CACHE, 30000, 1), 30000);
    size_t leak = sim_site(s, SIM_EXACT, 1, 0.01);
    run(s, &in, &j);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_int_equal(j.finding[0].site, leak);
    assert_int_equal(j.kind, KIND_SIDE);
    free(s);
}

static bool may_leak(const struct judgement *j, size_t site)
{
    for (size_t i = 0; i < j->findings; i++)
        if (j->finding[i].site == site)
            return j->finding[i].may_leak;
    return false;
}

/* So that its call stacks are taken while it grows; the entries themselves are no suspects. */
static void what_keeps_step_with_a_cache_may_leak_until_it_is_emptied(void **state)
{
    (void)state;
    struct sim *s = sim_new(30, 3);
    struct judgement j;
    size_t entries = sim_site(s, SIM_CACHE, 30000, 1);
    sim_cache(s, entries, 30000);
    size_t leak = sim_site(s, SIM_EXACT, 1, 0.01);
    for (int i = 0; i < 8; i++)
        sim_epoch(s, i < 4 ? SIM_WARM : SIM_MEASURE, 1000, 1);
    judge(sim_evidence(s), &j);
    assert_true(may_leak(&j, leak));
    assert_false(may_leak(&j, entries));
    assert_int_equal(j.verdict, VERDICT_PASS);
    sim_drain(s);
    judge(sim_evidence(s), &j);
    assert_false(may_leak(&j, leak));
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_histories_never_give_a_leak),
        cmocka_unit_test(wandering_heaps_never_give_a_leak),
        cmocka_unit_test(unlike_connections_never_give_a_leak),
        cmocka_unit_test(what_would_have_shown_outside_does_show),
        cmocka_unit_test(buffers_of_open_connections_are_no_table),
        cmocka_unit_test(tables_that_go_up_and_down_are_no_leak),
        cmocka_unit_test(a_leak_at_every_connection_is_always_convicted),
        cmocka_unit_test(a_leak_at_one_in_a_hundred_is_always_convicted),
        cmocka_unit_test(a_leak_at_one_in_a_thousand_is_always_convicted),
        cmocka_unit_test(the_printed_sensitivity_holds),
        cmocka_unit_test(what_a_cache_hides_never_passes_as_seen),
        cmocka_unit_test(what_open_connections_hide_never_passes_as_seen),
        cmocka_unit_test(pools_are_no_leak),
        cmocka_unit_test(buffers_for_the_largest_message_are_no_leak),
        cmocka_unit_test(a_leak_of_one_in_a_hundred_thousand_is_found_in_one_run),
        cmocka_unit_test(an_early_stop_comes_within_a_few_thousand_connections),
        cmocka_unit_test(a_table_that_a_default_run_fills_is_no_leak),
        cmocka_unit_test(growth_by_time_and_by_connection_are_told_apart),
        cmocka_unit_test(seldom_losses_are_told_from_time),
        cmocka_unit_test(a_leak_that_keeps_step_with_a_cache_is_told_from_time),
        cmocka_unit_test(what_keeps_step_with_a_cache_may_leak_until_it_is_emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
