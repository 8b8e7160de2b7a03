/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_text.h"

#include "base/markup.h"
#include "base/text.h"
#include "compare_say.h"
#include "report/figures.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the texts begin; and the sites, where they have no room beside their head. */
enum { LEAD = 10, SITES = 4 };

/* ---- the head ---- */

static void print_line(const struct compare_set *s, const struct screen *screen, size_t i)
{
    char line[COMPARE_SENTENCE];
    enum compare_outcome outcome = s->judgement.column[i].outcome;
    const char *opening = compare_outcome_text(outcome);
    compare_say(s, i, line, sizeof line);
    struct screen_lead lead = {.indent = 0,
                               .column = (int)strlen(opening) + 2,
                               .word = opening,
                               .ink = outcome == COMPARE_SAME ? INK_GOOD : compare_ink(outcome)};
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

/* ---- what stands under it ---- */

static void print_lead(const struct screen *screen, const char **word, const char *text)
{
    screen_say(screen, *word, LEAD, "%s", text);
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
        snprintf(line, sizeof line, "%s  %s%s%s, %s per %s", s->entry[i].name, place,
                 place[0] ? ", " : "", kind_text(c->kind),
                 isnan(growth) ? "?" : figure_bytes(bytes, sizeof bytes, growth),
                 unit_name(s->unit));
        print_lead(screen, &word, line);
    }
}

/* `+462` */
static char *amount_of(const struct compare_group *g, char *buf, size_t size)
{
    char number[COMPARE_FIGURE / 2];
    double by = g->after - g->before;
    figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
    snprintf(buf, size, "%s%s", by >= 0 ? "+" : "", number);
    return buf;
}

/* Columns of the widest amount; and whether all groups fit in lines behind `column`. */
static int measure_groups(const struct screen *screen, const struct compare_explanation *x,
                          int column, bool *ret_fit)
{
    char amount[COMPARE_FIGURE], text[COMPARE_SENTENCE];
    int amounts = 0, texts = 0;
    for (size_t i = 0; i < x->groups; i++) {
        int width = screen_width(amount_of(&x->group[i], amount, sizeof amount));
        int said = screen_width(compare_say_group(&x->group[i], text, sizeof text));
        amounts = width > amounts ? width : amounts;
        texts = said > texts ? said : texts;
    }
    *ret_fit = column + amounts + 2 + texts <= screen->columns;
    return amounts;
}

/* `  +88  crypto/core_namemap.c:182,161, new`, the amounts one under the other. */
static void print_group(const struct screen *screen, int column, int amounts,
                        const struct compare_group *g)
{
    char text[COMPARE_SENTENCE], amount[COMPARE_FIGURE];
    int indent = column + amounts - screen_width(amount_of(g, amount, sizeof amount));
    struct screen_lead lead = {indent, column + amounts + 2, amount, INK_NONE};
    compare_say_group(g, text, sizeof text);
    screen_wrap(screen, &lead, "%s", text);
}

/* `where the 699 are`. */
static void print_explanation(const struct screen *screen, const struct compare_explanation *x,
                              enum compare_measure measure)
{
    char word[COMPARE_FIGURE * 2], number[COMPARE_FIGURE];
    bool beside;
    double by = fabs(x->after - x->before);
    figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
    snprintf(word, sizeof word, "where the %s%s are", number,
             measure == COMPARE_BY_HELD ? " B" : "");
    int column = 2 + screen_width(word) + 3;
    int amounts = measure_groups(screen, x, column, &beside);
    fputs("  ", screen->out);
    screen_ink(screen, INK_BOLD, word);
    fprintf(screen->out, "%s", beside ? "   " : "\n");
    column = beside ? column : SITES;
    for (size_t i = 0; i < x->groups; i++)
        print_group(screen, beside && i == 0 ? 0 : column, amounts, &x->group[i]);
    if (x->groups >= x->groups_total)
        return;
    size_t others = x->groups_total - x->groups;
    screen_say(screen, "", column, "%.0f %% of all that changed; %zu other place%s",
               floor(100 * x->explained), others, others == 1 ? "" : "s");
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
            if (s->entries != 2)
                print_steps(s, screen, i, told[m]);
            print_explanation(screen, x, told[m]);
        }
    }
}

static void print_exchange(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_SENTENCE];
    struct text list = text_list(line, sizeof line, " · ");
    const char *word = "key exchange";
    if (!compare_any_exchange(s))
        return;
    for (size_t i = 0; i < s->entries; i++)
        text_item(&list, "%.64s %s", s->entry[i].name, s->entry[i].group ? s->entry[i].group : "?");
    screen_say(screen, word, 2 + (int)strlen(word) + 3, "%s", line);
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
    const char *word = "noted";
    if (compare_table_inexact(s))
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

