/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include "advice.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "base/version.h"
#include "checkpoint.h"
#include "churn.h"
#include "measure/proc.h"
#include "options/limits.h"
#include "page/snapshot.h"
#include "repeat.h"
#include "report/sections.h"
#include "shown.h"
#include "subject/agent_load.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* LEAK anywhere is LEAK; otherwise the less sure of the two speaks. */
static enum verdict worst(const struct run *r)
{
    enum verdict worst_yet = VERDICT_PASS;
    for (size_t i = 0; i < run_looked_at(r); i++) {
        enum verdict v = r->watched[i].judgement.verdict;
        worst_yet = verdict_gravity(v) > verdict_gravity(worst_yet) ? v : worst_yet;
    }
    return worst_yet;
}

static void fill_verdict(struct result *out, const struct run *r)
{
    out->interrupted = r->interrupted;
    out->broken = r->broken[0] ? r->broken : NULL;
    out->verdict = r->judged ? worst(r) : VERDICT_INVALID;
    if (out->broken && out->verdict != VERDICT_LEAK)
        out->verdict = VERDICT_INVALID;
    if (out->interrupted && !r->judged)
        out->verdict = VERDICT_INCONCLUSIVE;
    out->exit_code = verdict_exit_code(out->verdict);
    if (out->interrupted)
        out->exit_code = EXIT_INTERRUPTED;
}

/* soak-client alone tells the kinds; with --loop soak-server makes the load, and has none. */
static void fill_errors(struct result_errors *e, const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    e->total = loop_failed(r);
    e->connect = atomic_load(&app->fail_connect);
    e->handshake = atomic_load(&app->fail_handshake);
    e->echo = atomic_load(&app->fail_echo);
    e->timeout = atomic_load(&app->fail_timeout);
    e->lost = atomic_load(&app->fail_lost);
}

static void fill_failure(struct result *ret, const struct run *r)
{
    const struct child_failure *f = subject_failure(run_load(r)->subject);
    if (f->text[0])
        ret->first_failure =
            (struct result_failure){.kind = f->kind, .behaviour = f->behaviour, .text = f->text};
}

/* Of soak's own client: who else makes the load doesn't time its handshakes. */
static void fill_times(struct outcome *o, const struct run *r)
{
    struct result_run *run = &o->result.run;
    page_times_read(&run_load(r)->subject->child.page->times, &o->times);
    if (o->times.count == 0)
        return;
    run->times = &o->times;
    run->p50_ns = hist_quantile(&o->times, 0.5);
    run->p90_ns = hist_quantile(&o->times, 0.9);
    run->p99_ns = hist_quantile(&o->times, 0.99);
    run->max_ns = o->times.max;
}

static void fill_run(struct outcome *o, const struct run *r)
{
    const struct scenario *s = r->scenario;
    o->result.run.conns = checkpoint_at_once(r);
    o->result.run.want_one_in = s->unasked ? 0 : s->sensitivity;
    o->result.run.closed = run_ended(r);
    o->result.run.unit = run_unit(r);
    o->result.run.seconds = (double)r->churned.ns / 1e9;
    o->result.run.rate_per_s = churn_rate_per_s(r, &r->churned);
    o->result.run.asked_per_s = s->churn.max || s->reload ? 0 : s->churn.per_s;
    double asked = o->result.run.asked_per_s;
    o->result.run.shortfall = asked > 0 ? fmax(0, 1 - o->result.run.rate_per_s / asked) : 0;
    o->result.run.seed = r->seed;
    o->result.run.tls = scenario_value(s, "tls", o->tls, sizeof o->tls);
    o->result.run.key = scenario_value(s, "key", o->key, sizeof o->key);
    o->result.run.epochs = (int)history_epochs(run_judged(r)->history);
    fill_times(o, r);
    fill_errors(&o->result.run.errors, r);
    o->result.run.foreign = checkpoint_foreign(r);
    o->result.run.foreign_served = checkpoint_foreign_served(r) > 0;
}

/* `openssl=3.0.19 libuv=1.44.2 jemalloc=5.3.0`, as the server said it. */
static void fill_libs(struct outcome *o, const struct run *r)
{
    const char *p = run_judged(r)->subject->libs;
    while (o->result.libs < OUTCOME_LIBS) {
        size_t i = o->result.libs;
        int used = 0;
        if (sscanf(p, " %31[a-z]=%63s%n", o->lib_name[i], o->lib_version[i], &used) != 2)
            return;
        o->result.lib[i].name = o->lib_name[i];
        o->result.lib[i].version = o->lib_version[i];
        o->result.libs++;
        p += used;
    }
}

