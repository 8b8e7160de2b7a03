/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "archive/outputs.h"
#include "base/check.h"
#include "base/exit_codes.h"
#include "bisect_work.h"
#include "compare_line.h"
#include "compare_prepare.h"
#include "compare_text.h"
#include "stats/compare/compare.h"
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPEAT_LIMIT = 20 };

static const struct opt own[] = {
    COMPARE_LINE_PARTS(
        "A..B", "versions of OpenSSL: A, B and those between them in the cache; or A,B,C: these",
        "the same for jemalloc: jemalloc-VERSION"),
    {"metric", OPT_STRING, COMPARE_LINE_AT(metric), "NAME", NULL,
     "what differs: verdict (the default), or an exact figure, such as allocs_server or held, "
     "that is nearer to B's than to A's"},
    {"repeat", OPT_INT, COMPARE_LINE_AT(repeat), "N", NULL,
     "runs of each version that is looked at (default 1)"},
    {"tolerance", OPT_PERCENT, COMPARE_LINE_AT(tolerance), "PERCENT", NULL,
     "by how much the figures of A and B must differ (default 1%)"},
    {"json", OPT_OUTPUT, COMPARE_LINE_AT(run.json), "FILE", ".json",
     "write the result document, to stdout without FILE"},
    COMPARE_LINE_OUTPUT("folder for the runs, instead of the project's results/bisect",
                        "print the answer only"),
};

const struct command bisect_command = {
    .name = "bisect",
    .run = cmd_bisect,
    .words = "[SCENARIO] [OPTIONS]",
    .line = "since which version a verdict or figure differs",
    .takes_run = true,
    .about = "Finds the first version that differs as B does from A: in its verdict, or with "
             "--metric in an exact figure. It halves the list, so that few versions are run, and "
             "names the allocation sites that explain the step.\n",
    .after = "A..B takes the versions between the two that are in the cache (soak libs), and "
             "fetches A and B. Options of `soak run` may follow and apply to each run.\n"
             "Exit: 0 found, 2 usage, 3 A and B don't differ or a version can't be judged, 4 "
             "broken, 130 interrupted.\n"
             "For commits instead of versions: `git bisect run soak run SCENARIO --bisect-exit "
             "--build COMMAND`.\n",
    .table = own,
    .options = sizeof own / sizeof *own};

/* ---- the versions ---- */

/* So that they are among the known versions. */
static int fetch_ends(const struct compare_line *line, char *from, char *to, struct err *e)
{
    struct prepared none;
    char *const ends[] = {from, to};
    const struct prepare_request q = {.part = line->part, .name = ends, .names = 2};
    return compare_prepare(&q, &none, e);
}

/* Before anything is fetched. */
static int check_end(const struct compare_line *line, const char *name, struct err *e)
{
    if (compare_part_has_range(line->part, name))
        return 0;
    return err_set(
        e,
        "--%s %.60s: only versions have a range, as soak libs lists them; name what is to "
        "be tried: A,B,C",
        compare_part_name(line->part), name);
}

/* `A..B` of the known versions, in either direction. Points into `list`. */
static int take_range(struct compare_line *line, struct prepare_list *list, struct err *e)
{
    char *from = line->name[0], *to = from + (compare_line_range(from) - from);
    size_t a = SIZE_MAX, b = SIZE_MAX;
    if (to == from || !to[2] || compare_line_range(to + 2))
        return err_set(e, "--%s %.100s: one range has two ends, A..B; or names alone: A,B,C",
                       compare_part_name(line->part), from);
    *to = '\0';
    to += 2;
    if (check_end(line, from, e) != 0 || check_end(line, to, e) != 0)
        return -1;
    int rc = fetch_ends(line, from, to, e);
    if (rc == 0)
        rc = compare_prepare_list(line->part, list, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < list->count; i++) {
        a = compare_version_is(list->name[i], from) ? i : a;
        b = compare_version_is(list->name[i], to) ? i : b;
    }
    if (a == SIZE_MAX || b == SIZE_MAX)
        return err_set(e, "--%s: no version %.60s is known; soak libs lists them",
                       compare_part_name(line->part), a == SIZE_MAX ? from : to);
    line->names = 0;
    for (size_t i = a;; i = a < b ? i + 1 : i - 1) {
        line->name[line->names++] = list->name[i];
        if (i == b)
            return 0;
    }
}

/* What the line alone tells, before anything is looked for. */
static int check_versions(struct compare_line *line, struct err *e)
{
    if (compare_line_names(line, e) != 0)
        return -1;
    if (line->words > 1)
        return err_set(e, "%.100s: one scenario at a time, and '%.100s' is already one",
                       line->word[1], line->word[0]);
    if (line->names == 0 && line->run.program)
        return err_set(e,
                       "--program %.100s: there is no list of a program's versions to search; name "
                       "them to soak compare --program A,B,...",
                       line->run.program);
    if (line->names < 2 && !(line->names == 1 && compare_line_range(line->name[0])))
        return err_set(e, "between which versions? Such as --openssl 3.0.17..3.0.22");
    for (size_t i = 0; line->names > 1 && i < line->names; i++)
        if (compare_line_range(line->name[i]))
            return err_set(e, "--%s %.60s: one range A..B, or names alone: A,B,C",
                           compare_part_name(line->part), line->name[i]);
    if (line->repeat < 1 || line->repeat > REPEAT_LIMIT)
        return err_set(e, "--repeat: from 1 to %d", REPEAT_LIMIT);
    return 0;
}

