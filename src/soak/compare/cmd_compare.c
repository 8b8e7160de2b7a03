/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/outputs.h"
#include "base/exit_codes.h"
#include "base/input.h"
#include "catalog.h"
#include "commands.h"
#include "compare_document.h"
#include "compare_line.h"
#include "compare_prepare.h"
#include "compare_set.h"
#include "compare_text.h"
#include "compare_work.h"
#include "terminal.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPEAT_LIMIT = COMPARE_RUNS, ROUNDS = 6 };

static const struct opt own[] = {
    COMPARE_LINE_PARTS("A,B,...", "versions of OpenSSL for the server to run on",
                       "the same for allocators: jemalloc, libc, jemalloc-VERSION; the client's is "
                       "jemalloc"),
    {"program", OPT_STRING, COMPARE_LINE_AT(list[COMPARE_PROGRAM]), "A,B,...", NULL,
     "the same for the program of --server: debian:SUITE/PACKAGE, npm:NAME@VERSION"},
    {"repeat", OPT_INT, COMPARE_LINE_AT(repeat), "N", NULL,
     "rounds, each with every version once; CPU is judged from 6 on (default 6)"},
    {"tolerance", OPT_PERCENT, COMPARE_LINE_AT(tolerance), "PERCENT", NULL,
     "by how much an exact figure may rise and count as the same (default 1%)"},
    {"side", OPT_CHOICE, COMPARE_LINE_AT(side), "SIDE", "server|client|both",
     "whose figures decide; what only the other does is told (default: the program under test)"},
    {"json", OPT_OUTPUT, COMPARE_LINE_AT(run.json), "FILE", ".json",
     "write compare.json once more, to stdout without FILE"},
    {"markdown", OPT_OUTPUT, COMPARE_LINE_AT(markdown), "FILE", ".md",
     "write the table for a pull request, to stdout without FILE"},
    {"html", OPT_OUTPUT, COMPARE_LINE_AT(html), "FILE", ".html",
     "write a page for a browser, to stdout without FILE"},
    COMPARE_LINE_OUTPUT("folder for the runs, instead of the project's results/compare",
                        "print the verdict lines only"),
};

/* The forms of a comparison that are asked for by name, the document first. */
static struct outputs outputs_of(const struct compare_line *line)
{
    return (struct outputs){.output = {{"json", line->run.json, compare_put_json, false},
                                       {"markdown", line->markdown, compare_put_markdown, false},
                                       {"html", line->html, compare_put_html, false}},
                            .count = 3};
}

const struct command compare_command = {
    .name = "compare",
    .run = cmd_compare,
    .words = "[SCENARIO] [OPTIONS]",
    .line = "versions of a library against one another",
    .takes_run = true,
    .about =
        "Runs a scenario on each version in turn, in rounds, and says how each version differs "
        "from the first: in its verdict, in allocations per handshake and bytes held (exact), in "
        "CPU (by pairs of runs side by side), and which allocation sites explain it.\n"
        "`soak compare RUN RUN...` does the same with finished runs: folders or result.json; "
        "`last` is the latest in results/runs.\n",
    .after = "Only one of --openssl, --libuv, --malloc and --program takes several names; one name "
             "for another of them applies to all versions. Options of `soak run` may follow and "
             "apply to each run; without a bound a run closes about 4,500 connections. "
             "compare.json and the folders of all runs are in results/compare/.\n"
             "Exit: 0 same, better or mixed (a leak is gone, a figure is higher), 1 worse, 2 "
             "usage, 3 can't tell, 4 broken or not the version asked for, 130 interrupted, with "
             "what was measured until then.\n",
    .table = own,
    .options = sizeof own / sizeof *own};

struct text_form {
    const struct compare_set *set;
    struct report_style style;
    bool quiet;
};

static void put_text(const void *ctx, FILE *out)
{
    const struct text_form *f = ctx;
    compare_text(f->set, &f->style, f->quiet, out);
}