/* What the server itself says of a part; NULL when it says nothing. */
static const char *said_version(const struct result *ret, const char *part)
{
    for (size_t i = 0; i < ret->libs; i++) {
        if (strcmp(ret->lib[i].name, part) == 0)
            return ret->lib[i].version;
    }
    return NULL;
}

static void fill_mapped(struct result *ret, const struct run *r)
{
    _Static_assert((size_t)MAPPED_MAX <= sizeof ret->mapped / sizeof *ret->mapped, "room for all");
    for (size_t i = 0; i < r->mapped_count; i++) {
        const struct mapped *m = &r->mapped[i];
        ret->mapped[i] = (struct result_mapped){
            .part = m->part,
            .file = m->file,
            .version = m->version[0] ? m->version : said_version(ret, m->part),
            .origin = m->origin[0] ? m->origin : NULL};
    }
    ret->mapped_count = r->mapped_count;
}

static bool is_mapped(const struct result *r, const char *part)
{
    for (size_t i = 0; i < r->mapped_count; i++)
        if (strcmp(r->mapped[i].part, part) == 0)
            return true;
    return false;
}

static bool is_met(const struct result_stack *stack, size_t frame)
{
    for (size_t i = 0; i < frame; i++)
        if (stack->frame[i].module &&
            strcmp(stack->frame[i].module, stack->frame[frame].module) == 0)
            return true;
    return false;
}

/* Whose files the stack of the leak leads through in a program that isn't soak's. */
static void fill_owners(struct outcome *o, const struct run *r)
{
    _Static_assert(MAPPED_MAX + OUTCOME_OWNERS <= RESULT_LIBS, "room for all");
    struct result *ret = &o->result;
    const struct result_subject *lead = parts_lead(ret);
    const struct result_site *site = lead ? parts_guilty(lead) : NULL;
    const struct result_stack *stack = site ? parts_stack_of(lead, site) : NULL;
    if (!stack || !(scenario_meets_foreign(r->scenario) || r->scenario->client))
        return;
    const struct symbols *symbols = o->survivors[lead - ret->subject].symbols;
    for (size_t i = 0, found = 0; i < stack->frames && found < OUTCOME_OWNERS; i++) {
        struct symbol_owner *owner = &o->owner[found];
        if (!stack->frame[i].module || is_met(stack, i) ||
            !symbols_owner(symbols, stack->frame[i].module, owner) || is_mapped(ret, owner->name))
            continue;
        ret->mapped[ret->mapped_count++] = (struct result_mapped){
            .part = owner->name, .file = owner->file, .version = owner->version};
        found++;
    }
}

static void fill_next(struct outcome *o, const struct run *r)
{
    struct result *result = &o->result;
    for (size_t i = 0; i < sizeof o->next / sizeof *o->next; i++) {
        if (!advice_next(r, result, i, o->next[i], sizeof o->next[i])[0])
            break;
        result->next[i] = o->next[i];
        if (advice_note(r, result, i, o->next_note[i], sizeof o->next_note[i])[0])
            result->next_note[i] = o->next_note[i];
    }
    if (repeat_again(r, o->again, sizeof o->again)[0])
        result->again = o->again;
    if (repeat_alone(r, o->alone, sizeof o->alone)[0])
        result->alone = o->alone;
    if (advice_missing(r, result, o->missing, sizeof o->missing)[0])
        result->missing = o->missing;
    if (advice_ended(r, result, o->ended, sizeof o->ended)[0])
        result->ended = o->ended;
}

static void fill_skipped(struct result *ret, const struct run *r)
{
    const struct child *client = &run_load(r)->subject->child;
    _Static_assert((int)CHILD_SKIPPED <= (int)(sizeof ret->skipped / sizeof *ret->skipped),
                   "the result has room for all");
    for (size_t i = 0; i < client->skipped_count; i++)
        ret->skipped[i] = (struct result_skipped){client->skipped[i].name, client->skipped[i].why};
    ret->skipped_count = client->skipped_count;
}

