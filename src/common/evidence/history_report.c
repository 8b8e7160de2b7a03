/* SPDX-License-Identifier: Apache-2.0 */
/* What a history tells of a run, beside what the judge reads. */
#include "history_internal.h"

#include "base/check.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

size_t history_epochs(const struct history *h)
{
    return h->epochs;
}

const struct judge_epoch *history_epoch(const struct history *h, size_t c)
{
    CHECK(c < h->epochs);
    return &h->epoch[c];
}

void history_born(const struct history *h, size_t site, size_t c, int64_t *ret_blocks,
                  int64_t *ret_bytes)
{
    CHECK(c < h->epochs && site < h->last.sites);
    *ret_blocks = h->last.site[site].born_blocks[c];
    *ret_bytes = h->last.site[site].born_bytes[c];
}

int64_t history_alive(const struct history *h, size_t site, size_t birth, size_t c)
{
    CHECK(birth <= c && c < h->epochs);
    return h->alive[c] && site < h->alive_sites[c] ? h->alive[c][site * (c + 1) + birth] : 0;
}

struct history_loss history_lost_at(const struct history *h, const struct judgement *j, size_t site,
                                    size_t c)
{
    struct history_loss lost;
    CHECK(c < h->epochs && site < h->last.sites);
    if (judgement_emptied(j, site))
        return (struct history_loss){.blocks = h->left[site][c][0], .bytes = h->left[site][c][1]};
    history_born(h, site, c, &lost.blocks, &lost.bytes);
    return lost;
}

struct history_loss history_lost(const struct history *h, const struct judgement *j, size_t c)
{
    struct history_loss all = {0};
    CHECK(c < h->epochs);
    for (size_t i = 0; i < h->last.sites; i++) {
        if (!judgement_leaks(j, i))
            continue;
        struct history_loss lost = history_lost_at(h, j, i, c);
        all.blocks += lost.blocks;
        all.bytes += lost.bytes;
    }
    return all;
}

const char *history_site(const struct history *h, size_t site, uint32_t *ret_line)
{
    CHECK(site < h->last.sites);
    *ret_line = h->last.site[site].line;
    return h->last.site[site].file;
}

size_t history_sites(const struct history *h)
{
    return h->last.sites;
}

const char *history_class(const struct history *h, size_t class_)
{
    CHECK(class_ < h->last.classes);
    return h->last.class_[class_].name;
}

size_t history_classes(const struct history *h)
{
    return h->last.classes;
}

static size_t baseline(const struct history *h)
{
    return h->first == SIZE_MAX ? h->epochs - 1 : h->first ? h->first - 1 : 0;
}

void history_census(const struct history *h, size_t class_, int64_t *ret_start, int64_t *ret_end)
{
    CHECK(h->epochs > 0 && class_ < PAGE_CLASSES);
    *ret_start = h->class_live[class_][baseline(h)];
    *ret_end = h->class_live[class_][h->epochs - 1];
}

uint64_t history_size_class(const struct history *h, size_t class_, int64_t *ret_start,
                            int64_t *ret_end)
{
    CHECK(h->epochs > 0 && class_ < PAGE_SIZE_CLASSES);
    *ret_start = h->regions[class_][baseline(h)];
    *ret_end = h->regions[class_][h->epochs - 1];
    return h->last.heap.present ? h->last.heap.class_size[class_] : 0;
}

static void add_exact(const struct history *h, bool bytes, bool libuv, double *ret)
{
    for (size_t i = 0; i < h->last.sites; i++) {
        if ((strcmp(h->last.site[i].file, "libuv") == 0) != libuv)
            continue;
        for (size_t c = 0; c < h->epochs; c++)
            ret[c] += (double)(bytes ? h->bytes[i][c] : h->blocks[i][c]);
    }
}

static bool class_series(const struct history *h, const char *name, double *ret)
{
    for (size_t i = 0; i < h->last.classes; i++) {
        if (strcmp(h->last.class_[i].name, name) != 0)
            continue;
        for (size_t c = 0; c < h->epochs; c++)
            ret[c] = (double)h->class_live[i][c];
        return true;
    }
    return false;
}

bool history_series(const struct history *h, const char *id, double *ret)
{
    enum metric metric;
    memset(ret, 0, h->epochs * sizeof *ret);
    if (!metric_from_name(id, &metric))
        return false;
    bool bytes = metric == METRIC_OPENSSL_BYTES, libuv = metric == METRIC_LIBUV_BLOCKS;
    if (bytes || libuv || metric == METRIC_OPENSSL_BLOCKS)
        add_exact(h, bytes, libuv, ret);
    else if (metric == METRIC_SSL_OBJECTS)
        return class_series(h, "SSL", ret);
    else
        memcpy(ret, h->gauge[metric], h->epochs * sizeof *ret);
    return true;
}

int64_t history_blocks(const struct history *h, size_t c)
{
    CHECK(c < h->epochs);
    return h->total[c].blocks;
}

uint64_t history_opened(const struct history *h, size_t c)
{
    CHECK(c < h->epochs);
    return h->total[c].opened;
}

