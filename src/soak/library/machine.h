/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has of libraries by itself: its libc, and what its dynamic linker finds. */
#ifndef SOAK_MACHINE_H
#define SOAK_MACHINE_H

#include <stdbool.h>

/* "2.36": static. */
const char *machine_glibc(void);
/* Whether programs that need this version of GLIBC run here; "" is none. */
bool machine_glibc_suffices(const char *needed);
/* Whether a library of this SONAME lies in one of the dynamic linker's own folders. */
bool machine_has(const char *soname);

#endif
