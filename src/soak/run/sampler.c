/* SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"

#include "base/clock.h"
#include "live_page.h"

#include <jansson.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double seconds_since_start(const struct run *r)
{
    return (double)(clock_now_ns() - r->start_ns) / 1e9;
}

size_t sampler_own_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static int keep_line(struct run *r, const json_t *line, const struct sample_mark *mark,
                     struct err *e)
{
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    int rc = text ? sample_log_add(r->samples, &r->dir, text, mark, e)
                  : err_set(e, "%s/samples.jsonl: a sample is missing: out of memory", r->dir.path);
    free(text);
    return rc;
}

/* A write that fails is said once and never stops the measuring: the result still goes to stdout.
 * `mark`: of a line by the clock; NULL: of any other. */
static void write_line(struct run *r, json_t *line, const struct sample_mark *mark)
{
    struct err e = {{0}};
    if (r->page && line)
        live_page_sample(r->page, line);
    if (!r->store_failed && keep_line(r, line, mark, &e) != 0) {
        r->store_failed = true;
        fprintf(stderr, "soak: %s\n", e.text);
    }
    json_decref(line);
}

static json_t *app_json(const struct snapshot *s)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "opened", (json_int_t)s->app.opened,
                     "closed", (json_int_t)s->app.closed, "established",
                     (json_int_t)s->app.established, "in_flight", (json_int_t)s->app.in_flight,
                     "handshakes", (json_int_t)s->app.handshakes, "resumed",
                     (json_int_t)s->app.resumed, "failed", (json_int_t)s->app.failed, "intended",
                     (json_int_t)s->app.expected_aborts);
}

static json_t *heap_json(const struct snapshot *s)
{
    if (!s->heap.present)
        return json_null();
    return json_pack("{s:I,s:I}", "mapped", (json_int_t)s->heap.mapped, "retained",
                     (json_int_t)s->heap.retained);
}

static json_t *census_json(const struct snapshot *s)
{
    json_t *census = json_object();
    for (size_t i = 0; i < s->classes; i++)
        json_object_set_new(census, s->class_[i].name, json_integer(s->class_[i].live));
    return census;
}

/* `heap_active` is "active" of "heap"; what isn't the heap's is the process's. */
static void set_gauge(json_t *subject, const char *id, json_int_t value)
{
    bool of_heap = strncmp(id, "heap_", 5) == 0;
    const char *name = of_heap ? strchr(id, '_') + 1 : id;
    json_object_set_new(json_object_get(subject, of_heap ? "heap" : "process"), name,
                        json_integer(value));
}

#define SET_GAUGE(id, name, unit, role, row, label, word, value, present, limit)                   \
    if (present)                                                                                   \
        set_gauge(out, name, (json_int_t)(value));

static json_t *subject_json(const struct history_sample *s)
{
    const struct snapshot *last = &s->snapshot;
    json_t *out = json_pack("{s:{s:I,s:I,s:I,s:I,s:I},s:{s:I,s:I},s:o,s:o,s:o,s:{s:I}}", "openssl",
                            "blocks", (json_int_t)last->blocks, "bytes", (json_int_t)last->bytes,
                            "allocs", (json_int_t)last->allocs, "frees", (json_int_t)last->frees,
                            "alloc_bytes", (json_int_t)last->alloc_bytes, "libuv", "blocks",
                            (json_int_t)last->uv_blocks, "bytes", (json_int_t)last->uv_bytes,
                            "census", census_json(last), "heap", heap_json(last), "connections",
                            app_json(last), "process", "cpu_ns", (json_int_t)s->proc.cpu_ns);
    GAUGE_LIST(SET_GAUGE)
    return out;
}

/* `ret_rollup` NULL: not asked for, as it takes milliseconds in a large process. */
static int take(const struct watched *w, struct history_sample *ret, struct proc_rollup *ret_rollup,
                struct err *e)
{
    const struct subject_ops *ops = w->subject->ops;
    if (ops->snapshot(w->subject, &ret->snapshot, e) != 0)
        return -1;
    ret->page_bytes = child_page_bytes(&w->subject->child);
    if (ops->measure(w->subject, &ret->proc, ret_rollup, e) == 0)
        return 0;
    snapshot_free(&ret->snapshot);
    return -1;
}

void sampler_tick(struct run *r)
{
    json_int_t own = (json_int_t)sampler_own_bytes();
    struct sample_mark mark = {seconds_since_start(r), {NAN, NAN}};
    json_t *line = json_pack("{s:s,s:f,s:I,s:{s:I}}", "kind", "tick", "seconds", mark.seconds,
                             "epoch", (json_int_t)r->epoch, "soak", "allocated", own);
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct watched *w = &r->watched[i];
        struct history_sample sample = {.unit = run_unit(r)};
        if (!subject_running(w->subject) || take(w, &sample, NULL, NULL) != 0)
            continue;
        history_look(w->history, &sample.proc);
        mark.rss[i] = (double)sample.proc.rss_bytes;
        json_object_set_new(line, w->subject->child.name, subject_json(&sample));
        snapshot_free(&sample.snapshot);
    }
    write_line(r, line, &mark);
}

int sampler_take(const struct watched *w, struct history_sample *ret, struct err *e)
{
    *ret = (struct history_sample){0};
    return take(w, ret, &ret->rollup, e);
}

static json_t *rollup_json(const struct proc_rollup *rollup)
{
    return json_pack("{s:I,s:I,s:I}", "pss", (json_int_t)rollup->pss_bytes, "private_dirty",
                     (json_int_t)rollup->private_dirty_bytes, "anonymous",
                     (json_int_t)rollup->anonymous_bytes);
}

void sampler_write(struct run *r, const char *kind, const struct history_sample *sample)
{
    json_t *line = json_pack("{s:s,s:f,s:I,s:I,s:b,s:{s:I,s:I}}", "kind", kind, "seconds",
                             seconds_since_start(r), "epoch", (json_int_t)r->epoch, "oldest",
                             (json_int_t)r->oldest, "still", r->quiet.still, "soak", "began",
                             (json_int_t)r->own_began, "allocated", (json_int_t)r->own_ended);
    if (r->disturbed) /* an agent was lost: the epoch isn't judged */
        json_object_set_new(line, "disturbed", json_true());
    for (size_t i = 0; i < r->subjects.count; i++) {
        json_t *one = subject_json(&sample[i]);
        if (sample[i].rollup.processes)
            json_object_set_new(one, "rollup", rollup_json(&sample[i].rollup));
        json_object_set_new(line, r->watched[i].subject->child.name, one);
    }
    write_line(r, line, NULL);
}
