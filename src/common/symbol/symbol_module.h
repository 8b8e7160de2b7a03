/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program file, opened for look-ups. Addresses are those of the process it was mapped in.
 * Internal to src/common/symbol.
 */
#ifndef SOAK_SYMBOL_SYMBOL_MODULE_H
#define SOAK_SYMBOL_SYMBOL_MODULE_H

#include "base/intern.h"
#include "symbol/image.h"
#include "symbol/symbol.h"
#include "symbol/symbol_package.h"

#include <elfutils/libdwfl.h>

/* A function's symbol, of .symtab or .dynsym. */
struct extent {
    uint64_t start, end; /* [start, end); end == start: a label without a size */
    uint64_t reach;      /* the highest end up to here, so that a search back knows when to stop */
    const char *name;    /* borrowed of libdwfl */
};

enum { MODULE_ROOTS = 8 };

struct module {
    struct intern *texts;    /* borrowed */
    struct servers *servers; /* borrowed */
    const char *name;        /* borrowed of texts */
    Dwfl *dwfl;              /* owned; NULL: the file couldn't be opened, or isn't the one mapped */
    Dwfl_Module *file;
    uint64_t bias;         /* address in the process - address in the file */
    struct extent *extent; /* owned, by rising start */
    size_t extents;
    bool package_known;
    const char *package; /* borrowed of texts: as symbol.package */
    /* The folders of the sources, each with its last slash; borrowed of texts; NULL: none. */
    const char *root[MODULE_ROOTS];
};

/* Opens the file if it is the one that was mapped. Without it only `name` and `bias` are set. */
void module_open(struct module *m, const struct image *image, const struct maps_module *mapped,
                 struct intern *texts, struct servers *servers);
void module_close(struct module *m);

/* Sets `function` from the symbol tables; leaves `ret` when no symbol's extent holds the address.
 */
void module_find_symbol(const struct module *m, uint64_t address, struct symbol *ret);

/* As symbol.package, for the file that was mapped from `path`. Looked up once. */
const char *module_package(struct module *m, const char *path);

/* Writes `build ID 4f1c...`; false when the file has none. */
bool module_build_id(const struct module *m, char *ret, size_t size);

/* symbol_dwarf.c: as symbols_inlined; each frame is copied from `base` first. Returns 0 without
 * debug information for the address. */
size_t module_find_lines(struct module *m, uint64_t address, const struct symbol *base,
                         struct symbol *ret, size_t max);

/* symbol_path.c: finds the folders of the sources from the debug information. */
void module_find_roots(struct module *m);
/* The path of a source file relative to the root it lies in, kept in m->texts; NULL when out of
 * memory. */
const char *module_clean_path(const struct module *m, const char *folder, const char *path);

#endif
