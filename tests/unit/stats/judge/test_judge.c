/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controls: for each deciding rule a case that it decides. The last test switches the rules off
 * one by one and sees that a control of theirs then gives another answer.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_golden.h"
#include "judge_sim.h"

enum { CONNS = 30, SEED = 7 };

/* Warm-up, then 250, 500, 1000, 1000, 1000, 1000 connections, then the turnover. */
static const uint64_t OPENS[] = {250, 500, 1000, 1000, 1000, 1000};
enum { MEASURED = 6, WARM = 2, HOLD = WARM + MEASURED, OPENED = 4750 };

static void churn(struct sim *s)
{
    sim_epoch(s, SIM_WARM, 280, 0.28);
    sim_epoch(s, SIM_WARM, 250, 0.25);
    for (int i = 0; i < MEASURED; i++)
        sim_epoch(s, SIM_MEASURE, OPENS[i], (double)OPENS[i] / 1000);
}

static void finish(struct sim *s)
{
    sim_epoch(s, SIM_HOLD, 0, 1.5);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
}

static void churn_and_finish(struct sim *s)
{
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
    finish(s);
}

/* So long a hold tells few losses from what time makes. */
static void hold_long(struct sim *s)
{
    s->epoch[HOLD].seconds = 9;
}

/* Witnesses are judged by the second half of the points alone. */
static void churn_long_and_finish(struct sim *s)
{
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
    for (int i = 0; i < MEASURED; i++)
        sim_epoch(s, SIM_MEASURE, 1000, 1);
    finish(s);
}

/* A site whose survivors a test writes itself: kept[i] blocks of measured epoch i of `count`. */
static size_t site_keeping(struct sim *s, const int64_t *kept, size_t count)
{
    size_t i = sim_site(s, SIM_STATIC, 0, 0);
    struct sim_site *t = &s->site[i];
    int64_t sum = 0;
    for (size_t c = 0; c < s->epochs; c++) {
        if (c >= WARM && c < WARM + count)
            sum += t->live[c] = kept[c - WARM];
        t->blocks[c] = sum;
        t->bytes[c] = sum * t->size;
    }
    sim_drain(s);
    return i;
}

/* ---- the controls: each makes a finished run ---- */

static void clean(struct sim *s)
{
    sim_site(s, SIM_STATIC, 400, 0);
    churn_and_finish(s);
}

static void lost_state(struct sim *s)
{
    sim_site(s, SIM_EXACT, 1, 1);
    churn_and_finish(s);
}

static void lost_without_hold(struct sim *s)
{
    sim_site(s, SIM_EXACT, 1, 1);
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
}

/* Blocks made by time, in a run that had no hold: nothing tells them from lost ones. */
static void drained_without_hold(struct sim *s)
{
    sim_site(s, SIM_TIMER, 0, 1000);
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
}

/* Blocks that time makes, one in half a second, would have been three in the hold: by chance there
 * may be none. */
static void seldom_with_a_short_hold(struct sim *s)
{
    static const int64_t kept[MEASURED] = {1, 1, 2, 1, 2, 2};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void held_without_drain(struct sim *s)
{
    lost_state(s);
    s->e.drained = false;
}

/* As many blocks in each epoch, however long it is. */
static void kept_by_epoch(struct sim *s)
{
    static const int64_t kept[MEASURED] = {150, 150, 150, 150, 150, 150};
    churn_and_finish(s);
    hold_long(s);
    site_keeping(s, kept, MEASURED);
}

static void table_growing(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].bytes[c] = (int64_t)(opened / 200 * 9600);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* Of three processes, each with a thread to a connection: 16 bytes for each of 30 in each. */
static void table_enlarged_to(struct sim *s, int64_t total)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += c < WARM ? 0 : s->epoch[c].opened;
        s->site[i].bytes[c] = 64 + total * (int64_t)opened / (OPENED + CONNS + 8);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
    s->e.held = 30;
    s->e.processes = 3;
}

static void table_of_shares(struct sim *s)
{
    table_enlarged_to(s, 16L * 30 * 3);
}

static void table_beyond_shares(struct sim *s)
{
    table_enlarged_to(s, 16L * 30 * 3 + 16);
}

static void table_of_one_share(struct sim *s)
{
    table_of_shares(s);
    s->e.processes = 1;
}

/* A table that is enlarged once and never again. */
static void table_grown_once(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].bytes[c] = c < WARM + 2 ? 4096 : 8192;
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* A table that shrinks in one epoch by `fall` bytes, and before and after it grows by 48 for each
 * connection. */
static void table_shrinking(struct sim *s, int64_t fall)
{
    size_t i = s->sites - 1;
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].bytes[c] = 100000 + (int64_t)opened * 48 - (c > WARM ? 24000 + fall : 0);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* It has grown in a dozen epochs since... */
static void table_shrunk_once(struct sim *s)
{
    churn_long_and_finish(s);
    sim_site(s, SIM_STATIC, 1, 0);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[s->sites - 1].blocks[c] = s->site[s->sites - 1].live[0] = 1;
    table_shrinking(s, 4096);
}

/* ... or only in five. */
static void table_shrunk_lately(struct sim *s)
{
    sim_site(s, SIM_CONN, 7, 1);
    sim_site(s, SIM_STATIC, 1, 0);
    churn(s);
    finish(s);
    table_shrinking(s, 4096);
}

/* By more than two of the epochs that follow add: it might as well go up and down. */
static void table_shrunk_by_much(struct sim *s)
{
    table_shrunk_lately(s);
    table_shrinking(s, 65536);
}

/* Bytes of a table at the checkpoints, of a block that stays. */
static void table_with(struct sim *s, const int64_t *bytes)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].bytes[c] = bytes[c];
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* A buffer that is made as large as the largest message so far needs it. */
static void buffer_for_the_largest(struct sim *s)
{
    static const int64_t bytes[] = {1100, 1400, 1400, 1520, 1520, 1710, 1710, 1980, 1980, 1980};
    table_with(s, bytes);
}

/* Thirty of them, so that one or the other is made larger in each epoch. */
static void buffers_for_the_largest(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 30, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].bytes[c] = 30L * 256 + (int64_t)(400 * sqrt((double)opened));
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1] / 30;
}

/* A table that is made larger by a new block, beside those of open connections, whose number isn't
 * always the same... */
static void table_made_anew(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 0, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].blocks[c] = c % 3 == 1 ? 9 : 8;
        s->site[i].bytes[c] = 1000 + 48 * (int64_t)opened + (c % 3 == 1 ? 2000 : 0);
    }
    s->site[i].live[s->epochs - 1] = s->site[i].blocks[s->epochs - 1];
    s->site[i].size = s->site[i].bytes[s->epochs - 1] / s->site[i].blocks[s->epochs - 1];
}

/* ... a buffer that is made larger so... */
static void buffer_made_anew(struct sim *s)
{
    static const int64_t bytes[] = {1100, 1400, 1400, 1520, 1520, 1710, 1710, 1980, 1980, 1980};
    table_with(s, bytes);
    s->site[0].live[0] = 0;
    s->site[0].live[s->epochs - 1] = 1;
}

/* ... and what open connections hold, of unlike sizes. */
static void buffers_of_connections(struct sim *s)
{
    table_made_anew(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[0].bytes[c] = 100000 + (int64_t)rng_below(&s->rng, 200000);
}

/* A table of what is in use: it is emptied, and grows no larger than before... */
static void table_emptied(struct sim *s)
{
    static const int64_t bytes[] = {4096, 8192, 8192, 1024, 2048, 4096, 8192, 8192, 8192, 8192};
    table_with(s, bytes);
}

/* ... is emptied at last... */
static void table_emptied_at_last(struct sim *s)
{
    static const int64_t bytes[] = {4096,  8192,  16384, 24576, 32768,
                                    40960, 49152, 57344, 57344, 8192};
    table_with(s, bytes);
}

/* ... or goes up and down, now and then to more than before. */
static void table_up_and_down(struct sim *s)
{
    static const int64_t bytes[] = {4096, 8192,  8192,  4096,  16384,
                                    8192, 16384, 32768, 32768, 16384};
    table_with(s, bytes);
}

/* An array of 8 bytes for each descriptor, and two more entries, doubles twice: once for a
 * descriptor of 62, once for one of 126. `by` times as large. */
static void table_doubling(struct sim *s, int64_t by)
{
    static const int64_t bytes[] = {256, 256, 256, 256, 512, 512, 512, 512, 1024, 1024};
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].bytes[c] = by * bytes[c];
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
    s->e.descriptors = 127;
}

static void table_of_descriptors(struct sim *s)
{
    table_doubling(s, 1);
}

static void table_beyond_descriptors(struct sim *s)
{
    table_doubling(s, 4);
}

/* As small, but not as tables double. */
static void table_within_descriptors(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].bytes[c] = 256 + (int64_t)(opened / 100 * 40);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
    s->e.descriptors = 127;
}

/* A site of old blocks and of open connections', whose number is by coincidence the same at some
 * checkpoints. `each` bytes more for each connection in a table beside them. */
static void table_wandering(struct sim *s, int64_t each)
{
    static const int64_t blocks[] = {100, 100, 103, 101, 101, 104, 104, 102, 102, 102};
    static const int64_t bytes[] = {10000, 10000, 10900, 9800,  10200,
                                    11000, 11300, 10100, 10100, 10500};
    size_t i = sim_site(s, SIM_STATIC, 0, 0);
    churn_and_finish(s);
    struct sim_site *t = &s->site[i];
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        t->blocks[c] = blocks[c];
        t->bytes[c] = bytes[c] + each * (int64_t)opened;
    }
    t->live[0] = 100;
    t->live[s->epochs - 1] = 2;
}

static void table_of_open_connections(struct sim *s)
{
    table_wandering(s, 0);
}

static void table_beside_open_connections(struct sim *s)
{
    table_wandering(s, 10);
}

static void cache_filling(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_CACHE, 20480, 1), 20480);
    churn_and_finish(s);
}

/* A cache of the program's own, that nobody but the user knows of, which is never full... */
static void expected_filling(struct sim *s)
{
    lost_state(s);
    s->e.expected = 20480;
}

/* ... is larger than was said... */
static void expected_over(struct sim *s)
{
    lost_state(s);
    s->e.expected = 2000;
}

/* ... is full, beside a leak... */
static void leak_beside_expected(struct sim *s)
{
    sim_site(s, SIM_CACHE, 2000, 1);
    lost_state(s);
    s->e.expected = 2000;
}

/* ... keeps several blocks of each entry, or one of few connections. */
static void expected_of_seven_blocks(struct sim *s)
{
    sim_site(s, SIM_EXACT, 7, 1);
    churn_and_finish(s);
    s->e.expected = 5500;
}

static void leak_of_seven_blocks_beyond(struct sim *s)
{
    expected_of_seven_blocks(s);
    s->e.expected = 4000;
}

static void table_expected(struct sim *s)
{
    table_growing(s);
    s->e.expected = 1000000;
}

static void table_beyond_expected(struct sim *s)
{
    table_growing(s);
    s->e.expected = 1;
}

/* One entry below its bound, where OpenSSL 3 begins to evict. */
static void cache_evicting(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_CACHE, 2000, 1), 2001);
    churn_and_finish(s);
}

/* The hash table of a filling cache doubles its array of pointers as entries come in. */
static void table_of_cache(struct sim *s)
{
    cache_filling(s);
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    for (size_t c = 0; c < s->epochs; c++) {
        int64_t bytes = 4096;
        s->site[i].blocks[c] = s->site[i].live[0] = 1;
        while (bytes / 8 < s->site[0].blocks[c])
            bytes *= 2;
        s->site[i].bytes[c] = bytes;
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* 48 bytes a connection are more than a cache's table needs for its one entry a connection. */
static void table_beside_cache(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_CACHE, 20480, 1), 20480);
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].bytes[c] = (int64_t)(opened / 200 * 9600);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

static void cache_over(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_EXACT, 1, 1), 1000);
    churn_and_finish(s);
}

/* A cache's entries that are made at two places of a file, at one of them more and more of them;
 * and a block of another size beside each. Over the capacity or within it. */
static void shared_population(struct sim *s, uint64_t capacity)
{
    size_t beside = sim_site(s, SIM_EXACT, 1, 1);
    sim_cache(s, beside, capacity);
    size_t made = sim_site(s, SIM_STATIC, 0, 0), copied = sim_site(s, SIM_STATIC, 0, 0);
    churn_and_finish(s);
    s->site[beside].size = 24;
    for (size_t c = 0; c < s->epochs; c++) {
        int64_t born = s->site[beside].live[c], copies = born * (int64_t)c / (int64_t)s->epochs;
        s->site[beside].bytes[c] = 24 * s->site[beside].blocks[c];
        s->site[made].live[c] = born - copies;
        s->site[copied].live[c] = copies;
        for (size_t i = made; i <= copied; i++) {
            s->site[i].size = 600;
            s->site[i].blocks[c] = s->site[i].live[c] + (c ? s->site[i].blocks[c - 1] : 0);
            s->site[i].bytes[c] = 600 * s->site[i].blocks[c];
        }
    }
    sim_drain(s);
    for (size_t i = beside; i <= copied; i++)
        s->lent[i].flushed_blocks = s->lent[i].flushed_bytes = 0;
}

static void shared_over(struct sim *s)
{
    shared_population(s, 1000);
}

