/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_text.h"

#include "base/text.h"
#include "compare_say.h"
#include "report/figures.h"
#include "report/html/elements.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = COMPARE_VERSIONS + 1 };

/* How a cell looks: what is worse stands out, what is better too. */
static const char *class_of(enum compare_outcome outcome)
{
    switch (outcome) {
    case COMPARE_WORSE:
        return "n bad";
    case COMPARE_BETTER:
        return "n good";
    case COMPARE_MIXED:
    case COMPARE_UNSURE:
        return "n doubt";
    case COMPARE_SAME:
        break;
    }
    return "n";
}

static void put_cell(const char *value, const char *note, enum compare_outcome outcome, FILE *out)
{
    fprintf(out, "<td class=\"%s\">", class_of(outcome));
    html_text(value, out);
    if (note[0]) {
        fputs(" <span class=\"dim\">", out);
        html_text(note, out);
        fputs("</span>", out);
    }
    fputs("</td>", out);
}

static void put_verdicts(const struct compare_set *s, FILE *out)
{
    html_row(out);
    html_head_cell("verdict", out);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_column *c = &s->judgement.column[i];
        put_cell(c->runs ? verdict_name(c->verdict) : "-", "", c->verdict_outcome, out);
    }
}

static void put_row(const struct compare_set *s, enum compare_row row, FILE *out)
{
    const struct compare_row_info *info = compare_row_info(row);
    char title[COMPARE_SENTENCE], value[COMPARE_FIGURE], note[COMPARE_SENTENCE];
    snprintf(title, sizeof title, "%s, %s", compare_say_rows(s, row, value, sizeof value),
             info->title);
    html_row(out);
    html_head_cell(title, out);
    for (size_t i = 0; i < s->entries; i++) {
        const struct compare_cell *c = &s->judgement.column[i].cell[row];
        compare_say_note(s, i, row, note, sizeof note);
        put_cell(compare_say_value(c, row, value, sizeof value), note, c->outcome, out);
    }
}

static void put_table(const struct compare_set *s, FILE *out)
{
    char name[COLUMNS][COMPARE_FIGURE + 1];
    const char *column[COLUMNS] = {"|"};
    for (size_t i = 0; i < s->entries; i++) {
        snprintf(name[i], sizeof name[i], ">%.*s", COMPARE_FIGURE - 1, s->entry[i].name);
        column[i + 1] = name[i];
    }
    html_section("figures", "Figures", out);
    html_table("Each version beside the first", column, s->entries + 1, out);
    put_verdicts(s, out);
    for (int row = 0; row < COMPARE_ROWS; row++)
        if (compare_has_row(s, (enum compare_row)row))
            put_row(s, (enum compare_row)row, out);
    html_table_end(out);
    html_section_end(out);
}

/* ---- what explains it ---- */

static bool is_explained(const struct compare_set *s)
{
    for (size_t i = 1; i < s->entries; i++)
        for (int m = 0; m < COMPARE_MEASURES; m++)
            if (s->why[i][m].groups)
                return true;
    return false;
}

static void put_group(const struct compare_group *g, FILE *out)
{
    char text[COMPARE_SENTENCE], number[COMPARE_FIGURE], change[COMPARE_FIGURE + 1];
    double by = g->after - g->before;
    figure_grouped(number, sizeof number, by, by == floor(by) ? 0 : 1);
    snprintf(change, sizeof change, "%s%s", by >= 0 ? "+" : "", number);
    html_row(out);
    html_number(change, out);
    html_cell(compare_say_group(g, text, sizeof text), out);
}

static void put_explanation(const struct compare_set *s, size_t i, enum compare_measure measure,
                            FILE *out)
{
    static const char *const columns[] = {">change", "|allocated at"};
    const struct compare_explanation *x = &s->why[i][measure];
    char caption[2 * COMPARE_SENTENCE], text[COMPARE_SENTENCE];
    if (!x->groups)
        return;
    snprintf(caption, sizeof caption, "%s → %s: %s", s->entry[i - 1].name, s->entry[i].name,
             compare_say_difference(x, measure, text, sizeof text));
    html_table(caption, columns, 2, out);
    for (size_t g = 0; g < x->groups; g++)
        put_group(&x->group[g], out);
    html_table_end(out);
}

static void put_why(const struct compare_set *s, FILE *out)
{
    if (!is_explained(s))
        return;
    html_section("why", "Where the differences are", out);
    for (size_t i = 1; i < s->entries; i++)
        for (int m = 0; m < COMPARE_MEASURES; m++)
            put_explanation(s, i, (enum compare_measure)m, out);
    html_section_end(out);
}

static void put_mapped(const struct compare_set *s, FILE *out)
{
    static const char *const columns[] = {"|version", "|mapped"};
    char text[2 * COMPARE_SENTENCE];
    html_section("libraries", "Libraries", out);
    html_table("What each version's program had mapped", columns, 2, out);
    for (size_t i = 0; i < s->entries; i++) {
        html_row(out);
        html_head_cell(s->entry[i].name, out);
        html_cell(compare_say_mapped(&s->entry[i], text, sizeof text), out);
    }
    html_table_end(out);
    html_section_end(out);
}

