/* SPDX-License-Identifier: Apache-2.0 */
/* The bugs by name: options/defects.def. Private to the server's defects. */
#ifndef SOAK_SERVER_DEFECT_KIND_H
#define SOAK_SERVER_DEFECT_KIND_H

#include "base/err.h"

#include <stdint.h>

enum defect_kind {
    DEFECT_NONE,
#define X(name, identifier, description) DEFECT_##identifier,
#include "options/defects.def"
};

/* Reads NAME or NAME:1/N. Returns 0 or -1. */
int defect_spec(const char *text, enum defect_kind *ret_kind, uint64_t *ret_one_in, struct err *e);

#endif