static void shared_filling(struct sim *s)
{
    shared_population(s, 20480);
    s->e.drained = false;
}

/* Entries of a third place, before the two, give way to copies: the sum of all is the cache's. */
static void shared_with_older(struct sim *s)
{
    enum { OLDER = 2000, COPIED = 150 };
    size_t older = sim_site(s, SIM_STATIC, 0, 0);
    shared_population(s, 20480);
    size_t copied = s->sites - 1;
    s->e.drained = false;
    s->site[older].size = 600;
    s->site[older].live[0] = OLDER - COPIED * (int64_t)(s->epochs - 1);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[older].blocks[c] = OLDER - COPIED * (int64_t)c;
        s->site[older].bytes[c] = 600 * s->site[older].blocks[c];
        s->site[copied].live[c] += c ? COPIED : 0;
        s->site[copied].blocks[c] += COPIED * (int64_t)c;
        s->site[copied].bytes[c] = 600 * s->site[copied].blocks[c];
    }
}

/* A leak of their type beside the entries of a filling cache: emptying it leaves the leak. */
static void leak_beside_shared(struct sim *s)
{
    shared_population(s, 20480);
    size_t lost = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[lost].live[c] = s->site[0].live[c];
        s->site[lost].blocks[c] = s->site[0].blocks[c];
        s->site[lost].bytes[c] = 600 * s->site[0].blocks[c];
    }
    s->site[lost].size = 600;
    sim_drain(s);
    for (size_t i = 0; i < lost; i++)
        s->lent[i].flushed_blocks = s->lent[i].flushed_bytes = 0;
}

/* The objects of a class, retained, made at two places; no cache has them. */
static void shared_retained(struct sim *s)
{
    shared_population(s, 20480);
    s->e.caches = 0;
    for (size_t i = 0; i < s->sites; i++)
        s->lent[i].flushed_blocks = s->lent[i].drained_blocks;
    s->e.classes = 1;
    s->class_[0] = (struct judge_class){"SSL_SESSION", NULL, OPENED, OPENED, SIZE_MAX};
    for (size_t c = 0; c < s->epochs; c++) {
        s->live[0][c] = s->site[0].blocks[c];
        s->site[0].live[c] = s->site[0].blocks[c] = s->site[0].bytes[c] = 0;
    }
    s->lent[0].drained_blocks = s->lent[0].flushed_blocks = 0;
}

/* Names that some entries have, of a size of their own. */
static void names_over(struct sim *s)
{
    static const int64_t kept[MEASURED] = {60, 190, 240, 310, 200, 290};
    cache_over(s);
    s->lent[0].flushed_blocks = 0;
    size_t i = site_keeping(s, kept, MEASURED);
    s->lent[i].flushed_blocks = s->lent[i].flushed_bytes = 0;
}

static void cache_emptied(struct sim *s)
{
    size_t i = sim_site(s, SIM_CACHE, 20480, 1);
    churn_and_finish(s);
    /* Three blocks for two entries: no whole ratio, so that only the flush tells. */
    sim_cache(s, i, 20480);
    for (size_t c = 0; c < s->epochs; c++)
        s->population[0][c] = (uint64_t)s->site[i].blocks[c] * 2 / 3;
    sim_drain(s);
}

static void cache_without_bound(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_EXACT, 1, 1), 0);
    churn_and_finish(s);
}

static void leak_beside_cache(struct sim *s)
{
    size_t i = sim_site(s, SIM_EXACT, 2, 1);
    sim_cache(s, i, 20480);
    churn_and_finish(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->population[0][c] /= 2;
    s->lent[i].flushed_blocks = OPENED;
    s->lent[i].flushed_bytes = OPENED * 32;
}

static void leak_and_cache_undrained(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_CACHE, 20480, 1), 20480);
    sim_site(s, SIM_EXACT, 3, 0.5);
    churn_and_finish(s);
    s->e.drained = false;
}

static void slots_replaced(struct sim *s)
{
    sim_site(s, SIM_SLOTS, 12, 1.0 / 1500);
    churn_and_finish(s);
}

/* Fewer than half of the survivors, yet as many with every epoch: they take nobody's place. */
static void lost_among_replaced(struct sim *s)
{
    enum { LOST = 50 };
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    int64_t lost = 0;
    for (size_t c = WARM; c < s->epochs; c++) {
        int64_t now = s->epoch[c].hold ? 0 : LOST;
        lost += now;
        s->site[0].live[c] += now;
        s->site[0].blocks[c] += lost;
        s->site[0].bytes[c] += lost * s->site[0].size;
    }
    s->lent[0].drained_blocks += lost;
    s->lent[0].flushed_blocks += lost;
    s->lent[0].flushed_bytes += lost * s->site[0].size;
}

/* As few that a rise which isn't steady hides them: one per 164 connections. */
static void lost_by_chance_among_replaced(struct sim *s)
{
    static const int64_t lost[MEASURED] = {5, 0, 9, 7, 0, 8};
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    for (size_t c = WARM; c < s->epochs; c++) {
        for (size_t i = 0; i < MEASURED && i + WARM <= c; i++)
            s->site[0].blocks[c] += lost[i];
        s->site[0].live[c] += c < WARM + MEASURED ? lost[c - WARM] : 0;
        s->site[0].bytes[c] = s->site[0].blocks[c] * s->site[0].size;
    }
    s->e.want_one_in = 200;
}

/* The same, and what would have been seen at no length of the run that was asked for. */
static void left_by_emptied_caches(struct sim *s)
{
    lost_by_chance_among_replaced(s);
    s->e.want_one_in = 0;
    s->lent[0].flushed_blocks = 29;
}

/* Of many slots all but a few have been replaced, and at every third checkpoint 250 more blocks are
 * in use. */
static void replaced_at_no_line(struct sim *s)
{
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 5000);
    churn_long_and_finish(s);
    for (size_t c = WARM; c < s->epochs; c++)
        s->site[0].blocks[c] += c % 3 ? 0 : 250;
    s->without_line[0] = true;
}

/* A total that hardly moves shows nearly as much as any other. */
static void replaced_and_asked(struct sim *s)
{
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    for (size_t c = WARM + 3; c < s->epochs; c++)
        s->site[0].blocks[c] += 1;
    s->e.want_one_in = 200;
}

/* One lost per 153 connections, while open connections happen to hold fewer and fewer blocks. */
static void lost_among_varying(struct sim *s)
{
    static const int64_t lost[MEASURED] = {2, 3, 7, 6, 7, 6},
                         open[] = {26, 15, 21, 12, 11, 2, 0, 0, 1};
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    for (size_t c = WARM - 1; c < s->epochs; c++) {
        for (size_t i = 0; i < MEASURED && i + WARM <= c; i++)
            s->site[0].blocks[c] += lost[i];
        s->site[0].blocks[c] += open[c - WARM + 1];
        s->site[0].bytes[c] = s->site[0].blocks[c] * s->site[0].size;
    }
    s->e.want_one_in = 140;
}

/* One block more or less hides little. */
static void varying_and_asked(struct sim *s)
{
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    for (size_t c = WARM - 1; c < s->epochs; c++)
        s->site[0].blocks[c] += c % 3 == 0;
    s->e.want_one_in = 200;
}

/* The total rises with every epoch, but ever more slowly: a cache that is nearly full. */
static void slots_filling_slower(struct sim *s)
{
    sim_site(s, SIM_SLOTS, 1000, 1.0 / 3000);
    churn_and_finish(s);
    int64_t more = 0;
    for (size_t c = WARM; c < s->epochs; c++) {
        more += 1 + (int64_t)(128 >> (c - WARM < 7 ? c - WARM : 7));
        s->site[0].blocks[c] += more;
        s->site[0].bytes[c] += more * s->site[0].size;
    }
}

/* Emptying the caches frees them as well: an SSL_CTX is replaced now and then. */
static void slots_replaced_and_flushed(struct sim *s)
{
    slots_replaced(s);
    s->lent[0].flushed_blocks = s->lent[0].flushed_bytes = 0;
}

/* An SSL_CTX that was replaced in one epoch, with three of its blocks at a site where open
 * connections hold some, too. Emptying the caches replaces it once more. */
static void replaced_with_object(struct sim *s)
{
    enum { OWN, WITH };
    sim_site(s, SIM_STATIC, 1, 0);
    sim_site(s, SIM_STATIC, 20, 0);
    churn_and_finish(s);
    for (size_t i = OWN; i <= WITH; i++) {
        int64_t made = i == OWN ? 1 : 3;
        s->site[i].live[0] -= made;
        s->site[i].live[WARM + 2] = made;
        s->lent[i].drained_blocks = made;
    }
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[WITH].blocks[c] += c % 2 ? 2 : 0;
        s->live[0][c] = 1;
    }
    s->e.classes = 1;
    s->class_[0] = (struct judge_class){"SSL_CTX", NULL, 1, 1, OWN};
}

/* They stay when the object goes: they aren't its own. */
static void lost_beside_replaced(struct sim *s)
{
    replaced_with_object(s);
    s->lent[1].flushed_blocks = s->lent[1].drained_blocks;
    s->lent[1].flushed_bytes = s->lent[1].flushed_blocks * s->site[1].size;
}

static void swapped(struct sim *s)
{
    static const int64_t kept[MEASURED] = {1, 1, 2, 1, 2, 2};
    churn_and_finish(s);
    size_t grew = site_keeping(s, kept, MEASURED);
    size_t shrank = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[shrank].blocks[c] = 20 - s->site[grew].blocks[c];
        s->site[shrank].bytes[c] = 32 * s->site[shrank].blocks[c];
    }
    s->site[shrank].live[0] = 11;
}

/* A neighbour shrinks once by as much as the leak comes to: that doesn't mask it. */
static void leak_beside_shrinking(struct sim *s)
{
    static const int64_t kept[MEASURED] = {1, 1, 2, 1, 2, 2};
    churn_and_finish(s);
    hold_long(s);
    site_keeping(s, kept, MEASURED);
    size_t shrank = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[shrank].blocks[c] = c < WARM + 2 ? 20 : 11;
        s->site[shrank].bytes[c] = 32 * s->site[shrank].blocks[c];
    }
    s->site[shrank].live[0] = 11;
}

static void one_time(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 12, 0, 0, 0, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void one_time_newest(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 0, 0, 0, 0, 12};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void filled_and_stopped(struct sim *s)
{
    static const int64_t kept[MEASURED] = {8, 9, 0, 0, 0, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

/* A leak might pause as long as that, once in a thousand. */
static void paused(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 2, 5, 0, 0, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void filled_and_evicting(struct sim *s)
{
    sim_site(s, SIM_CACHE, 1500, 1);
    churn_and_finish(s);
}

/* Two threads have room for 32 texts of errors. `all`: how many came to be. */
static void error_texts(struct sim *s, int64_t all)
{
    static const int64_t kept[MEASURED] = {1, 2, 1, 2, 1, 2};
    churn_and_finish(s);
    size_t i = site_keeping(s, kept, MEASURED);
    s->lent[i].file = "crypto/err/err_blocks.c";
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].blocks[c] += all - 9;
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t k = 0; k < s->gauge[0].count; k++)
        v[k] = 2;
}

static void error_queue_fills(struct sim *s)
{
    error_texts(s, 32);
}

static void more_than_error_queues_hold(struct sim *s)
{
    error_texts(s, 33);
    hold_long(s);
}

/* The site of all that malloc gave: after a warm-up of `warm` connections epochs of opens[i] of
 * them kept kept[i] blocks of it. */
static void of_malloc_after(struct sim *s, uint64_t warm, const uint64_t *opens,
                            const int64_t *kept, size_t count)
{
    sim_epoch(s, SIM_WARM, warm / 2, 0.7);
    sim_epoch(s, SIM_WARM, warm - warm / 2, 1);
    for (size_t i = 0; i < count; i++)
        sim_epoch(s, SIM_MEASURE, opens[i], (double)opens[i] / 10);
    sim_epoch(s, SIM_HOLD, 0, 150);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 4);
    size_t i = site_keeping(s, kept, count);
    s->lent[i].file = "malloc";
    s->without_line[i] = true;
}

static void of_malloc(struct sim *s, const uint64_t *opens, const int64_t *kept, size_t count)
{
    of_malloc_after(s, 19, opens, kept, count);
}

/* A Java client of three seconds: it loads classes and compiles them. */
static void warming_up(struct sim *s)
{
    static const uint64_t opens[] = {8, 8, 8, 8, 9};
    static const int64_t kept[] = {170, 191, 92, 127, 415};
    of_malloc(s, opens, kept, 5);
}

/* The same after 2,000 connections. */
static void warms_up_longer(struct sim *s)
{
    static const uint64_t opens[] = {62, 124, 186, 186, 186, 186, 186, 186, 192};
    static const int64_t kept[] = {412, 362, 298, 382, 251, 354, 25, 42, 51};
    of_malloc(s, opens, kept, 9);
}

/* After 500, in the second half at least half as fast as in the first. */
static void warms_up_in_both_halves(struct sim *s)
{
    static const uint64_t opens[] = {15, 30, 46, 46, 46, 46, 46, 46, 49};
    static const int64_t kept[] = {429, 144, 628, 594, 127, 210, 253, 114, 418};
    of_malloc(s, opens, kept, 9);
}

/* Nothing tells yet that the last rate stays. */
static void warms_up_until_the_newest(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 1000, 2000};
    static const int64_t kept[] = {1001, 300, 800, 1500};
    of_malloc(s, opens, kept, 4);
}

