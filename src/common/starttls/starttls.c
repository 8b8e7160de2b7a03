#include "starttls.h"

#include "base/check.h"
#include "starttls_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct prelude_role *role_of(enum prelude_protocol protocol, enum prelude_side side)
{
    switch (protocol) {
    case PRELUDE_POSTGRES:
        return &prelude_postgres[side];
    case PRELUDE_MYSQL:
        return &prelude_mysql[side];
    case PRELUDE_LDAP:
        return &prelude_ldap[side];
    case PRELUDE_XMPP:
        return &prelude_xmpp[side];
    case PRELUDE_SMTP:
    case PRELUDE_IMAP:
    case PRELUDE_POP3:
    case PRELUDE_FTP:
        return side == PRELUDE_CLIENT ? &prelude_line_clients[protocol]
                                      : &prelude_line_servers[protocol];
    case PRELUDE_NONE:
    case PRELUDE_PROTOCOLS:
        break;
    }
    return NULL;
}

struct prelude *prelude_new(enum prelude_protocol protocol, enum prelude_side side,
                            const char *host)
{
    const struct prelude_role *role = role_of(protocol, side);
    CHECK(role && role->heard);
    struct prelude *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->role = role;
    p->host = host ? host : "localhost";
    p->protocol = protocol;
    p->side = side;
    return p;
}

void prelude_free(struct prelude *p)
{
    free(p);
}

bool prelude_name_ok(enum prelude_protocol protocol, const char *name)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    enum { NAME_LIMIT = 253 };
    return protocol != PRELUDE_XMPP || (strlen(name) <= NAME_LIMIT && !name[strspn(name, host)]);
}

const char *prelude_name(enum prelude_protocol protocol)
{
#define NAME(identifier, name) name,
    static const char *const names[] = {"none", PRELUDE_LIST(NAME)};
#undef NAME
    CHECK((unsigned)protocol < PRELUDE_PROTOCOLS);
    return names[protocol];
}

void prelude_say(struct prelude_io *io, const void *bytes, size_t count)
{
    CHECK(count <= PRELUDE_OUT_BYTES);
    memcpy(io->out + io->out_used, bytes, count);
    io->out_used += count;
}

void prelude_say_text(struct prelude_io *io, const char *text)
{
    prelude_say(io, text, strlen(text));
}

const char *prelude_quote(const uint8_t *bytes, size_t count, char *buf, size_t size)
{
    if (count > size - 1)
        count = size - 1;
    for (size_t i = 0; i < count; i++)
        buf[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
    buf[count] = '\0';
    return buf;
}

enum prelude_result prelude_fail(struct err *e, const char *format, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(e, "%s", text);
    return PRELUDE_FAILED;
}

void prelude_start(struct prelude *p, struct prelude_io *io)
{
    size_t before = io->out_used;
    if (p->role->start)
        p->role->start(p, io);
    CHECK(io->out_used - before <= PRELUDE_OUT_BYTES);
}

static enum prelude_result hear_unit(struct prelude *p, struct prelude_io *io, struct err *e)
{
    if (p->side == PRELUDE_SERVER && ++p->units > PRELUDE_COMMANDS)
        return prelude_fail(e, "more than %d commands and none that asks for TLS",
                            PRELUDE_COMMANDS);
    p->unit[p->used] = '\0';
    enum prelude_result result = p->role->heard(p, io, e);
    p->used = 0;
    return result;
}

static enum prelude_result take_byte(struct prelude *p, uint8_t byte, struct prelude_io *io,
                                     struct err *e)
{
    if (++p->total > PRELUDE_TOTAL_BYTES)
        return prelude_fail(e, "more than %d bytes and no end", PRELUDE_TOTAL_BYTES);
    if (p->used == PRELUDE_UNIT_BYTES)
        return prelude_fail(e, "more than %d bytes without a break", PRELUDE_UNIT_BYTES);
    p->unit[p->used++] = byte;
    switch (prelude_frame(p, e)) {
    case 0:
        return PRELUDE_MORE;
    case 1:
        return hear_unit(p, io, e);
    default:
        return PRELUDE_FAILED;
    }
}

enum prelude_result prelude_feed(struct prelude *p, struct prelude_io *io, struct err *e)
{
    size_t before = io->out_used;
    enum prelude_result result = PRELUDE_MORE;
    while (result == PRELUDE_MORE && io->in_left > 0) {
        io->in_left--;
        result = take_byte(p, *io->in++, io, e);
    }
    CHECK(io->out_used - before <= PRELUDE_OUT_BYTES);
    if (result == PRELUDE_DONE && io->in_left > 0 && !p->role->tls_follows) {
        io->out_used = before;
        result = prelude_fail(e, "%zu bytes in clear text behind the turn to TLS", io->in_left);
    }
    if (result == PRELUDE_FAILED)
        err_prefix(e, "%s", prelude_name(p->protocol));
    return result;
}

bool prelude_asked(const struct prelude *p)
{
    return p->asked;
}

const char *prelude_injection(enum prelude_protocol protocol, size_t *ret_count)
{
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
    static const struct {
        const char *bytes;
        size_t count;
    } injections[PRELUDE_PROTOCOLS] = {
        /* A startup message of protocol 3.0 that names nobody. */
        [PRELUDE_POSTGRES] = BYTES("\0\0\0\x09\0\3\0\0\0"),
        /* COM_PING. */
        [PRELUDE_MYSQL] = BYTES("\1\0\0\0\x0e"),
        [PRELUDE_SMTP] = BYTES("RSET\r\n"),
        [PRELUDE_IMAP] = BYTES("a9 NOOP\r\n"),
        [PRELUDE_POP3] = BYTES("CAPA\r\n"),
        [PRELUDE_FTP] = BYTES("NOOP\r\n"),
        /* An anonymous bind, message 2. */
        [PRELUDE_LDAP] = BYTES("\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        [PRELUDE_XMPP] = BYTES("<presence/>"),
    };
#undef BYTES
    CHECK(protocol > PRELUDE_NONE && protocol < PRELUDE_PROTOCOLS);
    *ret_count = injections[protocol].count;
    return injections[protocol].bytes;
}
