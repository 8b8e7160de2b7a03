/* SPDX-License-Identifier: Apache-2.0 */
#include "history_internal.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct history *history_new(void)
{
    struct history *h = calloc(1, sizeof *h);
    if (h)
        h->first = SIZE_MAX;
    return h;
}

struct history *history_beside(const struct history *like)
{
    struct history *h = history_new();
    if (!h)
        return NULL;
    h->epochs = like->epochs;
    h->first = like->first;
    memcpy(h->epoch, like->epoch, sizeof h->epoch);
    memcpy(h->own, like->own, sizeof h->own);
    for (size_t c = 0; c < h->epochs; c++)
        h->total[c].opened = like->total[c].opened;
    h->own_begun = like->own_begun;
    return h;
}

static void forget(struct history *h)
{
    snapshot_free(&h->last);
    by_thread_free(&h->by_thread);
    for (size_t c = 0; c < h->epochs; c++)
        free(h->alive[c]);
}

void history_free(struct history *h)
{
    if (h)
        forget(h);
    free(h);
}

void history_restart(struct history *h)
{
    struct canary_record canary = {.plan = h->canary.plan, .seed = h->canary.seed};
    forget(h);
    memset(h, 0, sizeof *h);
    h->first = SIZE_MAX;
    h->canary = canary;
}

static void keep_counts(struct history *h, const struct snapshot *s, size_t c)
{
    for (size_t i = 0; i < s->sites; i++) {
        h->blocks[i][c] = s->site[i].blocks;
        h->bytes[i][c] = s->site[i].bytes;
    }
    for (size_t i = 0; i < s->classes; i++)
        h->class_live[i][c] = s->class_[i].live;
    for (size_t i = 0; i < PAGE_CACHES; i++)
        h->population[i][c] = s->cache[i].population;
    for (size_t i = 0; i < PAGE_SIZE_CLASSES; i++)
        h->regions[i][c] = (int64_t)s->heap.class_regions[i];
}

#define KEEP_GAUGE(id, name, unit, role, row, label, word, value, present, limit)                  \
    h->gauge[id][c] = (double)(value);

static void keep_gauges(struct history *h, const struct history_sample *s, size_t c)
{
    GAUGE_LIST(KEEP_GAUGE)
}

static bool keep_last(struct history *h, const struct snapshot *s)
{
    struct snapshot_site *sites = calloc(s->sites ? s->sites : 1, sizeof *sites);
    if (!sites)
        return false;
    memcpy(sites, s->site, s->sites * sizeof *sites);
    snapshot_free(&h->last);
    h->last = *s;
    h->last.site = sites;
    return true;
}

static int32_t clamp(int64_t blocks)
{
    return blocks > INT32_MAX ? INT32_MAX : blocks < INT32_MIN ? INT32_MIN : (int32_t)blocks;
}

/* At most PAGE_EPOCHS * PAGE_EPOCHS / 2 numbers per site: 17 MB for a full table of sites, and
 * mostly less than one. */
static bool keep_alive(struct history *h, const struct snapshot *s, size_t c)
{
    int32_t *to = calloc(s->sites ? s->sites * (c + 1) : 1, sizeof *to);
    if (!to)
        return false;
    for (size_t i = 0; i < s->sites; i++)
        for (size_t birth = 0; birth <= c; birth++)
            to[i * (c + 1) + birth] = clamp(s->site[i].born_blocks[birth]);
    h->alive[c] = to;
    h->alive_sites[c] = s->sites;
    return true;
}

/* The subject's own connections; or operations, of which the server sees more than the client has
 * done: those that established the connections. Of reloads, only the program that is reloaded has
 * any. */
static void keep_own(struct history *h, const struct history_sample *s, size_t c)
{
    bool counted = s->unit == UNIT_OPERATION || (s->unit == UNIT_RELOAD && s->by_load);
    uint64_t begun = counted ? s->snapshot.app.operations : s->snapshot.app.opened;
    h->own[c] = h->epoch[c];
    h->own[c].opened = begun - h->own_begun;
    h->own_begun = begun;
}

void history_look(struct history *h, const struct proc_sample *p)
{
    h->descriptors = p->descriptors > h->descriptors ? p->descriptors : h->descriptors;
}

