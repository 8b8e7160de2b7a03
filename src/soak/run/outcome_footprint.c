/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection costs: by soak-footprint; or, where a program that isn't soak's has one end of
 * it, by what the run itself saw. */
#include "footprint.h"
#include "outcome.h"

#include "subject/environment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- as the run saw it ---- */

static int add_site(const struct history *h, size_t site, uint64_t open,
                    struct footprint_side *side, struct err *e)
{
    struct footprint_site to = {.reallocs = NAN, .bytes = NAN};
    history_site_cost(h, site, open, &to.allocs, &to.held_bytes);
    const char *file = history_site(h, site, &to.line);
    if (!file[0] || (to.allocs <= 0 && to.held_bytes <= 0))
        return 0;
    to.file = (char *)(uintptr_t)file; /* copied */
    return footprint_add_site(side, &to, e);
}

static int see_side(const struct history *h, uint64_t open, struct footprint_side *side,
                    struct err *e)
{
    struct history_footprint seen;
    history_footprint(h, open, &seen);
    if (!seen.connections)
        return err_set(e, "the run ended before enough connections had come and gone");
    side->exact = seen.exact;
    side->allocs = seen.allocs;
    side->reallocs = seen.reallocs;
    side->alloc_bytes = seen.alloc_bytes;
    side->peak_bytes = side->kept_blocks = side->kept_bytes = NAN;
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++)
        side->held[stage] = (struct footprint_held){NAN, NAN, NAN};
    side->held[FOOTPRINT_IDLE].blocks = seen.held_blocks;
    side->held[FOOTPRINT_IDLE].bytes = seen.held_bytes;
    for (size_t i = 0; i < history_sites(h); i++)
        if (add_site(h, i, open, side, e) != 0)
            return -1;
    return 0;
}

/* The stages before a connection is idle can't be told apart from outside, nor can a peak. */
static int see(const struct run *r, struct footprint *ret, struct err *e)
{
    struct history_footprint judged;
    const uint64_t open = r->scenario->conns;
    history_footprint(run_judged(r)->history, open, &judged);
    ret->connections = judged.connections;
    ret->rss_bytes_per_conn = NAN;
    scenario_value(r->scenario, "tls", ret->tls, sizeof ret->tls);
    scenario_value(r->scenario, "key", ret->key, sizeof ret->key);
    int rc = see_side(run_judged(r)->history, open, &ret->end[FOOTPRINT_SERVER], e);
    if (rc == 0)
        rc = see_side(run_load(r)->history, open, &ret->end[FOOTPRINT_CLIENT], e);
    footprint_sort(ret);
    return rc;
}

/* ---- both ---- */

static int measure(const struct run *r, struct footprint *ret, struct err *e)
{
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s/footprint.log", r->dir.path);
    char **environment = programs_environment(r->programs, true);
    const struct footprint_launch launch = {programs_server_folder(r->programs), environment, log};
    int rc = footprint_measure(&launch, r->scenario, ret, e);
    environment_free(environment);
    return rc;
}

int outcome_footprint(struct outcome *o, const struct run *r, struct err *e)
{
    if (!r->scenario->footprint || o->result.broken || r->interrupted)
        return 0;
    int rc = (r->scenario->server ? see : measure)(r, &o->footprint, e);
    if (rc == 0)
        o->result.footprint = &o->footprint;
    return rc;
}
