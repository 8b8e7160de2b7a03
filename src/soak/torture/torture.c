/* SPDX-License-Identifier: Apache-2.0 */
#include "torture.h"

#include "archive/outputs.h"
#include "base/check.h"
#include "base/clock.h"
#include "terminal.h"
#include "torture_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WARM_UP = 20,  /* connections of each behaviour: what is made once has been made */
    COUNTED = 5,   /* connections of which the allocations are counted */
    STARTS = 1000, /* of the pair, at most: each crash takes one */
    WARM_MS = 60000,
    SETTLE_MS = 30000,
    LIVE_NS = 250000000
};

ENUM_NAMES(torture_kind, TORTURE_KINDS)

__attribute__((format(printf, 2, 3))) static bool breaks(struct torture *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!t->broken[0])
        vsnprintf(t->broken, sizeof t->broken, format, args);
    va_end(args);
    return false;
}

/* ---- the pair ---- */

/* The client's page tells what there is and what has a weight: known from the first start on. */
static void learn_behaviours(struct torture *t)
{
    const struct page *page = t->bench.pair.subjects.subject[PAIR_CLIENT].child.page;
    size_t count = atomic_load(&page->behaviours);
    if (t->behaviours)
        return;
    for (size_t i = 0; i + 1 < count && i < TORTURE_BEHAVIOURS; i++) {
        snprintf(t->behaviour[i], sizeof t->behaviour[i], "%s", page->behaviour[i].name);
        if (page->behaviour[i].weight)
            t->chosen[t->behaviours++] = i;
    }
}

static const char *end_text(enum pair_end end)
{
    static const char *const texts[] = {[PAIR_DONE] = "completed",
                                        [PAIR_LATE] = "timed out",
                                        [PAIR_DIED] = "crashed one side",
                                        [PAIR_INTERRUPTED] = "was interrupted"};
    return texts[end];
}

static bool warm_up(struct torture *t)
{
    struct pair *p = &t->bench.pair;
    enum pair_end end = PAIR_DONE;
    for (size_t i = 0; i < t->behaviours && end == PAIR_DONE; i++)
        end = pair_connections(p, t->chosen[i], WARM_UP, WARM_MS);
    if (end == PAIR_DONE && t->scenario->session == SESSION_CACHE)
        end = pair_flush(p, SETTLE_MS);
    if (end == PAIR_DONE)
        end = pair_settle(p, SETTLE_MS);
    return end == PAIR_DONE || end == PAIR_INTERRUPTED
               ? end == PAIR_DONE
               : breaks(t, "the warm-up, in which no allocation fails, %s", end_text(end));
}

static bool start(struct torture *t)
{
    struct err e = {{0}};
    struct pair *p = &t->bench.pair;
    if (++t->starts > STARTS)
        return breaks(t, "a side died %d times", STARTS);
    if (pair_start(p, &e) != 0)
        return p->interrupted ? false : breaks(t, "%s", e.text);
    learn_behaviours(t);
    return warm_up(t) && (bench_begin(&t->bench, &e) == 0 || breaks(t, "%s", e.text));
}

bool torture_restart(struct torture *t)
{
    pair_stop(&t->bench.pair);
    return !t->bench.pair.interrupted && start(t);
}

/* ---- a step ---- */

static void tell(struct torture *t, const struct torture_sweep *w, uint64_t number)
{
    uint64_t now_ns = clock_now_ns();
    if (t->scenario->quiet || !terminal_is(STDERR_FILENO) || now_ns - t->told_ns < LIVE_NS)
        return;
    t->told_ns = now_ns;
    fprintf(stderr, "\r\033[K%s, %s: allocation %" PRIu64 " of %" PRIu64 ", %" PRIu64 " found",
            w->side == PAIR_SERVER ? "server" : "client", t->behaviour[w->behaviour], number,
            w->most, torture_found(t));
}

static bool write_step(struct torture *t, const struct torture_sweep *w, uint64_t number,
                       const struct step *s)
{
    struct err e = {{0}};
    char *line = torture_step_json(t, w, number, s);
    int rc = line ? run_dir_sample(t->dir, line, &e) : err_set(&e, "out of memory");
    free(line);
    return rc == 0 || breaks(t, "%s", e.text);
}

