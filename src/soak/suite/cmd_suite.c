/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/exit_codes.h"
#include "suite_json.h"
#include "suite_run.h"
#include "suite_text.h"

#include <signal.h>

const struct command suite_command = {
    .name = "suite",
    .run = cmd_suite,
    .words = "SCENARIOS [OPTIONS]",
    .line = "many scenarios, one after the other",
    .takes_run = true,
    .about = "Runs scenarios one after the other, each as `soak run` does, and says whether each "
             "came out as its file expects (`expect = leak kind=... site=...`; of the load's "
             "program, with subject=client; without it: pass).\n"
             "SCENARIOS are files, folders of *.soak files, and names in scenarios/.\n",
    .after = "Options of `soak run` may follow and apply to each run. --results, --json, --quiet "
             "and --color are the suite's own: suite.json and the folders of all runs are in a "
             "folder of their own below --results, and --json writes suite.json once more.\n"
             "Exit: 0 all as expected, 1 something isn't, 2 usage, 3 something inconclusive, "
             "skipped or not run, 4 something INVALID or broken, 130 interrupted, with what was "
             "measured until then.\n",
    .table = suite_line_own,
    .options = SUITE_LINE_OWN};

/* GitHub shows one table: a shard leaves it to `soak merge`. */
static void tell(const struct suite *s, const struct suite_line *line,
                 const struct outputs *outputs, int exit)
{
    struct suite_ending ending = {
        .quiet = line->run.quiet, .exit = exit, .junit = line->forms.junit};
    FILE *text = outputs_text(outputs);
    suite_text_summary(s, &ending, text);
    suite_github_errors(s, text);
    if (line->of == 1)
        suite_github_summary(s);
}

/* `rc`: of the work itself. */
static int exit_of(const struct suite *s, const struct suite_work *w, int rc)
{
    struct suite_totals totals;
    suite_count(s, &totals);
    int code = suite_exit_code(&totals);
    if (w->interrupted)
        return EXIT_INTERRUPTED;
    return rc != 0 && code != EXIT_FOUND ? EXIT_BROKEN : code;
}

/* Runs what is planned and writes every form of it. Returns the exit code. */
static int work(struct suite *s, struct suite_work *w, const struct outputs *outputs)
{
    struct err e = {{0}}, unwritten = {{0}};
    int rc = suite_work(s, w, &e);
    if (rc != 0)
        fprintf(stderr, "soak: suite: %s\n", e.text);
    if (s->shards == 0)
        return EXIT_BROKEN;
    if (outputs_write(outputs, s, &unwritten) != 0) {
        fprintf(stderr, "soak: suite: %s\n", unwritten.text);
        rc = -1;
    }
    int code = exit_of(s, w, rc);
    tell(s, w->line, outputs, code);
    return code;
}

static int run(const struct suite_line *line, const struct suite_files *files,
               const struct outputs *outputs)
{
    struct err e = {{0}};
    struct suite s;
    FILE *text = line->run.quiet ? NULL : outputs_text(outputs);
    struct suite_work w = {.line = line, .files = files, .text = text};
    suite_init(&s);
    int code;
    if (suite_plan(&s, &w, &e) != 0 || outputs_check(outputs, &e) != 0)
        code = command_refuse(&suite_command, &e);
    else
        code = command_is_unbuilt() ? EXIT_UNBUILT : work(&s, &w, outputs);
    suite_free(&s);
    return code;
}

int cmd_suite(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct suite_line line;
    struct suite_files files = {.count = 0};
    if (command_helped(&suite_command, argc, argv))
        return 0;
    signal(SIGPIPE, SIG_IGN);
    int rc = suite_line_read(&line, argc, argv, &e);
    if (rc == 0)
        rc = suite_files_find(&files, line.word, line.words, &e);
    struct outputs outputs = suite_outputs(line.run.json, &line.forms);
    int code = rc == 0 ? run(&line, &files, &outputs) : command_refuse(&suite_command, &e);
    suite_files_free(&files);
    suite_line_free(&line);
    return code;
}