/* A client in PHP, with a database whose connections lose nothing. */
static void comes_in_bursts(struct sim *s)
{
    static const uint64_t opens[] = {15, 30, 46, 46, 46, 46, 46, 46, 49};
    static const int64_t kept[] = {2, 2, 2, 2, 0, 1, 14, 3, 8};
    of_malloc(s, opens, kept, 9);
}

/* A client on Node.js. */
static void warms_up_at_first(struct sim *s)
{
    static const uint64_t opens[] = {15, 30, 57, 57, 57, 57, 57, 57, 73};
    static const int64_t kept[] = {37, 4, 0, 0, 1, 0, 0, 0, 1};
    of_malloc(s, opens, kept, 9);
}

/* Seven blocks of each third connection, and what else a program makes once. */
static void lost_of_malloc(struct sim *s)
{
    static const uint64_t opens[] = {62, 124, 186, 186, 186, 186, 186, 186, 192};
    static const int64_t kept[] = {160, 301, 440, 433, 435, 434, 435, 433, 448};
    of_malloc(s, opens, kept, 9);
}

/* One connection in twenty, and the warm-up of Node.js before. */
static void lost_after_warm_up(struct sim *s)
{
    static const uint64_t opens[] = {15, 30, 400, 400, 400, 400, 400, 400};
    static const int64_t kept[] = {37, 6, 21, 18, 20, 22, 17, 21};
    of_malloc(s, opens, kept, 8);
}

/* Whatever the losses are, chance alone spreads them so: each is of 50 blocks. */
static void clumps_of_malloc(struct sim *s)
{
    static const uint64_t opens[] = {200, 200, 200, 200, 200, 200, 200, 200};
    static const int64_t kept[] = {1250, 1000, 1450, 1300, 1100, 1500, 1200, 1250};
    of_malloc(s, opens, kept, 8);
}

/* One connection in a hundred; two of them happened to be in a small epoch. */
static void seldom_of_malloc(struct sim *s)
{
    static const uint64_t opens[] = {8, 8, 8, 8, 1000, 1000, 1000, 1000, 1000, 1000};
    static const int64_t kept[] = {0, 2, 0, 0, 9, 13, 7, 12, 11, 10};
    of_malloc(s, opens, kept, 10);
}

/* Only one kind of peers loses blocks, and has now more and now less of an epoch. */
static void of_some_peers(struct sim *s)
{
    static const uint64_t opens[] = {62, 124, 186, 186, 186, 186, 186, 186};
    static const int64_t kept[] = {191, 523, 560, 860, 520, 841, 560, 830};
    of_malloc(s, opens, kept, 8);
}

/* haproxy keeps what it freed in pools, and 500 connections that come and go raise their marks. */
static void pools_fill_often(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 608, 608, 608, 608, 608, 608, 469};
    static const int64_t kept[] = {265, 239, 67, 23, 78, 0, 23, 55, 43};
    of_malloc(s, opens, kept, 9);
}

/* The same again. */
static void pools_fill_seldom(struct sim *s)
{
    static const uint64_t opens[] = {250, 434, 434, 608, 608, 608, 608, 608, 709};
    static const int64_t kept[] = {47, 4, 26, 64, 0, 41, 0, 0, 27};
    of_malloc(s, opens, kept, 9);
}

static void pools_fill_now_and_then(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 608, 608, 434, 434, 608, 608, 817};
    static const int64_t kept[] = {6, 92, 6, 40, 26, 0, 72, 0, 13};
    of_malloc(s, opens, kept, 9);
}

/* With 100 connections, of which hardly any needs more. */
static void pools_hardly_fill(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 671, 720, 720, 720, 671, 720, 795};
    static const int64_t kept[] = {3, 5, 0, 0, 0, 0, 0, 0, 5};
    of_malloc(s, opens, kept, 9);
}

/* The counts are multiples of 4 by accident. */
static void pools_fill_by_fours(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 608, 608, 608, 608, 291};
    static const int64_t kept[] = {0, 0, 12, 0, 0, 20, 4};
    of_malloc(s, opens, kept, 7);
}

/* Four blocks of one connection in 140. */
static void lost_by_fours(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 608, 608, 608, 608, 608, 608};
    static const int64_t kept[] = {8, 16, 16, 20, 12, 20, 16, 20};
    of_malloc(s, opens, kept, 8);
}

/* With 10, over 8,000, while the machine got busier: more and more. */
static void pools_fill_more_and_more(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 746, 746, 746, 746, 746, 746, 744};
    static const int64_t kept[] = {2, 1, 22, 16, 49, 75, 53, 27, 27};
    of_malloc_after(s, 2010, opens, kept, 9);
}

/* A leak of one connection in 440, or a pool's last blocks: nobody can tell yet. */
static void few_of_malloc(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 671, 720, 720, 720, 671, 720, 795};
    static const int64_t kept[] = {0, 2, 0, 3, 1, 0, 4, 0, 3};
    of_malloc(s, opens, kept, 9);
}

/* The pools of haproxy with 20 connections, nearly as even as a leak of one connection in 13. */
static void pools_fill_evenly(struct sim *s)
{
    static const uint64_t opens[] = {93, 186, 275, 275, 275, 275, 275, 275, 274};
    static const int64_t kept[] = {0, 2, 24, 16, 20, 17, 39, 21, 15};
    of_malloc_after(s, 764, opens, kept, 9);
}

/* With 100, by few blocks, and by single ones. */
static void pools_fill_by_few(struct sim *s)
{
    static const uint64_t opens[] = {62, 109, 109, 109, 158, 158, 109, 63};
    static const int64_t kept[] = {0, 2, 0, 4, 0, 0, 8, 0};
    of_malloc_after(s, 596, opens, kept, 8);
}

static void pools_fill_by_single_blocks(struct sim *s)
{
    static const uint64_t opens[] = {62, 109, 109, 109, 158, 158};
    static const int64_t kept[] = {2, 6, 15, 9, 21, 5};
    of_malloc_after(s, 596, opens, kept, 6);
}

/* A mark whose rises are as seldom as its law has them, one by one: the second half is no slower
 * than half of the first. */
static void pools_fill_by_the_law(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 1000, 1000, 1000, 1000};
    static const int64_t kept[] = {19, 26, 32, 21, 16, 13};
    of_malloc_after(s, 530, opens, kept, 6);
}

/* As many, evenly. */
static void lost_as_many(struct sim *s)
{
    static const uint64_t opens[] = {250, 500, 1000, 1000, 1000, 1000};
    static const int64_t kept[] = {7, 14, 27, 26, 28, 25};
    of_malloc_after(s, 530, opens, kept, 6);
}

/* With 20: the second half is as fast as the first, and still no rate that goes on. */
static void pools_of_few_connections(struct sim *s)
{
    static const uint64_t opens[] = {62, 124, 181, 181, 157, 157, 181, 181, 227};
    static const int64_t kept[] = {18, 4, 8, 0, 0, 2, 4, 0, 18};
    of_malloc(s, opens, kept, 9);
}

/* A single place in the code that lost so many blocks has lost them. */
static void uneven_at_a_place(struct sim *s)
{
    warming_up(s);
    s->without_line[0] = false;
}

static void two_blocks(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 1, 0, 0, 1, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void two_clumps(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 9, 0, 0, 9, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

/* Two caches that are made at once, as large as a leak at one connection in three would be: four
 * epochs without any refute that. */
static void made_at_once_twice(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 800, 0, 0, 0, 801};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

/* Which of many threads is used for the first time is chance. */
static size_t kept_by_threads(struct sim *s, const int64_t *kept, size_t threads)
{
    churn_and_finish(s);
    hold_long(s);
    size_t site = site_keeping(s, kept, MEASURED);
    sim_threads(s, site, threads, true);
    return site;
}

static const int64_t of_threads[MEASURED] = {5, 2, 4, 3, 4, 3};

static void state_of_threads(struct sim *s)
{
    kept_by_threads(s, of_threads, 40);
}

/* Where other threads free blocks of the site nobody knows whose they are. */
static void made_with_state_of_threads(struct sim *s)
{
    static const int64_t twice[MEASURED] = {10, 4, 8, 6, 8, 6};
    kept_by_threads(s, of_threads, 40);
    site_keeping(s, twice, MEASURED);
}

static void lost_by_few_threads(struct sim *s)
{
    kept_by_threads(s, of_threads, 6);
}

static void lost_beside_state_of_threads(struct sim *s)
{
    static const int64_t lost[MEASURED] = {5, 3, 4, 3, 4, 3};
    kept_by_threads(s, of_threads, 40);
    site_keeping(s, lost, MEASURED);
}

static void first_half_only(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 1, 5, 0, 0, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void late_start(struct sim *s)
{
    static const int64_t kept[MEASURED] = {0, 0, 0, 0, 40, 41};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void rare_but_asked(struct sim *s)
{
    first_half_only(s);
    s->e.want_one_in = 200;
}

static void unconfirmed(struct sim *s)
{
    static const int64_t kept[MEASURED] = {1, 2, 4, 4, 4, 4};
    churn_and_finish(s);
    size_t i = site_keeping(s, kept, MEASURED);
    /* Open connections hold a varying number here: the total neither grows nor stays. */
    static const int64_t noise[] = {90, 84, 95, 79, 92, 80, 97, 83, 83, 84};
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].blocks[c] = noise[c];
}

static void decelerating(struct sim *s)
{
    static const int64_t kept[MEASURED] = {250, 480, 700, 300, 60, 20};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void by_time(struct sim *s)
{
    sim_site(s, SIM_TIMER, 0, 100);
    churn_and_finish(s);
}

static void deferred(struct sim *s)
{
    sim_site(s, SIM_DEFERRED, 1, 1);
    churn_and_finish(s);
}

/* Operations on held connections: closing them frees what they held. */
static void held_by_connection(struct sim *s)
{
    deferred(s);
    s->e.unit = UNIT_OPERATION;
}

static void held_mostly(struct sim *s)
{
    held_by_connection(s);
    s->lent[0].closed_blocks = OPENED / 20;
}

static void held_and_lost(struct sim *s)
{
    lost_state(s);
    s->e.unit = UNIT_OPERATION;
    s->lent[0].closed_blocks = OPENED;
}

static void held_and_deferred(struct sim *s)
{
    held_by_connection(s);
    s->lent[0].closed_blocks = OPENED;
}

/* What each reload keeps until the connections close: a configuration that they hold on to. */
static void reload_deferred(struct sim *s)
{
    deferred(s);
    s->e.unit = UNIT_RELOAD;
}

static void reload_lost(struct sim *s)
{
    lost_state(s);
    s->e.unit = UNIT_RELOAD;
}

/* Each operation on a connection makes seven blocks anew and frees those of the one before. */
static void held_clean(struct sim *s)
{
    clean(s);
    s->e.unit = UNIT_OPERATION;
}

/* Without operations nothing was closed before the drain: the figure is empty, and says nothing. */
static void deferred_mostly(struct sim *s)
{
    size_t i = sim_site(s, SIM_DEFERRED, 1, 1);
    churn_and_finish(s);
    s->lent[i].drained_blocks = s->lent[i].flushed_blocks = OPENED / 20;
}

/* As many sessions in a cache as blocks are lost beside it: the sessions aren't what leaks. */
static void side_loss_beside_sessions(struct sim *s)
{
    size_t sessions = sim_site(s, SIM_CACHE, 20480, 1);
    sim_cache(s, sessions, 20480);
    sim_site(s, SIM_EXACT, 1, 1);
    churn_and_finish(s);
    s->lent[1].flushed_blocks = s->lent[1].drained_blocks;
    s->e.classes = 1;
    s->class_[0] = (struct judge_class){"SSL_SESSION", NULL, OPENED + 568, 0, SIZE_MAX};
    for (size_t c = 0; c < s->epochs; c++)
        s->live[0][c] = s->site[sessions].blocks[c];
}

/* Four blocks per object at one site, one at the object's own, and a loss that has no part in it.
 */
static void retained(struct sim *s)
{
    sim_site(s, SIM_EXACT, 4, 1);
    size_t own = sim_site(s, SIM_EXACT, 1, 1);
    sim_site(s, SIM_EXACT, 1, 0.3);
    churn_and_finish(s);
    s->e.classes = 2;
    s->class_[0] = (struct judge_class){"SSL_CTX", NULL, 1, 1, SIZE_MAX};
    s->class_[1] = (struct judge_class){"SSL", NULL, OPENED + 38, OPENED + 38, own};
    for (size_t c = 0; c < s->epochs; c++) {
        s->live[0][c] = 1;
        s->live[1][c] = CONNS + s->site[own].blocks[c];
    }
}

/* An object per connection waits for the drain, and two blocks are lost that it didn't hold. */
static void lost_beside_deferred_objects(struct sim *s)
{
    size_t own = sim_site(s, SIM_DEFERRED, 1, 1);
    sim_site(s, SIM_EXACT, 2, 1);
    churn_and_finish(s);
    s->e.classes = 1;
    s->class_[0] = (struct judge_class){"SSL", NULL, 0, 0, SIZE_MAX};
    for (size_t c = 0; c < s->epochs; c++)
        s->live[0][c] = s->site[own].blocks[c];
}

static void descriptors(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_OPEN_FILES, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 71 + floor(s->closed[i] / 100);
}

/* 25 a second, connections or not: at 1,000 connections a second one for each 40. */
static double elapsed_at(const struct sim *s, size_t checkpoint)
{
    double sum = 0;
    for (size_t c = 0; c <= checkpoint; c++)
        sum += s->epoch[c].seconds;
    return sum;
}

static void descriptors_by_time(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_OPEN_FILES, 0);
    size_t from = s->epochs - s->gauge[0].count;
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 71 + floor(25 * elapsed_at(s, from + i));
}

static void table_by_time(struct sim *s)
{
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    churn_and_finish(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[i].bytes[c] = 9600 * (int64_t)(elapsed_at(s, c) * 10);
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

/* Of a server with a process for each connection: four that stay beyond their connection's end,
 * with fourteen files each, and one with one more. */
static void files_of_processes_that_stay(struct sim *s)
{
    churn_and_finish(s);
    double *files = sim_gauge(s, METRIC_OPEN_FILES, 0), *threads = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++) {
        double stay = (i >= 3) + (i >= 4) + (i >= 5) + (i >= 6);
        files[i] = 230 + 14 * stay + (i >= 4);
        threads[i] = 21 + stay;
    }
}

/* A thread more doesn't explain the files that come without one. */
static void descriptors_beside_threads(struct sim *s)
{
    descriptors(s);
    double *threads = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        threads[i] = 3 + (i >= 3);
}

static void thread_pool_starts(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = i < 2 ? 1 : 5;
}

/* Two sizes of a pool, one after the other. */
static void thread_pool_grows_twice(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 8 + 3 * (i >= 3) + 4 * (i >= 6);
}

/* As many connections as never before need as many threads. */
static void threads_come(struct sim *s, double each)
{
    churn_and_finish(s);
    hold_long(s);
    s->e.held = 30;
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 8 + each * (double)i;
}

static void threads_of_a_pool(struct sim *s)
{
    threads_come(s, 3);
}

static void threads_beyond_a_pool(struct sim *s)
{
    threads_come(s, 5);
}

static void threads_start_late(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_THREADS, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = i < 5 ? 1 : 7;
}

static void descriptors_peak(struct sim *s)
{
    churn_and_finish(s);
    double *v = sim_gauge(s, METRIC_OPEN_FILES, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = i == 2 || i == 4 ? 90 : 71;
}

static void heap(struct sim *s, double allocated, double active, double resident, double rss)
{
    static const enum metric id[] = {METRIC_HEAP_ALLOCATED, METRIC_HEAP_ACTIVE,
                                     METRIC_HEAP_RESIDENT, METRIC_RSS_ANON};
    double rate[] = {allocated, active, resident, rss};
    for (size_t g = 0; g < 4; g++) {
        double *v = sim_gauge(s, id[g], g == 0 ? 1 : 16);
        for (size_t i = 0; i < s->gauge[g].count; i++)
            v[i] = 6e6 + rate[g] * s->closed[i] + (i % 2 ? 900 : -700);
    }
}

static void heap_flat(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 0, 0, 0, 0);
}

static void outside(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 48, 48, 48, 48);
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    for (size_t c = 0, opened = 0; c < s->epochs; c++)
        s->regions[0][c] = 500 + (int64_t)(opened += s->epoch[c].opened);
}

static void outside_by_time(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 0, 0, 0, 0);
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    for (size_t c = 0; c < s->epochs; c++)
        s->regions[0][c] = 500 + (int64_t)(100 * elapsed_at(s, c));
}

/* Blocks of many sizes: no one size class stands out. */
static void outside_of_many_sizes(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 96, 96, 96, 96);
}

static void outside_seldom(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 0.96, 0, 0, 0);
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    for (size_t c = 0, opened = 0; c < s->epochs; c++)
        s->regions[0][c] = 500 + (c % 2 ? 6 : -4) + (int64_t)((opened += s->epoch[c].opened) / 20);
}

