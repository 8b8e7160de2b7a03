/* SPDX-License-Identifier: Apache-2.0 */
#include "display.h"

#include "base/address.h"
#include "base/clock.h"
#include "churn.h"
#include "http_server.h"
#include "live.h"
#include "live_page.h"
#include "measure/proc.h"
#include "openmetrics.h"
#include "page/snapshot.h"

#include <math.h>
#include <string.h>

enum { LEFT_AFTER_MS = 3000 };

static const char *phase_text(const struct run *r)
{
    if (r->state >= RUN_DRAIN_CLIENT)
        return "draining";
    switch (r->action.step) {
    case PLAN_WARM:
        return "warming up";
    case PLAN_MEASURE:
        return "measuring";
    case PLAN_HOLD:
        return "holding";
    case PLAN_CONFIRM_ALONE:
    case PLAN_CONFIRM_WITHOUT:
        return "confirming";
    case PLAN_TURNOVER:
        return run_unit(r) == UNIT_RELOAD ? "reloading once more"
                                          : "replacing the last connections";
    case PLAN_PROFILE:
        return "profiling";
    case PLAN_DRAIN:
        break;
    }
    return "draining";
}

/* Of churn at the pace reached so far; after it there is little to wait for. */
static double left_ms(const struct run *r, const struct live_facts *f)
{
    uint64_t spent_ms = r->epoch_start_ns ? (clock_now_ns() - r->epoch_start_ns) / 1000000u : 0;
    if (spent_ms < LEFT_AFTER_MS || f->begun == 0 || r->state >= RUN_DRAIN_CLIENT)
        return NAN;
    return plan_left_ms(&r->plan, f->begun, spent_ms);
}

static uint64_t elapsed_ms(const struct run *r)
{
    return (clock_now_ns() - r->start_ns) / 1000000u;
}

/* Whether the time counts that is passing. */
static bool is_churning(const struct run *r)
{
    if (run_unit(r) != UNIT_RELOAD)
        return r->state == RUN_CHURN;
    return r->state == RUN_CHURN || r->state == RUN_READY || r->state == RUN_COMMAND ||
           (r->state == RUN_SETTLE && r->settle == SETTLE_RELOAD);
}

static void fill_times(const struct run *r, struct live_facts *f)
{
    static struct hist times; /* large */
    page_times_read(&run_load(r)->subject->child.page->times, &times);
    f->p50_ns = hist_quantile(&times, 0.5);
    f->p99_ns = hist_quantile(&times, 0.99);
}

static void fill_load(const struct run *r, struct live_facts *f)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    f->begun = run_begun(r);
    f->closed = run_ended(r);
    f->unit = run_unit(r);
    /* As the chart of report.html: those in their handshake or leaving are held, too. */
    f->open = atomic_load(&app->established) + atomic_load(&app->in_flight);
    f->errors = atomic_load(&app->failed);
    fill_times(r, f);
    f->elapsed_ms = elapsed_ms(r);
    struct run_churn so_far = churn_so_far(r, is_churning(r));
    f->rate_per_s = churn_rate_per_s(r, &so_far);
}

static int64_t class_live(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->classes; i++) {
        if (strcmp(s->class_[i].name, name) == 0)
            return s->class_[i].live;
    }
    return 0;
}

static void fill_memory(const struct run *r, struct live_facts *f)
{
    struct snapshot s;
    struct proc_sample p = {0};
    const struct subject *of = run_judged(r)->subject;
    f->outside = !run_judged_can(r, SUBJECT_HAS_PAGE);
    f->has_heap = !f->outside && r->scenario->malloc == MALLOC_JEMALLOC;
    if (of->ops->snapshot(of, &s, NULL) == 0) {
        f->blocks = s.blocks;
        f->ssl_objects = class_live(&s, "SSL");
        f->sessions = class_live(&s, "SSL_SESSION");
        f->x509s = class_live(&s, "X509");
        f->heap_bytes = s.heap.allocated;
        snapshot_free(&s);
    }
    if (of->ops->measure(of, &p, NULL, NULL) == 0)
        f->rss_bytes = p.rss_bytes;
}

/* A rate that is surer than what is accepted: from a few seconds it would be noise. */
static bool is_known(const struct judgement *j, const struct judge_metric *m)
{
    return j->sensitivity.one_in >= 1 && m->half_width > 0 && m->half_width <= m->limit;
}

static void fill_judgement(const struct run *r, struct live_facts *f)
{
    f->heap_per_conn = NAN;
    if (!r->judged)
        return;
    const struct judgement *j = &run_judged(r)->judgement;
    const struct judge_metric *heap = judgement_metric(j, METRIC_HEAP_ALLOCATED);
    if (heap && is_known(j, heap)) {
        f->heap_per_conn = heap->per_conn;
        f->heap_half_width = heap->half_width;
    }
    f->one_in = j->sensitivity.one_in;
    f->survivors = history_survivors(run_judged(r)->history);
    f->growing = j->verdict == VERDICT_LEAK;
}