int history_checkpoint(struct history *h, const struct history_sample *s, enum history_phase phase,
                       double seconds, uint64_t oldest)
{
    size_t c = h->epochs;
    const struct snapshot *snap = &s->snapshot;
    if (c >= PAGE_EPOCHS || !keep_last(h, snap) || !keep_alive(h, snap, c))
        return -1;
    keep_counts(h, snap, c);
    keep_gauges(h, s, c);
    history_look(h, &s->proc);
    canary_record_checkpoint(&h->canary, snap, c);
    uint64_t before = c ? h->total[c - 1].opened : 0;
    bool counted = s->unit != UNIT_CONNECTION;
    uint64_t opened = counted ? s->operations : s->by_load ? s->opened : snap->app.opened;
    uint64_t closed = counted ? s->operations : s->by_load ? s->closed : snap->app.closed;
    h->total[c] = (struct totals){.blocks = snap->blocks,
                                  .bytes = snap->bytes,
                                  .opened = opened,
                                  .allocs = snap->allocs,
                                  .reallocs = snap->reallocs,
                                  .alloc_bytes = snap->alloc_bytes,
                                  .cpu_ns = s->proc.cpu_ns};
    h->epoch[c] =
        (struct judge_epoch){.opened = opened - before,
                             .closed = closed,
                             .seconds = seconds,
                             .measured = phase == HISTORY_MEASURE || phase == HISTORY_HOLD,
                             .hold = phase == HISTORY_HOLD};
    if (phase == HISTORY_DISTURBED && h->first != SIZE_MAX && c)
        h->disturbed += closed - h->epoch[c - 1].closed;
    h->unit = s->unit;
    h->by_load = s->by_load;
    h->several = s->several;
    h->ended = s->ended;
    h->one_process = s->one_process;
    h->gone |= s->gone;
    keep_own(h, s, c);
    h->epochs = c + 1;
    if (phase != HISTORY_WARM && phase != HISTORY_DISTURBED && h->first == SIZE_MAX)
        h->first = c;
    for (size_t i = 0; i < snap->sites && (h->first == SIZE_MAX || c == 0); i++)
        h->made_before[i] = snap->site[i].made;
    for (size_t i = 0; i < h->epochs; i++)
        h->epoch[i].all_closed = h->own[i].all_closed = i < oldest;
    return 0;
}

void history_threads(struct history *h, const struct page *page)
{
    by_thread_free(&h->by_thread);
    by_thread_read(page, &h->by_thread);
}

/* Of what is live, what was born in epochs the judge convicts on. */
static int64_t measured(const struct history *h, const int64_t *born)
{
    int64_t sum = 0;
    for (size_t c = 0; c < h->epochs; c++)
        sum += h->epoch[c].measured && h->epoch[c].all_closed ? born[c] : 0;
    return sum;
}

static void keep_flushed(struct history *h, const struct snapshot *s)
{
    for (size_t i = 0; i < s->sites; i++) {
        h->flushed[i] = measured(h, s->site[i].born_blocks);
        h->flushed_bytes[i] = measured(h, s->site[i].born_bytes);
    }
}

static void keep_left(struct history *h, const struct snapshot *s)
{
    for (size_t i = 0; i < s->sites; i++) {
        for (size_t c = 0; c < h->epochs; c++) {
            h->left[i][c][0] = s->site[i].born_blocks[c];
            h->left[i][c][1] = s->site[i].born_bytes[c];
        }
    }
}

void history_closed(struct history *h, const struct snapshot *s)
{
    for (size_t i = 0; i < s->sites; i++)
        h->closed[i] = measured(h, s->site[i].born_blocks);
}

void history_drained(struct history *h, const struct snapshot *s)
{
    keep_flushed(h, s);
    canary_record_drained(&h->canary, s, h->own, h->epochs);
    memcpy(h->drained, h->flushed, sizeof h->drained);
    keep_left(h, s);
    for (size_t i = 0; i < s->classes; i++)
        h->class_drained[i] = h->class_flushed[i] = s->class_[i].live;
    for (size_t i = 0; i < s->sites; i++)
        h->empty[i] = s->site[i].bytes;
    h->drain_bytes = s->bytes;
    h->drain_blocks = s->blocks;
    h->has_drain = true;
}

void history_flushed(struct history *h, const struct snapshot *s)
{
    keep_flushed(h, s);
    keep_left(h, s);
    canary_record_flushed(&h->canary, s, h->own, h->epochs);
    for (size_t i = 0; i < s->classes; i++)
        h->class_flushed[i] = s->class_[i].live;
}

/* The arrays that only live while the judge reads them. */
struct lent {
    struct judge_site site[PAGE_SITES];
    struct judge_class class_[PAGE_CLASSES];
    struct judge_cache cache[PAGE_CACHES];
    struct judge_size_class size_class[PAGE_SIZE_CLASSES];
    struct judge_gauge gauge[METRICS];
    double closed[PAGE_EPOCHS];
};

static const uint64_t *kept_by(const struct by_thread *b, size_t site)
{
    return site < b->sites && b->threads ? &b->kept[site * b->threads] : NULL;
}

static uint64_t serving(const struct history *h)
{
    uint64_t measured = 0, count = 0;
    for (size_t c = 0; c < h->epochs; c++)
        measured |= (uint64_t)(h->epoch[c].measured && !h->epoch[c].hold) << c;
    for (size_t t = 0; t < h->by_thread.threads; t++)
        count += (h->by_thread.makes[t] & measured) != 0;
    return count;
}

