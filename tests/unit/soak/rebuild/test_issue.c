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

static char *shortened(const struct result *r, const struct shortest *shortest)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    issue_write(r, shortest, out);
    fclose(out);
    return text;
}

static char *issue_of(const struct result *r)
{
    return shortened(r, NULL);
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

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in:\n%s", part, text);
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
        assert_has(text, parts[i]);
    free(text);
}

static void an_issue_says_when_it_may_be_a_session_cache(void **state)
{
    (void)state;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    filled.subject[0].class_name = "SSL_SESSION";
    filled.subject[0].processes = 1;
    char *text = issue_of(&filled);
    assert_has(text,
               "\nA session cache of the program's own would look like this until it is full.\n");
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
        const struct shortest s = {.command = "x\n\n<script>\n# big", .by_file = "{here}\n<b>"};
        char *text = shortened(r, i % 2 ? &s : NULL);
        assert_null(strstr(text, "<b>"));
        assert_null(strstr(text, "\n<script>"));
        assert_null(strchr(text, '@'));
        assert_null(strstr(text, "\n# big"));
        free(text);
    }
}

static void an_issue_has_the_shortest_command_and_the_runs_own(void **state)
{
    (void)state;
    struct shortest s = {.command = "./soak --conns 1 --server '{here}/run' --seed 7f3a",
                         .by_file = "./soak run x.soak --conns 1 --seed 7f3a",
                         .closed = 40,
                         .runs = 17,
                         .confirmed = true};
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    filled.alone = "./soak --closed 60k --seed 7f3a";
    char *text = shortened(&filled, &s);
    assert_has(text, "## To see it\n\n    ./soak --conns 1 --server '{here}/run' --seed 7f3a\n\n"
                     "It closes 40 connections. Found by 17 runs");
    assert_has(text, "; the last one confirmed it.\n");
    assert_has(text, "With them:\n\n    ./soak run x.soak --conns 1 --seed 7f3a\n");
    assert_has(text, "about:\n\n    ./soak --closed 60k --seed 7f3a\n");
    free(text);
    s.confirmed = false;
    s.stopped = true;
    s.closed = s.runs = 1;
    text = shortened(&filled, &s);
    assert_has(text, "It closes 1 connection. Found by 1 run, ");
    assert_has(text, "it was not confirmed by one more. The search stopped early, so there may be");
    free(text);
}

/* A file's name says nothing on another machine; its version and where it came from do. */
static void an_issue_has_versions_and_no_folders(void **state)
{
    (void)state;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    filled.lib[0] = (struct result_lib){"openssl", "3.0.20"};
    filled.mapped[0] =
        (struct result_mapped){"openssl", "/home/me/libssl.so.3", "3.0.20-1", "debian"};
    filled.mapped[1] =
        (struct result_mapped){"openssl", "/home/me/libcrypto.so.3", "3.0.20-1", "debian"};
    filled.mapped[2] = (struct result_mapped){"libfoo1", "/usr/lib/libfoo.so", "2.0.28-1", NULL};
    filled.mapped[3] = (struct result_mapped){"jemalloc", "/usr/lib/libjemalloc.so", NULL, NULL};
    filled.mapped_count = 4;
    char *text = issue_of(&filled);
    assert_has(text, "|---|---|\n| openssl | 3.0.20-1, from debian |\n| libuv |");
    assert_has(text, "| libfoo1 | 2.0.28-1 |\n");
    assert_null(strstr(text, "/home/me"));
    assert_null(strstr(text, "/usr/lib"));
    assert_null(strstr(text, "| openssl | 3.0.20 |"));
    free(text);
}

/* Long commands go on as a shell reads them, and never break within quotes. */
static void an_issue_needs_no_file_of_ours(void **state)
{
    (void)state;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    filled.next[0] = "./soak run a/b.soak --seed 7";
    filled.next_note[0] = NULL;
    filled.alone = "./soak --conns 10 --closed 4k --server "
                   "'./serve --listen {address} --cert {cert} --key {key} --threads 4 --quiet' "
                   "--seed 7";
    char *text = issue_of(&filled);
    assert_has(text, "## To see it\n\n    ./soak --conns 10 --closed 4k \\\n        --server "
                     "'./serve --listen {address} --cert {cert} --key {key} --threads 4 --quiet' "
                     "\\\n        --seed 7\n\n## ");
    assert_null(strstr(text, "a/b.soak"));
    free(text);
    filled.alone = "./soak --server '{here}/serve'";
    text = issue_of(&filled);
    assert_has(text, "    ./soak --server '{here}/serve'\n\n`{here}` is the scenario's folder");
    assert_has(text, "\n\n    ./soak run a/b.soak --seed 7\n");
    free(text);
}

