/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two rooms of a pool share: pool.c decides, pool_accounting.c counts and keeps the time.
 * Private to them.
 */
#ifndef SOAK_CLIENT_POOL_INTERNAL_H
#define SOAK_CLIENT_POOL_INTERNAL_H

#include "pool.h"

static inline struct pool *pool_of(const struct peer *p)
{
    return p->owner;
}

static inline uint64_t pool_add(page_u64 *counter, uint64_t n)
{
    return atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void pool_take(page_u64 *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

static inline bool pool_operates(const struct pool *pool)
{
    return pool->o.operate != OPERATE_NONE;
}

static inline uint64_t pool_now_epoch(const struct pool *pool)
{
    return page_epoch(atomic_load_explicit(pool->o.epoch, memory_order_relaxed));
}

/* A connection has failed: in the page, and the pause before the next attempt. */
void pool_count_failure(struct pool *pool, enum peer_failure kind);
void pool_back_off(struct pool *pool);
/* One more in this row of the page, born in that epoch and ended now. */
void pool_count_row(const struct pool *pool, size_t row, uint64_t born);
void pool_count_end(const struct peer *p);
/* Publishes the due count; every 250 ms, or if `everything` is set, also the handshake histogram.
 */
void pool_publish(struct pool *pool, bool everything);
/* Ends those of a list whose time is over. */
void pool_expire(struct pool *pool, enum pool_place from, uint64_t now_ns);
/* For behaviours that say a little from time to time. */
void pool_tick_opening(struct pool *pool, uint64_t now_ns);
uint64_t pool_ms_until_next_turn(const struct pool *pool, uint64_t now_ns);

#endif
