/* SPDX-License-Identifier: Apache-2.0 */
/* A library that puts a function before another's, as preloaded ones do. LAST: the one behind. */
#include <dlfcn.h>
#include <stddef.h>

__attribute__((visibility("default"))) int soak_case_next(void);

int soak_case_next(void)
{
#ifdef LAST
    return 10;
#else
    int (*next)(void) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "soak_case_next");
    return 1 + next();
#endif
}
