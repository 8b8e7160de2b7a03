/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text in a file that lies in memory only: for what must be read by path and may not lie on a
 * disk, such as keys.
 */
#ifndef SOAK_BASE_MEMORY_FILE_H
#define SOAK_BASE_MEMORY_FILE_H

#include "base/err.h"

#include <stddef.h>

/* Makes the file, closed on exec, and writes its descriptor: the caller closes it. It is read as
 * /proc/self/fd/N. `name` is what /proc shows. Returns 0 or -1. */
int memory_file_make(const char *name, const char *text, int *ret_fd, struct err *e);
/* Writes all of them to any file. Returns 0 or -errno; some of the bytes may then be in it. */
int write_all(int fd, const char *bytes, size_t count);

#endif
