/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include "base/check.h"
#include "base/clock.h"
#include "options/limits.h"
#include "pool_internal.h"
#include "probe/probe.h"

static const uint64_t HOPELESS_NS = 80000000; /* three failures in a row, a while apart each */
/* Whoever ends a run waits no longer for a server that answers nobody, twice. */
static const uint64_t SILENCE_NS = 3000000000u;

static uint64_t empty_slots(const struct pool *pool)
{
    return pool->o.slots - pool->count[POOL_OPENING] - pool->count[POOL_HELD] -
           pool->count[POOL_OPERATING];
}

/* Whether the epoch has more for the established connections. */
static bool has_spare(const struct pool *pool)
{
    return pool_operates(pool) ? rounds_spare(&pool->rounds) : quota_spare(&pool->quota);
}

static bool is_established(enum pool_place place)
{
    return place == POOL_HELD || place == POOL_OPERATING;
}

/* The one place that changes where a connection is counted. */
static void place(struct peer *p, enum pool_place to)
{
    struct pool *pool = pool_of(p);
    enum pool_place from = (enum pool_place)p->place;
    struct page_app *app = pool->shared.app;
    TAILQ_REMOVE(&pool->list[from], p, link);
    TAILQ_INSERT_TAIL(&pool->list[to], p, link);
    pool->count[from]--;
    pool->count[to]++;
    p->place = (int)to;
    p->deadline_ns = to == POOL_HELD ? UINT64_MAX : clock_now_ns() + pool->o.timeout_ns;
    if (is_established(to) && !is_established(from)) {
        pool_take(&app->in_flight);
        pool_add(&app->established, 1);
    } else if (is_established(from) && !is_established(to)) {
        pool_take(&app->established);
        pool_add(&app->in_flight, 1);
    }
}

static void begin_as(struct pool *pool, enum behaviour behaviour)
{
    bool resume = pool->shared.sessions && rng_unit(&pool->rng) < pool->o.resume;
    uint64_t turn = pool->turn++;
    struct peer *p = peer_new(&pool->shared, behaviour, turn, resume);
    p->owner = pool;
    p->place = POOL_OPENING;
    p->ended_as = BEHAVIOUR_FAILED;
    p->born_epoch = p->active_epoch = pool_now_epoch(pool);
    p->deadline_ns = p->begun_ns + pool->o.timeout_ns;
    TAILQ_INSERT_TAIL(&pool->list[POOL_OPENING], p, link);
    pool->count[POOL_OPENING]++;
    probe_on_connection(pool_add(&pool->shared.app->opened, 1));
    pool_add(&pool->shared.app->in_flight, 1);
    peer_connect(p, turn);
}

static void begin(struct pool *pool)
{
    const struct behaviour_mix *mix = quota_spare(&pool->quota) ? &pool->mix : &pool->held;
    enum behaviour behaviour = behaviour_draw(mix, &pool->rng);
    quota_begin(&pool->quota, recipe_of(behaviour)->end != RECIPE_HELD);
    begin_as(pool, behaviour);
}

static void leave(struct peer *p)
{
    p->ended_as = (int)p->behaviour;
    place(p, POOL_LEAVING);
    peer_leave(p);
}

static void replace_oldest(struct pool *pool)
{
    struct peer *oldest = TAILQ_FIRST(&pool->list[POOL_HELD]);
    quota_vacate(&pool->quota);
    leave(oldest);
    pacer_take(&pool->pacer);
    pool_add(&pool->shared.app->replacements_started, 1);
    begin(pool);
}

/* Oldest idle first: every connection gets one operation before any gets two. */
static void operate_oldest(struct pool *pool)
{
    struct peer *oldest = TAILQ_FIRST(&pool->list[POOL_HELD]);
    rounds_begin(&pool->rounds);
    place(oldest, POOL_OPERATING);
    pacer_take(&pool->pacer);
    pool_add(&pool->shared.app->replacements_started, 1);
    peer_operate(oldest, pool->o.operate);
}

static bool may_begin(const struct pool *pool, uint64_t now_ns)
{
    return pool->state == POOL_RUNNING && !pool->gave_up && now_ns >= pool->retry_ns &&
           pool->count[POOL_OPENING] < LOAD_OPENING_MAX &&
           pool->count[POOL_LEAVING] < LOAD_LEAVING_MAX;
}

static void pump(struct pool *pool)
{
    uint64_t now_ns = clock_now_ns();
    while (may_begin(pool, now_ns)) {
        if (empty_slots(pool) > 0)
            begin(pool);
        else if (pool->count[POOL_HELD] == 0 || !has_spare(pool) ||
                 !pacer_ready(&pool->pacer, now_ns))
            break;
        else if (pool_operates(pool))
            operate_oldest(pool);
        else
            replace_oldest(pool);
    }
    if (!has_spare(pool))
        pacer_pause(&pool->pacer, now_ns);
}

static void go_idle(struct pool *pool)
{
    pool->state = POOL_IDLE;
    pacer_pause(&pool->pacer, clock_now_ns());
    pool_publish(pool, true);
    uv_timer_stop(&pool->timer);
}

