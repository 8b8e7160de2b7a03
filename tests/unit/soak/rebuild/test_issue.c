/* SPDX-License-Identifier: Apache-2.0 */
/* A leak for its maintainers, and for code scanning: of every case of the reports. */
#include "rebuild/issue.h"
#include "rebuild/sarif.h"
#include "tests/unit/report/report_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static struct result filled; /* large */

static const struct result *case_at(size_t i)
{
    filled = (struct result){0};
    report_cases[i].fill(&filled);
    return &filled;
}

static char *issue_of(const struct result *r)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    issue_write(r, out);
    fclose(out);
    return text;
}

static json_t *sarif_of(const struct result *r)
{
    char *text = sarif_document(r);
    assert_non_null(text);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static const json_t *results_of(const json_t *root)
{
    return json_object_get(json_array_get(json_object_get(root, "runs"), 0), "results");
}

static void an_issue_claims_and_shows(void **state)
{
    (void)state;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    char *text = issue_of(&filled);
    assert_int_equal(strncmp(text, "# 32 B lost per connection at server/defect.c:41", 48), 0);
    static const char *const parts[] = {"| openssl | 3.0.19 |", "## To see it\n\n    ./soak",
                                        "## Where it is allocated\n\n    defect_state_new"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no '%s' in:\n%s", parts[i], text);
    free(text);
}

static void nothing_in_an_issue_is_markdown_of_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        struct result *r = (struct result *)(uintptr_t)case_at(i);
        if (r->verdict != VERDICT_LEAK)
            continue;
        r->lib[0] = (struct result_lib){"<b>", "`@someone`\n# big"};
        r->next[0] = "x\n\n<script>";
        char *text = issue_of(r);
        assert_null(strstr(text, "<b>"));
        assert_null(strstr(text, "\n<script>"));
        assert_null(strchr(text, '@'));
        assert_null(strstr(text, "\n# big"));
        free(text);
    }
}

/* As many results as sites that grow or may grow, each with what SARIF demands. */
static void sarif_has_a_result_per_site(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        const struct result *r = case_at(i);
        json_t *root = sarif_of(r);
        size_t sites = 0;
        for (size_t s = 0; s < r->subjects; s++)
            for (size_t k = 0; k < r->subject[s].sites; k++)
                sites += r->subject[s].site[k].kind != KIND_NONE &&
                         r->subject[s].site[k].verdict != VERDICT_PASS;
        const json_t *results = results_of(root);
        assert_int_equal(json_array_size(results), sites);
        for (size_t k = 0; k < sites; k++) {
            const json_t *one = json_array_get(results, k);
            assert_non_null(json_object_get(json_object_get(one, "message"), "text"));
            assert_int_equal(json_array_size(json_object_get(one, "locations")), 1);
        }
        json_decref(root);
    }
}

static void a_path_is_a_reference(void **state)
{
    (void)state;
    struct result_site site = {.file = "a b/<c>.c", .line = 3};
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    site.row = filled.subject[0].site[0].row;
    filled.subject[0].site = &site;
    filled.subject[0].sites = 1;
    json_t *root = sarif_of(&filled);
    const json_t *location =
        json_array_get(json_object_get(json_array_get(results_of(root), 0), "locations"), 0);
    const json_t *place = json_object_get(location, "physicalLocation");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(place, "artifactLocation"), "uri")),
        "a%20b/%3Cc%3E.c");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issue_claims_and_shows),
        cmocka_unit_test(nothing_in_an_issue_is_markdown_of_others),
        cmocka_unit_test(sarif_has_a_result_per_site),
        cmocka_unit_test(a_path_is_a_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