static void lend_sites(const struct history *h, struct lent *l, struct evidence *e)
{
    e->sites = h->last.sites;
    e->site = l->site;
    for (size_t i = 0; i < h->last.sites; i++) {
        const struct snapshot_site *s = &h->last.site[i];
        l->site[i] = (struct judge_site){.file = s->file,
                                         .line = s->line,
                                         .kept_by = kept_by(&h->by_thread, i),
                                         .passed_on = h->by_thread.passed_on[i],
                                         .blocks = h->blocks[i],
                                         .bytes = h->bytes[i],
                                         .born_blocks = s->born_blocks,
                                         .born_bytes = s->born_bytes,
                                         .closed_blocks = h->closed[i],
                                         .drained_blocks = h->drained[i],
                                         .flushed_blocks = h->flushed[i],
                                         .flushed_bytes = h->flushed_bytes[i]};
    }
}

static void lend_classes(const struct history *h, struct lent *l, struct evidence *e)
{
    e->classes = h->last.classes;
    e->class_ = l->class_;
    for (size_t i = 0; i < h->last.classes; i++) {
        const struct snapshot_class *k = &h->last.class_[i];
        l->class_[i] = (struct judge_class){.name = k->name,
                                            .live = h->class_live[i],
                                            .drained = h->class_drained[i],
                                            .flushed = h->class_flushed[i],
                                            .site = k->site ? k->site : SIZE_MAX};
    }
}

static void lend_heap(const struct history *h, struct lent *l, struct evidence *e)
{
    e->cache = l->cache;
    for (size_t i = 0; i < PAGE_CACHES; i++) {
        if (!h->last.cache[i].name[0])
            continue;
        l->cache[e->caches++] = (struct judge_cache){.name = h->last.cache[i].name,
                                                     .population = h->population[i],
                                                     .capacity = h->last.cache[i].capacity};
    }
    e->size_class = l->size_class;
    for (size_t i = 0; i < PAGE_SIZE_CLASSES && h->last.heap.present; i++) {
        if (h->last.heap.class_size[i])
            l->size_class[e->size_classes++] = (struct judge_size_class){
                .size = h->last.heap.class_size[i], .regions = h->regions[i]};
    }
}

static struct judge_gauge gauge_from(const struct history *h, size_t from, enum metric metric,
                                     double limit, const struct lent *l)
{
    return (struct judge_gauge){.metric = metric,
                                .limit = limit,
                                .count = h->epochs - from,
                                .closed = l->closed + from,
                                .value = h->gauge[metric] + from};
}

#define LEND_GAUGE(id, name, unit, role, row, label, word, value, present, limit)                  \
    if (present)                                                                                   \
        l->gauge[e->gauges++] = gauge_from(h, from, id, limit, l);

static void lend_gauges(const struct history *h, const struct history_question *q, struct lent *l,
                        struct evidence *e)
{
    const struct snapshot *last = &h->last;
    /* Points start at the checkpoint before the first measured epoch: the baseline. */
    size_t from = h->first == SIZE_MAX || h->first == 0 ? 0 : h->first - 1;
    for (size_t c = from; c < h->epochs; c++)
        l->closed[c] = (double)h->epoch[c].closed;
    e->gauge = l->gauge;
    if (h->ended)
        return;
    GAUGE_LIST(LEND_GAUGE)
}

void history_judge(const struct history *h, const struct history_question *question,
                   struct judgement *ret)
{
    struct lent *l = calloc(1, sizeof *l);
    CHECK(l);
    const struct snapshot *s = &h->last;
    struct evidence e = {.epochs = h->epochs,
                         .epoch = h->epoch,
                         .drained = h->has_drain,
                         .hooked = s->mode != PAGE_MODE_INACTIVE && s->bad_frees == 0,
                         .unit = h->unit,
                         .overflowed = s->sites_lost || s->epochs_late || s->blocks_lost,
                         .ended = h->ended,
                         .moving = question->moving,
                         .outside = question->outside,
                         .descriptors = h->descriptors,
                         .failed = question->load.failed,
                         .tried = judge_tried(&question->load),
                         .foreign = question->foreign,
                         .handshakes = question->handshakes,
                         .warm_up = question->warm_up,
                         .want_one_in = question->want_one_in,
                         .unasked = question->unasked,
                         .expected = question->expected,
                         .processes = question->processes,
                         .held = question->held,
                         .threads = h->by_thread.threads,
                         .serving = serving(h),
                         .seed = question->seed};
    lend_sites(h, l, &e);
    lend_classes(h, l, &e);
    lend_heap(h, l, &e);
    lend_gauges(h, question, l, &e);
    judge(&e, ret);
    free(l);
    struct canary check;
    history_canary(h, &check);
    canary_apply(&check, ret);
}

struct canary_record *history_canary_record(struct history *h)
{
    return &h->canary;
}

void history_canary(const struct history *h, struct canary *ret)
{
    const struct canary_subject subject = {
        .epoch = h->own,
        .epochs = h->epochs,
        /* Who doesn't count its connections isn't told of the drain either: its controls stay. */
        .drained = h->has_drain && !h->by_load,
        .shared = h->by_load || h->several,
        .one_process = h->one_process,
        .gone = h->gone};
    canary_record_judge(&h->canary, &subject, ret);
}
