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

static void set_cell(const struct screen *screen, struct grid_cell *cell, const char *value,
                     const char *note, enum ink ink)
{
    screen_clean(screen, cell->value, sizeof cell->value, value);
    screen_clean(screen, cell->note, sizeof cell->note, note);
    cell->ink = ink;
}

static void add_verdicts(struct grid *g, const struct compare_set *s, const struct screen *screen)
{
    static const char *const notes[] = {[COMPARE_SAME] = "=",
                                        [COMPARE_BETTER] = "better",
                                        [COMPARE_WORSE] = "worse",
                                        [COMPARE_UNSURE] = "can't tell"};
    struct grid_row *verdict = grid_add(g, "verdict"), *one_in = grid_add(g, "would show, one in");
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        char figure[COMPARE_FIGURE];
        set_cell(screen, &verdict->cell[i], c->runs ? verdict_word(c->verdict) : "-",
                 i ? notes[c->verdict_outcome] : "", outcome_ink(c->verdict_outcome));
        if (c->sensitivity > 0)
            figure_one_in(figure, sizeof figure, c->sensitivity);
        set_cell(screen, &one_in->cell[i], c->sensitivity > 0 ? figure : "-", "", INK_NONE);
    }
}

static void add_row(struct grid *g, const struct compare_set *s, const struct screen *screen,
                    enum compare_row row)
{
    char label[GRID_TEXT], value[COMPARE_FIGURE], note[COMPARE_FIGURE];
    const struct compare_row_info *info = compare_row_info(row);
    snprintf(label, sizeof label, "  %s", info->title);
    struct grid_row *r = grid_add(g, label);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        enum ink ink = info->role == COMPARE_WITNESS ? INK_DIM : outcome_ink(c->outcome);
        set_cell(screen, &r->cell[i], compare_say_value(c, row, value, sizeof value),
                 compare_say_change(s, i, row, note, sizeof note), ink);
    }
}

static bool has_ratio(const struct compare_set *s, enum compare_row row)
{
    for (size_t i = 1; i < s->entries; i++)
        if (s->judgement.column[i].cell[row].ratio.pairs)
            return true;
    return false;
}

/* Two rows more: the ratio by pairs, and its interval, whose level follows from their number. */
static void add_ratio(struct grid *g, const struct compare_set *s, const struct screen *screen,
                      enum compare_row row)
{
    char text[COMPARE_FIGURE], level[COMPARE_FIGURE];
    struct grid_row *ratio = grid_add(g, "  ratio, by pairs"),
                    *interval = grid_add(g, "  interval"),
                    *sure = grid_add(g, "  its level, pairs");
    for (size_t i = 1; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        set_cell(screen, &ratio->cell[i], compare_say_ratio(c, text, sizeof text), "",
                 outcome_ink(c->outcome));
        set_cell(screen, &interval->cell[i], compare_say_interval(c, text, sizeof text), "",
                 INK_NONE);
        snprintf(level, sizeof level, "%.1f %%, %zu", 100 * c->ratio.level, c->ratio.pairs);
        set_cell(screen, &sure->cell[i], c->ratio.pairs ? level : "", "", INK_NONE);
        ratio->cell[i].wide = interval->cell[i].wide = sure->cell[i].wide = true;
    }
}

static void fill_grid(struct grid *g, const struct compare_set *s, const struct screen *screen)
{
    const char *group = "";
    g->columns = (int)s->entries;
    for (size_t i = 0; i < s->entries; i++)
        screen_clean(screen, g->title[i], sizeof g->title[i], s->entry[i].name);
    add_verdicts(g, s, screen);
    for (int r = 0; r < COMPARE_ROWS; r++) {
        enum compare_row row = (enum compare_row)r;
        if (!compare_has_row(s, row))
            continue;
        if (strcmp(group, compare_row_info(row)->group) != 0) {
            group = compare_row_info(row)->group;
            grid_add(g, group)->head = true;
        }
        add_row(g, s, screen, row);
        if (compare_row_info(row)->role == COMPARE_MEASURED && has_ratio(s, row))
            add_ratio(g, s, screen, row);
    }
}

