/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/psk.h"

#include <openssl/objects.h>
#include <stdbool.h>
#include <string.h>

enum { KEY_BYTES = sizeof PSK_KEY - 1 };
_Static_assert(KEY_BYTES == 32, "as long as the hash that goes with it");

static const unsigned char key[] = PSK_KEY;
static const unsigned char wrong_key[KEY_BYTES] = "not the key";
static const char stray_identity[] = "stray";
/* TLS_AES_128_GCM_SHA256 (RFC 8446 B.4): the hash of a key without one of its own is SHA-256. */
static const unsigned char suite[] = {0x13, 0x01};

SSL_SESSION *psk_session_new(SSL *ssl, const uint8_t *secret, size_t length)
{
    SSL_SESSION *session = SSL_SESSION_new();
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
    if (session && cipher && SSL_SESSION_set1_master_key(session, secret, length) &&
        SSL_SESSION_set_cipher(session, cipher) &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

/* TLS 1.3, server. An identity that isn't ours may be a ticket: OpenSSL looks at it next. */
static int find_session(SSL *ssl, const unsigned char *identity, size_t length, SSL_SESSION **ret)
{
    *ret = NULL;
    if (length != strlen(PSK_IDENTITY) || memcmp(identity, PSK_IDENTITY, length) != 0)
        return 1;
    *ret = psk_session_new(ssl, key, KEY_BYTES);
    return *ret != NULL;
}

/* TLS 1.2, server. Returns the key's length, 0 for an identity that isn't ours. */
static unsigned int find_key(SSL *ssl, const char *identity, unsigned char *to, unsigned int size)
{
    (void)ssl;
    if (strcmp(identity, PSK_IDENTITY) != 0 || size < KEY_BYTES)
        return 0;
    memcpy(to, key, KEY_BYTES);
    return KEY_BYTES;
}

void psk_serve(SSL_CTX *ctx)
{
    SSL_CTX_set_psk_find_session_callback(ctx, find_session);
    SSL_CTX_set_psk_server_callback(ctx, find_key);
}

/* TLS 1.3, client. After a HelloRetryRequest `hash` is the one that the server has chosen: with
 * another than the key's there is nothing to offer. */
static int use_session(SSL *ssl, const EVP_MD *hash, const unsigned char **identity, size_t *length,
                       SSL_SESSION **ret)
{
    *ret = NULL;
    if (hash && EVP_MD_type(hash) != NID_sha256)
        return 1;
    *ret = psk_session_new(ssl, key, KEY_BYTES);
    *identity = (const unsigned char *)PSK_IDENTITY;
    *length = strlen(PSK_IDENTITY);
    return *ret != NULL;
}

/* TLS 1.2, client. OpenSSL asks here for the ClientHello of TLS 1.3 too, when use_session has
 * nothing; it is answered only where TLS 1.2 needs the key. */
static unsigned int use_key(SSL *ssl, const char *hint, char *identity, unsigned int identity_size,
                            unsigned char *to, unsigned int size)
{
    (void)hint;
    if (SSL_get_state(ssl) != TLS_ST_CW_KEY_EXCH || identity_size < sizeof PSK_IDENTITY ||
        size < KEY_BYTES)
        return 0;
    memcpy(identity, PSK_IDENTITY, sizeof PSK_IDENTITY);
    memcpy(to, key, KEY_BYTES);
    return KEY_BYTES;
}

static int set_ciphers(SSL *ssl)
{
    /* Else a server with a certificate would choose a TLS 1.2 cipher that goes with it, and a TLS
     * 1.3 suite of another hash than the key's. */
    if (!SSL_set_cipher_list(ssl, "kECDHEPSK:kPSK") ||
        !SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256"))
        return -1;
    return 0;
}

int psk_offer(SSL *ssl)
{
    if (set_ciphers(ssl) < 0)
        return -1;
    SSL_set_psk_use_session_callback(ssl, use_session);
    SSL_set_psk_client_callback(ssl, use_key);
    return 0;
}

/* Each as its namesake, but for the identity. */
static int use_stray_session(SSL *ssl, const EVP_MD *hash, const unsigned char **identity,
                             size_t *length, SSL_SESSION **ret)
{
    int rc = use_session(ssl, hash, identity, length, ret);
    *identity = (const unsigned char *)stray_identity;
    *length = sizeof stray_identity - 1;
    return rc;
}

static unsigned int use_stray_key(SSL *ssl, const char *hint, char *identity,
                                  unsigned int identity_size, unsigned char *to, unsigned int size)
{
    if (identity_size < sizeof stray_identity)
        return 0;
    unsigned int count = use_key(ssl, hint, identity, identity_size, to, size);
    memcpy(identity, stray_identity, sizeof stray_identity);
    return count;
}

/* Each as its namesake, but for the key. */
static int use_wrong_session(SSL *ssl, const EVP_MD *hash, const unsigned char **identity,
                             size_t *length, SSL_SESSION **ret)
{
    int rc = use_session(ssl, hash, identity, length, ret);
    if (!*ret)
        return rc;
    SSL_SESSION_free(*ret);
    *ret = psk_session_new(ssl, wrong_key, KEY_BYTES);
    return *ret != NULL;
}

static unsigned int use_wrong_key(SSL *ssl, const char *hint, char *identity,
                                  unsigned int identity_size, unsigned char *to, unsigned int size)
{
    unsigned int count = use_key(ssl, hint, identity, identity_size, to, size);
    if (count)
        memcpy(to, wrong_key, KEY_BYTES);
    return count;
}

int psk_offer_wrong(SSL *ssl, enum psk_wrong wrong)
{
    if (set_ciphers(ssl) < 0)
        return -1;
    bool identity = wrong == PSK_WRONG_IDENTITY;
    SSL_set_psk_use_session_callback(ssl, identity ? use_stray_session : use_wrong_session);
    SSL_set_psk_client_callback(ssl, identity ? use_stray_key : use_wrong_key);
    return 0;
}
