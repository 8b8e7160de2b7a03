/* SPDX-License-Identifier: Apache-2.0 */
#include "feature_certs.h"

#include "tls/client_certs.h"

#include <openssl/err.h>

static enum client_cert_kind kind_of(enum behaviour behaviour)
{
    static const enum client_cert_kind table[BEHAVIOUR_COUNT] = {
        [BEHAVIOUR_CERT_EXPIRED] = CLIENT_CERT_EXPIRED,
        [BEHAVIOUR_CERT_UNKNOWN_CA] = CLIENT_CERT_UNKNOWN_CA,
        [BEHAVIOUR_CERT_LONG_CHAIN] = CLIENT_CERT_LONG_CHAIN,
        [BEHAVIOUR_CERT_OVER_LONG_CHAIN] = CLIENT_CERT_OVER_LONG_CHAIN,
    };
    return table[behaviour]; /* of all others the good one, whose number is 0 */
}

int feature_certs_prepare(struct peer *p)
{
    _Static_assert(CLIENT_CERT_GOOD == 0, "the table's zero is the good one");
    const struct client_certs *certs = p->shared->certs;
    ERR_clear_error();
    int rc = certs ? client_certs_show(certs, kind_of(p->behaviour), p->ssl) : -1;
    ERR_clear_error();
    return rc;
}

int feature_certs_prepare_none(struct peer *p)
{
    client_certs_show_none(p->ssl);
    return 0;
}

static int ask_me_later(SSL *ssl)
{
    SSL_set_post_handshake_auth(ssl, 1);
    return SSL_set_min_proto_version(ssl, TLS1_3_VERSION) ? 0 : -1;
}

int feature_certs_prepare_later(struct peer *p)
{
    return ask_me_later(p->ssl) < 0 ? -1 : feature_certs_prepare(p);
}

int feature_certs_prepare_later_none(struct peer *p)
{
    return ask_me_later(p->ssl) < 0 ? -1 : feature_certs_prepare_none(p);
}
