/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS records in a buffer of output, to be cut, split, damaged or made up: RFC 8446 5.1, which is
 * the layout of earlier versions too. Pure; nothing here knows a connection.
 */
#ifndef SOAK_CLIENT_RECORDS_H
#define SOAK_CLIENT_RECORDS_H

#include "tls/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_type {
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23
};
enum {
    RECORD_HEADER_BYTES = 5,
    RECORD_ALERT_BYTES = RECORD_HEADER_BYTES + 2, /* of one that isn't encrypted */
    RECORD_BODY_MAX = 16384,
    RECORD_VERSION = 0x0301 /* what a first ClientHello bears, whatever it asks for */
};

/* The end of the record that begins at `at`, or 0 when it isn't there whole. */
size_t record_end(const struct wire_out *out, size_t at);

/* Appends a record that is not encrypted. What has no room is left out. */
void record_put(struct wire_out *out, enum record_type type, unsigned version, const void *body,
                size_t count);

/* Copies the output with the handshake records at its begin cut into ones of at most `piece` bytes
 * of content; the messages stay as they are. False: there is no room for the headers. */
bool records_split(const struct wire_out *from, size_t piece, struct wire_out *to);

/* Turns over a bit in the last byte of the last whole record of this type. False: there is none. */
bool records_damage_last(struct wire_out *out, enum record_type type);

/* A ClientHello made by hand (RFC 8446 4.1.2), for what OpenSSL refuses to write. */
enum { HELLO_EXTENSIONS_MAX = 400 };
struct hello_extensions {
    const char *bytes; /* borrowed: as on the wire, without the length of all of them; at most
                          HELLO_EXTENSIONS_MAX */
    size_t count;
    size_t claimed; /* the length that is written; 0: the true one */
};

/* Appends a record with a ClientHello of this version and these two cipher suites. Its random part
 * is all zero: no one gets as far as to use it. */
void hello_put(struct wire_out *out, unsigned version, const uint16_t suites[2],
               const struct hello_extensions *extensions);

#endif
