/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of a finished suite, from its folder: those that `soak suite` writes, and its page.
 */
#ifndef SOAK_SUITE_FORMS_H
#define SOAK_SUITE_FORMS_H

#include "archive/outputs.h"
#include "forms.h"
#include "suite/suite.h"

struct finished_suite {
    struct suite suite;
    char folder[PATH_MAX]; /* of suite.json: the runs' folders lie in it */
};

/* Whether `path` is a suite.json, or a folder that has one and no result.json. */
bool suite_forms_is_suite(const char *path);
/* Reads it. Returns 0 or -1; finished_suite_close is due either way. */
int finished_suite_open(struct finished_suite *f, const char *path, struct err *e);
void finished_suite_close(struct finished_suite *f);

/* Those that are asked for; -1 with a sentence for one that suites don't have. */
int suite_forms_outputs(const struct form_paths *paths, struct outputs *ret, struct err *e);
/* The suite's text, as `soak suite` printed it. */
void suite_forms_text(const struct finished_suite *f, bool quiet, FILE *out);

#endif
