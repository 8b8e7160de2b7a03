/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_journal.h"

#include "archive/run_dir.h"
#include "report/json_util.h"
#include "stats/sensitivity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- counts ---- */

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

void campaign_count(struct campaign_tally *t, const char *row, enum campaign_outcome o)
{
    struct campaign_row *r = row_of(t, row);
    t->runs++;
    t->outcome[o]++;
    if (r)
        r->outcome[o]++;
}

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

static void print_head(FILE *out, enum campaign_of which)
{
    fprintf(out, "| %s | runs", which == CAMPAIGN_CLEAN ? "server" : "bug");
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++) {
        if (campaign_has(which, (enum campaign_outcome)i))
            fprintf(out, " | %s", campaign_outcome_name((enum campaign_outcome)i));
    }
    fprintf(out, " |\n|---|---:");
    for (int i = 0; i < CAMPAIGN_OUTCOMES; i++) {
        if (campaign_has(which, (enum campaign_outcome)i))
            fprintf(out, "|---:");
    }
    fprintf(out, "|\n");
}

static void print_bound(FILE *out, const char *what, uint64_t k, uint64_t n)
{
    fprintf(out, "%s: %" PRIu64 " of %" PRIu64 ", so at most %.3f %% of such runs (95 %%)\n", what,
            k, n, 100 * sensitivity_upper_share(k, n, 0.95));
}

void campaign_print(const struct campaign_tally *t, enum campaign_of which, FILE *out)
{
    const uint64_t *o = t->outcome;
    print_head(out, which);
    for (size_t i = 0; i < t->rows; i++)
        print_row(out, which, t->row[i].name, t->row[i].outcome);
    print_row(out, which, "all", o);
    fprintf(out, "\n");
    if (t->runs == 0)
        return;
    if (which == CAMPAIGN_CLEAN)
        print_bound(out, "false alarms", o[CAMPAIGN_ALARM], t->runs);
    else
        print_bound(out, "missed", o[CAMPAIGN_MISSED], t->runs);
}

/* ---- the folder ---- */

static int open_locked(struct campaign_journal *j, const char *folder, struct err *e)
{
    char path[PATH_MAX];
    struct stat stat;
    snprintf(path, sizeof path, "%.4000s/runs.jsonl", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return err_set(e, "%.300s: %s", path, strerror(errno));
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        err_set(e, "%.300s: this is no file", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        err_set(e, "%.300s: another campaign writes there", folder);
    else if ((j->file = fdopen(fd, "r+")))
        return 0;
    close(fd);
    return -1;
}

/* ---- its lines ---- */

static int read_run(const json_t *line, struct campaign_tally *tally, struct err *e)
{
    enum campaign_outcome o;
    const char *row, *word;
    double number;
    if (json_need_count(line, "number", &number, e) != 0 ||
        json_need_text(line, "row", &row, e) != 0 || json_need_text(line, "outcome", &word, e) != 0)
        return -1;
    if (number != (double)tally->runs || strlen(row) >= CAMPAIGN_ROW ||
        !campaign_outcome_from_name(word, &o))
        return err_set(e, "it isn't a line of a campaign");
    campaign_count(tally, row, o);
    return 0;
}

/* The first line, where `about` isn't NULL, or one of a run. */
static int read_line(const json_t *line, const json_t *about, struct campaign_tally *tally,
                     struct err *e)
{
    if (!line)
        return err_set(e, "it isn't JSON");
    if (!about)
        return read_run(line, tally, e);
    if (json_equal(line, about))
        return 0;
    return err_set(e, "another campaign, or another version's, is in this folder; give another "
                      "--results, or the options of that one");
}

static int read_all(struct campaign_journal *j, const json_t *about, struct campaign_tally *tally,
                    struct err *e)
{
    char *text = NULL;
    size_t size = 0, lines = 0;
    off_t whole = 0;
    int rc = 0;
    for (ssize_t n; rc == 0 && (n = getline(&text, &size, j->file)) > 0 && text[n - 1] == '\n';) {
        json_t *line = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
        rc = read_line(line, lines++ == 0 ? about : NULL, tally, e);
        json_decref(line);
        if (rc != 0)
            err_prefix(e, "runs.jsonl:%zu", lines);
        whole += n;
    }
    free(text);
    if (rc == 0 && (ftruncate(fileno(j->file), whole) != 0 || fseeko(j->file, 0, SEEK_END) != 0))
        rc = err_set(e, "runs.jsonl: %s", strerror(errno));
    return rc == 0 && lines == 0 ? campaign_journal_add(j, json_deep_copy(about), e) : rc;
}

int campaign_journal_open(struct campaign_journal *j, const char *folder, const json_t *about,
                          struct campaign_tally *tally, struct err *e)
{
    int rc = run_dir_make_folders(folder);
    j->file = NULL;
    if (rc != 0)
        return err_set(e, "%.300s can't be made: %s", folder, strerror(-rc));
    if (open_locked(j, folder, e) != 0)
        return -1;
    if (read_all(j, about, tally, e) == 0)
        return 0;
    campaign_journal_close(j);
    return err_prefix(e, "%.200s", folder);
}

int campaign_journal_add(struct campaign_journal *j, json_t *line, struct err *e)
{
    int rc = json_dumpf(line, j->file, JSON_COMPACT);
    json_decref(line);
    if (rc != 0 || fputc('\n', j->file) == EOF || fflush(j->file) != 0)
        return err_set(e, "runs.jsonl can't be written: %s", strerror(errno));
    return 0;
}

void campaign_journal_close(struct campaign_journal *j)
{
    if (j->file)
        fclose(j->file);
    j->file = NULL;
}
