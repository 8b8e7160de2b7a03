/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suite as JUnit XML, which CI servers read: a testsuite per scenario, in it a testcase for the
 * verdict and one per metric. Not as expected is a failure, broken an error; what decides nothing
 * (inconclusive, interrupted, not run, an unsure metric) is skipped.
 */
#ifndef SOAK_SUITE_JUNIT_H
#define SOAK_SUITE_JUNIT_H

#include "suite.h"

#include <stdio.h>

void suite_junit(const struct suite *s, FILE *out);

#endif
