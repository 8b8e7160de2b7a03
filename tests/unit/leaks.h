/* SPDX-License-Identifier: Apache-2.0 */
/* What a test loses on purpose, or a library is known to lose, is no news to LeakSanitizer. */
#ifndef SOAK_TESTS_LEAKS_H
#define SOAK_TESTS_LEAKS_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

/* What this thread allocates from now on may be lost, or no longer. */
static inline void leaks_ignore(bool ignore)
{
#if defined(__SANITIZE_ADDRESS__)
    if (ignore)
        __lsan_disable();
    else
        __lsan_enable();
#else
    (void)ignore;
#endif
}

#endif
