/* SPDX-License-Identifier: Apache-2.0 */
/* What a shared library or program says of itself, by libelf. */
#ifndef SOAK_LIBS_ELF_FACTS_H
#define SOAK_LIBS_ELF_FACTS_H

#include "base/err.h"

#include <limits.h>
#include <stddef.h>

enum { ELF_TEXT = 64, ELF_NEEDED = 32 };

struct elf_facts {
    int class, machine;         /* ELFCLASS64, EM_X86_64, ... */
    char soname[ELF_TEXT];      /* "" = none */
    char interpreter[PATH_MAX]; /* of a program: its dynamic linker; "" = none */
    size_t needed_count;        /* at most ELF_NEEDED; more are left out */
    char needed[ELF_NEEDED][ELF_TEXT];
    char glibc[ELF_TEXT]; /* the newest version GLIBC_x it needs, as "2.38"; "" = none */
};

/* Returns 0, or -1 when the file can't be read or isn't an ELF file with a dynamic section. Nothing
 * in the file is trusted. */
int elf_facts_read(const char *path, struct elf_facts *ret, struct err *e);

#endif
