/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library whose constructor makes more keys of thread-specific data than the C library has room
 * for in a thread's descriptor: what is set under later ones takes a block of each thread, which is
 * freed after all destructors.
 */
#include <pthread.h>

enum { KEYS = 40 };

__attribute__((constructor)) static void early(void)
{
    pthread_key_t key;
    for (int i = 0; i < KEYS; i++)
        pthread_key_create(&key, NULL);
}
