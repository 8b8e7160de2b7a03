/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ClientHello made by hand (RFC 8446 4.1.2), for what OpenSSL refuses to write. Pure.
 */
#ifndef SOAK_CLIENT_HELLO_H
#define SOAK_CLIENT_HELLO_H

#include "tls/wire.h"

#include <stddef.h>
#include <stdint.h>

struct hello_extensions {
    const char *bytes; /* borrowed: as on the wire, without the length of all of them */
    size_t count;
    size_t claimed; /* the length that is written; 0: the true one */
};

/* Appends a record with a ClientHello of this version and these two cipher suites. Its random part
 * is all zero: no one gets as far as to use it. */
void hello_put(struct wire_out *out, unsigned version, const uint16_t suites[2],
               const struct hello_extensions *extensions);

#endif
