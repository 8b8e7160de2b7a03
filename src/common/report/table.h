/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table of text cells that fits the screen: when it is too wide, columns are left out in
 * the order that the caller ranks them, and last one column is cut. A column without a single cell
 * isn't shown, and a table without titles has no head line.
 */
#ifndef SOAK_REPORT_TABLE_H
#define SOAK_REPORT_TABLE_H

#include "report/screen.h"

enum { TABLE_COLUMNS = 7, TABLE_ROWS = 32, TABLE_CELL = 64 };

struct table_column {
    const char *title;
    bool right;     /* numbers */
    bool keep_tail; /* the end tells more than the beginning, as of a path */
    int drop;       /* 0 = never left out; the highest goes first */
};

struct table {
    const struct table_column *column; /* borrowed */
    int columns, rows;
    int flexible; /* the column that is cut when the others can't give way */
    char cell[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL];
    enum ink ink[TABLE_ROWS][TABLE_COLUMNS];
};

/* Prints with an indent of two. Cells must be cleaned (screen_clean). */
void table_print(const struct table *t, const struct screen *s);

#endif
