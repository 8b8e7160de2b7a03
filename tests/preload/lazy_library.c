/* SPDX-License-Identifier: Apache-2.0 */
/* A library that puts a function before the C library's that OpenSSL calls while it initialises
 * itself, and looks up the one behind it when it is called. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes)
{
    int (*next)(pthread_rwlock_t * lock, const pthread_rwlockattr_t *attributes) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_rwlock_init");
    return next(lock, attributes);
}
