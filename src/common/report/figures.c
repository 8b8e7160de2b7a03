#include "report/figures.h"

#include "base/grammar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool figure_is_bytes(const char *unit)
{
    return strcmp(unit, "bytes") == 0 || strcmp(unit, "B") == 0;
}

char *figure_grouped(char *buf, size_t size, double value, int decimals)
{
    char whole[32], plain[48];
    if (!isfinite(value) || fabs(value) >= 1e15) {
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

char *figure_level(char *buf, size_t size, double value, const char *unit)
{
    if (!isfinite(value))
        snprintf(buf, size, "-");
    else if (figure_is_bytes(unit))
        human_bytes(buf, size, value);
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
