/* SPDX-License-Identifier: Apache-2.0 */
#include "hello.h"

#include "base/check.h"
#include "records.h"

#include <string.h>

enum {
    HELLO_MAX = 512,
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
