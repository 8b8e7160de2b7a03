/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "archive/history_file.h"
#include "archive/outputs.h"
#include "base/check.h"
#include "base/exit_codes.h"
#include "base/input.h"
#include "base/text.h"
#include "catalog.h"
#include "history_forms.h"
#include "history_record.h"
#include "history_series.h"
#include "options/grammar.h"
#include "report/json_util.h"
#include "terminal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Telling steps apart costs the square of the nights. */
enum { WORDS = 64, NAMES = 512, LAST_MOST = 366 };

struct options {
    bool check;
    uint64_t last;
    const char *since, *json, *markdown, *html;
    int color;
};

static const struct options defaults = {.last = 30, .color = COLOR_AUTO};

static const struct opt table[] = {
    {"check", OPT_FLAG, offsetof(struct options, check), NULL, NULL,
     "say only which figures stepped; exit 1 if any did"},
    {"last", OPT_COUNT, offsetof(struct options, last), "N", NULL,
     "the last N runs of each history"},
    {"since", OPT_STRING, offsetof(struct options, since), "DATE", NULL,
     "leave out runs before this date, such as 2026-11-20, and so a step that is known and meant"},
    {"json", OPT_OUTPUT, offsetof(struct options, json), "FILE", ".json",
     "write the figures as JSON (soak-history/1), to stdout without FILE"},
    {"markdown", OPT_OUTPUT, offsetof(struct options, markdown), "FILE", ".md",
     "write a Markdown table, to stdout without FILE"},
    {"html", OPT_OUTPUT, offsetof(struct options, html), "FILE", ".html",
     "write a page for a browser, to stdout without FILE"},
    {"color", OPT_CHOICE, offsetof(struct options, color), "WHEN", "auto|always|never",
     "when to use colour"},
};

const struct command history_command = {
    .name = "history",
    .run = cmd_history,
    .words = "[SCENARIO|add|rebuild] [OPTIONS]",
    .line = "figures night by night, and what stepped",
    .about =
        "Shows the figures of the last runs, of SCENARIO or of all, and which of them stepped: per "
        "scenario, library and machine, among runs with the same options. Every run in results/ is "
        "recorded in results/history.db, or in the file that $SOAK_HISTORY names.\n"
        "  add FOLDER...        adds the runs in these folders, such as another machine's\n"
        "  rebuild [FOLDER...]  makes the history again from the runs in results/, or in\n"
        "                       FOLDER; the old file is kept as history.db.old\n",
    .after = "Exit: 0, 1 a figure stepped (--check), 2 usage, or the history can't be read.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &defaults};

/* ---- adding ---- */

static void tell(const struct history_tally *t, const char *path)
{
    printf("%zu run%s added to %s\n", t->runs, t->runs == 1 ? "" : "s", catalog_below_root(path));
    if (t->unreadable)
        fprintf(stderr, "soak: history: %zu result.json can't be read and %s left out: %s\n",
                t->unreadable, t->unreadable == 1 ? "is" : "are", t->first.text);
}

static int check_folders(const struct opts_words *folders, struct err *e)
{
    for (size_t i = 0; i < folders->count; i++)
        if (!input_is_folder(folders->word[i]))
            return err_set(e, "%.300s: there is no such folder",
                           catalog_below_root(folders->word[i]));
    return 0;
}

static int add_all(const char *path, const struct opts_words *folders, struct history_tally *tally,
                   struct err *e)
{
    struct history_db *db = history_db_open(path, e);
    int rc = db ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < folders->count; i++)
        rc = history_add_folder(db, folders->word[i], tally, e);
    history_db_close(db);
    return rc;
}

static int add_held(const char *path, const struct opts_words *folders, struct history_tally *tally,
                    struct err *e)
{
    if (check_folders(folders, e) != 0 || history_mend(path, e) < 0)
        return -1;
    int hold = history_file_hold(path, HISTORY_WRITE, e);
    int rc = hold < 0 ? -1 : add_all(path, folders, tally, e);
    history_file_let_go(hold);
    return rc;
}

