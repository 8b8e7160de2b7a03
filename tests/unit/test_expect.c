#include "base/rng.h"
#include "scenario/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct expect parsed(const char *text)
{
    struct expect x;
    struct err e = {""};
    if (expect_parse(text, &x, &e) < 0)
        fail_msg("%s: %s", text ? text : "", e.text);
    return x;
}

static void what_is_expected_prints_as_it_reads(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "pass",
        "leak",
        "inconclusive",
        "invalid",
        "leak kind=side-allocation-lost",
        "leak kind=object-retained|side-allocation-lost site=server/defect.c:41",
        "pass kind=cache-filling",
        "leak site=../ssl/ssl_lib.c",
    };
    char back[256];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct expect x = parsed(texts[i]);
        assert_string_equal(expect_print(&x, back, sizeof back), texts[i]);
    }
    assert_int_equal(parsed("").verdict, VERDICT_PASS);
    assert_int_equal(parsed(NULL).verdict, VERDICT_PASS);
    assert_string_equal(parsed("  leak \t site=a.c  ").site, "a.c");
}

static void what_is_wrong_is_said_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"leek", "no such verdict 'leek'; did you mean leak?"},
        {"LEAK", "it begins with pass, leak, inconclusive or invalid, such as 'leak "
                 "site=server/defect.c'"},
        {"kind=mapping", "it begins with pass, leak, inconclusive or invalid, such as 'leak "
                         "site=server/defect.c'"},
        {"leak kind=side-alocation-lost",
         "no such kind 'side-alocation-lost'; did you mean side-allocation-lost?"},
        {"leak kind=", "no such kind ''; the kinds are those of result.json, such as "
                       "side-allocation-lost"},
        {"leak kind=none",
         "no such kind 'none'; the kinds are those of result.json, such as side-allocation-lost"},
        {"leak kind=mapping|", "no such kind ''; the kinds are those of result.json, such as "
                               "side-allocation-lost"},
        {"leak kind=mapping kind=threads", "kind= is given twice; several are separated by |"},
        {"leak site=", "site= takes a file or file:line, such as server/defect.c"},
        {"leak site=a site=b", "site= is given twice"},
        {"leak pass", "'pass': after the verdict come kind=NAME and site=FILE:LINE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expect x = {.verdict = VERDICT_INVALID};
        struct err e = {""};
        if (expect_parse(cases[i].text, &x, &e) != -1)
            fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(e.text, cases[i].sentence);
        assert_int_equal(x.verdict, VERDICT_INVALID);
    }
    char endless[600] = "leak site=";
    memset(endless + 10, 'x', EXPECT_SITE);
    assert_int_equal(expect_parse(endless, &(struct expect){0}, NULL), -1);
    memset(endless + 10, 'x', sizeof endless - 11);
    assert_int_equal(expect_parse(endless, &(struct expect){0}, NULL), -1);
}

static const struct expect_finding found[] = {
    {"LEAK", "side-allocation-lost", "server/defect.c", 41},
    {"LEAK", "outside-openssl", NULL, 0},
    {"PASS", "cache-filling", "../ssl/ssl_sess.c", 12},
};

static bool met(const char *text, const char *verdict)
{
    struct expect x = parsed(text);
    return expect_met(&x, verdict, found, sizeof found / sizeof *found);
}

static void the_verdict_must_be_the_one(void **state)
{
    (void)state;
    assert_true(met("leak", "LEAK") && met("pass", "PASS") && met("invalid", "INVALID"));
    assert_false(met("leak", "PASS") || met("pass", "LEAK") || met("pass", "INCONCLUSIVE"));
    assert_false(met("pass", NULL) || met("pass", "") || met("pass", "PASSED"));
}

static void kind_and_site_are_one_findings_of_that_verdict(void **state)
{
    (void)state;
    assert_true(met("leak kind=side-allocation-lost", "LEAK"));
    assert_true(met("leak kind=mapping|outside-openssl", "LEAK"));
    assert_true(met("leak kind=side-allocation-lost site=server/defect.c:41", "LEAK"));
    assert_true(met("pass kind=cache-filling site=ssl_sess.c", "PASS"));
    assert_false(met("leak kind=object-retained", "LEAK"));
    assert_false(met("leak kind=outside-openssl site=defect.c", "LEAK"));
    assert_false(met("leak kind=cache-filling", "LEAK"));
    assert_false(met("pass kind=side-allocation-lost", "PASS"));
    struct expect x = parsed("leak kind=mapping");
    assert_false(expect_met(&x, "LEAK", NULL, 0));
}

static void a_site_is_a_file_or_a_line_of_it(void **state)
{
    (void)state;
    assert_true(met("leak site=server/defect.c", "LEAK") && met("leak site=defect.c", "LEAK"));
    assert_true(met("leak site=defect.c:41", "LEAK"));
    assert_false(met("leak site=defect.c:4", "LEAK") || met("leak site=defect.c:410", "LEAK"));
    assert_false(met("leak site=efect.c", "LEAK") || met("leak site=defect", "LEAK"));
    assert_false(met("leak site=x/server/defect.c", "LEAK") || met("leak site=:41", "LEAK"));
}

static void any_words_are_read_or_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {"leak", "pass", " ",    "kind=",  "site=", "|",
                                         "a.c",  ":1",   "time", "-based", "\xff"};
    struct rng r = {41};
    for (int round = 0; round < 3000; round++) {
        char text[128] = "", back[512];
        for (uint64_t i = rng_below(&r, 10); i > 0; i--)
            strcat(text, pieces[rng_below(&r, sizeof pieces / sizeof *pieces)]);
        struct expect x, again;
        struct err e = {""};
        if (expect_parse(text, &x, &e) < 0) {
            assert_string_not_equal(e.text, "");
            continue;
        }
        again = parsed(expect_print(&x, back, sizeof back));
        assert_true(again.verdict == x.verdict && again.kinds == x.kinds);
        assert_string_equal(again.site, x.site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_prints_as_it_reads),
        cmocka_unit_test(what_is_wrong_is_said_with_what_would_be_right),
        cmocka_unit_test(the_verdict_must_be_the_one),
        cmocka_unit_test(kind_and_site_are_one_findings_of_that_verdict),
        cmocka_unit_test(a_site_is_a_file_or_a_line_of_it),
        cmocka_unit_test(any_words_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
