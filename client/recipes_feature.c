/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for in the ClientHello and shown as certificate is feature_hello.c's; here is what
 * is done between the echoed message and being held: KeyUpdates, renegotiations, and what the
 * server is asked to do by its requests (docs/reference/protocol.md). `repeats` of the recipe says
 * how often.
 */
#include "feature_hello.h"
#include "hello_send.h"
#include "peer.h"
#include "peer_tls.h"
#include "recipe.h"
#include "tls/context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static const char done[] = "soak:done\n";
/* Not a request: it is echoed. */
static const char under_new_keys[] = "under new keys\n";

static enum step fail(struct peer *p, const char *what)
{
    return peer_fail(p, PEER_FAIL_ECHO, "%s: %s", behaviour_name((int)p->behaviour), what);
}

/* `step` counts what was said and what was heard in turn. Whether it is now ours to say. */
static bool is_our_turn(const struct peer *p)
{
    return p->step % 2 == 0;
}

static enum step hear(struct peer *p, const char *expected, const uint8_t *bytes, size_t count)
{
    if (is_our_turn(p) || count != strlen(expected) || memcmp(bytes, expected, count) != 0)
        return peer_fail(p, PEER_FAIL_ECHO, "%s: the server answers '%.*s'",
                         behaviour_name((int)p->behaviour), (int)(count < 40 ? count : 40),
                         (const char *)bytes);
    p->step++;
    return STEP_STAY;
}

static enum step say_request(struct peer *p)
{
    static const char *const word[BEHAVIOUR_COUNT] = {
        [BEHAVIOUR_KEY_UPDATE_ASKED] = "update",
        [BEHAVIOUR_TICKETS_ASKED] = "ticket",
        [BEHAVIOUR_RENEGOTIATE_ASKED] = "renegotiate",
    };
    char line[64] = "soak:auth\n";
    if (word[p->behaviour])
        snprintf(line, sizeof line, "soak:%s %u\n", word[p->behaviour], p->recipe->repeats);
    return peer_tls_say(p, line);
}

/* A certificate is asked for once per request, all else as often as the request says. */
static unsigned requests_of(const struct peer *p)
{
    return p->behaviour == BEHAVIOUR_AUTH_LATER ? p->recipe->repeats : 1;
}

static enum step request(struct peer *p)
{
    if (p->step >= 2 * requests_of(p))
        return STEP_ON;
    if (!is_our_turn(p))
        return STEP_STAY;
    p->step++;
    return say_request(p);
}

static enum step answered(struct peer *p, const uint8_t *bytes, size_t count)
{
    return hear(p, done, bytes, count);
}