/* With what other processes recorded while it was made. */
static int put_in_place(const char *path, const struct history_mark *before, const char *made,
                        struct err *e)
{
    int hold = history_file_hold(path, HISTORY_REPLACE, e);
    if (hold < 0)
        return -1;
    int rc = history_file_catch_up(path, before, made, e);
    rc = rc == 0 ? history_file_replace(path, made, e) : rc;
    history_file_let_go(hold);
    return rc;
}

/* Made beside, for each process by itself, and put in its place when it is whole. */
static int rebuild(const char *path, const struct opts_words *asked, struct history_tally *tally,
                   struct err *e)
{
    char made[PATH_MAX], all[PATH_MAX];
    const char *word[] = {catalog_results(NULL, "", all)};
    struct opts_words everything = {.word = word, .size = 1, .count = 1};
    if ((size_t)snprintf(made, sizeof made, "%s.new.%d", path, (int)getpid()) >= sizeof made)
        return err_set(e, "%.60s...: the path is too long", path);
    if (check_folders(asked->count ? asked : &everything, e) != 0)
        return -1;
    unlink(made);
    struct history_mark before = history_file_mark(path);
    int rc = add_all(made, asked->count ? asked : &everything, tally, e);
    rc = rc == 0 ? put_in_place(path, &before, made, e) : rc;
    if (rc != 0)
        unlink(made);
    return rc;
}

static int change(const struct opts_words *words, const char *path)
{
    struct err e = {{0}};
    struct history_tally tally = {.runs = 0};
    bool again = strcmp(words->word[0], "rebuild") == 0;
    struct opts_words folders = {.word = words->word + 1, .count = words->count - 1};
    int rc = -1;
    if (!again && folders.count == 0)
        err_set(&e, "add: which folders? Give those of runs, or folders that contain some");
    else
        rc = again ? rebuild(path, &folders, &tally, &e) : add_held(path, &folders, &tally, &e);
    if (rc == 0)
        tell(&tally, path);
    history_tally_free(&tally);
    return rc == 0 ? EXIT_PASS : command_refuse(&history_command, &e);
}

/* ---- showing ---- */

static void write_json(const void *histories, FILE *out)
{
    char *text = json_document(history_json(histories));
    CHECK(text);
    fputs(text, out);
    free(text);
}

static void write_markdown(const void *histories, FILE *out)
{
    history_markdown(histories, out);
}

static void write_html(const void *histories, FILE *out)
{
    history_html(histories, out);
}

static int publish(const struct histories *h, const struct options *o, struct err *e)
{
    struct outputs outputs = {{{"json", o->json, write_json, false},
                               {"markdown", o->markdown, write_markdown, false},
                               {"html", o->html, write_html, false}},
                              3};
    if (outputs_check(&outputs, e) != 0 || outputs_write(&outputs, h, e) != 0)
        return -1;
    FILE *out = outputs_text(&outputs);
    struct report_style style = terminal_style(out, (enum color_when)o->color);
    struct screen screen = screen_of(out, &style);
    if (o->check)
        history_text_steps(h, &screen);
    else if (out == stdout)
        history_text(h, &screen);
    return 0;
}

/* Where there is no file yet, nothing was recorded. */
static int read_all(struct histories *h, const char *path, const struct history_request *q,
                    struct err *e)
{
    *h = (struct histories){.runs = 0};
    if (access(path, F_OK) != 0)
        return 0;
    if (history_mend(path, e) < 0)
        return -1;
    struct history_db *db = history_db_read(path, e);
    int rc = db ? histories_read(h, db, q, e) : -1;
    history_db_close(db);
    struct err why = *e;
    return rc == 0 ? 0
                   : err_set(e, "%.400s; `soak history rebuild` makes it again from the runs",
                             why.text);
}

