/* SPDX-License-Identifier: Apache-2.0 */
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
        "leak subject=client",
        "leak subject=both kind=object-retained site=a.c",
        "inconclusive subject=server",
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
        {"leak pass", "'pass': after the verdict come subject=NAME, kind=NAME and site=FILE:LINE"},
        {"leak subject=", "subject= takes server, client or both"},
        {"leak subject=peer", "subject= takes server, client or both"},
        {"leak subject=client subject=client", "subject= is given twice"},
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
    {EXPECT_SERVER, "LEAK", "side-allocation-lost", "server/defect.c", 41},
    {EXPECT_SERVER, "LEAK", "outside-openssl", NULL, 0},
    {EXPECT_SERVER, "PASS", "cache-filling", "../ssl/ssl_sess.c", 12},
};

static bool met(const char *text, const char *verdict)
{
    struct expect x = parsed(text);
    struct expect_run run = {.verdict = verdict,
                             .server = verdict,
                             .client = "PASS",
                             .finding = found,
                             .count = sizeof found / sizeof *found};
    return expect_met(&x, &run);
}

/* Each subject with its verdict, and with a finding of it that says whose it is. */
static bool met_by(const char *text, const char *server, const char *client)
{
    struct expect x = parsed(text);
    const struct expect_finding finding[] = {
        {EXPECT_SERVER, server, "object-retained", "server.c", 1},
        {EXPECT_CLIENT, client, "side-allocation-lost", "client.c", 2}};
    bool leak = strcmp(server, "LEAK") == 0 || strcmp(client, "LEAK") == 0;
    struct expect_run run = {.verdict = leak ? "LEAK" : server,
                             .server = server,
                             .client = client,
                             .finding = finding,
                             .count = 2};
    return expect_met(&x, &run);
}

static void a_leak_is_that_of_the_client_where_that_is_tested(void **state)
{
    (void)state;
    const struct expect_finding finding = {EXPECT_CLIENT, "LEAK", "object-retained", "c.c", 1};
    struct expect_run run = {.verdict = "LEAK",
                             .server = "PASS",
                             .client = "LEAK",
                             .tested = EXPECT_CLIENT,
                             .finding = &finding,
                             .count = 1};
    struct expect any = parsed("leak"), sited = parsed("leak site=c.c"),
                  server = parsed("leak subject=server");
    assert_true(expect_met(&any, &run) && expect_met(&sited, &run));
    assert_false(expect_met(&server, &run));
    run.server = "LEAK";
    assert_false(expect_met(&any, &run));
    run.client = "PASS";
    assert_false(expect_met(&any, &run));
    assert_true(expect_met(&server, &run));
}

static void a_leak_is_the_servers_unless_the_client_is_named(void **state)
{
    (void)state;
    assert_true(met_by("leak", "LEAK", "PASS") && met_by("leak subject=server", "LEAK", "PASS"));
    assert_true(met_by("leak", "LEAK", "INCONCLUSIVE"));
    assert_false(met_by("leak", "PASS", "LEAK") || met_by("leak", "INCONCLUSIVE", "LEAK"));
    assert_false(met_by("leak", "LEAK", "LEAK"));
    assert_true(met_by("leak subject=client", "PASS", "LEAK"));
    assert_false(met_by("leak subject=client", "LEAK", "PASS"));
    assert_false(met_by("leak subject=client", "LEAK", "LEAK"));
    assert_true(met_by("leak subject=both", "LEAK", "LEAK"));
    assert_false(met_by("leak subject=both", "LEAK", "PASS"));
}

static void kind_and_site_are_the_named_subjects(void **state)
{
    (void)state;
    assert_true(met_by("leak kind=object-retained site=server.c", "LEAK", "PASS"));
    assert_false(met_by("leak kind=side-allocation-lost", "LEAK", "PASS"));
    assert_true(met_by("leak subject=client site=client.c", "PASS", "LEAK"));
    assert_false(met_by("leak subject=client site=server.c", "PASS", "LEAK"));
    assert_true(met_by("leak subject=both site=server.c", "LEAK", "LEAK"));
    assert_true(met_by("leak subject=both site=client.c", "LEAK", "LEAK"));
    assert_true(met_by("pass kind=side-allocation-lost", "PASS", "PASS"));
    assert_false(met_by("pass subject=server kind=side-allocation-lost", "PASS", "PASS"));
}

/* A document of `--fail-alloc` has one verdict for both. */
static void without_subjects_the_run_is_judged(void **state)
{
    (void)state;
    struct expect x = parsed("leak");
    assert_true(expect_met(&x, &(struct expect_run){.verdict = "LEAK"}));
    assert_false(expect_met(&x, &(struct expect_run){.verdict = "PASS"}));
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
    assert_false(expect_met(&x, &(struct expect_run){.verdict = "LEAK", .server = "LEAK"}));
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
    static const char *const pieces[] = {"leak",           "pass", " ",  "kind=", "site=",  "|",
                                         "subject=client", "a.c",  ":1", "time",  "-based", "\xff"};
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
        assert_true(again.verdict == x.verdict && again.kinds == x.kinds &&
                    again.subject == x.subject);
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
        cmocka_unit_test(a_leak_is_that_of_the_client_where_that_is_tested),
        cmocka_unit_test(a_leak_is_the_servers_unless_the_client_is_named),
        cmocka_unit_test(kind_and_site_are_the_named_subjects),
        cmocka_unit_test(without_subjects_the_run_is_judged),
        cmocka_unit_test(a_site_is_a_file_or_a_line_of_it),
        cmocka_unit_test(any_words_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