static void regions_wander(struct sim *s)
{
    static const int64_t wander[] = {0, 4, -3, 8, -6, 10, 7, 9, -2, 5};
    churn_and_finish(s);
    heap(s, 0, 0, 0, 0);
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    for (size_t c = 0; c < s->epochs; c++)
        s->regions[0][c] = 500 + wander[c];
}

static void heap_follows_cache(struct sim *s)
{
    cache_filling(s);
    heap(s, 96, 96, 96, 96);
}

/* Of 32 blocks of 128 bytes 28 become one of 3,584: that size class grows, the sum doesn't. */
static void fragmented(struct sim *s)
{
    churn_and_finish(s);
    heap(s, 0, 450, 450, 450);
    s->e.size_classes = 2;
    s->size_class[0].size = 128;
    s->size_class[1].size = 3584;
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->regions[0][c] = 300000 - (int64_t)(opened / 8 * 28);
        s->regions[1][c] = 10 + (int64_t)(opened / 8);
    }
}

/* Open connections that hold other numbers of blocks at each checkpoint, most of them at the last;
 * a site has blocks of one size, another of many. What they take of the heap, and more that grows
 * with the connections. */
static void unlike_connections(struct sim *s, double allocated, double active)
{
    size_t alike = sim_site(s, SIM_STATIC, 0, 0), mixed = sim_site(s, SIM_STATIC, 0, 0);
    churn_and_finish(s);
    heap(s, allocated, allocated + active, 0, 0);
    size_t from = s->epochs - s->gauge[0].count;
    for (size_t c = 0; c < s->epochs; c++) {
        bool last = c + 1 == s->epochs;
        int64_t blocks = last ? 2000 : 1000 + (int64_t)rng_below(&s->rng, 1000);
        int64_t taken = sim_hold(s, alike, c, blocks, (struct sim_size){200, false}) +
                        sim_hold(s, mixed, c, blocks / 4, (struct sim_size){1500, true});
        for (size_t g = 0; g < 2 && c >= from; g++)
            s->value[g][c - from] += (double)taken;
    }
}

static void unlike_and_clean(struct sim *s)
{
    unlike_connections(s, 0, 0);
}

static void outside_among_unlike(struct sim *s)
{
    unlike_connections(s, 120, 0);
}

static void fragmented_among_unlike(struct sim *s)
{
    unlike_connections(s, 0, 300);
}

static void outside_of_many_sizes_by_time(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 0, 0);
    size_t from = s->epochs - s->gauge[0].count;
    for (size_t i = 0; i < s->gauge[0].count; i++)
        s->value[0][i] += 200e3 * elapsed_at(s, from + i);
}

static void heap_fills(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 0, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        s->value[0][i] += 2e6 * (1 - exp(-s->closed[i] / 4000));
}

static void unpurged(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 450, 450);
}

/* As a session cache that fills: its pages become RSS, and no more than that. */
static void rss_follows_cache(struct sim *s)
{
    sim_cache(s, sim_site(s, SIM_CACHE, 20480, 1), 20480);
    churn_long_and_finish(s);
    heap(s, 96, 380, 0, 400);
}

/* With libc's malloc only the ledger knows what the heap holds. */
static void rss_follows_cache_in_libc(struct sim *s)
{
    size_t site = sim_site(s, SIM_CACHE, 20480, 1);
    s->site[site].size = 1000;
    sim_cache(s, site, 20480);
    churn_long_and_finish(s);
    double *rss = sim_gauge(s, METRIC_RSS_ANON, 16);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        rss[i] = 4e6 + 1032 * s->closed[i];
}

/* Pages of the heap come into memory as they are first written to. */
static void rss_reaches_resident(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 0, 400);
    for (size_t i = 0; i < s->gauge[2].count; i++)
        s->value[2][i] += 400.0 * s->closed[s->gauge[2].count - 1];
}

static void mapping(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 0, 1000);
}

/* 1,000 bytes per connection in memory that is shared with other processes. */
static void mapping_shared(struct sim *s)
{
    churn_long_and_finish(s);
    heap(s, 0, 0, 0, 0);
    double *shared = sim_gauge(s, METRIC_RSS_SHARED, 16);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        shared[i] = 6e6 + 1000 * s->closed[i];
}

/* Five checkpoints, between which 8 MB came. */
static void churn_few_and_finish(struct sim *s)
{
    sim_site(s, SIM_CONN, 7, 1);
    sim_epoch(s, SIM_WARM, 1000, 1);
    for (int i = 0; i < 3; i++)
        sim_epoch(s, SIM_MEASURE, 1000, 1);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
}

static void mapping_in_few(struct sim *s)
{
    churn_few_and_finish(s);
    heap(s, 0, 0, 0, 3000);
}

static void outside_in_few(struct sim *s)
{
    churn_few_and_finish(s);
    heap(s, 3000, 3000, 3000, 3000);
}

static void unhooked(struct sim *s)
{
    clean(s);
    s->e.hooked = false;
}

static void no_handshake(struct sim *s)
{
    lost_state(s);
    s->e.handshakes = 0;
}

static void failed_many(struct sim *s)
{
    clean(s);
    s->e.failed = 2000;
}

static void failed_few_of_the_intended(struct sim *s)
{
    clean(s);
    s->e.failed = 2000;
    s->e.tried = 300000;
}

static void failed_many_leak(struct sim *s)
{
    lost_state(s);
    s->e.failed = 2000;
}

static void failed_some(struct sim *s)
{
    clean(s);
    s->e.failed = 1;
}

static void overflowed(struct sim *s)
{
    clean(s);
    s->e.overflowed = true;
}

static void too_short(struct sim *s)
{
    sim_site(s, SIM_CONN, 7, 1);
    sim_epoch(s, SIM_WARM, 280, 0.28);
    sim_epoch(s, SIM_MEASURE, 250, 0.25);
    sim_epoch(s, SIM_MEASURE, 250, 0.25);
}

/* Two epochs of seven connections: a block that each of them loses would not surely show. */
static void halves_too_small(struct sim *s)
{
    sim_epoch(s, SIM_WARM, 37, 0.28);
    for (int i = 0; i < 2; i++)
        sim_epoch(s, SIM_MEASURE, 7, 0.25);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
}

/* libuv keeps an array by descriptor: descriptors that stay open make it grow. */
static void descriptors_and_their_table(struct sim *s)
{
    descriptors(s);
    size_t i = sim_site(s, SIM_STATIC, 1, 0);
    for (size_t c = 0, opened = 0; c < s->epochs; c++) {
        opened += s->epoch[c].opened;
        s->site[i].blocks[c] = s->site[i].live[0] = 1;
        s->site[i].bytes[c] = (int64_t)(opened / 200 * 1600);
    }
    s->site[i].size = s->site[i].bytes[s->epochs - 1];
}

static void foreign_many(struct sim *s)
{
    clean(s);
    s->e.foreign = s->e.handshakes / 50;
}

static void foreign_few(struct sim *s)
{
    clean(s);
    s->e.foreign = s->e.handshakes / 200;
}

static void from_outside(struct sim *s)
{
    clean(s);
    s->e.outside = "seen from outside";
}

static void from_outside_grows(struct sim *s)
{
    lost_state(s);
    s->e.outside = "seen from outside";
}

static void unsteady(struct sim *s)
{
    clean(s);
    s->e.moving = "120 blocks were made and 118 freed in 2.5 s";
}

/* The ends of processes that made 100, 200, ... connections, with so many blocks of a site: a block
 * stays as far as no longer run has less. */
static void of_runs(struct sim *s, const int64_t *had, size_t runs)
{
    for (size_t c = 0; c < runs; c++)
        sim_epoch(s, c ? SIM_MEASURE : SIM_WARM, 100, 1);
    struct sim_site *t = &s->site[sim_site(s, SIM_STATIC, 0, 0)];
    int64_t least = had[runs - 1];
    for (size_t c = runs; c-- > 0;) {
        int64_t now = had[c] < least ? had[c] : least;
        if (c + 1 < runs)
            t->live[c + 1] = least - now;
        least = now;
        t->blocks[c] = had[c];
        t->bytes[c] = had[c] * t->size;
        s->epoch[c].closed = 100 * (c + 1);
        s->epoch[c].all_closed = true;
    }
    s->e.ended = true;
}

/* One of a dozen connections loses a block by chance, which in the longest run were few. */
static void lost_by_chance_in_runs(struct sim *s)
{
    static const int64_t had[] = {7, 14, 23, 30, 38, 46, 52, 61, 68, 75, 84, 74};
    of_runs(s, had, 12);
}

static void lost_in_runs(struct sim *s)
{
    static const int64_t had[] = {103, 203, 303, 403, 503, 603, 703, 803, 903, 1003, 1103, 1203};
    of_runs(s, had, 12);
}

/* Each takes as long as it has connections, exactly: nothing tells them apart. */
static void lost_in_runs_as_time_goes(struct sim *s)
{
    lost_in_runs(s);
    for (size_t c = 0; c < s->epochs; c++)
        s->epoch[c].seconds = (double)s->epoch[c].closed / 50;
}

static void table_of_runs(struct sim *s)
{
    static const int64_t had[] = {100, 200, 300, 340, 340, 340, 340, 340, 340, 340, 340, 340};
    of_runs(s, had, 12);
}

/* One connection in ten loses a block, and runs differ by as much whatever they do. The longest
 * happens to have the fewest. */
static void scatter_hides(struct sim *s)
{
    static const int64_t had[] = {140, 90, 160, 120, 185, 130, 210, 150, 230, 170, 250, 88};
    of_runs(s, had, 12);
}

