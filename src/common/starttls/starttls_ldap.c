/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <string.h>

/*
 * RFC 4511 4.14: StartTLS is an extended request with the name below, and TLS begins when its
 * response has the result code 0. Both are a SEQUENCE of a message number and the operation
 * (4.1.1, 4.12), in BER with definite lengths (5.1); all tags here fit in one byte.
 */
#define START_TLS "1.3.6.1.4.1.1466.20037"

enum {
    TAG_INTEGER = 0x02,
    TAG_ENUMERATED = 0x0a,
    TAG_OCTETS = 0x04,
    TAG_SEQUENCE = 0x30,
    TAG_EXTENDED_REQUEST = 0x77,  /* [APPLICATION 23] */
    TAG_EXTENDED_RESPONSE = 0x78, /* [APPLICATION 24] */
    TAG_REQUEST_NAME = 0x80,      /* [0] */
    OUR_MESSAGE = 1
};

struct ber {
    const uint8_t *at;
    size_t left;
};

/* Takes the next element, which must have this tag. */
static bool ber_take(struct ber *from, uint8_t tag, struct ber *ret_content)
{
    if (from->left < 2 || from->at[0] != tag)
        return false;
    size_t head = 2, length = from->at[1];
    if (length & 0x80) {
        size_t bytes = length & 0x7f;
        if (bytes == 0 || bytes > 4 || from->left < 2 + bytes)
            return false;
        length = 0;
        for (size_t i = 0; i < bytes; i++)
            length = length << 8 | from->at[2 + i];
        head += bytes;
    }
    if (length > from->left - head)
        return false;
    *ret_content = (struct ber){from->at + head, length};
    from->at += head + length;
    from->left -= head + length;
    return true;
}

/* Not negative, and in four bytes at most (RFC 4511 4.1.1.1: up to 2^31 - 1). */
static bool ber_number(struct ber *from, uint8_t tag, uint32_t *ret)
{
    struct ber content;
    if (!ber_take(from, tag, &content) || content.left < 1 || content.left > 4 ||
        content.at[0] & 0x80)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < content.left; i++)
        value = value << 8 | content.at[i];
    *ret = value;
    return true;
}

/* The message's number and its operation, which must have this tag. */
static bool open_message(const struct starttls *p, uint8_t tag, uint32_t *ret_number,
                         struct ber *ret_operation)
{
    struct ber whole = {p->unit, p->used}, message;
    return ber_take(&whole, TAG_SEQUENCE, &message) &&
           ber_number(&message, TAG_INTEGER, ret_number) && ber_take(&message, tag, ret_operation);
}

static void ask(struct starttls *p, struct starttls_io *io)
{
    enum { NAME = sizeof START_TLS - 1 };
    static const uint8_t head[] = {
        TAG_SEQUENCE,         3 + 2 + 2 + NAME, TAG_INTEGER,      1,   OUR_MESSAGE,
        TAG_EXTENDED_REQUEST, 2 + NAME,         TAG_REQUEST_NAME, NAME};
    p->asked = true;
    starttls_say(io, head, sizeof head);
    starttls_say_text(io, START_TLS);
}

/* The result code is followed by a name and what the server has to say about it. */
static enum starttls_result refused(uint32_t code, struct ber *rest, struct err *e)
{
    char quoted[120];
    struct ber name, said = {NULL, 0};
    if (!ber_take(rest, TAG_OCTETS, &name) || !ber_take(rest, TAG_OCTETS, &said))
        said.left = 0;
    return starttls_fail(e, "the server refuses StartTLS: result %u \"%s\"", code,
                         starttls_quote(said.at, said.left, quoted, sizeof quoted));
}

static enum starttls_result answered(struct starttls *p, struct starttls_io *io, struct err *e)
{
    struct ber operation;
    uint32_t number, code;
    (void)io;
    if (!open_message(p, TAG_EXTENDED_RESPONSE, &number, &operation) ||
        !ber_number(&operation, TAG_ENUMERATED, &code))
        return starttls_fail(e, "the server's answer is not an extended response");
    if (number != OUR_MESSAGE && number != 0)
        return starttls_fail(e, "the server answers message %u, which wasn't sent", number);
    if (number == 0 || code != 0) /* 0: it says that it disconnects (4.4.1) */
        return refused(code, &operation, e);
    return STARTTLS_DONE;
}

/* Success, no name, nothing to say. A number has as few bytes as its sign allows (X.690 8.3.2). */
static void answer(struct starttls_io *io, uint32_t number)
{
    static const uint8_t success[] = {
        TAG_EXTENDED_RESPONSE, 7, TAG_ENUMERATED, 1, 0, TAG_OCTETS, 0, TAG_OCTETS, 0};
    unsigned bytes = 1;
    while (bytes < 4 && number >> (8 * bytes - 1))
        bytes++;
    const uint8_t head[] = {TAG_SEQUENCE, (uint8_t)(2 + bytes + sizeof success), TAG_INTEGER,
                            (uint8_t)bytes};
    starttls_say(io, head, sizeof head);
    while (bytes--) {
        uint8_t byte = (uint8_t)(number >> 8 * bytes);
        starttls_say(io, &byte, 1);
    }
    starttls_say(io, success, sizeof success);
}

static enum starttls_result asked(struct starttls *p, struct starttls_io *io, struct err *e)
{
    struct ber operation, name;
    uint32_t number;
    if (!open_message(p, TAG_EXTENDED_REQUEST, &number, &operation) ||
        !ber_take(&operation, TAG_REQUEST_NAME, &name) || name.left != sizeof START_TLS - 1 ||
        memcmp(name.at, START_TLS, name.left) != 0)
        return starttls_fail(e, "the client asks for something else than StartTLS");
    answer(io, number);
    return STARTTLS_DONE;
}

const struct starttls_role starttls_ldap[2] = {
    [STARTTLS_CLIENT] = {.framing = FRAME_BER, .start = ask, .heard = answered},
    [STARTTLS_SERVER] = {.framing = FRAME_BER, .heard = asked},
};
