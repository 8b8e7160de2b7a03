/* SPDX-License-Identifier: Apache-2.0 */
#include "torture.h"

#include "archive/outputs.h"
#include "base/check.h"
#include "base/clock.h"
#include "terminal.h"
#include "torture_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a sweep ---- */

enum { COUNTED = 5 }; /* connections of which the allocations are counted */

/* Connections in which nothing fails: how many allocations they ask for. They must work and leave
 * nothing behind, or nothing could be told of those that follow. */
static bool count_allocations(struct torture *t, struct torture_sweep *w)
{
    const char *name = t->behaviour[w->behaviour];
    struct attempt a = {.sweep = w};
    const struct step *s = &a.step;
    int kept = 0;
    w->least = UINT64_MAX;
    for (int i = 0; i < COUNTED; i++) {
        if (!torture_step(t, &a))
            return false;
        if (s->outcome != STEP_WENT_ON)
            return torture_break(
                t, "%s: a connection fails before any allocation does; the logs are in %s", name,
                t->dir->path);
        kept += kept_any(&s->kept[PAIR_SERVER]) || kept_any(&s->kept[PAIR_CLIENT]);
        if (kept == COUNTED)
            return torture_break(
                t,
                "%s: each connection leaves memory behind although no allocation fails; "
                "leave out --fail-alloc to find out why",
                name);
        w->least = s->asked < w->least ? s->asked : w->least;
        w->most = s->asked > w->most ? s->asked : w->most;
    }
    return true;
}

/* Afterwards a connection in which nothing fails must work as it did. */
static bool still_works(struct torture *t, struct torture_sweep *w)
{
    struct attempt a = {.sweep = w};
    if (w->tried == 0)
        return true;
    if (!torture_step(t, &a))
        return false;
    return a.step.outcome == STEP_WENT_ON || torture_damaged(t, &a);
}

static void tell_sweep(struct torture *t, const struct torture_sweep *w)
{
    if (t->scenario->quiet)
        return;
    fprintf(stderr, "%s%s, %s: %" PRIu64 " allocations failed, %" PRIu64 " found\n",
            terminal_is(STDERR_FILENO) ? "\r\033[K" : "",
            w->side == PAIR_SERVER ? "server" : "client", t->behaviour[w->behaviour],
            w->tried - w->not_reached, torture_found(t));
}

static bool sweep(struct torture *t, struct torture_sweep *w)
{
    if (!count_allocations(t, w))
        return false;
    for (uint64_t number = t->part; number <= w->most; number += t->parts) {
        if (!torture_case(t, w, number))
            return false;
    }
    bool works = still_works(t, w);
    tell_sweep(t, w);
    return works;
}

static bool sweep_all(struct torture *t)
{
    t->sweep = calloc(t->behaviours * PAIR_SIDES, sizeof *t->sweep);
    if (!t->sweep)
        return torture_break(t, "out of memory");
    for (size_t i = 0; i < t->behaviours; i++) {
        for (int side = 0; side < PAIR_SIDES; side++) {
            if (t->scenario->fail_side != SIDE_BOTH && t->scenario->fail_side != side)
                continue;
            struct torture_sweep *w = &t->sweep[t->sweeps++];
            w->side = side;
            w->behaviour = t->chosen[i];
            if (!sweep(t, w))
                return false;
        }
    }
    return true;
}

/* Where none has failed nothing is shown. */
static bool any_failed(struct torture *t)
{
    uint64_t most = 0, tried = 0;
    for (size_t i = 0; i < t->sweeps; i++) {
        most = t->sweep[i].most > most ? t->sweep[i].most : most;
        tried += t->sweep[i].tried;
    }
    if (torture_failed(t) || torture_found(t))
        return true;
    if (tried)
        return torture_break(t, "no allocation has failed: none of the slice was asked for again");
    return torture_break(t,
                         "no allocation has failed: a connection makes at most %" PRIu64
                         ", none of which is in slice %" PRIu64 "/%" PRIu64,
                         most, t->part, t->parts);
}

void torture_execute(struct torture *t)
{
    struct err e = {{0}};
    _Static_assert((int)SIDE_SERVER == PAIR_SERVER && (int)SIDE_CLIENT == PAIR_CLIENT,
                   "a side is asked for by its number");
    t->started_ns = clock_now_ns();
    if (pair_init(&t->bench.pair, &e) != 0) {
        torture_break(t, "%s", e.text);
        return;
    }
    t->complete = torture_start(t) && sweep_all(t) && any_failed(t);
    t->elapsed_ns = clock_now_ns() - t->started_ns;
    bench_end(&t->bench);
    pair_fini(&t->bench.pair);
}

void torture_fini(struct torture *t)
{
    for (size_t i = 0; i < t->findings; i++)
        free(t->finding[i]);
    free(t->finding);
    free(t->sweep);
}

/* ---- the command ---- */

static int keep(const struct torture *t, struct err *e)
{
    return run_dir_keep(t->dir, "result.json", torture_json(t), e);
}

static int write_json(const struct torture *t, struct err *e)
{
    char *text = torture_json(t);
    int rc = text ? output_text("json", t->scenario->json, text, e) : err_set(e, "out of memory");
    free(text);
    return rc;
}

/* An output that couldn't be written: what is kept says so too. */
static void miss(struct torture *t, const char *what, const struct err *why)
{
    struct err again;
    fprintf(stderr, "soak: %s\n", why->text);
    t->unwritten = what;
    keep(t, &again);
}

static void put_text(const void *ctx, FILE *out)
{
    const struct torture *t = ctx;
    torture_text(t, t->scenario->quiet, out);
}

static int publish(struct torture *t)
{
    struct err e = {{0}};
    bool json_out = output_is_stdout(t->scenario->json);
    if (keep(t, &e) != 0)
        miss(t, "result.json", &e);
    if (write_json(t, &e) != 0)
        miss(t, "--json", &e);
    int rc = output_print(json_out ? stderr : stdout, put_text, t, &e);
    if (rc != 0 && !json_out && !t->unwritten) {
        err_prefix(&e, "stdout");
        miss(t, "stdout", &e);
    }
    return (int)torture_exit(t);
}

int torture_run(const struct scenario *s, const char *name, const struct programs *programs,
                const char *base, uint64_t seed)
{
    struct err e = {{0}};
    struct run_dir dir;
    struct torture *t = calloc(1, sizeof *t);
    if (!t || run_dir_open(&dir, base, name, &e) != 0) {
        fprintf(stderr, "soak: %s\n", t ? e.text : "out of memory");
        free(t);
        return EXIT_USAGE;
    }
    t->scenario = s;
    t->name = name;
    t->dir = &dir;
    CHECK(scenario_slice(s, &t->part, &t->parts) == 0); /* scenario_check */
    t->bench.pair = (struct pair){.scenario = s, .programs = programs, .dir = &dir, .seed = seed};
    torture_execute(t);
    int code = publish(t);
    torture_fini(t);
    free(t);
    run_dir_close(&dir);
    return code;
}
