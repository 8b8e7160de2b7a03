/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <string.h>

enum { QUOTED = 120 };

/*
 * PostgreSQL, "Message Formats" and "SSL Session Encryption" in its manual: SSLRequest is a length
 * of 8 and the number 80877103; the answer is one byte, S or N, and TLS follows S. The server reads
 * eight bytes: no startup message is shorter, and of the others it needs no more to refuse them.
 */
static const uint8_t ssl_request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
/* A request for GSSAPI's encryption, 80877104, which clients may try first. */
static const uint8_t gss_request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30};

static void postgres_ask(struct starttls *p, struct starttls_io *io)
{
    p->asked = true;
    starttls_say(io, ssl_request, sizeof ssl_request);
}

static enum starttls_result postgres_answered(struct starttls *p, struct starttls_io *io,
                                              struct err *e)
{
    char quoted[QUOTED];
    (void)io;
    switch (p->unit[0]) {
    case 'S':
        return STARTTLS_DONE;
    case 'N':
        return starttls_fail(e, "the server does without TLS");
    case 'E':
        return starttls_fail(e, "the server answers the request for TLS by an error message");
    default:
        return starttls_fail(e, "the server answers the request for TLS by \"%s\"",
                             starttls_quote(p->unit, p->used, quoted, sizeof quoted));
    }
}

static enum starttls_result postgres_asked(struct starttls *p, struct starttls_io *io,
                                           struct err *e)
{
    if (memcmp(p->unit, gss_request, sizeof gss_request) == 0) {
        starttls_say_text(io, "N");
        return STARTTLS_MORE;
    }
    if (memcmp(p->unit, ssl_request, sizeof ssl_request) != 0)
        return starttls_fail(e, "the client begins by something else than SSLRequest");
    starttls_say_text(io, "S");
    return STARTTLS_DONE;
}

const struct starttls_role starttls_postgres[2] = {
    [STARTTLS_CLIENT] = {.framing = FRAME_FIXED,
                         .fixed = 1,
                         .start = postgres_ask,
                         .heard = postgres_answered},
    [STARTTLS_SERVER] = {.framing = FRAME_FIXED, .fixed = 8, .heard = postgres_asked},
};

/*
 * MySQL, "Connection Phase Packets" in its internals manual: the server greets by a packet
 * (HandshakeV10: 10, version as text with a NUL, 4 bytes of thread, 8 of salt, a zero, the lower
 * half of the capabilities); the client answers by SSLRequest, 32 bytes, of which the first four
 * are its capabilities, and begins TLS at once. Numbers are little endian.
 */
enum {
    HEAD = 4,
    SSL_REQUEST = 32,
    PROTOCOL_10 = 10,
    ERROR_PACKET = 0xff,
    ERROR_HEAD = 3, /* the byte above, two of a number; the rest is text */
    CLIENT_PROTOCOL_41 = 0x200,
    CLIENT_SSL = 0x800,
    CLIENT_SECURE_CONNECTION = 0x8000,
    THREAD_SALT_ZERO = 4 + 8 + 1
};

/* Salt and thread are the same for everybody: nobody logs in here. */
static void mysql_greet(struct starttls *p, struct starttls_io *io)
{
    static const uint8_t greeting[] =
        "\x4e\0\0\0"                 /* 78 bytes, the first packet */
        "\x0a"                       /* protocol 10 */
        "8.0.0-soak\0"               /* version */
        "\1\0\0\0"                   /* thread */
        "saltsalt\0"                 /* salt, first part; filler */
        "\x00\x8a\xff\2\0\x08\0\x15" /* capabilities, utf8mb4, status, capabilities, salt: 21 */
        "\0\0\0\0\0\0\0\0\0\0"       /* reserved */
        "saltsaltsalt\0"             /* salt, second part */
        "mysql_native_password";     /* and the literal's own NUL */
    (void)p;
    starttls_say(io, greeting, sizeof greeting);
}

static enum starttls_result mysql_ask(struct starttls *p, struct starttls_io *io)
{
    uint8_t request[HEAD + SSL_REQUEST] = {SSL_REQUEST, 0, 0, 1};
    uint32_t can = CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION;
    request[HEAD] = (uint8_t)can;
    request[HEAD + 1] = (uint8_t)(can >> 8);
    request[HEAD + 7] = 1;  /* packets of 16 MiB at most */
    request[HEAD + 8] = 45; /* utf8mb4 */
    p->asked = true;
    starttls_say(io, request, sizeof request);
    return STARTTLS_DONE;
}

static enum starttls_result mysql_greeted(struct starttls *p, struct starttls_io *io, struct err *e)
{
    char quoted[QUOTED];
    const uint8_t *at = p->unit + HEAD, *end = p->unit + p->used;
    if (at == end || p->unit[3] != 0)
        return starttls_fail(e, "the server's first packet is malformed");
    if (*at == ERROR_PACKET && end - at > ERROR_HEAD)
        return starttls_fail(e, "the server greets by an error: \"%s\"",
                             starttls_quote(at + ERROR_HEAD, (size_t)(end - at - ERROR_HEAD),
                                            quoted, sizeof quoted));
    if (*at != PROTOCOL_10)
        return starttls_fail(e, "the server speaks protocol %u, not 10", *at);
    const uint8_t *version_end = memchr(at, '\0', (size_t)(end - at));
    if (!version_end || end - version_end - 1 < THREAD_SALT_ZERO + 2)
        return starttls_fail(e, "the server's greeting is cut");
    const uint8_t *can = version_end + 1 + THREAD_SALT_ZERO;
    if (!((can[0] | can[1] << 8) & CLIENT_SSL))
        return starttls_fail(e, "the server doesn't offer TLS");
    return mysql_ask(p, io);
}

static enum starttls_result mysql_asked(struct starttls *p, struct starttls_io *io, struct err *e)
{
    (void)io;
    if (p->used < HEAD + 4 || p->unit[3] != 1)
        return starttls_fail(e, "the client's first packet does not answer the greeting");
    if (!((p->unit[HEAD] | p->unit[HEAD + 1] << 8) & CLIENT_SSL) || p->used != HEAD + SSL_REQUEST)
        return starttls_fail(e, "the client goes on without TLS");
    return STARTTLS_DONE;
}

const struct starttls_role starttls_mysql[2] = {
    [STARTTLS_CLIENT] = {.framing = FRAME_PACKET, .heard = mysql_greeted},
    [STARTTLS_SERVER] = {.framing = FRAME_PACKET,
                         .tls_follows = true,
                         .start = mysql_greet,
                         .heard = mysql_asked},
};
