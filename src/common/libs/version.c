/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/version.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The weight of a character outside numbers: `~` before the end, the end before letters, letters
 * before the rest. Digits end the part, so they weigh as its end. */
static int weight(const char *p, const char *end)
{
    if (p == end || isdigit((unsigned char)*p))
        return 0;
    if (*p == '~')
        return -1;
    return isalpha((unsigned char)*p) ? (unsigned char)*p : (unsigned char)*p + 256;
}

static bool is_digit_at(const char *p, const char *end)
{
    return p < end && isdigit((unsigned char)*p);
}

static int compare_words(const char **a, const char *a_end, const char **b, const char *b_end)
{
    for (;;) {
        int x = weight(*a, a_end), y = weight(*b, b_end);
        if (x != y)
            return x - y;
        if (x == 0)
            return 0;
        (*a)++;
        (*b)++;
    }
}

static const char *digits_end(const char *p, const char *end)
{
    while (is_digit_at(p, end))
        p++;
    return p;
}

/* Of any length: without leading zeros the longer number is the larger. */
static int compare_numbers(const char **a, const char *a_end, const char **b, const char *b_end)
{
    const char *x = *a, *y = *b;
    *a = digits_end(x, a_end);
    *b = digits_end(y, b_end);
    while (x < *a && *x == '0')
        x++;
    while (y < *b && *y == '0')
        y++;
    if (*a - x != *b - y)
        return *a - x < *b - y ? -1 : 1;
    return memcmp(x, y, (size_t)(*a - x));
}

static int compare_parts(const char *a, const char *a_end, const char *b, const char *b_end)
{
    while (a < a_end || b < b_end) {
        int c = compare_words(&a, a_end, &b, b_end);
        if (c == 0)
            c = compare_numbers(&a, a_end, &b, b_end);
        if (c != 0)
            return c;
    }
    return 0;
}

/* The three parts of a version as bounds into its text. */
struct parts {
    const char *epoch, *epoch_end, *upstream, *upstream_end, *revision, *end;
};

static struct parts split(const char *text)
{
    const char *colon = strchr(text, ':'), *end = text + strlen(text);
    struct parts p = {text, colon ? colon : text, colon ? colon + 1 : text, end, end, end};
    const char *dash = strrchr(p.upstream, '-');
    if (dash) {
        p.upstream_end = dash;
        p.revision = dash + 1;
    }
    return p;
}

int version_compare(const char *a, const char *b)
{
    struct parts x = split(a), y = split(b);
    int c = compare_parts(x.epoch, x.epoch_end, y.epoch, y.epoch_end);
    if (c == 0)
        c = compare_parts(x.upstream, x.upstream_end, y.upstream, y.upstream_end);
    if (c == 0)
        c = compare_parts(x.revision, x.end, y.revision, y.end);
    return c;
}

bool version_ok(const char *text)
{
    if (!isalnum((unsigned char)*text))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(".+~:-", *text))
            return false;
    return true;
}

char *version_upstream(const char *version, char *buf, size_t size)
{
    struct parts p = split(version);
    snprintf(buf, size, "%.*s", (int)(p.upstream_end - p.upstream), p.upstream);
    return buf;
}

bool version_means(const char *asked, const char *version)
{
    struct parts p = split(version);
    size_t length = strlen(asked), upstream = (size_t)(p.upstream_end - p.upstream);
    if (strcmp(asked, version) == 0)
        return true;
    if (length == 0 || length > upstream || strncmp(asked, p.upstream, length) != 0)
        return false;
    return length == upstream || p.upstream[length] == '.';
}
