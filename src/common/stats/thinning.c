/* SPDX-License-Identifier: Apache-2.0 */
#include "thinning.h"

#include "base/check.h"

#include <math.h>

/* Whether `a` is to stay rather than `b`, which comes before it. */
static bool is_further(double a, double b, bool up)
{
    return isnan(b) ? !isnan(a) : up ? a > b : a < b;
}

static size_t extreme(const double *value, size_t from, size_t to, bool up)
{
    size_t best = from;
    for (size_t i = from + 1; i < to; i++) {
        if (is_further(value[i], value[best], up))
            best = i;
    }
    return best;
}

static size_t span_end(const struct thinning *t, size_t from, double span)
{
    size_t to = from + 1;
    double number = floor(t->x[from] / span);
    while (to < t->count && floor(t->x[to] / span) == number)
        to++;
    return to;
}

static size_t mark(const struct thinning *t, double span, bool *keep)
{
    size_t kept = 0;
    double last = t->x[t->count - 1];
    for (size_t i = 0; i < t->count; i++)
        keep[i] = i + 1 == t->count || t->x[i] > last - t->recent;
    for (size_t from = 0, to; from < t->count; from = to) {
        to = span_end(t, from, span);
        for (size_t f = 0; f < t->figures; f++) {
            keep[extreme(t->value[f], from, to, true)] = true;
            keep[extreme(t->value[f], from, to, false)] = true;
        }
    }
    for (size_t i = 0; i < t->count; i++)
        kept += keep[i];
    return kept;
}

size_t thinning_choose(const struct thinning *t, size_t most, double *span, bool *keep)
{
    size_t kept = t->count;
    CHECK(*span > 0 && t->figures > 0 && t->figures <= THINNING_FIGURES);
    for (size_t i = 0; i < t->count; i++)
        keep[i] = true;
    while (kept > most) {
        kept = mark(t, *span, keep);
        if (kept <= most || *span > t->x[t->count - 1])
            break;
        *span *= 2;
    }
    return kept;
}