static void scatter_hides_nothing(struct sim *s)
{
    static const int64_t had[] = {100, 101, 100, 102, 101, 100, 102, 100, 101, 102, 101, 100};
    of_runs(s, had, 12);
}

/* They rise beyond what chance does, and the longest of 24 has no more than the shortest. */
static void all_but_the_longest_rise(struct sim *s)
{
    int64_t had[24];
    for (int i = 0; i < 24; i++)
        had[i] = 100 + 10 * i;
    had[23] = 100;
    of_runs(s, had, 24);
}

static void runs_differ(struct sim *s)
{
    static const int64_t had[] = {101, 100, 107, 103, 102, 109, 104, 103, 108, 105, 104, 109};
    of_runs(s, had, 12);
}

static void unsteady_leak(struct sim *s)
{
    failed_many_leak(s);
    s->e.failed = 0;
    s->e.moving = "120 blocks were made and 118 freed in 2.5 s";
}

static void insensitive(struct sim *s)
{
    clean(s);
    s->e.want_one_in = 1000;
}

#define V(word) VERDICT_##word
#define K(word) KIND_##word

/* The rule that the case is a control of; RULE_COUNT: of none, it only must stay as it is. */
static const struct control {
    const char *name;
    void (*make)(struct sim *s);
    enum judge_rule rule;
    enum verdict verdict;
    enum kind kind;
} controls[] = {
    {"clean", clean, RULE_QUIET, V(PASS), K(NONE)},
    {"lost_state", lost_state, RULE_LEAK, V(LEAK), K(SIDE)},
    {"lost_without_hold", lost_without_hold, RULE_HOLD_FIRST, V(LEAK), K(UNKNOWN)},
    {"drained_without_hold", drained_without_hold, RULE_UNTESTED, V(LEAK), K(UNKNOWN)},
    {"seldom_with_a_short_hold", seldom_with_a_short_hold, RULE_HOLD_LONG, V(LEAK), K(UNKNOWN)},
    {"held_without_drain", held_without_drain, RULE_UNTESTED, V(LEAK), K(UNKNOWN)},
    {"table_growing", table_growing, RULE_TABLE, V(LEAK), K(TABLE)},
    {"table_grown_once", table_grown_once, RULE_COUNT, V(PASS), K(ONE_TIME)},
    {"table_shrunk_once", table_shrunk_once, RULE_TABLE_SHRANK, V(LEAK), K(TABLE)},
    {"table_shrunk_lately", table_shrunk_lately, RULE_TABLE_SHRANK, V(INCONCLUSIVE), K(TABLE)},
    {"table_shrunk_by_much", table_shrunk_by_much, RULE_TABLE_SHRANK, V(INCONCLUSIVE), K(TABLE)},
    {"buffer_for_the_largest", buffer_for_the_largest, RULE_TABLE_MARKS, V(INCONCLUSIVE), K(TABLE)},
    {"buffers_for_the_largest", buffers_for_the_largest, RULE_TABLE_MARKS, V(INCONCLUSIVE),
     K(TABLE)},
    {"table_made_anew", table_made_anew, RULE_TABLE_ANEW, V(LEAK), K(TABLE)},
    {"buffer_made_anew", buffer_made_anew, RULE_COUNT, V(PASS), K(NONE)},
    {"buffers_of_connections", buffers_of_connections, RULE_COUNT, V(PASS), K(NONE)},
    {"table_emptied", table_emptied, RULE_COUNT, V(PASS), K(NONE)},
    {"table_emptied_at_last", table_emptied_at_last, RULE_COUNT, V(PASS), K(NONE)},
    {"table_up_and_down", table_up_and_down, RULE_COUNT, V(PASS), K(NONE)},
    {"expected_filling", expected_filling, RULE_EXPECTED, V(INCONCLUSIVE), K(CACHE_FILLING)},
    {"expected_over", expected_over, RULE_COUNT, V(LEAK), K(SIDE)},
    {"leak_beside_expected", leak_beside_expected, RULE_COUNT, V(LEAK), K(SIDE)},
    {"expected_of_seven_blocks", expected_of_seven_blocks, RULE_EXPECTED, V(INCONCLUSIVE),
     K(CACHE_FILLING)},
    {"leak_of_seven_blocks_beyond", leak_of_seven_blocks_beyond, RULE_COUNT, V(LEAK), K(SIDE)},
    {"table_expected", table_expected, RULE_EXPECTED, V(INCONCLUSIVE), K(TABLE)},
    {"table_beyond_expected", table_beyond_expected, RULE_TABLE, V(LEAK), K(TABLE)},
    {"table_of_open_connections", table_of_open_connections, RULE_TABLE_WANDERS, V(PASS), K(NONE)},
    {"table_beside_open_connections", table_beside_open_connections, RULE_TABLE_ANEW, V(LEAK),
     K(TABLE)},
    {"cache_filling", cache_filling, RULE_CACHE, V(PASS), K(CACHE_FILLING)},
    {"table_of_cache", table_of_cache, RULE_TABLE_OF_CACHE, V(PASS), K(CACHE_FILLING)},
    {"table_of_descriptors", table_of_descriptors, RULE_TABLE_OF_DESCRIPTORS, V(PASS),
     K(CACHE_BOUNDED)},
    {"table_beyond_descriptors", table_beyond_descriptors, RULE_COUNT, V(INCONCLUSIVE), K(TABLE)},
    {"table_within_descriptors", table_within_descriptors, RULE_COUNT, V(LEAK), K(TABLE)},
    {"table_of_shares", table_of_shares, RULE_TABLE_OF_SHARES, V(INCONCLUSIVE), K(TABLE)},
    {"table_beyond_shares", table_beyond_shares, RULE_COUNT, V(LEAK), K(TABLE)},
    {"table_of_one_share", table_of_one_share, RULE_COUNT, V(LEAK), K(TABLE)},
    {"table_beside_cache", table_beside_cache, RULE_COUNT, V(LEAK), K(TABLE)},
    {"cache_over", cache_over, RULE_CACHE, V(LEAK), K(CACHE_OVER)},
    {"shared_over", shared_over, RULE_COUNT, V(LEAK), K(CACHE_OVER)},
    {"shared_filling", shared_filling, RULE_SHARED, V(PASS), K(CACHE_FILLING)},
    {"shared_with_older", shared_with_older, RULE_SHARED, V(PASS), K(CACHE_FILLING)},
    {"leak_beside_shared", leak_beside_shared, RULE_COUNT, V(LEAK), K(SIDE)},
    {"shared_retained", shared_retained, RULE_SHARED, V(LEAK), K(OBJECT)},
    {"names_over", names_over, RULE_EMPTIED_OVER, V(LEAK), K(CACHE_OVER)},
    {"cache_emptied", cache_emptied, RULE_CACHE, V(PASS), K(CACHE_BOUNDED)},
    {"cache_without_bound", cache_without_bound, RULE_CACHE, V(INCONCLUSIVE), K(CACHE_FILLING)},
    {"leak_beside_cache", leak_beside_cache, RULE_COUNT, V(LEAK), K(SIDE)},
    {"leak_and_cache_undrained", leak_and_cache_undrained, RULE_PENDING, V(LEAK), K(UNKNOWN)},
    {"slots_replaced", slots_replaced, RULE_REPLACED, V(PASS), K(CACHE_BOUNDED)},
    {"lost_among_replaced", lost_among_replaced, RULE_COUNT, V(INCONCLUSIVE), K(CACHE_BOUNDED)},
    {"lost_by_chance_among_replaced", lost_by_chance_among_replaced, RULE_HIDDEN, V(INCONCLUSIVE),
     K(CACHE_BOUNDED)},
    {"left_by_emptied_caches", left_by_emptied_caches, RULE_HIDDEN, V(INCONCLUSIVE),
     K(CACHE_BOUNDED)},
    {"replaced_and_asked", replaced_and_asked, RULE_COUNT, V(PASS), K(CACHE_BOUNDED)},
    {"lost_among_varying", lost_among_varying, RULE_HIDDEN, V(INCONCLUSIVE), K(CACHE_BOUNDED)},
    {"varying_and_asked", varying_and_asked, RULE_COUNT, V(PASS), K(CACHE_BOUNDED)},
    {"slots_filling_slower", slots_filling_slower, RULE_COUNT, V(PASS), K(CACHE_BOUNDED)},
    {"slots_replaced_and_flushed", slots_replaced_and_flushed, RULE_REPLACED, V(PASS),
     K(CACHE_BOUNDED)},
    {"replaced_with_object", replaced_with_object, RULE_REPLACED_WITH, V(PASS), K(CACHE_BOUNDED)},
    {"lost_beside_replaced", lost_beside_replaced, RULE_COUNT, V(INCONCLUSIVE), K(ONE_TIME)},
    {"swapped", swapped, RULE_SWAPPED, V(PASS), K(CACHE_BOUNDED)},
    {"leak_beside_shrinking", leak_beside_shrinking, RULE_COUNT, V(LEAK), K(SIDE)},
    {"error_queue_fills", error_queue_fills, RULE_ERROR_QUEUE, V(PASS), K(CACHE_BOUNDED)},
    {"more_than_error_queues_hold", more_than_error_queues_hold, RULE_COUNT, V(LEAK), K(SIDE)},
    {"one_time", one_time, RULE_ONE_TIME, V(PASS), K(ONE_TIME)},
    {"one_time_newest", one_time_newest, RULE_COUNT, V(INCONCLUSIVE), K(ONE_TIME)},
    {"filled_and_stopped", filled_and_stopped, RULE_BOUNDED, V(PASS), K(CACHE_BOUNDED)},
    {"paused", paused, RULE_COUNT, V(INCONCLUSIVE), K(ONE_TIME)},
    {"filled_and_evicting", filled_and_evicting, RULE_BOUNDED, V(PASS), K(CACHE_BOUNDED)},
    {"two_blocks", two_blocks, RULE_FEW, V(PASS), K(ONE_TIME)},
    {"two_clumps", two_clumps, RULE_FEW, V(INCONCLUSIVE), K(ONE_TIME)},
    {"made_at_once_twice", made_at_once_twice, RULE_CLUMPS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"state_of_threads", state_of_threads, RULE_EACH_ONCE, V(INCONCLUSIVE), K(ONE_TIME)},
    {"made_with_state_of_threads", made_with_state_of_threads, RULE_EACH_ONCE, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"lost_by_few_threads", lost_by_few_threads, RULE_COUNT, V(LEAK), K(SIDE)},
    {"lost_beside_state_of_threads", lost_beside_state_of_threads, RULE_COUNT, V(LEAK), K(SIDE)},
    {"first_half_only", first_half_only, RULE_HALVES, V(INCONCLUSIVE), K(ONE_TIME)},
    {"late_start", late_start, RULE_HALVES, V(INCONCLUSIVE), K(ONE_TIME)},
    {"rare_but_asked", rare_but_asked, RULE_RARE, V(PASS), K(ONE_TIME)},
    {"unconfirmed", unconfirmed, RULE_UNCONFIRMED, V(INCONCLUSIVE), K(CACHE_BOUNDED)},
    {"decelerating", decelerating, RULE_DECELERATING, V(INCONCLUSIVE), K(CACHE_BOUNDED)},
    {"warming_up", warming_up, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"warms_up_longer", warms_up_longer, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"warms_up_in_both_halves", warms_up_in_both_halves, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"warms_up_until_the_newest", warms_up_until_the_newest, RULE_MARKS, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"warms_up_at_first", warms_up_at_first, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"comes_in_bursts", comes_in_bursts, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_often", pools_fill_often, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_seldom", pools_fill_seldom, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_now_and_then", pools_fill_now_and_then, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_hardly_fill", pools_hardly_fill, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_by_fours", pools_fill_by_fours, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_of_few_connections", pools_of_few_connections, RULE_MARKS, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"lost_by_fours", lost_by_fours, RULE_COUNT, V(LEAK), K(SIDE)},
    {"few_of_malloc", few_of_malloc, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_evenly", pools_fill_evenly, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_more_and_more", pools_fill_more_and_more, RULE_MARKS, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"pools_fill_by_few", pools_fill_by_few, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"pools_fill_by_single_blocks", pools_fill_by_single_blocks, RULE_MARKS, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"pools_fill_by_the_law", pools_fill_by_the_law, RULE_MARKS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"lost_as_many", lost_as_many, RULE_COUNT, V(LEAK), K(SIDE)},
    {"lost_by_chance_in_runs", lost_by_chance_in_runs, RULE_LINE, V(LEAK), K(UNKNOWN)},
    {"scatter_hides", scatter_hides, RULE_SCATTER, V(INCONCLUSIVE), K(ONE_TIME)},
    {"all_but_the_longest_rise", all_but_the_longest_rise, RULE_SCATTER, V(INCONCLUSIVE),
     K(ONE_TIME)},
    {"scatter_hides_nothing", scatter_hides_nothing, RULE_COUNT, V(PASS), K(NONE)},
    {"runs_differ", runs_differ, RULE_RUNS, V(INCONCLUSIVE), K(ONE_TIME)},
    {"lost_in_runs", lost_in_runs, RULE_COUNT, V(LEAK), K(SIDE)},
    {"lost_in_runs_as_time_goes", lost_in_runs_as_time_goes, RULE_UNTESTED, V(LEAK), K(UNKNOWN)},
    {"table_of_runs", table_of_runs, RULE_COUNT, V(PASS), K(CACHE_BOUNDED)},
    {"lost_of_malloc", lost_of_malloc, RULE_COUNT, V(LEAK), K(SIDE)},
    {"lost_after_warm_up", lost_after_warm_up, RULE_COUNT, V(LEAK), K(SIDE)},
    {"clumps_of_malloc", clumps_of_malloc, RULE_COUNT, V(LEAK), K(SIDE)},
    {"seldom_of_malloc", seldom_of_malloc, RULE_COUNT, V(LEAK), K(SIDE)},
    {"of_some_peers", of_some_peers, RULE_COUNT, V(LEAK), K(SIDE)},
    {"uneven_at_a_place", uneven_at_a_place, RULE_COUNT, V(LEAK), K(SIDE)},
    {"by_time", by_time, RULE_TIME, V(LEAK), K(TIME)},
    {"held_by_connection", held_by_connection, RULE_HELD, V(LEAK), K(HELD)},
    {"held_mostly", held_mostly, RULE_HELD, V(LEAK), K(HELD)},
    {"held_and_lost", held_and_lost, RULE_COUNT, V(LEAK), K(SIDE)},
    {"held_and_deferred", held_and_deferred, RULE_DEFERRED, V(LEAK), K(DEFERRED)},
    {"held_clean", held_clean, RULE_COUNT, V(PASS), K(NONE)},
    {"reload_deferred", reload_deferred, RULE_DEFERRED, V(LEAK), K(DEFERRED)},
    {"reload_lost", reload_lost, RULE_COUNT, V(LEAK), K(SIDE)},
    {"deferred", deferred, RULE_DEFERRED, V(LEAK), K(DEFERRED)},
    {"deferred_mostly", deferred_mostly, RULE_DEFERRED, V(LEAK), K(DEFERRED)},
    {"side_loss_beside_sessions", side_loss_beside_sessions, RULE_COUNT, V(LEAK), K(SIDE)},
    {"retained", retained, RULE_OBJECT, V(LEAK), K(OBJECT)},
    {"lost_beside_deferred_objects", lost_beside_deferred_objects, RULE_OBJECT_GONE, V(LEAK),
     K(SIDE)},
    {"descriptors", descriptors, RULE_GAUGES, V(LEAK), K(DESCRIPTORS)},
    {"descriptors_beside_threads", descriptors_beside_threads, RULE_GAUGES, V(LEAK),
     K(DESCRIPTORS)},
    {"files_of_processes_that_stay", files_of_processes_that_stay, RULE_FILES_OF_THREADS,
     V(INCONCLUSIVE), K(DESCRIPTORS)},
    {"descriptors_and_their_table", descriptors_and_their_table, RULE_COUNT, V(LEAK),
     K(DESCRIPTORS)},
    {"descriptors_by_time", descriptors_by_time, RULE_TIME, V(LEAK), K(TIME)},
    {"table_by_time", table_by_time, RULE_TIME, V(LEAK), K(TIME)},
    {"outside_by_time", outside_by_time, RULE_TIME, V(LEAK), K(TIME)},
    {"outside_of_many_sizes_by_time", outside_of_many_sizes_by_time, RULE_TIME, V(LEAK), K(TIME)},
    {"thread_pool_starts", thread_pool_starts, RULE_GAUGES, V(PASS), K(ONE_TIME)},
    {"thread_pool_grows_twice", thread_pool_grows_twice, RULE_CLUMPS, V(INCONCLUSIVE), K(THREADS)},
    {"threads_of_a_pool", threads_of_a_pool, RULE_THREADS_OF_POOL, V(INCONCLUSIVE), K(THREADS)},
    {"threads_beyond_a_pool", threads_beyond_a_pool, RULE_COUNT, V(LEAK), K(THREADS)},
    {"threads_start_late", threads_start_late, RULE_GAUGES, V(PASS), K(ONE_TIME)},
    {"descriptors_peak", descriptors_peak, RULE_COUNT, V(PASS), K(NONE)},
    {"heap_flat", heap_flat, RULE_COUNT, V(PASS), K(NONE)},
    {"heap_fills", heap_fills, RULE_COUNT, V(PASS), K(NONE)},
    {"outside", outside, RULE_SIZE_CLASS, V(LEAK), K(OUTSIDE)},
    {"outside_of_many_sizes", outside_of_many_sizes, RULE_OUTSIDE, V(LEAK), K(OUTSIDE)},
    {"outside_seldom", outside_seldom, RULE_SIZE_CLASS, V(LEAK), K(OUTSIDE)},
    {"regions_wander", regions_wander, RULE_COUNT, V(PASS), K(NONE)},
    {"heap_follows_cache", heap_follows_cache, RULE_LEDGER_FIRST, V(PASS), K(CACHE_FILLING)},
    {"unlike_and_clean", unlike_and_clean, RULE_COUNT, V(PASS), K(NONE)},
    {"outside_among_unlike", outside_among_unlike, RULE_LEDGER_FIRST, V(LEAK), K(OUTSIDE)},
    {"fragmented_among_unlike", fragmented_among_unlike, RULE_IN_USE_FIRST, V(LEAK),
     K(FRAGMENTATION)},
    {"fragmented", fragmented, RULE_FRAGMENTATION, V(LEAK), K(FRAGMENTATION)},
    {"unpurged", unpurged, RULE_UNPURGED, V(PASS), K(UNPURGED)},
    {"rss_follows_cache", rss_follows_cache, RULE_HEAP_FIRST, V(PASS), K(CACHE_FILLING)},
    {"rss_follows_cache_in_libc", rss_follows_cache_in_libc, RULE_HEAP_FIRST, V(PASS),
     K(CACHE_FILLING)},
    {"rss_reaches_resident", rss_reaches_resident, RULE_HEAP_FIRST, V(PASS), K(NONE)},
    {"mapping", mapping, RULE_MAPPING, V(INCONCLUSIVE), K(MAPPING)},
    {"mapping_shared", mapping_shared, RULE_MAPPING, V(INCONCLUSIVE), K(MAPPING)},
    {"mapping_in_few", mapping_in_few, RULE_FEW_POINTS, V(INCONCLUSIVE), K(MAPPING)},
    {"outside_in_few", outside_in_few, RULE_FEW_POINTS, V(INCONCLUSIVE), K(OUTSIDE)},
    {"unhooked", unhooked, RULE_UNHOOKED, V(INVALID), K(NONE)},
    {"no_handshake", no_handshake, RULE_NO_HANDSHAKE, V(INVALID), K(NONE)},
    {"failed_many", failed_many, RULE_FAILED_MANY, V(INVALID), K(NONE)},
    {"failed_few_of_the_intended", failed_few_of_the_intended, RULE_FAILED_SOME, V(INCONCLUSIVE),
     K(NONE)},
    {"foreign_many", foreign_many, RULE_FOREIGN_MANY, V(INVALID), K(NONE)},
    {"foreign_few", foreign_few, RULE_COUNT, V(PASS), K(NONE)},
    {"failed_many_leak", failed_many_leak, RULE_COUNT, V(LEAK), K(SIDE)},
    {"failed_some", failed_some, RULE_FAILED_SOME, V(INCONCLUSIVE), K(NONE)},
    {"overflowed", overflowed, RULE_OVERFLOWED, V(INCONCLUSIVE), K(NONE)},
    {"from_outside", from_outside, RULE_FROM_OUTSIDE, V(INCONCLUSIVE), K(NONE)},
    {"from_outside_grows", from_outside_grows, RULE_FROM_OUTSIDE, V(INCONCLUSIVE), K(SIDE)},
    {"unsteady", unsteady, RULE_UNSTEADY, V(INCONCLUSIVE), K(NONE)},
    {"unsteady_leak", unsteady_leak, RULE_COUNT, V(LEAK), K(SIDE)},
    {"too_short", too_short, RULE_NO_FIGURE, V(INCONCLUSIVE), K(NONE)},
    {"halves_too_small", halves_too_small, RULE_NO_FIGURE, V(INCONCLUSIVE), K(NONE)},
    {"insensitive", insensitive, RULE_INSENSITIVE, V(INCONCLUSIVE), K(NONE)},
};
enum { CONTROLS = sizeof controls / sizeof *controls };

