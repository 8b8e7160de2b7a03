/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_grid.h"

#include "base/check.h"

#include <string.h>

enum { INDENT = 2, GAP = 2, NOTE_GAP = 2 };

struct widths {
    int label, value[COMPARE_VERSIONS], note[COMPARE_VERSIONS];
};

struct grid_row *grid_add(struct grid *g, const char *label)
{
    CHECK(g->rows < GRID_ROWS);
    struct grid_row *row = &g->row[g->rows++];
    *row = (struct grid_row){.label = ""};
    snprintf(row->label, sizeof row->label, "%s", label);
    return row;
}

static int wider(int a, int b)
{
    return a > b ? a : b;
}

static int notes_room(const struct widths *w, int c)
{
    return w->note[c] ? NOTE_GAP + w->note[c] : 0;
}

static void measure(const struct grid *g, struct widths *w)
{
    *w = (struct widths){.label = 0};
    for (int r = 0; r < g->rows; r++) {
        w->label = wider(w->label, screen_width(g->row[r].label));
        for (int c = 0; c < g->columns; c++) {
            w->value[c] = wider(w->value[c], screen_width(g->row[r].cell[c].value));
            w->note[c] = wider(w->note[c], screen_width(g->row[r].cell[c].note));
        }
    }
    for (int c = 0; c < g->columns; c++)
        w->value[c] = wider(w->value[c], screen_width(g->title[c]));
}

static int column_width(const struct widths *w, int c)
{
    return GAP + w->value[c] + notes_room(w, c);
}

/* The columns from `first` on that fit; at least one. */
static int fitting(const struct grid *g, const struct widths *w, const struct screen *s, int first)
{
    int used = INDENT + w->label, c = first;
    for (; c < g->columns; c++) {
        used += column_width(w, c);
        if (used > s->columns && c > first)
            break;
    }
    return c - first;
}

/* Blanks are held back until something follows, so that no line ends in them. */
static void put(const struct screen *s, int *blanks, enum ink ink, const char *text)
{
    if (!text[0])
        return;
    fprintf(s->out, "%*s", *blanks, "");
    screen_ink(s, ink, text);
    *blanks = 0;
}

static void print_cell(const struct screen *s, const struct widths *w, int c,
                       const struct grid_cell *cell, int *blanks)
{
    *blanks += GAP + w->value[c] - screen_width(cell->value);
    put(s, blanks, cell->ink, cell->value);
    if (!w->note[c])
        return;
    *blanks += NOTE_GAP;
    put(s, blanks, cell->ink, cell->note);
    *blanks += w->note[c] - screen_width(cell->note);
}

static void print_titles(const struct grid *g, const struct screen *s, const struct widths *w,
                         int first, int count)
{
    int blanks = INDENT + w->label;
    for (int c = first; c < first + count; c++) {
        struct grid_cell cell = {.ink = INK_BOLD};
        memcpy(cell.value, g->title[c], sizeof cell.value);
        print_cell(s, w, c, &cell, &blanks);
    }
    fputc('\n', s->out);
}

static void print_block(const struct grid *g, const struct screen *s, const struct widths *w,
                        int first, int count)
{
    print_titles(g, s, w, first, count);
    for (int r = 0; r < g->rows; r++) {
        const struct grid_row *row = &g->row[r];
        int blanks = INDENT;
        put(s, &blanks, INK_NONE, row->label);
        blanks += w->label - screen_width(row->label);
        for (int c = first; c < first + count; c++)
            print_cell(s, w, c, &row->cell[c], &blanks);
        fputc('\n', s->out);
    }
}

bool grid_fits(const struct grid *g, const struct screen *s)
{
    struct widths w;
    measure(g, &w);
    return fitting(g, &w, s, 0) == g->columns;
}

void grid_print(const struct grid *g, const struct screen *s)
{
    struct widths w;
    measure(g, &w);
    for (int first = 0; first < g->columns;) {
        int count = fitting(g, &w, s, first);
        if (first)
            fputc('\n', s->out);
        print_block(g, s, &w, first, count);
        first += count;
    }
}
