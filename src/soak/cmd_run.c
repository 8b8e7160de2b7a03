/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "archive/outputs.h"
#include "base/exit_codes.h"
#include "catalog.h"
#include "channel/token.h"
#include "chosen.h"
#include "history/history_record.h"
#include "library/program.h"
#include "rebuild/forms.h"
#include "report/document.h"
#include "report/report.h"
#include "run/manifest.h"
#include "run/outcome.h"
#include "run/run.h"
#include "run/unfinished.h"
#include "run/user_command.h"
#include "shown.h"
#include "subject/environment.h"
#include "subject/preflight.h"
#include "symbol/symbol.h"
#include "terminal.h"
#include "torture/torture.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int usage(const struct err *e)
{
    fprintf(stderr, "soak: %s\n", e->text);
    return EXIT_USAGE;
}

static void incomplete(struct result *result, int exit_code)
{
    if (result->exit_code == 0)
        result->exit_code = exit_code;
}

/* What can't be written turns PASS into exit 4, in the documents and on the screen too: whoever
 * reads result.json must not find an older one or none and believe it. */
static void spoil(struct result *result)
{
    result->not_kept = true;
    incomplete(result, EXIT_BROKEN);
}

static int keep_names(struct run *r, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->subjects.count; i++)
        rc = survivors_write_made(&r->watched[i], &r->dir, e);
    return rc;
}

/* What is made of the result. Where it finds no place the verdict stands, as all that was measured
 * is kept. */
static int keep_forms(struct run *r, struct err *e)
{
    struct forms_missed missed;
    if (forms_keep(&r->dir, &missed, e) != 0)
        return -1;
    if (missed.count)
        fprintf(stderr, "soak: %s; the result is kept: soak report %s --%s=FILE makes it again%s\n",
                missed.why.text, shown_dir(r->dir.path), missed.option,
                missed.count > 1 ? ", and so for the others" : "");
    return 0;
}

static int keep_result(struct run *r, const struct result *result, struct err *e)
{
    int rc = run_dir_keep(&r->dir, "result.json", document_write(result), e);
    if (rc == 0)
        unfinished_remove(r);
    return rc;
}

/* Writes the run's folder. The result comes after what belongs to it, so that it says what isn't
 * kept; it says so of the forms by being written again. One sentence, of the last that failed. */
static void keep(struct run *r, struct result *result)
{
    struct err e = {{0}}, again;
    bool whole = keep_names(r, &e) == 0 && manifest_write(r, &e) == 0;
    if (r->store_failed || !whole)
        spoil(result);
    if (keep_result(r, result, &e) == 0 && keep_forms(r, &e) == 0 && whole)
        return;
    fprintf(stderr, "soak: %s\n", e.text);
    if (!result->not_kept) {
        spoil(result);
        keep_result(r, result, &again);
    }
}

/* Writes the document of --json. Returns 0 or -1. */
static int write_document(const struct scenario *s, const struct result *result)
{
    struct err e = {{0}};
    char *text = s->json ? document_write(result) : NULL;
    int rc = !s->json ? 0
             : text   ? output_text("json", s->json, text, &e)
                      : err_set(&e, "out of memory");
    free(text);
    if (rc != 0)
        fprintf(stderr, "soak: %s\n", e.text);
    return rc;
}

struct report_form {
    const struct result *result;
    struct report_style style;
    bool quiet;
};

static void put_report(const void *ctx, FILE *out)
{
    const struct report_form *f = ctx;
    report_text(f->result, &f->style, f->quiet, out);
}

/* Returns 0, or -1 when stdout hasn't got it. */
static int write_text(const struct scenario *s, const struct result *result)
{
    struct err e = {{0}};
    /* One document on stdout at a time: with --json - the text goes to stderr. */
    FILE *out = output_is_stdout(s->json) ? stderr : stdout;
    struct report_form form = {result, terminal_style(out, (enum color_when)s->color), s->quiet};
    if (output_print(out, put_report, &form, &e) == 0 || out == stderr)
        return 0;
    fprintf(stderr, "soak: stdout: %s\n", e.text);
    return -1;
}

/* An output that the run was to make and couldn't: what it keeps says so too. */
static void miss(struct run *r, struct result *result, const char *what)
{
    struct err again;
    struct forms_missed missed;
    result->not_written = what;
    incomplete(result, EXIT_BROKEN);
    if (keep_result(r, result, &again) != 0)
        return;
    forms_keep(&r->dir, &missed, &again);
    history_record(r->dir.path);
}

