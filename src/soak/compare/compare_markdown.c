/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_text.h"

#include "compare_say.h"
#include "report/figures.h"

#include <math.h>
#include <string.h>

/* What would be markup in a table's cell or in a paragraph is escaped: names and files come from
 * documents. */
static void put(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr("|\\`*_<>[]#~", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(c < 0x20 || c == 0x7f ? '?' : *text, out);
    }
}

static void put_cell(FILE *out, const char *value, const char *note, bool bold)
{
    fputs(bold ? " **" : " ", out);
    put(out, value);
    if (note[0]) {
        fputc(' ', out);
        put(out, note);
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
    char value[COMPARE_FIGURE], note[COMPARE_FIGURE], interval[COMPARE_FIGURE];
    fputs("| ", out);
    put(out, info->group);
    fputs(", ", out);
    put(out, info->title);
    fputs(" |", out);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        compare_say_change(s, i, row, note, sizeof note);
        if (info->role == COMPARE_MEASURED && c->ratio.pairs > 1)
            snprintf(note, sizeof note, "× %.3f (%s) %s", c->ratio.median,
                     compare_say_interval(c, interval, sizeof interval),
                     compare_change_name(c->change));
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
    put(out, s->entry[i - 1].name);
    fputs(" → ", out);
    put(out, s->entry[i].name);
    fprintf(out, ": %s\n\n", compare_say_difference(x, measure, text, sizeof text));
    for (size_t g = 0; g < x->groups; g++) {
        double by = x->group[g].after - x->group[g].before;
        figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
        fprintf(out, "- %s%s ", by >= 0 ? "+" : "", number);
        put(out, compare_say_group(&x->group[g], text, sizeof text));
        fputc('\n', out);
    }
}

static void put_mapped(const struct compare_set *s, FILE *out)
{
    char text[2 * COMPARE_SENTENCE];
    fputs("\nMapped:\n\n", out);
    for (size_t i = 0; i < s->entries; i++) {
        fputs("- ", out);
        put(out, s->entry[i].name);
        fputs(": ", out);
        put(out, compare_say_mapped(&s->entry[i], text, sizeof text));
        fputc('\n', out);
    }
}

void compare_markdown(const struct compare_set *s, FILE *out)
{
    char line[COMPARE_SENTENCE];
    for (size_t i = 1; i < s->entries; i++) {
        fputs("- ", out);
        put(out, compare_say(s, i, line, sizeof line));
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
