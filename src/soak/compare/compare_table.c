/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_text.h"

#include "base/check.h"
#include "base/text.h"
#include "compare_say.h"
#include "report/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the grid ---- */

/*
 * A table whose columns are versions: figures by row, each with a word on how it differs. When the
 * terminal is narrow the columns come in several blocks, one under the other, each with all rows.
 */

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

enum { INDENT = 2, GAP = 2, NOTE_GAP = 2 };

struct widths {
    int label, value[COMPARE_VERSIONS], note[COMPARE_VERSIONS];
};

/* A new row at the end, empty. */
static struct grid_row *grid_add(struct grid *g, const char *label)
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

/* Whether all columns stand side by side. */
static bool grid_fits(const struct grid *g, const struct screen *s)
{
    struct widths w;
    measure(g, &w);
    return fitting(g, &w, s, 0) == g->columns;
}

/* Prints it; every text has been cleaned (screen_clean). */
static void grid_print(const struct grid *g, const struct screen *s)
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

enum ink compare_ink(enum compare_outcome outcome)
{
    switch (outcome) {
    case COMPARE_SAME:
        return INK_NONE;
    case COMPARE_BETTER:
        return INK_GOOD;
    case COMPARE_MIXED:
    case COMPARE_UNSURE:
        return INK_DOUBT;
    case COMPARE_WORSE:
        return INK_BAD;
    }
    check_fail(__FILE__, __LINE__, "every outcome has its ink");
}

/* A table that is being filled. */
struct filling {
    struct grid *grid;
    const struct compare_set *set;
    const struct screen *screen;
    bool wordy; /* the last column's notes in full */
};

static void set_cell(const struct screen *screen, struct grid_cell *cell, const char *value,
                     const char *note, enum ink ink)
{
    screen_clean(screen, cell->value, sizeof cell->value, value);
    screen_clean(screen, cell->note, sizeof cell->note, note);
    cell->ink = ink;
}

static void one_in_text(const struct compare_column *c, char *buf, size_t size)
{
    snprintf(buf, size, "-");
    if (c->sensitivity > 0)
        figure_one_in(buf, size, c->sensitivity);
}

/* `both could see 1 lost block in 110` */
static void sight_text(const struct compare_set *s, char *buf, size_t size)
{
    const struct compare_column *a = &s->judgement.column[0], *b = &s->judgement.column[1];
    char first[COMPARE_FIGURE], second[COMPARE_FIGURE];
    buf[0] = '\0';
    one_in_text(a, first, sizeof first);
    one_in_text(b, second, sizeof second);
    if (a->sensitivity <= 0 || b->sensitivity <= 0)
        return;
    if (strcmp(first, second) == 0)
        snprintf(buf, size, "both could see 1 lost block in %s", first);
    else
        snprintf(buf, size, "could see 1 lost block in %s, %s", first, second);
}

static const char *change_note(enum compare_outcome outcome)
{
    return outcome == COMPARE_SAME ? "=" : compare_outcome_name(outcome);
}

static void add_verdicts(const struct filling *f)
{
    const struct compare_set *s = f->set;
    struct grid_row *verdict = grid_add(f->grid, "verdict"),
                    *one_in = f->wordy ? NULL : grid_add(f->grid, "could see 1 lost in");
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        char figure[GRID_TEXT];
        snprintf(figure, sizeof figure, "%s", i ? change_note(c->verdict_outcome) : "");
        if (f->wordy && i == 1)
            sight_text(s, figure, sizeof figure);
        set_cell(f->screen, &verdict->cell[i], c->runs ? verdict_name(c->verdict) : "-", figure,
                 compare_ink(c->verdict_outcome));
        one_in_text(c, figure, sizeof figure);
        if (one_in)
            set_cell(f->screen, &one_in->cell[i], figure, "", INK_NONE);
    }
}

