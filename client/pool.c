#include "pool.h"

#include "base/check.h"
#include "base/clock.h"
#include "operate.h"
#include "probe/probe.h"

static const uint64_t NS_PER_MS = 1000000;
static const uint64_t BACKOFF_FIRST_NS = 10000000, BACKOFF_LAST_NS = 1000000000;
static const uint64_t HOPELESS_NS = 80000000; /* three failures in a row, a while apart each */
static const uint64_t TIMES_EVERY_NS = 250000000;
static const uint64_t TICK_EVERY_NS = 100000000;
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
    return pool->o.slots - pool->count[POOL_OPENING] - pool->count[POOL_HELD] -
           pool->count[POOL_OPERATING];
}

static bool operates(const struct pool *pool)
{
    return pool->o.operate != OPERATION_NONE;
}

/* Whether the epoch has more for the established connections. */
static bool has_spare(const struct pool *pool)
{
    return operates(pool) ? rounds_spare(&pool->rounds) : quota_spare(&pool->quota);
}

static uint64_t now_epoch(const struct pool *pool)
{
    return page_epoch(atomic_load_explicit(pool->o.epoch, memory_order_relaxed));
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
        take(&app->in_flight);
        add(&app->established, 1);
    } else if (is_established(from) && !is_established(to)) {
        take(&app->established);
        add(&app->in_flight, 1);
    }
}

static void begin(struct pool *pool)
{
    const struct behaviour_mix *mix = quota_spare(&pool->quota) ? &pool->mix : &pool->held;
    enum behaviour behaviour = behaviour_draw(mix, &pool->rng);
    bool resume = pool->shared.sessions && rng_unit(&pool->rng) < pool->o.resume;
    uint64_t turn = pool->turn++;
    struct peer *p = peer_new(&pool->shared, behaviour, turn, resume);
    p->owner = pool;
    p->place = POOL_OPENING;
    p->ended_as = BEHAVIOUR_FAILED;
    p->born_epoch = p->active_epoch = now_epoch(pool);
    p->deadline_ns = p->begun_ns + pool->o.timeout_ns;
    TAILQ_INSERT_TAIL(&pool->list[POOL_OPENING], p, link);
    pool->count[POOL_OPENING]++;
    quota_begin(&pool->quota, p->recipe->end != RECIPE_HELD);
    probe_on_connection(add(&pool->shared.app->opened, 1));
    add(&pool->shared.app->in_flight, 1);
    peer_connect(p, turn);
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

/* The list is in the order in which they came to rest: each has its turn before any has two. */
static void operate_oldest(struct pool *pool)
{
    struct peer *oldest = TAILQ_FIRST(&pool->list[POOL_HELD]);
    rounds_begin(&pool->rounds);
    place(oldest, POOL_OPERATING);
    pacer_take(&pool->pacer);
    add(&pool->shared.app->replaced, 1);
    operate_begin(oldest, pool->o.operate);
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
        else if (pool->count[POOL_HELD] == 0 || !has_spare(pool) ||
                 !pacer_ready(&pool->pacer, now_ns))
            break;
        else if (operates(pool))
            operate_oldest(pool);
        else
            replace_oldest(pool);
    }
    if (!has_spare(pool))
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

/* Whether what was asked for has come about. */
static void check_done(struct pool *pool)
{
    if (pool->count[POOL_OPENING] + pool->count[POOL_OPERATING] + pool->count[POOL_LEAVING] > 0)
        return;
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

static void expire(struct pool *pool, enum pool_place from, uint64_t now_ns)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p && p->deadline_ns <= now_ns; p = next) {
        next = TAILQ_NEXT(p, link);
        peer_expire(p);
    }
}

