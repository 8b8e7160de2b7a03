/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "options/grammar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 20000 };

typedef int (*whole_fn)(const char *text, uint64_t *ret_value, struct err *e);
typedef char *(*whole_print_fn)(char *buf, size_t size, uint64_t value);

/* Any size of number is as likely as any other, with and without trailing zeros. */
static uint64_t any_whole(struct rng *r)
{
    static const uint64_t steps[] = {1, 1000, 1024, 1000000, 60000000000u, 3600000000000u};
    uint64_t value = rng_next(r) >> rng_below(r, 64);
    uint64_t step = steps[rng_below(r, sizeof steps / sizeof steps[0])];
    return value <= UINT64_MAX / step ? value * step : value;
}

static void check_inverse(whole_fn parse, whole_print_fn print)
{
    struct rng r = {7};
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        uint64_t value = i == 0 ? 0 : i == 1 ? UINT64_MAX : any_whole(&r), back = ~value;
        struct err e;
        if (parse(print(text, sizeof text, value), &back, &e) < 0)
            fail_msg("%s: %s", text, e.text);
        if (back != value)
            fail_msg("%s was printed for %llu", text, (unsigned long long)value);
    }
}

static void whole_numbers_read_back_as_printed(void **state)
{
    (void)state;
    check_inverse(grammar_count, grammar_count_print);
    check_inverse(grammar_size, grammar_size_print);
    check_inverse(grammar_duration, grammar_duration_print);
    check_inverse(grammar_hex, grammar_hex_print);
    for (uint64_t n = 1; n < 1000000; n += 1 + n / 7) {
        char text[64];
        uint64_t back = 0;
        assert_int_equal(grammar_one_in(grammar_one_in_print(text, sizeof text, n), &back, NULL),
                         0);
        assert_true(back == n);
    }
}

/* A decimal that can be typed: up to 15 digits, up to 9 of them after the point. */
static void any_decimal(struct rng *r, char *buf, size_t size, uint64_t limit)
{
    int places = (int)rng_below(r, 10);
    uint64_t scale = 1;
    for (int i = 0; i < places; i++)
        scale *= 10;
    uint64_t whole = rng_below(r, limit), part = rng_below(r, scale);
    while (whole && whole > 999999999999999u / scale)
        whole /= 10;
    if (whole == 0 && part == 0)
        whole = 1;
    if (places)
        snprintf(buf, size, "%llu.%0*llu", (unsigned long long)whole, places,
                 (unsigned long long)part);
    else
        snprintf(buf, size, "%llu", (unsigned long long)whole);
}

static void every_rate_that_can_be_typed_reads_back_as_printed(void **state)
{
    (void)state;
    struct rng r = {11};
    for (int i = 0; i < ROUNDS; i++) {
        char number[32], typed[40], text[64];
        struct rate rate, back;
        struct err e;
        any_decimal(&r, number, sizeof number, 1000000000);
        snprintf(typed, sizeof typed, "%s/%c", number, i % 2 ? 's' : 'm');
        if (grammar_rate(typed, &rate, &e) < 0)
            fail_msg("%s: %s", typed, e.text);
        if (grammar_rate(grammar_rate_print(text, sizeof text, rate), &back, &e) < 0)
            fail_msg("%s: %s", text, e.text);
        if (back.per_s != rate.per_s || back.max != rate.max)
            fail_msg("%s was printed as %s", typed, text);
    }
}

static void every_percentage_and_growth_reads_back_as_printed(void **state)
{
    (void)state;
    struct rng r = {13};
    for (int i = 0; i < ROUNDS; i++) {
        char number[32], typed[40], text[64];
        double value, back;
        struct err e;
        any_decimal(&r, number, sizeof number, 100);
        snprintf(typed, sizeof typed, "%s%%", number);
        assert_int_equal(grammar_percent(typed, &value, &e), 0);
        assert_int_equal(
            grammar_percent(grammar_percent_print(text, sizeof text, value), &back, &e), 0);
        assert_true(back == value);
        any_decimal(&r, number, sizeof number, 1000000);
        snprintf(typed, sizeof typed, "%sB/conn", number);
        assert_int_equal(grammar_growth(typed, &value, &e), 0);
        assert_int_equal(grammar_growth(grammar_growth_print(text, sizeof text, value), &back, &e),
                         0);
        assert_true(back == value);
    }
}

