/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "base/check.h"

#include <string.h>

size_t record_end(const struct wire_out *out, size_t at)
{
    if (at + RECORD_HEADER_BYTES > out->used)
        return 0;
    const uint8_t *header = out->bytes + at;
    size_t end = at + RECORD_HEADER_BYTES + (size_t)(header[3] << 8 | header[4]);
    return end <= out->used ? end : 0;
}

void record_put(struct wire_out *out, enum record_type type, unsigned version, const void *body,
                size_t count)
{
    CHECK(count <= UINT16_MAX);
    if (sizeof out->bytes - out->used < RECORD_HEADER_BYTES + count)
        return;
    uint8_t *to = out->bytes + out->used;
    to[0] = (uint8_t)type;
    to[1] = (uint8_t)(version >> 8);
    to[2] = (uint8_t)version;
    to[3] = (uint8_t)(count >> 8);
    to[4] = (uint8_t)count;
    if (count)
        memcpy(to + RECORD_HEADER_BYTES, body, count);
    out->used += RECORD_HEADER_BYTES + count;
}

static void put_parts(struct wire_out *to, const uint8_t *record, size_t piece)
{
    unsigned version = (unsigned)(record[1] << 8 | record[2]);
    size_t left = (size_t)(record[3] << 8 | record[4]);
    const uint8_t *body = record + RECORD_HEADER_BYTES;
    while (left > 0) {
        size_t count = left < piece ? left : piece;
        record_put(to, RECORD_HANDSHAKE, version, body, count);
        body += count;
        left -= count;
    }
}

bool records_split(const struct wire_out *from, size_t piece, struct wire_out *to)
{
    size_t parts = 0, at = 0, end;
    CHECK(piece > 0);
    while ((end = record_end(from, at)) && from->bytes[at] == RECORD_HANDSHAKE) {
        parts += (end - at) / piece + 1;
        at = end;
    }
    if (from->used + parts * RECORD_HEADER_BYTES > sizeof to->bytes)
        return false;
    size_t whole = at;
    to->used = 0;
    for (at = 0; at < whole; at = record_end(from, at))
        put_parts(to, from->bytes + at, piece);
    memcpy(to->bytes + to->used, from->bytes + whole, from->used - whole);
    to->used += from->used - whole;
    return true;
}

bool records_damage_last(struct wire_out *out, enum record_type type)
{
    size_t at = 0, end, found = 0;
    while ((end = record_end(out, at))) {
        if (out->bytes[at] == type && end > at + RECORD_HEADER_BYTES)
            found = end;
        at = end;
    }
    if (found)
        out->bytes[found - 1] ^= 1;
    return found > 0;
}

enum {
    HELLO_MAX = 112 + HELLO_EXTENSIONS_MAX,
    HELLO_HEADER_BYTES = 4, /* the message's type and length */
    HELLO_TYPE = 1,
    RANDOM_BYTES = 32
};

struct bytes {
    size_t used;
    uint8_t at[HELLO_MAX];
};

static void put(struct bytes *b, size_t value, size_t width)
{
    CHECK(b->used + width <= sizeof b->at);
    while (width-- > 0)
        b->at[b->used++] = (uint8_t)(value >> 8 * width);
}

static void put_extensions(struct bytes *b, const struct hello_extensions *e)
{
    if (e->count == 0)
        return;
    put(b, e->claimed ? e->claimed : e->count, 2);
    CHECK(b->used + e->count <= sizeof b->at);
    memcpy(b->at + b->used, e->bytes, e->count);
    b->used += e->count;
}

void hello_put(struct wire_out *out, unsigned version, const uint16_t suites[2],
               const struct hello_extensions *extensions)
{
    struct bytes b = {.used = HELLO_HEADER_BYTES};
    put(&b, version, 2);
    b.used += RANDOM_BYTES;
    put(&b, 0, 1); /* no session */
    put(&b, 4, 2);
    put(&b, suites[0], 2);
    put(&b, suites[1], 2);
    put(&b, 1, 1);
    put(&b, 0, 1); /* no compression */
    put_extensions(&b, extensions);
    size_t body = b.used - HELLO_HEADER_BYTES;
    b.at[0] = HELLO_TYPE;
    b.at[2] = (uint8_t)(body >> 8);
    b.at[3] = (uint8_t)body;
    record_put(out, RECORD_HANDSHAKE, RECORD_VERSION, b.at, b.used);
}
