/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command lines of the two children and of soak-footprint, from a scenario. Strings are owned
 * by the struct.
 */
#ifndef SOAK_ARGS_H
#define SOAK_ARGS_H

#include "scenario/scenario.h"
#include "share.h"

#include <stdint.h>

enum { ARGS_MAX = 64, ARGS_BYTES = 2 * OPTS_TEXT };

struct args {
    char *argv[ARGS_MAX + 1]; /* NULL-ended; point into bytes */
    int count;
    char bytes[ARGS_BYTES];
    size_t used;
};

/* One of the processes of a server or a client. */
struct args_process {
    uint64_t seed; /* of the run */
    struct share at;
    const char
        *address; /* of the server: where it is, or to be joined; NULL: as the scenario has it */
};

/* All abort when the scenario's strings don't fit (scenario_check bounds them). */
void args_server(struct args *a, const struct scenario *s, const struct args_process *of);
/* The server as the load of a client program: what it replies is --say, else a page over HTTP. */
void args_paced(struct args *a, const struct scenario *s, const char *program, uint64_t seed);
/* The same for `--check`, which is no child: it has no control socket and no page. */
void args_server_check(struct args *a, const struct scenario *s, const char *program);
void args_client_check(struct args *a, const struct scenario *s, const char *program);
/* Its part of the load, from addresses of its own. */
void args_client(struct args *a, const struct scenario *s, const struct args_process *of);

/* What soak-footprint can have of the scenario; `any` version is 1.3 and `both` keys are P-256. */
void args_footprint(struct args *a, const struct scenario *s, const char *program);
/* Whether each of its connections resumes: when all of the scenario's do. */
bool args_footprint_resumes(const struct scenario *s);

#endif
