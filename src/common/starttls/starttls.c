/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls.h"

#include "base/check.h"
#include "starttls_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct starttls_role *role_of(enum starttls_protocol protocol, enum starttls_side side)
{
    switch (protocol) {
    case STARTTLS_POSTGRES:
        return &starttls_postgres[side];
    case STARTTLS_MYSQL:
        return &starttls_mysql[side];
    case STARTTLS_LDAP:
        return &starttls_ldap[side];
    case STARTTLS_XMPP:
        return &starttls_xmpp[side];
    case STARTTLS_SMTP:
    case STARTTLS_IMAP:
    case STARTTLS_POP3:
    case STARTTLS_FTP:
        return side == STARTTLS_CLIENT ? &starttls_line_clients[protocol]
                                       : &starttls_line_servers[protocol];
    case STARTTLS_NONE:
    case STARTTLS_PROTOCOLS:
        break;
    }
    return NULL;
}

struct starttls *starttls_new(enum starttls_protocol protocol, enum starttls_side side,
                              const char *host)
{
    const struct starttls_role *role = role_of(protocol, side);
    CHECK(role && role->heard);
    struct starttls *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->role = role;
    p->host = host ? host : "localhost";
    p->protocol = protocol;
    p->side = side;
    return p;
}

void starttls_free(struct starttls *p)
{
    free(p);
}

bool starttls_name_ok(enum starttls_protocol protocol, const char *name)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    enum { NAME_LIMIT = 253 };
    return protocol != STARTTLS_XMPP || (strlen(name) <= NAME_LIMIT && !name[strspn(name, host)]);
}

ENUM_COLUMN(starttls_name, const char *, starttls_protocol, STARTTLS_LIST, ENUM_NAME)

void starttls_say(struct starttls_io *io, const void *bytes, size_t count)
{
    CHECK(count <= STARTTLS_OUT_BYTES);
    memcpy(io->out + io->out_used, bytes, count);
    io->out_used += count;
}

void starttls_say_text(struct starttls_io *io, const char *text)
{
    starttls_say(io, text, strlen(text));
}

const char *starttls_quote(const uint8_t *bytes, size_t count, char *buf, size_t size)
{
    if (count > size - 1)
        count = size - 1;
    for (size_t i = 0; i < count; i++)
        buf[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
    buf[count] = '\0';
    return buf;
}

enum starttls_result starttls_fail(struct err *e, const char *format, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(e, "%s", text);
    return STARTTLS_FAILED;
}

void starttls_start(struct starttls *p, struct starttls_io *io)
{
    size_t before = io->out_used;
    if (p->role->start)
        p->role->start(p, io);
    CHECK(io->out_used - before <= STARTTLS_OUT_BYTES);
}

static enum starttls_result hear_unit(struct starttls *p, struct starttls_io *io, struct err *e)
{
    if (p->side == STARTTLS_SERVER && ++p->units > STARTTLS_COMMANDS)
        return starttls_fail(e, "more than %d commands and none that asks for TLS",
                             STARTTLS_COMMANDS);
    p->unit[p->used] = '\0';
    enum starttls_result result = p->role->heard(p, io, e);
    p->used = 0;
    return result;
}

static enum starttls_result take_byte(struct starttls *p, uint8_t byte, struct starttls_io *io,
                                      struct err *e)
{
    if (++p->total > STARTTLS_TOTAL_BYTES)
        return starttls_fail(e, "more than %d bytes and no end", STARTTLS_TOTAL_BYTES);
    if (p->used == STARTTLS_UNIT_BYTES)
        return starttls_fail(e, "more than %d bytes without a break", STARTTLS_UNIT_BYTES);
    p->unit[p->used++] = byte;
    switch (starttls_frame(p, e)) {
    case 0:
        return STARTTLS_MORE;
    case 1:
        return hear_unit(p, io, e);
    default:
        return STARTTLS_FAILED;
    }
}

enum starttls_result starttls_feed(struct starttls *p, struct starttls_io *io, struct err *e)
{
    size_t before = io->out_used;
    enum starttls_result result = STARTTLS_MORE;
    while (result == STARTTLS_MORE && io->in_left > 0) {
        io->in_left--;
        result = take_byte(p, *io->in++, io, e);
    }
    CHECK(io->out_used - before <= STARTTLS_OUT_BYTES);
    if (result == STARTTLS_DONE && io->in_left > 0 && !p->role->tls_follows) {
        io->out_used = before;
        result = starttls_fail(e, "%zu bytes in clear text behind the turn to TLS", io->in_left);
    }
    if (result == STARTTLS_FAILED)
        err_prefix(e, "%s", starttls_name(p->protocol));
    return result;
}

bool starttls_asked(const struct starttls *p)
{
    return p->asked;
}

const char *starttls_injection(enum starttls_protocol protocol, size_t *ret_count)
{
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
    static const struct {
        const char *bytes;
        size_t count;
    } injections[STARTTLS_PROTOCOLS] = {
        /* A startup message of protocol 3.0 that names nobody. */
        [STARTTLS_POSTGRES] = BYTES("\0\0\0\x09\0\3\0\0\0"),
        /* COM_PING. */
        [STARTTLS_MYSQL] = BYTES("\1\0\0\0\x0e"),
        [STARTTLS_SMTP] = BYTES("RSET\r\n"),
        [STARTTLS_IMAP] = BYTES("a9 NOOP\r\n"),
        [STARTTLS_POP3] = BYTES("CAPA\r\n"),
        [STARTTLS_FTP] = BYTES("NOOP\r\n"),
        /* An anonymous bind, message 2. */
        [STARTTLS_LDAP] = BYTES("\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        [STARTTLS_XMPP] = BYTES("<presence/>"),
    };
#undef BYTES
    CHECK(protocol > STARTTLS_NONE && protocol < STARTTLS_PROTOCOLS);
    *ret_count = injections[protocol].count;
    return injections[protocol].bytes;
}
