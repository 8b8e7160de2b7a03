/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_filter.h"

#include <stddef.h>
#include <stdint.h>

/* RFC 8446 B.3 and RFC 5246 7.4: a handshake message is its type, three bytes of length, and: */
enum {
    BODY = 4,
    TICKET_AGE_ADD = BODY + 4,       /* behind the lifetime */
    VERIFY_LENGTH = BODY + 2,        /* behind the algorithm */
    EXCHANGE_POINT_LENGTH = BODY + 3 /* behind the kind and name of the curve */
};
enum { NAMED_CURVE = 3, P256_SIGNATURE = 71, P256_SIGNATURE_MAX = 72 };

static unsigned int two_bytes(const uint8_t *at)
{
    return (unsigned int)at[0] << 8 | at[1];
}

/* A signature by P-256 has 72 bytes at most, other keys' have a fixed length. */
static void see_signature(struct ordinary *o, const uint8_t *length_at, const uint8_t *end)
{
    if (end - length_at < 2)
        return;
    unsigned int length = two_bytes(length_at);
    if (length <= P256_SIGNATURE_MAX && length != P256_SIGNATURE)
        o->unusual = true;
}

/* TLS 1.2: the curve, the point, the algorithm, the signature. */
static void see_exchange(struct ordinary *o, const uint8_t *message, const uint8_t *end)
{
    if (end - message <= EXCHANGE_POINT_LENGTH || message[BODY] != NAMED_CURVE)
        return;
    const uint8_t *point = message + EXCHANGE_POINT_LENGTH + 1;
    size_t length = message[EXCHANGE_POINT_LENGTH];
    if ((size_t)(end - point) > length + 2)
        see_signature(o, point + length + 2, end);
}

/* As a DER INTEGER a number takes a byte more when its first bit is set, and one less when its
 * first nine aren't. */
static void see_ticket(struct ordinary *o, const uint8_t *message, const uint8_t *end)
{
    if (end - message < TICKET_AGE_ADD + 4)
        return;
    unsigned int head = two_bytes(message + TICKET_AGE_ADD);
    o->unusual |= head < 0x80;
    o->last_is_high = head >= 0x8000;
    o->high += o->last_is_high;
    o->tickets++;
}

static void on_message(int written, int version, int type, const void *bytes, size_t count,
                       SSL *ssl, void *to)
{
    struct ordinary *o = to;
    const uint8_t *message = bytes, *end = message + count;
    (void)ssl;
    if (type != SSL3_RT_HANDSHAKE || count < BODY)
        return;
    if (message[0] == SSL3_MT_CERTIFICATE_VERIFY)
        see_signature(o, message + VERIFY_LENGTH, end);
    else if (message[0] == SSL3_MT_SERVER_KEY_EXCHANGE)
        see_exchange(o, message, end);
    else if (message[0] == SSL3_MT_NEWSESSION_TICKET && written && version == TLS1_3_VERSION)
        see_ticket(o, message, end);
}

void ordinary_watch(struct ordinary *o, SSL_CTX *server)
{
    SSL_CTX_set_msg_callback(server, on_message);
    SSL_CTX_set_msg_callback_arg(server, o);
}

void ordinary_begin(struct ordinary *o)
{
    *o = (struct ordinary){.unusual = false};
}

/* Half of the tickets, as is commonest, and the last, which the client keeps. */
bool ordinary_is(const struct ordinary *o)
{
    bool usual_tickets = o->last_is_high && o->high == (o->tickets + 1) / 2;
    return !o->unusual && (o->tickets == 0 || usual_tickets);
}
