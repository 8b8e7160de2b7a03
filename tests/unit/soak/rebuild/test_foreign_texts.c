/* SPDX-License-Identifier: Apache-2.0 */
/* Each text of a document, one after the other, is what a hostile hand writes, or isn't there. What
 * the reader takes is printed as text: nothing steers the terminal, and nothing is "(null)". So is
 * each number that isn't there, and nothing is "nan". */
#include "base/text.h"
#include "rebuild/issue.h"
#include "rebuild/sarif.h"
#include "rebuild/suite_of.h"
#include "report/document.h"
#include "report/html/html.h"
#include "report/report.h"
#include "suite/suite_text.h"
#include "tests/unit/report/report_cases.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A window's title, colour, DEL, and U+009B, which begins a sequence too. */
#define STEERS "\x1b]0;title\x07\x1b[31m\x7f\xc2\x9b"
static const struct report_style style = {.utf8 = true, .columns = 100};

/* A document whose texts, or numbers, are replaced by `text` one at a time; NULL: by null. */
struct walk {
    json_t *root;
    const char *name, *text;
    bool numbers;
    size_t tried, taken;
};

static void assert_harmless(const struct walk *w, const char *where, const char *printed)
{
    if (strstr(printed, "(null)"))
        fail_msg("%s, %s: (null) in:\n%s", w->name, where, printed);
    for (size_t length; *printed; printed += length) {
        length = *printed == '\n' ? 1 : text_character(printed);
        if (length == 0)
            fail_msg("%s, %s: byte %02x before: %.40s", w->name, where, (unsigned char)*printed,
                     printed + 1);
    }
}

static bool is_word(const char *text, const char *at, size_t length)
{
    return (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]);
}

static void assert_has_no_nan(const struct walk *w, const char *where, const char *printed)
{
    static const char *const words[] = {"nan", "inf"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *at = printed; (at = strstr(at, words[i])); at++)
            if (is_word(printed, at, strlen(words[i])))
                fail_msg("%s, %s: %.120s", w->name, where, at - printed < 60 ? printed : at - 60);
}

/* What people read; documents are for programs, and have any character as it is. */
static void print_texts(const struct result *r, FILE *out)
{
    report_text(r, &style, false, out);
    report_text(r, &style, true, out);
    if (r->verdict == VERDICT_LEAK)
        issue_write(r, NULL, out);
}

/* All that has figures. */
static void print_forms(struct document *d, FILE *out)
{
    static struct samples none;
    const struct finished f = {.document = d};
    const struct html_run page = {.result = &d->result, .samples = &none};
    struct suite suite;
    print_texts(&d->result, out);
    html_run(&page, out);
    suite_of(&suite, &f);
    suite_junit(&suite, out);
    suite_markdown(&suite, out);
    suite_free(&suite);
    char *sarif = sarif_document(&d->result);
    assert_non_null(sarif);
    fputs(sarif, out);
    free(sarif);
}

static void look(struct walk *w, const char *where)
{
    struct err e;
    char *printed = NULL;
    size_t size;
    struct document *d = document_read(w->root, &e);
    w->tried++;
    if (!d)
        return;
    FILE *out = open_memstream(&printed, &size);
    assert_non_null(out);
    if (w->numbers)
        print_forms(d, out);
    else
        print_texts(&d->result, out);
    fclose(out);
    (w->numbers ? assert_has_no_nan : assert_harmless)(w, where, printed);
    free(printed);
    document_free(d);
    w->taken++;
}

static json_t *replacement(const struct walk *w)
{
    return w->text ? json_string(w->text) : json_null();
}

static bool is_meant(const struct walk *w, const json_t *value)
{
    return w->numbers ? json_is_number(value) : json_is_string(value);
}

/* The members of `value` that are meant, and theirs. */
static void walk(struct walk *w, json_t *value, const char *where)
{
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach(value, key, member)
    {
        json_t *was = json_incref(member);
        walk(w, was, key);
        if (is_meant(w, was) && json_object_set_new(value, key, replacement(w)) == 0) {
            look(w, key);
            json_object_set(value, key, was);
        }
        json_decref(was);
    }
    json_array_foreach(value, i, member)
    {
        json_t *was = json_incref(member);
        walk(w, was, where);
        if (is_meant(w, was) && json_array_set_new(value, i, replacement(w)) == 0) {
            look(w, where);
            json_array_set(value, i, was);
        }
        json_decref(was);
    }
}

static void print_each_case_with(const char *text, bool numbers)
{
    static struct result r;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        r = (struct result){0};
        report_cases[i].fill(&r);
        char *written = document_write(&r);
        assert_non_null(written);
        struct walk w = {.root = json_loads(written, 0, NULL),
                         .name = report_cases[i].name,
                         .text = text,
                         .numbers = numbers};
        assert_non_null(w.root);
        walk(&w, w.root, "");
        assert_true(w.tried > 20 && w.taken > w.tried / 3);
        json_decref(w.root);
        free(written);
    }
}

static void no_text_of_a_document_steers_the_terminal(void **state)
{
    (void)state;
    print_each_case_with(STEERS, false);
}

static void a_text_that_a_document_lacks_is_not_printed(void **state)
{
    (void)state;
    print_each_case_with(NULL, false);
}

static void a_number_that_a_document_lacks_is_not_printed(void **state)
{
    (void)state;
    print_each_case_with(NULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_of_a_document_steers_the_terminal),
        cmocka_unit_test(a_text_that_a_document_lacks_is_not_printed),
        cmocka_unit_test(a_number_that_a_document_lacks_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
