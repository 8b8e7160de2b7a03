/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of a comparison that are asked for by name: --json and --markdown.
 */
#ifndef SOAK_COMPARE_WRITE_H
#define SOAK_COMPARE_WRITE_H

#include "base/err.h"
#include "compare_set.h"

#include <stdio.h>

struct compare_outputs {
    const char *json, *markdown; /* NULL = not asked for; "-" is stdout */
};

/* Found out before the runs rather than after them. The files are made if they aren't there. */
int compare_outputs_check(const struct compare_outputs *o, struct err *e);
/* Writes both, whatever fails; the sentence is of the last that did. Returns 0 or -1. */
int compare_outputs_write(const struct compare_outputs *o, const struct compare_set *s,
                          struct err *e);
/* Where the text goes: stderr when stdout has a document. */
FILE *compare_outputs_text(const struct compare_outputs *o);

#endif
