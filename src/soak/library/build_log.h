/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a compiler and a linker said: which names a library lacks. */
#ifndef SOAK_BUILD_LOG_H
#define SOAK_BUILD_LOG_H

#include "base/err.h"

/* Replaces the sentence by `NAME: it lacks A, B and 3 more that the server needs; ...` when the log
 * names what is missing; else leaves it. */
void build_log_explain(const char *log, const char *name, struct err *e);

#endif
