/* SPDX-License-Identifier: Apache-2.0 */
/* What is done on held connections, by the names of --operate. */
#ifndef SOAK_CLIENT_OPERATION_H
#define SOAK_CLIENT_OPERATION_H

#include "base/names.h"

/* X(IDENTIFIER, name): none first; the scenario's option has them in the same order. */
#define OPERATION_LIST(X)                                                                          \
    X(OPERATION_NONE, "none")                                                                      \
    X(OPERATION_REQUEST, "request")         /* the message, echoed */                              \
    X(OPERATION_KEY_UPDATE, "key-update")   /* TLS 1.3: new keys on both sides, and the message */ \
    X(OPERATION_RENEGOTIATE, "renegotiate") /* TLS 1.2: another handshake, and the message */      \
    X(OPERATION_TICKET, "ticket")           /* TLS 1.3: the server is asked for a new ticket */

enum operation { OPERATION_LIST(ENUM_ID) OPERATIONS };

const char *operation_name(enum operation operation);

#endif
