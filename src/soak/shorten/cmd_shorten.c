/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "archive/run_dir.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "base/version.h"
#include "catalog.h"
#include "cmdline.h"
#include "rebuild/finished.h"
#include "report/screen.h"
#include "search.h"
#include "terminal.h"
#include "trial.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t second_ns = 1000000000u;
enum { LEAD = 10 };
static const double quick_s = 60; /* as long as a run that nothing bounds may take */

struct options {
    uint64_t runs, for_ns;
    bool quiet;
};

static const struct options usual = {.runs = 60, .for_ns = 600 * UINT64_C(1000000000)};

static const struct opt table[] = {
    {"runs", OPT_COUNT, offsetof(struct options, runs), "COUNT", NULL, "make at most COUNT runs"},
    {"for", OPT_DURATION, offsetof(struct options, for_ns), "DURATION", NULL,
     "begin no run after this time, except one that confirms what was found"},
    {"quiet", OPT_FLAG, offsetof(struct options, quiet), NULL, NULL, "print the command only"},
};

const struct command shorten_command = {
    .name = "shorten",
    .run = cmd_shorten,
    .words = "RUN [OPTIONS]",
    .line = "the shortest command that still shows a leak",
    .about =
        "Repeats a run that ended in LEAK with less and less: fewer connections, only the "
        "behaviours and options that it takes, fewer connections open; the seed stays. What "
        "is still reported as a LEAK at the same place is kept, by delta debugging (ddmin) and "
        "halving, and confirmed by one more run. RUN is the run's folder or result.json; "
        "`last` is the latest in results/runs.\n"
        "The command is printed and kept in the run's folder; `soak report RUN --issue` has "
        "it. Ctrl-C ends the search and keeps what was found by then.\n",
    .after = "Exit: 0 found and confirmed; 2 usage, or not a run that ended in LEAK; 3 not "
             "confirmed, or the run's own command no longer shows the leak; 130 interrupted; where "
             "no run can begin, the exit code of that run.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &usual};

struct work {
    struct options options;
    struct finished run;
    struct trials trials;
    struct search_found found;
    struct run_dir dir;
    uint64_t begun_ns;
};

/* ---- before ---- */

/* What is repeated is a command of whoever wrote the document, and an earlier search's is printed.
 * Whose they are is known of what was read: what a path leads to may be another's by now. */
static int check_owner(const struct work *w, const char *path, struct err *e)
{
    struct stat folder;
    CHECK(fstat(w->dir.fd, &folder) == 0);
    const uid_t owner[] = {folder.st_uid, w->run.document->owner, w->run.shortest.owner};
    for (size_t i = 0; i < sizeof owner / sizeof *owner; i++)
        if (owner[i] != 0 && owner[i] != geteuid())
            return err_set(e,
                           "%.300s: it is of user %u, and its command would be run; read it, and "
                           "copy the folder if you trust it",
                           path, (unsigned)owner[i]);
    return 0;
}

static int open_run(struct work *w, const char *word, struct err *e)
{
    char last[PATH_MAX];
    const char *path = catalog_last(word, "result.json", last, sizeof last);
    if (w->options.runs < 2 || w->options.runs > SEARCH_RUNS_MOST)
        return err_set(e, "--runs %" PRIu64 ": from 2 to %d", w->options.runs, SEARCH_RUNS_MOST);
    if (w->options.for_ns == 0)
        return err_set(e, "--for 0s: no run could begin");
    if (finished_open(&w->run, path, e) != 0)
        return -1;
    if (w->run.document->result.verdict != VERDICT_LEAK)
        return err_set(e, "%.300s: %s, and only a LEAK can be shortened", word,
                       verdict_name(w->run.document->result.verdict));
    return run_dir_enter(&w->dir, w->run.folder, e) == 0 ? check_owner(w, path, e) : -1;
}

/* Each behaviour that the run found to leak, where it could tell them apart. */
static void take_leaking(const struct result *r, bool *leaks)
{
    const struct result_subject *lead = r->subjects ? &r->subject[0] : NULL;
    for (size_t i = 0; i < r->subjects; i++)
        if (r->subject[i].judgement.verdict == VERDICT_LEAK)
            lead = &r->subject[i];
    const struct result_attribution *a = lead ? lead->attribution : NULL;
    for (size_t i = 0; a && a->outcome == BEHAVIOURS_APART && i < a->behaviours; i++)
        for (size_t k = 0; k < BEHAVIOUR_COUNT; k++)
            leaks[k] |= a->behaviour[i].share.verdict == BEHAVIOUR_GUILTY &&
                        strcmp(behaviour_entry((enum behaviour)k)->name, a->behaviour[i].name) == 0;
}

static void say_plan(const struct work *w)
{
    char most[32], took[32];
    const double seconds = w->run.document->result.run.seconds;
    if (!w->options.quiet)
        fprintf(stderr,
                "soak: shorten: at most %" PRIu64 " runs, none begun after %s; the run itself took "
                "%s; Ctrl-C keeps what was found by then\n",
                w->options.runs, human_duration(most, sizeof most, w->options.for_ns),
                human_duration(took, sizeof took, (uint64_t)(seconds * (double)second_ns)));
}

/* ---- after ---- */

/* A document may have any text for it; NULL: none. */
static void print_command(const char *command)
{
    char *shown = command ? strdup(command) : NULL;
    if (shown)
        printf("%s\n", text_clean(shown));
    free(shown);
}

/* The run's own command, for what can't be run again. */
static void print_own(const struct work *w)
{
    const struct result *r = &w->run.document->result;
    print_command(r->alone ? r->alone : r->again);
}

static int keep(struct work *w, const struct shortest *s, struct err *e)
{
    return run_dir_keep(&w->dir, SHORTEST_FILE, shortest_write(s), e);
}

/* What an earlier search found stays where this one found nothing surer or shorter. Its version's
 * site may be another's. */
static bool earlier_is_better(const struct shortest *earlier, const struct shortest *s)
{
    if (!earlier->root || strcmp(earlier->version, s->version) != 0)
        return false;
    if (earlier->confirmed != s->confirmed)
        return earlier->confirmed;
    return earlier->closed < s->closed;
}

static void print_found(const struct work *w, const struct shortest *s)
{
    char site[512], closed[32], was[32], took[32], line[2 * PATH_MAX];
    struct text issue = text_into(line, sizeof line);
    const struct result *r = &w->run.document->result;
    print_command(s->by_file ? s->by_file : s->command);
    if (w->options.quiet)
        return;
    const struct report_style style = terminal_style(stdout, COLOR_NEVER);
    const struct screen screen = screen_of(stdout, &style);
    putchar('\n');
    screen_say(&screen, "shows", LEAD, "LEAK at %s, closing %s %s; the run closed %s",
               trial_site(r, site, sizeof site),
               human_count(closed, sizeof closed, (int64_t)s->closed),
               s->closed == 1 ? unit_name(r->run.unit) : unit_plural(r->run.unit),
               human_count(was, sizeof was, (int64_t)r->run.closed));
    screen_say(&screen, "found", LEAD, "by %" PRIu64 " run%s in %s; %s%s", s->runs,
               s->runs == 1 ? "" : "s",
               human_duration(took, sizeof took, (uint64_t)(s->seconds * (double)second_ns)),
               s->confirmed ? "the last one confirmed it" : "not confirmed by one more",
               s->stopped ? "; the search stopped early, so there may be a shorter one" : "");
    if (s->root)
        screen_say(&screen, "kept", LEAD, "from an earlier search; this one found none better");
    cmdline_program(&issue);
    text_add(&issue, " report");
    cmdline_word(&issue, r->last_dir ? r->last_dir : r->shown_dir);
    text_add(&issue, " --issue");
    screen_command(&screen, "issue", LEAD, line, "");
}

static int end_found(struct work *w)
{
    struct err e;
    char command[TRIAL_COMMAND], by_file[TRIAL_COMMAND], site[512];
    const struct trials *t = &w->trials;
    struct shortest s = {.version = soak_version,
                         .command = command,
                         .site = trial_site(&w->run.document->result, site, sizeof site),
                         .closed = w->found.closed,
                         .runs = w->found.runs,
                         .seconds = (double)(clock_now_ns() - w->begun_ns) / (double)second_ns,
                         .confirmed = w->found.confirmed,
                         .stopped = w->found.stopped};
    CHECK(trial_write(&t->alone, &w->found.best, command, sizeof command) == 0);
    if (t->by_file.file && trial_write(&t->by_file, &w->found.best, by_file, sizeof by_file) == 0)
        s.by_file = by_file;
    const struct shortest *best = earlier_is_better(&w->run.shortest, &s) ? &w->run.shortest : &s;
    print_found(w, best);
    if (best == &s && keep(w, &s, &e) != 0)
        return command_refuse(&shorten_command, &e);
    if (t->sub.interrupted)
        return EXIT_INTERRUPTED;
    return best->confirmed ? EXIT_PASS : EXIT_INCONCLUSIVE;
}

/* No run showed it. */
static int end_without(const struct work *w)
{
    struct err e;
    char site[512];
    const struct trials *t = &w->trials;
    int code = t->sub.interrupted ? EXIT_INTERRUPTED : EXIT_INCONCLUSIVE;
    print_own(w);
    if (t->said[0]) {
        err_set(&e, "the run can't be repeated: %s", t->said);
        code = t->code > 0 ? t->code : EXIT_BROKEN;
    } else if (t->sub.interrupted) {
        err_set(&e, "interrupted before a run had shown the leak");
    } else if (w->found.runs == 0) {
        err_set(&e, "no run could begin within --for");
    } else if (t->other[0]) {
        err_set(&e, "the run's own command leaks elsewhere now: at %.200s, not at %.200s", t->other,
                trial_site(&w->run.document->result, site, sizeof site));
    } else {
        err_set(&e, "the run's own command doesn't show the leak any more");
    }
    command_refuse(&shorten_command, &e);
    return code;
}

/* ---- the search ---- */

static int search(struct work *w)
{
    struct err e;
    struct trials *t = &w->trials;
    struct search_asked asked = {.from = &t->from.scenario,
                                 .keeps_lists = t->by_file.file != NULL,
                                 .is_quick = w->run.document->result.run.seconds < quick_s,
                                 .most = w->options.runs,
                                 .is_late = trial_is_late,
                                 .run = trial_run,
                                 .owner = t};
    take_leaking(&w->run.document->result, asked.leaks);
    if (run_process_open(&t->sub, "shorten", &e) != 0) {
        command_refuse(&shorten_command, &e);
        return EXIT_BROKEN;
    }
    say_plan(w);
    w->begun_ns = clock_now_ns();
    t->deadline_ns = w->begun_ns + w->options.for_ns;
    t->progress = w->options.quiet ? NULL : stderr;
    search_shortest(&asked, &w->found);
    int code = w->found.shown ? end_found(w) : end_without(w);
    run_process_close(&t->sub);
    return code;
}

static int shorten(struct work *w, const char *word)
{
    struct err e = {{0}};
    int code;
    if (open_run(w, word, &e) != 0) {
        code = command_refuse(&shorten_command, &e);
    } else if (trials_read(&w->trials, &w->run.document->result, &e) != 0) {
        print_own(w);
        err_prefix(&e, "the run can't be repeated");
        code = command_refuse(&shorten_command, &e);
    } else {
        code = command_is_unbuilt() ? EXIT_UNBUILT : search(w);
    }
    finished_close(&w->run);
    run_dir_close(&w->dir);
    return code;
}

int cmd_shorten(int argc, char *const *argv)
{
    struct err e = {{0}};
    const char *word[1];
    struct opts_words words = {.word = word, .size = 1};
    struct work *w = calloc(1, sizeof *w);
    CHECK(w);
    w->options = usual;
    w->dir = (struct run_dir){.fd = -1, .samples_fd = -1};
    int code = command_parse_words(&shorten_command, argc, argv, &w->options, &words);
    if (code < 0 && words.count == 0) {
        err_set(&e, "which run? Give its folder, its result.json, or last");
        code = command_refuse(&shorten_command, &e);
    }
    if (code < 0)
        code = shorten(w, word[0]);
    free(w);
    return code;
}