/* A server that doesn't echo answers a KeyUpdate with the next that it has to say. */
static enum step update_unheard(struct peer *p)
{
    for (unsigned i = 0; i < p->recipe->repeats; i++) {
        ERR_clear_error();
        if (SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
            return fail(p, "OpenSSL refuses to update the keys");
        if (peer_tls_do_handshake(p) == STEP_FAIL)
            return STEP_FAIL;
    }
    return STEP_ON;
}

static enum step update(struct peer *p)
{
    if (p->step >= 2 * p->recipe->repeats)
        return STEP_ON;
    if (!is_our_turn(p))
        return STEP_STAY;
    if (p->shared->talk->kind != TALK_ECHO)
        return update_unheard(p);
    p->step++;
    ERR_clear_error();
    if (SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        return peer_tls_say(p, under_new_keys);
    ERR_clear_error();
    return fail(p, "OpenSSL refuses to update the keys");
}

static enum step updated(struct peer *p, const uint8_t *bytes, size_t count)
{
    return hear(p, under_new_keys, bytes, count);
}

static int prepare_tls12(struct peer *p)
{
    return SSL_set_max_proto_version(p->ssl, TLS1_2_VERSION) ? 0 : -1;
}

static int prepare_status(struct peer *p)
{
    return prepare_tls12(p) < 0 ? -1 : hello_prepare_huge(p);
}

static int prepare_tls13(struct peer *p)
{
    return SSL_set_min_proto_version(p->ssl, TLS1_3_VERSION) ? 0 : -1;
}

/* Writes the ClientHello; the rest of the handshake is SSL_read's, as its messages arrive. */
static enum step begin_again(struct peer *p)
{
    ERR_clear_error();
    int rc = SSL_renegotiate(p->ssl) == 1 ? SSL_do_handshake(p->ssl) : 0;
    bool begun = rc != 1 && SSL_get_error(p->ssl, rc) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return begun ? STEP_STAY : fail(p, "OpenSSL refuses to renegotiate");
}

static enum step renegotiate(struct peer *p)
{
    if (SSL_renegotiate_pending(p->ssl) || SSL_in_init(p->ssl))
        return STEP_STAY;
    if (p->step >= p->recipe->repeats)
        return STEP_ON;
    p->step++;
    return begin_again(p);
}

static const char *no_tickets(void)
{
    return OpenSSL_version_num() >= 0x30000000L
               ? NULL
               : "OpenSSL 1.1.1 sends tickets in the handshake only, and the server has the same";
}

/* Enough that something kept per message shows beside what is kept per connection. */
enum { UPDATES = 8, RENEGOTIATIONS = 3, TICKETS = 8, AUTHENTICATIONS = 3 };

/* None takes part in --resume: what it is about happens in full handshakes, and a session that was
 * made with it (RFC 6066 4: a maximum fragment) is refused to a connection without it. */
#define HELLO                                                                                      \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true,                         \
        .prepare = feature_hello_prepare, .work = feature_hello_check                              \
    }
#define HELLO_REFUSED(the_alert)                                                                   \
    {                                                                                              \
        .end = RECIPE_REFUSED, .alert = the_alert, .no_offer = true, .own_sessions = true,         \
        .prepare = feature_hello_prepare, .work = feature_hello_check                              \
    }
#define CERT(the_prepare)                                                                          \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true, .prepare = the_prepare  \
    }
#define CERT_REFUSED(the_prepare, the_alert, tls12)                                                \
    {                                                                                              \
        .end = RECIPE_REFUSED, .alert = the_alert, .alert_tls12 = tls12, .no_offer = true,         \
        .own_sessions = true, .prepare = the_prepare                                               \
    }
#define REQUEST(the_prepare, times)                                                                \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true, .repeats = times,       \
        .prepare = the_prepare, .work = request, .heard = answered                                 \
    }
#define RENEGOTIATE(the_end, the_prepare)                                                          \
    {                                                                                              \
        .end = the_end, .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true,         \
        .repeats = RENEGOTIATIONS, .prepare = the_prepare, .work = renegotiate                     \
    }