static void judge_case(void (*make)(struct sim *s), uint64_t rules, struct judgement *ret)
{
    struct sim *s = sim_new(CONNS, SEED);
    make(s);
    judge_with_rules(sim_evidence(s), rules, ret);
    free(s);
}

static void every_control_gets_its_verdict_and_kind(void **state)
{
    (void)state;
    int wrong = 0;
    for (int i = 0; i < CONTROLS; i++) {
        struct judgement j;
        judge_case(controls[i].make, RULES_ALL, &j);
        if (j.verdict == controls[i].verdict && j.kind == controls[i].kind)
            continue;
        wrong++;
        print_error("%s: %s %s: %s\n", controls[i].name, verdict_name(j.verdict), kind_name(j.kind),
                    j.findings ? j.finding[0].why : "no finding");
    }
    assert_int_equal(wrong, 0);
}

/* What nobody asks of a control alone: each figure, finding, metric and sentence of it. */
static void every_control_is_told_as_approved(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (int i = 0; i < CONTROLS; i++) {
        struct judgement j;
        judge_case(controls[i].make, RULES_ALL, &j);
        golden_judgement(out, controls[i].name, &j);
    }
    fclose(out);
    golden_expect("controls", text);
    free(text);
}

static bool same_answer(const struct judgement *a, const struct judgement *b)
{
    return a->verdict == b->verdict && a->kind == b->kind && a->certain == b->certain &&
           a->wants_hold == b->wants_hold && a->per_conn_bytes == b->per_conn_bytes;
}

static void no_rule_stands_without_a_control(void **state)
{
    (void)state;
    for (enum judge_rule rule = 0; rule < RULE_COUNT; rule++) {
        int noticed = 0;
        for (int i = 0; i < CONTROLS; i++) {
            struct judgement with, without;
            if (controls[i].rule != rule)
                continue;
            judge_case(controls[i].make, RULES_ALL, &with);
            judge_case(controls[i].make, RULES_ALL & ~(UINT64_C(1) << rule), &without);
            if (same_answer(&with, &without))
                fail_msg("%s doesn't notice that %s is off", controls[i].name,
                         judge_rule_name(rule));
            noticed++;
        }
        if (!noticed)
            fail_msg("rule %s has no control", judge_rule_name(rule));
    }
}

/* ---- figures ---- */

static void a_block_per_connection_is_exactly_one(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(lost_state, RULES_ALL, &j);
    assert_true(j.finding[0].per_conn_blocks == 1.0);
    assert_true(j.finding[0].per_conn_bytes == 32.0);
    assert_int_equal(j.finding[0].blocks, OPENED);
    assert_string_equal(j.finding[0].why, "epochs of 500, 1000, 1000, 1000, 1000 connections kept "
                                          "500, 1000, 1000, 1000, 1000 blocks");
    assert_true(j.certain);
    assert_false(j.wants_hold);
}

/* A table of 440 entries that nobody declared, filled by one connection in 12, and what of it is
 * there before it is full. */
