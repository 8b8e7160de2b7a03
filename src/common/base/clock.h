/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic time in nanoseconds, and the wall's as text. Only for pacing, watchdogs and display:
 * never for a verdict. */
#ifndef SOAK_BASE_CLOCK_H
#define SOAK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* `when` in UTC: 2026-11-28T11:05:21Z (RFC 3339). Returns buf. */
static inline char *clock_utc(char *buf, size_t size, time_t when)
{
    struct tm utc;
    strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &utc));
    return buf;
}

#endif