static void next_alone(struct pool *pool)
{
    if (pool->alone_left > 0) {
        pool->alone_left--;
        begin_as(pool, behaviour_draw(&pool->mix, &pool->rng));
    } else {
        go_idle(pool);
        pool->o.on_quiet(pool->o.owner, UINT64_MAX);
    }
}

/* Whether what was asked for has come about. */
static void check_done(struct pool *pool)
{
    if (pool->count[POOL_OPENING] + pool->count[POOL_OPERATING] + pool->count[POOL_LEAVING] > 0)
        return;
    if (pool->state == POOL_ALONE) {
        next_alone(pool);
        return;
    }
    bool done = pool->quota.left == 0 && rounds_over(&pool->rounds) && empty_slots(pool) == 0;
    if (pool->state == POOL_RUNNING && (pool->gave_up || done)) {
        struct peer *oldest = TAILQ_FIRST(&pool->list[POOL_HELD]);
        go_idle(pool);
        pool->o.on_quiet(pool->o.owner, oldest ? oldest->active_epoch : UINT64_MAX);
    } else if (pool->state == POOL_DRAINING && pool->count[POOL_HELD] == 0) {
        go_idle(pool);
        if (pool->shared.sessions)
            sessions_clear(pool->shared.sessions);
        pool->o.on_drained(pool->o.owner);
    }
}

static void reset_all(struct pool *pool, enum pool_place from)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        p->ended_as = BEHAVIOUR_FAILED;
        if (from == POOL_OPENING && p->recipe->end == RECIPE_HELD)
            quota_failed(&pool->quota);
        if (from == POOL_OPERATING)
            rounds_failed(&pool->rounds);
        if (from != POOL_LEAVING)
            place(p, POOL_LEAVING);
        peer_reset(p);
    }
}

static void limit_patience(struct pool *pool)
{
    pool->cut = pool->gave_up = false;
    pool->moved_ns = clock_now_ns();
    pool->give_up_ns = pool->moved_ns + pool->o.timeout_ns / 4 * 3;
}

/* An epoch that finishes, and the drain after it, can't wait for a server that doesn't answer, nor
 * for peers that stall. Their slots are filled once more: the server may well answer others. */
static void consider_giving_up(struct pool *pool, uint64_t now_ns)
{
    if (!pool->finishing || pool->gave_up)
        return;
    bool late = now_ns >= pool->give_up_ns, silent = now_ns - pool->moved_ns >= SILENCE_NS;
    pool->gave_up = late || (silent && pool->cut) || pool->backoff_ns >= HOPELESS_NS;
    if (!late && !silent)
        return;
    pool->cut = true;
    pool->moved_ns = now_ns;
    reset_all(pool, POOL_OPENING);
    reset_all(pool, POOL_OPERATING);
    reset_all(pool, POOL_LEAVING);
}

static void on_timer(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    uint64_t now_ns = clock_now_ns();
    pool_tick_opening(pool, now_ns);
    pool_expire(pool, POOL_OPENING, now_ns);
    pool_expire(pool, POOL_OPERATING, now_ns);
    pool_expire(pool, POOL_LEAVING, now_ns);
    consider_giving_up(pool, now_ns);
    pump(pool);
    pool_publish(pool, false);
    check_done(pool);
    if (pool->state != POOL_IDLE && pool->state != POOL_STOPPED)
        uv_timer_start(timer, on_timer, pool_ms_until_next_turn(pool, clock_now_ns()), 0);
}

/* What has happened in a turn of the loop is answered at its end, for all connections together: the
 * server, woken by the first, then has work until the last. */
static void on_turn_end(uv_prepare_t *turn)
{
    struct pool *pool = turn->data;
    if (!pool->moved)
        return;
    pool->moved = false;
    if (pool->finishing)
        pool->moved_ns = clock_now_ns();
    pump(pool);
    check_done(pool);
}

static void on_handshake(struct peer *p, uint64_t took_ns)
{
    hist_add(&pool_of(p)->times, took_ns);
}

static void on_established(struct peer *p)
{
    struct pool *pool = pool_of(p);
    place(p, POOL_HELD);
    pool->backoff_ns = 0;
    if (pool->state == POOL_ALONE) {
        leave(p);
        return;
    }
    if (pool->state == POOL_RUNNING && !pool->filled && pool->count[POOL_HELD] == pool->o.slots) {
        pool->filled = true;
        pacer_run(&pool->pacer, clock_now_ns());
        /* A paced pool now needs turns more often than the timer is set for. */
        uv_timer_start(&pool->timer, on_timer, 0, 0);
    }
    pool->moved = true;
}

/* The next connection in the slot counts as due: churn is connections per second, whatever their
 * behaviour. */
static void on_aborted(struct peer *p)
{
    struct pool *pool = pool_of(p);
    p->ended_as = (int)p->behaviour;
    place(p, POOL_LEAVING);
    pool_add(&pool->shared.app->expected_aborts, 1);
    if (pool->filled) {
        pacer_take(&pool->pacer);
        pool_add(&pool->shared.app->replacements_started, 1);
    }
    pool->moved = true;
}