/* A check of nothing finds nothing: a date that leaves no run is wrong, or too early to ask for. */
static int check_since(const struct histories *h, const char *since, struct err *e)
{
    const char *newest = "";
    for (size_t i = 0; i < h->runs; i++)
        newest = strcmp(h->run[i].time, newest) > 0 ? h->run[i].time : newest;
    if (!since || h->runs == 0 || strcmp(newest, since) >= 0)
        return 0;
    return err_set(e, "--since %.40s: no run is as new; the newest is of %.40s", since, newest);
}

/* By the name in the history that was probably meant. */
static int refuse_scenario(const char *scenario, const char *path, struct err *e)
{
    const char *names[NAMES], *nearest;
    struct err why;
    struct histories all;
    struct history_request q = {NULL, NULL, 1};
    size_t count = 0;
    int rc = read_all(&all, path, &q, &why);
    for (size_t i = 0; rc == 0 && i < all.count && count < NAMES; i++)
        names[count++] = all.series[i].night->scenario;
    nearest = count ? grammar_nearest(scenario, names, count) : NULL;
    err_set(e, "%.60s: the history has no run of it%s%.60s%s", scenario,
            nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    if (rc == 0)
        histories_free(&all);
    return -1;
}

static int show(const struct options *o, const char *scenario, const char *path)
{
    struct err e = {{0}};
    struct histories h;
    struct history_request q = {scenario, o->since, (size_t)o->last};
    if (read_all(&h, path, &q, &e) != 0)
        return command_refuse(&history_command, &e);
    int rc = check_since(&h, o->since, &e);
    if (rc == 0 && scenario && h.count == 0)
        rc = refuse_scenario(scenario, path, &e);
    else if (rc == 0)
        rc = publish(&h, o, &e);
    int code = rc != 0                           ? command_refuse(&history_command, &e)
               : o->check && histories_steps(&h) ? EXIT_FOUND
                                                 : EXIT_PASS;
    histories_free(&h);
    return code;
}

/* A day or a time, written as the times of runs are: it is compared with them as text. */
static bool is_date(const char *text)
{
    static const char day[] = "2026-11-20";
    char whole[48], same[48];
    struct tm when = {0};
    bool is_day = strlen(text) == sizeof day - 1;
    snprintf(whole, sizeof whole, "%.30s%s", text, is_day ? "T00:00:00Z" : "");
    const char *end = strptime(whole, "%Y-%m-%dT%H:%M:%SZ", &when);
    if (!end || *end)
        return false;
    timegm(&when); /* makes a March of 31 February */
    strftime(same, sizeof same, "%Y-%m-%dT%H:%M:%SZ", &when);
    return strcmp(whole, same) == 0;
}

static int check(const struct options *o, const struct opts_words *words, struct err *e)
{
    bool changes = words->count &&
                   (strcmp(words->word[0], "add") == 0 || strcmp(words->word[0], "rebuild") == 0);
    if (!changes && words->count > 1)
        return err_set(e, "%.60s: one scenario at a time", words->word[1]);
    if (o->last < 1 || o->last > LAST_MOST)
        return err_set(e, "--last: from 1 to %d", LAST_MOST);
    if (o->since && !is_date(o->since))
        return err_set(e, "--since %.40s: not a date such as 2026-11-20", o->since);
    return 0;
}

int cmd_history(int argc, char *const *argv)
{
    struct err e = {{0}};
    char path[PATH_MAX];
    struct options o = defaults;
    const char *word[WORDS];
    struct opts_words words = {.word = word, .size = WORDS};
    int code = command_parse_words(&history_command, argc, argv, &o, &words);
    if (code >= 0)
        return code;
    int rc = check(&o, &words, &e);
    if (rc == 0 && !history_path(path))
        rc = err_set(&e, "SOAK_HISTORY is set and names no file: there is no history");
    if (rc == 0)
        rc = history_file_check(path, &e);
    if (rc != 0)
        return command_refuse(&history_command, &e);
    const char *first = words.count ? words.word[0] : NULL;
    if (first && (strcmp(first, "add") == 0 || strcmp(first, "rebuild") == 0))
        return change(&words, path);
    return show(&o, first, path);
}
