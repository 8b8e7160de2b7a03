/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished runs as a set to compare: their documents alone, nothing is started.
 */
#ifndef SOAK_COMPARE_RUNS_H
#define SOAK_COMPARE_RUNS_H

#include "base/err.h"
#include "compare_set.h"

/* Loads each word, a run's folder or its result.json, as a version of one run. They are called by
 * the version of the part that tells them apart, else by their folders. Returns 0 or -1. */
int compare_runs_load(struct compare_set *s, const char *const *word, size_t words, struct err *e);

#endif
