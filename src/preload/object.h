/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded program or library, read from its own tables as the loader does: which functions it
 * exports and which libraries it was linked with.
 */
#ifndef SOAK_PRELOAD_OBJECT_H
#define SOAK_PRELOAD_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
    uintptr_t base;
    const ElfW(Dyn) * dynamic;
    const ElfW(Sym) * symbol;
    const char *text, *soname; /* `soname` NULL: it has none */
    const uint32_t *gnu_hash, *hash;
};

/* Returns false for one without symbols, and for those that are never looked at: this library and
 * the kernel's. */
bool object_read(const struct dl_phdr_info *from, struct object *ret);

/* Of the list for debuggers, which has this library and the kernel's, too. */
bool object_read_map(const struct link_map *from, struct object *ret);

/* The function of that name that it exports, or NULL. */
void *object_function(const struct object *o, const char *name);

/* Whether it was linked with the library of that soname. */
bool object_needs(const struct object *o, const char *soname);

/* Not by strcmp(): the program's own, such as a sanitizer's, may ask dlsym() for the real one. */
bool object_names_match(const char *a, const char *b);

bool object_contains(const struct dl_phdr_info *from, uintptr_t address);
bool object_is_own(const struct dl_phdr_info *from);

#endif
