/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_a_terminal_obeys_is_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *clean;
    } cases[] = {
        {"plain", "plain"},
        {"\033[31mred\033[0m", "?[31mred?[0m"},
        {"a\x7f"
         "b\x01"
         "c\a",
         "a?b?c?"},
        {"tab\there\r\nthere", "tab here  there"},
        {"\xc2\x9b"
         "31m",
         "??31m"}, /* U+009B is a control sequence's beginning */
        {"\xc2\xa0\xc3\xa9\xe2\x80\xa6", "\xc2\xa0\xc3\xa9\xe2\x80\xa6"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xc0\x9b", "??"}, /* overlong */
        {"\xe0\x80\x9b", "???"},
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"\xff\xfe", "??"},
        {"\xe2\x80", "??"},
        {"\xe2\x80z", "??z"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64], copy[64];
        strcpy(text, cases[i].raw);
        assert_string_equal(text_clean(text), cases[i].clean);
        assert_string_equal(text_copy(copy, sizeof copy, cases[i].raw), cases[i].clean);
    }
}

static void every_byte_is_either_printable_or_replaced(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {(char)byte, 'x', '\0'};
        text_clean(text);
        assert_true(text[0] >= 0x20 && text[0] < 0x7f);
        assert_string_equal(text + 1, "x");
    }
}

static void a_copy_is_cut_between_characters(void **state)
{
    (void)state;
    char buf[5];
    assert_string_equal(text_copy(buf, sizeof buf, "ab\xe2\x80\xa6"), "ab");
    assert_string_equal(text_copy(buf, sizeof buf, "a\xe2\x80\xa6z"), "a\xe2\x80\xa6");
}

static void a_sentence_that_is_cut_ends_with_a_whole_character(void **state)
{
    (void)state;
    struct err e;
    char text[1200];
    for (size_t lead = 0; lead < 3; lead++) {
        memset(text, 'a', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x80\xa6", 4);
        err_set(&e, "%s", text);
        assert_in_range(strlen(e.text), sizeof e.text - 4, sizeof e.text - 1);
        assert_null(strchr(e.text, '?'));
    }
}

static void a_sentence_never_steers_a_terminal(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, "%s: no such file", "\033]0;x\a");
    assert_string_equal(e.text, "?]0;x?: no such file");
    err_prefix(&e, "--alpn %s", "\033[2J");
    assert_string_equal(e.text, "--alpn ?[2J: ?]0;x?: no such file");
}

static void items_are_joined_and_the_first_needs_no_joint(void **state)
{
    (void)state;
    char buf[32];
    struct text list = text_list(buf, sizeof buf, ", ");
    assert_string_equal(buf, "");
    text_item(&list, "%s", "ssl");
    text_item(&list, "%d", 3);
    text_add(&list, ": level");
    assert_string_equal(buf, "ssl, 3: level");
    assert_int_equal(list.used, strlen(buf));
    assert_false(list.cut);
}

static void a_text_that_is_full_stays_as_it_is(void **state)
{
    (void)state;
    char buf[8];
    struct text t = text_into(buf, sizeof buf);
    text_add(&t, "abc");
    text_add(&t, "defg");
    assert_false(t.cut);
    assert_string_equal(buf, "abcdefg");
    text_add(&t, "%s", "");
    assert_false(t.cut);
    t = text_into(buf, sizeof buf);
    text_add(&t, "abcde\xe2\x80\xa6");
    assert_true(t.cut);
    assert_string_equal(buf, "abcde");
    text_add(&t, "f");
    assert_string_equal(buf, "abcde");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_is_replaced),
        cmocka_unit_test(every_byte_is_either_printable_or_replaced),
        cmocka_unit_test(a_copy_is_cut_between_characters),
        cmocka_unit_test(a_sentence_that_is_cut_ends_with_a_whole_character),
        cmocka_unit_test(a_sentence_never_steers_a_terminal),
        cmocka_unit_test(items_are_joined_and_the_first_needs_no_joint),
        cmocka_unit_test(a_text_that_is_full_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
