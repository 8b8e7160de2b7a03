#include "pool.h"

#include "base/check.h"
#include "base/clock.h"
#include "probe/probe.h"

static const uint64_t NS_PER_MS = 1000000;
static const uint64_t BACKOFF_FIRST_NS = 10000000, BACKOFF_LAST_NS = 1000000000;
static const uint64_t HOPELESS_NS = 80000000; /* three failures in a row, a while apart each */
static const uint64_t TIMES_EVERY_NS = 250000000;
static const uint64_t TURN_AT_LEAST_EVERY_MS = 100;

static struct pool *pool_of(const struct peer *p)
{
    return p->owner;
}

static uint64_t add(page_u64 *counter, uint64_t n)
{
    return atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void take(page_u64 *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t empty_slots(const struct pool *pool)
{
    return pool->o.slots - pool->count[POOL_OPENING] - pool->count[POOL_HELD];
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
    if (to == POOL_HELD) {
        take(&app->in_flight);
        add(&app->established, 1);
    } else if (from == POOL_HELD) {
        take(&app->established);
        add(&app->in_flight, 1);
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
    p->born_epoch = page_epoch(atomic_load_explicit(pool->o.epoch, memory_order_relaxed));
    p->deadline_ns = p->begun_ns + pool->o.timeout_ns;
    TAILQ_INSERT_TAIL(&pool->list[POOL_OPENING], p, link);
    pool->count[POOL_OPENING]++;
    probe_on_connection(add(&pool->shared.app->opened, 1));
    add(&pool->shared.app->in_flight, 1);
    peer_connect(p, turn);
}

static void begin(struct pool *pool)
{
    enum behaviour behaviour = behaviour_draw(&pool->mix, &pool->rng, !quota_spare(&pool->quota));
    quota_begin(&pool->quota, behaviour == BEHAVIOUR_MID_HANDSHAKE);
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
    add(&pool->shared.app->replaced, 1);
    begin(pool);
}

static bool may_begin(const struct pool *pool, uint64_t now_ns)
{
    return pool->state == POOL_RUNNING && !pool->gave_up && now_ns >= pool->retry_ns &&
           pool->count[POOL_OPENING] < POOL_OPENING_MAX &&
           pool->count[POOL_LEAVING] < POOL_LEAVING_MAX;
}

static void pump(struct pool *pool)
{
    uint64_t now_ns = clock_now_ns();
    while (may_begin(pool, now_ns)) {
        if (empty_slots(pool) > 0)
            begin(pool);
        else if (pool->count[POOL_HELD] > 0 && quota_spare(&pool->quota) &&
                 pacer_ready(&pool->pacer, now_ns))
            replace_oldest(pool);
        else
            break;
    }
    if (!quota_spare(&pool->quota))
        pacer_pause(&pool->pacer, now_ns);
}

static void publish(struct pool *pool, bool everything)
{
    uint64_t now_ns = clock_now_ns(), due = pacer_due(&pool->pacer, now_ns);
    add(&pool->shared.app->due, due - pool->due_published);
    pool->due_published = due;
    if (!everything && now_ns - pool->times_published_ns < TIMES_EVERY_NS)
        return;
    pool->times_published_ns = now_ns;
    pool->o.on_times(pool->o.owner, &pool->times);
    hist_reset(&pool->times);
}

static void go_idle(struct pool *pool)
{
    pool->state = POOL_IDLE;
    pacer_pause(&pool->pacer, clock_now_ns());
    publish(pool, true);
    uv_timer_stop(&pool->timer);
}

static void next_alone(struct pool *pool)
{
    if (pool->alone_left > 0) {
        pool->alone_left--;
        begin_as(pool, behaviour_draw(&pool->mix, &pool->rng, false));
    } else {
        go_idle(pool);
        pool->o.on_quiet(pool->o.owner, UINT64_MAX);
    }
}

/* Whether what was asked for has come about. */
static void check_done(struct pool *pool)
{
    if (pool->count[POOL_OPENING] + pool->count[POOL_LEAVING] > 0)
        return;
    if (pool->state == POOL_ALONE) {
        next_alone(pool);
        return;
    }
    if (pool->state == POOL_RUNNING &&
        (pool->gave_up || (pool->quota.left == 0 && empty_slots(pool) == 0))) {
        struct peer *oldest = TAILQ_FIRST(&pool->list[POOL_HELD]);
        go_idle(pool);
        pool->o.on_quiet(pool->o.owner, oldest ? oldest->born_epoch : UINT64_MAX);
    } else if (pool->state == POOL_DRAINING && pool->count[POOL_HELD] == 0) {
        go_idle(pool);
        if (pool->shared.sessions)
            sessions_clear(pool->shared.sessions);
        pool->o.on_drained(pool->o.owner);
    }
}

static void expire(struct pool *pool, enum pool_place from, uint64_t now_ns)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p && p->deadline_ns <= now_ns; p = next) {
        next = TAILQ_NEXT(p, link);
        peer_expire(p);
    }
}

static void reset_all(struct pool *pool, enum pool_place from)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        p->ended_as = BEHAVIOUR_FAILED;
        if (from != POOL_LEAVING)
            place(p, POOL_LEAVING);
        peer_reset(p);
    }
}

/* A finishing epoch can't wait for a server that doesn't answer. */
static void consider_giving_up(struct pool *pool, uint64_t now_ns)
{
    if (!pool->finishing || pool->gave_up)
        return;
    bool late = now_ns >= pool->give_up_ns;
    pool->gave_up = late || pool->backoff_ns >= HOPELESS_NS;
    if (!late)
        return;
    reset_all(pool, POOL_OPENING);
    reset_all(pool, POOL_LEAVING);
}

