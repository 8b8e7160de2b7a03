/* SPDX-License-Identifier: Apache-2.0 */
/* What is done on held connections, by the names of --operate. */
#ifndef SOAK_CLIENT_OPERATION_H
#define SOAK_CLIENT_OPERATION_H

/* X(IDENTIFIER, name): none first; the scenario's option has them in the same order. */
#define OPERATION_LIST(X)                                                                          \
    X(NONE, "none")                                                                                \
    X(REQUEST, "request")         /* the message, echoed */                                        \
    X(KEY_UPDATE, "key-update")   /* TLS 1.3: new keys on both sides, and the message */           \
    X(RENEGOTIATE, "renegotiate") /* TLS 1.2: another handshake, and the message */                \
    X(TICKET, "ticket")           /* TLS 1.3: the server is asked for a new ticket */

enum operation {
#define X(id, name) OPERATION_##id,
    OPERATION_LIST(X)
#undef X
        OPERATIONS
};

const char *operation_name(enum operation operation);

#endif