static void an_issue_explains_its_words(void **state)
{
    (void)state;
    static const struct symbol frames[] = {
        {.module = "libssl.so.3", .offset = 0x10},
        {.module = "libssl.so.3", .offset = 0x20},
        {.function = "Interpreter", .module = "[jit]", .offset = 1},
        {.function = "Interpreter", .module = "[jit]", .offset = 2},
        {.function = "main", .module = "java"},
    };
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    struct result_subject *subject = &filled.subject[0];
    const struct result_site *site = &subject->site[0];
    const struct result_stack stack = {
        .file = site->file, .line = site->line, .blocks = 1, .frames = 5, .frame = frames};
    subject->capture.stack = &stack;
    subject->capture.stacks = 1;
    char *text = issue_of(&filled);
    assert_has(text,
               "    libssl.so.3+0x10, +0x20\n    Interpreter  [jit], 2 times\n    main  java\n");
    assert_has(text, "In all: a 32 B block per connection");
    assert_has(text, " blocks of 32 B; side allocation lost\n");
    assert_has(text, "\n\nSide allocation lost: the objects around it are freed, ");
    assert_has(text, "| reset | reset the open connection |");
    free(text);
}

static void an_issue_counts_what_the_run_counted(void **state)
{
    (void)state;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    struct judgement *j = &filled.subject[0].judgement;
    filled.run.unit = j->unit = UNIT_OPERATION;
    filled.next_note[0] = "shows within 600";
    filled.alone = NULL;
    j->sensitivity.one_in = 500;
    j->proportional = true;
    static const int64_t born = 300;
    static const struct result_site site = {
        .file = "server/defect.c", .line = 41, .verdict = VERDICT_LEAK, .births = 1, .born = &born};
    static const struct judge_epoch epoch = {.opened = 300, .measured = true, .all_closed = true};
    filled.subject[0].site = &site;
    filled.subject[0].sites = 1;
    filled.subject[0].epoch = &epoch;
    filled.subject[0].epochs = 1;
    char *text = issue_of(&filled);
    static const char *const parts[] = {"\nIt shows within 600 operations.\n",
                                        "| epoch | operations begun |", "lost in 500 operations (",
                                        "in proportion to their operations."};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_has(text, parts[i]);
    free(text);
}

static void an_issue_says_confirmed_only_of_what_was(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool confirmed;
    } of[] = {{"reset-path", true}, {"error-path", false}, {"lost-state", false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        filled = (struct result){0};
        report_case_find(of[i].name)->fill(&filled);
        char *text = issue_of(&filled);
        assert_int_equal(strstr(text, "Confirmed: ") != NULL, of[i].confirmed);
        if (of[i].confirmed)
            assert_has(text, "250 connections, 250 of the leaking kinds, kept 250 blocks; "
                             "250, 0 of these, kept 0.");
        free(text);
    }
}

/* A whole document is refused by GitHub for one result without these. */
static void assert_has_a_place(const json_t *result)
{
    const json_t *locations = json_object_get(result, "locations");
    assert_int_equal(json_array_size(locations), 1);
    const json_t *place = json_object_get(json_array_get(locations, 0), "physicalLocation");
    const char *uri =
        json_string_value(json_object_get(json_object_get(place, "artifactLocation"), "uri"));
    assert_true(uri && *uri);
    const json_t *region = json_object_get(place, "region");
    assert_true(json_integer_value(json_object_get(region, "startLine")) >= 1);
}

/* As many results as sites that grow or may grow, each with what SARIF and GitHub demand. */
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
            assert_has_a_place(one);
        }
        json_decref(root);
    }
}

/* Gives the server of `filled` these sites, and these stacks. */
static void fill_sites(const struct result_site *site, size_t sites,
                       const struct result_stack *stack, size_t stacks)
{
    static struct result_site own[4];
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    for (size_t i = 0; i < sites; i++) {
        own[i] = site[i];
        own[i].row = filled.subject[0].site[0].row;
    }
    filled.subject[0].site = own;
    filled.subject[0].sites = sites;
    filled.subject[0].capture.stack = stack;
    filled.subject[0].capture.stacks = stacks;
}

static json_t *sarif_of_sites(const struct result_site *site, size_t sites,
                              const struct result_stack *stack, size_t stacks)
{
    fill_sites(site, sites, stack, stacks);
    return sarif_of(&filled);
}

/* Of a run that this command repeats. */
static json_t *sarif_of_run(const char *again, const struct result_site *site,
                            const struct result_stack *stack)
{
    fill_sites(site, 1, stack, 1);
    filled.again = again;
    return sarif_of(&filled);
}

static const json_t *place_of(const json_t *root)
{
    const json_t *result = json_array_get(results_of(root), 0);
    const json_t *location = json_array_get(json_object_get(result, "locations"), 0);
    return json_object_get(location, "physicalLocation");
}

