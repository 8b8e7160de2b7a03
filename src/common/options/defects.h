/* SPDX-License-Identifier: Apache-2.0 */
/* The bugs that the server can have, by name: defects.def. Pure. */
#ifndef SOAK_OPTIONS_DEFECTS_H
#define SOAK_OPTIONS_DEFECTS_H

#include "base/err.h"

#include <stdint.h>

enum defect_kind {
    DEFECT_NONE,
#define X(name, identifier, description) DEFECT_##identifier,
#include "options/defects.def"
#undef X
    DEFECT_KINDS
};

/* Reads NAME or NAME:1/N. Returns 0 or -1. */
int defect_parse(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e);

#endif