/* Fetches the ends of a range, so that all between them are known. */
static int take_versions(struct compare_line *line, struct prepare_list *list, struct err *e)
{
    _Static_assert((int)COMPARE_LINE_NAMES >= (int)PREPARE_NAMES, "the whole list has room");
    int rc = line->names == 1 ? take_range(line, list, e) : 0;
    if (rc == 0 && line->names < 2)
        rc = err_set(e, "between which versions? Such as --openssl 3.0.17..3.0.22");
    return rc;
}

/* ---- the work ---- */

/* What came of a search, as its forms need it. */
struct answer {
    const struct bisect_work *search;
    struct report_style style;
    int code; /* what soak exits with */
};

static void put_document(const void *ctx, FILE *out)
{
    const struct answer *a = ctx;
    char *text = bisect_json(a->search, a->code);
    CHECK(text);
    fputs(text, out);
    free(text);
}

static void put_text(const void *ctx, FILE *out)
{
    const struct answer *a = ctx;
    bisect_text(a->search, &a->style, a->search->work->line->run.quiet, out);
}

static int keep(const struct answer *a, struct err *e)
{
    return run_dir_keep(&a->search->work->dir, BISECT_FILE, bisect_json(a->search, a->code), e);
}

static int tell(struct answer *a, FILE *out, struct err *e)
{
    a->style = terminal_style(out, (enum color_when)a->search->work->line->run.color);
    if (a->search->end == BISECT_END_STUCK)
        fprintf(stderr, "soak: bisect: %s\n", a->search->sentence);
    if (output_print(out, put_text, a, e) == 0 || out == stderr)
        return 0;
    return err_prefix(e, "stdout");
}

static void miss(struct answer *a, const struct err *e)
{
    fprintf(stderr, "soak: bisect: %s\n", e->text);
    a->code = a->code == 0 ? EXIT_BROKEN : a->code;
}

/* Keeps, prints and writes what came of it. What couldn't be written is found out after bisect.json
 * was. */
static void publish(struct answer *a, const struct outputs *outputs)
{
    struct err e = {{0}};
    if (keep(a, &e) != 0)
        miss(a, &e);
    int kept = a->code;
    if (tell(a, outputs_text(outputs), &e) != 0)
        miss(a, &e);
    if (outputs_write(outputs, a, &e) != 0)
        miss(a, &e);
    if (a->code != kept)
        keep(a, NULL);
}

/* Returns the exit code. */
static int search(struct compare_work *w, int metric, const char *name,
                  const struct outputs *outputs)
{
    struct err e = {{0}};
    const struct compare_line *line = w->line;
    struct bisect_work b = {
        .work = w, .version = line->name, .versions = line->names, .metric = metric};
    if (compare_work_open(w, "bisect", line->run.results, name, &e) != 0)
        return command_refuse(&bisect_command, &e);
    if (!line->run.quiet)
        fprintf(stderr, "soak: bisect: at most %zu runs: %zu versions of %s\n",
                bisect_most(line->names) * (size_t)line->repeat, line->names,
                compare_part_name(line->part));
    struct answer answer = {.search = &b, .code = bisect_search(&b)};
    publish(&answer, outputs);
    compare_work_close(w);
    return answer.code;
}

/* Returns the exit code, or -1 with a sentence. */
static int work(struct compare_line *line, struct err *e)
{
    const struct outputs outputs = {{{"json", line->run.json, put_document, false}}, 1};
    struct prepare_list list = {.count = 0};
    struct scenario scenario;
    struct prepared prepared;
    char name[128];
    int metric;
    if (check_versions(line, e) != 0 || bisect_metric(line->metric, &metric, e) != 0 ||
        outputs_check(&outputs, e) != 0 ||
        compare_line_scenario(line, &scenario, name, sizeof name, e) != 0 ||
        compare_work_check("bisect", line->run.results, e) != 0)
        return -1;
    int rc = take_versions(line, &list, e);
    if (rc == 0) {
        struct prepare_request request = compare_line_request(line, &scenario);
        rc = compare_prepare(&request, &prepared, e);
    }
    if (rc != 0)
        return command_ended(&bisect_command, rc, e);
    struct compare_work w = compare_work_of(line, &scenario, compare_set_new(), prepared.libc);
    int code = search(&w, metric, name, &outputs);
    compare_set_free(w.set);
    return code;
}

int cmd_bisect(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct compare_line line = {.repeat = 1};
    if (command_helped(&bisect_command, argc, argv))
        return 0;
    signal(SIGPIPE, SIG_IGN);
    int code = compare_line_read(&line, &bisect_command, argc, argv, &e);
    if (code == 0)
        code = command_is_unbuilt() ? EXIT_UNBUILT : work(&line, &e);
    if (code < 0)
        code = command_refuse(&bisect_command, &e);
    compare_line_free(&line);
    return code;
}
