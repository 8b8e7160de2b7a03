/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include "meter.h"
#include "options/limits.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>

enum { TURNS = 16 };

/* Bytes one end has written and the other has yet to read. Empty outside pair_talk. */
static struct wire_out written[FOOTPRINT_END_COUNT];
static char message[LIMIT_FOOTPRINT_PAYLOAD], plain[LIMIT_FOOTPRINT_PAYLOAD];

static int fail(enum footprint_end end, const char *what, struct err *e)
{
    char why[256];
    return err_set(e, "the %s's %s: %s", footprint_end_name(end), what,
                   context_error(why, sizeof why));
}

static int open_end(struct pair *p, enum footprint_end end, struct err *e)
{
    struct pair_end *self = &p->end[end];
    meter_enter(end);
    ERR_clear_error();
    *self = (struct pair_end){.wire = {.out = &written[end]}};
    written[end].used = 0;
    self->ssl = wire_ssl_new(p->contexts->ctx[end], &self->wire, end == FOOTPRINT_SERVER);
    if (!self->ssl)
        return fail(end, "SSL object can't be made", e);
    if (end == FOOTPRINT_CLIENT && p->resume && contexts_offer(p->contexts, self->ssl, e) < 0)
        return -1;
    meter_look(end, FOOTPRINT_NEW);
    return 0;
}

int pair_open(struct pair *p, struct err *e)
{
    int rc = open_end(p, FOOTPRINT_SERVER, e);
    if (rc == 0)
        rc = open_end(p, FOOTPRINT_CLIENT, e);
    meter_enter(METER_NOBODY);
    return rc;
}

/* Whether an SSL call that gave `rc` only waits for the other end. */
static bool waits(const struct pair_end *self, int rc)
{
    return SSL_get_error(self->ssl, rc) == SSL_ERROR_WANT_READ;
}

static int write_all(struct pair *p, enum footprint_end end, const char *bytes, size_t count,
                     struct err *e)
{
    ERR_clear_error();
    return SSL_write(p->end[end].ssl, bytes, (int)count) == (int)count
               ? 0
               : fail(end, "message can't be written", e);
}

/* Returns 1 when the handshake is complete, 0 when it isn't yet, or -1. */
static int do_handshake(struct pair *p, enum footprint_end end, struct err *e)
{
    struct pair_end *self = &p->end[end];
    if (self->handshake_done)
        return 1;
    ERR_clear_error();
    int rc = SSL_do_handshake(self->ssl);
    if (rc != 1)
        return waits(self, rc) ? 0 : fail(end, "handshake failed", e);
    self->handshake_done = true;
    meter_look(end, FOOTPRINT_HANDSHAKE);
    /* In one flight with the last of the handshake, as soak-client does it. */
    if (end == FOOTPRINT_CLIENT && write_all(p, end, message, p->payload, e) < 0)
        return -1;
    return 1;
}

/* The server echoes, the client keeps count. */
static int take_message(struct pair *p, enum footprint_end end, size_t count, struct err *e)
{
    struct pair_end *self = &p->end[end];
    bool first = self->passed == 0;
    if (end == FOOTPRINT_SERVER && write_all(p, end, plain, count, e) < 0)
        return -1;
    self->passed += count;
    if (first)
        meter_look(end, FOOTPRINT_DATA);
    return 0;
}

/* Reads until there is nothing left. */
static int receive(struct pair *p, enum footprint_end end, struct err *e)
{
    struct pair_end *self = &p->end[end];
    int got;
    do {
        ERR_clear_error();
        got = SSL_read(self->ssl, plain, sizeof plain);
        if (got > 0 && take_message(p, end, (size_t)got, e) < 0)
            return -1;
    } while (got > 0);
    if (!waits(self, got))
        return fail(end, "connection failed", e);
    if (self->passed == p->payload && !self->idle) {
        self->idle = true;
        meter_look(end, FOOTPRINT_IDLE);
    }
    return 0;
}

/* Gives an end what the other has written. */
static void hear(struct pair *p, enum footprint_end end, const struct wire_out *from)
{
    p->end[end].wire.in = from->bytes;
    p->end[end].wire.in_left = from->used;
}

