/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic linker's list of what is loaded. Reading it takes a lock of the linker's, under
 * which nothing of the program is called.
 */
#ifndef SOAK_PRELOAD_LOADER_H
#define SOAK_PRELOAD_LOADER_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

/* The C library's dl_iterate_phdr(): a program's own may ask dlsym() for the real one, and dlsym()
 * leads here. `on` may call it, too. */
int loader_iterate(int (*on)(struct dl_phdr_info *object, size_t size, void *to), void *to);

/* Whether the object that an address lies in is loaded: it is listed as soon as it is mapped, and
 * relocated later. Always true before glibc 2.35, which can't be asked. */
bool loader_is_done(const void *address);

#endif
