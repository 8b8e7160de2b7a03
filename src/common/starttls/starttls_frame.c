/* SPDX-License-Identifier: Apache-2.0 */
#include "starttls_internal.h"

#include <string.h>

static int frame_line(struct starttls *p, struct err *e)
{
    uint8_t byte = p->unit[p->used - 1];
    if (byte == '\0')
        return err_set(e, "a NUL byte in a line");
    if (byte != '\n')
        return 0;
    p->used--;
    if (p->used && p->unit[p->used - 1] == '\r')
        p->used--;
    return 1;
}

/* Text between tags belongs to elements that are of no interest here, but only once the server has
 * opened its stream: before, and from a client, it isn't XMPP at all. */
static int frame_between_tags(struct starttls *p, uint8_t byte, struct err *e)
{
    p->used = 0;
    if (strchr(" \t\r\n", byte) && byte)
        return 0;
    if (p->side == STARTTLS_CLIENT && p->step > 0 && byte)
        return 0;
    return err_set(e, "text where a tag was expected");
}

static int frame_tag(struct starttls *p, struct err *e)
{
    uint8_t byte = p->unit[p->used - 1];
    if (p->used == 1 && byte != '<')
        return frame_between_tags(p, byte, e);
    if (byte == '\0')
        return err_set(e, "a NUL byte in a tag");
    /* RFC 6120 11.1 forbids comments, document types and the like. */
    if (p->used == 2 && byte == '!')
        return err_set(e, "a comment or a declaration, which XMPP forbids");
    if (p->quote) {
        if (byte == (uint8_t)p->quote)
            p->quote = '\0';
        return 0;
    }
    if (byte == '"' || byte == '\'')
        p->quote = (char)byte;
    return byte == '>';
}

static int frame_packet(struct starttls *p, struct err *e)
{
    if (p->used < 4)
        return 0;
    size_t length = p->unit[0] | (size_t)p->unit[1] << 8 | (size_t)p->unit[2] << 16;
    if (length > STARTTLS_UNIT_BYTES - 4)
        return err_set(e, "a packet of %zu bytes, at most %d are expected", length,
                       STARTTLS_UNIT_BYTES - 4);
    return p->used == 4 + length;
}

/* RFC 4511 5.1: lengths are definite. Some servers write short ones in the long form. */
static int frame_ber(struct starttls *p, struct err *e)
{
    if (p->unit[0] != 0x30)
        return err_set(e, "not an LDAP message: it begins with 0x%02x", p->unit[0]);
    if (p->used < 2)
        return 0;
    size_t head = 2, length = p->unit[1];
    if (length & 0x80) {
        head += length & 0x7f;
        if (head == 2 || head > 6)
            return err_set(e, "an LDAP message without a sensible length");
        if (p->used < head)
            return 0;
        length = 0;
        for (size_t i = 2; i < head; i++)
            length = length << 8 | p->unit[i];
    }
    if (length > STARTTLS_UNIT_BYTES - head)
        return err_set(e, "an LDAP message of %zu bytes, at most %zu are expected", length,
                       STARTTLS_UNIT_BYTES - head);
    return p->used >= head + length;
}

int starttls_frame(struct starttls *p, struct err *e)
{
    switch (p->role->framing) {
    case FRAME_LINE:
        return frame_line(p, e);
    case FRAME_TAG:
        return frame_tag(p, e);
    case FRAME_PACKET:
        return frame_packet(p, e);
    case FRAME_BER:
        return frame_ber(p, e);
    case FRAME_FIXED:
        break;
    }
    return p->used == p->role->fixed;
}
