/* SPDX-License-Identifier: Apache-2.0 */
/* Text that somebody else wrote stays text, in XML, HTML and Markdown. */
#include "base/markup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_put(const char *text, size_t length, const char *want)
{
    char *got = NULL;
    size_t size;
    FILE *out = open_memstream(&got, &size);
    assert_non_null(out);
    markup_put(text, length, out);
    fclose(out);
    assert_string_equal(got, want);
    free(got);
}

static void assert_markdown(const char *text, const char *want)
{
    char *got = NULL;
    size_t size;
    FILE *out = open_memstream(&got, &size);
    assert_non_null(out);
    markdown_put(text, out);
    fclose(out);
    assert_string_equal(got, want);
    free(got);
}

static void what_begins_markup_is_a_reference(void **state)
{
    (void)state;
    assert_put("<a b=\"c\" d='e'>&", SIZE_MAX, "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
    assert_put("a\tb\nc\r", SIZE_MAX, "a&#9;b&#10;c&#13;");
}

static void what_xml_has_no_place_for_is_a_question_mark(void **state)
{
    (void)state;
    assert_put("\x01\x1b\x7f", SIZE_MAX, "???");
    assert_put("\xc2\x9b\xff\xef\xbf\xbe\xef\xbf\xbf", SIZE_MAX, "?????");
    assert_put("\xc3\xa9 \xf0\x9f\x92\xa7", SIZE_MAX, "\xc3\xa9 \xf0\x9f\x92\xa7");
}

static void a_length_cuts_no_character(void **state)
{
    (void)state;
    assert_put("abc", 2, "ab");
    assert_put("a\xc3\xa9", 2, "a?");
    assert_put(NULL, SIZE_MAX, "");
}

static void markdown_has_nothing_to_obey(void **state)
{
    (void)state;
    assert_markdown("`a` *b* [c](d) #1 @e |<f>&",
                    "&#96;a&#96; &#42;b&#42; &#91;c&#93;(d) &#35;&#8203;1 &#64;&#8203;e "
                    "&#124;&#60;f&#62;&#38;");
    assert_markdown("lost_state _a_", "lost_state &#95;a&#95;");
    assert_markdown("a\nb", "a b");
}

/* What cmark-gfm makes of it with its extension `autolink`: no link. */
static void markdown_has_no_address_to_follow(void **state)
{
    (void)state;
    assert_markdown("https://e.example/a ftp://f", "https&#58;//e.example/a ftp&#58;//f");
    assert_markdown("www.e.example (WWW.e", "www&#46;e.example (WWW&#46;e");
    assert_markdown("a@b.example", "a&#64;&#8203;b.example");
    assert_markdown("12:30, ww.c, file.c:12 //", "12:30, ww.c, file.c:12 //");
    assert_markdown(".www:/", ".www:/");
}

static void markdown_may_be_printed_on_a_terminal(void **state)
{
    (void)state;
    assert_markdown("\x1b]0;a\x07\x7f\xc2\x9b"
                    "31m\xff",
                    " &#93;0;a ???"
                    "31m?");
    assert_markdown("\xc3\xa9\xf0\x9f\x92\xa7", "\xc3\xa9\xf0\x9f\x92\xa7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_begins_markup_is_a_reference),
        cmocka_unit_test(what_xml_has_no_place_for_is_a_question_mark),
        cmocka_unit_test(a_length_cuts_no_character),
        cmocka_unit_test(markdown_has_nothing_to_obey),
        cmocka_unit_test(markdown_has_no_address_to_follow),
        cmocka_unit_test(markdown_may_be_printed_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
