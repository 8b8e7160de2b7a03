/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#include "base/clock.h"
#include "checkpoint.h"
#include "options/grammar.h"
#include "subject/agent_load.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* From `quit` to the exit of both sides. They free what they hold, which is quick but for a machine
 * that is slow. */
static const uint64_t QUIT_GRACE_NS = 30000000000u;
static const uint64_t LOOK_MOST_NS = 1000000000u;

static const char *waiting_for(const struct run *r)
{
    switch (r->state) {
    case RUN_START_SERVER:
        return "the server to listen";
    case RUN_START_CLIENT:
        return "the client to start";
    case RUN_CHURN:
        return r->scenario->loop ? "handshakes, or the client to end" : "handshakes";
    case RUN_HOLD:
        return "the hold to end";
    case RUN_READY:
        return "the server to listen again";
    case RUN_SETTLE:
        return "the server to settle";
    case RUN_PUBLISH:
        return "both sides to publish their figures";
    case RUN_DRAIN_CLIENT:
        return "the client to close its connections";
    case RUN_DRAIN_SERVER:
        return "the server to end its connections";
    case RUN_COMMAND:
        return "the command of --";
    case RUN_FLUSH:
        return "the server to empty its caches";
    case RUN_QUIT:
        return "both sides to exit";
    case RUN_DONE:
        break;
    }
    return "nothing";
}

static uint64_t failed(const struct run *r)
{
    return atomic_load(&run_load(r)->subject->child.page->app.failed);
}

/* Progress while churning is a completed handshake or operation, an intended abort or a close, so
 * that a server that refuses everyone doesn't look busy. Elsewhere it is an answer, which changes
 * the state. A connection has failed before it is closed: the sum falls and comes back, which is
 * none. */
static uint64_t progress(const struct run *r)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    if (r->state != RUN_CHURN)
        return 0;
    uint64_t all = atomic_load(&app->handshakes) + atomic_load(&app->expected_aborts) +
                   atomic_load(&app->closed) + atomic_load(&app->operations);
    uint64_t vain = failed(r);
    return all > vain ? all - vain : 0;
}

/* One that stays connected over IPv6 is served, so the server never settles: as long as it is open,
 * what it holds can't be told from what the run's own connections have left. A client program may
 * have its connections open, and say nothing. */
static void open_text(const struct run *r, char *buf, size_t size)
{
    const struct page_app *app = &run_load(r)->subject->child.page->app;
    uint64_t foreign = r->state == RUN_SETTLE ? checkpoint_foreign(r) : 0;
    bool program = r->state == RUN_CHURN && r->scenario->client;
    uint64_t silent = program ? atomic_load(&app->established) : 0;
    buf[0] = '\0';
    if (foreign)
        snprintf(buf, size, ", beside %" PRIu64 " connection%s from elsewhere to its port", foreign,
                 foreign == 1 ? "" : "s");
    else if (silent)
        snprintf(buf, size, ", with %" PRIu64 " open that say%s nothing", silent,
                 silent == 1 ? "s" : "");
}

static void bark_at_silence(struct run *r, uint64_t waited_ns)
{
    char others[96];
    const struct subject *client = run_load(r)->subject;
    const char *problem = subject_problem(client);
    const char *whose = subject_failure(client)->text[0] ? subject_failure(client)->behaviour : "";
    open_text(r, others, sizeof others);
    if (!problem[0])
        problem = subject_problem(run_judged(r)->subject);
    run_break(r,
              "nothing moved for %.0f s while waiting for %s%s%s (%" PRIu64
              " failed connections%s%s%s%s%s); see server.log and client.log in %s",
              (double)waited_ns / 1e9, waiting_for(r),
              r->state == RUN_COMMAND ? r->command.name : "", others, failed(r),
              problem[0] ? ", the first" : "", whose[0] ? ", " : "", problem[0] ? whose : "",
              problem[0] ? ": " : "", problem, r->dir.path);
}

/* Steps that end by themselves. A program that isn't soak's has a time of its own to get ready and
 * to become quiet. */
static bool is_bounded(const struct run *r)
{
    bool foreign = r->state == RUN_START_SERVER || r->state == RUN_READY || r->state == RUN_SETTLE;
    return r->state == RUN_HOLD || agent_load_waits(run_load(r)->subject) ||
           (foreign && !run_judged_can(r, SUBJECT_CAN_SETTLE));
}

/* While nobody looked, as the machine or all of the run stood still, nothing could move: of a pause
 * only as much counts as may lie between two looks of a slow machine. */
