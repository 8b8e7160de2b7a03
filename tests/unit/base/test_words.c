/* SPDX-License-Identifier: Apache-2.0 */
/* A command line without a shell: words, quotes, values. */
#include "base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct words_value values[] = {
    {"port", "8443"}, {"work", "/tmp/a b"}, {"pid", NULL}, {NULL, NULL}};

/* The words as `<one><two>`, or `! sentence`. */
static const char *split(const char *command, const struct words_value *with)
{
    static char text[2 * WORDS_BYTES];
    struct words w;
    struct err e;
    size_t used = 0;
    if (words_split(command, with, &w, &e) != 0) {
        snprintf(text, sizeof text, "! %s", e.text);
        return text;
    }
    text[0] = '\0';
    for (int i = 0; i < w.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "<%s>", w.argv[i]);
    assert_null(w.argv[w.count]);
    return text;
}

static void blanks_split_and_quotes_hold_together(void **state)
{
    (void)state;
    assert_string_equal(split("nginx  -g 'daemon off;' \t-c x", NULL),
                        "<nginx><-g><daemon off;><-c><x>");
    assert_string_equal(split("a\"b c\"d ''", NULL), "<ab cd><>");
    assert_string_equal(split("'it''s' \"it's\"", NULL), "<its><it's>");
    assert_string_equal(split("a\\ b \\\\ '\\n' \"\\\"\"", NULL), "<a b><\\><\\n><\">");
}

static void a_value_is_never_split(void **state)
{
    (void)state;
    assert_string_equal(split("nginx -p {work} -l 127.0.0.1:{port}", values),
                        "<nginx><-p></tmp/a b><-l><127.0.0.1:8443>");
    assert_string_equal(split("x '{port}'", values), "<x><8443>");
}

static void braces_without_a_name_are_themselves(void **state)
{
    (void)state;
    assert_string_equal(split("awk '{print $1}' {} {A} { {port", values),
                        "<awk><{print $1}><{}><{A}><{><{port>");
    assert_string_equal(split("run {port}", NULL), "<run><{port}>");
}

static void what_stands_for_nothing_is_refused_with_the_list(void **state)
{
    (void)state;
    assert_string_equal(split("x {prot}", values),
                        "! {prot} stands for nothing here; there is {port}, {work}");
    assert_string_equal(split("x {pid}", values),
                        "! {pid} stands for nothing here; there is {port}, {work}");
}

static void what_is_no_command_is_refused(void **state)
{
    (void)state;
    char many[3 * WORDS_MAX], longest[WORDS_BYTES + 2];
    assert_string_equal(split("", NULL), "! it is empty");
    assert_string_equal(split(" \t ", NULL), "! it is empty");
    assert_string_equal(split("a 'b c", NULL), "! the quote ' isn't closed");
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = i % 2 ? ' ' : 'a';
    many[sizeof many - 1] = '\0';
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(split(many, NULL), "! too long: at most 64 words and 8192 bytes");
    assert_string_equal(split(longest, NULL), "! too long: at most 64 words and 8192 bytes");
    longest[WORDS_BYTES - 1] = '\0';
    assert_int_equal(split(longest, NULL)[0], '<');
}

/* What words_fill makes of `text`, or `! sentence`. */
static const char *fill(const char *text, bool foreign_names)
{
    static char said[1000];
    struct err e;
    char *filled = words_fill(text, values, foreign_names, &e);
    snprintf(said, sizeof said, "%s%s", filled ? "" : "! ", filled ? filled : e.text);
    free(filled);
    return said;
}

static void a_text_is_filled_and_otherwise_left_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(fill("", false), "");
    assert_string_equal(fill("{work}/x 'a  b\\' {port}{port}\n", false),
                        "/tmp/a b/x 'a  b\\' 84438443\n");
    assert_string_equal(fill("{port }{ port}{}{{port}}{PORT}{port", false),
                        "{port }{ port}{}{8443}{PORT}{port");
}

static void a_name_that_is_not_in_the_list_is_refused_or_the_texts_own(void **state)
{
    (void)state;
    assert_string_equal(fill("a {prot}", false),
                        "! {prot} stands for nothing here; there is {port}, {work}");
    assert_string_equal(fill("%{cookie}n {port}", true), "%{cookie}n 8443");
    assert_string_equal(fill("{pid}", true),
                        "! {pid} stands for nothing here; there is {port}, {work}");
}

static void what_is_quoted_is_read_back(void **state)
{
    (void)state;
    static const char *const words[] = {
        "results/runs/last", "a b", "it's", "$(x)", "~", "", "a\\b", "\"", "grün", "*"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char line[64], expected[64];
        struct text text = text_into(line, sizeof line);
        words_quote(&text, words[i]);
        snprintf(expected, sizeof expected, "<%s>", words[i]);
        assert_string_equal(split(line, NULL), expected);
    }
}

static void a_plain_word_stays_and_what_steers_a_terminal_is_spelled(void **state)
{
    (void)state;
    char line[64];
    struct text text = text_into(line, sizeof line);
    words_quote(&text, "/a_b-c.d");
    words_quote(&text, "\x1b'");
    assert_string_equal(line, "/a_b-c.d$'\\x1b\\x27'");
}

static void words_of_others_are_quoted_or_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"a b", "it's", "$(x)", "", "a\\b\x1b", "a'b\x7f\\", "grün"};
    static const char *const others[] = {"a;b",     "$(x)", "$x", "'a",   "a\\ b",
                                         "\"a b\"", "*",    "~",  "a\nb", "$'a\\'; x '",
                                         "$'a\\",   "$'a",  "&",  "#a",   "'a'$"};
    char line[256];
    struct text text = text_into(line, sizeof line);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        words_quote(&text, words[i]);
        text_add(&text, " ");
        assert_true(words_are_quoted(line));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (words_are_quoted(others[i]))
            fail_msg("%s", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_split_and_quotes_hold_together),
        cmocka_unit_test(a_value_is_never_split),
        cmocka_unit_test(braces_without_a_name_are_themselves),
        cmocka_unit_test(what_stands_for_nothing_is_refused_with_the_list),
        cmocka_unit_test(what_is_no_command_is_refused),
        cmocka_unit_test(a_text_is_filled_and_otherwise_left_as_it_is),
        cmocka_unit_test(a_name_that_is_not_in_the_list_is_refused_or_the_texts_own),
        cmocka_unit_test(what_is_quoted_is_read_back),
        cmocka_unit_test(a_plain_word_stays_and_what_steers_a_terminal_is_spelled),
        cmocka_unit_test(words_of_others_are_quoted_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
