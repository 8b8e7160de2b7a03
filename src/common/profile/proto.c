/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/proto.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, DELIMITED = 2, FIRST_ROOM = 256 };

void proto_fini(struct proto *m)
{
    free(m->data);
    *m = (struct proto){0};
}

static void put(struct proto *m, const void *data, size_t length)
{
    if (m->failed || length == 0)
        return;
    size_t room = m->room ? m->room : FIRST_ROOM;
    while (room - m->used < length)
        room *= 2;
    if (room != m->room) {
        unsigned char *grown = realloc(m->data, room);
        m->failed = !grown;
        if (!grown)
            return;
        m->data = grown;
        m->room = room;
    }
    memcpy(m->data + m->used, data, length);
    m->used += length;
}

void proto_element(struct proto *m, uint64_t value)
{
    unsigned char bytes[10];
    size_t length = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[length++] = (unsigned char)(value | 0x80);
    bytes[length++] = (unsigned char)value;
    put(m, bytes, length);
}

void proto_number(struct proto *m, unsigned field, uint64_t value)
{
    if (value == 0)
        return;
    proto_element(m, (uint64_t)field << 3 | VARINT);
    proto_element(m, value);
}

void proto_bytes(struct proto *m, unsigned field, const void *data, size_t length)
{
    proto_element(m, (uint64_t)field << 3 | DELIMITED);
    proto_element(m, length);
    put(m, data, length);
}

void proto_message(struct proto *m, unsigned field, struct proto *message)
{
    proto_bytes(m, field, message->data, message->used);
    m->failed = m->failed || message->failed;
    message->used = 0;
}