int64_t history_survivors(const struct history *h)
{
    int64_t sum = 0;
    for (size_t i = 0; i < h->last.sites; i++) {
        for (size_t c = 0; c < h->epochs; c++) {
            if (h->epoch[c].measured && h->epoch[c].all_closed)
                sum += h->last.site[i].born_blocks[c];
        }
    }
    return sum;
}

/* CPU time per connection over those of the measured epochs that are, or aren't, in `captured`. */
static double cpu_us(const struct history *h, uint64_t captured, bool inside)
{
    uint64_t ns = 0, opened = 0;
    for (size_t c = baseline(h) + 1; c < h->epochs; c++) {
        uint64_t now = h->total[c].opened - h->total[c - 1].opened;
        if ((captured >> c & 1) != inside || now == 0)
            continue;
        ns += h->total[c].cpu_ns - h->total[c - 1].cpu_ns;
        opened += now;
    }
    return opened ? (double)ns / 1000.0 / (double)opened : 0;
}

void history_cost(const struct history *h, uint64_t captured, struct history_cost *ret)
{
    *ret = (struct history_cost){0};
    if (h->epochs < 2 || h->first == SIZE_MAX)
        return;
    size_t from = baseline(h), to = h->epochs - 1;
    uint64_t opened = h->total[to].opened - h->total[from].opened;
    ret->measured = h->epoch[to].closed - h->epoch[from].closed - h->disturbed;
    ret->cpu_us_per_conn = cpu_us(h, captured, false);
    ret->captured_us_per_conn = cpu_us(h, captured, true);
    if (opened)
        ret->allocs_per_conn =
            (double)(h->total[to].allocs - h->total[from].allocs) / (double)opened;
    if (h->has_drain && h->total[to].bytes > h->drain_bytes)
        ret->drained_bytes = (uint64_t)(h->total[to].bytes - h->drain_bytes);
}

/* ---- one connection ---- */

/* A total's growth in each measured epoch, by the connections that were opened in it; `at`: the
 * total's place in struct totals. Returns how many epochs had any. */
static size_t per_opened(const struct history *h, size_t at, double *ret)
{
    size_t count = 0;
    for (size_t c = baseline(h) + 1; c < h->epochs; c++) {
        const char *now = (const char *)&h->total[c], *before = (const char *)&h->total[c - 1];
        uint64_t opened = h->total[c].opened - h->total[c - 1].opened;
        if (opened)
            ret[count++] =
                (double)(*(const uint64_t *)(now + at) - *(const uint64_t *)(before + at)) /
                (double)opened;
    }
    return count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_near(double value, double to)
{
    return value >= to * (1 - HISTORY_SPREAD) && value <= to * (1 + HISTORY_SPREAD);
}

/* The median, as the whole number that one connection has; and whether all epochs agree. */
static double middle(double *value, size_t count, bool *exact)
{
    qsort(value, count, sizeof *value, by_value);
    double median = value[count / 2];
    *exact &= is_near(value[0], median) && is_near(value[count - 1], median);
    return round(median);
}

static void add_held(const struct history *h, double open, struct history_footprint *ret)
{
    const struct totals *last = &h->total[h->epochs - 1];
    ret->held_blocks = (double)(last->blocks - h->drain_blocks) / open;
    ret->held_bytes = (double)(last->bytes - h->drain_bytes) / open;
    for (size_t c = baseline(h); c < h->epochs; c++)
        ret->exact &= is_near((double)(h->total[c].bytes - h->drain_bytes) / open, ret->held_bytes);
}

void history_footprint(const struct history *h, uint64_t open, struct history_footprint *ret)
{
    double value[PAGE_EPOCHS];
    *ret = (struct history_footprint){.exact = true};
    if (h->epochs < 2 || h->first == SIZE_MAX || !h->has_drain || !open)
        return;
    size_t count = per_opened(h, offsetof(struct totals, allocs), value);
    if (!count)
        return;
    ret->connections = h->total[h->epochs - 1].opened - h->total[baseline(h)].opened;
    ret->allocs = middle(value, count, &ret->exact);
    per_opened(h, offsetof(struct totals, reallocs), value);
    ret->reallocs = middle(value, count, &ret->exact);
    per_opened(h, offsetof(struct totals, alloc_bytes), value);
    ret->alloc_bytes = middle(value, count, &ret->exact);
    add_held(h, (double)open, ret);
}

void history_site_cost(const struct history *h, size_t site, uint64_t open, double *ret_allocs,
                       double *ret_held_bytes)
{
    CHECK(site < h->last.sites && h->epochs > 0);
    const struct snapshot_site *s = &h->last.site[site];
    uint64_t opened = h->total[h->epochs - 1].opened - h->total[baseline(h)].opened;
    double made = opened ? (double)(s->made - h->made_before[site]) / (double)opened : 0;
    *ret_allocs = is_near(made, round(made)) ? round(made) : made;
    *ret_held_bytes = open ? (double)(s->bytes - h->empty[site]) / (double)open : 0;
}
