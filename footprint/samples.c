/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct samples {
    size_t rows, columns;
    uint64_t *sorted; /* owned: room for one row */
    uint64_t *value;  /* owned */
};

int samples_new(size_t rows, size_t columns, struct samples **ret, struct err *e)
{
    struct samples *s = malloc(sizeof *s);
    uint64_t *value = calloc(rows * columns, sizeof *value);
    uint64_t *sorted = calloc(columns, sizeof *sorted);
    if (!s || !value || !sorted) {
        free(s);
        free(value);
        free(sorted);
        return err_set(e, "no memory for %zu figures of %zu connections", rows, columns);
    }
    *s = (struct samples){.rows = rows, .columns = columns, .sorted = sorted, .value = value};
    *ret = s;
    return 0;
}

void samples_free(struct samples *s)
{
    if (!s)
        return;
    free(s->value);
    free(s->sorted);
    free(s);
}

void samples_put(struct samples *s, size_t row, size_t column, uint64_t value)
{
    CHECK(row < s->rows && column < s->columns);
    s->value[row * s->columns + column] = value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t samples_median(const struct samples *s, size_t row)
{
    CHECK(row < s->rows);
    memcpy(s->sorted, s->value + row * s->columns, s->columns * sizeof *s->sorted);
    qsort(s->sorted, s->columns, sizeof *s->sorted, compare);
    return s->sorted[(s->columns - 1) / 2];
}

bool samples_equal(const struct samples *s, size_t row)
{
    CHECK(row < s->rows);
    const uint64_t *value = s->value + row * s->columns;
    for (size_t i = 1; i < s->columns; i++) {
        if (value[i] != value[0])
            return false;
    }
    return true;
}

/* ---- which connections count ---- */

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
static void see_signature(struct sample_filter *f, const uint8_t *length_at, const uint8_t *end)
{
    if (end - length_at < 2)
        return;
    unsigned int length = two_bytes(length_at);
    if (length <= P256_SIGNATURE_MAX && length != P256_SIGNATURE)
        f->unusual = true;
}

/* TLS 1.2: the curve, the point, the algorithm, the signature. */
static void see_exchange(struct sample_filter *f, const uint8_t *message, const uint8_t *end)
{
    if (end - message <= EXCHANGE_POINT_LENGTH || message[BODY] != NAMED_CURVE)
        return;
    const uint8_t *point = message + EXCHANGE_POINT_LENGTH + 1;
    size_t length = message[EXCHANGE_POINT_LENGTH];
    if ((size_t)(end - point) > length + 2)
        see_signature(f, point + length + 2, end);
}

/* As a DER INTEGER a number takes a byte more when its first bit is set, and one less when its
 * first nine aren't. */
static void see_ticket(struct sample_filter *f, const uint8_t *message, const uint8_t *end)
{
    if (end - message < TICKET_AGE_ADD + 4)
        return;
    unsigned int head = two_bytes(message + TICKET_AGE_ADD);
    f->unusual |= head < 0x80;
    f->last_is_high = head >= 0x8000;
    f->high += f->last_is_high;
    f->tickets++;
}

static void on_message(int written, int version, int type, const void *bytes, size_t count,
                       SSL *ssl, void *to)
{
    struct sample_filter *f = to;
    const uint8_t *message = bytes, *end = message + count;
    (void)ssl;
    if (type != SSL3_RT_HANDSHAKE || count < BODY)
        return;
    if (message[0] == SSL3_MT_CERTIFICATE_VERIFY)
        see_signature(f, message + VERIFY_LENGTH, end);
    else if (message[0] == SSL3_MT_SERVER_KEY_EXCHANGE)
        see_exchange(f, message, end);
    else if (message[0] == SSL3_MT_NEWSESSION_TICKET && written && version == TLS1_3_VERSION)
        see_ticket(f, message, end);
}

void sample_filter_watch(struct sample_filter *f, SSL_CTX *server)
{
    SSL_CTX_set_msg_callback(server, on_message);
    SSL_CTX_set_msg_callback_arg(server, f);
}

void sample_filter_begin(struct sample_filter *f)
{
    *f = (struct sample_filter){.unusual = false};
}

/* Half of the tickets, as is commonest, and the last, which the client keeps. */
bool sample_filter_passes(const struct sample_filter *f)
{
    bool usual_tickets = f->last_is_high && f->high == (f->tickets + 1) / 2;
    return !f->unusual && (f->tickets == 0 || usual_tickets);
}
