/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "feature_after.h"
#include "feature_certs.h"
#include "feature_hello.h"
#include "peer.h"

#include <openssl/ssl.h>

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
        .prepare = the_prepare, .work = feature_after_request, .heard = feature_after_answered     \
    }
#define RENEGOTIATE(the_end, the_prepare)                                                          \
    {                                                                                              \
        .end = the_end, .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true,         \
        .repeats = RENEGOTIATIONS, .prepare = the_prepare, .work = feature_after_renegotiate       \
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
                                   .work = feature_after_request,
                                   .heard = feature_after_answered},
    [BEHAVIOUR_KEY_UPDATE] = {.exit = EXIT_CLOSE_NOTIFY,
                              .no_offer = true,
                              .own_sessions = true,
                              .repeats = UPDATES,
                              .prepare = feature_after_prepare_tls13,
                              .work = feature_after_update,
                              .heard = feature_after_updated},
    [BEHAVIOUR_KEY_UPDATE_ASKED] = REQUEST(feature_after_prepare_tls13, UPDATES),
    [BEHAVIOUR_TICKETS_ASKED] = {.exit = EXIT_CLOSE_NOTIFY,
                                 .no_offer = true,
                                 .own_sessions = true,
                                 .repeats = TICKETS,
                                 .unable = feature_after_no_tickets,
                                 .prepare = feature_after_prepare_tls13,
                                 .work = feature_after_request,
                                 .heard = feature_after_answered},
    [BEHAVIOUR_RENEGOTIATE] = RENEGOTIATE(RECIPE_HELD, feature_after_prepare_tls12),
    [BEHAVIOUR_RENEGOTIATE_STATUS] = RENEGOTIATE(RECIPE_HELD, feature_after_prepare_status),
    [BEHAVIOUR_RENEGOTIATE_REFUSED] = RENEGOTIATE(RECIPE_REFUSED, feature_after_prepare_tls12),
    [BEHAVIOUR_RENEGOTIATE_ASKED] = REQUEST(feature_after_prepare_tls12, RENEGOTIATIONS),
};
