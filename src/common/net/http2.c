/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http2.h"

#include <string.h>

/* RFC 9113: 6, 11.2 and 7. */
enum type {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    TYPES = 10 /* others may come, and are passed over (4.1) */
};
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };
enum { ENABLE_PUSH = 2, INITIAL_WINDOW_SIZE = 4 };
enum { CANCEL = 8, NO_ERROR = 0 };
enum {
    REQUEST_STREAM = 1,
    FRAME_MAX = HTTP2_ANSWER_MAX,
    WINDOW_FIRST = 65535,
    WINDOW_MOST = 0x7fffffff
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct out {
    uint8_t *to;
    size_t used;
};

static void put(struct out *o, size_t value, size_t width)
{
    while (width-- > 0)
        o->to[o->used++] = (uint8_t)(value >> 8 * width);
}

static void put_bytes(struct out *o, const void *bytes, size_t count)
{
    memcpy(o->to + o->used, bytes, count);
    o->used += count;
}

static void put_header(struct out *o, size_t length, enum type type, int flags, unsigned stream)
{
    put(o, length, 3);
    put(o, type, 1);
    put(o, (size_t)flags, 1);
    put(o, stream, 4);
}

static void put_setting(struct out *o, int setting, size_t value)
{
    put(o, (size_t)setting, 2);
    put(o, value, 4);
}

/* The last of the settings, and what it doesn't hold for: neither a stream nor the connection waits
 * for room. */
static void put_window(struct out *o)
{
    put_setting(o, INITIAL_WINDOW_SIZE, WINDOW_MOST);
    put_header(o, 4, WINDOW_UPDATE, 0, 0);
    put(o, WINDOW_MOST - WINDOW_FIRST, 4);
}

/* A length with a prefix of 7 bits (RFC 7541 5.1), and the octets as they are. */
static void put_string(struct out *o, const char *text, size_t length)
{
    enum { PREFIX = 0x7f, MORE = 0x80 };
    put(o, length < PREFIX ? length : PREFIX, 1);
    if (length >= PREFIX) {
        size_t rest = length - PREFIX;
        for (; rest >= MORE; rest /= MORE)
            put(o, rest % MORE | MORE, 1);
        put(o, rest, 1);
    }
    put_bytes(o, text, length);
}

/* The block comes first into a place of its own: its length stands before it. */
static void put_get(struct out *o, const char *authority)
{
    /* :method GET, :scheme https, :path /, and :authority by name: 2, 7, 4 and 1 of the table. */
    static const uint8_t fields[] = {0x82, 0x87, 0x84, 0x01};
    uint8_t bytes[sizeof fields + 3 + HTTP2_AUTHORITY_MAX];
    struct out block = {.to = bytes};
    size_t length = strnlen(authority, HTTP2_AUTHORITY_MAX);
    put_bytes(&block, fields, sizeof fields);
    put_string(&block, authority, length);
    put_header(o, block.used, HEADERS, END_STREAM | END_HEADERS, REQUEST_STREAM);
    put_bytes(o, bytes, block.used);
}

size_t http2_put_request(uint8_t *to, const char *authority)
{
    struct out o = {.to = to};
    put_bytes(&o, preface, sizeof preface - 1);
    put_header(&o, 12, SETTINGS, 0, 0);
    put_setting(&o, ENABLE_PUSH, 0);
    put_window(&o);
    put_get(&o, authority);
    return o.used;
}

size_t http2_put_reset(uint8_t *to)
{
    struct out o = {.to = to};
    put_header(&o, 4, RST_STREAM, 0, REQUEST_STREAM);
    put(&o, CANCEL, 4);
    return o.used;
}

size_t http2_put_ping(uint8_t *to)
{
    struct out o = {.to = to};
    put_header(&o, 8, PING, 0, 0);
    put_bytes(&o, "soakping", 8);
    return o.used;
}

size_t http2_put_settings_ack(uint8_t *to)
{
    struct out o = {.to = to};
    put_header(&o, 0, SETTINGS, ACK, 0);
    return o.used;
}

size_t http2_put_goaway(uint8_t *to, unsigned last)
{
    struct out o = {.to = to};
    put_header(&o, 8, GOAWAY, 0, 0);
    put(&o, last, 4);
    put(&o, NO_ERROR, 4);
    return o.used;
}

size_t http2_put_hello(uint8_t *to)
{
    struct out o = {.to = to};
    put_header(&o, 6, SETTINGS, 0, 0);
    put_window(&o);
    return o.used + http2_put_settings_ack(to + o.used);
}

size_t http2_put_answer(uint8_t *to, unsigned stream, size_t count)
{
    static const uint8_t ok[] = {0x88}; /* :status 200: 8 of the table */
    struct out o = {.to = to};
    put_header(&o, sizeof ok, HEADERS, END_HEADERS, stream);
    put_bytes(&o, ok, sizeof ok);
    put_header(&o, count, DATA, END_STREAM, stream);
    return o.used;
}

/* ---- what the other end says ---- */

void http2_of_client(struct http2 *h)
{
    *h = (struct http2){.of_client = true, .left = sizeof preface - 1};
}

static unsigned length_of(const struct http2 *h)
{
    return (unsigned)(h->header[0] << 16 | h->header[1] << 8 | h->header[2]);
}

static unsigned stream_of(const struct http2 *h)
{
    const uint8_t *at = h->header + 5;
    return (unsigned)((at[0] & 0x7f) << 24 | at[1] << 16 | at[2] << 8 | at[3]);
}

/* A frame's header is whole: what it says of itself suffices. */
static int take_frame(struct http2 *h, struct err *e)
{
    int flags = h->header[4];
    if (h->of_client && !h->stream && h->header[3] == HEADERS)
        h->stream = stream_of(h);
    bool ours = stream_of(h) == (h->of_client ? h->stream : REQUEST_STREAM);
    switch ((enum type)h->header[3]) {
    case DATA:
    case HEADERS:
        h->answered |= ours && flags & END_STREAM;
        return 0;
    case RST_STREAM:
        return ours && !h->answered ? err_set(e, "the server resets the stream") : 0;
    case SETTINGS:
        if (flags & ACK)
            h->acknowledged = true;
        else
            h->settings++;
        return 0;
    case PING:
        h->pong |= flags & ACK;
        return 0;
    case GOAWAY:
        return h->answered ? 0 : err_set(e, "the server says GOAWAY before its answer");
    case WINDOW_UPDATE:
    case TYPES:
        break;
    }
    return 0;
}

static int begin_payload(struct http2 *h, struct err *e)
{
    bool wrong = !h->begun && h->header[3] != SETTINGS;
    h->begun = true;
    h->have = 0;
    h->left = length_of(h);
    if (wrong || h->left > FRAME_MAX)
        return err_set(e, "the server doesn't speak HTTP/2: a frame of type %d and %u bytes",
                       h->header[3], length_of(h));
    return take_frame(h, e);
}

int http2_hear(struct http2 *h, const uint8_t *bytes, size_t count, struct err *e)
{
    while (count > 0) {
        bool payload = h->left > 0;
        size_t wanted = payload ? h->left : HTTP2_FRAME_HEADER - h->have;
        size_t take = count < wanted ? count : wanted;
        if (payload) {
            h->left -= take;
        } else {
            memcpy(h->header + h->have, bytes, take);
            h->have += take;
        }
        bytes += take;
        count -= take;
        if (h->have == HTTP2_FRAME_HEADER && begin_payload(h, e) < 0)
            return -1;
    }
    return 0;
}
