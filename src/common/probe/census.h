/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The census: live OpenSSL objects by class, counted by the new and free callbacks that OpenSSL
 * runs for each class with extra data. Public API only. A copied object (SSL_SESSION_dup, X509_dup)
 * is announced like a new one, so the counts balance.
 */
#ifndef SOAK_PROBE_CENSUS_H
#define SOAK_PROBE_CENSUS_H

#include "base/err.h"
#include "page/page.h"

#include <openssl/crypto.h>
#include <stdbool.h>

/* How the census reaches OpenSSL and the count of blocks. */
struct census_calls {
    int (*get_ex_new_index)(int class_, long number, void *value, CRYPTO_EX_new *on_new,
                            CRYPTO_EX_dup *on_dup, CRYPTO_EX_free *on_free);
    unsigned long version;                  /* OpenSSL's, as OPENSSL_VERSION_NUMBER */
    uint32_t (*site_of)(const void *block); /* 0 = not known */
    /* The two below may be NULL. Whether `object` is of another process (a forked child's parent),
     * which counts it; and what else happens at the birth (1) and the end (-1) of an SSL object. */
    bool (*is_inherited)(const void *object);
    void (*on_ssl)(int by);
};

/* After the hooks and before the first object. Returns 0 or -1. */
int census_start(struct page *page, const struct census_calls *calls, struct err *e);

#endif
