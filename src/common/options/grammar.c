/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A decimal of at most 15 digits is below 2^53, and so is each power of ten used here: the quotient
 * of the two is then the double nearest to what was typed, without strtod and its locale. */
enum { DECIMAL_DIGITS = 15, DECIMAL_PLACES = 9, RATE_LIMIT = 1000000000 };

enum whole_status { WHOLE_OK, WHOLE_MISSING, WHOLE_GROUPS, WHOLE_TOO_LARGE };

/* What a kind of number is called and how it looks, for the error sentences. */
struct kind {
    const char *noun, *looks;
};

static const struct kind count_kind = {"count", "a whole number, such as 10_000, 1k or 1M"};
static const struct kind size_kind = {"size", "a whole number with a unit, such as 32B or 64KiB"};
static const struct kind duration_kind = {"duration",
                                          "whole numbers with units, such as 90s or 1h30m"};
static const struct kind rate_kind = {"rate",
                                      "a number with a unit, such as 1000/s or 60000/m, or max"};
static const struct kind percent_kind = {"percentage", "a number from 0 to 100, such as 20%"};
static const struct kind growth_kind = {"growth", "bytes per connection, such as 16B/conn"};
static const struct kind one_in_kind = {"share", "one in a whole number, such as 1/1000"};

struct unit {
    const char *name;
    uint64_t value;
};

static const struct unit count_units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}};

static const struct unit size_units[] = {
    {"B", 1},       {"kB", 1000},         {"MB", 1000000},      {"GB", 1000000000},
    {"KiB", 1024u}, {"MiB", 1024u << 10}, {"GiB", 1024u << 20},
};

