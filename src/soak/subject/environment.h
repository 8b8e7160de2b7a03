/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of the children: a known one, whatever the caller's is. It says which allocator
 * they run on (they are linked with jemalloc, and for libc's the loader is told to look for malloc
 * in libc first) and where libraries are looked for; of the caller's it holds what `--env` passes
 * on. What a child then says of its allocator is checked, so that no run is called by the wrong
 * one's name.
 */
#ifndef SOAK_ENVIRONMENT_H
#define SOAK_ENVIRONMENT_H

#include "base/err.h"
#include "options/opts.h"

#include <stdbool.h>

/* Adds the folders in which Debian has its servers to this process's own PATH, behind the others,
 * where it lacks them, as that of an ordinary user does. */
void environment_find_servers(void);

struct environment_request {
    int allocator;                  /* enum malloc_kind */
    const char *library_path;       /* goes before LD_LIBRARY_PATH; "" adds nothing */
    const struct opts_list *passed; /* NAME=VALUE each */
    /* Of a program that isn't soak's: what is preloaded behind the user's, and where the probe
     * finds its page. NULL for soak's own. */
    const char *preload, *page;
};

/* environment_free frees it. */
char **environment_make(const struct environment_request *q);
void environment_free(char **environment);

/* Calls `each` with every NAME=VALUE of the caller's that would change what the children are, and
 * that they don't get. */
void environment_set_aside(const struct opts_list *passed,
                           void (*each)(void *ctx, const char *variable), void *ctx);
/* One sentence of their names. Returns false, writing nothing, when there is none. */
bool environment_text(const struct opts_list *passed, char *buf, size_t size);

/* `libs`: what the child said in `ready`. Returns 0, or -1 when it runs on another allocator. */
int environment_check(int allocator, const char *libs, struct err *e);

#endif
