/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "base/check.h"
#include "base/rng.h"
#include "hello_send.h"
#include "leave.h"
#include "peer.h"
#include "records.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* What servers bear with before they end it: OpenSSL 4 warnings (MAX_WARN_ALERT_COUNT), 32 empty
 * records (MAX_EMPTY_RECORDS), and as many ChangeCipherSpec in TLS 1.3. */
enum { WARNINGS = 16, EMPTY_RECORDS = 64, EARLY_CCS = 64, RANDOM_BYTES = 512 };

static struct wire_out *out_of(struct peer *p)
{
    return &p->shared->net.out;
}

static void put_bytes(struct wire_out *out, const void *bytes, size_t count)
{
    CHECK(count <= sizeof out->bytes - out->used);
    memcpy(out->bytes + out->used, bytes, count);
    out->used += count;
}

static void put_many(struct wire_out *out, size_t times, enum record_type type, const char *body,
                     size_t count)
{
    for (size_t i = 0; i < times; i++)
        record_put(out, type, TLS1_2_VERSION, body, count);
}

static void open_plain_http(struct peer *p)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    put_bytes(out_of(p), request, sizeof request - 1);
}

/* No bytes that could begin a record or an SSLv2 ClientHello: the server would wait for its rest.
 */
static void open_random_bytes(struct peer *p)
{
    struct rng rng = {.state = peer_variant(p)};
    uint8_t bytes[RANDOM_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    bytes[0] &= 0x7f;
    bytes[1] |= 0x80;
    put_bytes(out_of(p), bytes, sizeof bytes);
}

/* The message's length is the most that can be said: 16 MiB. */
static void open_oversized_client_hello(struct peer *p)
{
    static const char body[64] = "\x01\xff\xff\xff\x03\x03";
    record_put(out_of(p), RECORD_HANDSHAKE, RECORD_VERSION, body, sizeof body);
}

/* A message that would be within bounds, in a record that is one byte too long. */
static void open_oversized_record(struct peer *p)
{
    static const char body[RECORD_BODY_MAX + 1] = "\x01\x00\x3f\xfd\x03\x03";
    record_put(out_of(p), RECORD_HANDSHAKE, RECORD_VERSION, body, sizeof body);
}

static void open_empty_records(struct peer *p)
{
    put_many(out_of(p), EMPTY_RECORDS, RECORD_HANDSHAKE, NULL, 0);
}

static void open_unexpected_message(struct peer *p)
{
    static const char finished[16] = "\x14\x00\x00\x0c";
    record_put(out_of(p), RECORD_HANDSHAKE, RECORD_VERSION, finished, sizeof finished);
}

#define SUPPORTED_VERSIONS "\x00\x2b\x00\x05\x04\x03\x04\x03\x03"
#define EXTENSIONS(text, length)                                                                   \
    {                                                                                              \
        .bytes = (text), .count = sizeof(text) - 1, .claimed = (length)                            \
    }

static const uint16_t usual_suites[2] = {0x1301, 0xc02b};

static void open_wrong_version(struct peer *p)
{
    static const uint16_t suites[2] = {0xc013, 0x002f};
    hello_put(out_of(p), TLS1_VERSION, suites, &(struct hello_extensions){0});
}

static void open_wrong_record_version(struct peer *p)
{
    static const struct hello_extensions all = EXTENSIONS(SUPPORTED_VERSIONS, 0);
    hello_put(out_of(p), TLS1_2_VERSION, usual_suites, &all);
    out_of(p)->bytes[1] = out_of(p)->bytes[2] = 5;
}

/* Suites that will never be assigned (RFC 8701). */
static void open_no_shared_cipher(struct peer *p)
{
    static const uint16_t suites[2] = {0x0a0a, 0x1a1a};
    static const struct hello_extensions all = EXTENSIONS(SUPPORTED_VERSIONS, 0);
    hello_put(out_of(p), TLS1_2_VERSION, suites, &all);
}

/* In each a length is wrong: of all extensions, of one, and of the list within one. */
static void open_garbage_extensions(struct peer *p)
{
    static const struct hello_extensions garbage[] = {
        EXTENSIONS("\x00\x0a\x00\x04\x00\x02\x00\x17", 100),
        EXTENSIONS("\x00\x0a\x40\x00\x00\x02\x00\x17", 0),
        /* server_name, status_request, supported_groups, signature_algorithms, ALPN */
        EXTENSIONS(SUPPORTED_VERSIONS "\x00\x00\x00\x06\x00\x20\x00\x00\x04"
                                      "a",
                   0),
        EXTENSIONS(SUPPORTED_VERSIONS "\x00\x05\x00\x05\x01\x00\x10\x00\x00", 0),
        EXTENSIONS(SUPPORTED_VERSIONS "\x00\x0a\x00\x05\x00\x03\x00\x17\x00", 0),
        EXTENSIONS(SUPPORTED_VERSIONS "\x00\x0d\x00\x05\x00\x03\x04\x03\x04", 0),
        EXTENSIONS(SUPPORTED_VERSIONS "\x00\x10\x00\x04\x00\x02\x05"
                                      "a",
                   0),
    };
    size_t which = peer_variant(p) % (sizeof garbage / sizeof garbage[0]);
    hello_put(out_of(p), TLS1_2_VERSION, usual_suites, &garbage[which]);
}

/* The second has the version that was agreed on, or it would be refused for that. */
static void transmit_duplicate_hello(struct peer *p)
{
    struct wire_out *out = out_of(p);
    size_t count = out->used - RECORD_HEADER_BYTES;
    if (p->flights++ == 0 && count <= RECORD_BODY_MAX)
        record_put(out, RECORD_HANDSHAKE, TLS1_2_VERSION, out->bytes + RECORD_HEADER_BYTES, count);
}

/* TLS 1.3 knows no other warning (RFC 8446 6.1). Before the ClientHello none would be counted. */
static void transmit_alert_flood(struct peer *p)
{
    static const char warning[] = {1, SSL_AD_USER_CANCELLED};
    if (p->flights++ == 0)
        put_many(out_of(p), WARNINGS, RECORD_ALERT, warning, sizeof warning);
}

/* One is allowed in TLS 1.3, for old middleboxes; in TLS 1.2 none before the keys are agreed. */
static void transmit_early_ccs(struct peer *p)
{
    if (p->flights++ == 0)
        put_many(out_of(p), EARLY_CCS, RECORD_CHANGE_CIPHER_SPEC, "\x01", 1);
}

/* In TLS 1.3 Finished travels as data; as the peer is mute, it is the last of the flight. */
static void transmit_bad_mac_finished(struct peer *p)
{
    bool as_data = p->flights++ > 0 && SSL_version(p->ssl) >= TLS1_3_VERSION;
    if (p->flights < 2 || p->step > 0)
        return;
    if (records_damage_last(out_of(p), as_data ? RECORD_DATA : RECORD_HANDSHAKE))
        p->step++;
}

/* The message is the last record of the first flight that bears it. */
static void transmit_bad_mac_data(struct peer *p)
{
    if (p->state == PEER_ECHO && p->step == 0 && records_damage_last(out_of(p), RECORD_DATA))
        p->step++;
}

/* What the server answers is read as records that aren't encrypted. */

enum { ALERT_FATAL = 2 };

/* The first bytes of the server's answer, which may arrive in parts. */
struct answer {
    size_t used;
    uint8_t bytes[RECORD_ALERT_BYTES];
};

static enum step judge(struct peer *p, struct answer *a)
{
    const uint8_t *level = a->bytes + RECORD_HEADER_BYTES;
    if (a->bytes[0] == RECORD_ALERT && level[0] == ALERT_FATAL)
        return peer_refused(p, level[1]);
    if (a->bytes[0] == RECORD_HANDSHAKE)
        return peer_fail(p, PEER_FAIL_HANDSHAKE,
                         "%s: the server answered what it should have rejected",
                         behaviour_name((int)p->behaviour));
    if (a->bytes[0] == RECORD_ALERT)
        a->used = 0; /* a warning: what it comes to is still to be said */
    return STEP_STAY;
}

/* The recipes' `arrived`: a fatal alert refuses the peer, a handshake message accepts it, which is
 * a failure; after anything else it waits for the server's close. */
static enum step raw_arrived(struct peer *p, const uint8_t *bytes, size_t count)
{
    struct answer *a = p->own;
    enum step step = STEP_STAY;
    if (!a) {
        a = p->own = calloc(1, sizeof *a);
        CHECK(a);
    }
    while (count > 0 && a->used < sizeof a->bytes && step == STEP_STAY) {
        a->bytes[a->used++] = *bytes++;
        count--;
        if (a->used == sizeof a->bytes)
            step = judge(p, a);
    }
    return step;
}

#define RAW(the_open, the_alert)                                                                   \
    {                                                                                              \
        .end = RECIPE_REFUSED, .raw = true, .alert = the_alert, .open = the_open,                  \
        .arrived = raw_arrived                                                                     \
    }
#define REFUSED(the_transmit, the_alert)                                                           \
    {                                                                                              \
        .end = RECIPE_REFUSED, .alert = the_alert, .transmit = the_transmit                        \
    }

const struct recipe recipes_hostile[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_PLAIN_HTTP] = RAW(open_plain_http, 0),
    [BEHAVIOUR_RANDOM_BYTES] = RAW(open_random_bytes, 0),
    [BEHAVIOUR_TRUNCATED_CLIENT_HELLO] = {.end = RECIPE_CUT,
                                          .exit = EXIT_FIN,
                                          .point = POINT_CLIENT_HELLO,
                                          .transmit = hello_transmit_half},
    [BEHAVIOUR_HUGE_CLIENT_HELLO] = {.exit = EXIT_CLOSE_NOTIFY, .prepare = hello_prepare_huge},
    [BEHAVIOUR_OVERSIZED_CLIENT_HELLO] = RAW(open_oversized_client_hello, SSL_AD_ILLEGAL_PARAMETER),
    [BEHAVIOUR_OVERSIZED_RECORD] = RAW(open_oversized_record, SSL_AD_RECORD_OVERFLOW),
    [BEHAVIOUR_FRAGMENTED_CLIENT_HELLO] = {.exit = EXIT_CLOSE_NOTIFY,
                                           .transmit = hello_transmit_fragments},
    [BEHAVIOUR_DRIBBLED_CLIENT_HELLO] = {.exit = EXIT_CLOSE_NOTIFY,
                                         .transmit = hello_transmit_dribble,
                                         .written = hello_written_dribble},
    [BEHAVIOUR_SLOWLORIS] = {.end = RECIPE_REFUSED,
                             .transmit = hello_transmit_slowly,
                             .tick = hello_tick_slowly},
    [BEHAVIOUR_HALF_OPEN] = {.end = RECIPE_REFUSED,
                             .exit = EXIT_STALL,
                             .point = POINT_CONNECTED,
                             .raw = true},
    [BEHAVIOUR_ALERT_FLOOD] = REFUSED(transmit_alert_flood, SSL_AD_UNEXPECTED_MESSAGE),
    [BEHAVIOUR_EMPTY_RECORDS] = RAW(open_empty_records, SSL_AD_UNEXPECTED_MESSAGE),
    [BEHAVIOUR_BAD_MAC_DATA] = {.end = RECIPE_REFUSED,
                                .alert = SSL_AD_BAD_RECORD_MAC,
                                .wordy = true,
                                .transmit = transmit_bad_mac_data},
    [BEHAVIOUR_BAD_MAC_FINISHED] = {.end = RECIPE_REFUSED,
                                    .alert = SSL_AD_BAD_RECORD_MAC,
                                    .mute = true,
                                    .transmit = transmit_bad_mac_finished},
    [BEHAVIOUR_WRONG_VERSION] = RAW(open_wrong_version, SSL_AD_PROTOCOL_VERSION),
    [BEHAVIOUR_WRONG_RECORD_VERSION] = RAW(open_wrong_record_version, 0),
    [BEHAVIOUR_NO_SHARED_CIPHER] = RAW(open_no_shared_cipher, SSL_AD_HANDSHAKE_FAILURE),
    [BEHAVIOUR_UNEXPECTED_MESSAGE] = RAW(open_unexpected_message, SSL_AD_UNEXPECTED_MESSAGE),
    [BEHAVIOUR_DUPLICATE_CLIENT_HELLO] =
        REFUSED(transmit_duplicate_hello, SSL_AD_UNEXPECTED_MESSAGE),
    /* A server that resumes in TLS 1.2 awaits one soon, and answers too many by another alert. */
    [BEHAVIOUR_EARLY_CCS] = {.end = RECIPE_REFUSED,
                             .alert = SSL_AD_UNEXPECTED_MESSAGE,
                             .no_offer = true,
                             .transmit = transmit_early_ccs},
    [BEHAVIOUR_GARBAGE_EXTENSIONS] = RAW(open_garbage_extensions, SSL_AD_DECODE_ERROR),
};

/* The server's time limit ends them; BEHAVIOUR_HALF_OPEN is the one that never says a byte. */
#define STALL(the_point, the_transmit, full)                                                       \
    {                                                                                              \
        .end = RECIPE_REFUSED, .exit = EXIT_STALL, .point = the_point, .transmit = the_transmit,   \
        .no_offer = full                                                                           \
    }

/* In TLS 1.2 only a full handshake has a ClientKeyExchange. */
const struct recipe recipes_stall[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_STALL_CLIENT_HELLO] = STALL(POINT_CLIENT_HELLO, hello_transmit_half, false),
    [BEHAVIOUR_STALL_SERVER_FLIGHT] = STALL(POINT_SERVER_FLIGHT, leave_transmit, false),
    [BEHAVIOUR_STALL_KEY_EXCHANGE] = STALL(POINT_KEY_EXCHANGE, leave_transmit, true),
};
