/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said in clear text before TLS begins on one connection: the client's end and the
 * server's, of each protocol of STARTTLS_LIST. No I/O and no clock: bytes in, bytes out. One object
 * per connection, made by starttls_new and gone as soon as the dialogue is over; one thread at a
 * time.
 *
 * What the peer says is bounded: a line, packet or tag by STARTTLS_UNIT_BYTES, all of it by
 * STARTTLS_TOTAL_BYTES, a client's commands by STARTTLS_COMMANDS. The time is bounded by the
 * caller.
 *
 * Bytes behind the dialogue's end were sent in clear text by somebody who didn't wait for the
 * answer, such as one who puts words into the mouth of the peer (CVE-2011-0411, CVE-2021-23214).
 * They are refused, unanswered, and never handed to TLS. The exception is the server's end of
 * mysql: there the client begins TLS without waiting for an answer, and what is left in `in`
 * belongs to TLS. Bytes that come in a later segment can't be told from TLS here: they reach
 * OpenSSL, which refuses what isn't a ClientHello.
 */
#ifndef SOAK_STARTTLS_STARTTLS_H
#define SOAK_STARTTLS_STARTTLS_H

#include "base/err.h"
#include "options/choices.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STARTTLS_UNIT_BYTES = 2048,
    STARTTLS_TOTAL_BYTES = 16 * 1024,
    STARTTLS_COMMANDS = 32,
    STARTTLS_OUT_BYTES = 16 * 1024 /* one call never writes more */
};

enum starttls_side { STARTTLS_CLIENT, STARTTLS_SERVER };

enum starttls_result {
    STARTTLS_MORE,  /* waits for the peer */
    STARTTLS_DONE,  /* TLS begins */
    STARTTLS_FAILED /* it never will; what is in `out` may still be sent */
};

struct starttls_io {
    const uint8_t *in; /* moves forwards over what is taken */
    size_t in_left;
    uint8_t *out; /* STARTTLS_OUT_BYTES of room behind `out_used` */
    size_t out_used;
};

struct starttls;

/* `host` is the name that an XMPP client asks for (letters, digits, `-`, `.`), NULL: localhost. It
 * is borrowed. Not for STARTTLS_NONE. NULL when out of memory. */
struct starttls *starttls_new(enum starttls_protocol protocol, enum starttls_side side,
                              const char *host);
void starttls_free(struct starttls *p);

/* What this end says first, unasked: it may be nothing. Once, before starttls_feed. */
void starttls_start(struct starttls *p, struct starttls_io *io);
/* Takes what has come, in pieces of any size, and answers. All of `in` is taken but after
 * STARTTLS_DONE. `e` is written on STARTTLS_FAILED: a sentence that begins with the protocol. Not
 * to be called again after STARTTLS_DONE or STARTTLS_FAILED. */
enum starttls_result starttls_feed(struct starttls *p, struct starttls_io *io, struct err *e);

/* The client's end: whether its request for TLS itself has been written. */
bool starttls_asked(const struct starttls *p);
/* The client's end: a command of the protocol that nobody may send behind that request, for peers
 * that do. */
const char *starttls_injection(enum starttls_protocol protocol, size_t *ret_count);
/* "smtp", ...; "none". */
const char *starttls_name(enum starttls_protocol protocol);
/* Whether the dialogue can ask for a server of this name: XMPP's stream header holds it as it is.
 */
bool starttls_name_ok(enum starttls_protocol protocol, const char *name);

#endif