static int tell(const struct compare_set *s, const struct compare_line *line, FILE *out,
                struct err *e)
{
    struct text_form form = {s, terminal_style(out, (enum color_when)line->run.color),
                             line->run.quiet};
    if (output_print(out, put_text, &form, e) == 0 || out == stderr)
        return 0;
    return err_prefix(e, "stdout");
}

static void miss(struct compare_set *s, const struct err *e)
{
    fprintf(stderr, "soak: compare: %s\n", e->text);
    s->failed = s->failed ? s->failed : EXIT_BROKEN;
}

/* Prints and writes what was measured. The document comes last: it says what soak exits with, also
 * where another form couldn't be written. */
static void publish(struct compare_set *s, const struct compare_line *line,
                    const struct outputs *outputs)
{
    struct err e = {{0}};
    struct outputs document = {.output = {outputs->output[0]}, .count = 1}, others = *outputs;
    others.output[0].path = NULL;
    if (tell(s, line, outputs_text(outputs), &e) != 0)
        miss(s, &e);
    if (outputs_write(&others, s, &e) != 0)
        miss(s, &e);
    if (outputs_write(&document, s, &e) != 0)
        miss(s, &e);
}

/* ---- finished runs ---- */

/*
 * Finished runs as a set to compare: their documents alone, nothing is started.
 */

enum { NAME = 128 };

static const char *const parts[] = {"openssl", "libuv", "jemalloc", "malloc", "libc"};

/* The folder of a run, whichever way it is named: by a link, by its result.json. */
static void run_folder(const char *word, char path[PATH_MAX])
{
    static const char file[] = "/result.json";
    if (!realpath(word, path))
        snprintf(path, PATH_MAX, "%s", word);
    size_t length = strlen(path), end = sizeof file - 1;
    if (length > end && strcmp(path + length - end, file) == 0)
        path[length - end] = '\0';
}

/* `20261122-204222-default` of a folder or of its result.json. */
static void folder_name(const char *word, char *name, size_t size)
{
    char path[PATH_MAX];
    run_folder(word, path);
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%.*s", (int)size - 1, slash && slash[1] ? slash + 1 : path);
}

static bool told_apart(const struct compare_set *s, const char *part)
{
    for (size_t i = 0; i < s->entries; i++) {
        const char *a = compare_entry_version(&s->entry[i], part);
        if (!a)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(a, compare_entry_version(&s->entry[k], part)) == 0)
                return false;
    }
    return true;
}

/* Debian's revision stays out of a name unless it alone makes the difference: the table of what was
 * mapped has it. */
static void name_by_part(struct compare_set *s, const char *part)
{
    s->part = compare_set_text(s, part);
    for (size_t i = 0; i < s->entries; i++)
        s->entry[i].name = compare_set_text(s, compare_entry_version(&s->entry[i], part));
}

static void name_entries(struct compare_set *s)
{
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        if (!told_apart(s, parts[p]))
            continue;
        name_by_part(s, parts[p]);
        return;
    }
}

/* Two folders of one name are told apart by the words. */
static const char *name_of(const struct compare_set *s, const char *word, char *name, size_t size)
{
    folder_name(word, name, size);
    for (size_t i = 0; i < s->entries; i++)
        if (strcmp(s->entry[i].name, name) == 0)
            return word;
    return name;
}

static int load_one(struct compare_set *s, const char *word, struct err *e)
{
    char name[NAME];
    struct document *document = document_load(word, e);
    if (!document)
        return -1;
    struct compare_entry *entry = compare_set_add(s, name_of(s, word, name, sizeof name));
    const char *scenario = compare_set_text(s, document->result.scenario);
    int rc = compare_document_add(s, entry, document, s->entries, e);
    if (rc != 0)
        err_prefix(e, "%.300s", word);
    else if (s->entries == 1)
        s->scenario = scenario ? scenario : "";
    else if (!scenario || strcmp(scenario, s->scenario) != 0)
        rc = err_set(e, "%.300s: it is a run of '%.60s', and the first is one of '%.60s'", word,
                     scenario ? scenario : "", s->scenario);
    document_free(document);
    return rc;
}

