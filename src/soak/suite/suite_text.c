/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_text.h"

#include "archive/outputs.h"
#include "base/words.h"
#include "catalog.h"
#include "cmdline.h"
#include "options/grammar.h"
#include "report/screen.h"
#include "suite_merge.h"
#include "terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROW_HEAD = 192, NAME_MOST = 40, BLOCK_INDENT = 6, KEY_COLUMNS = 10, EXPECTATION = 512 };
enum { COUNT_COLUMNS = 23, TIME_COLUMNS = 8 };

/* ---- rows ---- */

static int digits(size_t n)
{
    return snprintf(NULL, 0, "%zu", n);
}

static int name_width(const struct suite *s)
{
    size_t width = 0;
    for (size_t i = 0; i < s->entries; i++) {
        size_t length = strlen(s->entry[i].name);
        width = length > width ? length : width;
    }
    return width < NAME_MOST ? (int)width : NAME_MOST;
}

/* ` 2/45  resume` */
static char *row_head(const struct suite *s, size_t i, char *buf, size_t size)
{
    snprintf(buf, size, "%*zu/%zu  %-*s", digits(s->entries), i + 1, s->entries, name_width(s),
             s->entry[i].name);
    return buf;
}

/* `expected LEAK` where another verdict came, else the outcome. */
static const char *outcome_text(const struct suite_entry *entry, char *buf, size_t size)
{
    struct expect expect;
    bool compared = entry->outcome == SUITE_UNMET || entry->outcome == SUITE_UNSURE;
    if (!compared || expect_parse(entry->expect, &expect, NULL) != 0 ||
        suite_is(entry, expect.verdict))
        return suite_outcome_name(entry->outcome);
    snprintf(buf, size, "expected %s", verdict_name(expect.verdict));
    return buf;
}

/* The columns of a terminal; what a pipe takes isn't broken into lines. */
static int columns_of(FILE *out)
{
    return isatty(fileno(out)) ? terminal_columns(fileno(out)) : SCREEN_TEXT;
}

/* A terminal that is too narrow for all shows no count, then no time. */
void suite_text_row(const struct suite *s, size_t i, FILE *out)
{
    char row[ROW_HEAD * 2], head[ROW_HEAD], outcome[64], closed[32], counted[32], seconds[32];
    const struct suite_entry *entry = &s->entry[i];
    struct text t = text_into(row, sizeof row);
    snprintf(counted, sizeof counted, "%s%s", suite_unit(entry), entry->closed == 1 ? "" : "s");
    text_add(&t, "%s  %-12s  %-15s", row_head(s, i, head, sizeof head),
             entry->verdict ? entry->verdict : "-", outcome_text(entry, outcome, sizeof outcome));
    int room = columns_of(out) - screen_width(row);
    if (room >= TIME_COLUMNS + COUNT_COLUMNS)
        text_add(&t, "  %9s %-11s", human_count(closed, sizeof closed, (int64_t)entry->closed),
                 counted);
    if (room >= TIME_COLUMNS)
        text_add(&t, "  %6s", human_seconds(seconds, sizeof seconds, entry->seconds));
    while (t.used && row[t.used - 1] == ' ')
        row[--t.used] = '\0';
    fprintf(out, "%s\n", row);
    fflush(out);
}

/* ---- the headline ---- */

/* How many are of the outcome that decides, and what to call them. */
struct decided {
    size_t count;
    const char *word, *what;
};

static struct decided decide(const struct suite_totals *t)
{
    const size_t *n = t->outcome;
    size_t open = suite_open(t);
    if (n[SUITE_UNMET])
        return (struct decided){n[SUITE_UNMET], "FAILED", "not as expected"};
    if (n[SUITE_BROKEN])
        return (struct decided){n[SUITE_BROKEN], "FAILED", "broken"};
    if (n[SUITE_INTERRUPTED])
        return (struct decided){open, "INTERRUPTED", "undecided"};
    if (open && n[SUITE_SKIPPED] == open)
        return (struct decided){open, "SKIPPED", "skipped"};
    return (struct decided){open, open ? "INCONCLUSIVE" : "PASSED", "undecided"};
}

void suite_text_headline(const struct suite *s, FILE *out)
{
    struct suite_totals t;
    char seconds[32];
    suite_count(s, &t);
    struct decided d = decide(&t);
    human_seconds(seconds, sizeof seconds, t.seconds);
    if (d.count)
        fprintf(out, "%s  %zu of %zu scenario%s %s %s (%s)\n", d.word, d.count, t.scenarios,
                t.scenarios == 1 ? "" : "s", d.count == 1 ? "is" : "are", d.what, seconds);
    else if (t.scenarios == 0)
        fprintf(out, "%s  no scenario falls to this shard\n", d.word);
    else
        fprintf(out, "%s  %s%zu scenario%s as expected (%s)\n", d.word,
                t.scenarios == 1 ? "" : "all ", t.scenarios, t.scenarios == 1 ? " is" : "s are",
                seconds);
}

/* ---- what failed ---- */

