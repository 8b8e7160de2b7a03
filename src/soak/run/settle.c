/* SPDX-License-Identifier: Apache-2.0 */
#include "settle.h"

#include "base/clock.h"
#include "evidence/moving.h"
#include "reload.h"
#include "user_command.h"

#include <stdio.h>

/* Two equal readings of the counters may fall into a pause of a busy machine; more of them, a few
 * milliseconds apart, don't all do so while the server still has something to close. */
enum { SETTLE_QUIET_POLLS = 3, SETTLE_BACKGROUND_POLLS = 200 };

static uint64_t activity(const struct run *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->subjects.count; i++)
        sum += snapshot_activity(r->watched[i].subject->child.page);
    return sum;
}

static uint64_t connections(const struct run *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct page_app *app = &r->watched[i].subject->child.page->app;
        sum += atomic_load(&app->opened) + atomic_load(&app->closed) +
               atomic_load(&app->handshakes) + atomic_load(&app->operations);
    }
    return sum;
}

static uint64_t server_open(const struct run *r)
{
    const struct page_app *app = &run_judged(r)->subject->child.page->app;
    return atomic_load(&app->opened) - atomic_load(&app->closed);
}

static void publish(struct run *r)
{
    char words[SUBJECTS_MAX][96];
    const char *said[SUBJECTS_MAX];
    for (size_t i = 0; i < r->subjects.count; i++)
        said[i] = profiler_words(r, i, words[i], sizeof words[i]);
    run_state_set(r, RUN_PUBLISH);
    subjects_settle(&r->subjects, said);
}

static void poll_built_in(struct run *r)
{
    uint64_t now = activity(r), conns = connections(r);
    /* After an interrupted epoch the client may hold fewer than asked: its own word counts. */
    uint64_t want = atomic_load(&run_load(r)->subject->child.page->app.established);
    bool steady = conns == r->quiet.connections && server_open(r) == want;
    bool quiet = steady && now == r->quiet.activity;
    r->quiet.activity = now;
    r->quiet.connections = conns;
    r->quiet.steady_polls = steady ? r->quiet.steady_polls + 1 : 0;
    r->quiet.polls = quiet ? r->quiet.polls + 1 : 0;
    r->quiet.still = r->quiet.polls >= SETTLE_QUIET_POLLS;
    if (r->quiet.still || r->quiet.steady_polls >= SETTLE_BACKGROUND_POLLS)
        publish(r);
}

/* ---- a program that isn't soak's ---- */

/* Of the time that it must be quiet: what a timer's tick or a look at a clock takes, which every
 * virtual machine does. */
enum { SETTLE_BUSY_PERCENT = 20, SETTLE_LIMIT_TIMES = 10, SETTLE_LOOKS = 8 };
static const uint64_t SETTLE_LIMIT_NS = 2000000000u, SETTLE_LOOK_NS = 10000000u;

static struct proc_wanted wanted(const struct run *r)
{
    const struct subject *s = run_judged(r)->subject;
    return s->ops->wanted ? s->ops->wanted(s) : (struct proc_wanted){0};
}

/* Counts from now on. */
static void watch(struct run *r, uint64_t activity_now)
{
    r->quiet.activity = activity_now;
    r->quiet.since_ns = clock_now_ns();
    r->quiet.cpu_ns = wanted(r).ns;
    r->quiet.quiet_ns = 0;
}

/* A pause of the machine, in which nothing could have moved, isn't seen time: the program is looked
 * at several times before it counts as quiet. */
static void look(struct run *r, uint64_t now)
{
    uint64_t most = r->scenario->settle_ns / SETTLE_LOOKS, ns = now - r->quiet.seen_at_ns;
    if (most < SETTLE_LOOK_NS)
        most = SETTLE_LOOK_NS;
    if (ns > most)
        ns = most;
    r->quiet.seen_at_ns = now;
    r->quiet.waited_ns += ns;
    r->quiet.quiet_ns += ns;
}

