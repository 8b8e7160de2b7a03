/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_run.h"

#include "archive/run_dir.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/version.h"
#include "catalog.h"
#include "cmdline.h"
#include "measure/proc.h"
#include "report/document.h"
#include "run_process.h"
#include "suite_json.h"
#include "suite_text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXPECT_TEXT = 1024, STARTED_TEXT = 32 };

/* ---- the plan ---- */

static int plan_one(struct suite *s, const struct suite_work *w, size_t i, struct err *e)
{
    const struct suite_file *file = &w->files->file[i];
    struct scenario scenario;
    struct expect expect;
    char text[EXPECT_TEXT];
    if (suite_line_scenario(w->line, file->path, &scenario, e) != 0)
        return -1;
    if (expect_parse(scenario.expect, &expect, e) != 0)
        return err_prefix(e, "%.300s: expect = %.100s", file->path, scenario.expect);
    uint64_t shard = suite_shard_of(i, w->line->of);
    const char *name = suite_text(s, file->name);
    if (suite_lists(s, name))
        return err_set(e, "%.300s: another scenario reads '%.100s' too", file->path, name);
    suite_list(s, name);
    if (shard != w->line->shard)
        return 0;
    struct suite_entry *entry = suite_add(s, file->name);
    entry->file = suite_text(s, catalog_below_root(file->said));
    entry->expect = suite_text(s, expect_print(&expect, text, sizeof text));
    entry->shard = shard;
    entry->planned = (double)scenario_about_ns(&scenario) / 1e9;
    return 0;
}

int suite_plan(struct suite *s, const struct suite_work *w, struct err *e)
{
    for (size_t i = 0; i < w->files->count; i++) {
        if (plan_one(s, w, i, e) != 0)
            return -1;
    }
    char base[PATH_MAX];
    return run_dir_check(catalog_results(w->line->run.results, "runs", base), e);
}

/* ---- the shard ---- */

/* Each quoted for the shell that needs it: they are a part of the line that runs one again. NULL
 * where there is no room for all of them. */
static const char *options_text(struct suite *s, const struct suite_line *line)
{
    char text[SUITE_TEXT];
    struct text c = text_into(text, sizeof text);
    for (int i = 0; i < line->forwarded_options.options; i++)
        cmdline_word(&c, line->forwarded_options.option[i]);
    if (c.cut)
        return NULL;
    return suite_text(s, c.used ? text + 1 : "none");
}

static struct suite_shard *add_shard(struct suite *s, const struct suite_work *w,
                                     const char *folder)
{
    char machine[256], host[HOST_NAME_MAX + 1] = "", started[STARTED_TEXT];
    int cpus = 0;
    proc_machine(machine, sizeof machine, &cpus);
    gethostname(host, sizeof host - 1);
    clock_utc(started, sizeof started, time(NULL));
    size_t used = strlen(machine);
    snprintf(machine + used, sizeof machine - used, ", %d processors", cpus);
    s->shard[0] = (struct suite_shard){.index = w->line->shard,
                                       .of = w->line->of,
                                       .version = suite_text(s, soak_version),
                                       .machine = suite_text(s, machine),
                                       .host = suite_text(s, host),
                                       .started = suite_text(s, started),
                                       .options = options_text(s, w->line),
                                       .folder = suite_text(s, folder),
                                       .end = SUITE_END_RUNNING};
    s->shards = 1;
    return &s->shard[0];
}

/* ---- the runs ---- */

/* What is under way. */
struct under_way {
    struct suite *suite;
    const struct suite_work *work;
    struct run_process sub;
    struct run_dir dir;
};

/* The file of entry i: the entries are the line's shard of the files, in their order. */
static const struct suite_file *file_of(const struct suite_work *w, size_t i)
{
    size_t place = (size_t)(w->line->shard - 1 + i * w->line->of);
    CHECK(place < w->files->count);
    return &w->files->file[place];
}

/* Seconds that entry i and those after it will take: as planned, and by how much those that are
 * done took longer. */
static double seconds_left(const struct suite *s, size_t i)
{
    double took = 0, planned = 0, left = 0;
    for (size_t k = 0; k < s->entries; k++) {
        took += k < i ? s->entry[k].seconds : 0;
        planned += k < i ? s->entry[k].planned : 0;
        left += k < i ? 0 : s->entry[k].planned;
    }
    return planned > 0 ? left * took / planned : left;
}

