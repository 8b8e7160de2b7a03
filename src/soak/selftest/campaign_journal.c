/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_journal.h"

#include "archive/run_dir.h"
#include "report/json_util.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

static json_t *line_json(const struct campaign_line *run, const char *kept)
{
    const char *said = run->said[0] ? run->said : NULL;
    return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:f, s:f}", "number",
                     (json_int_t)run->number, "row", run->row, "outcome",
                     campaign_outcome_name(run->outcome), "line", json_from_text(run->line), "said",
                     json_from_text(said), "kept", json_from_text(kept), "date", run->date,
                     "took_ms", run->took_ms, "load", run->load);
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
}

static int read_fields(const json_t *line, struct campaign_line *ret, struct err *e)
{
    const char *row, *word, *words, *date, *said = NULL;
    double number;
    if (json_need_count(line, "number", &number, e) != 0 ||
        json_need_text(line, "row", &row, e) != 0 ||
        json_need_text(line, "outcome", &word, e) != 0 ||
        json_need_text(line, "line", &words, e) != 0 ||
        json_need_text(line, "date", &date, e) != 0 ||
        json_read_text(line, "said", &said, e) != 0 ||
        json_need_count(line, "took_ms", &ret->took_ms, e) != 0 ||
        json_need_count(line, "load", &ret->load, e) != 0)
        return -1;
    if (number >= CAMPAIGN_RUNS || strlen(row) >= CAMPAIGN_ROW ||
        !campaign_outcome_from_name(word, &ret->outcome))
        return err_set(e, "it isn't a line of a campaign");
    ret->number = (uint64_t)number;
    copy(ret->row, sizeof ret->row, row);
    copy(ret->line, sizeof ret->line, words);
    copy(ret->said, sizeof ret->said, said);
    copy(ret->date, sizeof ret->date, date);
    return 0;
}

static int read_run(const json_t *line, struct campaign_tally *tally, struct err *e)
{
    struct campaign_line run = {.number = 0};
    if (read_fields(line, &run, e) != 0)
        return -1;
    if (campaign_is_done(tally, run.number))
        return err_set(e, "run %" PRIu64 " is there twice", run.number);
    campaign_count(tally, &run);
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

static int put(struct campaign_journal *j, json_t *line, struct err *e)
{
    int rc = json_dumpf(line, j->file, JSON_COMPACT);
    json_decref(line);
    if (rc != 0 || fputc('\n', j->file) == EOF || fflush(j->file) != 0)
        return err_set(e, "runs.jsonl can't be written: %s", strerror(errno));
    return 0;
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
    return rc == 0 && lines == 0 ? put(j, json_deep_copy(about), e) : rc;
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

int campaign_journal_add(struct campaign_journal *j, const struct campaign_line *run,
                         const char *kept, struct err *e)
{
    return put(j, line_json(run, kept), e);
}

void campaign_journal_close(struct campaign_journal *j)
{
    if (j->file)
        fclose(j->file);
    j->file = NULL;
}
