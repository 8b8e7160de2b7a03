/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What {name} stands for in the commands of a run with a foreign program. One list; the values are
 * the run's. Pure.
 */
#ifndef SOAK_SCENARIO_PLACEHOLDERS_H
#define SOAK_SCENARIO_PLACEHOLDERS_H

#include "base/words.h"

#include <stdbool.h>

/* X(identifier, "name", what it is, in a few words) */
#define PLACEHOLDER_LIST(X)                                                                        \
    X(WORK, "work", "a private folder of the run")                                                 \
    X(HERE, "here", "the scenario's folder")                                                       \
    X(ADDRESS, "address", "where it is to listen: address and port")                               \
    X(PORT, "port", "the port alone")                                                              \
    X(CERT, "cert", "PEM file: the program's certificate")                                         \
    X(KEY, "key", "PEM file: its key")                                                             \
    X(PEM, "pem", "PEM file: both")                                                                \
    X(CA, "ca", "PEM file: the authority of the other side's certificate")                         \
    X(PROGRAM, "program", "the folder that --program was fetched to")                              \
    X(PID, "pid", "the program's process")                                                         \
    X(COUNT, "count", "--loop: how many connections the program is to make")

#define PLACEHOLDER_ID(id, name, about) PLACEHOLDER_##id,
enum placeholder { PLACEHOLDER_LIST(PLACEHOLDER_ID) PLACEHOLDERS };
#undef PLACEHOLDER_ID

/* A value each; NULL: it stands for nothing. Borrowed. */
struct placeholders {
    const char *value[PLACEHOLDERS];
};

/* As words_split reads them. */
void placeholders_values(const struct placeholders *p, struct words_value ret[PLACEHOLDERS + 1]);
/* words_split with these. */
int placeholders_split(const char *command, const struct placeholders *p, struct words *ret,
                       struct err *e);
/* Whether `command` uses {name} of this one. */
bool placeholder_used(const char *command, enum placeholder which);

#endif
