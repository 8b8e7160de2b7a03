/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

char *human_count(char *buf, size_t size, int64_t count)
{
    char digits[24], said[32];
    uint64_t magnitude = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    int length = snprintf(digits, sizeof digits, "%" PRIu64, magnitude);
    size_t used = 0;
    if (count < 0)
        said[used++] = '-';
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            said[used++] = ',';
        said[used++] = digits[i];
    }
    said[used] = '\0';
    snprintf(buf, size, "%s", said);
    return buf;
}

char *human_bytes(char *buf, size_t size, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    /* 1023.995 would be printed as 1024.00, which is 1.00 of the next unit. */
    while (fabs(bytes) >= (unit ? 1023.995 : 1024.0) && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    bool whole = unit == 0 && bytes == nearbyint(bytes);
    snprintf(buf, size, "%.*f %s", whole ? 0 : 2, bytes, units[unit]);
    return buf;
}

static void under_a_second(char *buf, size_t size, uint64_t ns)
{
    if (ns < 1000000) {
        snprintf(buf, size, "%" PRIu64 " µs", ns / 1000);
    } else if (ns < 10000000) {
        snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " ms", ns / 1000000, ns / 100000 % 10);
    } else if (ns < 100000000) {
        snprintf(buf, size, "%" PRIu64 " ms", ns / 1000000);
    } else {
        uint64_t hundredths = ns / 10000000;
        if (hundredths % 10)
            snprintf(buf, size, "0.%02" PRIu64 "s", hundredths);
        else
            snprintf(buf, size, "0.%" PRIu64 "s", hundredths / 10);
    }
}

char *human_duration(char *buf, size_t size, uint64_t ns)
{
    uint64_t seconds = ns / 1000000000;
    if (ns == 0)
        snprintf(buf, size, "0s");
    else if (seconds < 1)
        under_a_second(buf, size, ns);
    else if (seconds < 10)
        snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "s", seconds, ns / 100000000 % 10);
    else if (seconds < 60)
        snprintf(buf, size, "%" PRIu64 "s", seconds);
    else if (seconds < 3600)
        snprintf(buf, size, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(buf, size, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
    else
        snprintf(buf, size, "%" PRIu64 "d%02" PRIu64 "h", seconds / 86400, seconds / 3600 % 24);
    return buf;
}
