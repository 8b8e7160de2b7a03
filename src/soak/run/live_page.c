/* SPDX-License-Identifier: Apache-2.0 */
#include "live_page.h"

#include "base/check.h"
#include "base/clock.h"
#include "options/grammar.h"
#include "outcome.h"
#include "profile/profile.h"
#include "report/html/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COST = 50, TEXT = 192 };
static const uint64_t SECOND_NS = 1000000000u, NAMING_NS = 200000000u;

struct live_page {
    struct samples samples;
    struct outcome *outcome; /* owned: large */
    struct survivors survivors[SUBJECTS_MAX];
    char *text; /* owned; NULL: it was never made */
    uint64_t due_ns;
};

struct live_page *live_page_new(void)
{
    struct live_page *p = calloc(1, sizeof *p);
    CHECK(p);
    p->outcome = calloc(1, sizeof *p->outcome);
    CHECK(p->outcome);
    return p;
}

void live_page_free(struct live_page *p)
{
    if (!p)
        return;
    samples_free(&p->samples);
    for (size_t i = 0; i < SUBJECTS_MAX; i++)
        survivors_free(&p->survivors[i]);
    free(p->outcome);
    free(p->text);
    free(p);
}

void live_page_sample(struct live_page *p, const json_t *line)
{
    samples_add(&p->samples, line);
}

bool live_page_due(const struct live_page *p, bool measured)
{
    return !p->text || (!measured && clock_now_ns() >= p->due_ns);
}

char *live_page_last(const struct live_page *p)
{
    char *text = p->text ? strdup(p->text) : NULL;
    CHECK(!p->text || text);
    return text;
}

/* ---- what stands in the verdict's place ---- */

struct texts {
    char headline[TEXT], phase[TEXT], load[TEXT], handshake[TEXT], spent[TEXT], so_far[TEXT];
    char as_of[32], report[PATH_MAX];
};

static void say_load(const struct live_facts *f, char *buf, size_t size)
{
    char asked[32] = "", open[32], errors[32];
    if (f->asked_per_s > 0)
        snprintf(asked, sizeof asked, " of %g/s", f->asked_per_s);
    snprintf(buf, size, "%.0f/s%s; %s open, %s failed", f->rate_per_s, asked,
             human_count(open, sizeof open, (int64_t)f->open),
             human_count(errors, sizeof errors, (int64_t)f->errors));
}

static void say_time(const struct live_facts *f, char *buf, size_t size)
{
    char spent[32], left[32];
    live_seconds(spent, sizeof spent, (double)f->elapsed_ms);
    if (isfinite(f->left_ms) && f->left_ms >= 0)
        snprintf(buf, size, "%s, about %s left", spent,
                 live_seconds(left, sizeof left, f->left_ms));
    else
        snprintf(buf, size, "%s", spent);
}

static void say_all(const struct run *r, const struct live_facts *f, struct texts *t)
{
    char closed[32];
    snprintf(t->headline, sizeof t->headline, "%s; %s %s so far", f->phase,
             human_count(closed, sizeof closed, (int64_t)f->closed), unit_plural(f->unit));
    snprintf(t->phase, sizeof t->phase, "%s, epoch %d of about %d", f->phase, f->epoch,
             f->epochs > f->epoch ? f->epochs : f->epoch);
    say_load(f, t->load, sizeof t->load);
    snprintf(t->handshake, sizeof t->handshake, "p50 %.1f ms, p99 %.1f ms", (double)f->p50_ns / 1e6,
             (double)f->p99_ns / 1e6);
    say_time(f, t->spent, sizeof t->spent);
    live_so_far(f, t->so_far, sizeof t->so_far);
    clock_utc(t->as_of, sizeof t->as_of, time(NULL));
    snprintf(t->report, sizeof t->report, "%.*s/report.html, once it has ended", PATH_MAX - 64,
             r->dir.path);
}

/* That others have the processor meanwhile doesn't count. */
static uint64_t own_time_ns(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* NULL: there are none, or no memory for them. */
static struct profile *name_stacks(struct live_page *p, const struct run *r)
{
    struct err e;
    struct result *result = &p->outcome->result;
    for (size_t i = 0; i < result->subjects; i++)
        survivors_name_so_far(&p->survivors[i], &r->watched[i], NAMING_NS,
                              &result->subject[i].capture);
    return html_stacks(result, &e);
}

char *live_page_write(struct live_page *p, const struct run *r, const struct live_facts *facts)
{
    struct texts t = {.headline = ""};
    size_t length;
    uint64_t began = own_time_ns();
    outcome_so_far(p->outcome, r);
    say_all(r, facts, &t);
    const struct html_fact fact[] = {{"so far", t.so_far},       {"phase", t.phase},
                                     {"time", t.spent},          {"load", t.load},
                                     {"handshake", t.handshake}, {"as of", t.as_of}};
    const struct html_live live = {t.headline, fact, sizeof fact / sizeof *fact, t.report};
    struct profile *stacks = name_stacks(p, r);
    const struct html_run run = {&p->outcome->result, &p->samples, stacks, &live};
    free(p->text);
    FILE *out = open_memstream(&p->text, &length);
    CHECK(out);
    html_run(&run, out);
    CHECK(fclose(out) == 0);
    if (stacks)
        profile_free(stacks);
    outcome_free(p->outcome);
    uint64_t cost = (own_time_ns() - began) * COST;
    p->due_ns = clock_now_ns() + (cost > SECOND_NS ? cost : SECOND_NS);
    return live_page_last(p);
}
