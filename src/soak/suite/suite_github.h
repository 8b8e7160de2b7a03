/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite on GitHub Actions: an annotation per failed scenario, and a table in the job's summary.
 * Does nothing where the environment has no GITHUB_ACTIONS and no GITHUB_STEP_SUMMARY.
 */
#ifndef SOAK_SUITE_GITHUB_H
#define SOAK_SUITE_GITHUB_H

#include "suite.h"

#include <stdio.h>

/* `::error file=...,title=...::sentence` for each scenario that failed. */
void suite_github_errors(const struct suite *s, FILE *out);
/* The table, at the end of the file GITHUB_STEP_SUMMARY. Says on stderr when that can't be. */
void suite_github_summary(const struct suite *s);

#endif