/* Whether it was idle since it was quiet, as far as anybody sees from outside. What wants a
 * processor `now` may not have got to do what it is about to for as long as it was quiet. */
static bool was_idle(const struct run *r, uint64_t now, const struct proc_wanted *after)
{
    uint64_t used = after->ns > r->quiet.cpu_ns ? after->ns - r->quiet.cpu_ns : 0;
    return !after->now && used * 100 <= (now - r->quiet.since_ns) * SETTLE_BUSY_PERCENT;
}

/* What it is about is told by two looks. */
static void look_at_half_time(struct run *r, uint64_t now)
{
    const struct subject *s = run_judged(r)->subject;
    if (r->quiet.looked || s->ops->snapshot(s, &r->quiet.half, NULL) != 0)
        return;
    r->quiet.looked = true;
    r->quiet.half_ns = now;
    r->quiet.half_cpu_ns = wanted(r).ns;
}

static void look_again(struct run *r, uint64_t now)
{
    const struct subject *s = run_judged(r)->subject;
    struct snapshot last;
    if (!r->quiet.looked || s->ops->snapshot(s, &last, NULL) != 0)
        return;
    const struct moving_look before = {&r->quiet.half, r->quiet.half_cpu_ns, r->quiet.half_ns},
                             after = {&last, wanted(r).ns, now};
    moving_text(&before, &after, r->quiet.moving, sizeof r->quiet.moving);
    snapshot_free(&last);
}

void settle_end(struct run *r)
{
    if (r->quiet.looked)
        snapshot_free(&r->quiet.half);
    r->quiet.looked = false;
}

static void take(struct run *r, uint64_t now)
{
    if (r->settle == SETTLE_RELOAD) {
        settle_end(r);
        reload_quiet(r);
        return;
    }
    r->quiet.samples++;
    r->quiet.still_samples += r->quiet.still;
    if (!r->quiet.still)
        look_again(r, now);
    settle_end(r);
    publish(r);
}

static void poll_foreign(struct run *r)
{
    struct run_quiet *q = &r->quiet;
    uint64_t now = clock_now_ns(), settle_ns = r->scenario->settle_ns, activity_now = activity(r);
    uint64_t limit_ns = SETTLE_LIMIT_TIMES * settle_ns + SETTLE_LIMIT_NS;
    struct proc_wanted after = {0};
    look(r, now);
    bool quiet = activity_now == q->activity, long_enough = q->quiet_ns >= settle_ns;
    if (quiet && long_enough)
        after = wanted(r);
    q->still = quiet && long_enough && was_idle(r, now, &after);
    if (q->waited_ns > limit_ns / 2)
        look_at_half_time(r, now);
    if (q->still || q->waited_ns > limit_ns)
        take(r, now);
    else if (!quiet || (long_enough && !after.now))
        watch(r, activity_now);
}

/* ---- both ---- */

static void wait_for_quiet(struct run *r)
{
    r->quiet.polls = r->quiet.steady_polls = 0;
    r->quiet.connections = connections(r);
    r->quiet.seen_at_ns = clock_now_ns();
    r->quiet.waited_ns = 0;
    watch(r, activity(r));
    /* Nothing of a foreign program's runs but when it allocates: so it is asked while it may. */
    atomic_store(&run_judged(r)->subject->child.page->publish_asked, 1);
    run_state_set(r, RUN_SETTLE);
}

void settle_reload(struct run *r)
{
    r->settle = SETTLE_RELOAD;
    wait_for_quiet(r);
}

void settle_begin(struct run *r, enum run_settle purpose)
{
    r->settle = purpose;
    user_command_start(r, "on-checkpoint", r->scenario->on_checkpoint, wait_for_quiet);
}

const char *settle_moving(const struct run *r)
{
    return r->quiet.samples && !r->quiet.still_samples ? r->quiet.moving : NULL;
}

void settle_poll(struct run *r)
{
    if (run_judged_can(r, SUBJECT_CAN_SETTLE))
        poll_built_in(r);
    else
        poll_foreign(r);
}
