/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of both subjects, taken from outside, written to samples.jsonl as they happen.
 */
#ifndef SOAK_SAMPLER_H
#define SOAK_SAMPLER_H

#include "evidence/history.h"
#include "run.h"

/* What soak itself has allocated, by its C library: it judges others by less. */
size_t sampler_own_bytes(void);
/* A sample of both subjects as they are, in the middle of the churn: one line of kind "tick". */
void sampler_tick(struct run *r);
/* The full sample of one subject at a quiescent point. `ret->snapshot` is the caller's to free.
 * Returns 0 or -1. */
int sampler_take(const struct watched *w, struct history_sample *ret, struct err *e);
/* One line of `kind` ("checkpoint", "drained", "flushed") from the full samples. */
void sampler_write(struct run *r, const char *kind, const struct history_sample *sample);

#endif
