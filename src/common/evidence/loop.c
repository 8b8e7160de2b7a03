/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <stdlib.h>
#include <string.h>

/* An ordinal that no run comes to. */
static const uint64_t NOWHERE = UINT64_MAX - 1;

/* ---- the runs ---- */

/* What counts on from process to process, of this one alone. */
static void subtract(struct snapshot *s, const struct snapshot *before)
{
    s->allocs -= before->allocs;
    s->frees -= before->frees;
    s->reallocs -= before->reallocs;
    s->alloc_bytes -= before->alloc_bytes;
    s->app.opened -= before->app.opened;
    s->app.closed -= before->app.closed;
}

static struct snapshot_site *copy_sites(const struct snapshot *s)
{
    struct snapshot_site *site = calloc(s->sites ? s->sites : 1, sizeof *site);
    if (site)
        memcpy(site, s->site, s->sites * sizeof *site);
    return site;
}

int loop_record_add(struct loop_record *l, const struct loop_run *run)
{
    struct snapshot_site *site = l->runs == PAGE_EPOCHS ? NULL : copy_sites(&run->snapshot);
    if (!site)
        return -1;
    struct loop_run *to = &l->run[l->runs++];
    *to = *run;
    to->snapshot.site = site;
    subtract(&to->snapshot, &l->before);
    l->before = run->snapshot;
    l->before.site = NULL;
    return 0;
}

void loop_record_free(struct loop_record *l)
{
    while (l->runs)
        snapshot_free(&l->run[--l->runs].snapshot);
}

/* ---- in the order of their connections ---- */

struct fold {
    const struct loop_record *l;
    size_t runs;
    const struct loop_run *run[PAGE_EPOCHS];
    uint64_t objects[PAGE_EPOCHS]; /* made by them: a run that made less than a shorter one counts
                                      as that one */
    size_t planted;                /* where the self-check's block stands; SIZE_MAX: nowhere yet */
};

static int by_connections(const void *a, const void *b)
{
    const struct loop_run *x = *(const struct loop_run *const *)a,
                          *y = *(const struct loop_run *const *)b;
    if (x->made != y->made)
        return x->made > y->made ? 1 : -1;
    return (x > y) - (x < y);
}

/* The first with so many connections: others with as many begin nothing. */
static size_t place_of(const struct fold *f, const struct loop_run *run)
{
    size_t c = 0;
    while (f->run[c] != run)
        c++;
    while (c > 0 && f->objects[c - 1] == f->objects[c])
        c--;
    return c;
}

static void sort(struct fold *f, const struct loop_record *l)
{
    *f = (struct fold){.l = l, .runs = l->runs, .planted = SIZE_MAX};
    for (size_t i = 0; i < l->runs; i++)
        f->run[i] = &l->run[i];
    qsort(f->run, f->runs, sizeof *f->run, by_connections);
    for (size_t c = 0; c < f->runs; c++) {
        uint64_t objects = f->run[c]->snapshot.app.opened, before = c ? f->objects[c - 1] : 0;
        f->objects[c] = objects > before ? objects : before;
    }
    for (size_t i = 0; i < l->runs; i++)
        if (l->run[i].planted)
            f->planted = place_of(f, &l->run[i]);
}

/* ---- a checkpoint ---- */

struct live {
    int64_t blocks[PAGE_EPOCHS], bytes[PAGE_EPOCHS]; /* of a site, at each end until this one */
};

/* What began before each end and is there at all later ones, less what began before the one before
 * it. */
static void survive(const int64_t *live, size_t last, int64_t *ret_born)
{
    int64_t least = live[last];
    for (size_t c = last + 1; c-- > 0;) {
        int64_t now = live[c] < least ? live[c] : least;
        if (c < last)
            ret_born[c + 1] = least - now;
        least = now;
    }
    ret_born[0] = least;
}

static void fill(struct snapshot_site *site, const struct live *live, size_t last)
{
    memset(site->born_blocks, 0, sizeof site->born_blocks);
    memset(site->born_bytes, 0, sizeof site->born_bytes);
    site->blocks = live->blocks[last];
    site->bytes = live->bytes[last];
    survive(live->blocks, last, site->born_blocks);
    survive(live->bytes, last, site->born_bytes);
}

static void fill_sites(const struct fold *f, size_t last, struct snapshot *to)
{
    struct live live;
    for (size_t i = 0; i < to->sites; i++) {
        for (size_t c = 0; c <= last; c++) {
            const struct snapshot *of = &f->run[c]->snapshot;
            bool known = i < of->sites;
            live.blocks[c] = known ? of->site[i].blocks : 0;
            live.bytes[c] = known ? of->site[i].bytes : 0;
        }
        fill(&to->site[i], &live, last);
    }
}

/* What is planted once is of one run alone; it stands where that run does, and stays from there on,
 * as it would in one process. */
static void fill_plants(const struct fold *f, size_t last, struct snapshot *to)
{
    struct live live;
    for (size_t i = 0; i < PAGE_PLANTS; i++) {
        bool once = i == PAGE_PLANT_LOST || i == PAGE_PLANT_ONE_TIME;
        for (size_t c = 0; c <= last; c++) {
            const struct snapshot_site *of = &f->run[c]->snapshot.plant[i];
            if (once)
                of = &f->l->run[f->l->runs - 1].snapshot.plant[i];
            bool there = !once || c >= f->planted;
            live.blocks[c] = there ? of->blocks : 0;
            live.bytes[c] = there ? of->bytes : 0;
        }
        fill(&to->plant[i], &live, last);
    }
}

/* The names are those of the newest run, which knows all. */
static bool begin(const struct fold *f, size_t c, struct snapshot *ret)
{
    const struct snapshot *newest = &f->l->run[f->l->runs - 1].snapshot, *of = &f->run[c]->snapshot;
    *ret = *of;
    ret->sites = newest->sites;
    ret->classes = newest->classes;
    memcpy(ret->class_, newest->class_, sizeof ret->class_);
    for (size_t i = 0; i < ret->classes; i++)
        ret->class_[i].live = i < of->classes ? of->class_[i].live : 0;
    memset(&ret->heap, 0, sizeof ret->heap); /* of a moment before */
    ret->app.opened = f->objects[c];
    ret->site = copy_sites(newest);
    return ret->site != NULL;
}

static int add(const struct fold *f, size_t c, struct history *h)
{
    const struct loop_run *run = f->run[c];
    struct history_sample s = {.unit = UNIT_CONNECTION,
                               .by_load = true,
                               .ended = true,
                               .opened = run->made,
                               .closed = run->made};
    if (!begin(f, c, &s.snapshot))
        return -1;
    fill_sites(f, c, &s.snapshot);
    fill_plants(f, c, &s.snapshot);
    enum history_phase phase = c ? HISTORY_MEASURE : HISTORY_WARM;
    int rc = history_checkpoint(h, &s, phase, run->seconds, UINT64_MAX);
    snapshot_free(&s.snapshot);
    return rc;
}

int loop_record_fold(const struct loop_record *l, struct history *h)
{
    struct fold f;
    int rc = 0;
    sort(&f, l);
    history_restart(h);
    bool armed = l->runs && l->run[l->runs - 1].armed;
    canary_record_place(history_canary_record(h), armed,
                        f.planted == SIZE_MAX ? NOWHERE : f.objects[f.planted] - 1);
    for (size_t c = 0; c < f.runs && rc == 0; c++)
        rc = add(&f, c, h);
    return rc;
}
