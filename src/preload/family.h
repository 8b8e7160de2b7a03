/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsoakprobe-malloc.so: malloc's family as the program's own calls reach it, which is ours unless
 * the program, or a library preloaded before this one, has its own. For C++'s operators.
 */
#ifndef SOAK_PRELOAD_FAMILY_H
#define SOAK_PRELOAD_FAMILY_H

#include <stddef.h>

void *family_malloc(size_t size);
void *family_memalign(size_t alignment, size_t size);
void family_free(void *block);

#endif
