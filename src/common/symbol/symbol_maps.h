/* SPDX-License-Identifier: Apache-2.0 */
/* The program files in the text of /proc/PID/maps. Pure but for the heap. */
#ifndef SOAK_SYMBOL_SYMBOL_MAPS_H
#define SOAK_SYMBOL_SYMBOL_MAPS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mapped file with code in it: its mappings, which follow each other, as one stretch. */
struct maps_module {
    uint64_t low, high;  /* [low, high) */
    uint64_t first_high; /* of the first mapping alone */
    uint64_t inode;
    uint64_t offset; /* of the last mapping, while reading */
    bool code;       /* one of the mappings may be executed */
    bool whole;      /* begins with the file's first byte, so that `low` is where it was loaded */
    char *path;      /* owned; as the kernel says it, or a name such as [vdso] */
};

struct maps {
    struct maps_module *module; /* by rising address, none overlaps another */
    size_t count;
};

/* Returns 0, or -1 when there is no line with code in the text, or no memory. */
int maps_parse(const char *text, struct maps *ret, struct err *e);
void maps_free(struct maps *maps);

/* The number of the module around the address; -1 when there is none. */
int maps_find(const struct maps *maps, uint64_t address);

#endif