static void add_key(struct text *c, int indent, const char *key)
{
    text_add(c, "\n%*s%-*s", indent, "", KEY_COLUMNS, key);
}

static void add_files(struct text *c, const struct suite_entry *entry, int indent)
{
    char picture[PATH_MAX], here[PATH_MAX];
    if (!entry->run_dir)
        return;
    int n = snprintf(picture, sizeof picture, "%s/survivors.svg", entry->run_dir);
    bool drawn = n > 0 && (size_t)n < sizeof picture && access(picture, R_OK) == 0;
    add_key(c, indent, drawn ? "picture" : "files");
    words_quote(c, catalog_from_here(catalog_below_root(drawn ? picture : entry->run_dir), here));
}

/* Its report has the command, with how long that takes. */
static void add_settle(struct text *c, const struct suite_entry *entry, int indent)
{
    char here[PATH_MAX];
    if (entry->outcome != SUITE_UNSURE || !entry->run_dir)
        return;
    add_key(c, indent, "settle it");
    cmdline_program(c);
    text_add(c, " report");
    cmdline_word(c, catalog_from_here(catalog_below_root(entry->run_dir), here));
}

/* With the options that counted for each run of the shard; where they aren't known, or there is no
 * room for the whole of it, nothing: it would be another run. */
static void add_again(struct text *c, const struct suite *s, const struct suite_entry *entry,
                      int indent)
{
    const struct suite_shard *shard = suite_shard_find(s, entry->shard);
    const char *options = shard ? shard->options : NULL;
    struct text before = *c;
    char here[PATH_MAX];
    if (!options)
        return;
    add_key(c, indent, "again");
    cmdline_program(c);
    text_add(c, " run");
    cmdline_word(c, catalog_from_here(entry->file, here));
    bool given = strcmp(options, "none") != 0;
    if (given)
        text_add(c, " %s", options);
    if (entry->seed && !(given && strstr(options, "--seed")))
        text_add(c, " --seed %s", entry->seed);
    if (c->cut) {
        *c = before;
        c->at[c->used] = '\0';
    }
}

/* The verdict line; of a run without a verdict what it wrote to stderr, less the `soak: ` that this
 * begins with. */
static const char *said_of(const struct suite_entry *entry)
{
    static const char program[] = "soak: ";
    const char *said = entry->said ? entry->said : "nothing was measured";
    return strncmp(said, program, strlen(program)) == 0 ? said + strlen(program) : said;
}

char *suite_text_block(const struct suite *s, const struct suite_entry *entry, int indent,
                       char *buf, size_t size)
{
    char expectation[EXPECTATION];
    struct text c = text_into(buf, size);
    text_add(&c, "%s%s", entry->outcome == SUITE_SKIPPED ? "SKIPPED  " : "", said_of(entry));
    if (strcmp(entry->expect, "pass") != 0 || suite_is(entry, VERDICT_PASS)) {
        add_key(&c, indent, "expected");
        text_add(&c, "%s", entry->expect);
    }
    if (entry->outcome == SUITE_NOT_RUN)
        return buf;
    add_files(&c, entry, indent);
    add_settle(&c, entry, indent);
    add_again(&c, s, entry, indent);
    if (entry->outcome == SUITE_UNMET &&
        suite_expectation(entry, expectation, sizeof expectation)) {
        add_key(&c, indent, suite_is(entry, VERDICT_LEAK) ? "if known" : "if mended");
        text_add(&c, "in [suite]: expect = %s", expectation);
    }
    return buf;
}

static int failed_width(const struct suite *s)
{
    size_t width = 0;
    for (size_t i = 0; i < s->entries; i++) {
        const struct suite_entry *entry = &s->entry[i];
        if (entry->outcome == SUITE_MET || entry->outcome == SUITE_NOT_RUN)
            continue;
        width = strlen(entry->name) > width ? strlen(entry->name) : width;
    }
    return width < NAME_MOST ? (int)width : NAME_MOST;
}

/* A line of a block. Paths, and what is to be written into a file, stay whole. */
static void print_keyed(const struct screen *s, const char *line)
{
    char key[BLOCK_INDENT + KEY_COLUMNS];
    const char *value = line + BLOCK_INDENT + KEY_COLUMNS;
    int length = BLOCK_INDENT + KEY_COLUMNS - 1;
    while (length > 0 && line[length - 1] == ' ')
        length--;
    snprintf(key, sizeof key, "%.*s", length - 2, line + 2);
    if (strstr(key, "again") || strstr(key, "settle it"))
        screen_command(s, key, BLOCK_INDENT + KEY_COLUMNS, value, "");
    else
        fprintf(s->out, "%s\n", line);
}

/* The block of a terminal. */
static void print_block(const struct suite_entry *entry, int width, char *block, FILE *out)
{
    const struct screen s = {
        .out = out, .utf8 = terminal_style(out, COLOR_NEVER).utf8, .columns = columns_of(out)};
    const struct screen_lead lead = {2, 2 + width + 3, entry->name, INK_NONE};
    char *line = strtok(block, "\n");
    screen_wrap(&s, &lead, "%s", line);
    while ((line = strtok(NULL, "\n")))
        print_keyed(&s, line);
}

