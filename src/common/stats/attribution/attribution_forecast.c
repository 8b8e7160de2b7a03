/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a solved system: whether there is something to confirm, and what an epoch then
 * should keep. */
#include "attribution.h"

#include "base/check.h"

#include <math.h>

ENUM_NAMES(behaviour_verdict, BEHAVIOUR_VERDICT_LIST)

ENUM_NAMES(behaviours_outcome, BEHAVIOURS_OUTCOME_LIST)

static bool any_with(const struct behaviours_answer *a, enum behaviour_verdict v)
{
    for (size_t b = 0; b < a->count; b++) {
        if (a->share[b].connections > 0 && a->share[b].verdict == v)
            return true;
    }
    return false;
}

bool behaviours_tell(const struct behaviours_answer *a)
{
    return a->outcome == BEHAVIOURS_APART && any_with(a, BEHAVIOUR_GUILTY) &&
           any_with(a, BEHAVIOUR_INNOCENT);
}

struct behaviours_forecast behaviours_forecast(const struct behaviours_answer *a,
                                               const uint64_t *begun, const uint64_t *ended)
{
    struct behaviours_forecast f = {0};
    double variance = 0;
    for (size_t b = 0; b < a->count; b++) {
        double n = (double)(a->by_end ? ended : begun)[b], off = n * a->share[b].blocks_error;
        f.blocks += n * a->share[b].blocks;
        f.bytes += n * a->share[b].bytes;
        variance += off * off;
    }
    if (!a->exact)
        f.blocks_off = BEHAVIOURS_LIMITS * sqrt(variance + a->scatter * fmax(f.blocks, 1));
    return f;
}
