/* SPDX-License-Identifier: Apache-2.0 */
/* The client's command line. Strings are borrowed from argv. */
#ifndef SOAK_CLIENT_OPTIONS_H
#define SOAK_CLIENT_OPTIONS_H

#include "base/err.h"
#include "behaviour.h"
#include "options/grammar.h"
#include "talk.h"
#include "target.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options {
    const char *connect, *say, *answer, *alpn, *sni, *client_cert, *client_certs, *source_net;
    uint64_t conns, payload, sources, seed, timeout_ns, closed;
    struct rate churn;
    uint64_t weight[BEHAVIOUR_COUNT];
    double resume;
    int tls;      /* enum tls_version */
    int starttls; /* enum starttls_protocol */
    int operate;  /* enum operation */
    int workers, control_fd, page_fd;
    bool foreign, reloaded, no_sandbox, no_ledger, check, help, version;
    struct target target; /* from connect, source_net and sources */
    struct talk talk;     /* from say, answer and foreign */
};

/* Checks everything and fills in what depends on the machine. Returns 0 or -1. */
int options_parse(int argc, char *const *argv, struct options *ret, struct err *e);
void options_help(FILE *out);

#endif
