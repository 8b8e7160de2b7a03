/* SPDX-License-Identifier: Apache-2.0 */
#include "feature_hello.h"

#include "tls/client_certs.h"
#include "tls/context_features.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define ML_KEM "X25519MLKEM768"

static const char own_signatures[] = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256";

/* Of a protocol that no one speaks. */
static const char unknown_protocol[] = "soak-unknown";

enum alpn { ALPN_AS_GIVEN, ALPN_NONE, ALPN_LATER_MATCH, ALPN_MISMATCH };
enum status { STATUS_NOT_ASKED, STATUS_NONE, STATUS_GOOD, STATUS_EMPTY, STATUS_LARGE };

enum { STATUS_LARGE_FROM = 16000, PADDED_TO = 4096 };

/* What a connection asks for. Zero and NULL: as usual. */
struct ask {
    int version;          /* the only one */
    bool own_certificate; /* the name has a certificate that bears it */
    uint8_t fragment;     /* TLSEXT_max_fragment_length_... */
    const char *name;
    const char *group;            /* of the key exchange */
    const char *others;           /* groups after it; it is then to be turned down */
    const char *ciphers, *suites; /* of TLS 1.2 and of TLS 1.3 */
    const char *signatures;
    size_t padding;
    int group_type, group_bits;
    int key_type; /* of the server's certificate */
    enum alpn alpn;
    enum status status;
};

static const struct ask table[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_SNI_OTHER] = {.name = CONTEXT_OTHER_NAME, .own_certificate = true},
    [BEHAVIOUR_SNI_UNKNOWN] = {.name = "unknown.invalid"},
    [BEHAVIOUR_SNI_REFUSED] = {.name = "unknown.invalid"},
    [BEHAVIOUR_ALPN_MATCH] = {.alpn = ALPN_LATER_MATCH},
    [BEHAVIOUR_ALPN_NONE] = {.alpn = ALPN_NONE},
    [BEHAVIOUR_ALPN_MISMATCH] = {.alpn = ALPN_MISMATCH},
    [BEHAVIOUR_OCSP_NONE] = {.status = STATUS_NONE},
    [BEHAVIOUR_OCSP_GOOD] = {.status = STATUS_GOOD},
    [BEHAVIOUR_OCSP_EMPTY] = {.status = STATUS_EMPTY},
    [BEHAVIOUR_OCSP_LARGE] = {.status = STATUS_LARGE},
    [BEHAVIOUR_HELLO_RETRY] = {.version = TLS1_3_VERSION,
                               .group = "X448",
                               .others = "X25519:P-256:P-384:P-521",
                               .group_type = EVP_PKEY_X448,
                               .group_bits = 448},
    [BEHAVIOUR_GROUP_X25519] = {.group = "X25519",
                                .group_type = EVP_PKEY_X25519,
                                .group_bits = 253},
    [BEHAVIOUR_GROUP_P256] = {.group = "P-256", .group_type = EVP_PKEY_EC, .group_bits = 256},
    [BEHAVIOUR_GROUP_P384] = {.group = "P-384", .group_type = EVP_PKEY_EC, .group_bits = 384},
    [BEHAVIOUR_GROUP_ML_KEM] = {.version = TLS1_3_VERSION, .group = ML_KEM},
    [BEHAVIOUR_KEY_RSA] = {.signatures = "RSA-PSS+SHA256:RSA+SHA256", .key_type = EVP_PKEY_RSA},
    [BEHAVIOUR_KEY_ECDSA] = {.signatures = "ECDSA+SHA256", .key_type = EVP_PKEY_EC},
    [BEHAVIOUR_CIPHER_AES128] = {.ciphers =
                                     "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
                                 .suites = "TLS_AES_128_GCM_SHA256"},
    [BEHAVIOUR_CIPHER_CHACHA20] = {.ciphers =
                                       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
                                   .suites = "TLS_CHACHA20_POLY1305_SHA256"},
    [BEHAVIOUR_CIPHER_CBC] = {.version = TLS1_2_VERSION,
                              .ciphers = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"},
    [BEHAVIOUR_MAX_FRAGMENT_512] = {.fragment = TLSEXT_max_fragment_length_512},
    [BEHAVIOUR_PADDED_RECORDS] = {.version = TLS1_3_VERSION, .padding = PADDED_TO},
};

