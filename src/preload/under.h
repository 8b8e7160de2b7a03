/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator under the hooks: malloc() as the program has it or, in libsoakprobe-malloc.so,
 * which is malloc() itself, the next one, so that no block counts twice.
 */
#ifndef SOAK_PRELOAD_UNDER_H
#define SOAK_PRELOAD_UNDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct under {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
};

extern __attribute__((visibility("hidden"))) struct under under;

/* Set while the program's own memory functions run for OpenSSL: what they ask malloc() for is the
 * block that the hooks count. */
extern __attribute__((visibility("hidden"),
                      tls_model("initial-exec"))) _Thread_local bool under_chained;

/* A page has come: what is seen of malloc() is counted there, as soon as preload_page is set.
 * Returns the PAGE_PROCESS_* flags of that. */
uint64_t under_start(void);

#endif
