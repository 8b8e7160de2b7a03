/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run: its subjects, the epochs, the checkpoints, the verdict. A state machine on one libuv
 * loop; every step waits for a subject's word or for a quiet page, and a watchdog ends a run in
 * which nothing moves.
 *
 *   START_SERVER -> START_CLIENT -> CHURN or HOLD <-> SETTLE, PUBLISH
 *                       -> DRAIN_CLIENT, DRAIN_SERVER, COMMAND -> FLUSH -> QUIT -> DONE
 *
 * Whatever happens on the way (a subject crashes, SIGINT, a full disk) the run ends in DONE with a
 * result of all that was measured.
 */
#ifndef SOAK_RUN_H
#define SOAK_RUN_H

#include "archive/run_dir.h"
#include "evidence/attribution.h"
#include "guard.h"
#include "live.h"
#include "loop.h"
#include "processes.h"
#include "sample_log.h"
#include "scenario/scenario.h"
#include "stats/judge/plan.h"
#include "stayed.h"
#include "watched.h"

#include <stdbool.h>
#include <uv.h>

enum run_state {
    RUN_START_SERVER,
    RUN_START_CLIENT,
    RUN_CHURN,
    RUN_HOLD,
    RUN_READY,   /* waiting for a server that was reloaded to listen */
    RUN_SETTLE,  /* waiting for a quiet page */
    RUN_PUBLISH, /* waiting for both `settled` */
    RUN_DRAIN_CLIENT,
    RUN_DRAIN_SERVER,
    RUN_COMMAND, /* waiting for a command of the user's */
    RUN_FLUSH,
    RUN_QUIT,
    RUN_DONE
};

/* Why the children are being settled: what the sample is taken for. */
enum run_settle {
    SETTLE_CHECKPOINT,
    SETTLE_RELOAD,     /* the configuration was replaced: no sample either */
    SETTLE_HEAP_START, /* the heap's profile begins, ... */
    SETTLE_HEAP_FIRST, /* ... is dumped once */
    SETTLE_HEAP_LAST,  /* ... and again: no sample is taken for any of them */
    SETTLE_CLOSED,     /* held connections were closed, and nothing else was done yet */
    SETTLE_DRAINED,
    SETTLE_FLUSHED
};

struct run;

/* How quiet the pages are: settle.h. */
struct run_quiet {
    uint64_t activity, connections; /* at the last look */
    int polls, steady_polls;        /* nothing moved; no connection moved */
    bool still;                     /* the last sample was taken while nothing moved */
    /* Of a program that isn't soak's: since when nothing has moved, and the processor's time that
     * it had used then; the last look; and what has been seen, of the waiting and since then. */
    uint64_t since_ns, cpu_ns, seen_at_ns, waited_ns, quiet_ns;
    unsigned samples, still_samples;
    bool looked;          /* half of the time to become quiet is over: `half` is owned */
    struct snapshot half; /* what it was then */
    uint64_t half_cpu_ns, half_ns;
    char moving[160]; /* at the last sample that wasn't still */
};

/* The user's command that runs: user_command.h. */
struct run_command {
    uv_process_t process;
    bool running;
    bool dropped;   /* the run doesn't wait for what it does */
    bool stopped;   /* by an interrupt: the run ends without what was to come after it */
    int64_t status; /* of its end, and */
    int signal;
    const char *name, *text; /* "on-drain", and the command: borrowed */
    void (*done)(struct run *);
};

/* --reload: reload.h. */
struct run_reload {
    uint64_t count, left; /* begun so far; to be begun in this epoch */
    uint64_t begun_ns;    /* the last one, and */
    uint64_t allocs;      /* what the subject had allocated then */
};

/* A time and what had closed by then; or how long it was, and how much closed in it. */
struct run_churn {
    uint64_t ns, closed;
};

struct run {
    const struct scenario *scenario;      /* borrowed */
    const char *name;                     /* the scenario's name: borrowed */
    const char *word;                     /* what finds the scenario again: borrowed */
    const struct scenario_origin *origin; /* borrowed */
    const struct programs *programs;      /* borrowed */
    uint64_t seed;
    struct run_dir dir;
    struct sample_log *samples; /* owned */
    struct subjects subjects;
    struct watched watched[SUBJECTS_MAX]; /* as many, in the same order */
    struct processes processes;           /* of a judged subject that isn't soak's */
    bool judged;
    size_t mapped_count;
    struct mapped mapped[MAPPED_MAX]; /* the server's */

