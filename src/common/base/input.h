/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door for files that somebody else wrote: scenarios, documents, headers, libraries. A pipe
 * or a device could be read for ever, and opening a FIFO waits for whoever writes to it, so only
 * regular files are opened, without waiting, and none that is larger than its kind ever is.
 */
#ifndef SOAK_BASE_INPUT_H
#define SOAK_BASE_INPUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>

enum { INPUT_TEXT_MIB = 64, INPUT_LIBRARY_MIB = 1024 };

/* A descriptor of a regular file of at most `limit_mib`; the caller closes it. -1 with a sentence
 * without the path. */
int input_descriptor(const char *path, int limit_mib, struct err *e);
/* The same as a stream of a text or document, at most INPUT_TEXT_MIB. NULL with a sentence. */
FILE *input_open(const char *path, struct err *e);
/* Whether there is a folder at `path`. */
bool input_is_folder(const char *path);
/* Whether another program may be given this file. Returns 0 or -1. */
int input_check(const char *path, int limit_mib, struct err *e);

#endif
