/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"

#include <stdio.h>

enum { INDENT = 2, GAP = 2, CUT_MIN = 8 };

/* A width of 0 leaves a column out. */
static int natural_width(const struct table *t, int column)
{
    int width = 0;
    for (int r = 0; r < t->rows; r++) {
        int w = screen_width(t->cell[r][column]);
        width = w > width ? w : width;
    }
    int title = screen_width(t->column[column].title);
    return width && title > width ? title : width;
}

static int total_width(const struct table *t, const int *width)
{
    int total = INDENT - GAP;
    for (int c = 0; c < t->columns; c++)
        total += width[c] ? width[c] + GAP : 0;
    return total;
}

/* Returns false when no column may be left out any more. */
static bool drop_one(const struct table *t, int *width)
{
    int victim = -1;
    for (int c = 0; c < t->columns; c++)
        if (width[c] && t->column[c].drop &&
            (victim < 0 || t->column[c].drop > t->column[victim].drop))
            victim = c;
    if (victim < 0)
        return false;
    width[victim] = 0;
    return true;
}

static void fit(const struct table *t, int columns, int *width)
{
    for (int c = 0; c < t->columns; c++)
        width[c] = natural_width(t, c);
    while (total_width(t, width) > columns)
        if (!drop_one(t, width))
            break;
    int excess = total_width(t, width) - columns;
    if (excess > 0)
        width[t->flexible] =
            width[t->flexible] - excess > CUT_MIN ? width[t->flexible] - excess : CUT_MIN;
}

/* Copies what `room` columns can take of `text`: its beginning, or its end. */
static void cut(char *buf, size_t size, const char *text, int room, bool keep_tail)
{
    int skip = keep_tail ? screen_width(text) - room : 0, width = 0;
    size_t used = 0;
    for (; *text && used + 1 < size; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
        if (width > skip && width - (skip > 0 ? skip : 0) <= room)
            buf[used++] = *text;
    }
    buf[used] = '\0';
}

struct row {
    const char *text[TABLE_COLUMNS];
    enum ink ink[TABLE_COLUMNS];
};

/* Blanks are held back until something follows, so that no line ends in them. */
static void print_row(const struct table *t, const struct screen *s, const int *width,
                      const struct row *row)
{
    int blanks = INDENT - GAP;
    for (int c = 0; c < t->columns; c++) {
        if (!width[c])
            continue;
        char text[TABLE_CELL];
        cut(text, sizeof text, row->text[c], width[c], t->column[c].keep_tail);
        int pad = width[c] - screen_width(text);
        blanks += GAP + (t->column[c].right ? pad : 0);
        if (text[0]) {
            fprintf(s->out, "%*s", blanks, "");
            screen_ink(s, row->ink[c], text);
            blanks = 0;
        }
        blanks += t->column[c].right ? 0 : pad;
    }
    fputc('\n', s->out);
}

void table_print(const struct table *t, const struct screen *s)
{
    int width[TABLE_COLUMNS];
    struct row row = {0};
    bool titled = false;
    fit(t, s->columns, width);
    for (int c = 0; c < t->columns; c++) {
        row.text[c] = t->column[c].title;
        row.ink[c] = INK_DIM;
        titled = titled || row.text[c][0];
    }
    if (titled)
        print_row(t, s, width, &row);
    for (int r = 0; r < t->rows; r++) {
        for (int c = 0; c < t->columns; c++) {
            row.text[c] = t->cell[r][c];
            row.ink[c] = t->ink[r][c];
        }
        print_row(t, s, width, &row);
    }
}
