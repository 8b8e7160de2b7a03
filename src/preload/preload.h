/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe.so: the probe in a program that soak doesn't build. It is loaded by LD_PRELOAD, maps
 * the page that SOAK_PROBE names, waits for a libcrypto to appear and hooks its allocations. What
 * it counts goes to the page; it starts no thread, installs no signal handler, prints nothing.
 *
 * Without SOAK_PROBE, or when the page can't be reached or isn't one, it does nothing at all, and
 * the orchestrator, which then finds no row of this process, says so.
 *
 * The functions that it puts before those of libraries are few (trigger.c and the fallbacks); each
 * ends in a jump to the one that the program would have called.
 */
#ifndef SOAK_PRELOAD_PRELOAD_H
#define SOAK_PRELOAD_PRELOAD_H

#include "page/page.h"

#include <stdbool.h>

/* A function that takes a library's place. */
#define INTERPOSE __attribute__((visibility("default")))

/* The page; NULL: there is none, do nothing. Set once, by preload_start. */
extern struct page *preload_page;

/* Maps the page and registers the process. The constructor calls it; a function that a library's
 * own constructor calls before ours has run does too. Once; later calls return at once. */
void preload_start(void);

/* Looks for a libcrypto if objects have been loaded or unloaded since the last look, and asks it
 * for its objects once that can be done (hooks.h). Cheap otherwise. Any thread; one that comes
 * while another looks waits for it, because it may be about to allocate. */
void preload_look(void);

/* Whether there is one libcrypto, as far as was looked, and no other. */
bool preload_sees_one(void);

#endif
