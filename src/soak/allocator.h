/*
 * Which allocator the children run on: they are linked with jemalloc, and for `--malloc libc` the
 * loader is told to look for malloc in libc first. What a child then says of itself is checked, so
 * that no run is called by the wrong allocator's name.
 */
#ifndef SOAK_ALLOCATOR_H
#define SOAK_ALLOCATOR_H

#include "base/err.h"

/* The environment of a child (allocator_environment_free), or NULL when it is soak's own. `kind` is
 * an enum scenario_malloc. */
char **allocator_environment(int kind);
void allocator_environment_free(char **environment);

/* `libs`: what the child said in `ready`. Returns 0, or -1 when it runs on another allocator. */
int allocator_check(int kind, const char *libs, struct err *e);

#endif
