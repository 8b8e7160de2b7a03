/* SPDX-License-Identifier: Apache-2.0 */
/* A library that was linked with one of fake_crypto.c, or with such a library. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

int OPENSSL_init_crypto(uint64_t options, const void *settings);
EXPORT int USER(void);

EXPORT int USER(void)
{
    volatile int said = OPENSSL_init_crypto(0, NULL); /* the call comes from here, not from above */
    return said;
}
