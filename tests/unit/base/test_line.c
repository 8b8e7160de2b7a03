/* SPDX-License-Identifier: Apache-2.0 */
#include "base/line.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    int count;
    char all[4096];
};

static void note(void *ctx, const char *line)
{
    struct seen *seen = ctx;
    size_t used = strlen(seen->all);
    seen->count++;
    snprintf(seen->all + used, sizeof seen->all - used, "<%s>", line);
}

static void lines_are_the_same_however_the_bytes_arrive(void **state)
{
    (void)state;
    static const char stream[] =
        "ready port=4433\n\nepoch opens=1000\nquiet opened=1 closed=2\nhalf";
    struct rng r = {9};
    for (int round = 0; round < 500; round++) {
        struct line_reader reader = {0};
        struct seen seen = {0};
        for (size_t at = 0; at < sizeof stream - 1;) {
            size_t left = sizeof stream - 1 - at, count = 1 + rng_below(&r, left);
            assert_int_equal(line_reader_feed(&reader, stream + at, count, note, &seen), 0);
            at += count;
        }
        assert_int_equal(seen.count, 4);
        assert_string_equal(seen.all,
                            "<ready port=4433><><epoch opens=1000><quiet opened=1 closed=2>");
    }
}

static void a_line_of_the_longest_passes_and_a_byte_more_does_not(void **state)
{
    (void)state;
    char bytes[LINE_MAX_BYTES + 1];
    struct line_reader reader = {0};
    struct seen seen = {0};
    memset(bytes, 'x', sizeof bytes);
    bytes[LINE_MAX_BYTES - 1] = '\n';
    assert_int_equal(line_reader_feed(&reader, bytes, LINE_MAX_BYTES, note, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(strlen(seen.all), LINE_MAX_BYTES - 1 + 2);
    bytes[LINE_MAX_BYTES - 1] = 'x';
    bytes[LINE_MAX_BYTES] = '\n';
    assert_int_equal(line_reader_feed(&reader, bytes, LINE_MAX_BYTES + 1, note, &seen), -1);
    assert_int_equal(seen.count, 1);
}

static void a_nul_byte_spoils_the_stream(void **state)
{
    (void)state;
    struct line_reader reader = {0};
    struct seen seen = {0};
    assert_int_equal(line_reader_feed(&reader, "re\0ady\n", 7, note, &seen), -1);
    assert_int_equal(seen.count, 0);
}

static void the_word_is_the_whole_first_word(void **state)
{
    (void)state;
    assert_true(line_is("drain", "drain"));
    assert_true(line_is("settle id=3", "settle"));
    assert_false(line_is("drained", "drain"));
    assert_false(line_is("dra", "drain"));
    assert_false(line_is("", "drain"));
    assert_false(line_is("settle id=3", "id"));
}

static void numbers_are_read_by_their_whole_key(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_int_equal(line_number("quiet opened=12 closed=7 oldest=3", "closed", &n), 0);
    assert_true(n == 7);
    assert_int_equal(line_number("quiet preopened=5 opened=12", "opened", &n), 0);
    assert_true(n == 12);
    assert_int_equal(line_number("settled id=18446744073709551615", "id", &n), 0);
    assert_true(n == UINT64_MAX);
}

static void malformed_numbers_are_refused_and_write_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "settle",       "settle id=",    "settle id=-1",  "settle id=+1",
        "settle id=3x", "settle id=x",   "settle id = 3", "settle ids=3",
        "id=3",         "settle id=0x3", "settle id=1.",  "settle id=18446744073709551616"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        uint64_t n = 41;
        if (line_number(lines[i], "id", &n) != -1 || n != 41)
            fail_msg("'%s' was accepted", lines[i]);
    }
}

static void text_runs_to_the_end_and_hides_what_looks_like_keys(void **state)
{
    (void)state;
    static const char line[] = "problem kind=tls text=bad record, port=1 of many";
    char buf[64];
    uint64_t n;
    assert_int_equal(line_text(line, "text", true, buf, sizeof buf), 0);
    assert_string_equal(buf, "bad record, port=1 of many");
    assert_int_equal(line_text(line, "kind", false, buf, sizeof buf), 0);
    assert_string_equal(buf, "tls");
    assert_int_equal(line_number(line, "port", &n), -1);
}

static void text_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    char buf[4] = "abc";
    assert_int_equal(line_text("problem text=1234", "text", true, buf, sizeof buf), -1);
    assert_string_equal(buf, "abc");
    assert_int_equal(line_text("problem text=123", "text", true, buf, sizeof buf), 0);
    assert_string_equal(buf, "123");
    assert_int_equal(line_text("problem", "text", true, buf, sizeof buf), -1);
    assert_int_equal(line_text("problem kinds=a", "kind", false, buf, sizeof buf), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_however_the_bytes_arrive),
        cmocka_unit_test(a_line_of_the_longest_passes_and_a_byte_more_does_not),
        cmocka_unit_test(a_nul_byte_spoils_the_stream),
        cmocka_unit_test(the_word_is_the_whole_first_word),
        cmocka_unit_test(numbers_are_read_by_their_whole_key),
        cmocka_unit_test(malformed_numbers_are_refused_and_write_nothing),
        cmocka_unit_test(text_runs_to_the_end_and_hides_what_looks_like_keys),
        cmocka_unit_test(text_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
