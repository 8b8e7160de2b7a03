/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "catalog.h"
#include "compare/bisect_kept.h"
#include "compare/compare_kept.h"
#include "compare/compare_text.h"
#include "forms.h"
#include "report/report.h"
#include "suite_forms.h"
#include "terminal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct form_paths form;
    bool quiet;
};

static const struct opt table[] = {
#define FORM_OPTION(option, file, suffix, help)                                                    \
    {#option, OPT_OUTPUT, offsetof(struct options, form.option), "FILE", suffix, help},
    FORM_LIST(FORM_OPTION)
#undef FORM_OPTION
        {"quiet", OPT_FLAG, offsetof(struct options, quiet), NULL, NULL,
         "print the verdict line only"},
};

const struct command report_command = {
    .name = "report",
    .run = cmd_report,
    .words = "RUN [OPTIONS]",
    .line = "a finished run in other forms, or as a page",
    .about =
        "Makes any output of a finished run again, from its files: nothing is measured. RUN is its "
        "folder or result.json; `last` is the latest in results/runs. RUN may also be the folder "
        "of a suite, a comparison or a bisection. Without an option the report is printed as the "
        "run printed it; with one, that form is written, to stdout without FILE.\n",
    .after = "Exit: 0, whatever the verdict; 2 when there is no such run or it can't be read.\n",
    .table = table,
    .options = sizeof table / sizeof *table};

static int refuse(const struct err *e)
{
    return command_refuse(&report_command, e);
}

static bool is_asked(const struct outputs *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->output[i].path)
            return true;
    return false;
}

static int printed(struct err *e)
{
    return fflush(stdout) == 0 ? 0 : err_set(e, "stdout: %s", strerror(errno));
}

static int write_outputs(const struct outputs *outputs, const void *of, struct err *e)
{
    return outputs_check(outputs, e) == 0 ? outputs_write(outputs, of, e) : -1;
}

static int report_suite(const char *path, const struct options *o, struct err *e)
{
    struct finished_suite *f = calloc(1, sizeof *f);
    struct outputs outputs;
    CHECK(f);
    int rc = finished_suite_open(f, path, e);
    if (rc == 0)
        rc = suite_forms_outputs(&o->form, &outputs, e);
    if (rc == 0 && is_asked(&outputs)) {
        rc = write_outputs(&outputs, f, e);
    } else if (rc == 0) {
        suite_forms_text(f, o->quiet, stdout);
        rc = printed(e);
    }
    finished_suite_close(f);
    free(f);
    return rc;
}

static int report_comparison(const char *path, const struct options *o, struct err *e)
{
    static const struct form_writer writers[] = {
        {"html", compare_put_html}, {"markdown", compare_put_markdown}, {"json", compare_put_json}};
    static const struct form_writers of = {writers, sizeof writers / sizeof *writers,
                                           "a comparison"};
    struct outputs outputs;
    struct compare_set *s = compare_kept_read(path, e);
    if (!s)
        return -1;
    int rc = forms_select(&o->form, &of, &outputs, e);
    if (rc == 0 && is_asked(&outputs)) {
        rc = write_outputs(&outputs, s, e);
    } else if (rc == 0) {
        struct report_style style = terminal_style(stdout, COLOR_AUTO);
        compare_text(s, &style, o->quiet, stdout);
        rc = printed(e);
    }
    compare_set_free(s);
    return rc;
}

static int report_bisection(const char *path, const struct options *o, struct err *e)
{
    static const struct form_writer writers[] = {
        {"json", bisect_put_json}, {"html", bisect_put_html}, {"markdown", bisect_put_markdown}};
    struct form_writers of = {writers, sizeof writers / sizeof *writers, "a bisection"};
    struct outputs outputs;
    struct bisect_kept k;
    int rc = bisect_kept_read(&k, path, e);
    if (rc == 0 && k.set->entries == 0)
        of = (struct form_writers){writers, 1, "a bisection in which no version was run"};
    if (rc == 0)
        rc = forms_select(&o->form, &of, &outputs, e);
    if (rc == 0 && is_asked(&outputs)) {
        rc = write_outputs(&outputs, &k, e);
    } else if (rc == 0) {
        struct report_style style = terminal_style(stdout, COLOR_AUTO);
        if (k.bisection.end == BISECT_END_STUCK)
            printf("%s\n", k.bisection.sentence);
        bisect_text(&k.bisection, &style, o->quiet, stdout);
        rc = printed(e);
    }
    bisect_kept_free(&k);
    return rc;
}

static int report_run(const char *path, const struct options *o, struct err *e)
{
    struct finished f;
    struct outputs outputs;
    int rc = finished_open(&f, path, e);
    if (rc == 0)
        rc = forms_outputs(&f, &o->form, &outputs, e);
    if (rc == 0 && is_asked(&outputs)) {
        rc = write_outputs(&outputs, &f, e);
    } else if (rc == 0) {
        struct report_style style = terminal_style(stdout, COLOR_AUTO);
        report_text(&f.document->result, &style, o->quiet, stdout);
        rc = printed(e);
    }
    finished_close(&f);
    return rc;
}

static int report(const char *word, const struct options *o, struct err *e)
{
    char last[PATH_MAX];
    const char *path = catalog_last(word, "result.json", last, sizeof last);
    if (compare_kept_is(path))
        return report_comparison(path, o, e);
    if (bisect_kept_is(path))
        return report_bisection(path, o, e);
    return suite_forms_is_suite(path) ? report_suite(path, o, e) : report_run(path, o, e);
}

int cmd_report(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct options o = {.quiet = false};
    const char *word[1];
    struct opts_words words = {.word = word, .size = 1};
    int code = command_parse_words(&report_command, argc, argv, &o, &words);
    if (code >= 0)
        return code;
    if (words.count == 0) {
        err_set(&e, "which run? Give its folder, its result.json, or last");
        return refuse(&e);
    }
    return report(word[0], &o, &e) == 0 ? EXIT_PASS : refuse(&e);
}