static void examples_of_the_manual_are_read(void **state)
{
    (void)state;
    uint64_t n;
    double x;
    struct rate rate;
    assert_true(grammar_count("1k", &n, NULL) == 0 && n == 1000);
    assert_true(grammar_count("1M", &n, NULL) == 0 && n == 1000000);
    assert_true(grammar_count("10_000", &n, NULL) == 0 && n == 10000);
    assert_true(grammar_size("64KiB", &n, NULL) == 0 && n == 65536);
    assert_true(grammar_size("64kB", &n, NULL) == 0 && n == 64000);
    assert_true(grammar_size("2MiB", &n, NULL) == 0 && n == 2097152);
    assert_true(grammar_size("1GiB", &n, NULL) == 0 && n == 1073741824);
    assert_true(grammar_size("512B", &n, NULL) == 0 && n == 512);
    assert_true(grammar_duration("250ms", &n, NULL) == 0 && n == 250000000);
    assert_true(grammar_duration("90s", &n, NULL) == 0 && n == 90000000000);
    assert_true(grammar_duration("1h30m", &n, NULL) == 0 && n == 5400000000000);
    assert_true(grammar_duration("2d", &n, NULL) == 0 && n == 172800000000000);
    assert_true(grammar_duration("0s", &n, NULL) == 0 && n == 0);
    assert_true(grammar_rate("1000/s", &rate, NULL) == 0 && rate.per_s == 1000 && !rate.max);
    assert_true(grammar_rate("60000/m", &rate, NULL) == 0 && rate.per_s == 1000 && !rate.max);
    assert_true(grammar_rate("max", &rate, NULL) == 0 && rate.max);
    assert_true(grammar_percent("20%", &x, NULL) == 0 && x == 0.2);
    assert_true(grammar_growth("16B/conn", &x, NULL) == 0 && x == 16);
    assert_true(grammar_growth("0.5B/conn", &x, NULL) == 0 && x == 0.5);
    assert_true(grammar_one_in("1/1000", &n, NULL) == 0 && n == 1000);
    assert_true(grammar_one_in("1/100k", &n, NULL) == 0 && n == 100000);
    assert_true(grammar_hex("7f3a", &n, NULL) == 0 && n == 0x7f3a);
}

static int any_size(const char *text, struct err *e)
{
    uint64_t n;
    return grammar_size(text, &n, e);
}

static int any_duration(const char *text, struct err *e)
{
    uint64_t n;
    return grammar_duration(text, &n, e);
}

static int any_count(const char *text, struct err *e)
{
    uint64_t n;
    return grammar_count(text, &n, e);
}

static int any_rate(const char *text, struct err *e)
{
    struct rate rate;
    return grammar_rate(text, &rate, e);
}

static int any_percent(const char *text, struct err *e)
{
    double x;
    return grammar_percent(text, &x, e);
}

static int any_growth(const char *text, struct err *e)
{
    double x;
    return grammar_growth(text, &x, e);
}

static int any_one_in(const char *text, struct err *e)
{
    uint64_t n;
    return grammar_one_in(text, &n, e);
}

static int any_hex(const char *text, struct err *e)
{
    uint64_t n;
    return grammar_hex(text, &n, e);
}

