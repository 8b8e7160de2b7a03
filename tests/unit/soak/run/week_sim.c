/* SPDX-License-Identifier: Apache-2.0 */
#include "week_sim.h"

#include "rebuild/forms.h"
#include "report/document.h"
#include "run/checkpoint.h"
#include "run/churn.h"
#include "run/live_page.h"
#include "run/outcome.h"
#include "run/sampler.h"
#include "run/settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Sites by their numbers in the page, and the blocks of a connection. */
enum { STATE = 1, LOST, CACHED, PLANT_0, SITES = PLANT_0 + PAGE_PLANTS };
enum { BLOCKS = 200, BLOCK_BYTES = 48, LOST_BYTES = 64, ENTRY_BYTES = 112, SITE_LINE = 77 };
enum { MINUTE_S = 60, DAY_S = 86400 };
static const uint64_t SECOND_NS = 1000000000u;

/* ---- the clock ---- */

static uint64_t now_ns;

/* In place of libc's, for all that is linked. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (clock != CLOCK_MONOTONIC || !now_ns)
        return (int)syscall(SYS_clock_gettime, clock, ret);
    ret->tv_sec = (time_t)(now_ns / SECOND_NS);
    ret->tv_nsec = (long)(now_ns % SECOND_NS);
    return 0;
}

void week_sleep(uint64_t ms)
{
    now_ns += ms * 1000000u;
}

/* ---- the programs ---- */

static struct week *present; /* its subjects have no other way to it */

static int measure(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e)
{
    (void)e;
    uint64_t noise = present->ticks * 7919 % 101 * 4096;
    uint64_t spike =
        s->role == SUBJECT_JUDGED && present->ticks == present->spike_at ? 1u << 30 : 0;
    *ret = (struct proc_sample){.rss_bytes = (20u << 20) + noise + spike,
                                .rss_anon_bytes = 8u << 20,
                                .threads = 2,
                                .open_files = 40,
                                .descriptors = 41,
                                .cpu_ns = present->ticks * SECOND_NS / 4};
    if (ret_rollup)
        *ret_rollup = (struct proc_rollup){.pss_bytes = 16u << 20};
    return 0;
}

static void end_nothing(struct subject *s)
{
    (void)s;
}

static struct page *page_of(struct week *w, size_t subject)
{
    return w->run.watched[subject].subject->child.page;
}

static void name_site(struct page *page, size_t number, const char *file, uint64_t line)
{
    struct page_site *site = &page->site[number];
    site->line = line;
    snprintf(site->file, sizeof site->file, "%s", file);
    atomic_store(&site->key, number);
    atomic_store(&site->ready, 1);
}

static void fill_page(struct page *page)
{
    struct page_process *process = &page->process[0];
    atomic_store(&page->mode, PAGE_MODE_HOOKS);
    name_site(page, STATE, "ssl/ssl_lib.c", SITE_LINE);
    name_site(page, LOST, "ssl/lost.c", SITE_LINE);
    name_site(page, CACHED, "ssl/cache.c", SITE_LINE);
    for (size_t i = 0; i < PAGE_PLANTS; i++)
        name_site(page, PLANT_0 + i, PAGE_PLANT_FILE, 1 + i);
    atomic_store(&page->sites, SITES);
    atomic_store(&page->slot[0].used, 1);
    atomic_store(&process->heap.present, 1);
    atomic_store(&process->heap.class_size[0], LOST_BYTES);
    atomic_store(&process->heap.class_size[1], ENTRY_BYTES);
    atomic_store(&process->mode, PAGE_MODE_HOOKS);
    atomic_store(&process->pid, (uint64_t)getpid());
}

/* What lives; what was freed stays. */
static void set_cell(struct page *page, uint64_t epoch, size_t site, uint64_t blocks,
                     uint64_t bytes)
{
    struct page_cell *cell = &page->thread[0].cell[epoch][site];
    atomic_store(&cell->made, atomic_load(&cell->freed) + blocks);
    atomic_store(&cell->made_bytes, atomic_load(&cell->freed_bytes) + bytes);
}

