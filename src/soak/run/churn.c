/* SPDX-License-Identifier: Apache-2.0 */
#include "churn.h"

#include "base/clock.h"

/* What closes in a moment, as of an epoch in which the run broke at once, gives no rate. */
enum { MOMENT_NS = 1000000000, MOMENT_PARTS = 4 };

void churn_begin(struct run *r)
{
    r->churn_began = (struct run_churn){clock_now_ns(), run_ended(r)};
}

void churn_end(struct run *r)
{
    r->churned = churn_so_far(r, true);
    if (r->epoch == 0 && run_unit(r) != UNIT_RELOAD)
        r->filled = r->churned;
}

struct run_churn churn_so_far(const struct run *r, bool churning)
{
    struct run_churn sum = r->churned;
    if (churning) {
        sum.ns += clock_now_ns() - r->churn_began.ns;
        sum.closed += run_ended(r) - r->churn_began.closed;
    }
    return sum;
}

double churn_rate_per_s(const struct run *r, const struct run_churn *so_far)
{
    struct run_churn later = {so_far->ns - r->filled.ns, so_far->closed - r->filled.closed};
    bool moment = later.ns < MOMENT_NS && later.ns * MOMENT_PARTS < r->filled.ns;
    const struct run_churn *of = later.closed && !moment ? &later : so_far;
    return of->ns ? (double)of->closed * 1e9 / (double)of->ns : 0;
}