bool torture_step(struct torture *t, struct torture_sweep *w, uint64_t number, struct step *ret)
{
    struct err e = {{0}};
    tell(t, w, number);
    if (step_run(&t->bench, w->side, w->behaviour, number, ret, &e) != 0)
        return breaks(t, "%s", e.text);
    if (ret->outcome == STEP_INTERRUPTED || !write_step(t, w, number, ret))
        return false;
    if (ret->outcome != STEP_CRASHED && ret->outcome != STEP_STUCK)
        return true;
    if (ret->outcome == STEP_CRASHED || t->confirms)
        torture_ended(t, w, number, ret);
    return !t->broken[0] && torture_restart(t);
}

struct torture_finding *torture_add(struct torture *t)
{
    struct torture_finding **more = realloc(t->finding, (t->findings + 1) * sizeof *t->finding);
    struct torture_finding *f = calloc(1, sizeof *f);
    if (more)
        t->finding = more;
    if (!more || !f) {
        free(f);
        breaks(t, "out of memory");
        return NULL;
    }
    t->finding[t->findings++] = f;
    return f;
}

/* ---- a sweep ---- */

/* Connections in which nothing fails: how many allocations they ask for. They must work and leave
 * nothing behind, or nothing could be told of those that follow. */
static bool count_allocations(struct torture *t, struct torture_sweep *w)
{
    const char *name = t->behaviour[w->behaviour];
    struct step s;
    int kept = 0;
    w->least = UINT64_MAX;
    for (int i = 0; i < COUNTED; i++) {
        if (!torture_step(t, w, 0, &s))
            return false;
        if (s.outcome != STEP_WENT_ON)
            return breaks(t,
                          "%s: a connection fails before any allocation does; the logs are in %s",
                          name, t->dir->path);
        kept += kept_any(&s.kept[PAIR_SERVER]) || kept_any(&s.kept[PAIR_CLIENT]);
        if (kept == COUNTED)
            return breaks(t,
                          "%s: each connection leaves memory behind although no allocation fails; "
                          "leave out --fail-alloc to find out why",
                          name);
        w->least = s.asked < w->least ? s.asked : w->least;
        w->most = s.asked > w->most ? s.asked : w->most;
    }
    return true;
}

/* Afterwards a connection in which nothing fails must work as it did. */
static bool still_works(struct torture *t, struct torture_sweep *w)
{
    struct step s;
    if (w->tried == 0)
        return true;
    if (!torture_step(t, w, 0, &s))
        return false;
    return s.outcome == STEP_WENT_ON || torture_damaged(t, w, 0, &s);
}

static void tell_sweep(struct torture *t, const struct torture_sweep *w)
{
    if (t->scenario->quiet)
        return;
    fprintf(stderr, "%s%s, %s: %" PRIu64 " allocations failed, %" PRIu64 " found\n",
            terminal_is(STDERR_FILENO) ? "\r\033[K" : "",
            w->side == PAIR_SERVER ? "server" : "client", t->behaviour[w->behaviour], w->tried,
            torture_found(t));
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
        return breaks(t, "out of memory");
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

void torture_execute(struct torture *t)
{
    struct err e = {{0}};
    _Static_assert((int)SIDE_SERVER == PAIR_SERVER && (int)SIDE_CLIENT == PAIR_CLIENT,
                   "a side is asked for by its number");
    t->started_ns = clock_now_ns();
    if (pair_init(&t->bench.pair, &e) != 0) {
        breaks(t, "%s", e.text);
        return;
    }
    t->complete = start(t) && sweep_all(t);
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

uint64_t torture_found(const struct torture *t)
{
    uint64_t found = 0;
    for (size_t i = 0; i < t->findings; i++)
        found += t->finding[i]->kind == TORTURE_ONCE ? 0 : t->finding[i]->times;
    return found;
}

/* ---- the command ---- */

static int write_json(const struct torture *t, struct err *e)
{
    char *text = torture_json(t);
    if (!text)
        return err_set(e, "result.json: out of memory");
    int rc = run_dir_write(t->dir, "result.json", text, strlen(text), e);
    if (output_text("json", t->scenario->json, text, e) != 0)
        rc = -1;
    free(text);
    return rc;
}

static int publish(const struct torture *t)
{
    struct err e = {{0}};
    bool json_out = output_is_stdout(t->scenario->json);
    int rc = write_json(t, &e);
    torture_text(t, t->scenario->quiet, json_out ? stderr : stdout);
    if (rc != 0)
        fprintf(stderr, "soak: %s\n", e.text);
    int code = (int)torture_exit(t);
    return rc != 0 && code == 0 ? EXIT_BROKEN : code;
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
