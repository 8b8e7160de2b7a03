/* SPDX-License-Identifier: Apache-2.0 */
#include "base/markup.h"
#include "options/grammar.h"
#include "suite_course.h"
#include "suite_merge.h"
#include "suite_text.h"

#include <math.h>
#include <string.h>

static void put_cell(const char *text, FILE *out)
{
    markdown_put(text, out);
    fputs(" | ", out);
}

static const struct suite_metric *find_metric(const struct suite_entry *entry, const char *id)
{
    const struct suite_subject *subject = suite_lead(entry);
    for (size_t i = 0; i < entry->metrics; i++) {
        const struct suite_metric *m = &entry->metric[i];
        if (strcmp(m->id, id) == 0 && subject && strcmp(m->subject, subject->name) == 0)
            return m;
    }
    return NULL;
}

/* What the figure grew by per connection; empty where the run has none. */
static void put_growth(const struct suite_entry *entry, const char *id, int decimals, FILE *out)
{
    const struct suite_metric *m = find_metric(entry, id);
    char text[32] = "";
    if (m && isfinite(m->per_conn))
        snprintf(text, sizeof text, "%.*f", decimals, m->per_conn);
    put_cell(strspn(text, "-0.") == strlen(text) && *text ? "0" : text, out);
}

static void put_row(const struct suite_entry *entry, FILE *out)
{
    char closed[32], counted[64], seconds[32], course[128];
    fputs("| ", out);
    put_cell(entry->name, out);
    put_cell(entry->verdict ? entry->verdict : "-", out);
    put_cell(suite_outcome_name(entry->outcome), out);
    human_count(closed, sizeof closed, (int64_t)entry->closed);
    snprintf(counted, sizeof counted, "%s %ss", closed, suite_unit(entry));
    put_cell(strcmp(suite_unit(entry), unit_name(UNIT_CONNECTION)) == 0 ? closed : counted, out);
    put_cell(human_duration(seconds, sizeof seconds, (uint64_t)(entry->seconds * 1e9)), out);
    put_cell(suite_course_text(&entry->course, course, sizeof course), out);
    put_growth(entry, metric_name(METRIC_OPENSSL_BLOCKS), 3, out);
    put_growth(entry, metric_name(METRIC_OPENSSL_BYTES), 1, out);
    put_growth(entry, metric_name(METRIC_RSS), 0, out);
    put_cell(entry->site ? entry->site : "", out);
    put_cell(entry->outcome != SUITE_MET && entry->said ? entry->said : "", out);
    fputc('\n', out);
}

void suite_markdown(const struct suite *s, FILE *out)
{
    char note[SUITE_NOTE];
    fputs(
        "| scenario | verdict | outcome | connections | time | course | blocks | bytes | RSS bytes "
        "| where | it said |\n"
        "|---|---|---|---:|---:|---|---:|---:|---:|---|---|\n",
        out);
    for (size_t i = 0; i < s->entries; i++)
        put_row(&s->entry[i], out);
    fputs("\nCourse: OpenSSL's blocks, the heap or RSS, the first of them that grows, over the "
          "connections closed. Blocks (of OpenSSL's), their bytes and RSS in bytes: growth per "
          "connection, or per what else the row counts, of the program under test, or of the other "
          "end where that alone leaks.\n\n",
          out);
    for (size_t i = 0; suite_note(s, i, note, sizeof note); i++) {
        markdown_put(note, out);
        fputs("\n\n", out);
    }
}
