/* SPDX-License-Identifier: Apache-2.0 */
/* A library that was linked with one of fake_crypto.c, or with such a library. EARLY: it
 * calls it in its constructor, too, and says later what it was answered there. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

int OPENSSL_init_crypto(uint64_t options, const void *settings);
EXPORT int USER(void);
EXPORT int early_said(void);

EXPORT int USER(void)
{
    volatile int said = OPENSSL_init_crypto(0, NULL); /* the call comes from here, not from above */
    return said;
}

static int said_early;

#ifdef EARLY
__attribute__((constructor)) static void early(void)
{
    said_early = USER();
}
#endif

EXPORT int early_said(void)
{
    return said_early;
}
