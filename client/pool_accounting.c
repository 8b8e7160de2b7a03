/* SPDX-License-Identifier: Apache-2.0 */
#include "pool_internal.h"

#include "base/clock.h"

static const uint64_t NS_PER_MS = 1000000;
static const uint64_t BACKOFF_FIRST_NS = 10000000, BACKOFF_LAST_NS = 1000000000;
static const uint64_t TIMES_EVERY_NS = 250000000;
static const uint64_t TICK_EVERY_NS = 100000000;
static const uint64_t TURN_AT_LEAST_EVERY_MS = 100;

void pool_count_failure(struct pool *pool, enum peer_failure kind)
{
    struct page_app *app = pool->shared.app;
    page_u64 *const counters[PEER_FAILURES] = {
        [PEER_FAIL_CONNECT] = &app->fail_connect, [PEER_FAIL_HANDSHAKE] = &app->fail_handshake,
        [PEER_FAIL_ECHO] = &app->fail_echo,       [PEER_FAIL_TIMEOUT] = &app->fail_timeout,
        [PEER_FAIL_LOST] = &app->fail_lost,
    };
    pool_add(&app->failed, 1);
    pool_add(counters[kind], 1);
}

void pool_back_off(struct pool *pool)
{
    uint64_t now_ns = clock_now_ns();
    if (now_ns < pool->retry_ns)
        return;
    pool->backoff_ns = pool->backoff_ns ? pool->backoff_ns * 2 : BACKOFF_FIRST_NS;
    if (pool->backoff_ns > BACKOFF_LAST_NS)
        pool->backoff_ns = BACKOFF_LAST_NS;
    pool->retry_ns = now_ns + pool->backoff_ns;
}

void pool_count_row(const struct pool *pool, size_t row, uint64_t born)
{
    struct page_behaviour *as = &pool->o.behaviour[row];
    uint64_t last = PAGE_EPOCHS - 1, now = pool_now_epoch(pool);
    pool_add(&as->begun[born < last ? born : last], 1);
    pool_add(&as->ended[now < last ? now : last], 1);
}

/* Where operations are counted, the end of a connection is only told when it wasn't meant to be. */
void pool_count_end(const struct peer *p)
{
    const struct pool *pool = pool_of(p);
    if (!pool_operates(pool))
        pool_count_row(pool, pool->o.rows->row[p->ended_as], p->born_epoch);
    else if (p->ended_as == BEHAVIOUR_FAILED)
        pool_count_row(pool, POOL_ROW_FAILED, p->born_epoch);
}

void pool_publish(struct pool *pool, bool everything)
{
    uint64_t now_ns = clock_now_ns(), due = pacer_due(&pool->pacer, now_ns);
    pool_add(&pool->shared.app->replacements_due, due - pool->due_published);
    pool->due_published = due;
    if (!everything && now_ns - pool->times_published_ns < TIMES_EVERY_NS)
        return;
    pool->times_published_ns = now_ns;
    pool->o.on_times(pool->o.owner, &pool->times);
    hist_reset(&pool->times);
}

void pool_expire(struct pool *pool, enum pool_place from, uint64_t now_ns)
{
    struct peer *p, *next;
    for (p = TAILQ_FIRST(&pool->list[from]); p && p->deadline_ns <= now_ns; p = next) {
        next = TAILQ_NEXT(p, link);
        peer_expire(p, pool->o.timeout_ns);
    }
}

/* For behaviours that say a little from time to time. */
void pool_tick_opening(struct pool *pool, uint64_t now_ns)
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

uint64_t pool_ms_until_next_turn(const struct pool *pool, uint64_t now_ns)
{
    uint64_t wait_ns = pacer_wait_ns(&pool->pacer, now_ns);
    /* What is due and couldn't begin waits for an event, not for the time. */
    if (wait_ns == 0 || wait_ns > TURN_AT_LEAST_EVERY_MS * NS_PER_MS)
        wait_ns = TURN_AT_LEAST_EVERY_MS * NS_PER_MS;
    if (pool->retry_ns > now_ns && pool->retry_ns - now_ns < wait_ns)
        wait_ns = pool->retry_ns - now_ns;
    return (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
}