static const struct {
    int (*parse)(const char *text, struct err *e);
    const char *text, *sentence;
} refused[] = {
    {any_count, "", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, "-5", "a count can't be negative"},
    {any_count, "5x", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, " 5", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, "5 ", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, "+5", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, "1K", "a count is a whole number, such as 10_000, 1k or 1M"},
    {any_count, "1_00", "_ goes between groups of three digits, as in 10_000"},
    {any_count, "1_", "_ goes between groups of three digits, as in 10_000"},
    {any_count, "1000_000", "_ goes between groups of three digits, as in 10_000"},
    {any_count, "18446744073709551616", "this count is too large"},
    {any_count, "18446744073709551615k", "this count is too large"},
    {any_size, "64K", "is that 64KiB (65,536 bytes) or 64kB (64,000)?"},
    {any_size, "64k", "is that 64KiB (65,536 bytes) or 64kB (64,000)?"},
    {any_size, "64KB", "is that 64KiB (65,536 bytes) or 64kB (64,000)?"},
    {any_size, "2m", "is that 2MiB (2,097,152 bytes) or 2MB (2,000,000)?"},
    {any_size, "1G", "is that 1GiB (1,073,741,824 bytes) or 1GB (1,000,000,000)?"},
    {any_size, "32", "a size needs a unit, such as 32B or 32KiB"},
    {any_size, "-1B", "a size can't be negative"},
    {any_size, "1KiBs", "a size is a whole number with a unit, such as 32B or 64KiB"},
    {any_size, "1.5KiB", "a size is a whole number with a unit, such as 32B or 64KiB"},
    {any_size, "17179869184GiB", "this size is too large"},
    {any_duration, "0", "a duration needs a unit, such as 0s or 0m"},
    {any_duration, "90", "a duration needs a unit, such as 90s or 90m"},
    {any_duration, "1h30", "a duration needs a unit, such as 30s or 30m"},
    {any_duration, "30m1h",
     "units go down and each part stays below the one before it, as in "
     "1h30m"},
    {any_duration, "1h90m",
     "units go down and each part stays below the one before it, as in "
     "1h30m"},
    {any_duration, "1h60m",
     "units go down and each part stays below the one before it, as in "
     "1h30m"},
    {any_duration, "1s1s",
     "units go down and each part stays below the one before it, as in "
     "1h30m"},
    {any_duration, "5 s", "a duration is whole numbers with units, such as 90s or 1h30m"},
    {any_duration, "", "a duration is whole numbers with units, such as 90s or 1h30m"},
    {any_duration, "300000d", "this duration is too large"},
    {any_rate, "1000", "a rate needs a unit, such as 1000/s or 60000/m"},
    {any_rate, "500", "a rate needs a unit, such as 500/s or 30000/m"},
    {any_rate, "0/s", "a rate must be above 0"},
    {any_rate, "0.0/m", "a rate must be above 0"},
    {any_rate, "-1/s", "a rate can't be negative"},
    {any_rate, "5/h", "a rate is a number with a unit, such as 1000/s or 60000/m, or max"},
    {any_rate, "5/ss", "a rate is a number with a unit, such as 1000/s or 60000/m, or max"},
    {any_rate, "maximum", "a rate is a number with a unit, such as 1000/s or 60000/m, or max"},
    {any_rate, "1e3/s", "a rate is a number with a unit, such as 1000/s or 60000/m, or max"},
    {any_rate, "1./s", "a rate is a number with a unit, such as 1000/s or 60000/m, or max"},
    {any_rate, "2000000000/s", "this rate is too large"},
    {any_rate, "9999999999999999/s", "this rate is too large"},
    {any_rate, "0.0000000001/s", "at most 9 decimals"},
    {any_percent, "20", "a percentage needs its sign, such as 20%"},
    {any_percent, "0.2", "a percentage needs its sign, such as 20%"},
    {any_percent, "101%", "a percentage is a number from 0 to 100, such as 20%"},
    {any_percent, "-1%", "a percentage can't be negative"},
    {any_growth, "16B", "a growth is bytes per connection, such as 16B/conn"},
    {any_growth, "", "a growth is bytes per connection, such as 16B/conn"},
    {any_one_in, "1/0", "a share is one in a whole number, such as 1/1000"},
    {any_one_in, "2/10", "a share is one in a whole number, such as 1/1000"},
    {any_one_in, "1000", "a share is one in a whole number, such as 1/1000"},
    {any_hex, "", "this takes 1 to 16 hexadecimal digits, such as 7f3a"},
    {any_hex, "0x7f", "this takes 1 to 16 hexadecimal digits, such as 7f3a"},
    {any_hex, "11112222333344445", "this takes 1 to 16 hexadecimal digits, such as 7f3a"},
};

static void what_is_wrong_is_said_and_how_to_mend_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct err e = {""};
        if (refused[i].parse(refused[i].text, &e) == 0)
            fail_msg("'%s' was accepted", refused[i].text);
        assert_string_equal(e.text, refused[i].sentence);
    }
}

