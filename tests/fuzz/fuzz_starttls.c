/* SPDX-License-Identifier: Apache-2.0 */
/* The dialogues before TLS, and HTTP/2's frames. The first byte says which and which end, the
 * second how long a piece is. */
#include "fuzz.h"
#include "net/http2.h"
#include "starttls/starttls.h"

enum { PIECES_FROM = 2 };

static void http2(bool of_client, const uint8_t *bytes, size_t count, size_t piece)
{
    struct http2 h = {0};
    struct err e = {{0}};
    if (of_client)
        http2_of_client(&h);
    for (size_t at = 0; at < count; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        char *copy = fuzz_text(bytes + at, size);
        int heard = http2_hear(&h, (const uint8_t *)copy, size, &e);
        free(copy);
        if (heard != 0)
            return;
    }
}

static void dialogue(struct starttls *p, const uint8_t *bytes, size_t count, size_t piece)
{
    static uint8_t out[STARTTLS_OUT_BYTES];
    struct starttls_io io = {.out = out};
    struct err e = {{0}};
    enum starttls_result result = STARTTLS_MORE;
    starttls_start(p, &io);
    for (size_t at = 0; at < count && result == STARTTLS_MORE; at += piece) {
        size_t size = count - at < piece ? count - at : piece;
        char *copy = fuzz_text(bytes + at, size);
        io = (struct starttls_io){.in = (const uint8_t *)copy, .in_left = size, .out = out};
        result = starttls_feed(p, &io, &e);
        if (io.out_used > sizeof out || (result == STARTTLS_MORE && io.in_left))
            abort();
        free(copy);
    }
    starttls_asked(p);
    starttls_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < PIECES_FROM)
        return 0;
    size_t piece = 1 + bytes[1];
    int which = bytes[0] / 2 % STARTTLS_PROTOCOLS;
    if (which == STARTTLS_NONE) {
        http2(bytes[0] & 1, bytes + PIECES_FROM, count - PIECES_FROM, piece);
        return 0;
    }
    struct starttls *p =
        starttls_new((enum starttls_protocol)which,
                     bytes[0] & 1 ? STARTTLS_SERVER : STARTTLS_CLIENT, "localhost");
    if (!p)
        abort();
    dialogue(p, bytes + PIECES_FROM, count - PIECES_FROM, piece);
    return 0;
}