/* `2/45 resume ...  about 12m left`: on a terminal in one line, which the next takes away. */
static void progress(const struct under_way *u, size_t i)
{
    char left[32];
    bool terminal = isatty(STDERR_FILENO);
    if (!u->work->text)
        return;
    human_seconds(left, sizeof left, seconds_left(u->suite, i));
    fprintf(stderr,
            i ? "%s%zu/%zu %s ...  about %s left%s" : "%s%zu/%zu %s ...  about %s for all%s",
            terminal ? "\r\033[K" : "", i + 1, u->suite->entries, u->suite->entry[i].name, left,
            terminal ? "" : "\n");
}

static void progress_end(const struct under_way *u)
{
    if (u->work->text && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static int save(struct under_way *u, struct err *e)
{
    return run_dir_keep(&u->dir, "suite.json", suite_dump(u->suite), e);
}

static int run_one(struct under_way *u, size_t i, struct err *e)
{
    struct suite_entry *entry = &u->suite->entry[i];
    const struct suite_line *line = u->work->line;
    const char *words[PASSED_ON_MAX + 5];
    int n = 0;
    struct run_process_result result;
    char started[STARTED_TEXT];
    words[n++] = "--results";
    words[n++] = u->dir.path;
    for (int o = 0; o < line->forwarded_options.options; o++)
        words[n++] = line->forwarded_options.option[o];
    words[n++] = "--";
    words[n++] = file_of(u->work, i)->path;
    words[n] = NULL;
    clock_utc(started, sizeof started, time(NULL));
    uint64_t began = clock_now_ns();
    if (run_process_execute(&u->sub, words, &result, e) != 0)
        return -1;
    bool cut = u->sub.interrupted && result.exit_code < 0;
    struct document *document = result.document ? document_read(result.document, NULL) : NULL;
    struct suite_run run = {.result = document ? &document->result : NULL,
                            .verdict = document ? document->verdict : NULL,
                            .exit_code = cut ? EXIT_INTERRUPTED : result.exit_code,
                            .said = result.said,
                            .started = started,
                            .seconds = (double)(clock_now_ns() - began) / 1e9};
    suite_judge(u->suite, entry, &run);
    document_free(document);
    if (!u->suite->shard[0].libs)
        u->suite->shard[0].libs = entry->libs;
    run_process_done(&u->sub, &result, true);
    return 0;
}

/* Returns why it ended; STUCK with a sentence. */
static enum suite_end run_all(struct under_way *u, struct err *e)
{
    for (size_t i = 0; i < u->suite->entries; i++) {
        struct suite_entry *entry = &u->suite->entry[i];
        progress(u, i);
        int rc = run_one(u, i, e);
        progress_end(u);
        if (rc != 0)
            return u->sub.interrupted ? SUITE_END_STOPPED : SUITE_END_STUCK;
        if (u->work->text)
            suite_text_row(u->suite, i, u->work->text);
        if (save(u, e) != 0)
            return SUITE_END_STUCK;
        if (u->sub.interrupted)
            return SUITE_END_STOPPED;
        if (u->work->line->fail_fast && suite_failed(entry->outcome))
            return SUITE_END_FAILED;
    }
    return SUITE_END_ALL;
}

static int open_folder(struct under_way *u, struct err *e)
{
    const struct suite_line *line = u->work->line;
    char base[PATH_MAX], name[64] = "suite";
    if (line->of > 1)
        snprintf(name, sizeof name, "suite-%" PRIu64 "-of-%" PRIu64, line->shard, line->of);
    return run_dir_open_suite(&u->dir, catalog_results(line->run.results, "runs", base), name, e);
}

int suite_work(struct suite *s, struct suite_work *w, struct err *e)
{
    struct under_way u = {.suite = s, .work = w};
    if (open_folder(&u, e) != 0)
        return -1;
    if (run_process_open_in_order(&u.sub, e) != 0) {
        run_dir_close(&u.dir);
        return -1;
    }
    struct suite_shard *shard = add_shard(s, w, u.dir.path);
    int rc = save(&u, e);
    shard->end = rc == 0 ? run_all(&u, e) : SUITE_END_STUCK;
    if (shard->end != SUITE_END_STUCK)
        rc = save(&u, e);
    else {
        save(&u, NULL);
        rc = -1;
    }
    w->interrupted = u.sub.interrupted;
    unlinkat(u.dir.fd, "last", 0); /* the runs' own link: here it would tell nothing */
    run_process_close(&u.sub);
    run_dir_close(&u.dir);
    return rc;
}
