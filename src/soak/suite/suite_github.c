/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_github.h"

#include "archive/outputs.h"
#include "options/grammar.h"
#include "suite_merge.h"
#include "suite_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A workflow command ends at the line's end; a property at a comma or a colon too. */
static void put_command(const char *text, bool property, FILE *out)
{
    for (; *text; text++) {
        bool special = strchr("%\r\n", *text) || (property && strchr(":,", *text));
        fprintf(out, special ? "%%%02X" : "%c", (unsigned char)*text);
    }
}

void suite_github_errors(const struct suite *s, FILE *out)
{
    const char *set = getenv("GITHUB_ACTIONS");
    for (size_t i = 0; set && strcmp(set, "true") == 0 && i < s->entries; i++) {
        const struct suite_entry *entry = &s->entry[i];
        if (!suite_failed(entry->outcome))
            continue;
        fputs("::error file=", out);
        put_command(entry->file, true, out);
        fputs(",title=", out);
        put_command(entry->name, true, out);
        fprintf(out, "::%s: ", suite_outcome_name(entry->outcome));
        put_command(entry->said ? entry->said : "", false, out);
        fputc('\n', out);
    }
    fflush(out);
}

/* A cell of a Markdown table: as it is, in one line, nothing in it taken for Markdown or HTML. */
static void put_cell(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr("\\`*_{}[]()#+!|<>~&", c))
            fprintf(out, "&#%d;", c);
        else
            fputc(c < ' ' ? ' ' : c, out);
    }
    fputs(" | ", out);
}

static void put_row(const struct suite_entry *entry, FILE *out)
{
    char closed[32], seconds[32];
    fputs("| ", out);
    put_cell(entry->name, out);
    put_cell(entry->verdict ? entry->verdict : "-", out);
    put_cell(suite_outcome_name(entry->outcome), out);
    put_cell(human_count(closed, sizeof closed, (int64_t)entry->closed), out);
    put_cell(human_duration(seconds, sizeof seconds, (uint64_t)(entry->seconds * 1e9)), out);
    put_cell(entry->outcome != SUITE_MET && entry->said ? entry->said : "", out);
    fputc('\n', out);
}

void suite_github_summary(const struct suite *s)
{
    char note[SUITE_NOTE];
    struct err e = {{0}};
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    FILE *out = path && *path ? output_open(path, O_APPEND, &e) : NULL;
    if (!out) {
        if (path && *path)
            fprintf(stderr, "soak: GITHUB_STEP_SUMMARY: %s: %s\n", path, e.text);
        return;
    }
    fputs("| scenario | verdict | outcome | connections | time | it said |\n"
          "|---|---|---|---:|---:|---|\n",
          out);
    for (size_t i = 0; i < s->entries; i++)
        put_row(&s->entry[i], out);
    fputc('\n', out);
    for (size_t i = 0; suite_note(s, i, note, sizeof note); i++)
        fprintf(out, "%s\n\n", note);
    suite_text_headline(s, out);
    fclose(out);
}
