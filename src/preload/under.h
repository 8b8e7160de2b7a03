/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator under the hooks: malloc() as the program has it, because what OpenSSL allocates the
 * program may free. In libsoakprobe-malloc.so, which is malloc() itself, it is the next one as a
 * rule, so that no block counts twice.
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

/* Set while the program's own memory functions, or its own malloc(), run for OpenSSL: what they ask
 * malloc() for is the block that the hooks count. */
extern __attribute__((visibility("hidden"),
                      tls_model("initial-exec"))) _Thread_local bool under_chained;

/* A page has come. Returns the PAGE_PROCESS_* flags of what can be seen of malloc(): nothing where
 * calls of it don't come to this library. */
uint64_t under_start(void);

/* It is counted from now on: preload_page is set. */
void under_count(void);

#endif
