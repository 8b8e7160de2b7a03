#include "compare_text.h"

#include "base/check.h"
#include "compare_grid.h"
#include "compare_say.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAD = 10 };

static enum ink outcome_ink(enum compare_outcome outcome)
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

/* ---- the head ---- */

static void print_line(const struct compare_set *s, const struct screen *screen, size_t i)
{
    char line[COMPARE_SENTENCE];
    enum compare_outcome outcome = s->judgement.column[i].outcome;
    const char *opening = compare_outcome_opening(outcome);
    compare_say(s, i, line, sizeof line);
    struct screen_lead lead = {.indent = 0,
                               .column = (int)strlen(opening) + 2,
                               .word = opening,
                               .ink = outcome == COMPARE_SAME ? INK_GOOD : outcome_ink(outcome)};
    screen_wrap(screen, &lead, "%s", line + strlen(opening) + 2);
    struct screen_lead below = {.column = lead.column, .word = "", .ink = INK_NONE};
    if (compare_say_other(s, i, line, sizeof line)[0])
        screen_wrap(screen, &below, "%s", line);
}

static void print_head(const struct compare_set *s, const struct screen *screen)
{
    for (size_t i = 1; i < s->entries; i++)
        print_line(s, screen, i);
    if (s->state == COMPARE_STATE_ALL || s->planned == 0)
        return;
    struct screen_lead lead = {.column = 0, .word = "", .ink = INK_DOUBT};
    screen_wrap(screen, &lead, "%s after %" PRIu64 " of %" PRIu64 " runs",
                s->state == COMPARE_STATE_STOPPED ? "interrupted" : "broken", s->done, s->planned);
}

/* ---- the table ---- */

/* Of two versions there is room to say what each row comes to, on a terminal that is wide enough.
 */
static bool is_pair(const struct compare_set *s)
{
    return s->entries == 2;
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

static void add_verdicts(const struct filling *f)
{
    static const char *const notes[] = {[COMPARE_SAME] = "=",
                                        [COMPARE_BETTER] = "better",
                                        [COMPARE_WORSE] = "worse",
                                        [COMPARE_UNSURE] = "can't tell"};
    const struct compare_set *s = f->set;
    struct grid_row *verdict = grid_add(f->grid, "verdict"),
                    *one_in = f->wordy ? NULL : grid_add(f->grid, "could see 1 lost in");
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        char figure[GRID_TEXT];
        snprintf(figure, sizeof figure, "%s", i ? notes[c->verdict_outcome] : "");
        if (f->wordy && i == 1)
            sight_text(s, figure, sizeof figure);
        set_cell(f->screen, &verdict->cell[i], c->runs ? verdict_word(c->verdict) : "-", figure,
                 outcome_ink(c->verdict_outcome));
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
    bool counts = compare_row_counts(row, s->side), known = isfinite(by) && by != 0;
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
                 compare_change_word(c->change));
    else
        snprintf(buf, size, "×%.2f %s", c->ratio.median, compare_change_word(c->change));
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
        enum ink ink = info->role == COMPARE_WITNESS ? INK_DIM : outcome_ink(c->outcome);
        row_note(f, i, row, note, sizeof note);
        set_cell(f->screen, &r->cell[i], compare_say_value(c, row, value, sizeof value), note, ink);
    }
}

/* Rows that people read. `always`: whatever they say; the others only where they decide. */
static const struct {
    enum compare_row row;
    const char *label;
    bool always;
} shown[] = {{COMPARE_GROWTH_BYTES, "lost per connection", false},
             {COMPARE_ALLOCS_SERVER, "allocations, server", true},
             {COMPARE_ALLOCS_CLIENT, "allocations, client", true},
             {COMPARE_REALLOCS_SERVER, "reallocations, server", false},
             {COMPARE_REALLOCS_CLIENT, "reallocations, client", false},
             {COMPARE_ALLOC_BYTES_SERVER, "bytes, server", false},
             {COMPARE_ALLOC_BYTES_CLIENT, "bytes, client", false},
             {COMPARE_HELD_IDLE, "held by server, idle", true},
             {COMPARE_PEAK, "handshake's peak", false},
             {COMPARE_CPU, "server CPU", true},
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

static bool any_exchange(const struct compare_set *s)
{
    for (size_t i = 1; i < s->entries; i++)
        if (compare_new_exchange(s, i))
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
        return any_exchange(s);
    if (row == COMPARE_KEPT)
        return strcmp(s->part, "malloc") == 0;
    return shown[k].always || decides(s, row);
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
            add_row(&f, shown[k].label, shown[k].row);
    return g;
}

static void print_table(const struct compare_set *s, const struct screen *screen)
{
    struct grid *g = new_grid(s, screen, is_pair(s));
    if (is_pair(s) && !grid_fits(g, screen)) {
        free(g);
        g = new_grid(s, screen, false);
    }
    fputc('\n', screen->out);
    grid_print(g, screen);
    fputc('\n', screen->out);
    free(g);
}

/* ---- what stands under it ---- */

static void print_lead(const struct screen *screen, const char **word, const char *text)
{
    struct screen_lead lead = screen_lead_at(*word, LEAD);
    screen_wrap(screen, &lead, "%s", text);
    *word = "";
}

static void print_leaks(const struct compare_set *s, const struct screen *screen)
{
    const char *word = "leaks";
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        char bytes[COMPARE_FIGURE], place[COMPARE_SENTENCE / 2] = "", line[COMPARE_SENTENCE];
        if (!c->runs || c->verdict != VERDICT_LEAK)
            continue;
        if (c->file)
            figure_place(place, sizeof place, c->file, c->line);
        double growth = c->cell[COMPARE_GROWTH_BYTES].value;
        snprintf(line, sizeof line, "%s  %s%s%s, %s per connection", s->entry[i].name, place,
                 place[0] ? ", " : "", kind_text(c->kind),
                 isnan(growth) ? "?" : figure_bytes(bytes, sizeof bytes, growth));
        print_lead(screen, &word, line);
    }
}

