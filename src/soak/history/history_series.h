/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs of the history as series: per scenario, library, machine and options the nights, each
 * figure with its steps. One owner; the texts live as long as it does.
 */
#ifndef SOAK_HISTORY_SERIES_H
#define SOAK_HISTORY_SERIES_H

#include "archive/history_db.h"
#include "base/err.h"
#include "history_figures.h"
#include "stats/step.h"

#include <stdbool.h>
#include <stddef.h>

struct history_line {
    char name[HISTORY_NAME];
    struct history_figure_info info;
    double *value; /* owned; [nights]; NAN where a night has none */
    size_t steps;
    struct step step[STEPS_MAX]; /* `at` is a night of the series */
};

struct history_series {
    size_t nights;
    struct history_run *night; /* the oldest first; borrowed from the histories */
    size_t lines;
    struct history_line *line; /* owned; by their rank */
    size_t runs;               /* `nights`, and those before them that aren't asked for */
    size_t other;              /* of this scenario, library and machine, in no history */
    bool beside;               /* another one is of this scenario, library and machine, too */
};

struct histories {
    size_t runs, room;
    struct history_run *run; /* owned, with its texts */
    size_t count;
    struct history_series *series; /* owned */
};

struct history_request {
    const char *scenario; /* NULL: all */
    const char *since;    /* no night before this time counts; NULL: all */
    size_t last;          /* so many nights of each */
};

/* Reads and judges. Returns 0 (histories_free is due), or -1 with nothing kept. */
int histories_read(struct histories *h, struct history_db *db, const struct history_request *q,
                   struct err *e);
void histories_free(struct histories *h);
/* How many steps all of them have. */
size_t histories_steps(const struct histories *h);
/* As `histories_steps`, of one. */
size_t history_series_steps(const struct history_series *s);

#endif
