/* What the files of this folder share; nobody else includes it. */
#ifndef SOAK_PRELUDE_PARTS_H
#define SOAK_PRELUDE_PARTS_H

#include "starttls.h"

/* How bytes become something that can be understood. */
enum prelude_framing {
    FRAME_LINE,   /* up to a line feed; a carriage return before it is dropped */
    FRAME_TAG,    /* XML: from `<` to `>`; what stands between tags is dropped */
    FRAME_PACKET, /* MySQL: three bytes of length, one of sequence, then so many */
    FRAME_BER,    /* LDAP: one SEQUENCE with a definite length */
    FRAME_FIXED   /* as many bytes as the role says */
};

/* One end of one protocol. */
struct prelude_role {
    enum prelude_framing framing;
    size_t fixed;     /* FRAME_FIXED: bytes of a unit */
    bool tls_follows; /* the peer begins TLS without waiting for an answer */
    void (*start)(struct prelude *p, struct prelude_io *io); /* NULL: waits for the peer */
    enum prelude_result (*heard)(struct prelude *p, struct prelude_io *io, struct err *e);
};

struct prelude {
    const struct prelude_role *role;
    const char *host; /* borrowed */
    enum prelude_protocol protocol;
    enum prelude_side side;
    unsigned step; /* zero at first; the role's own meaning */
    unsigned code; /* of the reply whose lines are coming */
    bool offered;  /* the server has said that it can */
    bool asked;
    char quote; /* within a tag: the quotation mark that is open */
    size_t units, total, used;
    uint8_t unit[PRELUDE_UNIT_BYTES + 1]; /* terminated when it is whole */
};

/* By enum prelude_side. */
extern const struct prelude_role prelude_postgres[2], prelude_mysql[2], prelude_ldap[2],
    prelude_xmpp[2];
extern const struct prelude_role prelude_line_clients[PRELUDE_PROTOCOLS],
    prelude_line_servers[PRELUDE_PROTOCOLS];

/* 1 when the unit is whole with the byte just added, 0 when not, -1 when it can't become one. */
int prelude_frame(struct prelude *p, struct err *e);

void prelude_say(struct prelude_io *io, const void *bytes, size_t count);
void prelude_say_text(struct prelude_io *io, const char *text);
/* Bytes of the peer as text, less what a terminal or a log would choke on; cut. */
const char *prelude_quote(const uint8_t *bytes, size_t count, char *buf, size_t size);
/* Sets the sentence; returns PRELUDE_FAILED. */
enum prelude_result prelude_fail(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