static bool is_file(const char *path)
{
    struct stat s;
    return path && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* The text comes last, so that it says what of the rest couldn't be written. */
static void put_out(struct run *r, struct result *result)
{
    const struct scenario *s = r->scenario;
    if (write_document(s, result) != 0)
        miss(r, result, "--json");
    if (write_text(s, result) == 0 || result->not_written)
        return;
    miss(r, result, "stdout");
    if (is_file(s->json)) /* what reads a pipe has its document */
        write_document(s, result);
}

/* Writes every form of the result: what is kept comes before what somebody must read. */
static int publish(struct run *r)
{
    struct err e = {{0}};
    struct outcome outcome;
    struct result *result = &outcome.result;
    outcome_make(&outcome, r);
    int rc = outcome_footprint(&outcome, r, &e);
    if (rc != 0) {
        fprintf(stderr, "soak: footprint: %s\n", e.text);
        incomplete(result, rc == UV_EINTR ? EXIT_INTERRUPTED : EXIT_BROKEN);
    }
    keep(r, result);
    history_record(r->dir.path);
    put_out(r, result);
    int exit_code = result->exit_code;
    outcome_free(&outcome);
    return exit_code;
}

/* What this machine refuses, before anything is started, fetched or built. */
static int check_machine(const struct scenario *s, struct err *e)
{
    char base[PATH_MAX];
    if (files_check(s, e) != 0 || ports_check(s, e) != 0 || served_check(s, e) != 0 ||
        (s->agents && token_check(s->token_file, e) != 0) || page_file_check(e) != 0 ||
        run_dir_check(catalog_results(s->results, "runs", base), e) != 0)
        return -1;
    if (s->debuginfod && symbols_servers_check(e) != 0)
        return err_prefix(e, "--debuginfod");
    return output_check("json", s->json, e);
}

static int check_commands(const struct scenario *s, struct err *e)
{
    if (user_command_check("on-drain", s->on_drain, e) != 0)
        return -1;
    if (s->program && program_check(s->program, e) != 0)
        return err_prefix(e, "--program");
    if (user_command_check("on-checkpoint", s->on_checkpoint, e) != 0)
        return -1;
    return user_command_check("reload", s->reload, e);
}

/* As much as can be refused before all is built. --build may make what they run. */
static int put_off(const struct scenario *s, struct err *e)
{
    return s->build ? 0 : check_commands(s, e);
}

/* Where a file has said what can't be had, the sentence says in which line: that of an option which
 * stands there once. */
static int refuse(const struct chosen *c, struct err *e)
{
    bool several = c->scenario.template.count > 1 && strncmp(e->text, "--template", 10) == 0;
    if (!several)
        scenario_locate(&c->origin, e);
    return usage(e);
}

static int run_scenario(const struct chosen *c)
{
    const struct scenario *s = &c->scenario;
    struct err e = {{0}};
    struct programs programs;
    if (check_commands(s, &e) != 0) /* --build may have made it */
        return refuse(c, &e);
    int found = programs_find(s, &programs, &e);
    if (found != 0) {
        int code = usage(&e);
        return found == -EINTR ? EXIT_INTERRUPTED : found == -ENOENT ? EXIT_GONE : code;
    }
    programs.here = c->here;
    if (subject_check(&programs, &e) != 0)
        return refuse(c, &e);
    char base[PATH_MAX];
    if (s->fail_alloc)
        return torture_run(s, c->name, &programs, catalog_results(s->results, "runs", base),
                           command_seed(s->seed));
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        return usage(&(struct err){"out of memory"});
    r->scenario = s;
    r->name = c->name;
    r->word = c->word;
    r->origin = &c->origin;
    r->programs = &programs;
    r->seed = command_seed(s->seed);
    int code = EXIT_USAGE;
    if (run_dir_open(&r->dir, catalog_results(s->results, "runs", base), c->name, &e) != 0) {
        usage(&e);
        free(r);
        return code;
    }
    if (manifest_write(r, &e) != 0 || run_execute(r, &e) != 0) {
        usage(&e);
        code = EXIT_BROKEN;
    } else {
        code = publish(r);
    }
    run_fini(r);
    run_dir_close(&r->dir);
    free(r);
    return code;
}

/* How long it takes is said before, when that is more than the minute that runs take; and what of
 * the caller's environment doesn't count. */
static void announce(const struct scenario *s)
{
    char text[512];
    if (!s->quiet && scenario_sure_text(s, text, sizeof text))
        fprintf(stderr, "soak: %s\n", text);
    if (!s->quiet && environment_text(&s->env, text, sizeof text))
        fprintf(stderr, "soak: %s\n", text);
}

/* Of a line that can't be read. */
static bool asks_for_bisect_exit(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--bisect-exit") == 0 || strcmp(argv[i], "--bisect-exit=true") == 0)
            return true;
    return false;
}

struct bisection {
    bool asked; /* for exit codes that git understands */
    bool tried; /* the line was accepted, so what comes after is due to what it names */
};

static int run_line(int argc, char *const *argv, struct bisection *ret)
{
    struct err e = {{0}};
    struct chosen c;
    bool read = chosen_read(&c, "run", argc, argv, &e) == 0;
    ret->asked = read ? c.scenario.bisect_exit : asks_for_bisect_exit(argc, argv);
    if (!read || chosen_check(&c, &e) != 0 || check_machine(&c.scenario, &e) != 0)
        return usage(&e);
    ret->tried = true;
    scenario_settle(&c.scenario);
    if (command_is_unbuilt())
        return put_off(&c.scenario, &e) == 0 ? EXIT_UNBUILT : refuse(&c, &e);
    announce(&c.scenario);
    signal(SIGPIPE, SIG_IGN);
    if (c.scenario.build && user_command_build(c.scenario.build, &e) != 0)
        return usage(&e);
    return run_scenario(&c);
}

/* Git takes exit 0 for good, 125 for a commit that can't be tried, anything up to 127 for bad, and
 * stops at 128 and more. So 0 and 1 are as they are, 125 for 2, 3 and 4; 130 stays, so that an
 * interrupt ends the bisection. What was refused before the build was `tried` would be at every
 * commit: 128, which ends it too. */
static int bisect_exit_code(int code, bool tried)
{
    if (!tried)
        return EXIT_STOP;
    return code == 0 || code == EXIT_FOUND || code == EXIT_INTERRUPTED ? code : EXIT_SKIP;
}

int cmd_run(int argc, char *const *argv)
{
    struct bisection b = {false, false};
    if (command_asks_help(argc, argv)) {
        struct err e;
        if (chosen_is_mistyped(argc, argv, &e))
            return usage(&e);
        help_print(stdout);
        return EXIT_PASS;
    }
    int code = run_line(argc, argv, &b);
    return b.asked && code != EXIT_UNBUILT ? bisect_exit_code(code, b.tried) : code;
}
