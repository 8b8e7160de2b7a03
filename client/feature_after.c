/* SPDX-License-Identifier: Apache-2.0 */
#include "feature_after.h"

#include "hello_send.h"
#include "peer_tls.h"
#include "tls/context.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static const char done[] = "soak:done\n";
/* Not a request: it is echoed. */
static const char under_new_keys[] = "under new keys\n";

static void fail(struct peer *p, const char *what)
{
    peer_fail(p, PEER_FAIL_ECHO, "%s: %s", behaviour_name((int)p->behaviour), what);
}

/* `step` counts what was said and what was heard in turn. Whether it is now ours to say. */
static bool is_our_turn(const struct peer *p)
{
    return p->step % 2 == 0;
}

static void hear(struct peer *p, const char *expected, const uint8_t *bytes, size_t count)
{
    if (is_our_turn(p) || count != strlen(expected) || memcmp(bytes, expected, count) != 0)
        peer_fail(p, PEER_FAIL_ECHO, "%s: the server answers '%.*s'",
                  behaviour_name((int)p->behaviour), (int)(count < 40 ? count : 40),
                  (const char *)bytes);
    else
        p->step++;
}

static void say_request(struct peer *p)
{
    static const char *const word[BEHAVIOUR_COUNT] = {
        [BEHAVIOUR_KEY_UPDATE_ASKED] = "update",
        [BEHAVIOUR_TICKETS_ASKED] = "ticket",
        [BEHAVIOUR_RENEGOTIATE_ASKED] = "renegotiate",
    };
    char line[64] = "soak:auth\n";
    if (word[p->behaviour])
        snprintf(line, sizeof line, "soak:%s %u\n", word[p->behaviour], p->recipe->repeats);
    peer_tls_say(p, line);
}

/* A certificate is asked for once per request, all else as often as the request says. */
static unsigned requests_of(const struct peer *p)
{
    return p->behaviour == BEHAVIOUR_AUTH_LATER ? p->recipe->repeats : 1;
}

bool feature_after_request(struct peer *p)
{
    if (p->step >= 2 * requests_of(p))
        return true;
    if (is_our_turn(p)) {
        p->step++;
        say_request(p);
    }
    return false;
}

void feature_after_answered(struct peer *p, const uint8_t *bytes, size_t count)
{
    hear(p, done, bytes, count);
}

bool feature_after_update(struct peer *p)
{
    if (p->step >= 2 * p->recipe->repeats)
        return true;
    if (!is_our_turn(p))
        return false;
    p->step++;
    ERR_clear_error();
    if (SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) == 1) {
        peer_tls_say(p, under_new_keys);
    } else {
        ERR_clear_error();
        fail(p, "OpenSSL refuses to update the keys");
    }
    return false;
}

void feature_after_updated(struct peer *p, const uint8_t *bytes, size_t count)
{
    hear(p, under_new_keys, bytes, count);
}

int feature_after_prepare_tls12(struct peer *p)
{
    return SSL_set_max_proto_version(p->ssl, TLS1_2_VERSION) ? 0 : -1;
}

int feature_after_prepare_status(struct peer *p)
{
    return feature_after_prepare_tls12(p) < 0 ? -1 : hello_prepare_huge(p);
}

int feature_after_prepare_tls13(struct peer *p)
{
    return SSL_set_min_proto_version(p->ssl, TLS1_3_VERSION) ? 0 : -1;
}

/* Writes the ClientHello; the rest of the handshake is SSL_read's, as its messages arrive. */
static void begin_again(struct peer *p)
{
    ERR_clear_error();
    int rc = SSL_renegotiate(p->ssl) == 1 ? SSL_do_handshake(p->ssl) : 0;
    bool begun = rc != 1 && SSL_get_error(p->ssl, rc) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    if (begun)
        peer_flush(p);
    else
        fail(p, "OpenSSL refuses to renegotiate");
}

bool feature_after_renegotiate(struct peer *p)
{
    if (SSL_renegotiate_pending(p->ssl) || SSL_in_init(p->ssl))
        return false;
    if (p->step >= p->recipe->repeats)
        return true;
    p->step++;
    begin_again(p);
    return false;
}

const char *feature_after_no_tickets(void)
{
    return OpenSSL_version_num() >= 0x30000000L
               ? NULL
               : "OpenSSL 1.1.1 sends tickets in the handshake only, and the server has the same";
}
