/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast connections are replaced, by the epochs in which they are. What closes between two
 * epochs, as idle connections do that the server has no patience with, is of none of them.
 */
#ifndef SOAK_CHURN_H
#define SOAK_CHURN_H

#include "run.h"

/* The churn of an epoch begins, and ends. */
void churn_begin(struct run *r);
void churn_end(struct run *r);

/* All so far, with what is under way where the run is `churning`. */
struct run_churn churn_so_far(const struct run *r, bool churning);

/* Closed per second of it; of the first epoch only until others have lasted a while. */
double churn_rate_per_s(const struct run *r, const struct run_churn *so_far);

#endif
