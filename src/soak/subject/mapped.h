/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The libraries that a process has in fact mapped, whatever was asked for: from /proc/PID/maps.
 */
#ifndef SOAK_MAPPED_H
#define SOAK_MAPPED_H

#include "library/assembly.h"

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

struct mapped {
    const char *part;          /* "openssl", ... */
    char file[PATH_MAX];       /* what the kernel says */
    char version[LIB_VERSION]; /* "" = not known */
    char origin[LIB_ORIGIN];   /* "" = this machine's own */
};

enum { MAPPED_MAX = 5 }; /* libssl and libcrypto, libuv, jemalloc, libc */

/* Reads what the process has mapped; `assembly` NULL: none was asked for. Returns how many were
 * written; 0 when the process is gone. */
size_t mapped_read(const struct assembly *assembly, pid_t pid, struct mapped ret[MAPPED_MAX]);

/* Returns 0, or -1 when the process has mapped another library than the assembly's. */
int mapped_check(const struct assembly *assembly, pid_t pid, struct err *e);

#endif