static size_t put_name(unsigned char *to, const char *name, size_t length)
{
    to[0] = (unsigned char)length;
    memcpy(to + 1, name, length);
    return length + 1;
}

/* The last name of the server's `a,b`. */
static const char *last_protocol(const char *list)
{
    const char *comma = strrchr(list, ',');
    return comma ? comma + 1 : list;
}

static int ask_protocol(const struct peer *p, enum alpn alpn)
{
    unsigned char wire[sizeof unknown_protocol + 256];
    const char *known = p->shared->alpn ? last_protocol(p->shared->alpn) : "";
    size_t used = put_name(wire, unknown_protocol, sizeof unknown_protocol - 1);
    if (alpn == ALPN_AS_GIVEN)
        return 0;
    if (alpn == ALPN_NONE) {
        /* OpenSSL 1.1.1 takes no bytes for a failure, and offers none as it is asked to. */
        SSL_set_alpn_protos(p->ssl, NULL, 0);
        ERR_clear_error();
        return 0;
    }
    if (alpn == ALPN_LATER_MATCH) {
        if (!*known || strlen(known) > 255)
            return -1;
        used += put_name(wire + used, known, strlen(known));
    }
    return SSL_set_alpn_protos(p->ssl, wire, (unsigned)used) == 0 ? 0 : -1;
}

static int ask_version(SSL *ssl, int version)
{
    if (!version)
        return 0;
    return SSL_set_min_proto_version(ssl, version) && SSL_set_max_proto_version(ssl, version) ? 0
                                                                                              : -1;
}

/* In TLS 1.2 the groups are those of the certificate's key, too, which may be P-256. */
static int ask_group(SSL *ssl, const struct ask *a)
{
    char list[64];
    bool tls12 = SSL_get_max_proto_version(ssl) == TLS1_2_VERSION;
    const char *others = a->others ? a->others : tls12 ? "P-256" : NULL;
    bool more = others && strcmp(others, a->group) != 0;
    snprintf(list, sizeof list, "%s%s%s", a->group, more ? ":" : "", more ? others : "");
    return SSL_set1_groups_list(ssl, list) ? 0 : -1;
}

static int ask_algorithms(SSL *ssl, const struct ask *a)
{
    if (a->group && ask_group(ssl, a) < 0)
        return -1;
    if (a->ciphers && !SSL_set_cipher_list(ssl, a->ciphers))
        return -1;
    if (a->suites && !SSL_set_ciphersuites(ssl, a->suites))
        return -1;
    if (!a->signatures)
        return 0;
    /* What the server may sign with; our own certificate may be of the other kind. */
    return SSL_set1_sigalgs_list(ssl, a->signatures) &&
                   SSL_set1_client_sigalgs_list(ssl, own_signatures)
               ? 0
               : -1;
}

static int ask_extensions(SSL *ssl, const struct ask *a)
{
    if (a->name && !SSL_set_tlsext_host_name(ssl, a->name))
        return -1;
    if (a->status && !SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp))
        return -1;
    if (a->fragment && !SSL_set_tlsext_max_fragment_length(ssl, a->fragment))
        return -1;
    return !a->padding || SSL_set_block_padding(ssl, a->padding) ? 0 : -1;
}

int feature_hello_prepare(struct peer *p)
{
    const struct ask *a = &table[p->behaviour];
    ERR_clear_error();
    int rc = ask_version(p->ssl, a->version) == 0 && ask_algorithms(p->ssl, a) == 0 &&
                     ask_extensions(p->ssl, a) == 0 && ask_protocol(p, a->alpn) == 0
                 ? 0
                 : -1;
    ERR_clear_error();
    return rc;
}

static X509 *certificate_of(const SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return SSL_get1_peer_certificate(ssl);
#else
    return SSL_get_peer_certificate(ssl);
#endif
}

static const char *wrong_certificate(const SSL *ssl, const struct ask *a)
{
    X509 *cert = certificate_of(ssl);
    const char *wrong = NULL;
    if (!cert)
        return "the server has shown no certificate";
    if (a->own_certificate && X509_check_host(cert, a->name, 0, 0, NULL) != 1)
        wrong = "the server's certificate is of another name";
    if (a->key_type && EVP_PKEY_base_id(X509_get0_pubkey(cert)) != a->key_type)
        wrong = "the server's certificate has a key of the other kind";
    X509_free(cert);
    return wrong;
}

