/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key that both ends know beforehand: identity PSK_IDENTITY, the 32 octets PSK_KEY. It is not a
 * secret: it protects nothing but a test's own traffic on loopback. In TLS 1.3 it goes with
 * TLS_AES_128_GCM_SHA256; in TLS 1.2 with the PSK ciphers.
 */
#ifndef SOAK_TLS_PSK_H
#define SOAK_TLS_PSK_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define PSK_IDENTITY "soak"
#define PSK_KEY      "soak: both ends know these bytes"

/* The server takes the key from clients that offer it; others go on as before. */
void psk_serve(SSL_CTX *ctx);

/* The client offers the key in this handshake, before it begins; ciphers that go with it
 * are all it offers. Not together with a session to resume. Returns 0 or -1. */
int psk_offer(SSL *ssl);
/* The same with an identity that no server knows, or with another key. */
enum psk_wrong { PSK_WRONG_IDENTITY, PSK_WRONG_KEY };
int psk_offer_wrong(SSL *ssl, enum psk_wrong wrong);
/* The session that TLS 1.3's callbacks return for any key known beforehand. Owned by the caller;
 * NULL when memory is short. */
SSL_SESSION *psk_session_new(SSL *ssl, const uint8_t *key, size_t length);

#endif
