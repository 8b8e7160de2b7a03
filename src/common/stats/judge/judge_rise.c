/* SPDX-License-Identifier: Apache-2.0 */
#include "judge_rise.h"

#include "stats/trend.h"

#include <math.h>

/* How far the points stray from the line between the ends. */
static double stray_of(const struct judge_gauge *g, size_t from)
{
    size_t last = g->count - 1;
    double most = 0, run = g->closed[last] - g->closed[from];
    double rate = run > 0 ? (g->value[last] - g->value[from]) / run : 0;
    for (size_t i = from; i <= last; i++) {
        double line = g->value[last] - rate * (g->closed[last] - g->closed[i]);
        most = fmax(most, fabs(g->value[i] - line));
    }
    return most;
}

struct rise rise_of(const struct judge_context *h, const struct judge_gauge *g, size_t from)
{
    struct rise r = {.g = g};
    if (!g)
        return r;
    size_t last = g->count - 1;
    struct trend t = trend_of(g->closed + from, g->value + from, g->count - from, 0.99, h->e->seed);
    r.growth = g->value[last] - g->value[0];
    r.per_conn = t.slope;
    r.low = t.low;
    r.half_width = (t.high - t.low) / 2;
    r.stray = stray_of(g, from);
    r.straight = r.stray * RISE_STRAY_PARTS <= g->value[last] - g->value[from];
    return r;
}

bool rises(const struct rise *r, double at_least)
{
    return r->g && r->growth > at_least && r->low > r->g->limit && r->straight;
}

bool rises_in_few(const struct rise *r, double at_least)
{
    return r->g && r->growth > at_least && isinf(r->low) && r->per_conn > r->g->limit &&
           r->straight;
}