static void fill_agents(struct result *ret, const struct run *r)
{
    const struct agents *all = agent_load_agents(run_load(r)->subject);
    _Static_assert((int)RESULT_AGENTS >= (int)LIMIT_PROCESSES, "room for all");
    for (size_t i = 0; all && i < agents_count(all); i++) {
        const struct agent *a = agents_at(all, i);
        ret->agent[ret->agents++] =
            (struct result_agent){.name = a->name,
                                  .address = a->address,
                                  .connections = a->heard->app[FIGURE_opened],
                                  .failed = a->heard->app[FIGURE_failed],
                                  .p50_ns = hist_quantile(&a->heard->times, 0.5),
                                  .rtt_ns = a->rtt_us * 1000,
                                  .lost = a->gone && a->why[0] ? a->why : NULL};
    }
}

/* The machine's name, or what $SOAK_MACHINE calls it: a CI's have another one each night. */
static void fill_host(struct outcome *o)
{
    const char *called = getenv("SOAK_MACHINE");
    if (called && *called)
        text_copy(o->host, sizeof o->host, called);
    else if (gethostname(o->host, sizeof o->host - 1) != 0)
        snprintf(o->host, sizeof o->host, "unknown");
    o->result.host = o->host;
}

/* When and where: the clock of the wall is read once, at the end. */
static void fill_place(struct outcome *o, const struct run *r)
{
    int cpus;
    time_t began = time(NULL) - (time_t)((clock_now_ns() - r->start_ns) / 1000000000u);
    clock_utc(o->time, sizeof o->time, began);
    fill_host(o);
    proc_machine(o->kernel, sizeof o->kernel, &cpus);
    o->result.time = o->time;
    o->result.kernel = o->kernel;
}

/* The function that a crash was in: the first that has a name. */
static const char *crashed_in(const struct result_crash *crash)
{
    for (size_t i = 0; i < crash->frames; i++)
        if (crash->frame[i].function)
            return crash->frame[i].function;
    return NULL;
}

/* Where it crashed goes before what it said and where its log is. */
static void fill_crash(struct outcome *o, const struct run *r)
{
    if (!r->crashed || !r->crashed_child->exit_signal)
        return;
    survivors_crash(&o->survivors[subject_index(r->crashed)], r->crashed_child, r->scenario,
                    &o->result.crash);
    const char *function = crashed_in(&o->result.crash);
    size_t head = strcspn(r->broken, ";");
    if (!function)
        return;
    snprintf(o->broken, sizeof o->broken, "%.*s, in %.100s%s", (int)head, r->broken, function,
             r->broken + head);
    o->result.broken = o->broken;
}

static void fill_loop(struct result *ret, const struct run *r)
{
    const struct loop_record *l = &r->loop.record;
    _Static_assert((int)RESULT_LOOPS == (int)LIMIT_LOOP, "room for all");
    for (; ret->loops < l->runs && ret->loops < RESULT_LOOPS; ret->loops++) {
        const struct loop_run *run = &l->run[ret->loops];
        ret->loop[ret->loops] = (struct result_loop){.asked = run->asked,
                                                     .connections = run->made,
                                                     .status = run->status,
                                                     .seconds = run->seconds,
                                                     .blocks = run->snapshot.blocks,
                                                     .bytes = run->snapshot.bytes};
    }
}

/* All but its subjects. */
static void fill_head(struct outcome *o, const struct run *r)
{
    *o = (struct outcome){0};
    o->result.scenario = r->name;
    o->result.version = soak_version;
    o->result.run_dir = r->dir.path;
    o->result.shown_dir = shown_dir(r->dir.path);
    o->result.last_dir = shown_last(o->result.shown_dir, o->last_dir, sizeof o->last_dir);
    fill_place(o, r);
    fill_verdict(&o->result, r);
    fill_run(o, r);
    fill_failure(&o->result, r);
    fill_libs(o, r);
    fill_mapped(&o->result, r);
    fill_skipped(&o->result, r);
    fill_agents(&o->result, r);
    fill_loop(&o->result, r);
    o->result.subjects = run_looked_at(r);
}

void outcome_so_far(struct outcome *o, const struct run *r)
{
    fill_head(o, r);
    for (size_t i = 0; i < o->result.subjects; i++)
        outcome_subject_figures(o, r, i);
}

void outcome_make(struct outcome *o, const struct run *r)
{
    fill_head(o, r);
    for (size_t i = 0; i < o->result.subjects; i++)
        outcome_subject(o, r, i);
    fill_owners(o, r);
    fill_crash(o, r);
    fill_next(o, r);
}

void outcome_free(struct outcome *o)
{
    footprint_free(&o->footprint);
    for (size_t i = 0; i < SUBJECTS_MAX; i++)
        survivors_free(&o->survivors[i]);
}