static void leave_out_pause(struct run *r, uint64_t now)
{
    uint64_t unseen = now - r->looked_ns;
    if (r->looked_ns && unseen > LOOK_MOST_NS)
        r->moved_ns += unseen - LOOK_MOST_NS;
    if (r->moved_ns > now)
        r->moved_ns = now;
    r->looked_ns = now;
}

/* ---- nothing but failures, or too many ---- */

/* Leaks, or may leak. */
static bool anything_grows(const struct run *r)
{
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct judgement *j = &r->watched[i].judgement;
        for (size_t n = 0; n < j->findings; n++)
            if (j->finding[n].verdict != VERDICT_PASS)
                return true;
    }
    return false;
}

/* `; the first, clean: handshake failed: ...`, by the client's own word, or by what its log ends
 * with. */
static void first_text(const struct run *r, char *buf, size_t size)
{
    const struct subject *client = run_load(r)->subject;
    const struct child_failure *f = subject_failure(client);
    const char *problem = subject_problem(client);
    if (f->text[0])
        snprintf(buf, size, "; the first, %s: %s", f->behaviour, f->text);
    else if (problem[0])
        snprintf(buf, size, "; the first: %.300s", problem);
    else
        snprintf(buf, size, "; see client.log and server.log in %s", r->dir.path);
}

/* Nothing but failures, as of a program that refuses everybody from now on, or silence. */
static void bark(struct run *r, uint64_t waited_ns)
{
    enum { MANY = 10 };
    char text[PATH_MAX], some[32];
    uint64_t since = failed(r) - r->moved_failed;
    if (r->state != RUN_CHURN || since < MANY) {
        bark_at_silence(r, waited_ns);
        return;
    }
    first_text(r, text, sizeof text);
    run_break(r, "no %s succeeded for %.0f s, and %s failed%.600s",
              unit_name(run_unit(r) == UNIT_OPERATION ? UNIT_OPERATION : UNIT_CONNECTION),
              (double)waited_ns / 1e9, human_count(some, sizeof some, (int64_t)since), text);
}

void watchdog_look(struct run *r)
{
    uint64_t now = clock_now_ns(), moved = progress(r);
    bool anew = r->moved_ns > r->looked_ns; /* a step began since */
    leave_out_pause(r, now);
    if (moved > r->moved_activity || is_bounded(r)) {
        r->moved_activity = moved;
        r->moved_ns = now;
        anew = true;
    }
    if (anew)
        r->moved_failed = failed(r);
    uint64_t waited = now - r->moved_ns;
    if (r->state == RUN_QUIT && waited > QUIT_GRACE_NS)
        run_break(r, "a side didn't exit when told to");
    else if (r->state != RUN_QUIT && waited > r->scenario->watchdog_ns)
        bark(r, waited);
}

/* That the server has gone says more than the failures that come of it. */
static bool has_gone(struct run *r)
{
    struct subject *judged = run_judged(r)->subject;
    if (judged->ops->look && judged->child.running)
        judged->ops->look(judged);
    return r->broken[0] != '\0';
}

static void end(struct run *r, const struct judge_load *load, uint64_t all)
{
    char text[PATH_MAX], some[32], sum[32];
    first_text(r, text, sizeof text);
    run_break(r, "%s of %s %ss failed, so that no verdict can come any more%.600s",
              human_count(some, sizeof some, (int64_t)load->failed),
              human_count(sum, sizeof sum, (int64_t)all),
              unit_name(load->by_operation ? UNIT_OPERATION : UNIT_CONNECTION), text);
}

/* Connections to a server that is just crashing fail, too; its end says more. */
static bool is_crashing(const struct run *r)
{
    for (size_t i = 0; i < r->subjects.count; i++)
        if (atomic_load(&r->watched[i].subject->child.page->crash.signal))
            return true;
    return false;
}

void watchdog_look_failing(struct run *r)
{
    if (r->state != RUN_CHURN || r->interrupted || is_crashing(r))
        return;
    struct judge_load load = checkpoint_load(r);
    uint64_t tried = judge_tried(&load);
    uint64_t elapsed_ms = (clock_now_ns() - r->epoch_start_ns) / 1000000u;
    uint64_t expected = plan_expected(&r->plan, run_begun(r), elapsed_ms);
    if (judge_hopeless(load.failed, tried, expected) && !anything_grows(r) && !has_gone(r))
        end(r, &load, tried);
}