/* A run beside itself would be the same, whatever it is. */
static int check_another(const char *const *word, size_t i, struct err *e)
{
    char path[PATH_MAX], before[PATH_MAX];
    run_folder(word[i], path);
    for (size_t k = 0; k < i; k++) {
        run_folder(word[k], before);
        if (strcmp(path, before) == 0)
            return err_set(e, "%.200s: the same run as %.200s", word[i], word[k]);
    }
    return 0;
}

/* Loads each word, a run's folder or its result.json, as a version of one run. They are called by
 * the version of the part that tells them apart, else by their folders. Returns 0 or -1. */
static int compare_runs_load(struct compare_set *s, const char *const *word, size_t words,
                             struct err *e)
{
    if (words > COMPARE_VERSIONS)
        return err_set(e, "at most %d runs", COMPARE_VERSIONS);
    for (size_t i = 0; i < words; i++)
        if (load_one(s, word[i], e) != 0 || check_another(word, i, e) != 0)
            return -1;
    name_entries(s);
    s->planned = s->done = 0;
    s->state = COMPARE_STATE_ALL;
    return 0;
}

static int compare_finished(const struct compare_line *line, const struct outputs *outputs,
                            struct err *e)
{
    struct compare_set *s = compare_set_new();
    s->tolerance = line->tolerance;
    s->side = (enum compare_side)line->side;
    int code = -1;
    if (compare_runs_load(s, line->word, line->words, e) == 0) {
        compare_set_judge(s);
        publish(s, line, outputs);
        code = compare_set_exit_code(s);
    }
    compare_set_free(s);
    return code;
}

/* ---- runs of its own ---- */

static void announce(const struct compare_work *w)
{
    const struct compare_line *line = w->line;
    if (line->run.quiet)
        return;
    fprintf(stderr, "soak: compare: %" PRIu64 " runs: %zu versions of %s, %d round%s",
            (uint64_t)line->repeat * line->names, line->names, compare_part_name(line->part),
            line->repeat, line->repeat == 1 ? "" : "s");
    if (w->closed)
        fprintf(stderr, ", %" PRIu64 " %s each", w->closed, unit_plural(w->set->unit));
    fputc('\n', stderr);
}

/* What couldn't be written is found out after compare.json was. Returns the exit code. */
static int finish(struct compare_work *w, const struct outputs *outputs)
{
    int kept = compare_set_exit_code(w->set);
    if (w->set->done > 0)
        publish(w->set, w->line, outputs);
    int code = compare_set_exit_code(w->set);
    if (code != kept)
        compare_work_save(w, NULL);
    return code;
}

/* Returns the exit code. */
static int measure(struct compare_work *w, const char *name, const struct outputs *outputs)
{
    struct err e = {{0}};
    if (compare_work_open(w, "compare", w->line->run.results, name, &e) != 0)
        return command_refuse(&compare_command, &e);
    announce(w);
    if (compare_work_all(w, &e) != 0)
        fprintf(stderr, "soak: compare: %s\n", e.text);
    else if (w->set->done == 0)
        fprintf(stderr, "soak: compare: interrupted before a run was done\n");
    int code = finish(w, outputs);
    compare_work_close(w);
    return code;
}

/* debian:trixie/nginx is called trixie, where no other program is of that suite. */
static void name_by_suite(struct compare_set *s)
{
    static const char lead[] = "debian:";
    char suite[COMPARE_VERSIONS][NAME];
    for (size_t i = 0; i < s->entries; i++) {
        const char *asked = s->entry[i].asked, *slash = strchr(asked, '/');
        if (strncmp(asked, lead, sizeof lead - 1) != 0 || !slash)
            return;
        asked += sizeof lead - 1;
        snprintf(suite[i], NAME, "%.*s", (int)(slash - asked), asked);
        for (size_t k = 0; k < i; k++)
            if (strcmp(suite[i], suite[k]) == 0)
                return;
    }
    for (size_t i = 0; i < s->entries; i++)
        s->entry[i].name = compare_set_text(s, suite[i]);
}

