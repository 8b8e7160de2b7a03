/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which function allocates. OpenSSL tells its allocator a file and a line, but no function, and
 * the stack alone may mislead: a function that ends in a call of OpenSSL's allocator jumps there,
 * so that its own caller is what the stack shows. So a frame counts only when its call, read back
 * from the code, went to one of OpenSSL's allocating functions. x86-64; elsewhere, and whenever
 * that can't be seen, the answer is that it isn't known.
 */
#ifndef SOAK_FOOTPRINT_CALLER_H
#define SOAK_FOOTPRINT_CALLER_H

#include <stdint.h>

/* Looks up OpenSSL's allocating functions. Once, before caller_find. */
void caller_start(void);

/* From within an allocation hook: a return address in the function that asked for the memory, past
 * OpenSSL's own allocating functions; 0 when it isn't certain. `hook_caller`: where the hook
 * returns to. */
uint64_t caller_find(uint64_t hook_caller);

#endif