static void table_half_full(struct sim *s)
{
    static const int64_t kept[MEASURED] = {40, 80, 80, 80, 80, 80};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void table_full_at_last(struct sim *s)
{
    static const int64_t kept[MEASURED] = {200, 240, 0, 0, 0, 0};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

static void leak_beyond_small_tables(struct sim *s)
{
    static const int64_t kept[MEASURED] = {50, 100, 100, 100, 100, 100};
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
}

/* Until a table is full its figures are those of a leak, so that nothing but their number keeps a
 * run from ending too early. */
static void what_a_small_table_may_still_be_ends_no_run(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(table_half_full, RULES_ALL, &j);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_false(j.certain);
    judge_case(table_full_at_last, RULES_ALL, &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_int_equal(j.finding[0].kind, KIND_CACHE_BOUNDED);
    judge_case(leak_beyond_small_tables, RULES_ALL, &j);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_true(j.certain);
}

/* Those of the behaviours are less in proportion. */
static void what_hides_at_a_site_makes_the_runs_figure_less(void **state)
{
    (void)state;
    struct judgement with, without, still;
    judge_case(lost_by_chance_among_replaced, RULES_ALL, &with);
    judge_case(lost_by_chance_among_replaced, RULES_ALL & ~(UINT64_C(1) << RULE_HIDDEN), &without);
    assert_true(without.sensitivity.share == 1 && with.sensitivity.share < 0.5);
    assert_true(
        fabs(with.sensitivity.one_in / without.sensitivity.one_in - with.sensitivity.share) < 1e-9);
    judge_case(slots_replaced, RULES_ALL, &still);
    assert_true(still.sensitivity.share == 1);
    judge_case(replaced_at_no_line, RULES_ALL, &with);
    judge_case(replaced_at_no_line, RULES_ALL & ~(UINT64_C(1) << RULE_HIDDEN), &without);
    assert_true(without.sensitivity.malloc_one_in > with.sensitivity.one_in);
    assert_true(with.sensitivity.malloc_one_in == with.sensitivity.one_in);
}

/* What wasn't put to the test isn't said, nor what the epochs contradict. */
static void in_proportion_is_what_a_hold_and_the_epochs_have_shown(void **state)
{
    (void)state;
    static const struct {
        void (*make)(struct sim *s);
        bool held, proportional;
    } cases[] = {
        {lost_state, true, true},          {drained_without_hold, false, false},
        {lost_without_hold, false, false}, {by_time, false, false},
        {kept_by_epoch, true, false},      {retained, true, true},
        {descriptors, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct judgement j;
        judge_case(cases[i].make, RULES_ALL, &j);
        if (j.held != cases[i].held || j.proportional != cases[i].proportional)
            fail_msg("%zu: %d %d", i, j.held, j.proportional);
    }
}

/* What stopped growing at the expected size isn't blamed with the leak beside it. */
static void an_expected_cache_is_excused_and_nothing_else(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(leak_beside_expected, RULES_ALL, &j);
    assert_false(judgement_leaks(&j, 0));
    assert_true(judgement_leaks(&j, 1));
    judge_case(expected_filling, RULES_ALL, &j);
    assert_true(j.wants_more);
    assert_false(j.certain);
    assert_string_equal(
        j.finding[0].why,
        "5038 of the 20480 entries of --expect-cache; full after about 15442 more connections");
}

/* Every kind rests on evidence that it tells. */
static void operations_are_called_so(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(held_by_connection, RULES_ALL, &j);
    assert_int_equal(j.unit, UNIT_OPERATION);
    assert_true(j.finding[0].per_conn_blocks == 1.0);
    assert_non_null(strstr(j.reason[0], "1.0000 blocks per operation at"));
    assert_string_equal(j.finding[0].why,
                        "4750 blocks stayed while the connections were held, over "
                        "4750 operations; closing them left 0");
    judge_case(held_clean, RULES_ALL, &j);
    assert_string_equal(j.reason[0], "nothing grows over 4750 operations in 6 epochs");
    judge_case(clean, RULES_ALL, &j);
    assert_string_equal(j.reason[0], "nothing grows over 4750 connections in 6 epochs");
    judge_case(reload_lost, RULES_ALL, &j);
    assert_non_null(strstr(j.reason[0], "1.0000 blocks per reload at"));
}

static void the_evidence_is_told(void **state)
{
    (void)state;
    static const struct {
        void (*make)(struct sim *s);
        const char *said;
    } cases[] = {
        {cache_filling, "entries of 20480, full after about 15162 more connections at this pace"},
        {cache_evicting, "2000 entries of 2001, now full"},
        {cache_over, "more than the 1000 it may hold"},
        {cache_without_bound, "nothing says how large they may become"},
        {table_of_descriptors, "no more than a table of 127 file descriptors takes"},
        {table_of_shares, ": no more than tables of 30 connections in 3 processes take"},
        {table_growing, "in the second half of the run at least half as fast as in the first"},
        {table_by_time, "bytes per second while held without churn"},
        {descriptors_by_time, "open_files: 24.67 more per second while held"},
        {outside_by_time, "regions of one size class per second while held"},
        {fragmented, "heap_active grew by"},
        {unpurged, "heap_active by 0 KiB: the allocator keeps freed pages"},
        {mapping, "rss_anon grew by"},
        {deferred, "the drain freed all but 0"},
        {retained, "more SSL objects are alive"},
        {descriptors, "open_files: "},
        {one_time, "all in one epoch of 500 connections"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct judgement j;
        judge_case(cases[i].make, RULES_ALL, &j);
        if (!j.findings || !strstr(j.finding[0].why, cases[i].said))
            fail_msg("%zu: %s", i, j.findings ? j.finding[0].why : "no finding");
    }
}

/* docs/decision.md, "A worked example": survivors of epochs of 250, 500, 1000 and 2000 connections.
 */
static void the_examples_of_the_page_are_judged_so(void **state)
{
    (void)state;
    enum { EPOCHS = 4 };
    static const struct {
        int64_t kept[EPOCHS];
        enum verdict verdict;
        const char *said;
    } cases[] = {
        {{250, 500, 1000, 2000}, VERDICT_LEAK, ""},
        {{0, 0, 0, 0}, VERDICT_PASS, NULL},
        {{40, 0, 0, 0}, VERDICT_PASS, "all in one epoch of 250 connections"},
        {{250, 500, 274, 0}, VERDICT_PASS, "grew at first, then not over the last"},
        {{1, 0, 0, 1}, VERDICT_PASS, "2 blocks in 2 losses"},
        {{1, 0, 2, 1}, VERDICT_INCONCLUSIVE, "4 blocks in 4 losses"},
        {{0, 0, 0, 200}, VERDICT_INCONCLUSIVE, "200 blocks in 1 losses"},
        {{2, 5, 11, 19}, VERDICT_LEAK, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim *s = sim_new(CONNS, SEED);
        struct judgement j;
        sim_site(s, SIM_CONN, 7, 1);
        sim_epoch(s, SIM_WARM, 280, 0.28);
        sim_epoch(s, SIM_WARM, 250, 0.25);
        for (int c = 0; c < EPOCHS; c++)
            sim_epoch(s, SIM_MEASURE, UINT64_C(250) << c, 1);
        finish(s);
        site_keeping(s, cases[i].kept, EPOCHS);
        judge(sim_evidence(s), &j);
        const char *why = j.findings ? j.finding[0].why : NULL;
        if (j.verdict != cases[i].verdict || !why != !cases[i].said ||
            (why && !strstr(why, cases[i].said)))
            fail_msg("%zu: %d, %s", i, (int)j.verdict, why ? why : "no finding");
        free(s);
    }
}

static void what_may_be_a_pools_says_so_and_asks_for_more(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(pools_hardly_fill, RULES_ALL, &j);
    assert_string_equal(j.reason[0],
                        "malloc:0: 13 blocks don't show whether they go on, or come ever "
                        "more seldom, as those of a pool or a warm-up do");
    assert_true(j.wants_more);
    assert_false(j.certain);
}

static void a_lost_side_allocation_says_that_the_objects_go(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    lost_state(s);
    s->e.classes = 1;
    s->class_[0] = (struct judge_class){"SSL", NULL, 0, 0, SIZE_MAX};
    for (size_t c = 0; c < s->epochs; c++)
        s->live[0][c] = CONNS;
    judge(sim_evidence(s), &j);
    assert_memory_equal(j.finding[0].why,
                        "SSL objects are freed (30 live), this block is not: epochs of ", 62);
    free(s);
}

static void growth_asks_for_a_hold_before_it_is_certain(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(lost_without_hold, RULES_ALL, &j);
    assert_true(j.wants_hold);
    assert_false(j.certain);
}

static void a_cache_that_may_explain_it_leaves_no_leak_certain(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(leak_and_cache_undrained, RULES_ALL, &j);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_false(j.certain);
}

static void what_emptying_the_cache_leaves_is_the_leak(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(leak_beside_cache, RULES_ALL, &j);
    assert_true(j.finding[0].per_conn_blocks == 1.0);
}

/* Without the rules the loss is short. */
static void the_loss_of_a_population_is_the_whole_of_it(void **state)
{
    (void)state;
    static const struct {
        void (*make)(struct sim *s);
        enum judge_rule rule;
        double bytes;
    } cases[] = {{shared_over, RULE_EMPTIED_OVER, 624},
                 {shared_retained, RULE_COUNT, 600},
                 {leak_beside_shared, RULE_COUNT, 600},
                 {names_over, RULE_EMPTIED_OVER, 32 + 32 * 1290.0 / OPENED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct judgement j, without;
        judge_case(cases[i].make, RULES_ALL, &j);
        if (fabs(j.per_conn_bytes - cases[i].bytes) > 0.01)
            fail_msg("%zu: %.2f bytes", i, j.per_conn_bytes);
        if (cases[i].rule == RULE_COUNT)
            continue;
        uint64_t others = ~(UINT64_C(1) << RULE_SHARED | UINT64_C(1) << RULE_EMPTIED_OVER);
        judge_case(cases[i].make, RULES_ALL & others, &without);
        assert_true(without.per_conn_bytes < j.per_conn_bytes - 1);
    }
}

static void the_objects_own_site_is_blamed_first(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(retained, RULES_ALL, &j);
    assert_int_equal(j.class_, 1);
    assert_int_equal(j.finding[0].site, 1);
    assert_int_equal(j.finding[1].kind, KIND_OBJECT);
}

/* Three in ten of the objects that stay may have such a block: it may not be called lost. */
static void what_retained_objects_may_hold_is_not_called_lost(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(retained, RULES_ALL, &j);
    assert_int_equal(j.finding[2].verdict, VERDICT_LEAK);
    assert_int_equal(j.finding[2].kind, KIND_UNKNOWN);
    assert_non_null(strstr(j.finding[2].why, "; some of the SSL objects that stay may hold it"));
    judge_case(retained, RULES_ALL & ~(UINT64_C(1) << RULE_UNTESTED), &j);
    assert_int_equal(j.finding[2].kind, KIND_SIDE);
}

static void what_was_not_counted_names_no_object(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    retained(s);
    s->e.handshakes = 0;
    judge(sim_evidence(s), &j);
    assert_int_equal(j.verdict, VERDICT_INVALID);
    assert_true(j.class_ == SIZE_MAX);
    free(s);
}

static void a_deferred_object_is_named_too(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    retained(s);
    s->class_[1].drained = s->class_[1].flushed = 0;
    for (size_t i = 0; i < 3; i++)
        s->lent[i].drained_blocks = s->lent[i].flushed_blocks = 0;
    judge(sim_evidence(s), &j);
    assert_int_equal(j.kind, KIND_DEFERRED);
    assert_int_equal(j.class_, 1);
    free(s);
}

static void the_size_class_outside_is_named(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(outside, RULES_ALL, &j);
    assert_non_null(strstr(j.finding[0].why, "size class 48: 1.0000 regions per connection"));
    assert_in_range((uint64_t)j.sensitivity.heap_bytes, 1, 60);
    /* At least a MiB in all: that many bytes a connection of the run. */
    assert_true(j.sensitivity.page_bytes >= 1048576.0 / (double)j.sensitivity.closed * 0.9);
}

static void an_undecided_site_asks_for_another_epoch(void **state)
{
    (void)state;
    struct judgement j;
    judge_case(one_time_newest, RULES_ALL, &j);
    assert_true(j.wants_more);
    judge_case(clean, RULES_ALL, &j);
    assert_false(j.wants_more);
}

static const struct judge_metric *metric(const struct judgement *j, const char *id)
{
    for (size_t i = 0; i < j->metrics; i++) {
        if (strcmp(j->metric[i].id, id) == 0)
            return &j->metric[i];
    }
    fail_msg("no metric %s", id);
    return NULL;
}

static void metrics_say_where_they_began_and_ended(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    retained(s);
    s->lent[0].file = "libuv";
    heap(s, 0, 0, 0, 0);
    judge(sim_evidence(s), &j);
    assert_string_equal(j.metric[0].id, "openssl_blocks");
    assert_int_equal(metric(&j, "openssl_blocks")->state, METRIC_GROWS);
    assert_true(fabs(metric(&j, "openssl_blocks")->per_conn - 1.3) < 1e-3);
    assert_true(metric(&j, "libuv_blocks")->per_conn == 4.0);
    assert_true(metric(&j, "ssl_objects")->start == CONNS + 530);
    assert_int_equal(metric(&j, "ssl_objects")->state, METRIC_GROWS);
    assert_string_equal(metric(&j, "rss_anon")->role, "witness");
    assert_int_equal(metric(&j, "heap_allocated")->state, METRIC_LEVEL);
    assert_int_equal(metric(&j, "rss_anon")->state, METRIC_LEVEL);
    free(s);
}

static void a_heap_that_grows_by_what_the_ledger_lost_is_explained(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    lost_state(s);
    heap(s, 48, 48, 48, 48);
    judge(sim_evidence(s), &j);
    assert_int_equal(j.kind, KIND_SIDE);
    assert_int_equal(metric(&j, "heap_allocated")->state, METRIC_EXPLAINED);
    free(s);
}

/* Exact sums below a variance of 400, the normal curve beyond. */
static void chances_are_those_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        int64_t k, n;
        double p, at_most;
    } binomial[] = {{-1, 10, 0.2, 0},
                    {10, 10, 0.2, 1},
                    {3, 10, 0, 1},
                    {3, 10, 1, 0},
                    {0, 10, 0.2, 0.1073741824},
                    {2, 10, 0.5, 0.0546875},
                    {3, 10, 0.2, 0.8791261184},
                    {7, 40, 0.1, 0.9580980573},
                    {4900, 10000, 0.5, 0.0233}};
    static const struct {
        int64_t k;
        double mean, at_most;
    } poisson[] = {{-1, 2, 0},
                   {0, 2, 0.1353352832},
                   {3, 2, 0.8571234605},
                   {10, 6.5, 0.9331612098},
                   {60, 50, 0.9278398202},
                   {480, 500, 0.1919}};
    for (size_t i = 0; i < sizeof binomial / sizeof *binomial; i++) {
        double found = binomial_at_most(binomial[i].k, binomial[i].n, binomial[i].p);
        assert_true(fabs(found - binomial[i].at_most) < (binomial[i].n > 40 ? 1e-4 : 1e-9));
    }
    for (size_t i = 0; i < sizeof poisson / sizeof *poisson; i++) {
        double found = poisson_at_most(poisson[i].k, poisson[i].mean);
        assert_true(fabs(found - poisson[i].at_most) < (poisson[i].mean > 400 ? 1.5e-3 : 1e-9));
    }
}

/* However the terms are rounded. Of many, one less than the mean is as probable as more than it. */
static void chances_are_one_at_most_and_alike_about_the_mean(void **state)
{
    (void)state;
    for (int i = 1; i <= 40; i++) {
        double all = poisson_at_most(100000, 9.7 * i);
        double nearly = binomial_at_most(40 * i - 1, 40 * i, 0.019 * i);
        assert_true(all <= 1 && all > 1 - 1e-9 && nearly <= 1 && nearly > 1 - 1e-9);
        assert_true(binomial_at_most(i, i, 0.019 * i) == 1);
    }
    assert_true(fabs(poisson_at_most(899, 900) + poisson_at_most(900, 900) - 1) < 1e-12);
    assert_true(fabs(binomial_at_most(4999, 10000, 0.5) + binomial_at_most(5000, 10000, 0.5) - 1) <
                1e-12);
}

/* By D. L. Wallace's formula. */
static void as_improbable_a_deviate_takes_the_place_of_students(void **state)
{
    (void)state;
    assert_true(fabs(normal_of_student(3, 5) - 2.1634096640) < 1e-9);
    assert_true(fabs(normal_of_student(4, 12) - 3.1242459647) < 1e-9);
    assert_true(normal_of_student(-2, 5) == -2 && normal_of_student(0, 5) == 0);
    assert_true(fabs(normal_at_least(0) - 0.5) < 1e-12);
    assert_true(fabs(normal_at_least(1.959963985) - 0.025) < 1e-9);
}

static void no_evidence_at_all_is_inconclusive(void **state)
{
    (void)state;
    struct evidence e = {.hooked = true, .handshakes = 1};
    struct judgement j;
    judge(&e, &j);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_true(j.sensitivity.one_in == 0);
    assert_true(j.class_ == SIZE_MAX);
}

static void sensitivity_stands_in_every_verdict_that_judged_epochs(void **state)
{
    (void)state;
    for (int i = 0; i < CONTROLS; i++) {
        struct judgement j;
        judge_case(controls[i].make, RULES_ALL, &j);
        assert_true(j.reasons > 0);
        if (j.sensitivity.epochs >= JUDGE_MIN_EPOCHS && controls[i].rule != RULE_NO_FIGURE)
            assert_true(j.sensitivity.one_in > 1);
        if (j.verdict == VERDICT_PASS)
            assert_true(j.sensitivity.one_in >= 1);
    }
}

static void words_and_codes_are_the_documented_ones(void **state)
{
    (void)state;
    assert_string_equal(verdict_name(VERDICT_INCONCLUSIVE), "INCONCLUSIVE");
    assert_int_equal(verdict_exit_code(VERDICT_PASS), 0);
    assert_int_equal(verdict_exit_code(VERDICT_LEAK), 1);
    assert_int_equal(verdict_exit_code(VERDICT_INCONCLUSIVE), 3);
    assert_int_equal(verdict_exit_code(VERDICT_INVALID), 4);
    assert_string_equal(kind_name(KIND_SIDE), "side-allocation-lost");
    assert_string_equal(kind_text(KIND_THREADS), "thread not ended");
}

/* ---- what mutants of the judge have shown that nothing held ---- */

static void judge_sim(struct sim *s, struct judgement *ret)
{
    judge(sim_evidence(s), ret);
    free(s);
}

/* A site that was made once comes first in the evidence, then one in doubt, then the leak. */
static void leaks_come_before_doubts_before_what_is_explained(void **state)
{
    (void)state;
    static const int64_t once[MEASURED] = {0, 12, 0, 0, 0, 0}, late[] = {0, 0, 0, 0, 40, 41},
                         lost[] = {250, 500, 1000, 1000, 1000, 1000};
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    churn_and_finish(s);
    size_t last = site_keeping(s, once, MEASURED), middle = site_keeping(s, late, MEASURED),
           first = site_keeping(s, lost, MEASURED);
    judge_sim(s, &j);
    assert_int_equal(j.findings, 3);
    assert_int_equal(j.finding[0].verdict, VERDICT_LEAK);
    assert_int_equal(j.finding[1].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(j.finding[2].verdict, VERDICT_PASS);
    assert_true(judgement_leaks(&j, first));
    assert_false(judgement_leaks(&j, middle) || judgement_leaks(&j, last));
}

static void open_files_that_grow_ask_for_a_hold_too(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
    double *v = sim_gauge(s, METRIC_OPEN_FILES, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++)
        v[i] = 71 + floor(s->closed[i] / 100);
    judge_sim(s, &j);
    assert_int_equal(j.kind, KIND_DESCRIPTORS);
    assert_true(j.wants_hold);
    assert_false(j.certain);
}

static void every_gauge_is_judged(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    churn_and_finish(s);
    double *threads = sim_gauge(s, METRIC_THREADS, 0);
    double *files = sim_gauge(s, METRIC_OPEN_FILES, 0);
    for (size_t i = 0; i < s->gauge[0].count; i++) {
        threads[i] = 4;
        files[i] = 71 + floor(s->closed[i] / 100);
    }
    judge_sim(s, &j);
    assert_int_equal(j.kind, KIND_DESCRIPTORS);
}

static void every_cache_may_be_the_one_that_fills(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    size_t still = sim_site(s, SIM_STATIC, 40, 0), fills = sim_site(s, SIM_CACHE, 20480, 1);
    sim_cache(s, still, 100);
    sim_cache(s, fills, 20480);
    churn_and_finish(s);
    judge_sim(s, &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_int_equal(j.kind, KIND_CACHE_FILLING);
}

/* A hold tells however short it is, and few blocks in it by what chance gives. */
static void a_hold_of_half_a_second_tells_growth_by_time(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    sim_site(s, SIM_TIMER, 0, 100);
    sim_site(s, SIM_CONN, 7, 1);
    churn(s);
    sim_epoch(s, SIM_HOLD, 0, 0.5);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
    judge_sim(s, &j);
    assert_int_equal(j.kind, KIND_TIME);
}

static void few_blocks_in_a_hold_are_by_time_where_chance_gives_so_few(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judge_context h;
    churn_and_finish(s);
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    assert_true(fabs(h.hold_seconds - 1.5) < 1e-9 && fabs(h.seconds - 4.75) < 1e-9);
    assert_false(is_by_time(&h, 0, 20));
    assert_true(is_by_time(&h, 2, 20));    /* 22 blocks leave 5.3 on average for a hold as long */
    assert_false(is_by_time(&h, 20, 400)); /* 101 of 420 */
    assert_true(is_by_time(&h, 64, 400));  /* just above half of the pace */
    assert_false(is_by_time(&h, 60, 400)); /* just below, and beyond chance */
    free(s);
}

static void a_table_that_grew_in_the_newest_epoch_asks_for_more(void **state)
{
    (void)state;
    static const int64_t bytes[] = {4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 8192};
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    table_with(s, bytes);
    judge_sim(s, &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
    assert_int_equal(j.kind, KIND_ONE_TIME);
    assert_true(j.wants_more);
    judge_case(table_grown_once, RULES_ALL, &j);
    assert_false(j.wants_more);
}

/* Threads that have ended had queues of their own. */
static void error_queues_of_all_threads_ever_seen_count(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    error_texts(s, 33);
    s->value[0][0] = 3;
    judge_sim(s, &j);
    assert_int_equal(j.verdict, VERDICT_PASS);
}

/* 16 bytes for each entry that is expected, and not one more. */
static void the_index_of_an_expected_cache_has_its_bound(void **state)
{
    (void)state;
    for (uint64_t less = 0; less < 2; less++) {
        struct sim *s = sim_new(CONNS, SEED);
        struct judgement j;
        table_growing(s);
        int64_t grown = s->site[0].bytes[s->epochs - 1] - s->site[0].bytes[WARM - 1];
        assert_int_equal(grown % 16, 0);
        s->e.expected = (uint64_t)grown / 16 - less;
        judge_sim(s, &j);
        assert_int_equal(j.verdict, less ? VERDICT_LEAK : VERDICT_INCONCLUSIVE);
    }
}

/* The total must have grown by half of what survived: 8 of 19 are too few, 10 are enough. */
static void half_of_the_survivors_confirm_a_leak(void **state)
{
    (void)state;
    static const int64_t kept[MEASURED] = {1, 2, 4, 4, 4, 4};
    for (int64_t grown = 8; grown <= 10; grown += 2) {
        struct sim *s = sim_new(CONNS, SEED);
        struct judgement j;
        churn_and_finish(s);
        size_t i = site_keeping(s, kept, MEASURED);
        for (size_t c = 0; c < s->epochs; c++)
            s->site[i].blocks[c] = c < WARM ? 80 : c % 2 ? 70 : 95;
        for (size_t c = HOLD - 1; c < s->epochs; c++)
            s->site[i].blocks[c] = 80 + grown;
        judge_sim(s, &j);
        assert_int_equal(j.verdict, grown < 10 ? VERDICT_INCONCLUSIVE : VERDICT_LEAK);
    }
}

/* Where the epochs of a half don't differ from their rate at all, chance is that of single blocks.
 */
static void what_slows_down_evenly_is_in_doubt(void **state)
{
    (void)state;
    static const int64_t kept[MEASURED] = {250, 500, 1000, 1000, 300, 300};
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    churn_and_finish(s);
    site_keeping(s, kept, MEASURED);
    judge_sim(s, &j);
    assert_int_equal(j.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(j.finding[0].why, "slows down: "));
}

static void both_halves_are_told_when_they_are_too_small(void **state)
{
    (void)state;
    struct sim *s = sim_new(CONNS, SEED);
    struct judgement j;
    sim_epoch(s, SIM_WARM, 37, 0.28);
    sim_epoch(s, SIM_MEASURE, 7, 0.25);
    sim_epoch(s, SIM_MEASURE, 6, 0.25);
    sim_epoch(s, SIM_MEASURE, CONNS + 8, 0.04);
    sim_drain(s);
    judge_sim(s, &j);
    assert_non_null(strstr(j.reason[0], "in 7 and 6 connections, the halves"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_control_gets_its_verdict_and_kind),
        cmocka_unit_test(every_control_is_told_as_approved),
        cmocka_unit_test(no_rule_stands_without_a_control),
        cmocka_unit_test(a_block_per_connection_is_exactly_one),
        cmocka_unit_test(what_a_small_table_may_still_be_ends_no_run),
        cmocka_unit_test(the_evidence_is_told),
        cmocka_unit_test(the_examples_of_the_page_are_judged_so),
        cmocka_unit_test(what_hides_at_a_site_makes_the_runs_figure_less),
        cmocka_unit_test(in_proportion_is_what_a_hold_and_the_epochs_have_shown),
        cmocka_unit_test(an_expected_cache_is_excused_and_nothing_else),
        cmocka_unit_test(operations_are_called_so),
        cmocka_unit_test(what_may_be_a_pools_says_so_and_asks_for_more),
        cmocka_unit_test(a_lost_side_allocation_says_that_the_objects_go),
        cmocka_unit_test(growth_asks_for_a_hold_before_it_is_certain),
        cmocka_unit_test(a_cache_that_may_explain_it_leaves_no_leak_certain),
        cmocka_unit_test(what_emptying_the_cache_leaves_is_the_leak),
        cmocka_unit_test(the_loss_of_a_population_is_the_whole_of_it),
        cmocka_unit_test(the_objects_own_site_is_blamed_first),
        cmocka_unit_test(what_retained_objects_may_hold_is_not_called_lost),
        cmocka_unit_test(what_was_not_counted_names_no_object),
        cmocka_unit_test(a_deferred_object_is_named_too),
        cmocka_unit_test(the_size_class_outside_is_named),
        cmocka_unit_test(an_undecided_site_asks_for_another_epoch),
        cmocka_unit_test(metrics_say_where_they_began_and_ended),
        cmocka_unit_test(a_heap_that_grows_by_what_the_ledger_lost_is_explained),
        cmocka_unit_test(chances_are_those_of_the_tables),
        cmocka_unit_test(chances_are_one_at_most_and_alike_about_the_mean),
        cmocka_unit_test(as_improbable_a_deviate_takes_the_place_of_students),
        cmocka_unit_test(no_evidence_at_all_is_inconclusive),
        cmocka_unit_test(sensitivity_stands_in_every_verdict_that_judged_epochs),
        cmocka_unit_test(words_and_codes_are_the_documented_ones),
        cmocka_unit_test(leaks_come_before_doubts_before_what_is_explained),
        cmocka_unit_test(open_files_that_grow_ask_for_a_hold_too),
        cmocka_unit_test(every_gauge_is_judged),
        cmocka_unit_test(every_cache_may_be_the_one_that_fills),
        cmocka_unit_test(a_hold_of_half_a_second_tells_growth_by_time),
        cmocka_unit_test(few_blocks_in_a_hold_are_by_time_where_chance_gives_so_few),
        cmocka_unit_test(a_table_that_grew_in_the_newest_epoch_asks_for_more),
        cmocka_unit_test(error_queues_of_all_threads_ever_seen_count),
        cmocka_unit_test(the_index_of_an_expected_cache_has_its_bound),
        cmocka_unit_test(half_of_the_survivors_confirm_a_leak),
        cmocka_unit_test(what_slows_down_evenly_is_in_doubt),
        cmocka_unit_test(both_halves_are_told_when_they_are_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
