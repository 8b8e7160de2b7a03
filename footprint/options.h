/* SPDX-License-Identifier: Apache-2.0 */
/* soak-footprint's command line. Plain data; the strings are borrowed from argv. */
#ifndef SOAK_FOOTPRINT_OPTIONS_H
#define SOAK_FOOTPRINT_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options {
    int tls, key, session;    /* enum tls_version (no "any"), key_kind, session_kind */
    int tickets, client_auth; /* enum client_auth: none or require */
    const char *groups, *ciphers;
    bool resume, help, version;
    uint64_t payload, conns; /* bytes; measured connections */
};

/* Reads and checks the command line. Returns 0, or -1 with a sentence that names the option. */
int options_parse(int argc, char *const *argv, struct options *ret, struct err *e);
void options_help(FILE *out);

#endif
