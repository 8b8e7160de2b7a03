/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a run's folder is shown to people: as short as it can be typed.
 */
#ifndef SOAK_SHOWN_H
#define SOAK_SHOWN_H

#include <stddef.h>

/* What is below the working folder as seen from there: it fits into a line. Any other as it is. The
 * answer is a part of `path`. */
const char *shown_dir(const char *path);
/* The link `last` beside a folder that is shown so, while it leads to that folder; else NULL.
 * Returns buf or NULL. */
char *shown_last(const char *shown, char *buf, size_t size);

#endif
