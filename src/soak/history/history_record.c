/* SPDX-License-Identifier: Apache-2.0 */
#include "history_record.h"

#include "archive/history_file.h"
#include "base/check.h"
#include "catalog.h"
#include "history_figures.h"
#include "options/grammar.h"
#include "report/document.h"
#include "report/json_util.h"
#include "scenario/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 6, WORD = 24, LIBRARY = 96 };

/* ---- its options ---- */

/* FNV-1a (Fowler, Noll, Vo), 64 bits: tells apart, and proves nothing. */
static const uint64_t nothing_mixed = 0xcbf29ce484222325u;

static uint64_t mixed(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* Whether the option changes what is measured. */
static bool matters(const char *name, size_t i)
{
    return scenario_is_of_run(i) && strcmp(name, "seed") != 0;
}

/* The options that aren't as they are by default: what a later soak adds changes no word. */
static char *settings_of(const json_t *manifest, char word[WORD])
{
    struct scenario defaults;
    const json_t *options = json_object_get(manifest, "options");
    size_t count;
    const struct opt *table = scenario_options(&count);
    uint64_t hash = nothing_mixed;
    scenario_defaults(&defaults);
    for (size_t i = 0; i < count; i++) {
        char usual[OPTS_TEXT];
        const char *value = json_string_value(json_object_get(options, table[i].name));
        if (!value || !matters(table[i].name, i) ||
            strcmp(value, opts_print(&table[i], &defaults, usual, sizeof usual)) == 0)
            continue;
        hash = mixed(mixed(mixed(hash, table[i].name), "="), value);
        hash = mixed(hash, "\n");
    }
    snprintf(word, WORD, "%016" PRIx64, hash);
    return word;
}

static void read_settings(const char *folder, char word[WORD])
{
    char path[PATH_MAX];
    struct err e;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *manifest = json_load(path, &e);
    settings_of(manifest, word);
    json_decref(manifest);
}

/* ---- the run ---- */

/* `openssl 3.0.19`: what the server ran on. */
static const char *library_of(const struct result *r, char *buf, size_t size)
{
    static const char part[] = "openssl";
    const char *version = NULL;
    for (size_t i = 0; i < r->mapped_count && !version; i++)
        if (r->mapped[i].part && strcmp(r->mapped[i].part, part) == 0)
            version = r->mapped[i].version;
    for (size_t i = 0; i < r->libs && !version; i++)
        if (strcmp(r->lib[i].name, part) == 0)
            version = r->lib[i].version;
    snprintf(buf, size, "%s%s%.60s", part, version ? " " : "", version ? version : "");
    return buf;
}

/* Whether it was, from another folder: a copy that follows links, such as GitHub's of an artifact,
 * has made a folder of `last`. Its own name comes first. */
static bool was_added(struct history_tally *t, const struct history_run *run)
{
    const char *const known_by[] = {run->scenario, run->library, run->settings,
                                    run->machine,  run->time,    run->seed};
    uint64_t hash = nothing_mixed;
    for (size_t i = 0; i < sizeof known_by / sizeof *known_by; i++)
        hash = mixed(mixed(hash, known_by[i] ? known_by[i] : ""), "\n");
    for (size_t i = 0; i < t->runs; i++)
        if (t->added[i] == hash)
            return true;
    t->added = realloc(t->added, (t->runs + 1) * sizeof *t->added);
    CHECK(t->added);
    t->added[t->runs++] = hash;
    return false;
}

void history_tally_free(struct history_tally *tally)
{
    free(tally->added);
    tally->added = NULL;
}

/* `tally` NULL: nothing was added before. */
static int add_document(struct history_db *db, const char *folder, const struct document *d,
                        struct history_tally *tally, struct err *e)
{
    struct history_figures figures;
    char settings[WORD], seed[WORD], library[LIBRARY];
    const struct result *r = &d->result;
    history_figures_read(&figures, r);
    read_settings(folder, settings);
    struct history_run run = {.scenario = r->scenario,
                              .settings = settings,
                              .library = library_of(r, library, sizeof library),
                              .machine = r->host,
                              .time = r->time,
                              .seed = grammar_hex_print(seed, sizeof seed, r->run.seed),
                              .folder = folder,
                              .verdict = verdict_name(r->verdict),
                              .soak = r->version,
                              .exit_code = r->exit_code,
                              .conns = r->run.conns,
                              .closed = r->run.closed,
                              .seconds = r->run.seconds,
                              .one_in =
                                  r->subjects ? r->subject[0].judgement.sensitivity.one_in : 0,
                              .figures = figures.count,
                              .figure = figures.figure};
    return tally && was_added(tally, &run) ? 0 : history_db_add(db, &run, e);
}

/* Returns 0 also when it is no run that a history has, or -1; `ret_unreadable` says whether the
 * folder, and not the history, is to blame. */
static int add_run(struct history_db *db, const char *folder, struct history_tally *tally,
                   bool *ret_unreadable, struct err *e)
{
    char path[PATH_MAX];
    *ret_unreadable = false;
    if ((size_t)snprintf(path, sizeof path, "%s/result.json", folder) >= sizeof path ||
        access(path, F_OK) != 0)
        return 0;
    struct document *d = document_load(path, e);
    *ret_unreadable = !d;
    int rc = !d ? -1 : d->torture ? 0 : add_document(db, folder, d, tally, e);
    document_free(d);
    return rc;
}

/* ---- folders ---- */

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A link such as `last` leads to a run that is there by its own name too. */
static bool is_real_folder(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static int add_below(struct history_db *db, const char *folder, int depth,
                     struct history_tally *tally, struct err *e)
{
    struct dirent **entry = NULL;
    bool unreadable;
    int rc = add_run(db, folder, tally, &unreadable, e);
    if (unreadable && tally->unreadable++ == 0)
        tally->first = *e;
    rc = rc < 0 && !unreadable ? -1 : 0;
    int count = rc == 0 && depth < DEPTH ? scandir(folder, &entry, visible, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        char below[PATH_MAX];
        int n = snprintf(below, sizeof below, "%s/%s", folder, entry[i]->d_name);
        if (rc == 0 && n > 0 && (size_t)n < sizeof below && is_real_folder(below))
            rc = add_below(db, below, depth + 1, tally, e);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

int history_add_folder(struct history_db *db, const char *folder, struct history_tally *tally,
                       struct err *e)
{
    char real[PATH_MAX];
    if (!realpath(folder, real))
        return err_set(e, "%.300s: %s", folder, strerror(errno));
    return add_below(db, real, 0, tally, e);
}

/* ---- a broken history ---- */

/* Returns 1 when it was moved, 0 when it is whole, as when another process was faster, or -1. */
static int set_aside(const char *path, char aside[PATH_MAX], struct err *ret_why, struct err *e)
{
    int hold = history_file_hold(path, HISTORY_REPLACE, e);
    if (hold < 0)
        return -1;
    int rc = !history_file_is_broken(path, ret_why)        ? 0
             : history_file_set_aside(path, aside, e) == 0 ? 1
                                                           : -1;
    history_file_let_go(hold);
    return rc;
}

static int fill(const char *path, struct history_tally *tally, struct err *e)
{
    char all[PATH_MAX];
    int hold = history_file_hold(path, HISTORY_WRITE, e);
    struct history_db *db = hold >= 0 ? history_db_open(path, e) : NULL;
    int rc = db ? 0 : -1;
    if (db && access(catalog_results(NULL, "", all), F_OK) == 0)
        rc = history_add_folder(db, all, tally, e);
    history_db_close(db);
    history_file_let_go(hold);
    return rc;
}

int history_mend(const char *path, struct err *e)
{
    struct err why = {{0}};
    char aside[PATH_MAX];
    struct history_tally tally = {.runs = 0};
    int rc = history_file_is_broken(path, &why) ? set_aside(path, aside, &why, e) : 0;
    if (rc < 0)
        return err_prefix(e, "%.200s", why.text);
    if (rc == 0)
        return 0;
    rc = fill(path, &tally, e);
    if (rc == 0)
        fprintf(stderr,
                "soak: the history was broken (%s): it is kept as %s, and a new one is made from "
                "the folders of the runs: %zu run%s\n",
                why.text, catalog_below_root(aside), tally.runs, tally.runs == 1 ? "" : "s");
    history_tally_free(&tally);
    return rc == 0 ? 1 : -1;
}

/* ---- the end of a run ---- */

static const char variable[] = "SOAK_HISTORY";

const char *history_path(char path[PATH_MAX])
{
    const char *set = getenv(variable);
    if (!set)
        return catalog_results(NULL, "history.db", path);
    return *set && (size_t)snprintf(path, PATH_MAX, "%s", set) < PATH_MAX ? path : NULL;
}

/* Whether the run lies below the folder of the history. */
static bool is_its(const char *path, const char *folder)
{
    char above[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (getenv(variable))
        return true;
    snprintf(above, sizeof above, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    size_t length = realpath(above, real) ? strlen(real) : 0;
    return length > 0 && strncmp(folder, real, length) == 0 && folder[length] == '/';
}

static int record(const char *path, const char *folder, struct err *e)
{
    bool unreadable = false;
    int hold = history_file_hold(path, HISTORY_WRITE, e);
    struct history_db *db = hold >= 0 ? history_db_open(path, e) : NULL;
    int rc = db ? add_run(db, folder, NULL, &unreadable, e) : -1;
    history_db_close(db);
    history_file_let_go(hold);
    return rc;
}

void history_record(const char *folder)
{
    struct err e = {{0}};
    char path[PATH_MAX];
    if (!history_path(path) || !is_its(path, folder))
        return;
    int rc = record(path, folder, &e);
    if (rc < 0 && history_mend(path, &e) >= 0)
        rc = record(path, folder, &e);
    if (rc < 0)
        fprintf(stderr,
                "soak: this run is missing in the history (%s); `soak history rebuild` makes it "
                "again from the folders of all runs\n",
                e.text);
}
