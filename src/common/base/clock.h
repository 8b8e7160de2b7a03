/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic time in nanoseconds. Only for pacing, watchdogs and display: never for a verdict. */
#ifndef SOAK_BASE_CLOCK_H
#define SOAK_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