static void a_refused_text_writes_nothing(void **state)
{
    (void)state;
    uint64_t n = 41;
    double x = 41;
    struct rate rate = {.per_s = 41};
    assert_int_equal(grammar_count("4x", &n, NULL), -1);
    assert_int_equal(grammar_size("4", &n, NULL), -1);
    assert_int_equal(grammar_duration("1h4", &n, NULL), -1);
    assert_int_equal(grammar_one_in("1/0", &n, NULL), -1);
    assert_int_equal(grammar_hex("7g", &n, NULL), -1);
    assert_int_equal(grammar_rate("4", &rate, NULL), -1);
    assert_int_equal(grammar_percent("400%", &x, NULL), -1);
    assert_int_equal(grammar_growth("4B", &x, NULL), -1);
    assert_true(n == 41 && x == 41 && rate.per_s == 41);
}

/* Random bytes of the grammar's own letters find the corners of the parsers; whatever is accepted
 * must print to something that reads back as the same number. */
static void what_is_accepted_by_chance_reads_back_too(void **state)
{
    (void)state;
    static const char letters[] = "0123456789_.-/%kKMGiBmsdhun ";
    struct rng r = {17};
    for (int i = 0; i < ROUNDS * 10; i++) {
        char text[12], printed[64];
        size_t length = rng_below(&r, sizeof text);
        for (size_t j = 0; j < length; j++)
            text[j] = letters[rng_below(&r, sizeof letters - 1)];
        text[length] = '\0';
        uint64_t n, back;
        struct rate rate, rate_back;
        if (grammar_duration(text, &n, NULL) == 0)
            assert_true(grammar_duration(grammar_duration_print(printed, sizeof printed, n), &back,
                                         NULL) == 0 &&
                        back == n);
        if (grammar_size(text, &n, NULL) == 0)
            assert_true(grammar_size(grammar_size_print(printed, sizeof printed, n), &back, NULL) ==
                            0 &&
                        back == n);
        if (grammar_rate(text, &rate, NULL) == 0)
            assert_true(grammar_rate(grammar_rate_print(printed, sizeof printed, rate), &rate_back,
                                     NULL) == 0 &&
                        rate_back.per_s == rate.per_s);
    }
}

static void the_shortest_exact_form_is_printed(void **state)
{
    (void)state;
    char b[64];
    assert_string_equal(grammar_count_print(b, sizeof b, 0), "0");
    assert_string_equal(grammar_count_print(b, sizeof b, 200000), "200k");
    assert_string_equal(grammar_count_print(b, sizeof b, 20480), "20480");
    assert_string_equal(grammar_size_print(b, sizeof b, 32), "32B");
    assert_string_equal(grammar_size_print(b, sizeof b, 65536), "64KiB");
    assert_string_equal(grammar_size_print(b, sizeof b, 64000), "64kB");
    assert_string_equal(grammar_size_print(b, sizeof b, 1048576), "1MiB");
    assert_string_equal(grammar_duration_print(b, sizeof b, 0), "0s");
    assert_string_equal(grammar_duration_print(b, sizeof b, 30000000000), "30s");
    assert_string_equal(grammar_duration_print(b, sizeof b, 5400000000000), "90m");
    assert_string_equal(grammar_duration_print(b, sizeof b, 172800000000001), "2d1ns");
    assert_string_equal(grammar_rate_print(b, sizeof b, (struct rate){.per_s = 1000}), "1000/s");
    assert_string_equal(grammar_rate_print(b, sizeof b, (struct rate){.per_s = 0.5}), "30/m");
    assert_string_equal(grammar_rate_print(b, sizeof b, (struct rate){.max = true}), "max");
    assert_string_equal(grammar_percent_print(b, sizeof b, 0.2), "20%");
    assert_string_equal(grammar_growth_print(b, sizeof b, 0.5), "0.5B/conn");
}