static void on_ended(struct peer *p)
{
    struct pool *pool = pool_of(p);
    p->ended_as = (int)p->behaviour;
    quota_failed(&pool->quota);
    place(p, POOL_LEAVING);
}

static void on_failed(struct peer *p, enum peer_failure kind, const char *text)
{
    struct pool *pool = pool_of(p);
    bool kept_slot = is_established((enum pool_place)p->place) ||
                     (p->place == POOL_OPENING && p->recipe->end == RECIPE_HELD);
    p->ended_as = BEHAVIOUR_FAILED;
    pool_count_failure(pool, kind);
    pool_back_off(pool);
    if (kept_slot)
        quota_failed(&pool->quota);
    if (p->place == POOL_OPERATING) {
        rounds_failed(&pool->rounds);
        pacer_run(&pool->pacer, clock_now_ns()); /* it was the last: there is one more now */
    }
    if (p->place != POOL_LEAVING)
        place(p, POOL_LEAVING);
    pool->o.on_failure(pool->o.owner, p, kind, text);
}

static void on_operated(struct peer *p)
{
    struct pool *pool = pool_of(p);
    place(p, POOL_HELD);
    p->active_epoch = pool_now_epoch(pool);
    rounds_done(&pool->rounds);
    pool_count_row(pool, POOL_ROW_OPERATION, p->active_epoch);
    probe_on_operation(pool_add(&pool->shared.app->operations, 1));
    pool->backoff_ns = 0;
    pool->moved = true;
}

static void on_gone(struct peer *p)
{
    struct pool *pool = pool_of(p);
    CHECK(p->place == POOL_LEAVING);
    pool_count_end(p);
    TAILQ_REMOVE(&pool->list[POOL_LEAVING], p, link);
    pool->count[POOL_LEAVING]--;
    pool_take(&pool->shared.app->in_flight);
    pool_add(&pool->shared.app->closed, 1);
    pool->moved = true;
}

void pool_init(struct pool *pool, const struct pool_options *o)
{
    pool->o = *o;
    pool->state = POOL_IDLE;
    pool->rng.state = o->seed;
    for (int i = 0; i < POOL_PLACES; i++)
        TAILQ_INIT(&pool->list[i]);
    pacer_init(&pool->pacer, o->rate.per_s, o->rate.max);
    pool->shared.on_handshake = on_handshake;
    pool->shared.on_established = on_established;
    pool->shared.on_operated = on_operated;
    pool->shared.on_aborted = on_aborted;
    pool->shared.on_ended = on_ended;
    pool->shared.on_failed = on_failed;
    pool->shared.on_gone = on_gone;
    uv_timer_init(pool->shared.net.loop, &pool->timer);
    uv_prepare_init(pool->shared.net.loop, &pool->turn_end);
    uv_prepare_start(&pool->turn_end, on_turn_end);
    uv_unref((uv_handle_t *)&pool->turn_end);
    pool->timer.data = pool->turn_end.data = pool;
}

void pool_epoch(struct pool *pool, uint64_t opens, const struct behaviour_mix *mix)
{
    CHECK(pool->state == POOL_IDLE);
    pool->mix = *mix;
    pool->held = recipe_held_part(mix, pool->o.holder);
    pool->state = POOL_RUNNING;
    pool->finishing = pool->gave_up = false;
    pool->backoff_ns = pool->retry_ns = 0;
    quota_start(&pool->quota, pool_operates(pool) ? 0 : opens, empty_slots(pool));
    rounds_start(&pool->rounds, pool_operates(pool) ? opens : 0);
    pool->filled = empty_slots(pool) == 0;
    if (pool->filled)
        pacer_run(&pool->pacer, clock_now_ns());
    on_timer(&pool->timer);
}

void pool_one_by_one(struct pool *pool, uint64_t opens, const struct behaviour_mix *mix)
{
    CHECK(pool->state == POOL_IDLE && pool->count[POOL_HELD] == 0);
    pool->mix = *mix;
    pool->state = POOL_ALONE;
    pool->filled = false;
    pool->alone_left = opens;
    on_timer(&pool->timer);
}

void pool_finish(struct pool *pool)
{
    if (pool->state != POOL_RUNNING || pool->finishing)
        return;
    pool->finishing = true;
    limit_patience(pool);
    quota_finish(&pool->quota);
    rounds_finish(&pool->rounds);
    on_timer(&pool->timer);
}

void pool_drain(struct pool *pool)
{
    struct peer *p, *next;
    pool->state = POOL_DRAINING;
    limit_patience(pool);
    reset_all(pool, POOL_OPENING);
    reset_all(pool, POOL_OPERATING);
    for (p = TAILQ_FIRST(&pool->list[POOL_HELD]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        peer_become(p, BEHAVIOUR_CLEAN);
        leave(p);
    }
    on_timer(&pool->timer);
}

void pool_stop(struct pool *pool)
{
    pool->state = POOL_STOPPED;
    for (int from = 0; from < POOL_PLACES; from++)
        reset_all(pool, (enum pool_place)from);
    uv_close((uv_handle_t *)&pool->timer, NULL);
    uv_close((uv_handle_t *)&pool->turn_end, NULL);
}
