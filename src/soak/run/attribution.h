/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "When": which behaviour of the peers a leak follows. Keeps the client's counts, chooses the mix
 * of each epoch, has the growth solved at every checkpoint, and holds what the two epochs of the
 * confirmation said. The orchestrator knows no behaviour by itself: their names, order and weights
 * are those in the client's page.
 */
#ifndef SOAK_WHEN_H
#define SOAK_WHEN_H

#include "report/result.h"
#include "run.h"

struct attribution;

/* Returns NULL when out of memory; free() frees. */
struct attribution *attribution_new(void);
/* The client is ready: its behaviours are known. */
void attribution_start(struct run *r);
/* ` mix=50,30,15,5` for the epoch that the plan's action begins, or "" for the client's own mix.
 * Returns buf. */
const char *attribution_mix(struct run *r, char *buf, size_t size);
/* A checkpoint was added to the histories: notes the counts, and whose epoch it was. */
void attribution_keep(struct run *r);
/* The subjects were judged: solves what leaks. */
void attribution_solve(struct run *r);
/* What the plan must know. */
void attribution_seen(const struct run *r, struct plan_seen *ret);
/* The behaviours that a leaking site's losses follow: "reset,half-close", or "all". False: that
 * isn't told, and buf is "". */
bool attribution_site(const struct run *r, int subject, size_t site, char *buf, size_t size);
/* False: nothing is known, as the run ended before its first epoch. */
bool attribution_result(const struct run *r, int subject, struct result_attribution *ret);

#endif