/* `+699  +45 %`, and `=` behind it where it is no more than is borne. */
static void exact_note(const struct compare_set *s, enum compare_row row, char *buf, size_t size)
{
    const struct compare_cell *first = &s->judgement.column[0].cell[row];
    const struct compare_cell *c = &s->judgement.column[1].cell[row];
    char number[COMPARE_FIGURE], share[COMPARE_FIGURE];
    double by = c->value - first->value;
    bool counts = compare_row_counts(row, compare_set_judged(s)), known = isfinite(by) && by != 0;
    compare_say_change(s, 1, row, share, sizeof share);
    snprintf(buf, size, "%s", share);
    if (known && c->change != COMPARE_CHANGE_MISSING)
        snprintf(buf, size, "%s%s%s  %s%s", by > 0 ? "+" : "",
                 figure_grouped(number, sizeof number, by, 0),
                 compare_row_info(row)->unit == COMPARE_BYTES ? " B" : "", share,
                 counts && c->outcome == COMPARE_SAME     ? "  ="
                 : counts && c->outcome == COMPARE_UNSURE ? "  can't tell"
                                                          : "");
}

/* `not judged: 1 pair of 6 (--repeat 6)`, `×1.031 (1.021–1.044) more` */
static void measured_note(const struct filling *f, size_t i, enum compare_row row, char *buf,
                          size_t size)
{
    const struct compare_set *s = f->set;
    const struct compare_cell *c = &s->judgement.column[i].cell[row];
    char interval[COMPARE_FIGURE];
    bool judged = c->ratio.pairs && c->ratio.level >= COMPARE_LEVEL;
    buf[0] = '\0';
    if (i == 0 || isnan(c->value))
        return;
    if (!judged && f->wordy)
        snprintf(buf, size, "not judged: %zu pair%s of %d (--repeat %d)", c->ratio.pairs,
                 c->ratio.pairs == 1 ? "" : "s", COMPARE_PAIRS, COMPARE_PAIRS);
    else if (!judged)
        snprintf(buf, size, "not judged");
    else if (f->wordy)
        snprintf(buf, size, "×%.3f (%s) %s", c->ratio.median,
                 compare_say_interval(c, interval, sizeof interval),
                 compare_change_name(c->change));
    else
        snprintf(buf, size, "×%.2f %s", c->ratio.median, compare_change_name(c->change));
}

static void row_note(const struct filling *f, size_t i, enum compare_row row, char *buf,
                     size_t size)
{
    enum compare_role role = compare_row_info(row)->role;
    if (role == COMPARE_MEASURED)
        measured_note(f, i, row, buf, size);
    else if (i == 1 && f->wordy && compare_row_exact(row))
        exact_note(f->set, row, buf, size);
    else
        compare_say_change(f->set, i, row, buf, size);
}

static void add_row(const struct filling *f, const char *label, enum compare_row row)
{
    char value[COMPARE_FIGURE], note[GRID_TEXT];
    const struct compare_row_info *info = compare_row_info(row);
    struct grid_row *r = grid_add(f->grid, label);
    for (size_t i = 0; i < f->set->entries; i++) {
        const struct compare_cell *c = &f->set->judgement.column[i].cell[row];
        enum ink ink = info->role == COMPARE_WITNESS ? INK_DIM : compare_ink(c->outcome);
        row_note(f, i, row, note, sizeof note);
        set_cell(f->screen, &r->cell[i], compare_say_value(c, row, value, sizeof value), note, ink);
    }
}

/* Rows that people read. `always`: whatever they say; the others only where they decide. Growth is
 * lost per what is counted, CPU that of the program under test. */
static const struct {
    enum compare_row row;
    const char *label;
    bool always;
} shown[] = {{COMPARE_GROWTH_BYTES, NULL, false},
             {COMPARE_ALLOCS_SERVER, "allocations, server", true},
             {COMPARE_ALLOCS_CLIENT, "allocations, client", true},
             {COMPARE_REALLOCS_SERVER, "reallocations, server", false},
             {COMPARE_REALLOCS_CLIENT, "reallocations, client", false},
             {COMPARE_ALLOC_BYTES_SERVER, "bytes, server", false},
             {COMPARE_ALLOC_BYTES_CLIENT, "bytes, client", false},
             {COMPARE_HELD_IDLE, "held by server, idle", true},
             {COMPARE_PEAK, "handshake's peak", false},
             {COMPARE_CPU, NULL, true},
             {COMPARE_P50, "handshake p50", false},
             {COMPARE_KEPT, "kept after churn", false}};
