/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_forms.h"

#include "base/check.h"
#include "base/input.h"
#include "report/html/html.h"
#include "suite/suite_json.h"
#include "suite/suite_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suite_name[] = "suite.json";

static bool has(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

bool suite_forms_is_suite(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (input_is_folder(path))
        return has(path, suite_name) && !has(path, "result.json");
    return strcmp(slash ? slash + 1 : path, suite_name) == 0;
}

int finished_suite_open(struct finished_suite *f, const char *path, struct err *e)
{
    char file[PATH_MAX];
    bool folder = input_is_folder(path);
    int n =
        snprintf(file, sizeof file, "%s%s%s", path, folder ? "/" : "", folder ? suite_name : "");
    suite_init(&f->suite);
    if (n < 0 || (size_t)n >= sizeof file)
        return err_set(e, "%.60s...: the path is too long", path);
    char *slash = strrchr(file, '/');
    snprintf(f->folder, sizeof f->folder, "%.*s", slash ? (int)(slash - file) : 1,
             slash ? file : ".");
    return suite_load(&f->suite, file, e);
}

void finished_suite_close(struct finished_suite *f)
{
    suite_free(&f->suite);
}

/* ---- the page ---- */

/* `FAILED  1 of 2 ...`: its word, cut off, and the rest. Freed by the word. */
static char *headline(const struct suite *s, const char **ret_rest)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    CHECK(out);
    suite_text_headline(s, out);
    CHECK(fclose(out) == 0);
    text[strcspn(text, "\n")] = '\0';
    char *gap = strstr(text, "  ");
    *ret_rest = gap ? gap + 2 : "";
    if (gap)
        *gap = '\0';
    return text;
}

/* The name of its folder, in the suite's; NULL: it isn't there. */
static const char *folder_of(const struct finished_suite *f, const struct suite_entry *entry)
{
    const char *slash = entry->run_dir ? strrchr(entry->run_dir, '/') : NULL;
    const char *name = slash ? slash + 1 : entry->run_dir;
    return name && *name && name[0] != '.' && has(f->folder, name) ? name : NULL;
}

static void put_row(const struct finished_suite *f, const struct suite_entry *entry, FILE *out)
{
    char path[PATH_MAX], link[PATH_MAX];
    struct err e;
    struct document *document = NULL;
    const char *folder = folder_of(f, entry);
    int n = folder ? snprintf(path, sizeof path, "%s/%s", f->folder, folder) : -1;
    if (n > 0 && (size_t)n < sizeof path)
        document = document_load(path, &e);
    bool page = document && has(path, "report.html");
    if (page)
        snprintf(link, sizeof link, "./%s/report.html", folder);
    const struct html_scenario row = {.name = entry->name,
                                      .outcome = suite_outcome_name(entry->outcome),
                                      .said = entry->said ? entry->said : "",
                                      .link = page ? link : NULL,
                                      .failed = suite_failed(entry->outcome),
                                      .unit = suite_unit(entry),
                                      .closed = entry->closed,
                                      .seconds = entry->seconds,
                                      .result = document ? &document->result : NULL};
    html_suite_row(&row, out);
    document_free(document);
}

/* As a verdict of the same exit code looks. */
static const char *badge_of(int exit_code)
{
    return exit_code == EXIT_PASS           ? "pass"
           : exit_code == EXIT_INCONCLUSIVE ? "inconclusive"
                                            : "leak";
}

static void put_html(const void *ctx, FILE *out)
{
    const struct finished_suite *f = ctx;
    const struct suite_shard *shard = &f->suite.shard[0];
    struct suite_totals totals;
    suite_count(&f->suite, &totals);
    const char *rest;
    char *word = headline(&f->suite, &rest);
    const struct html_suite suite = {.word = word,
                                     .headline = rest,
                                     .badge = badge_of(suite_exit_code(&totals)),
                                     .host = shard->host,
                                     .started = shard->started,
                                     .machine = shard->machine,
                                     .libs = shard->libs,
                                     .version = shard->version};
    html_suite_begin(&suite, out);
    for (size_t i = 0; i < f->suite.entries; i++)
        put_row(f, &f->suite.entry[i], out);
    html_suite_end(out);
    free(word);
}

/* ---- the others ---- */

static void put_junit(const void *ctx, FILE *out)
{
    suite_junit(&((const struct finished_suite *)ctx)->suite, out);
}

static void put_markdown(const void *ctx, FILE *out)
{
    suite_markdown(&((const struct finished_suite *)ctx)->suite, out);
}

static void put_json(const void *ctx, FILE *out)
{
    char *text = suite_dump(&((const struct finished_suite *)ctx)->suite);
    CHECK(text);
    fputs(text, out);
    free(text);
}

int suite_forms_outputs(const struct form_paths *paths, struct outputs *ret, struct err *e)
{
    static const struct form_writer writers[] = {
        {"html", put_html}, {"junit", put_junit}, {"markdown", put_markdown}, {"json", put_json}};
    const struct form_writers of = {writers, sizeof writers / sizeof *writers, "a suite"};
    return forms_select(paths, &of, ret, e);
}

void suite_forms_text(const struct finished_suite *f, bool quiet, FILE *out)
{
    struct suite_totals totals;
    suite_count(&f->suite, &totals);
    const struct suite_ending ending = {.quiet = quiet, .exit = suite_exit_code(&totals)};
    for (size_t i = 0; i < f->suite.entries && !quiet; i++)
        suite_text_row(&f->suite, i, out);
    suite_text_summary(&f->suite, &ending, out);
}
