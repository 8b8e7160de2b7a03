/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a comparison: the few rows that people read. All are in the document and the
 * Markdown. Of two versions the last column says in words what each row comes to, on a terminal
 * that is wide enough.
 */
#ifndef SOAK_COMPARE_TABLE_H
#define SOAK_COMPARE_TABLE_H

#include "compare_set.h"
#include "report/screen.h"

void compare_table_print(const struct compare_set *s, const struct screen *screen);
/* Whether a figure in it isn't exact. */
bool compare_table_inexact(const struct compare_set *s);
enum ink compare_ink(enum compare_outcome outcome);

#endif