static int turn(struct pair *p, enum footprint_end end, struct err *e)
{
    struct wire_out *from = &written[!end];
    meter_enter(end);
    hear(p, end, from);
    int rc = do_handshake(p, end, e);
    if (rc > 0)
        rc = receive(p, end, e);
    meter_enter(METER_NOBODY);
    from->used = 0;
    return rc;
}

int pair_talk(struct pair *p, struct err *e)
{
    for (int i = 0; i < TURNS; i++) {
        if (turn(p, FOOTPRINT_CLIENT, e) < 0 || turn(p, FOOTPRINT_SERVER, e) < 0)
            return -1;
        if (!p->end[FOOTPRINT_CLIENT].idle || !p->end[FOOTPRINT_SERVER].idle)
            continue;
        p->resumed = SSL_session_reused(p->end[FOOTPRINT_SERVER].ssl);
        return 0;
    }
    return err_set(e, "the two ends came to no end in %d turns", TURNS);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static void name_group(SSL *ssl, char *buf, size_t size)
{
    int id = (int)SSL_get_negotiated_group(ssl);
    const char *name = id ? SSL_group_to_name(ssl, id) : NULL;
    if (name)
        snprintf(buf, size, "%s", name);
    else if (id)
        snprintf(buf, size, "0x%04x", (unsigned)id & 0xffff);
}
#else
/* 1.1.1 tells the key alone, and only the client; the names are those of 3.0. */
static void name_group(SSL *ssl, char *buf, size_t size)
{
    EVP_PKEY *key = NULL;
    if (!SSL_get_peer_tmp_key(ssl, &key))
        return;
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
    int kind = ec ? EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) : EVP_PKEY_base_id(key);
    snprintf(buf, size, "%s",
             kind == EVP_PKEY_X25519        ? "x25519"
             : kind == EVP_PKEY_X448        ? "x448"
             : kind == NID_X9_62_prime256v1 ? "secp256r1"
                                            : OBJ_nid2sn(kind));
    EVP_PKEY_free(key);
}
#endif

char *pair_group(const struct pair *p, char *buf, size_t size)
{
    buf[0] = '\0';
    ERR_clear_error();
    name_group(p->end[FOOTPRINT_CLIENT].ssl, buf, size);
    return buf;
}

static int send_close_notify(struct pair *p, enum footprint_end end, bool heard, struct err *e)
{
    struct pair_end *self = &p->end[end];
    meter_enter(end);
    hear(p, end, &written[!end]);
    ERR_clear_error();
    int said = heard && SSL_read(self->ssl, plain, sizeof plain) > 0 ? -1 : 1;
    if (said > 0 && !(SSL_get_shutdown(self->ssl) & SSL_SENT_SHUTDOWN))
        said = SSL_shutdown(self->ssl);
    meter_enter(METER_NOBODY);
    return said < 0 ? fail(end, "close_notify can't be written", e) : 0;
}

int pair_send_close_notify(struct pair *p, struct err *e)
{
    written[FOOTPRINT_SERVER].used = 0;
    if (send_close_notify(p, FOOTPRINT_CLIENT, false, e) < 0 ||
        send_close_notify(p, FOOTPRINT_SERVER, true, e) < 0 ||
        send_close_notify(p, FOOTPRINT_CLIENT, true, e) < 0)
        return -1;
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        if (SSL_get_shutdown(p->end[end].ssl) != (SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN))
            return err_set(e, "the %s didn't end by close_notify both ways",
                           footprint_end_name((enum footprint_end)end));
    }
    return 0;
}

void pair_free_end(struct pair *p, enum footprint_end end)
{
    meter_enter(end);
    ERR_clear_error();
    SSL_free(p->end[end].ssl);
    p->end[end].ssl = NULL;
    meter_enter(METER_NOBODY);
}

void pair_free(struct pair *p)
{
    pair_free_end(p, FOOTPRINT_CLIENT);
    pair_free_end(p, FOOTPRINT_SERVER);
}
