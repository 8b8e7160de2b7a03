/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished run as a suite of one scenario: for the forms that only suites have. What is expected
 * of it is in the run's manifest.
 */
#ifndef SOAK_SUITE_OF_H
#define SOAK_SUITE_OF_H

#include "finished.h"
#include "suite/suite.h"

/* Fills `ret`; suite_free is due. */
void suite_of(struct suite *ret, const struct finished *f);

#endif