    enum run_state state;
    enum run_settle settle;
    struct plan plan;
    struct plan_action action;       /* the step under way */
    struct attribution *attribution; /* owned: which of them leak */
    uint64_t epoch;                  /* number stamped into new blocks */
    uint64_t oldest;                 /* the client's word at the last quiet */
    struct run_stayed stayed;        /* of what is open at it */
    struct run_quiet quiet;

    uint64_t start_ns, step_ns;        /* when the run and the present step began */
    uint64_t moved_ns, moved_activity; /* the watchdog's last sign of life, */
    uint64_t moved_failed;             /* how many had failed then, */
    uint64_t looked_ns;                /* and when it last looked; 0: never */
    /* All epochs; the part of it that the first one was, in which the connections are opened that
     * others replace later; and since when the present one lasts: churn.h. */
    struct run_churn churned, filled, churn_began;
    uint64_t epoch_start_ns; /* when the first epoch began; 0 = not yet */
    uint64_t epoch_ns;       /* when the present one began */
    /* What soak had allocated when the present step began, and before its sample was taken. */
    size_t own_began, own_ended;

    uv_timer_t poll_timer, sample_timer, live_timer;
    struct interrupts signals;
    struct run_command command;
    struct run_reload reload;
    struct run_loop loop;
    struct live *live;             /* owned; NULL when quiet */
    struct live_page *page;        /* owned; of --serve, else NULL */
    struct http_server *served[2]; /* owned; of --serve and --metrics, in that order */

    bool disturbed; /* an agent was lost in the epoch that has ended */
    bool interrupted;
    int interrupts;
    char broken[1024];                 /* why the run broke; "" else */
    const struct subject *crashed;     /* whose end broke it; NULL else */
    const struct child *crashed_child; /* and which of its processes */
    uint64_t memory_kills;             /* before it began: ending_memory_kills */
    bool store_failed;                 /* something could not be written: said once */
};

/* Runs a scenario to its end. The struct is the caller's, zeroed but for scenario, name,
 * word, origin, programs and an open `dir`. Afterwards `judgement`, `broken` and the rest hold
 * what happened; run_fini frees. Returns 0, or -1 when nothing could even be started. */
int run_execute(struct run *r, struct err *e);
void run_fini(struct run *r);

/* The one whose judgement the user came for, and the one that makes its load. */
static inline const struct watched *run_judged(const struct run *r)
{
    return &r->watched[subject_index(subjects_find(&r->subjects, SUBJECT_JUDGED))];
}

static inline const struct watched *run_load(const struct run *r)
{
    return &r->watched[subject_index(subjects_find(&r->subjects, SUBJECT_LOAD))];
}

/* How many of its subjects are looked at: the load, which is the last, isn't where agents make it.
 */
static inline size_t run_looked_at(const struct run *r)
{
    return r->subjects.count - (run_load(r)->subject->agents ? 1 : 0);
}

/* A bit of SUBJECT_CAN_SETTLE and the like. */
static inline bool run_judged_can(const struct run *r, unsigned bit)
{
    return (run_judged(r)->subject->ops->can & bit) != 0;
}

static inline enum unit run_unit(const struct run *r)
{
    return scenario_unit(r->scenario);
}

/* Of what it counts, begun and ended since the start: by the client's page, but for reloads. */
static inline uint64_t run_begun(const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    if (run_unit(r) == UNIT_RELOAD)
        return r->reload.count;
    return atomic_load(run_unit(r) == UNIT_OPERATION ? &app->operations : &app->opened);
}

static inline uint64_t run_ended(const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    if (run_unit(r) == UNIT_RELOAD)
        return r->reload.count;
    return atomic_load(run_unit(r) == UNIT_OPERATION ? &app->operations : &app->closed);
}

/* For the rooms of this module. */
void run_state_set(struct run *r, enum run_state state);
void run_break(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_next(struct run *r);   /* after a checkpoint: the plan's next step */
void run_kill(struct run *r);   /* all that it has started */
void run_finish(struct run *r); /* none of the children is left */
void run_quit(struct run *r);   /* everything is measured: let the children go */

#endif
