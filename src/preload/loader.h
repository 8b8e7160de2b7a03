/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic linker's list of what is loaded. Reading it takes a lock of the linker's, under
 * which nothing of the program is called.
 */
#ifndef SOAK_PRELOAD_LOADER_H
#define SOAK_PRELOAD_LOADER_H

#include <link.h>
#include <stddef.h>

/* The C library's dl_iterate_phdr(): a program's own may ask dlsym() for the real one, and dlsym()
 * leads here. `on` may call it, too. */
int loader_iterate(int (*on)(struct dl_phdr_info *object, size_t size, void *to), void *to);

#endif
