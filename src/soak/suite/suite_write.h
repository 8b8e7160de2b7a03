/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of a suite that are asked for by name: --json and --junit, for `soak suite` and `soak
 * merge` alike.
 */
#ifndef SOAK_SUITE_WRITE_H
#define SOAK_SUITE_WRITE_H

#include "base/err.h"
#include "suite.h"

#include <stdio.h>

/* NULL = not asked for; `json` "-" is stdout. */
struct suite_outputs {
    const char *json, *junit;
};

/* Found out before the runs rather than after them. The files are made if they aren't there. */
int suite_outputs_check(const struct suite_outputs *o, struct err *e);
/* Writes all of them, whatever fails; the sentence is of the last that did. Returns 0 or -1. */
int suite_outputs_write(const struct suite_outputs *o, const struct suite *s, struct err *e);
/* Where the text goes: stderr when stdout has the document. */
FILE *suite_outputs_text(const struct suite_outputs *o);

#endif
