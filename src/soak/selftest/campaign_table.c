/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_table.h"

#include "archive/outputs.h"
#include "base/input.h"
#include "stats/sensitivity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- counts ---- */

bool campaign_is_done(const struct campaign_tally *t, uint64_t number)
{
    return t->done[number / 8] >> number % 8 & 1;
}

static struct campaign_row *row_of(struct campaign_tally *t, const char *name)
{
    size_t at = 0;
    while (at < t->rows && strcmp(t->row[at].name, name) < 0)
        at++;
    if (at < t->rows && strcmp(t->row[at].name, name) == 0)
        return &t->row[at];
    if (t->rows == CAMPAIGN_ROWS)
        return NULL;
    memmove(&t->row[at + 1], &t->row[at], (t->rows - at) * sizeof *t->row);
    t->row[at] = (struct campaign_row){.name = ""};
    snprintf(t->row[at].name, sizeof t->row[at].name, "%s", name);
    t->rows++;
    return &t->row[at];
}

static void add_note(struct campaign_tally *t, const struct campaign_line *run)
{
    size_t kept = t->notes < CAMPAIGN_NOTES ? (size_t)t->notes : CAMPAIGN_NOTES, at = kept;
    t->notes++;
    while (at > 0 && t->note[at - 1].number > run->number)
        at--;
    if (at == CAMPAIGN_NOTES)
        return;
    if (kept == CAMPAIGN_NOTES)
        kept--;
    memmove(&t->note[at + 1], &t->note[at], (kept - at) * sizeof *t->note);
    t->note[at] = *run;
}

static void widen(struct campaign_tally *t, const char *date)
{
    if (!t->first[0] || strcmp(date, t->first) < 0)
        snprintf(t->first, sizeof t->first, "%s", date);
    if (strcmp(date, t->last) > 0)
        snprintf(t->last, sizeof t->last, "%s", date);
}

void campaign_count(struct campaign_tally *t, const struct campaign_line *run)
{
    struct campaign_row *r = row_of(t, run->row);
    t->done[run->number / 8] |= (unsigned char)(1 << run->number % 8);
    t->runs++;
    t->outcome[run->outcome]++;
    t->took_ms += run->took_ms;
    t->load += run->load;
    if (r)
        r->outcome[run->outcome]++;
    if (run->outcome != CAMPAIGN_RIGHT && run->outcome != CAMPAIGN_BELOW)
        add_note(t, run);
    widen(t, run->date);
}

/* ---- its section ---- */

static void print_row(FILE *out, enum campaign_of which, const char *name,
                      const uint64_t outcome[CAMPAIGN_OUTCOMES])
{
    uint64_t runs = 0;
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++)
        runs += outcome[i];
    fprintf(out, "| %s | %" PRIu64, name, runs);
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++) {
        if (campaign_has(which, (enum campaign_outcome)i))
            fprintf(out, " | %" PRIu64, outcome[i]);
    }
    fprintf(out, " |\n");
}

static void print_head(FILE *out, const struct campaign_about *about)
{
    const char *first = about->which == CAMPAIGN_CLEAN ? "server" : "bug";
    fprintf(out, "| %s | runs", about->simulated ? "run" : first);
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++) {
        if (campaign_has(about->which, (enum campaign_outcome)i))
            fprintf(out, " | %s", campaign_outcome_name((enum campaign_outcome)i));
    }
    fprintf(out, " |\n|---|---:");
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++) {
        if (campaign_has(about->which, (enum campaign_outcome)i))
            fprintf(out, "|---:");
    }
    fprintf(out, "|\n");
}

static void print_table(FILE *out, const struct campaign_tally *t,
                        const struct campaign_about *about)
{
    print_head(out, about);
    for (size_t i = 0; i < t->rows; i++)
        print_row(out, about->which, t->row[i].name, t->row[i].outcome);
    print_row(out, about->which, "all", t->outcome);
}

static void print_bound(FILE *out, const char *what, uint64_t k, uint64_t n)
{
    fprintf(out, "%s: %" PRIu64 " of %" PRIu64 ", so at most %.3f %% of such runs (95 %% sure)\n",
            what, k, n, 100 * sensitivity_upper_share(k, n, 0.95));
}

