/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text in a file that lies in memory only: for what must be read by path and may not lie on a
 * disk, such as keys.
 */
#ifndef SOAK_BASE_MEMORY_FILE_H
#define SOAK_BASE_MEMORY_FILE_H

#include "base/err.h"

/* Makes the file, closed on exec, and writes its descriptor: the caller closes it. It is read as
 * /proc/self/fd/N. `name` is what /proc shows. Returns 0 or -1. */
int memory_file_make(const char *name, const char *text, int *ret_fd, struct err *e);

#endif