static void print_failures(const struct suite *s, FILE *out)
{
    char block[SUITE_BLOCK];
    int width = failed_width(s);
    for (size_t i = 0; i < s->entries; i++) {
        const struct suite_entry *entry = &s->entry[i];
        if (entry->outcome == SUITE_MET || entry->outcome == SUITE_NOT_RUN)
            continue;
        suite_text_block(s, entry, BLOCK_INDENT, block, sizeof block);
        fputc('\n', out);
        if (isatty(fileno(out)))
            print_block(entry, width, block, out);
        else
            fprintf(out, "  %-*s   %s\n", width, entry->name, block);
    }
}

/* ---- the end ---- */

static void print_notes(const struct suite *s, FILE *out)
{
    char note[SUITE_NOTE];
    for (size_t i = 0; suite_note(s, i, note, sizeof note); i++)
        fprintf(out, "%s  %s\n", i ? "" : "\n", note);
}

/* `  1 as expected · 1 not · 0 inconclusive · 0 broken · exit 1 · junit.xml` */
static void print_totals(const struct suite *s, const struct suite_ending *ending, FILE *out)
{
    struct suite_totals t;
    suite_count(s, &t);
    const struct screen screen = {
        .out = out, .utf8 = terminal_style(out, COLOR_NEVER).utf8, .columns = columns_of(out)};
    char line[SCREEN_TEXT];
    struct text text = text_into(line, sizeof line);
    text_add(&text, "%zu as expected · %zu not · %zu inconclusive · %zu broken",
             t.outcome[SUITE_MET], t.outcome[SUITE_UNMET], t.outcome[SUITE_UNSURE],
             t.outcome[SUITE_BROKEN]);
    if (t.outcome[SUITE_INTERRUPTED])
        text_add(&text, " · %zu interrupted", t.outcome[SUITE_INTERRUPTED]);
    if (t.outcome[SUITE_SKIPPED])
        text_add(&text, " · %zu skipped", t.outcome[SUITE_SKIPPED]);
    if (t.outcome[SUITE_NOT_RUN])
        text_add(&text, " · %zu not run", t.outcome[SUITE_NOT_RUN]);
    text_add(&text, " · exit %d%s%s", ending->exit, ending->junit ? " · " : "",
             ending->junit ? ending->junit : "");
    fputc('\n', out);
    screen_wrap(&screen, &(struct screen_lead){2, 2, "", INK_NONE}, "%s", line);
}

void suite_text_summary(const struct suite *s, const struct suite_ending *ending, FILE *out)
{
    if (!ending->quiet && s->entries)
        fputs("\n", out);
    suite_text_headline(s, out);
    if (!ending->quiet) {
        print_failures(s, out);
        if (ending->joined)
            print_notes(s, out);
        print_totals(s, ending, out);
    }
    fflush(out);
}

/* ---- GitHub ---- */

/* A workflow command ends at the line's end; a property at a comma or a colon too. */
static void put_command(const char *text, bool property, FILE *out)
{
    for (; *text; text++) {
        bool special = strchr("%\r\n", *text) || (property && strchr(":,", *text));
        fprintf(out, special ? "%%%02X" : "%c", (unsigned char)*text);
    }
}

/* The line that allocates what leaks, where the repository has it; else the scenario. GitHub takes
 * paths from the top of the repository, where the job's steps start. */
static void put_place(const struct suite_entry *entry, FILE *out)
{
    char file[PATH_MAX];
    const char *colon = entry->site ? strrchr(entry->site, ':') : NULL;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    snprintf(file, sizeof file, "%.*s", colon ? (int)(colon - entry->site) : 0,
             colon ? entry->site : "");
    bool here = digits && !colon[1 + digits] && file[0] != '/' && access(file, R_OK) == 0;
    put_command(here ? file : entry->file, true, out);
    if (here)
        fprintf(out, ",line=%s", colon + 1);
}

void suite_github_errors(const struct suite *s, FILE *out)
{
    const char *set = getenv("GITHUB_ACTIONS");
    for (size_t i = 0; set && strcmp(set, "true") == 0 && i < s->entries; i++) {
        const struct suite_entry *entry = &s->entry[i];
        bool failed = suite_failed(entry->outcome);
        if (!failed && entry->outcome != SUITE_SKIPPED)
            continue;
        fprintf(out, "::%s file=", failed ? "error" : "warning");
        put_place(entry, out);
        fputs(",title=", out);
        put_command(entry->name, true, out);
        fprintf(out, "::%s: ", suite_outcome_name(entry->outcome));
        put_command(said_of(entry), false, out);
        fputc('\n', out);
    }
    fflush(out);
}

void suite_github_summary(const struct suite *s)
{
    struct err e = {{0}};
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    FILE *out = path && *path ? output_append(path, &e) : NULL;
    if (!out) {
        if (path && *path)
            fprintf(stderr, "soak: GITHUB_STEP_SUMMARY: %s: %s\n", path, e.text);
        return;
    }
    suite_markdown(s, out);
    suite_text_headline(s, out);
    fclose(out);
}
