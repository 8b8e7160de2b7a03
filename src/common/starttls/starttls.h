/*
 * What is said in clear text before TLS begins on one connection: the client's end and the
 * server's, of each protocol in protocols.h. No I/O and no clock: bytes in, bytes out. One object
 * per connection, made by prelude_new and gone as soon as the dialogue is over; one thread at a
 * time.
 *
 * What the peer says is bounded: a line, packet or tag by PRELUDE_UNIT_BYTES, all of it by
 * PRELUDE_TOTAL_BYTES, a client's commands by PRELUDE_COMMANDS. The time is bounded by the caller.
 *
 * Bytes behind the dialogue's end were sent in clear text by somebody who didn't wait for the
 * answer, such as one who puts words into the mouth of the peer (CVE-2011-0411, CVE-2021-23214).
 * They are refused, unanswered, and never handed to TLS. The exception is the server's end of
 * mysql: there the client begins TLS without waiting for an answer, and what is left in `in`
 * belongs to TLS. Bytes that come in a later segment can't be told from TLS here: they reach
 * OpenSSL, which refuses what isn't a ClientHello.
 */
#ifndef SOAK_PRELUDE_PRELUDE_H
#define SOAK_PRELUDE_PRELUDE_H

#include "base/err.h"
#include "protocols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PRELUDE_UNIT_BYTES = 2048,
    PRELUDE_TOTAL_BYTES = 16 * 1024,
    PRELUDE_COMMANDS = 32,
    PRELUDE_OUT_BYTES = 16 * 1024 /* one call never writes more */
};

enum prelude_side { PRELUDE_CLIENT, PRELUDE_SERVER };

enum prelude_result {
    PRELUDE_MORE,  /* waits for the peer */
    PRELUDE_DONE,  /* TLS begins */
    PRELUDE_FAILED /* it never will; what is in `out` may still be sent */
};

struct prelude_io {
    const uint8_t *in; /* moves forwards over what is taken */
    size_t in_left;
    uint8_t *out; /* PRELUDE_OUT_BYTES of room behind `out_used` */
    size_t out_used;
};

struct prelude;

/* `host` is the name that an XMPP client asks for (letters, digits, `-`, `.`), NULL: localhost. It
 * is borrowed. Not for PRELUDE_NONE. NULL when out of memory. */
struct prelude *prelude_new(enum prelude_protocol protocol, enum prelude_side side,
                            const char *host);
void prelude_free(struct prelude *p);

/* What this end says first, unasked: it may be nothing. Once, before prelude_feed. */
void prelude_start(struct prelude *p, struct prelude_io *io);
/* Takes what has come, in pieces of any size, and answers. All of `in` is taken but after
 * PRELUDE_DONE. `e` is written on PRELUDE_FAILED: a sentence that begins with the protocol. Not to
 * be called again after PRELUDE_DONE or PRELUDE_FAILED. */
enum prelude_result prelude_feed(struct prelude *p, struct prelude_io *io, struct err *e);

/* The client's end: whether its request for TLS itself has been written. */
bool prelude_asked(const struct prelude *p);
/* The client's end: a command of the protocol that nobody may send behind that request, for peers
 * that do. */
const char *prelude_injection(enum prelude_protocol protocol, size_t *ret_count);
/* "smtp", ...; "none". */
const char *prelude_name(enum prelude_protocol protocol);
/* Whether the dialogue can ask for a server of this name: XMPP's stream header holds it as it is.
 */
bool prelude_name_ok(enum prelude_protocol protocol, const char *name);

#endif