/* All live blocks of a site that always belong to the newest connections. */
static void move_cell(struct page *page, uint64_t epoch, size_t site, uint64_t blocks,
                      uint64_t bytes)
{
    for (uint64_t before = 0; before < epoch; before++)
        set_cell(page, before, site, 0, 0);
    set_cell(page, epoch, site, blocks, bytes);
}

/* ---- connections ---- */

/* Multiples of `one_in` from `from` on, before `to`. */
static uint64_t times(uint64_t from, uint64_t to, uint64_t one_in)
{
    return one_in ? (to + one_in - 1) / one_in - (from + one_in - 1) / one_in : 0;
}

static void plant(struct page *page, uint64_t epoch, uint64_t from, uint64_t to)
{
    struct page_check *check = &page->check;
    uint64_t lost = atomic_load(&check->lost_at), one_time = atomic_load(&check->one_time_at);
    if (lost && lost - 1 >= from && lost - 1 < to)
        set_cell(page, epoch, PLANT_0 + PAGE_PLANT_LOST, 1, atomic_load(&check->lost_bytes));
    if (one_time && one_time - 1 >= from && one_time - 1 < to)
        set_cell(page, epoch, PLANT_0 + PAGE_PLANT_ONE_TIME, 1, 16);
    if (from >= atomic_load(&check->until))
        return;
    move_cell(page, epoch, PLANT_0 + PAGE_PLANT_CACHE, PAGE_PLANT_RING, PAGE_PLANT_RING * 24);
    move_cell(page, epoch, PLANT_0 + PAGE_PLANT_DEFERRED, PAGE_PLANT_WAITING,
              PAGE_PLANT_WAITING * 40);
}

static void count(struct page *page, uint64_t epoch, uint64_t from, uint64_t to)
{
    uint64_t connections = to - from, open = WEEK_CONNS * BLOCKS;
    atomic_store(&page->app.opened, to);
    atomic_store(&page->app.handshakes, to);
    atomic_store(&page->app.closed, to - WEEK_CONNS);
    atomic_store(&page->app.established, WEEK_CONNS);
    struct page_cell *cell = &page->thread[0].cell[epoch][STATE];
    atomic_fetch_add(&cell->freed, connections * BLOCKS);
    atomic_fetch_add(&cell->freed_bytes, connections * BLOCKS * BLOCK_BYTES);
    move_cell(page, epoch, STATE, open, open * BLOCK_BYTES);
    plant(page, epoch, from, to);
}

static void lose(struct page *page, uint64_t epoch, uint64_t blocks)
{
    struct page_cell *cell = &page->thread[0].cell[epoch][LOST];
    atomic_fetch_add(&cell->made, blocks);
    atomic_fetch_add(&cell->made_bytes, blocks * LOST_BYTES);
    atomic_fetch_add(&page->process[0].heap.class_regions[0], blocks);
}

/* The oldest entries leave a full cache. */
static void cache(struct week *w, struct page *page, uint64_t epoch, uint64_t entries)
{
    uint64_t over =
        w->cached + entries > w->server.cache ? w->cached + entries - w->server.cache : 0;
    w->cached_in[epoch] += entries;
    w->cached += entries - over;
    while (over) {
        uint64_t *oldest = &w->cached_in[w->oldest_cached],
                 leaves = over < *oldest ? over : *oldest;
        *oldest -= leaves;
        over -= leaves;
        set_cell(page, w->oldest_cached, CACHED, *oldest, *oldest * ENTRY_BYTES);
        w->oldest_cached += *oldest == 0 && w->oldest_cached < epoch;
    }
    set_cell(page, epoch, CACHED, w->cached_in[epoch], w->cached_in[epoch] * ENTRY_BYTES);
    atomic_store(&page->process[0].heap.class_regions[1], w->cached);
}