/* For behaviours that say a little from time to time. */
static void tick_opening(struct pool *pool, uint64_t now_ns)
{
    struct peer *p, *next;
    if (now_ns - pool->ticked_ns < TICK_EVERY_NS)
        return;
    pool->ticked_ns = now_ns;
    for (p = TAILQ_FIRST(&pool->list[POOL_OPENING]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        peer_tick(p);
    }
}

static void reset_all(struct pool *pool, enum pool_place from)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p; p = next) {
        next = TAILQ_NEXT(p, link);
        p->ended_as = BEHAVIOUR_FAILED;
        if (from == POOL_OPERATING)
            rounds_failed(&pool->rounds);
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
    reset_all(pool, POOL_OPERATING);
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
    tick_opening(pool, now_ns);
    expire(pool, POOL_OPENING, now_ns);
    expire(pool, POOL_OPERATING, now_ns);
    expire(pool, POOL_LEAVING, now_ns);
    consider_giving_up(pool, now_ns);
    pump(pool);
    publish(pool, false);
    check_done(pool);
    if (pool->state == POOL_RUNNING || pool->state == POOL_DRAINING)
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
    p->ended_as = (int)p->behaviour;
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
    bool kept_slot = is_established((enum pool_place)p->place) ||
                     (p->place == POOL_OPENING && p->recipe->end == RECIPE_HELD);
    p->ended_as = BEHAVIOUR_FAILED;
    count_failure(pool, kind);
    back_off(pool);
    if (kept_slot)
        quota_failed(&pool->quota);
    if (p->place == POOL_OPERATING)
        rounds_failed(&pool->rounds);
    if (p->place != POOL_LEAVING)
        place(p, POOL_LEAVING);
    pool->o.on_problem(pool->o.owner, kind, text);
}

static void count_row(const struct pool *pool, size_t row, uint64_t born)
{
    struct page_behaviour *as = &pool->o.behaviour[row];
    uint64_t last = PAGE_EPOCHS - 1, now = now_epoch(pool);
    add(&as->begun[born < last ? born : last], 1);
    add(&as->ended[now < last ? now : last], 1);
}

/* Where operations are counted, the end of a connection is only told when it wasn't meant to be. */
static void count_end(const struct peer *p)
{
    const struct pool *pool = pool_of(p);
    if (!operates(pool))
        count_row(pool, pool->o.rows->row[p->ended_as], p->born_epoch);
    else if (p->ended_as == BEHAVIOUR_FAILED)
        count_row(pool, POOL_ROW_FAILED, p->born_epoch);
}

static void on_operated(struct peer *p)
{
    struct pool *pool = pool_of(p);
    place(p, POOL_HELD);
    p->active_epoch = now_epoch(pool);
    rounds_done(&pool->rounds);
    count_row(pool, POOL_ROW_OPERATION, p->active_epoch);
    probe_on_operation(add(&pool->shared.app->operations, 1));
    pool->backoff_ns = 0;
    pump(pool);
    check_done(pool);
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
    pool->shared.on_operated = on_operated;
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
    pool->held = recipe_held_part(mix, pool->o.holder);
    pool->state = POOL_RUNNING;
    pool->finishing = pool->gave_up = false;
    pool->backoff_ns = pool->retry_ns = 0;
    quota_start(&pool->quota, operates(pool) ? 0 : opens, empty_slots(pool));
    rounds_start(&pool->rounds, operates(pool) ? opens : 0);
    pool->filled = empty_slots(pool) == 0;
    if (pool->filled)
        pacer_run(&pool->pacer, clock_now_ns());
    on_timer(&pool->timer);
}

void pool_finish(struct pool *pool)
{
    if (pool->state != POOL_RUNNING || pool->finishing)
        return;
    pool->finishing = true;
    pool->give_up_ns = clock_now_ns() + pool->o.timeout_ns / 4 * 3;
    quota_finish(&pool->quota);
    rounds_finish(&pool->rounds);
    on_timer(&pool->timer);
}

void pool_drain(struct pool *pool)
{
    struct peer *p, *next;
    pool->state = POOL_DRAINING;
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
}