static uint64_t ms_until_next_turn(const struct pool *pool, uint64_t now_ns)
{
    uint64_t wait_ns = pacer_wait_ns(&pool->pacer, now_ns);
    /* What is due and couldn't begin waits for an event, not for the time. */
    if (wait_ns == 0 || wait_ns > TURN_AT_LEAST_EVERY_MS * NS_PER_MS)
        wait_ns = TURN_AT_LEAST_EVERY_MS * NS_PER_MS;
    if (pool->retry_ns > now_ns && pool->retry_ns - now_ns < wait_ns)
        wait_ns = pool->retry_ns - now_ns;
    return (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static void on_timer(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    uint64_t now_ns = clock_now_ns();
    expire(pool, POOL_OPENING, now_ns);
    expire(pool, POOL_LEAVING, now_ns);
    consider_giving_up(pool, now_ns);
    pump(pool);
    publish(pool, false);
    check_done(pool);
    if (pool->state != POOL_IDLE && pool->state != POOL_STOPPED)
        uv_timer_start(timer, on_timer, ms_until_next_turn(pool, clock_now_ns()), 0);
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
    pump(pool);
    check_done(pool);
}

/* The next connection in the slot counts as due: churn is connections per second, whatever their
 * behaviour. */
static void on_aborted(struct peer *p)
{
    struct pool *pool = pool_of(p);
    p->ended_as = BEHAVIOUR_MID_HANDSHAKE;
    place(p, POOL_LEAVING);
    add(&pool->shared.app->intended, 1);
    if (pool->filled) {
        pacer_take(&pool->pacer);
        add(&pool->shared.app->replaced, 1);
    }
    pump(pool);
}

static void count_failure(struct pool *pool, enum peer_failure kind)
{
    struct page_app *app = pool->shared.app;
    page_u64 *const counters[PEER_FAILURES] = {
        [PEER_FAIL_CONNECT] = &app->fail_connect, [PEER_FAIL_HANDSHAKE] = &app->fail_handshake,
        [PEER_FAIL_ECHO] = &app->fail_echo,       [PEER_FAIL_TIMEOUT] = &app->fail_timeout,
        [PEER_FAIL_LOST] = &app->fail_lost,
    };
    add(&app->failed, 1);
    add(counters[kind], 1);
}

static void back_off(struct pool *pool)
{
    uint64_t now_ns = clock_now_ns();
    if (now_ns < pool->retry_ns)
        return;
    pool->backoff_ns = pool->backoff_ns ? pool->backoff_ns * 2 : BACKOFF_FIRST_NS;
    if (pool->backoff_ns > BACKOFF_LAST_NS)
        pool->backoff_ns = BACKOFF_LAST_NS;
    pool->retry_ns = now_ns + pool->backoff_ns;
}

static void on_failed(struct peer *p, enum peer_failure kind, const char *text)
{
    struct pool *pool = pool_of(p);
    bool kept_slot = p->place == POOL_HELD ||
                     (p->place == POOL_OPENING && p->behaviour != BEHAVIOUR_MID_HANDSHAKE);
    p->ended_as = BEHAVIOUR_FAILED;
    count_failure(pool, kind);
    back_off(pool);
    if (kept_slot)
        quota_failed(&pool->quota);
    if (p->place != POOL_LEAVING)
        place(p, POOL_LEAVING);
    pool->o.on_problem(pool->o.owner, kind, text);
}

static void count_end(const struct peer *p)
{
    const struct pool *pool = pool_of(p);
    struct page_behaviour *as = &pool->o.behaviour[p->ended_as];
    uint64_t last = PAGE_EPOCHS - 1, born = p->born_epoch;
    uint64_t now = page_epoch(atomic_load_explicit(pool->o.epoch, memory_order_relaxed));
    add(&as->begun[born < last ? born : last], 1);
    add(&as->ended[now < last ? now : last], 1);
}

static void on_gone(struct peer *p)
{
    struct pool *pool = pool_of(p);
    CHECK(p->place == POOL_LEAVING);
    count_end(p);
    TAILQ_REMOVE(&pool->list[POOL_LEAVING], p, link);
    pool->count[POOL_LEAVING]--;
    take(&pool->shared.app->in_flight);
    add(&pool->shared.app->closed, 1);
    pump(pool);
    check_done(pool);
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
    pool->shared.on_aborted = on_aborted;
    pool->shared.on_failed = on_failed;
    pool->shared.on_gone = on_gone;
    uv_timer_init(pool->shared.loop, &pool->timer);
    pool->timer.data = pool;
}

void pool_epoch(struct pool *pool, uint64_t opens, const struct behaviour_mix *mix)
{
    CHECK(pool->state == POOL_IDLE);
    pool->mix = *mix;
    pool->state = POOL_RUNNING;
    pool->finishing = pool->gave_up = false;
    pool->backoff_ns = pool->retry_ns = 0;
    quota_start(&pool->quota, opens, empty_slots(pool));
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
    pool->give_up_ns = clock_now_ns() + pool->o.timeout_ns / 4 * 3;
    quota_finish(&pool->quota);
    on_timer(&pool->timer);
}

void pool_drain(struct pool *pool)
{
    struct peer *p, *next;
    pool->state = POOL_DRAINING;
    reset_all(pool, POOL_OPENING);
    for (p = TAILQ_FIRST(&pool->list[POOL_HELD]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        p->behaviour = BEHAVIOUR_CLEAN;
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
}