/* When, where, and how fast. */
static void print_circumstances(FILE *out, const struct campaign_tally *t)
{
    struct utsname name;
    const char *release = uname(&name) == 0 ? name.release : "?";
    bool one_day = strncmp(t->first, t->last, 10) == 0;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    fprintf(out, "%.10s%s%.10s, Linux %s, %ld processor%s, load %.1f on average", t->first,
            one_day ? "" : " to ", one_day ? "" : t->last, release, processors,
            processors == 1 ? "" : "s", t->load / (double)t->runs);
    if (t->took_ms > 0)
        fprintf(out, "; %.1f runs a minute", (double)t->runs * 60000 / t->took_ms);
    fprintf(out, ".\n");
}

static void print_notes(FILE *out, const struct campaign_tally *t, bool simulated)
{
    size_t kept = t->notes < CAMPAIGN_NOTES ? (size_t)t->notes : CAMPAIGN_NOTES;
    for (size_t i = 0; i < kept; i++) {
        const struct campaign_line *n = &t->note[i];
        fprintf(out, "%s- run %" PRIu64 ", %s: %s\n\n  `%s%s`\n", i ? "" : "\nNot right:\n\n",
                n->number, campaign_outcome_name(n->outcome), n->said[0] ? n->said : "no reason",
                simulated ? "" : "soak run --churn max ", n->line);
    }
    if (t->notes > kept)
        fprintf(out, "- and %" PRIu64 " more\n", t->notes - kept);
}

void campaign_print(const struct campaign_tally *t, const struct campaign_about *about, FILE *out)
{
    const uint64_t *o = t->outcome;
    fprintf(out, "## %s\n\n", about->title);
    if (t->runs)
        print_circumstances(out, t);
    fprintf(out, "\n```sh\n%s\n```\n\n", about->command);
    print_table(out, t, about);
    if (t->runs == 0)
        return;
    fprintf(out, "\n");
    if (about->which == CAMPAIGN_CLEAN)
        print_bound(out, "false alarms", o[CAMPAIGN_ALARM], t->runs);
    else
        print_bound(out, "missed", o[CAMPAIGN_MISSED], t->runs);
    print_notes(out, t, about->simulated);
}

/* ---- the book ---- */

static const char preface[] = "# Campaigns: many runs by chance, and what came of them\n\n"
                              "Each section is written by the command that it names, with "
                              "`--markdown=results/campaigns.md`,\n"
                              "and stays when another campaign adds its own. `right`: PASS of a "
                              "clean server, the right kind\n"
                              "and place of a leak. `in doubt`: INCONCLUSIVE. `too rare`: PASS, "
                              "and the run itself says that\n"
                              "it wouldn't have seen it.\n";

/* The file's text, or the preface. NULL with a sentence; free. */
static char *read_book(const char *path, struct err *e)
{
    char *text = NULL;
    size_t room = 0;
    FILE *in = access(path, F_OK) == 0 ? input_open(path, e) : NULL;
    if (!in)
        return access(path, F_OK) == 0 ? NULL : strdup(preface);
    ssize_t n = getdelim(&text, &room, '\0', in);
    fclose(in);
    if (n >= 0)
        return text;
    free(text);
    return strdup(preface);
}

/* Where the section with this heading begins, or the text ends. */
static char *find_heading(char *text, const char *heading, size_t length)
{
    for (char *at = text; (at = strstr(at, "\n## ")); at += 4) {
        if (strncmp(at + 1, heading, length) == 0 && (at[1 + length] == '\n' || !at[1 + length]))
            return at + 1;
    }
    return text + strlen(text);
}

struct pages {
    const char *text, *section, *rest;
    size_t before;
};

static void put_pages(const void *pages, FILE *out)
{
    const struct pages *p = pages;
    size_t n = p->before;
    while (n > 0 && p->text[n - 1] == '\n')
        n--;
    fprintf(out, "%.*s\n\n%s%s%s", (int)n, p->text, p->section, *p->rest ? "\n" : "", p->rest);
}

int campaign_book(const char *path, const char *section, struct err *e)
{
    char *text = read_book(path, e);
    if (!text)
        return -1;
    char *at = find_heading(text, section, strcspn(section, "\n"));
    char *next = *at ? strstr(at, "\n## ") : NULL;
    struct pages pages = {.text = text,
                          .section = section,
                          .rest = next ? next + 1 : "",
                          .before = (size_t)(at - text)};
    int rc = output_file(path, put_pages, &pages, e);
    free(text);
    return rc;
}
