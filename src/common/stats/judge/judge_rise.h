/* SPDX-License-Identifier: Apache-2.0 */
/* How a gauge of bytes rises with the connections that have closed. */
#ifndef SOAK_STATS_JUDGE_RISE_H
#define SOAK_STATS_JUDGE_RISE_H

#include "judge_internal.h"

#include <stdbool.h>
#include <stddef.h>

/* No point lies further from the line between the ends than a fifth of the growth: what fills up
 * bends, what wanders strays. */
enum { RISE_STRAY_PARTS = 5 };

struct rise {
    const struct judge_gauge *g; /* borrowed; NULL: there is none, and it rises by nothing */
    double growth;               /* bytes, over all points; the rest is over those from `from` on */
    double per_conn, low, half_width;
    double stray;  /* how far a point is from the line between the ends, at most */
    bool straight; /* in proportion to the closed connections */
};

/* `g`: borrowed by the result, or NULL. */
struct rise rise_of(const struct judge_context *h, const struct judge_gauge *g, size_t from);

/* By more than so many bytes, straight, and surely by more than its limit per connection. */
bool rises(const struct rise *r, double at_least);

/* The same of so few points that the trend has no interval, and so nothing is sure. */
bool rises_in_few(const struct rise *r, double at_least);

#endif
