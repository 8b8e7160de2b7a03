/* SPDX-License-Identifier: Apache-2.0 */
#include "report/figures.h"

#include "options/grammar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool figure_is_bytes(const char *unit)
{
    return unit && (strcmp(unit, "bytes") == 0 || strcmp(unit, "B") == 0);
}

char *figure_grouped(char *buf, size_t size, double value, int decimals)
{
    char whole[32], plain[48];
    if (!isfinite(value)) {
        snprintf(buf, size, "?");
        return buf;
    }
    if (fabs(value) >= 1e15) {
        snprintf(buf, size, "%g", value);
        return buf;
    }
    snprintf(plain, sizeof plain, "%.*f", decimals, fabs(value));
    const char *fraction = strchr(plain, '.');
    double rounded = strtod(plain, NULL);
    human_count(whole, sizeof whole, (int64_t)rounded);
    snprintf(buf, size, "%s%s%s", value < 0 && rounded > 0 ? "-" : "", whole,
             fraction ? fraction : "");
    return buf;
}

/* More decimals for a figure that would lose its digits otherwise. */
static int decimals_for(double value, double enough, int decimals)
{
    double magnitude = fabs(value);
    while (magnitude > 0 && magnitude < enough && decimals < 9) {
        magnitude *= 10;
        decimals++;
    }
    return decimals;
}

char *figure_bytes(char *buf, size_t size, double bytes)
{
    char number[FIGURE_SIZE];
    snprintf(buf, size, "%s%s B", bytes >= 0 ? "+" : "",
             figure_grouped(number, sizeof number, bytes, decimals_for(bytes, 0.1, 2)));
    return buf;
}

char *figure_count(char *buf, size_t size, double count)
{
    char number[FIGURE_SIZE];
    snprintf(buf, size, "%s%s", count >= 0 ? "+" : "",
             figure_grouped(number, sizeof number, count, decimals_for(count, 1e-3, 4)));
    return buf;
}

static bool is_whole(double value)
{
    return fabs(value) >= 0.5 && fabs(value - nearbyint(value)) < 0.005;
}

/* Three digits of a figure of 1 or more. */
static int decimals_of_three(double value)
{
    double magnitude = fabs(value);
    return magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
}

char *figure_plain(char *buf, size_t size, double value)
{
    bool whole = is_whole(value) || value == 0;
    return figure_grouped(buf, size, value,
                          whole ? 0 : decimals_for(value, 0.1, decimals_of_three(value)));
}

char *figure_size(char *buf, size_t size, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; fabs(bytes) >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        bytes /= 1024;
    int decimals = unit == 0 ? 0 : decimals_of_three(bytes);
    char number[FIGURE_SIZE];
    snprintf(buf, size, "%.40s %s", figure_grouped(number, sizeof number, bytes, decimals),
             units[unit]);
    return buf;
}

enum { HALF_DECIMALS_MOST = 4 };

/* One digit of the half width is told, and the growth as far as that. */
static int decimals_of_half(double half)
{
    int decimals = 0;
    for (; half < 1 && decimals < HALF_DECIMALS_MOST; decimals++)
        half *= 10;
    return decimals;
}

/* Points on one line have no width but that of rounding: it isn't told as `±0.0000`. */
static bool has_width(double half)
{
    return half * pow(10, HALF_DECIMALS_MOST) >= 0.5;
}

char *figure_growth(char *buf, size_t size, double per_conn, double half_width, bool bytes)
{
    char growth[FIGURE_SIZE], half[FIGURE_SIZE];
    const char *unit = bytes ? " B" : "", *sign = per_conn > 0 ? "+" : "";
    if (has_width(half_width)) {
        int decimals = decimals_of_half(half_width);
        figure_grouped(growth, sizeof growth, per_conn, decimals);
        figure_grouped(half, sizeof half, half_width, decimals);
        snprintf(buf, size, "%s%.20s ±%.20s%s", growth[0] == '-' ? "" : "+", growth, half, unit);
    } else {
        bool whole = is_whole(per_conn) || per_conn == 0;
        int decimals = bytes ? decimals_for(per_conn, 0.1, 2) : decimals_for(per_conn, 1e-3, 4);
        figure_grouped(growth, sizeof growth, per_conn, whole ? 0 : decimals);
        snprintf(buf, size, "%s%.40s%s", sign, growth, unit);
    }
    return buf;
}

char *figure_level(char *buf, size_t size, double value, const char *unit)
{
    if (!isfinite(value))
        snprintf(buf, size, "-");
    else if (figure_is_bytes(unit))
        figure_size(buf, size, value);
    else
        figure_grouped(buf, size, value, 0);
    return buf;
}

char *figure_place(char *buf, size_t size, const char *file, uint32_t line)
{
    if (line)
        snprintf(buf, size, "%s:%" PRIu32, file, line);
    else
        snprintf(buf, size, "%s", file);
    return buf;
}

char *figure_one_in(char *buf, size_t size, double one_in)
{
    if (one_in < 100)
        return figure_grouped(buf, size, floor(one_in), 0);
    double step = pow(10, floor(log10(one_in)) - 1);
    return figure_grouped(buf, size, floor(one_in / step) * step, 0);
}