static void people_read_commas_units_and_padded_seconds(void **state)
{
    (void)state;
    char b[64];
    assert_string_equal(human_count(b, sizeof b, 41102), "41,102");
    assert_string_equal(human_count(b, sizeof b, 999), "999");
    assert_string_equal(human_count(b, sizeof b, -1000), "-1,000");
    assert_string_equal(human_count(b, sizeof b, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(human_bytes(b, sizeof b, 32), "32 B");
    assert_string_equal(human_bytes(b, sizeof b, 0.09), "0.09 B");
    assert_string_equal(human_bytes(b, sizeof b, 18.41 * 1048576), "18.41 MiB");
    assert_string_equal(human_bytes(b, sizeof b, -2048), "-2.00 KiB");
    assert_string_equal(human_bytes(b, sizeof b, 1023.999 * 1024), "1.00 MiB");
    assert_string_equal(human_duration(b, sizeof b, 63000000000), "1m03s");
    assert_string_equal(human_duration(b, sizeof b, 900000000), "0.9s");
    assert_string_equal(human_duration(b, sizeof b, 250000000), "0.25s");
    assert_string_equal(human_duration(b, sizeof b, 41900000000), "41s");
    assert_string_equal(human_duration(b, sizeof b, 3720000000000), "1h02m");
    assert_string_equal(human_seconds(b, sizeof b, 4.6), "5s");
    assert_string_equal(human_seconds(b, sizeof b, 62.6), "1m03s");
    assert_string_equal(human_seconds(b, sizeof b, -1), "0s");
    assert_string_equal(human_duration(b, sizeof b, 9800000), "9.8 ms");
    assert_string_equal(human_duration(b, sizeof b, 30000000), "30 ms");
    assert_string_equal(human_duration(b, sizeof b, 341000), "341 µs");
    assert_string_equal(human_duration(b, sizeof b, 0), "0s");
}

static void bytes_are_typed_as_text_with_escapes(void **state)
{
    (void)state;
    uint8_t bytes[16];
    size_t count;
    assert_int_equal(
        grammar_bytes("GET /\\r\\n\\t\\\\\\x00\\xfF", bytes, sizeof bytes, &count, NULL), 0);
    assert_int_equal(count, 11);
    assert_memory_equal(bytes, "GET /\r\n\t\\\0\xff", 11);
    assert_int_equal(grammar_bytes("", bytes, sizeof bytes, &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_int_equal(grammar_bytes("sixteen letters.", bytes, sizeof bytes, &count, NULL), 0);
    assert_int_equal(count, sizeof bytes);
}

static void bytes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a\\", "\\q", "\\x", "\\x1", "\\x1g", "\\X41", "\\0"};
    uint8_t bytes[4];
    size_t count = 77;
    struct err e;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(grammar_bytes(wrong[i], bytes, sizeof bytes, &count, &e), -1);
        assert_non_null(strstr(e.text, "two hexadecimal digits"));
    }
    assert_int_equal(grammar_bytes("five!", bytes, sizeof bytes, &count, &e), -1);
    assert_string_equal(e.text, "at most 4 bytes");
    assert_int_equal(count, 77);
}

static void the_nearest_name_is_the_one_meant(void **state)
{
    (void)state;
    static const char *const names[] = {"conns", "churn", "closed", "payload", "handshake-timeout",
                                        "reset", "alpn"};
    const size_t count = sizeof names / sizeof names[0];
    assert_string_equal(grammar_nearest("conections", names, count), "conns");
    assert_string_equal(grammar_nearest("churm", names, count), "churn");
    assert_string_equal(grammar_nearest("chrun", names, count), "churn");
    assert_string_equal(grammar_nearest("payloda", names, count), "payload");
    assert_string_equal(grammar_nearest("handshake", names, count), "handshake-timeout");
    assert_null(grammar_nearest("speed", names, count));
    assert_null(grammar_nearest("", names, count));
    assert_null(grammar_nearest("conns", names, 0));
    char endless[4096];
    memset(endless, 'c', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(grammar_nearest(endless, names, count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_read_back_as_printed),
        cmocka_unit_test(every_rate_that_can_be_typed_reads_back_as_printed),
        cmocka_unit_test(every_percentage_and_growth_reads_back_as_printed),
        cmocka_unit_test(examples_of_the_manual_are_read),
        cmocka_unit_test(what_is_wrong_is_said_and_how_to_mend_it),
        cmocka_unit_test(a_refused_text_writes_nothing),
        cmocka_unit_test(what_is_accepted_by_chance_reads_back_too),
        cmocka_unit_test(the_shortest_exact_form_is_printed),
        cmocka_unit_test(people_read_commas_units_and_padded_seconds),
        cmocka_unit_test(bytes_are_typed_as_text_with_escapes),
        cmocka_unit_test(bytes_that_cannot_be_are_refused),
        cmocka_unit_test(the_nearest_name_is_the_one_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
