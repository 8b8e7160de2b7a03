/*
 * The command lines of the two children, from a scenario. Strings are owned by the struct.
 */
#ifndef SOAK_ARGS_H
#define SOAK_ARGS_H

#include "scenario/scenario.h"

#include <stdint.h>

enum { ARGS_MAX = 64, ARGS_BYTES = 2 * OPTS_TEXT };

struct args {
    char *argv[ARGS_MAX + 1]; /* NULL-ended; point into bytes */
    int count;
    char bytes[ARGS_BYTES];
    size_t used;
};

/* Both abort when the scenario's strings don't fit (scenario_check bounds them). */
void args_server(struct args *a, const struct scenario *s, const char *program, uint64_t seed);
void args_client(struct args *a, const struct scenario *s, const char *program, uint64_t seed,
                 const char *address, uint64_t port);

#endif
