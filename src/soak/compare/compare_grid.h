/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table whose columns are versions: figures by row, each with a word on how it differs. When the
 * terminal is narrow the columns come in several blocks, one under the other, each with all rows.
 */
#ifndef SOAK_COMPARE_GRID_H
#define SOAK_COMPARE_GRID_H

#include "report/screen.h"
#include "stats/compare/compare.h"

enum { GRID_TEXT = 192, GRID_ROWS = COMPARE_ROWS * 2 + 8 };

struct grid_cell {
    char value[GRID_TEXT], note[GRID_TEXT]; /* the value's right edges stand in line */
    enum ink ink;
};

struct grid_row {
    char label[GRID_TEXT];
    struct grid_cell cell[COMPARE_VERSIONS];
};

struct grid {
    char title[COMPARE_VERSIONS][GRID_TEXT]; /* of the columns */
    int columns, rows;
    struct grid_row row[GRID_ROWS];
};

/* A new row at the end, empty. */
struct grid_row *grid_add(struct grid *g, const char *label);
/* Whether all columns stand side by side. */
bool grid_fits(const struct grid *g, const struct screen *s);
/* Prints it; every text has been cleaned (screen_clean). */
void grid_print(const struct grid *g, const struct screen *s);

#endif