static int compare_versions(const struct compare_line *line, const struct outputs *outputs,
                            struct err *e)
{
    struct scenario scenario;
    struct prepared prepared;
    char name[128];
    if (compare_line_scenario(line, &scenario, name, sizeof name, e) != 0 ||
        compare_work_check("compare", line->run.results, e) != 0)
        return -1;
    if (command_is_unbuilt())
        return EXIT_UNBUILT;
    struct prepare_request request = compare_line_request(line, &scenario);
    int rc = compare_prepare(&request, &prepared, e);
    if (rc != 0)
        return command_ended(&compare_command, rc, e);
    struct compare_set *s = compare_set_new();
    struct compare_work w = compare_work_of(line, &scenario, s, prepared.libc);
    for (size_t i = 0; i < line->names; i++)
        compare_set_add(s, line->name[i]);
    if (line->part == COMPARE_PROGRAM)
        name_by_suite(s);
    int code = measure(&w, name, outputs);
    compare_set_free(s);
    return code;
}

/* ---- the line ---- */

static bool is_run(const char *word)
{
    size_t length = strlen(word);
    return input_is_folder(word) || (length > 5 && strcmp(word + length - 5, ".json") == 0);
}

static int check_versions(const struct compare_line *line, struct err *e)
{
    if (line->words > 1)
        return err_set(e, "%.100s: one scenario at a time, and '%.100s' is already one",
                       line->word[1], line->word[0]);
    for (size_t i = 0; i < line->names; i++)
        if (compare_line_range(line->name[i]))
            return err_set(e, "--%s %.60s: a range is for soak bisect; name the versions: A,B",
                           compare_part_name(line->part), line->name[i]);
    if (line->names == 1)
        return err_set(e, "--%s: what is %.60s to be compared with? Name both: --%s A,B",
                       compare_part_name(line->part), line->name[0], compare_part_name(line->part));
    if (line->names > COMPARE_VERSIONS)
        return err_set(e, "--%s: at most %d versions", compare_part_name(line->part),
                       COMPARE_VERSIONS);
    if (line->repeat < 1 || line->repeat > REPEAT_LIMIT)
        return err_set(e, "--repeat: from 1 to %d", REPEAT_LIMIT);
    return 0;
}

static int check_finished(const struct compare_line *line, struct err *e)
{
    if (line->words == 0 || (line->words == 1 && !is_run(line->word[0])))
        return err_set(e, "which versions? Give --openssl A,B or --libuv, --malloc or --program; "
                          "or two finished runs");
    if (line->words == 1)
        return err_set(
            e, "%.200s: which run is it to be compared with? Name both: soak compare RUN RUN",
            line->word[0]);
    if (line->forwarded_options.options)
        return err_set(e, "%.60s: finished runs are compared as they are",
                       line->forwarded_options.option[0]);
    return 0;
}

/* Returns the exit code, or -1 with a sentence. */
static int work(struct compare_line *line, struct err *e)
{
    const struct outputs outputs = outputs_of(line);
    if (compare_line_names(line, e) != 0)
        return -1;
    bool versions = line->names > 0;
    for (size_t i = 0; !versions && i < line->words; i++)
        line->word[i] = catalog_last(line->word[i], "result.json", line->last, sizeof line->last);
    if ((versions ? check_versions(line, e) : check_finished(line, e)) != 0 ||
        outputs_check(&outputs, e) != 0)
        return -1;
    return versions ? compare_versions(line, &outputs, e) : compare_finished(line, &outputs, e);
}

int cmd_compare(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct compare_line line = {.repeat = ROUNDS};
    if (command_helped(&compare_command, argc, argv))
        return 0;
    signal(SIGPIPE, SIG_IGN);
    int code = compare_line_read(&line, &compare_command, argc, argv, &e);
    if (code == 0)
        code = work(&line, &e);
    if (code < 0)
        code = command_refuse(&compare_command, &e);
    compare_line_free(&line);
    return code;
}
