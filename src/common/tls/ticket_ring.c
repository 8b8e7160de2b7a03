/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/ticket_ring.h"

#include "base/check.h"
#include "context_internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#endif

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): what the callback answers about a ticket. */
enum { FAILED = -1, UNKNOWN = 0, USE = 1, RENEW = 2 };
enum { NAME_BYTES = 16, IV_BYTES = 16, SECRET_BYTES = 32 };

struct ticket_key {
    unsigned char name[NAME_BYTES]; /* stands in the ticket */
    unsigned char cipher[SECRET_BYTES], mac[SECRET_BYTES];
};

struct ticket_ring {
    CRYPTO_RWLOCK *lock; /* over the rest but `every` */
    uint64_t every, connections;
    bool has_previous;
    struct ticket_key current, previous;
};

static int key_draw(struct ticket_key *key)
{
    return RAND_bytes((unsigned char *)key, sizeof *key) == 1 ? 0 : -1;
}

int ticket_ring_new(uint64_t every, struct ticket_ring **ret, struct err *e)
{
    CHECK(every > 0);
    struct ticket_ring *ring = calloc(1, sizeof *ring);
    if (!ring)
        return err_set(e, "out of memory for the ticket keys");
    ring->every = every;
    ring->lock = CRYPTO_THREAD_lock_new();
    if (!ring->lock || key_draw(&ring->current) < 0) {
        ticket_ring_free(ring);
        return context_fail(e, "can't make a ticket key");
    }
    *ret = ring;
    return 0;
}

void ticket_ring_free(struct ticket_ring *ring)
{
    if (!ring)
        return;
    CRYPTO_THREAD_lock_free(ring->lock);
    OPENSSL_cleanse(ring, sizeof *ring);
    free(ring);
}

static void ring_turn(struct ticket_ring *ring)
{
    struct ticket_key next;
    /* Without randomness there is no new key; the old one stays in use. */
    if (key_draw(&next) < 0)
        return;
    ring->previous = ring->current;
    ring->has_previous = true;
    ring->current = next;
}

void ticket_ring_connection(struct ticket_ring *ring)
{
    if (!ring || !CRYPTO_THREAD_write_lock(ring->lock))
        return;
    if (ring->connections > 0 && ring->connections % ring->every == 0)
        ring_turn(ring);
    ring->connections++;
    CRYPTO_THREAD_unlock(ring->lock);
}

/* Copies the key to seal with. Returns the answer: USE or FAILED. */
static int ring_seal(struct ticket_ring *ring, struct ticket_key *ret)
{
    if (!CRYPTO_THREAD_read_lock(ring->lock))
        return FAILED;
    *ret = ring->current;
    CRYPTO_THREAD_unlock(ring->lock);
    return USE;
}

/* Copies the key that sealed the ticket. Returns the answer. */
static int ring_open(struct ticket_ring *ring, const unsigned char *name, struct ticket_key *ret)
{
    int answer = UNKNOWN;
    if (!CRYPTO_THREAD_read_lock(ring->lock))
        return FAILED;
    if (memcmp(name, ring->current.name, NAME_BYTES) == 0) {
        *ret = ring->current;
        answer = USE;
    } else if (ring->has_previous && memcmp(name, ring->previous.name, NAME_BYTES) == 0) {
        *ret = ring->previous;
        answer = RENEW;
    }
    CRYPTO_THREAD_unlock(ring->lock);
    return answer;
}

static int cipher_set(EVP_CIPHER_CTX *cipher, const struct ticket_key *key, unsigned char *iv,
                      int seal)
{
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
typedef EVP_MAC_CTX ticket_mac;

static int mac_set(ticket_mac *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params);
}
#else
typedef HMAC_CTX ticket_mac;

static int mac_set(ticket_mac *mac, struct ticket_key *key)
{
    return HMAC_Init_ex(mac, key->mac, sizeof key->mac, EVP_sha256(), NULL);
}
#endif

/* `seal` is 1 for a new ticket, 0 for one that came. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     ticket_mac *mac, int seal)
{
    struct ticket_key key;
    struct ticket_ring *ring = context_features_of(ssl)->ring;
    int answer = seal ? ring_seal(ring, &key) : ring_open(ring, name, &key);
    if (answer <= 0)
        return answer;
    /* A TLS 1.3 ticket serves once (RFC 8446 C.4), so each is replaced, as without a callback. */
    if (!seal && SSL_version(ssl) >= TLS1_3_VERSION)
        answer = RENEW;
    if (seal) {
        memcpy(name, key.name, NAME_BYTES);
        if (RAND_bytes(iv, IV_BYTES) != 1)
            answer = FAILED;
    }
    if (answer > 0 && (!cipher_set(cipher, &key, iv, seal) || !mac_set(mac, &key)))
        answer = FAILED;
    OPENSSL_cleanse(&key, sizeof key);
    return answer;
}

int ticket_ring_use(SSL_CTX *ctx)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) ? 0 : -1;
#else
    return SSL_CTX_set_tlsext_ticket_key_cb(ctx, on_ticket) ? 0 : -1;
#endif
}
