/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What soak-server and soak-client give up once they have opened what they need, so that a bug in
 * them or in a library under test can do no more with the user's account: by seccomp the calls that
 * no server needs, by Landlock all files but those named, and all ports but one. What it stops, and
 * what not: docs/reference/security.md.
 *
 * Entered once, by the only thread there is; threads started later are inside. Nothing leads out.
 * A kernel without one of the two does without it: sandbox_can says so.
 */
#ifndef SOAK_SANDBOX_SANDBOX_H
#define SOAK_SANDBOX_SANDBOX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_options {
    const char *name; /* "soak-server", which begins the sentence of a refusal; outlives all */
    bool connects;    /* may open TCP sockets and connect them to `port`; else there are no more */
    uint16_t port;
    const char *const *readable; /* files that are read again; NULLs among them are left out */
    size_t readables;
};

/* Before the first event loop: libuv makes an io_uring for each where it can, since 1.45, and hands
 * over through it what it watches, which the sandbox refuses. From here on the kernel seems to have
 * none, and libuv calls epoll_ctl instead. Returns as sandbox_enter does. */
int sandbox_hide_io_uring(struct err *e);

/* Returns 0, or -1 with a sentence when the kernel has the means and refuses. Where it lacks them,
 * and where sandbox_out_of_place is true, there is less of a sandbox, or none, and 0. */
int sandbox_enter(const struct sandbox_options *o, struct err *e);

/* Why there is none, or NULL: sanitizers write files as they like, valgrind executes the program's
 * calls itself. */
const char *sandbox_out_of_place(void);

struct sandbox_means {
    bool seccomp;
    int landlock; /* version of its interface; 0: none */
};
struct sandbox_means sandbox_can(void);

#endif