static void publish_heap(struct page *page)
{
    struct page_heap *heap = &page->process[0].heap;
    uint64_t lost = atomic_load(&heap->class_regions[0]) * LOST_BYTES;
    uint64_t bytes = (6u << 20) + lost + atomic_load(&heap->class_regions[1]) * ENTRY_BYTES;
    atomic_store(&heap->allocated, bytes);
    atomic_store(&heap->active, bytes + (1u << 20));
    atomic_store(&heap->resident, bytes + (2u << 20));
}

static void connect_some(struct week *w, uint64_t connections)
{
    struct run *r = &w->run;
    uint64_t from = run_begun(r), to = from + connections;
    for (size_t i = 0; i < r->subjects.count; i++)
        count(page_of(w, i), r->epoch, from, to);
    lose(page_of(w, 0), r->epoch, times(from, to, w->server.leaks_one_in));
    cache(w, page_of(w, 0), r->epoch, times(from, to, w->server.caches_one_in));
    for (size_t i = 0; i < r->subjects.count; i++)
        publish_heap(page_of(w, i));
}

/* ---- the run ---- */

static void pass(struct week *w, uint64_t seconds)
{
    now_ns += seconds * SECOND_NS;
    w->ticks += seconds;
    if (!w->server.unsampled)
        sampler_tick(&w->run);
    size_t own = w->ticks % 1024 == 0 || w->ticks == DAY_S ? sampler_own_bytes() : 0;
    if (w->ticks <= DAY_S && own > w->own_first_day)
        w->own_first_day = own;
    w->own_most = own > w->own_most ? own : w->own_most;
}

static void churn(struct week *w, uint64_t opens)
{
    struct run *r = &w->run;
    if (!r->epoch_start_ns)
        r->epoch_start_ns = r->epoch_ns = now_ns;
    run_state_set(r, RUN_CHURN);
    churn_begin(r);
    /* Nobody looks at a second where none is sampled. */
    uint64_t most = WEEK_PER_S * (w->server.unsampled ? MINUTE_S : 1);
    for (uint64_t part; opens; opens -= part) {
        part = opens < most ? opens : most;
        connect_some(w, part);
        if (part >= WEEK_PER_S)
            pass(w, part / WEEK_PER_S);
        now_ns += part % WEEK_PER_S * (SECOND_NS / WEEK_PER_S);
    }
    r->oldest = r->epoch;
}

static void take(struct week *w, enum run_settle purpose)
{
    struct err e = {{0}};
    run_state_set(&w->run, RUN_SETTLE);
    w->run.quiet.still = true;
    w->run.quiet.samples++;
    w->run.quiet.still_samples++;
    w->run.settle = purpose;
    if (checkpoint_take(&w->run, &e) != 0)
        fail_msg("%s", e.text);
}

static void drain(struct week *w)
{
    struct run *r = &w->run;
    for (size_t i = 0; i < r->subjects.count; i++) {
        struct page *page = page_of(w, i);
        move_cell(page, r->epoch, STATE, 0, 0);
        move_cell(page, r->epoch, PLANT_0 + PAGE_PLANT_DEFERRED, 0, 0);
        atomic_store(&page->app.closed, atomic_load(&page->app.opened));
        atomic_store(&page->app.established, 0);
    }
    take(w, SETTLE_DRAINED);
    take(w, SETTLE_FLUSHED);
    run_state_set(r, RUN_DONE);
}

void week_run(struct week *w)
{
    struct run *r = &w->run;
    struct plan_seen seen;
    for (;;) {
        checkpoint_seen(r, &seen);
        r->action = plan_next(&r->plan, &seen);
        checkpoint_plan_canary(r);
        r->own_began = sampler_own_bytes();
        if (r->action.step == PLAN_DRAIN)
            break;
        if (r->action.step == PLAN_HOLD)
            week_sleep(r->action.hold_ms);
        else
            churn(w, r->action.opens);
        take(w, SETTLE_CHECKPOINT);
    }
    drain(w);
}