/* Whole, so that it can be copied. */
static void print_path(const struct screen *screen, const char *word, const char *path)
{
    char text[SCREEN_TEXT * 4];
    fputs("  ", screen->out);
    screen_ink(screen, INK_BOLD, word);
    fprintf(screen->out, "%*s%s\n", LEAD - 2 - screen_width(word), "",
            screen_clean(screen, text, sizeof text, path));
}

static void print_foot(const struct compare_set *s, const struct screen *screen)
{
    char line[COMPARE_COMMAND];
    const char *word = "files", *next = "next";
    if (s->folder)
        print_path(screen, word, s->folder);
    for (size_t n = 0; compare_say_next(s, n, line, sizeof line); n++) {
        screen_command(screen, next, LEAD, line, "");
        next = "";
    }
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
    compare_table_print(s, &screen);
    print_leaks(s, &screen);
    print_exchange(s, &screen);
    print_why(s, &screen);
    print_notes(s, &screen);
    print_foot(s, &screen);
}

/* ---- Markdown ---- */

static void put_cell(FILE *out, const char *value, const char *note, bool bold)
{
    fputs(bold ? " **" : " ", out);
    markdown_put(value, out);
    if (note[0]) {
        fputc(' ', out);
        markdown_put(note, out);
    }
    fputs(bold ? "** |" : " |", out);
}

static void put_head(const struct compare_set *s, FILE *out)
{
    fputs("| |", out);
    for (size_t i = 0; i < s->entries; i++)
        put_cell(out, s->entry[i].name, "", false);
    fputs("\n|---|", out);
    for (size_t i = 0; i < s->entries; i++)
        fputs("---:|", out);
    fputc('\n', out);
}

static void put_verdicts(const struct compare_set *s, FILE *out)
{
    fputs("| verdict |", out);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        put_cell(out, c->runs ? verdict_name(c->verdict) : "-", "",
                 c->verdict_outcome != COMPARE_SAME);
    }
    fputc('\n', out);
}

static void put_row(const struct compare_set *s, enum compare_row row, FILE *out)
{
    const struct compare_row_info *info = compare_row_info(row);
    char value[COMPARE_FIGURE], note[COMPARE_FIGURE];
    fputs("| ", out);
    markdown_put(compare_say_rows(s, row, value, sizeof value), out);
    fputs(", ", out);
    markdown_put(info->title, out);
    fputs(" |", out);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        compare_say_note(s, i, row, note, sizeof note);
        put_cell(out, compare_say_value(c, row, value, sizeof value), note,
                 c->outcome != COMPARE_SAME);
    }
    fputc('\n', out);
}

static void put_explanation(const struct compare_set *s, size_t i, enum compare_measure measure,
                            FILE *out)
{
    const struct compare_explanation *x = &s->why[i][measure];
    char text[COMPARE_SENTENCE], number[COMPARE_FIGURE];
    if (!x->groups)
        return;
    fputs("\n", out);
    markdown_put(s->entry[i - 1].name, out);
    fputs(" → ", out);
    markdown_put(s->entry[i].name, out);
    fprintf(out, ": %s\n\n", compare_say_difference(x, measure, text, sizeof text));
    for (size_t g = 0; g < x->groups; g++) {
        double by = x->group[g].after - x->group[g].before;
        figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
        fprintf(out, "- %s%s ", by >= 0 ? "+" : "", number);
        markdown_put(compare_say_group(&x->group[g], text, sizeof text), out);
        fputc('\n', out);
    }
}

static void put_mapped(const struct compare_set *s, FILE *out)
{
    char text[2 * COMPARE_SENTENCE];
    fputs("\nMapped:\n\n", out);
    for (size_t i = 0; i < s->entries; i++) {
        fputs("- ", out);
        markdown_put(s->entry[i].name, out);
        fputs(": ", out);
        markdown_put(compare_say_mapped(&s->entry[i], text, sizeof text), out);
        fputc('\n', out);
    }
}

void compare_markdown(const struct compare_set *s, FILE *out)
{
    char line[COMPARE_SENTENCE];
    for (size_t i = 1; i < s->entries; i++) {
        fputs("- ", out);
        markdown_put(compare_say(s, i, line, sizeof line), out);
        fputc('\n', out);
    }
    fputc('\n', out);
    put_head(s, out);
    put_verdicts(s, out);
    for (int row = 0; row < COMPARE_ROWS; row++)
        if (compare_has_row(s, (enum compare_row)row))
            put_row(s, (enum compare_row)row, out);
    for (size_t i = 1; i < s->entries; i++)
        for (int m = 0; m < COMPARE_MEASURES; m++)
            put_explanation(s, i, (enum compare_measure)m, out);
    put_mapped(s, out);
}

/* ---- as outputs ---- */

void compare_put_json(const void *set, FILE *out)
{
    char *text = compare_json(set);
    if (text)
        fputs(text, out);
    free(text);
}

void compare_put_markdown(const void *set, FILE *out)
{
    compare_markdown(set, out);
}

void compare_put_html(const void *set, FILE *out)
{
    compare_html(set, NULL, out);
}
