/* soak-server's command line. Plain data; the strings are borrowed from argv. */
#ifndef SOAK_SERVER_OPTIONS_H
#define SOAK_SERVER_OPTIONS_H

#include "base/err.h"
#include "tls/context.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { OPTIONS_WORKERS_MAX = 32 };

enum options_ctx { CTX_SHARED, CTX_PER_CONNECTION };

struct options {
    const char *listen;
    int tls, key, session; /* enum context_version, identity_key, context_session */
    int workers, backlog, control_fd, page_fd;
    int client_auth; /* 0 none, 1 require */
    const char *client_ca, *alpn, *defect, *seed_text, *log;
    int ctx;                     /* enum options_ctx */
    uint64_t ctx_reload, emfile; /* every so many connections; 0: never */
    uint64_t cache_size, handshake_timeout_ns, idle_timeout_ns;
    bool requests, no_ledger, help, version;
    struct sockaddr_in address; /* from listen */
    uint64_t seed;              /* from seed_text */
};

/* Reads and checks the command line. Returns 0, or -1 with a sentence that names the option. */
int options_parse(int argc, char *const *argv, struct options *ret, struct err *e);
void options_help(FILE *out);

#endif