static json_int_t line_of(const json_t *root)
{
    return json_integer_value(
        json_object_get(json_object_get(place_of(root), "region"), "startLine"));
}

static const char *uri_of(const json_t *root)
{
    return json_string_value(
        json_object_get(json_object_get(place_of(root), "artifactLocation"), "uri"));
}

static void a_path_is_a_reference(void **state)
{
    (void)state;
    struct result_site site = {.file = "a b/<c>.c", .line = 3};
    json_t *root = sarif_of_sites(&site, 1, NULL, 0);
    assert_string_equal(uri_of(root), "a%20b/%3Cc%3E.c");
    json_decref(root);
}

/* --malloc-hooks names its sites for the function that was called: malloc. */
static void a_site_without_a_line_is_where_its_stack_begins(void **state)
{
    (void)state;
    struct result_site site = {.file = "malloc"};
    struct symbol frame[2] = {{.function = "keep", .file = "srv/keep.c", .line = 27},
                              {.function = "main", .file = "srv/main.c", .line = 9}};
    struct result_stack stack = {.file = "malloc", .frames = 2, .frame = frame};
    json_t *root = sarif_of_sites(&site, 1, &stack, 1);
    assert_string_equal(uri_of(root), "srv/keep.c");
    assert_int_equal(line_of(root), 27);
    json_decref(root);

    frame[0].file = NULL; /* a library without debug information */
    root = sarif_of_sites(&site, 1, &stack, 1);
    assert_string_equal(uri_of(root), "srv/main.c");
    assert_int_equal(line_of(root), 9);
    json_decref(root);
}

/* Descriptors have no site, and a stripped program has no files. */
static void what_is_in_no_file_is_in_the_scenario(void **state)
{
    (void)state;
    static const struct {
        const char *again, *uri;
    } runs[] = {{NULL, "scenarios/default.soak"},
                {"./soak run family/smoke --conns 5 --seed 7f3a", "scenarios/family/smoke.soak"},
                {"soak run './a b/c.soak' --seed 7f3a", "a%20b/c.soak"},
                {"soak run /srv/c.soak --seed 7f3a", "file:///srv/c.soak"},
                {"soak run $'a\\x1b.soak' --seed 7f3a", "scenarios/default.soak"}};
    struct symbol frame = {.function = "keep"};
    struct result_stack stack = {.file = "malloc", .frames = 1, .frame = &frame};
    const struct result_site sites[] = {{.file = "malloc"}, {.file = NULL}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        for (size_t k = 0; k < sizeof sites / sizeof *sites; k++) {
            json_t *root = sarif_of_run(runs[i].again, &sites[k], &stack);
            assert_string_equal(uri_of(root), runs[i].uri);
            assert_int_equal(line_of(root), 1);
            json_decref(root);
        }
    }
}

static const char *fingerprint_of(const json_t *root, size_t i)
{
    const json_t *result = json_array_get(results_of(root), i);
    return json_string_value(
        json_object_get(json_object_get(result, "partialFingerprints"), "soakSite/v1"));
}

static void sites_of_one_file_have_fingerprints_of_their_own(void **state)
{
    (void)state;
    static const struct result_site sites[] = {{.file = "stack.c", .line = 229},
                                               {.file = "stack.c", .line = 49},
                                               {.file = "buffer.c", .line = 97}};
    static const struct result_site moved[] = {{.file = "buffer.c", .line = 99},
                                               {.file = "stack.c", .line = 51},
                                               {.file = "stack.c", .line = 231}};
    json_t *root = sarif_of_sites(sites, 3, NULL, 0);
    json_t *later = sarif_of_sites(moved, 3, NULL, 0);
    assert_string_not_equal(fingerprint_of(root, 0), fingerprint_of(root, 1));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(fingerprint_of(root, i), fingerprint_of(later, 2 - i));
    json_decref(root);
    json_decref(later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issue_claims_and_shows),
        cmocka_unit_test(an_issue_says_when_it_may_be_a_session_cache),
        cmocka_unit_test(nothing_in_an_issue_is_markdown_of_others),
        cmocka_unit_test(an_issue_has_the_shortest_command_and_the_runs_own),
        cmocka_unit_test(an_issue_has_versions_and_no_folders),
        cmocka_unit_test(an_issue_needs_no_file_of_ours),
        cmocka_unit_test(an_issue_explains_its_words),
        cmocka_unit_test(an_issue_counts_what_the_run_counted),
        cmocka_unit_test(an_issue_says_confirmed_only_of_what_was),
        cmocka_unit_test(sarif_has_a_result_per_site),
        cmocka_unit_test(a_path_is_a_reference),
        cmocka_unit_test(a_site_without_a_line_is_where_its_stack_begins),
        cmocka_unit_test(what_is_in_no_file_is_in_the_scenario),
        cmocka_unit_test(sites_of_one_file_have_fingerprints_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
