/* SPDX-License-Identifier: Apache-2.0 */
/* soak-server's command line. Plain data; the strings are borrowed from argv. */
#ifndef SOAK_SERVER_OPTIONS_H
#define SOAK_SERVER_OPTIONS_H

#include "base/address.h"
#include "base/err.h"
#include "options/behaviours.h"
#include "options/opts.h"
#include "tls/context.h"

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *listen, *client_net;
    int tls, key, session; /* enum tls_version, key_kind, session_kind */
    int workers, backlog, control_fd, page_fd;
    int port_use;                                           /* enum port_use */
    int starttls;                                           /* enum starttls_protocol */
    int client_auth;                                        /* enum client_auth */
    int tickets, ticket_callback;                           /* enum ticket_callback */
    int ocsp;                                               /* enum ocsp_kind */
    int sni_unknown;                                        /* enum sni_unknown */
    int record_padding;                                     /* bytes; 0: none */
    uint64_t ticket_rotate, early_data, session_timeout_ns; /* connections, bytes; 0: none */
    const char *groups, *ciphers;
    bool anywhere, psk, sni_switch, renegotiation;
    const char *client_ca, *alpn, *defect, *log;
    const char *reply; /* as typed; NULL: messages are echoed */
    uint8_t reply_bytes[OPTS_STRING_LIMIT];
    size_t reply_count; /* of reply */
    uint64_t server_mix[SERVER_BEHAVIOURS], cert_names;
    const char *authority;
    bool paced;
    int ctx;                     /* enum ctx_kind */
    uint64_t conns, seed;        /* conns: expected at once */
    uint64_t ctx_reload, emfile; /* every Nth connection; 0: never */
    uint64_t cache_size, handshake_timeout_ns, idle_timeout_ns;
    bool requests, no_sandbox, no_ledger, help, version;
    bool check;               /* see whether it could serve with these, and exit */
    struct address address;   /* from listen */
    uint32_t client_net_from; /* from client_net, in host order; 0: everybody is served */
};

/* Reads and checks the command line. Returns 0, or -1 with a sentence that names the option. */
int options_parse(int argc, char *const *argv, struct options *ret, struct err *e);
void options_help(FILE *out);

#endif
