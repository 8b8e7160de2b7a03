/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of the measured connections, taken from the meter after each and printed as medians
 * (docs/reference/protocol.md).
 */
#ifndef SOAK_FOOTPRINT_FIGURES_H
#define SOAK_FOOTPRINT_FIGURES_H

#include "base/err.h"

#include <stddef.h>
#include <stdio.h>

struct figures;

/* Room for `connections` and at most `sites` of the meter's. Returns 0 or -1. */
int figures_new(size_t connections, size_t sites, struct figures **ret, struct err *e);
void figures_free(struct figures *f);

/* Takes the meter's figures as those of the next connection. */
void figures_take(struct figures *f);
/* Prints an `end`, its `held` and its `site` lines, for both ends. */
void figures_print(const struct figures *f, FILE *out);

#endif