enum verdict week_publish(struct week *w)
{
    struct err e = {{0}};
    struct forms_missed missed;
    struct outcome *o = malloc(sizeof *o);
    assert_non_null(o);
    outcome_make(o, &w->run);
    enum verdict verdict = o->result.verdict;
    if (run_dir_keep(&w->run.dir, "result.json", document_write(&o->result), &e) != 0 ||
        forms_keep(&w->run.dir, &missed, &e) != 0)
        fail_msg("%s", e.text);
    if (missed.count)
        fail_msg("%s", missed.why.text);
    outcome_free(o);
    free(o);
    return verdict;
}

/* ---- begin and end ---- */

static void open_subject(struct week *w, size_t i)
{
    static struct subject_ops ops[SUBJECTS_MAX];
    struct run *r = &w->run;
    struct watched *to = &r->watched[i];
    struct err e = {{0}};
    to->subject = &r->subjects.subject[i];
    to->history = history_new();
    assert_non_null(to->history);
    if (subject_open(to->subject, &e) != 0)
        fail_msg("%s", e.text);
    ops[i] = *to->subject->ops;
    ops[i].measure = measure;
    ops[i].kill = end_nothing;
    to->subject->ops = &ops[i];
    to->subject->child.running = true;
    fill_page(to->subject->child.page);
    checkpoint_begin_canary(r, i);
}

static void set_scenario(struct week *w, uint64_t closed)
{
    struct scenario *s = &w->scenario;
    scenario_defaults(s);
    s->conns = WEEK_CONNS;
    s->churn = (struct rate){.per_s = WEEK_PER_S};
    s->closed = closed;
    s->quiet = true;
    s->seed = 1;
    w->programs.scenario = s;
}

static void begin_attribution(struct week *w)
{
    struct run *r = &w->run;
    struct attribution_subject of[SUBJECTS_MAX];
    for (size_t i = 0; i < r->subjects.count; i++)
        of[i] = (struct attribution_subject){r->watched[i].history, &r->watched[i].judgement};
    r->attribution = attribution_new(of, r->subjects.count);
    assert_non_null(r->attribution);
    r->plan.in.behaviours = attribution_start(r->attribution, page_of(w, 1));
}

/* As run_execute begins. */
static void open_run(struct week *w, const char *base)
{
    struct run *r = &w->run;
    struct err e = {{0}};
    struct plan_input in;
    r->start_ns = now_ns;
    r->subjects = (struct subjects){.owner = r, .programs = &w->programs, .dir = &r->dir};
    r->samples = sample_log_new();
    assert_non_null(r->samples);
    r->page = live_page_new();
    if (run_dir_open(&r->dir, base, "week", &e) != 0 || subjects_init(&r->subjects, &e) != 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < r->subjects.count; i++)
        open_subject(w, i);
    scenario_plan(&w->scenario, &in);
    plan_init(&r->plan, &in);
    begin_attribution(w);
}

void week_begin(struct week *w, const struct week_server *server, uint64_t closed, const char *base)
{
    struct run *r = &w->run;
    *w = (struct week){.server = *server, .spike_at = 123456};
    present = w;
    set_scenario(w, closed);
    now_ns = SECOND_NS;
    r->scenario = &w->scenario;
    r->name = r->word = "week";
    r->origin = &w->origin;
    r->programs = &w->programs;
    r->seed = 1;
    open_run(w, base);
}

void week_end(struct week *w)
{
    for (size_t i = 0; i < w->run.subjects.count; i++)
        w->run.subjects.subject[i].child.running = false;
    live_page_free(w->run.page);
    run_fini(&w->run);
    run_dir_close(&w->run.dir);
    now_ns = 0;
}
