/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share; nobody else includes it. */
#ifndef SOAK_STARTTLS_STARTTLS_INTERNAL_H
#define SOAK_STARTTLS_STARTTLS_INTERNAL_H

#include "starttls.h"

/* How bytes become something that can be understood. */
enum starttls_framing {
    FRAME_LINE,   /* up to a line feed; a carriage return before it is dropped */
    FRAME_TAG,    /* XML: from `<` to `>`; what stands between tags is dropped */
    FRAME_PACKET, /* MySQL: three bytes of length, one of sequence, then the body */
    FRAME_BER,    /* LDAP: one SEQUENCE with a definite length */
    FRAME_FIXED   /* as many bytes as the role says */
};

/* One end of one protocol. */
struct starttls_role {
    enum starttls_framing framing;
    size_t fixed;     /* FRAME_FIXED: bytes of a unit */
    bool tls_follows; /* the peer begins TLS without waiting for an answer */
    void (*start)(struct starttls *p, struct starttls_io *io); /* NULL: waits for the peer */
    enum starttls_result (*heard)(struct starttls *p, struct starttls_io *io, struct err *e);
};

struct starttls {
    const struct starttls_role *role;
    const char *host; /* borrowed */
    enum starttls_protocol protocol;
    enum starttls_side side;
    unsigned step; /* zero at first; the role's own meaning */
    unsigned code; /* of the reply whose lines are coming */
    bool offered;  /* the server has said that it can */
    bool asked;
    char quote; /* within a tag: the quotation mark that is open */
    size_t units, total, used;
    uint8_t unit[STARTTLS_UNIT_BYTES + 1]; /* terminated when it is whole */
};

/* By enum starttls_side. */
extern const struct starttls_role starttls_postgres[2], starttls_mysql[2], starttls_ldap[2],
    starttls_xmpp[2];
extern const struct starttls_role starttls_line_clients[STARTTLS_PROTOCOLS],
    starttls_line_servers[STARTTLS_PROTOCOLS];

/* 1 when the unit is whole with the byte just added, 0 when not, -1 when it can't become one. */
int starttls_frame(struct starttls *p, struct err *e);

void starttls_say(struct starttls_io *io, const void *bytes, size_t count);
void starttls_say_text(struct starttls_io *io, const char *text);
/* Bytes of the peer as text, less what a terminal or a log would choke on; cut. */
const char *starttls_quote(const uint8_t *bytes, size_t count, char *buf, size_t size);
/* Sets the sentence; returns STARTTLS_FAILED. */
enum starttls_result starttls_fail(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
