/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for a terminal: width in columns, colour, and plain ASCII where UTF-8 can't be shown.
 * Reports are written in UTF-8 throughout; the screen replaces what it must at the last moment.
 * Bytes that could steer a terminal are replaced too: file names and sentences come from the
 * subject.
 */
#ifndef SOAK_REPORT_SCREEN_H
#define SOAK_REPORT_SCREEN_H

#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SCREEN_TEXT = 1024, SCREEN_MIN_COLUMNS = 40 };

enum ink { INK_NONE, INK_BOLD, INK_GOOD, INK_BAD, INK_DOUBT, INK_DIM };

struct screen {
    FILE *out; /* borrowed */
    bool colour, utf8;
    int columns; /* at least SCREEN_MIN_COLUMNS */
};

struct screen screen_of(FILE *out, const struct report_style *style);
/* Copies `text` as this screen can show it; cut at a character when it doesn't fit. Returns buf. */
char *screen_clean(const struct screen *s, char *buf, size_t size, const char *text);
/* Columns that a cleaned text takes. */
int screen_width(const char *text);
void screen_ink(const struct screen *s, enum ink ink, const char *text);

/* What stands before a wrapped text: `indent` blanks, the word, blanks up to column `column`. */
struct screen_lead {
    int indent, column;
    const char *word;
    enum ink ink;
};
/* Prints the lead, then the text, wrapped at blanks and, where a word is longer than the line,
 * anywhere. Further lines begin at the lead's column. Ends with a newline. */
void screen_wrap(const struct screen *s, const struct screen_lead *lead, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same behind a bold word near the margin, its text from `column` on. */
void screen_say(const struct screen *s, const char *word, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with a command to type: lines end between words of the shell, with a backslash, so that
 * what is shown can be pasted; a word that is longer than the line stands alone and is whole. What
 * the command takes, `note`, stands behind it, or where that doesn't fit below it: never in it. */
void screen_command(const struct screen *s, const char *word, int column, const char *command,
                    const char *note);

/* Figures in the order of time as a row of bars, a column each. */
struct screen_bars {
    const double *value; /* borrowed; what isn't finite leaves a blank */
    size_t count;
    double low, high; /* the lowest bar and beyond the highest one */
};
/* Only the last `columns` of them. Returns buf. */
char *screen_bars(const struct screen_bars *b, bool utf8, size_t columns, char *buf, size_t size);

/*
 * A small table of text cells that fits the screen: when it is too wide, columns are left out in
 * the order that the caller ranks them, and last one column is cut. A column without a single cell
 * isn't shown, and a table without titles has no head line.
 */
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

/* Prints with an indent of two. Titles and cells must be cleaned (screen_clean). */
void table_print(const struct table *t, const struct screen *s);

#endif