enum { SHOWN = sizeof shown / sizeof *shown };

static bool decides(const struct compare_set *s, enum compare_row row)
{
    for (size_t i = 1; i < s->entries; i++)
        if (s->judgement.column[i].cell[row].outcome != COMPARE_SAME)
            return true;
    return false;
}

static bool any_leak(const struct compare_set *s)
{
    for (size_t i = 0; i < s->entries; i++)
        if (s->judgement.column[i].runs && s->judgement.column[i].verdict == VERDICT_LEAK)
            return true;
    return false;
}

static bool is_shown(const struct compare_set *s, size_t k)
{
    enum compare_row row = shown[k].row;
    if (!compare_has_row(s, row))
        return false;
    if (row == COMPARE_GROWTH_BYTES)
        return any_leak(s);
    if (row == COMPARE_P50)
        return compare_any_exchange(s);
    if (row == COMPARE_KEPT)
        return strcmp(s->part, "malloc") == 0;
    return shown[k].always || decides(s, row);
}

static void add_shown(const struct filling *f, size_t k)
{
    char label[COMPARE_FIGURE];
    if (shown[k].row == COMPARE_CPU)
        snprintf(label, sizeof label, "%s CPU", compare_say_side(f->set, COMPARE_CPU));
    else
        snprintf(label, sizeof label, "lost per %s", unit_name(f->set->unit));
    add_row(f, shown[k].label ? shown[k].label : label, shown[k].row);
}

static struct grid *new_grid(const struct compare_set *s, const struct screen *screen, bool wordy)
{
    struct grid *g = calloc(1, sizeof *g);
    CHECK(g);
    const struct filling f = {.grid = g, .set = s, .screen = screen, .wordy = wordy};
    g->columns = (int)s->entries;
    for (size_t i = 0; i < s->entries; i++)
        screen_clean(screen, g->title[i], sizeof g->title[i], s->entry[i].name);
    add_verdicts(&f);
    for (size_t k = 0; k < SHOWN; k++)
        if (is_shown(s, k))
            add_shown(&f, k);
    return g;
}

/* What the figures are of. */
static void print_units(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_SENTENCE];
    struct text list = text_list(line, sizeof line, " · ");
    const struct screen_lead lead = {2, 2, "", INK_NONE};
    bool allocs = compare_has_row(s, COMPARE_ALLOCS_SERVER), cpu = compare_has_row(s, COMPARE_CPU);
    bool held = compare_has_row(s, COMPARE_HELD_IDLE);
    if (allocs)
        text_item(&list, "allocations and bytes per handshake");
    bool both = held && cpu && s->unit == UNIT_CONNECTION;
    if (held)
        text_item(&list, "held, peak (B)%s",
                  both ? " and CPU per connection" : " of one connection");
    if (cpu && !both)
        text_item(&list, "CPU per %s", unit_name(s->unit));
    if (line[0])
        screen_wrap(screen, &lead, "%s", line);
}

void compare_table_print(const struct compare_set *s, const struct screen *screen)
{
    struct grid *g = new_grid(s, screen, (s->entries == 2));
    if ((s->entries == 2) && !grid_fits(g, screen)) {
        free(g);
        g = new_grid(s, screen, false);
    }
    fputc('\n', screen->out);
    grid_print(g, screen);
    print_units(s, screen);
    fputc('\n', screen->out);
    free(g);
}

bool compare_table_inexact(const struct compare_set *s)
{
    for (size_t k = 0; k < SHOWN; k++) {
        for (size_t i = 0; i < s->entries && is_shown(s, k); i++) {
            const struct compare_cell *c = &s->judgement.column[i].cell[shown[k].row];
            if (compare_row_exact(shown[k].row) && !isnan(c->value) && !c->exact)
                return true;
        }
    }
    return false;
}
