/*
 * What the children run on, as far as their environment says it: which allocator (they are linked
 * with jemalloc, and for libc's the loader is told to look for malloc in libc first) and where
 * libraries are looked for. What a child then says of its allocator is checked, so that no run is
 * called by the wrong one's name.
 */
#ifndef SOAK_ENVIRONMENT_H
#define SOAK_ENVIRONMENT_H

#include "base/err.h"

/* The environment of a child (environment_free), or NULL when it is soak's own. `allocator` is an
 * enum scenario_malloc; `library_path` goes before LD_LIBRARY_PATH, "" adds nothing. */
char **environment_make(int allocator, const char *library_path);
void environment_free(char **environment);

/* `libs`: what the child said in `ready`. Returns 0, or -1 when it runs on another allocator. */
int environment_check(int allocator, const char *libs, struct err *e);

#endif
