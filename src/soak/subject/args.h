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

/* What tells a child where its ends are, as child_start gives them. */
extern const char args_control[], args_page[];

/* One of the processes of a server or a client. */
struct args_process {
    uint64_t seed; /* of the run */
    struct share at;
    const char
        *address;   /* of the server: where it is, or to be joined; NULL: as the scenario has it */
    bool elsewhere; /* on another machine, which has processors of its own */
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

/* Whether it is an option that args_client gives: one that another machine may say. What its value
 * is, the client checks. Those that name a file of this machine, or a descriptor, aren't, nor is
 * the one that leaves out the sandbox. */
bool args_client_takes(const char *option);

/* What soak-footprint can have of the scenario; `any` version is 1.3 and `both` keys are P-256. */
void args_footprint(struct args *a, const struct scenario *s, const char *program);
/* Whether each of its connections resumes: when all of the scenario's do. */
bool args_footprint_resumes(const struct scenario *s);

#endif
