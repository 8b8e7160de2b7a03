/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files with a program's debug information, which the program's own file names: libdw finds and
 * opens them. A FIFO there would be waited for, and a device read, for ever. As libdw has no hook
 * for all of them, the executable's open() stands in front of the C library's, for its libraries
 * too, and lets everything through unless the thread is guarded. Internal to src/common/symbol.
 */
#ifndef SOAK_SYMBOL_DEBUG_FILES_H
#define SOAK_SYMBOL_DEBUG_FILES_H

#include <stdbool.h>

/* From then on this thread's open() finds nothing to read but regular files, of at most 4 GiB;
 * or anything again. */
void debug_files_guard(bool on);

#endif