/* A hybrid's key isn't to be had; as the only group offered it was taken, or nothing was. */
static const char *wrong_group(SSL *ssl, const struct ask *a)
{
    EVP_PKEY *key = NULL;
    if (!a->group_type)
        return NULL;
    if (!SSL_get_server_tmp_key(ssl, &key))
        return "the key exchange was none of the groups'";
    bool taken = EVP_PKEY_base_id(key) == a->group_type && EVP_PKEY_bits(key) == a->group_bits;
    EVP_PKEY_free(key);
    if (a->others)
        return taken ? "the server took the first key share; leave X448 out of --groups" : NULL;
    return taken ? NULL : "the server chose another group";
}

static const char *wrong_status(SSL *ssl, enum status asked)
{
    const unsigned char *bytes = NULL;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
    bool stapled = bytes && length > 0;
    switch (asked) {
    case STATUS_NOT_ASKED:
        break;
    case STATUS_NONE:
        return stapled ? "the server has stapled a status" : NULL;
    case STATUS_GOOD:
        return stapled && length < STATUS_LARGE_FROM ? NULL : "the server has stapled no status";
    case STATUS_EMPTY: /* is refused before this */
        return "OpenSSL has taken a status without content";
    case STATUS_LARGE:
        return stapled && length >= STATUS_LARGE_FROM ? NULL
                                                      : "the server has stapled no large status";
    }
    return NULL;
}

static const char *wrong_protocol(const struct peer *p, enum alpn asked)
{
    const unsigned char *name = NULL;
    unsigned length = 0;
    if (asked == ALPN_AS_GIVEN)
        return NULL;
    SSL_get0_alpn_selected(p->ssl, &name, &length);
    const char *known = asked == ALPN_LATER_MATCH ? last_protocol(p->shared->alpn) : "";
    bool same = length == strlen(known) && (!length || memcmp(name, known, length) == 0);
    return same ? NULL : "the server chose another protocol";
}

static const char *first_wrong(const struct peer *p, const struct ask *a)
{
    const SSL_SESSION *session = SSL_get_session(p->ssl);
    const char *what = NULL;
    if (a->own_certificate || a->key_type)
        what = wrong_certificate(p->ssl, a);
    if (!what)
        what = wrong_group(p->ssl, a);
    if (!what)
        what = wrong_status(p->ssl, a->status);
    if (!what)
        what = wrong_protocol(p, a->alpn);
    if (!what && a->fragment && SSL_SESSION_get_max_fragment_length(session) != a->fragment)
        what = "the server hasn't agreed to smaller fragments";
    return what;
}

enum step feature_hello_check(struct peer *p)
{
    ERR_clear_error();
    const char *what = first_wrong(p, &table[p->behaviour]);
    ERR_clear_error();
    if (!what)
        return STEP_ON;
    return peer_fail(p, PEER_FAIL_HANDSHAKE, "%s: %s", behaviour_name((int)p->behaviour), what);
}

const char *feature_hello_no_ml_kem(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool known = ctx && SSL_CTX_set1_groups_list(ctx, ML_KEM);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return known ? NULL : "this OpenSSL has no " ML_KEM ", which came with 3.5";
}

static enum client_cert_kind kind_of(enum behaviour behaviour)
{
    static const enum client_cert_kind kinds[BEHAVIOUR_COUNT] = {
        [BEHAVIOUR_CERT_EXPIRED] = CLIENT_CERT_EXPIRED,
        [BEHAVIOUR_CERT_UNKNOWN_CA] = CLIENT_CERT_UNKNOWN_CA,
        [BEHAVIOUR_CERT_LONG_CHAIN] = CLIENT_CERT_LONG_CHAIN,
        [BEHAVIOUR_CERT_OVER_LONG_CHAIN] = CLIENT_CERT_OVER_LONG_CHAIN,
    };
    return kinds[behaviour]; /* of all others the good one, whose number is 0 */
}

int feature_certs_prepare(struct peer *p)
{
    _Static_assert(CLIENT_CERT_GOOD == 0, "zero is the good one");
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

bool feature_shows_certificate(int (*prepare)(struct peer *p))
{
    return prepare == feature_certs_prepare || prepare == feature_certs_prepare_later;
}

int feature_certs_prepare_later_none(struct peer *p)
{
    return ask_me_later(p->ssl) < 0 ? -1 : feature_certs_prepare_none(p);
}
