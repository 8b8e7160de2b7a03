/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of /proc/PID/maps, taken while the process lives, so that its addresses can be given names
 * after it has gone.
 */
#ifndef SOAK_MEASURE_MAPS_H
#define SOAK_MEASURE_MAPS_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* Reads at most `limit` bytes; what is longer is cut after its last whole line. Returns 0 and the
 * text, which the caller frees, or -1. */
int maps_read(pid_t pid, size_t limit, char **ret_text, struct err *e);

#endif