static void print_table(const struct compare_set *s, const struct screen *screen)
{
    struct grid *g = calloc(1, sizeof *g);
    CHECK(g);
    fill_grid(g, s, screen);
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
    const char *word = "Leaks";
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

/* What stands under a lead, two columns further in. */
static void print_below(const struct screen *screen, const char *text)
{
    struct screen_lead lead = {.indent = 2, .column = LEAD + 2, .word = "", .ink = INK_NONE};
    screen_wrap(screen, &lead, "%s", text);
}

static void print_explanation(const struct screen *screen, const struct compare_explanation *x)
{
    char line[COMPARE_SENTENCE], text[COMPARE_SENTENCE - 64], number[COMPARE_FIGURE];
    for (size_t i = 0; i < x->groups; i++) {
        const struct compare_group *g = &x->group[i];
        double by = g->after - g->before;
        figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
        snprintf(line, sizeof line, "%s%s %s", by >= 0 ? "+" : "", number,
                 compare_say_group(g, text, sizeof text));
        print_below(screen, line);
    }
    if (x->groups < x->groups_total) {
        size_t others = x->groups_total - x->groups;
        snprintf(line, sizeof line, "%.0f %% of all that changed; %zu other place%s",
                 floor(100 * x->explained), others, others == 1 ? "" : "s");
        print_below(screen, line);
    }
}

static void print_why(const struct compare_set *s, const struct screen *screen)
{
    const char *word = "Why";
    for (size_t i = 1; i < s->entries; i++) {
        for (int m = 0; m < COMPARE_MEASURES; m++) {
            const struct compare_explanation *x = &s->why[i][m];
            char line[COMPARE_SENTENCE], text[COMPARE_SENTENCE / 2];
            if (!x->groups)
                continue;
            snprintf(line, sizeof line, "%s → %s: %s", s->entry[i - 1].name, s->entry[i].name,
                     compare_say_difference(x, (enum compare_measure)m, text, sizeof text));
            print_lead(screen, &word, line);
            print_explanation(screen, x);
        }
    }
}

static void print_mapped(const struct compare_set *s, const struct screen *screen)
{
    const char *word = "Mapped";
    for (size_t i = 0; i < s->entries; i++) {
        char line[2 * COMPARE_SENTENCE], text[2 * COMPARE_SENTENCE - 80];
        snprintf(line, sizeof line, "%.64s  %s", s->entry[i].name,
                 compare_say_mapped(&s->entry[i], text, sizeof text));
        print_lead(screen, &word, line);
    }
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

static void print_notes(const struct compare_set *s, const struct screen *screen)
{
    const char *word = "Noted";
    if (compare_has_inexact(s))
        print_lead(screen, &word,
                   "~ isn't exact: it varied from connection to connection or from run to run, and "
                   "decides nothing");
    if (compare_has_row(s, COMPARE_KEPT))
        print_lead(screen, &word,
                   "kept after churn is fragmentation: anonymous memory after the drain, less what "
                   "OpenSSL still holds");
    if (s->rounds && !same_libc(s))
        print_lead(screen, &word,
                   "the versions had different libcs; with --same-libc nothing else differs");
    if (has_ratio(s, COMPARE_CPU)) {
        char line[COMPARE_SENTENCE];
        snprintf(line, sizeof line,
                 "server CPU within %g %% is called the same; the interval of the ratios needs %g "
                 "%%, which takes six rounds",
                 100 * COMPARE_CPU_MARGIN, 100 * COMPARE_LEVEL);
        print_lead(screen, &word, line);
    }
}

static void print_foot(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_SENTENCE];
    const char *word = "Folder", *next = "Next";
    if (s->folder)
        print_lead(screen, &word, s->folder);
    for (size_t n = 0; compare_say_next(s, n, line, sizeof line); n++)
        print_lead(screen, &next, line);
}

void compare_text(const struct compare_set *s, const struct report_style *style, bool quiet,
                  FILE *out)
{
    struct screen screen = screen_of(out, style);
    print_head(s, &screen);
    if (quiet)
        return;
    print_table(s, &screen);
    print_leaks(s, &screen);
    print_why(s, &screen);
    print_mapped(s, &screen);
    print_notes(s, &screen);
    print_foot(s, &screen);
}
