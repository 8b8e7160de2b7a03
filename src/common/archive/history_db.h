/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of all runs, in one SQLite file: results/history.db. It holds nothing that the runs'
 * folders don't have, so it may be thrown away and made again; a run never fails for it. Several
 * processes may write at a time: each waits for the other, at most HISTORY_DB_WAIT_MS. One owner
 * and thread per object. Every sentence names the file.
 */
#ifndef SOAK_HISTORY_DB_H
#define SOAK_HISTORY_DB_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY_DB_WAIT_MS = 2000 };

/* PRAGMA application_id, "soak": for file(1), and to leave other programs' files alone. */
enum { HISTORY_DB_MARK = 0x736f616b };

/* X(member): the texts of a run. `settings`: a word that is another where the run's options are;
 * `folder`: where the run lies, or lay. */
#define HISTORY_RUN_TEXTS(X)                                                                       \
    X(scenario) X(settings) X(library) X(machine) X(time) X(seed) X(folder) X(verdict) X(soak)
#define HISTORY_RUN_TEXT(member) const char *member;

struct history_figure {
    const char *name;
    double value;
};

struct history_run {
    int64_t id; /* within the file; of one that is added, of no matter */
    HISTORY_RUN_TEXTS(HISTORY_RUN_TEXT)
    int exit_code;
    uint64_t conns, closed;
    double seconds, one_in;
    size_t figures; /* of one that is added; those of one that is read: history_db_figures */
    const struct history_figure *figure;
};

struct history_db;

/* Opens the file for reading and writing, makes it where there is none, and brings an older one to
 * today's form. NULL with a sentence: it isn't a history, is damaged, locked, or of a later soak.
 */
struct history_db *history_db_open(const char *path, struct err *e);
/* What an existing file has at this moment, as a copy in memory that is in today's form, whatever
 * that of the file is. Nothing of the file or its folder is written, so both may be read-only. NULL
 * with a sentence. */
struct history_db *history_db_read(const char *path, struct err *e);
void history_db_close(struct history_db *db);

/* Adds a run, all of it or nothing; one that is there already (the same scenario, library,
 * settings, machine, time and seed) is replaced. Returns 0 or -1. */
int history_db_add(struct history_db *db, const struct history_run *run, struct err *e);

/* Runs in the order of scenario, library, machine, settings and time; of `scenario` alone, NULL: of
 * all. What `take` gets lives until it returns. Returns 0 or -1. */
typedef void history_take_run(void *ctx, const struct history_run *run);
int history_db_runs(struct history_db *db, const char *scenario, history_take_run *take, void *ctx,
                    struct err *e);
/* The figures of one run, by name. */
typedef void history_take_figure(void *ctx, const struct history_figure *figure);
int history_db_figures(struct history_db *db, int64_t run, history_take_figure *take, void *ctx,
                       struct err *e);

/* The id of the run that was added last, 0 of an empty one. Returns 0 or -1. */
int history_db_last(struct history_db *db, int64_t *ret, struct err *e);
/* Adds those runs of another file in today's form whose id is greater than `after`, all of them or
 * nothing. Returns 0 or -1. */
int history_db_take(struct history_db *db, const char *path, int64_t after, struct err *e);

/* Whether SQLite finds the file damaged, or to be no database; the sentence says what. That it
 * can't be read, or is locked, is another matter. */
bool history_db_is_damaged(const char *path, struct err *e);

#endif
