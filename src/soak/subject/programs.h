/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two programs of a run: where they lie, and what they run on. The client is always the build's
 * own, on the build's libraries; the server can be one that was built for others (assembly.h).
 */
#ifndef SOAK_PROGRAMS_H
#define SOAK_PROGRAMS_H

#include "archive/run_dir.h"
#include "child.h"
#include "library/assembly.h"
#include "scenario/placeholders.h"
#include "scenario/scenario.h"

#include <limits.h>

/* A library that a process has in fact mapped, whatever was asked for: from /proc/PID/maps. */
struct mapped {
    const char *part;          /* "openssl", ... */
    char file[PATH_MAX];       /* what the kernel says */
    char version[LIB_VERSION]; /* "" = not known */
    char origin[LIB_ORIGIN];   /* "" = this machine's own */
};

enum { MAPPED_MAX = 5 }; /* libssl and libcrypto, libuv, jemalloc, libc */

struct programs {
    const struct scenario *scenario; /* borrowed */
    char folder[PATH_MAX];           /* the build's own */
    const char *here;                /* the scenario's folder, absolute: borrowed */
    char program[PATH_MAX];          /* where --program was fetched to; "" = none */
    bool assembled;                  /* `assembly` is filled: the server's */
    struct assembly assembly;
};

/* Finds both; fetches and builds what the scenario asks for and isn't there. Returns 0, or below 0
 * (-EINTR: interrupted). */
int programs_find(const struct scenario *s, struct programs *ret, struct err *e);

/* Reads what the process has mapped. Of a program that isn't soak's the library itself says which
 * OpenSSL it is. Returns how many were written; 0 when the process is gone. */
size_t mapped_read(const struct programs *p, pid_t pid, struct mapped ret[MAPPED_MAX]);

/* The folder of the programs that are built for the server's libraries. Borrowed. */
const char *programs_server_folder(const struct programs *p);
/* The environment of the server, or of the client; environment_free frees it. */
char **programs_environment(const struct programs *p, bool server);

/* The path of the library that is preloaded, in the folder of the programs. */
void programs_probe(const char *folder, bool malloc_hooks, char *buf, size_t size);
/* Whether it is there and can be preloaded. Returns 0 or -1. */
int programs_probe_check(const char *path, struct err *e);
/* Refuses a run of a program that isn't soak's for which the probe isn't there. Returns 0 or -1. */
int programs_check_probe(const struct programs *p, struct err *e);
/* That of a program which isn't soak's, with the placeholders in the user's own filled in. `page`
 * tells the probe where its page is. NULL with a sentence. */
char **programs_foreign_environment(const struct programs *p, const struct placeholders *values,
                                    const char *page, struct err *e);

struct programs_launch {
    bool server;
    uv_loop_t *loop;
    char *const *argv;
    struct run_dir *dir;
    int extra_fd, heap_fd; /* become descriptors 5 and 6, or -1 */
};
/* Starts soak-NAME, with NAME the child's: its output goes to NAME.log in `dir`. Returns 0 or -1.
 */
int programs_start(const struct programs *p, struct child *c, const struct programs_launch *launch,
                   struct err *e);

/* Refuses a child, by what it says of its libraries, that runs on another allocator than was asked
 * for. Returns 0 or -1. */
int programs_check_allocator(const struct programs *p, bool server, const char *libs,
                             struct err *e);
/* Refuses a child, by what it said in `ready` and by what it has mapped, that runs on something
 * else than was asked for. Returns 0 or -1. */
int programs_check(const struct programs *p, const struct child *c, bool server, const char *libs,
                   struct err *e);

/* Client authentication's certificates: an authority for the server and the clients' certificates
 * of every kind (tls/client_certs.h), made in memory and handed to the children as PEM memory
 * files, to each its own. Writes the two files' descriptors (the caller closes them). Returns 0 or
 * -1. */
int pki_make(int *ret_server_fd, int *ret_client_fd, struct err *e);
/* The same for a client program: one authority with its key, for soak-server, which signs its
 * certificates with it, and for the files that the program is given. */
int pki_make_for_program(int *ret_program_fd, int *ret_server_fd, struct err *e);

#endif
