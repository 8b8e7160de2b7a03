/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer foretells of an epoch, and whether two epochs confirm it. */
#include "attribution.h"

#include "stats/sensitivity.h"

#include <math.h>

static const double SURE = 0.999;

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

/* When exact, each connection of the behaviour that keeps most is one. */
double behaviours_losses(const struct behaviours_answer *a, double blocks)
{
    double each = a->exact ? 1 : fmax(a->scatter, 1);
    for (size_t b = 0; a->exact && b < a->count; b++)
        each = fmax(each, a->share[b].blocks);
    return fmax(blocks, 0) / each;
}

bool behaviours_confirmed(const struct behaviours_answer *a, const struct behaviours_confirm *alone,
                          const struct behaviours_confirm *without)
{
    double more = floor(behaviours_losses(a, (double)alone->blocks));
    double fewer = ceil(behaviours_losses(a, (double)without->blocks));
    double share = (double)without->connections /
                   fmax(1, (double)alone->connections + (double)without->connections);
    return alone->agrees && without->agrees && more > 0 &&
           sensitivity_upper_share((uint64_t)fewer, (uint64_t)(more + fewer), SURE) < share;
}
