/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DECIMAL_PLACES = 9 };

/* Above this a double times a power of ten is no longer a whole number exactly. */
static const double exact_limit = 1e15;

static void keep_shorter(char *best, size_t size, const char *candidate)
{
    if (!*best || strlen(candidate) < strlen(best))
        snprintf(best, size, "%s", candidate);
}

char *grammar_count_print(char *buf, size_t size, uint64_t count)
{
    if (count && count % 1000000 == 0)
        snprintf(buf, size, "%" PRIu64 "M", count / 1000000);
    else if (count && count % 1000 == 0)
        snprintf(buf, size, "%" PRIu64 "k", count / 1000);
    else
        snprintf(buf, size, "%" PRIu64, count);
    return buf;
}

char *grammar_size_print(char *buf, size_t size, uint64_t bytes)
{
    static const struct {
        const char *name;
        uint64_t value;
    } units[] = {{"KiB", 1024u}, {"MiB", 1024u << 10}, {"GiB", 1024u << 20},
                 {"kB", 1000u},  {"MB", 1000000u},     {"GB", 1000000000u}};
    char best[32];
    snprintf(best, sizeof best, "%" PRIu64 "B", bytes);
    for (size_t i = 0; bytes && i < sizeof units / sizeof units[0]; i++) {
        char candidate[32];
        if (bytes % units[i].value)
            continue;
        snprintf(candidate, sizeof candidate, "%" PRIu64 "%s", bytes / units[i].value,
                 units[i].name);
        keep_shorter(best, sizeof best, candidate);
    }
    snprintf(buf, size, "%s", best);
    return buf;
}

char *grammar_duration_print(char *buf, size_t size, uint64_t ns)
{
    static const struct {
        const char *name;
        uint64_t value;
    } units[] = {
        {"d", 86400000000000u}, {"h", 3600000000000u}, {"m", 60000000000u}, {"s", 1000000000u},
        {"ms", 1000000u},       {"us", 1000u},         {"ns", 1u}};
    char parts[64] = "", single[64] = "";
    size_t used = 0;
    uint64_t left = ns;
    for (size_t i = 0; ns && i < sizeof units / sizeof units[0]; i++) {
        if (!*single && ns % units[i].value == 0)
            snprintf(single, sizeof single, "%" PRIu64 "%s", ns / units[i].value, units[i].name);
        if (left < units[i].value)
            continue;
        used += (size_t)snprintf(parts + used, sizeof parts - used, "%" PRIu64 "%s",
                                 left / units[i].value, units[i].name);
        left %= units[i].value;
    }
    keep_shorter(single, sizeof single, parts);
    snprintf(buf, size, "%s", ns ? single : "0s");
    return buf;
}

/* Prints digits / 10^places without the locale's decimal point. */
static void print_places(char *buf, size_t size, uint64_t digits, int places)
{
    uint64_t scale = 1;
    for (int i = 0; i < places; i++)
        scale *= 10;
    if (places)
        snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64, digits / scale, places, digits % scale);
    else
        snprintf(buf, size, "%" PRIu64, digits);
}

/* Prints value * times with `places` decimals; returns whether reading it back and dividing by
 * `times` gives `value` again. */
static bool print_exactly(char *buf, size_t size, double value, double times, int places)
{
    double scale = 1;
    for (int i = 0; i < places; i++)
        scale *= 10;
    double digits = nearbyint(value * times * scale);
    if (digits >= exact_limit)
        return false;
    print_places(buf, size, (uint64_t)digits, places);
    return digits / scale / times == value;
}

/* The fewest decimals that are read back as `value`, or nine; then the unit. */
static char *print_shortest(char *buf, size_t size, double value, double times, const char *unit)
{
    char number[40] = "0";
    for (int places = 0; places <= DECIMAL_PLACES; places++)
        if (print_exactly(number, sizeof number, value, times, places))
            break;
    snprintf(buf, size, "%s%s", number, unit);
    return buf;
}

char *grammar_rate_print(char *buf, size_t size, struct rate rate)
{
    char number[40] = "0";
    const char *unit = "/s";
    if (rate.max) {
        snprintf(buf, size, "max");
        return buf;
    }
    for (int places = 0; places <= DECIMAL_PLACES; places++) {
        if (print_exactly(number, sizeof number, rate.per_s, 1, places))
            break;
        char per_minute[40] = "0";
        if (print_exactly(per_minute, sizeof per_minute, rate.per_s, 60, places)) {
            memcpy(number, per_minute, sizeof number);
            unit = "/m";
            break;
        }
    }
    snprintf(buf, size, "%s%s", number, unit);
    return buf;
}

char *grammar_percent_print(char *buf, size_t size, double fraction)
{
    return print_shortest(buf, size, fraction, 100, "%");
}

char *grammar_growth_print(char *buf, size_t size, double bytes_per_conn)
{
    return print_shortest(buf, size, bytes_per_conn, 1, "B/conn");
}

char *grammar_one_in_print(char *buf, size_t size, uint64_t n)
{
    snprintf(buf, size, "1/%" PRIu64, n);
    return buf;
}

char *grammar_hex_print(char *buf, size_t size, uint64_t value)
{
    snprintf(buf, size, "%" PRIx64, value);
    return buf;
}

/* ---- for people, not for parsing ---- */

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

char *human_seconds(char *buf, size_t size, double seconds)
{
    double whole = seconds > 0 && seconds < 1e9 ? nearbyint(seconds) : 0;
    if (whole < 60)
        snprintf(buf, size, "%.0fs", whole);
    else
        human_duration(buf, size, (uint64_t)whole * UINT64_C(1000000000));
    return buf;
}
