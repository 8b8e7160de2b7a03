#include "tls/psk.h"

#include <openssl/objects.h>
#include <string.h>

enum { KEY_BYTES = sizeof PSK_KEY - 1 };
_Static_assert(KEY_BYTES == 32, "as long as the hash that goes with it");

static const unsigned char key[] = PSK_KEY;
/* TLS_AES_128_GCM_SHA256 (RFC 8446 B.4): the hash of a key without one of its own is SHA-256. */
static const unsigned char suite[] = {0x13, 0x01};

static SSL_SESSION *session_new(SSL *ssl)
{
    SSL_SESSION *session = SSL_SESSION_new();
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
    if (session && cipher && SSL_SESSION_set1_master_key(session, key, KEY_BYTES) &&
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
    *ret = session_new(ssl);
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
    *ret = session_new(ssl);
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

int psk_offer(SSL *ssl)
{
    /* Else a server with a certificate would choose a TLS 1.2 cipher that goes with it, and a TLS
     * 1.3 suite of another hash than the key's. */
    if (!SSL_set_cipher_list(ssl, "kECDHEPSK:kPSK") ||
        !SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256"))
        return -1;
    SSL_set_psk_use_session_callback(ssl, use_session);
    SSL_set_psk_client_callback(ssl, use_key);
    return 0;
}

bool psk_was_used(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (!cipher)
        return false;
    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return SSL_session_reused(ssl) == 1;
    int kx = SSL_CIPHER_get_kx_nid(cipher);
    return kx == NID_kx_psk || kx == NID_kx_ecdhe_psk;
}