const struct recipe recipes_feature[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_SNI_OTHER] = HELLO,
    [BEHAVIOUR_SNI_UNKNOWN] = HELLO,
    [BEHAVIOUR_SNI_REFUSED] = HELLO_REFUSED(SSL_AD_UNRECOGNIZED_NAME),
    [BEHAVIOUR_ALPN_MATCH] = HELLO,
    [BEHAVIOUR_ALPN_NONE] = HELLO,
    [BEHAVIOUR_ALPN_MISMATCH] = HELLO_REFUSED(SSL_AD_NO_APPLICATION_PROTOCOL),
    [BEHAVIOUR_OCSP_NONE] = HELLO,
    [BEHAVIOUR_OCSP_GOOD] = HELLO,
    /* Our own OpenSSL ends it: it can't keep a status of no bytes. */
    [BEHAVIOUR_OCSP_EMPTY] = HELLO_REFUSED(0),
    [BEHAVIOUR_OCSP_LARGE] = HELLO,
    [BEHAVIOUR_HELLO_RETRY] = HELLO,
    [BEHAVIOUR_GROUP_X25519] = HELLO,
    [BEHAVIOUR_GROUP_P256] = HELLO,
    [BEHAVIOUR_GROUP_P384] = HELLO,
    [BEHAVIOUR_GROUP_ML_KEM] = {.exit = EXIT_CLOSE_NOTIFY,
                                .no_offer = true,
                                .own_sessions = true,
                                .unable = feature_hello_no_ml_kem,
                                .prepare = feature_hello_prepare,
                                .work = feature_hello_check},
    [BEHAVIOUR_KEY_RSA] = HELLO,
    [BEHAVIOUR_KEY_ECDSA] = HELLO,
    [BEHAVIOUR_CIPHER_AES128] = HELLO,
    [BEHAVIOUR_CIPHER_CHACHA20] = HELLO,
    [BEHAVIOUR_CIPHER_CBC] = HELLO,
    [BEHAVIOUR_MAX_FRAGMENT_512] = HELLO,
    [BEHAVIOUR_PADDED_RECORDS] = HELLO,
    [BEHAVIOUR_CERT_NONE] = CERT(feature_certs_prepare_none),
    [BEHAVIOUR_CERT_MISSING] = CERT_REFUSED(feature_certs_prepare_none, SSL_AD_CERTIFICATE_REQUIRED,
                                            SSL_AD_HANDSHAKE_FAILURE),
    [BEHAVIOUR_CERT_GOOD] = CERT(feature_certs_prepare),
    [BEHAVIOUR_CERT_EXPIRED] = CERT_REFUSED(feature_certs_prepare, SSL_AD_CERTIFICATE_EXPIRED, 0),
    [BEHAVIOUR_CERT_UNKNOWN_CA] = CERT_REFUSED(feature_certs_prepare, SSL_AD_UNKNOWN_CA, 0),
    [BEHAVIOUR_CERT_LONG_CHAIN] = CERT(feature_certs_prepare),
    [BEHAVIOUR_CERT_OVER_LONG_CHAIN] = CERT_REFUSED(feature_certs_prepare, SSL_AD_UNKNOWN_CA, 0),
    [BEHAVIOUR_AUTH_LATER] = REQUEST(feature_certs_prepare_later, AUTHENTICATIONS),
    [BEHAVIOUR_AUTH_LATER_NONE] = {.end = RECIPE_REFUSED,
                                   .alert = SSL_AD_CERTIFICATE_REQUIRED,
                                   .no_offer = true,
                                   .own_sessions = true,
                                   .prepare = feature_certs_prepare_later_none,
                                   .work = request,
                                   .heard = answered},
    [BEHAVIOUR_KEY_UPDATE] = {.exit = EXIT_CLOSE_NOTIFY,
                              .no_offer = true,
                              .own_sessions = true,
                              .repeats = UPDATES,
                              .prepare = prepare_tls13,
                              .work = update,
                              .heard = updated},
    [BEHAVIOUR_KEY_UPDATE_ASKED] = REQUEST(prepare_tls13, UPDATES),
    [BEHAVIOUR_TICKETS_ASKED] = {.exit = EXIT_CLOSE_NOTIFY,
                                 .no_offer = true,
                                 .own_sessions = true,
                                 .repeats = TICKETS,
                                 .unable = no_tickets,
                                 .prepare = prepare_tls13,
                                 .work = request,
                                 .heard = answered},
    [BEHAVIOUR_RENEGOTIATE] = RENEGOTIATE(RECIPE_HELD, prepare_tls12),
    [BEHAVIOUR_RENEGOTIATE_STATUS] = RENEGOTIATE(RECIPE_HELD, prepare_status),
    [BEHAVIOUR_RENEGOTIATE_REFUSED] = RENEGOTIATE(RECIPE_REFUSED, prepare_tls12),
    [BEHAVIOUR_RENEGOTIATE_ASKED] = REQUEST(prepare_tls12, RENEGOTIATIONS),
};
