/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document soak-shortest/1: the shortest command that still shows a run's leak, as `soak
 * shorten` found it. It lies in the run's folder, and the issue is written with it.
 */
#ifndef SOAK_SHORTEST_H
#define SOAK_SHORTEST_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SHORTEST_FILE "shortest.json"

struct shortest {
    const char *version; /* of the soak that found it */
    const char *command; /* by options alone */
    const char
        *by_file;     /* the same with the scenario's file, where its folder is needed; or NULL */
    const char *site; /* where it leaks: "server/defect.c:78", or what grows */
    uint64_t closed;  /* units that its run closed */
    uint64_t runs;    /* it took so many to find it, the one that confirmed it too */
    double seconds;   /* and so long */
    bool confirmed;   /* it showed twice */
    bool stopped;     /* before the search had come to its end: it may be shorter still */
    uid_t owner;      /* of the file */
    json_t *root;     /* owned: what the texts point into; NULL: there is none */
};

/* As text, ended by a newline; free. NULL when out of memory. */
char *shortest_write(const struct shortest *s);
/* Reads that of a run's folder; one that has none leaves `ret` empty. Returns 0, or -1 with a
 * sentence. shortest_free is due either way. */
int shortest_load(struct shortest *ret, const char *folder, struct err *e);
void shortest_free(struct shortest *s);

#endif