static void put_next(const struct compare_set *s, FILE *out)
{
    char line[COMPARE_COMMAND];
    for (size_t n = 0; compare_say_next(s, n, line, sizeof line); n++) {
        fputs(n ? "<p><code>" : "<h2>Next</h2>\n<p><code>", out);
        html_text(line, out);
        fputs("</code></p>\n", out);
    }
}

/* ---- where and when ---- */

static const char *host_of(const struct compare_entry *entry)
{
    return entry->host;
}

static const char *time_of(const struct compare_entry *entry)
{
    return entry->time;
}

static bool is_met(const struct compare_set *s, size_t i,
                   const char *(*text_of)(const struct compare_entry *))
{
    for (size_t k = 0; k < i; k++)
        if (text_of(&s->entry[k]) && strcmp(text_of(&s->entry[k]), text_of(&s->entry[i])) == 0)
            return true;
    return false;
}

/* What the versions' runs say, each text once; NULL: none says it. */
static const char *each_once(const struct compare_set *s,
                             const char *(*text_of)(const struct compare_entry *), char *buf,
                             size_t size)
{
    struct text list = text_list(buf, size, ", ");
    for (size_t i = 0; i < s->entries; i++)
        if (text_of(&s->entry[i]) && !is_met(s, i, text_of))
            text_item(&list, "%s", text_of(&s->entry[i]));
    return buf[0] ? buf : NULL;
}

/* Finished runs began at times of their own. */
static void put_origin(const struct compare_set *s, FILE *out)
{
    char hosts[COMPARE_SENTENCE], times[COMPARE_SENTENCE], names[COMPARE_SENTENCE];
    struct text list = text_list(names, sizeof names, "");
    for (size_t i = 0; i < s->entries; i++)
        text_item(&list, "%s%s%s", i ? ", " : s->part, i || !s->part[0] ? "" : " ",
                  s->entry[i].name);
    const char *const words[] = {
        s->scenario, s->started ? s->started : each_once(s, time_of, times, sizeof times),
        each_once(s, host_of, hosts, sizeof hosts), s->machine, names};
    fputs("<header>", out);
    html_origin(s->version, words, sizeof words / sizeof *words, out);
    fputs("</header>\n", out);
}

static const char *badge_of(enum compare_outcome outcome)
{
    switch (outcome) {
    case COMPARE_WORSE:
        return "leak";
    case COMPARE_MIXED:
    case COMPARE_UNSURE:
        return "inconclusive";
    case COMPARE_BETTER:
    case COMPARE_SAME:
        break;
    }
    return "pass";
}

struct heading {
    const char *outcome, *badge; /* NULL: of a search, whose answer is in the text */
    char what[COMPARE_SENTENCE], text[2 * COMPARE_SENTENCE];
};

/* What is said of one version against another stands behind the badge; of more, a line each. */
static void make_heading(const struct compare_set *s, const char *answer, struct heading *ret)
{
    char line[COMPARE_SENTENCE];
    const enum compare_outcome outcome = s->judgement.outcome;
    ret->outcome = answer ? NULL : compare_outcome_text(outcome);
    ret->badge = answer ? NULL : badge_of(outcome);
    snprintf(ret->what, sizeof ret->what, "%s%s%s", s->scenario,
             s->part[0] ? ", by version of " : "", s->part);
    snprintf(ret->text, sizeof ret->text, "%s%s%s", ret->what, answer ? ": " : "",
             answer ? answer : "");
    if (answer || s->entries != 2)
        return;
    const char *said = compare_say(s, 1, line, sizeof line) + strlen(ret->outcome);
    snprintf(ret->text, sizeof ret->text, "%s", said + strspn(said, " "));
}

static void put_lines(const struct compare_set *s, FILE *out)
{
    char line[COMPARE_SENTENCE];
    fputs("<ul>\n", out);
    for (size_t i = 1; i < s->entries; i++) {
        fputs("<li>", out);
        html_text(compare_say(s, i, line, sizeof line), out);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

static void put_heading(const struct heading *h, FILE *out)
{
    fputs("<main>\n<h1>", out);
    if (h->outcome)
        fprintf(out, "<span class=\"badge %s\">%s</span> ", h->badge, h->outcome);
    html_text(h->text, out);
    fputs("</h1>\n", out);
}

void compare_html(const struct compare_set *s, const char *answer, FILE *out)
{
    char title[COMPARE_SENTENCE];
    struct heading heading;
    make_heading(s, answer, &heading);
    snprintf(title, sizeof title, "%s%s%.200s", answer ? "" : heading.outcome, answer ? "" : " ",
             heading.what);
    html_head(title, out);
    put_origin(s, out);
    put_heading(&heading, out);
    if (s->entries > 2 || (answer && s->entries == 2))
        put_lines(s, out);
    put_table(s, out);
    put_why(s, out);
    put_mapped(s, out);
    put_next(s, out);
    fputs("</main>\n", out);
    html_foot(out);
}
