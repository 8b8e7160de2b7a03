/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leak as its maintainers want to read of it: the claim, the versions, the command that shows it,
 * the stack, and what speaks for it. Markdown; nothing of the result is taken for Markdown. Pure.
 */
#ifndef SOAK_ISSUE_H
#define SOAK_ISSUE_H

#include "report/result.h"
#include "shortest.h"

#include <stdio.h>

/* Of a LEAK; `shortest` NULL: nobody has looked for a shorter command than the run's. */
void issue_write(const struct result *r, const struct shortest *shortest, FILE *out);

#endif
