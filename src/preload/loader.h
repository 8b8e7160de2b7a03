/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dynamic linker's list of what is loaded. Reading it takes a lock of the linker's, under which
 * nothing of the program is called. A forked child inherits that lock as it is: one that another
 * thread has stays locked there for ever. So fork() waits for the threads that read, and they wait
 * for fork(). Not so with clone(2), of which nobody tells.
 */
#ifndef SOAK_PRELOAD_LOADER_H
#define SOAK_PRELOAD_LOADER_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on forks and readers wait for each other. Returns false if they can't. */
bool loader_start(void);

/* The C library's dl_iterate_phdr(): a program's own may ask dlsym() for the real one, and dlsym()
 * leads here. `on` may call it, too. */
int loader_iterate(int (*on)(struct dl_phdr_info *object, size_t size, void *to), void *to);

/* Whether the object that an address lies in is loaded: it is listed as soon as it is mapped, and
 * relocated later. Always true before glibc 2.35, which can't be asked. */
bool loader_is_done(const void *address);

/* For a thread that waits for another one, which may itself wait for a lock of the linker's, and so
 * for the constructors of a third: lets others run. Returns false when that has taken too long.
 * `*since` is 0 at first. */
bool loader_patience(uint64_t *since);

#endif