/* `+462  crypto/stack/stack.c:48,68 → :49,69`, the first of them behind the word. */
static void print_group(const struct screen *screen, const char **word, int column,
                        const struct compare_group *g)
{
    char text[COMPARE_SENTENCE], number[COMPARE_FIGURE];
    double by = g->after - g->before;
    struct screen_lead lead = screen_lead_at(*word, column);
    figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
    compare_say_group(g, text, sizeof text);
    bool room = column + screen_width(number) + 3 + (int)strcspn(text, " ") <= screen->columns;
    screen_wrap(screen, &lead, "%s%s%s%s", by >= 0 ? "+" : "", number, room ? "  " : " ", text);
    *word = "";
}

/* `where the 699 are`. */
static void print_explanation(const struct screen *screen, const struct compare_explanation *x,
                              enum compare_measure measure)
{
    char word[GRID_TEXT], number[COMPARE_FIGURE], line[COMPARE_FIGURE];
    const char *rest = word;
    double by = fabs(x->after - x->before);
    figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
    snprintf(word, sizeof word, "where the %s%s are", number,
             measure == COMPARE_BY_HELD ? " B" : "");
    int column = 2 + screen_width(word) + 3;
    for (size_t i = 0; i < x->groups; i++)
        print_group(screen, &rest, column, &x->group[i]);
    if (x->groups >= x->groups_total)
        return;
    size_t others = x->groups_total - x->groups;
    snprintf(line, sizeof line, "%.0f %% of all that changed; %zu other place%s",
             floor(100 * x->explained), others, others == 1 ? "" : "s");
    struct screen_lead lead = screen_lead_at("", column);
    screen_wrap(screen, &lead, "%s", line);
}

/* Of several versions, between which two. */
static void print_steps(const struct compare_set *s, const struct screen *screen, size_t i,
                        enum compare_measure measure)
{
    char line[COMPARE_SENTENCE], text[COMPARE_SENTENCE / 2];
    struct screen_lead lead = {.indent = 2, .column = 2, .word = "", .ink = INK_NONE};
    snprintf(line, sizeof line, "%.64s → %.64s: %s", s->entry[i - 1].name, s->entry[i].name,
             compare_say_difference(&s->why[i][measure], measure, text, sizeof text));
    screen_wrap(screen, &lead, "%s", line);
}

static void print_why(const struct compare_set *s, const struct screen *screen)
{
    static const enum compare_measure told[] = {COMPARE_BY_ALLOCS_SERVER, COMPARE_BY_ALLOCS_CLIENT,
                                                COMPARE_BY_HELD};
    for (size_t i = 1; i < s->entries; i++) {
        for (size_t m = 0; m < sizeof told / sizeof *told; m++) {
            const struct compare_explanation *x = &s->why[i][told[m]];
            if (!x->groups || x->after == x->before)
                continue;
            if (!is_pair(s))
                print_steps(s, screen, i, told[m]);
            print_explanation(screen, x, told[m]);
        }
    }
}

static void print_exchange(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_SENTENCE] = "";
    size_t used = 0;
    const char *word = "key exchange";
    if (!any_exchange(s))
        return;
    for (size_t i = 0; i < s->entries && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%.64s %s", i ? " · " : "",
                                 s->entry[i].name, s->entry[i].group ? s->entry[i].group : "?");
    struct screen_lead lead = screen_lead_at(word, 2 + (int)strlen(word) + 3);
    screen_wrap(screen, &lead, "%s", line);
}

static bool same_libc(const struct compare_set *s)
{
    const char *first = compare_entry_version(&s->entry[0], "libc");
    for (size_t i = 1; i < s->entries; i++) {
        const char *libc = compare_entry_version(&s->entry[i], "libc");
        if (first && libc && strcmp(first, libc) != 0)
            return false;
    }
    return true;
}

static bool shows_inexact(const struct compare_set *s)
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

static void print_notes(const struct compare_set *s, const struct screen *screen)
{
    const char *word = "noted";
    if (shows_inexact(s))
        print_lead(screen, &word,
                   "~ isn't exact: it varied from connection to connection or from run to run, and "
                   "decides nothing");
    if (compare_has_row(s, COMPARE_KEPT) && strcmp(s->part, "malloc") == 0)
        print_lead(screen, &word,
                   "kept after churn is fragmentation: anonymous memory after the drain, less what "
                   "OpenSSL still holds");
    if (s->rounds && !same_libc(s))
        print_lead(screen, &word,
                   "the versions had different libcs; with --same-libc nothing else differs");
}

static void print_foot(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_SENTENCE];
    const char *word = "files", *next = "next";
    if (s->folder)
        print_lead(screen, &word, s->folder);
    for (size_t n = 0; compare_say_next(s, n, line, sizeof line); n++)
        print_lead(screen, &next, line);
}

void compare_text(const struct compare_set *s, const struct report_style *style, bool quiet,
                  FILE *out)
{
    struct screen screen = screen_of(out, style);
    if (quiet)
        screen.columns = COMPARE_SENTENCE; /* a line for each version */
    print_head(s, &screen);
    if (quiet)
        return;
    print_table(s, &screen);
    print_leaks(s, &screen);
    print_exchange(s, &screen);
    print_why(s, &screen);
    print_notes(s, &screen);
    print_foot(s, &screen);
}
