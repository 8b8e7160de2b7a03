/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of other versions, for the one that is put to the test: fetched with all that they
 * depend on and unpacked into the private cache, programs/NAME/root. Nothing is installed, no
 * script of a package runs, and nothing of the system is changed.
 *
 * A program is asked for as
 *   debian:SUITE/PACKAGE[=VERSION][,PACKAGE[=VERSION]...]   packages with their dependencies
 *   npm:NAME@VERSION                                        one package of npm
 * The programs below the root are made to look for their libraries there (patchelf), with the
 * dynamic linker and libc of their suite where this machine's are older.
 */
#ifndef SOAK_PROGRAM_H
#define SOAK_PROGRAM_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

/* Whether one begins here: what tells a comma between two from one within. */
bool program_begins(const char *text);

/* Whether it is written so, without looking anywhere. Returns 0 or -1. */
int program_check(const char *asked, struct err *e);

/* Finds it in the cache, or fetches it there (`mirror` of Debian: NULL for the machine's); says on
 * stderr what takes long. Writes the absolute path of its root. Returns 0; UV_ENOENT (with a
 * sentence) when no mirror has it, or no longer; else below 0 (UV_EINTR: interrupted). */
int program_make(const char *asked, const char *mirror, char ret_root[PATH_MAX], struct err *e);

#endif