static void facts_of(const struct run *r, struct live_facts *f)
{
    const struct scenario *s = r->scenario;
    *f = (struct live_facts){.phase = phase_text(r),
                             .scenario = r->name,
                             .libs = run_judged(r)->subject->libs,
                             .conns = s->loop ? 0 : s->conns,
                             .seed = r->seed,
                             .asked_per_s = s->churn.max ? 0 : s->churn.per_s,
                             .epoch = (int)r->epoch + 1,
                             .epochs = s->loop ? s->loop : plan_epochs_estimate(&r->plan),
                             .total = r->plan.total};
    scenario_value(s, "tls", f->tls, sizeof f->tls);
    scenario_value(s, "key", f->key, sizeof f->key);
    fill_load(r, f);
    f->left_ms = left_ms(r, f);
    fill_memory(r, f);
    fill_judgement(r, f);
}

void display_phase(struct run *r)
{
    struct live_facts facts;
    if (!r->live)
        return;
    facts_of(r, &facts);
    live_phase(r->live, &facts);
}

void display_tick(struct run *r)
{
    struct live_facts facts;
    if (!r->live || !live_due(r->live, elapsed_ms(r)))
        return;
    facts_of(r, &facts);
    live_tick(r->live, &facts);
}

void display_note(struct run *r, const char *text)
{
    if (r->live)
        live_note(r->live, text);
}

void display_say(struct subject *s, const char *text)
{
    struct run *r = s->all->owner;
    if (r->live)
        live_note(r->live, text);
    else
        fprintf(stderr, "soak: %s\n", text);
}

/* ---- what is served ---- */

/* Before all subjects run and after they were told to end there is nothing to read. */
static bool is_readable(const struct run *r)
{
    return r->state > RUN_START_CLIENT && r->state < RUN_QUIT;
}

static char *metrics_text(void *owner)
{
    struct run *r = owner;
    struct live_facts facts;
    if (!is_readable(r))
        return NULL;
    facts_of(r, &facts);
    return openmetrics_write(&facts);
}

/* While the subjects are being settled the page is the one from before. */
static char *page_text(void *owner)
{
    struct run *r = owner;
    struct live_facts facts;
    bool measured = r->state == RUN_SETTLE || r->state == RUN_PUBLISH;
    if (!live_page_due(r->page, measured) || !is_readable(r))
        return live_page_last(r->page);
    facts_of(r, &facts);
    return live_page_write(r->page, r, &facts);
}

static const struct http_page page = {"/", "text/html; charset=utf-8", page_text},
                              metrics = {"/metrics", OPENMETRICS_TYPE, metrics_text},
                              metrics_alone = {"/", OPENMETRICS_TYPE, metrics_text};

static int serve(struct run *r, const char *option, const char *address,
                 const struct http_site *site, struct err *e)
{
    size_t at = r->served[0] ? 1 : 0;
    r->served[at] = http_open(&r->subjects.loop, address, site, e);
    return r->served[at] ? 0 : err_prefix(e, "--%s %.60s", option, address);
}

static void say_where(struct run *r, const struct http_server *s, const char *what,
                      const char *path)
{
    char text[ADDRESS_TEXT * 2];
    snprintf(text, sizeof text, "%s at http://%s%s", what, http_address(s), path);
    display_note(r, text);
}

/* One listener where both have the same address. */
static int open_servers(struct run *r, struct err *e)
{
    const struct scenario *s = r->scenario;
    bool shared = s->serve && s->metrics && address_is_same(s->serve, s->metrics);
    const struct http_site shown = {{page, metrics}, shared ? 2 : 1, r},
                           figures = {{metrics, metrics_alone}, 2, r};
    r->page = s->serve ? live_page_new() : NULL;
    if ((s->serve && serve(r, "serve", s->serve, &shown, e) != 0) ||
        (s->metrics && !shared && serve(r, "metrics", s->metrics, &figures, e) != 0))
        return -1;
    if (s->serve)
        say_where(r, r->served[0], "page", "/");
    if (s->metrics)
        say_where(r, r->served[s->serve && !shared ? 1 : 0], "metrics", "/metrics");
    return 0;
}

/* ---- from begin to end ---- */

int display_open(struct run *r, struct err *e)
{
    r->live = r->scenario->quiet ? NULL : live_new();
    if (open_servers(r, e) == 0)
        return 0;
    display_stop(r);
    uv_run(&r->subjects.loop, UV_RUN_NOWAIT);
    display_close(r);
    return -1;
}

void display_stop(struct run *r)
{
    for (size_t i = 0; i < sizeof r->served / sizeof *r->served; i++) {
        http_close(r->served[i]);
        r->served[i] = NULL;
    }
}

void display_close(struct run *r)
{
    live_page_free(r->page);
    r->page = NULL;
    live_free(r->live);
    r->live = NULL;
}