static const struct unit duration_units[] = {
    {"d", 86400000000000u}, {"h", 3600000000000u}, {"m", 60000000000u}, {"s", 1000000000u},
    {"ms", 1000000u},       {"us", 1000u},         {"ns", 1u},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int refuse(const struct kind *kind, struct err *e)
{
    return err_set(e, "a %s is %s", kind->noun, kind->looks);
}

static int refuse_too_large(const struct kind *kind, struct err *e)
{
    return err_set(e, "this %s is too large", kind->noun);
}

/* Says why no number could be read at `at`. */
static int refuse_number(const struct kind *kind, enum whole_status status, const char *at,
                         struct err *e)
{
    if (status == WHOLE_TOO_LARGE)
        return refuse_too_large(kind, e);
    if (status == WHOLE_GROUPS)
        return err_set(e, "_ goes between groups of three digits, as in 10_000");
    if (at[0] == '-' && isdigit((unsigned char)at[1]))
        return err_set(e, "a %s can't be negative", kind->noun);
    return refuse(kind, e);
}

/* Reads digits, in groups of three when there is a `_`, and moves *text past them. */
static enum whole_status read_whole(const char **text, uint64_t *ret_value)
{
    const char *p = *text;
    uint64_t value = 0;
    size_t run = 0;
    bool grouped = false;
    if (!isdigit((unsigned char)*p))
        return WHOLE_MISSING;
    for (; isdigit((unsigned char)*p) || *p == '_'; p++) {
        if (*p == '_') {
            if (run == 0 || run > 3 || (grouped && run != 3))
                return WHOLE_GROUPS;
            grouped = true;
            run = 0;
            continue;
        }
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return WHOLE_TOO_LARGE;
        run++;
    }
    if (grouped && run != 3)
        return WHOLE_GROUPS;
    *text = p;
    *ret_value = value;
    return WHOLE_OK;
}

/* Reads `12` or `0.5` and moves *text past it. */
static int read_decimal(const char **text, const struct kind *kind, double *ret_value,
                        struct err *e)
{
    const char *p = *text;
    uint64_t digits = 0, limit = 1, scale = 1;
    for (int i = 0; i < DECIMAL_DIGITS; i++)
        limit *= 10;
    enum whole_status status = read_whole(&p, &digits);
    if (status != WHOLE_OK)
        return refuse_number(kind, status, p, e);
    if (*p == '.') {
        const char *fraction = ++p;
        for (; isdigit((unsigned char)*p) && digits < limit; p++, scale *= 10)
            digits = digits * 10 + (uint64_t)(*p - '0');
        if (p == fraction)
            return refuse(kind, e);
        if (p - fraction > DECIMAL_PLACES)
            return err_set(e, "at most %d decimals", DECIMAL_PLACES);
    }
    if (digits >= limit)
        return refuse_too_large(kind, e);
    *text = p;
    *ret_value = (double)digits / (double)scale;
    return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

int grammar_count(const char *text, uint64_t *ret_count, struct err *e)
{
    const char *p = text;
    uint64_t value;
    enum whole_status status = read_whole(&p, &value);
    if (status != WHOLE_OK)
        return refuse_number(&count_kind, status, p, e);
    const struct unit *unit = find_unit(count_units, LENGTH(count_units), p);
    if (!unit)
        return refuse(&count_kind, e);
    if (__builtin_mul_overflow(value, unit->value, &value))
        return refuse_too_large(&count_kind, e);
    *ret_count = value;
    return 0;
}

/* `64K`, `64KB`, `64kb` and the like: two readings, so neither is taken. Returns true when `suffix`
 * is one of those, with the question in `e`. */
static bool size_is_ambiguous(uint64_t value, const char *suffix, struct err *e)
{
    static const struct {
        char letter;
        const char *binary, *decimal;
    } prefixes[] = {{'k', "KiB", "kB"}, {'m', "MiB", "MB"}, {'g', "GiB", "GB"}};
    bool bare =
        suffix[0] && (!suffix[1] || (tolower((unsigned char)suffix[1]) == 'b' && !suffix[2]));
    for (size_t i = 0; bare && i < LENGTH(prefixes); i++) {
        if (tolower((unsigned char)suffix[0]) != prefixes[i].letter)
            continue;
        uint64_t binary, decimal;
        char binary_text[32], decimal_text[32];
        size_t count = LENGTH(size_units);
        if (__builtin_mul_overflow(value, find_unit(size_units, count, prefixes[i].binary)->value,
                                   &binary) ||
            __builtin_mul_overflow(value, find_unit(size_units, count, prefixes[i].decimal)->value,
                                   &decimal) ||
            binary > INT64_MAX)
            return false;
        err_set(e, "is that %" PRIu64 "%s (%s bytes) or %" PRIu64 "%s (%s)?", value,
                prefixes[i].binary, human_count(binary_text, sizeof binary_text, (int64_t)binary),
                value, prefixes[i].decimal,
                human_count(decimal_text, sizeof decimal_text, (int64_t)decimal));
        return true;
    }
    return false;
}

int grammar_size(const char *text, uint64_t *ret_bytes, struct err *e)
{
    const char *p = text;
    uint64_t value;
    enum whole_status status = read_whole(&p, &value);
    if (status != WHOLE_OK)
        return refuse_number(&size_kind, status, p, e);
    if (!*p)
        return err_set(e, "a size needs a unit, such as %" PRIu64 "B or %" PRIu64 "KiB", value,
                       value);
    const struct unit *unit = find_unit(size_units, LENGTH(size_units), p);
    if (!unit)
        return size_is_ambiguous(value, p, e) ? -1 : refuse(&size_kind, e);
    if (__builtin_mul_overflow(value, unit->value, &value))
        return refuse_too_large(&size_kind, e);
    *ret_bytes = value;
    return 0;
}

/* The unit whose letters stand at `p` and end there (`m` isn't the start of `ms`). */
static const struct unit *duration_unit_at(const char *p, size_t *ret_length)
{
    size_t length = 0;
    while (isalpha((unsigned char)p[length]))
        length++;
    for (size_t i = 0; i < LENGTH(duration_units); i++)
        if (strlen(duration_units[i].name) == length &&
            strncmp(duration_units[i].name, p, length) == 0) {
            *ret_length = length;
            return &duration_units[i];
        }
    return NULL;
}

int grammar_duration(const char *text, uint64_t *ret_ns, struct err *e)
{
    const char *p = text;
    uint64_t total = 0, above = 0;
    do {
        uint64_t value, part;
        size_t length;
        enum whole_status status = read_whole(&p, &value);
        if (status != WHOLE_OK)
            return refuse_number(&duration_kind, status, p, e);
        if (!*p)
            return err_set(e, "a duration needs a unit, such as %" PRIu64 "s or %" PRIu64 "m",
                           value, value);
        const struct unit *unit = duration_unit_at(p, &length);
        if (!unit)
            return refuse(&duration_kind, e);
        if (__builtin_mul_overflow(value, unit->value, &part) ||
            __builtin_add_overflow(total, part, &total))
            return refuse_too_large(&duration_kind, e);
        if (above && (unit->value >= above || part >= above))
            return err_set(e, "units go down and each part stays below the one before it, "
                              "as in 1h30m");
        above = unit->value;
        p += length;
    } while (*p);
    *ret_ns = total;
    return 0;
}

int grammar_rate(const char *text, struct rate *ret_rate, struct err *e)
{
    if (strcmp(text, "max") == 0) {
        *ret_rate = (struct rate){.max = true};
        return 0;
    }
    const char *p = text;
    double value;
    if (read_decimal(&p, &rate_kind, &value, e) < 0)
        return -1;
    if (value <= 0)
        return err_set(e, "a rate must be above 0");
    if (!*p)
        return err_set(e, "a rate needs a unit, such as %.10g/s or %.10g/m", value, value * 60);
    if (strcmp(p, "/s") != 0 && strcmp(p, "/m") != 0)
        return refuse(&rate_kind, e);
    double per_s = p[1] == 'm' ? value / 60 : value;
    if (per_s > RATE_LIMIT)
        return refuse_too_large(&rate_kind, e);
    *ret_rate = (struct rate){.per_s = per_s};
    return 0;
}

int grammar_percent(const char *text, double *ret_fraction, struct err *e)
{
    const char *p = text;
    double value;
    if (read_decimal(&p, &percent_kind, &value, e) < 0)
        return -1;
    if (!*p)
        return err_set(e, "a percentage needs its sign, such as %.10g%%",
                       value > 0 && value < 1 ? value * 100 : value);
    if (strcmp(p, "%") != 0 || value > 100)
        return refuse(&percent_kind, e);
    *ret_fraction = value / 100;
    return 0;
}

int grammar_growth(const char *text, double *ret_bytes_per_conn, struct err *e)
{
    const char *p = text;
    double value;
    if (read_decimal(&p, &growth_kind, &value, e) < 0)
        return -1;
    if (strcmp(p, "B/conn") != 0)
        return refuse(&growth_kind, e);
    *ret_bytes_per_conn = value;
    return 0;
}

int grammar_one_in(const char *text, uint64_t *ret_n, struct err *e)
{
    uint64_t n;
    if (strncmp(text, "1/", 2) != 0 || grammar_count(text + 2, &n, NULL) < 0 || n == 0)
        return refuse(&one_in_kind, e);
    *ret_n = n;
    return 0;
}

int grammar_hex(const char *text, uint64_t *ret_value, struct err *e)
{
    uint64_t value = 0;
    size_t length = strlen(text);
    if (length < 1 || length > 16 || strspn(text, "0123456789abcdefABCDEF") != length)
        return err_set(e, "this takes 1 to 16 hexadecimal digits, such as 7f3a");
    for (const char *p = text; *p; p++) {
        int digit = isdigit((unsigned char)*p) ? *p - '0' : tolower((unsigned char)*p) - 'a' + 10;
        value = value << 4 | (uint64_t)digit;
    }
    *ret_value = value;
    return 0;
}

enum { NAME_LIMIT = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The byte that a backslash and what follows it stand for, or -1. Moves `text` past them. */
static int escaped_byte(const char **text)
{
    static const char letters[] = "rnt\\", meant[] = "\r\n\t\\";
    const char *at = *text + 1, *letter = *at ? strchr(letters, *at) : NULL;
    if (letter) {
        *text = at + 1;
        return meant[letter - letters];
    }
    if (*at != 'x' || !isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
        return -1;
    const char digits[] = {at[1], at[2], '\0'};
    *text = at + 3;
    return (int)strtol(digits, NULL, 16);
}

int grammar_bytes(const char *text, uint8_t *ret, size_t size, size_t *ret_count, struct err *e)
{
    size_t count = 0;
    while (*text) {
        const char *begin = text;
        int byte = *text == '\\' ? escaped_byte(&text) : (uint8_t)*text++;
        if (byte < 0)
            return err_set(e, "'%.4s' isn't \\r, \\n, \\t, \\\\ or \\x and two hexadecimal digits",
                           begin);
        if (count == size)
            return err_set(e, "at most %zu bytes", size);
        ret[count++] = (uint8_t)byte;
    }
    *ret_count = count;
    return 0;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1
 * each. `b` is at most NAME_LIMIT long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_LIMIT + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

/* True when the letters of `brief` stand in `full` in the same order. */
static bool is_shortening(const char *brief, const char *full)
{
    for (; *full && *brief; full++)
        brief += *full == *brief;
    return !*brief;
}

/* `conections` is five letters away from `conns`, but begins like it and holds its letters in
 * order: one word shortens the other. */
static bool is_same_word(const char *word, const char *name)
{
    return strlen(word) >= 3 && strncmp(word, name, 3) == 0 &&
           (is_shortening(name, word) || is_shortening(word, name));
}

const char *grammar_nearest(const char *word, const char *const *names, size_t count)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    size_t best = (length < 3 ? 1 : length / 3) + 1;
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) > NAME_LIMIT)
            continue;
        size_t far = distance(word, names[i]);
        if (far < best) {
            best = far;
            nearest = names[i];
        }
    }
    for (size_t i = 0; !nearest && i < count; i++)
        if (is_same_word(word, names[i]))
            nearest = names[i];
    return nearest;
}
