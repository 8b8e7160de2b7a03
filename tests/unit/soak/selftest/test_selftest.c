/* SPDX-License-Identifier: Apache-2.0 */
/* The selftest must notice each way in which a verdict can be wrong. */
#include "src/soak/selftest/selftest.h"

#include "report/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct selftest_case lost = {.defect = "lost-state",
                                          .verdict = VERDICT_LEAK,
                                          .kind = KIND_SIDE,
                                          .one_in = 1,
                                          .file = "server/defect.c",
                                          .blocks = 1.0,
                                          .function = "lost_state_accept"};
static const struct selftest_case rare = {.defect = "lost-state",
                                          .verdict = VERDICT_LEAK,
                                          .kind = KIND_SIDE,
                                          .one_in = 100,
                                          .file = "server/defect.c",
                                          .blocks = 0.01};
static const struct selftest_case once = {.defect = "one-time",
                                          .verdict = VERDICT_PASS,
                                          .kind = KIND_ONE_TIME,
                                          .one_in = 1,
                                          .file = "server/defect.c",
                                          .function = "table_accept"};

/* A document of one subject with one site, traced to both cases' functions. */
static json_t *document(const char *verdict, const char *kind, const char *file, double blocks)
{
    return json_pack("{s:s, s:s, s:{}, s:[{s:s, s:s, s:s, s:[{s:s, s:i, s:s, s:f, s:i}], "
                     "s:[{s:s, s:[{s:s}, {s:s}]}]}]}",
                     "schema", "soak/1", "verdict", verdict, "run", "subjects", "name", "server",
                     "verdict", verdict, "kind", kind, "sites", "file", file, "line", 94, "kind",
                     kind, "per_conn_blocks", blocks, "blocks", (int)(blocks * 12000 + 0.5),
                     "stacks", "file", "server/defect.c", "frames", "function", "lost_state_accept",
                     "function", "table_accept");
}

/* `functions`: a stack of the first site, separated by blanks, innermost first; NULL = no stack. */
static json_t *traced(json_t *document, const char *functions)
{
    json_t *stacks = json_array(), *frames = json_array();
    char names[200], *rest = names;
    snprintf(names, sizeof names, "%s", functions ? functions : "");
    for (char *name; functions && (name = strsep(&rest, " "));)
        json_array_append_new(frames, json_pack("{s:s, s:s}", "function", name, "file", "x.c"));
    if (functions)
        json_array_append_new(stacks, json_pack("{s:s, s:i, s:i, s:o}", "file", "server/defect.c",
                                                "line", 94, "blocks", 9, "frames", frames));
    else
        json_decref(frames);
    json_object_set_new(json_array_get(json_object_get(document, "subjects"), 0), "stacks", stacks);
    return document;
}

static enum selftest_outcome outcome(const struct selftest_case *c, json_t *owned)
{
    struct selftest_said said;
    struct document *d = document_read(owned, NULL);
    enum selftest_outcome o = selftest_judge(c, d ? &d->result : NULL, &said);
    document_free(d);
    json_decref(owned);
    return o;
}

static void the_right_answer_is_as_expected(void **state)
{
    (void)state;
    assert_int_equal(
        outcome(&lost, document("LEAK", "side-allocation-lost", "server/defect.c", 1.0)),
        SELFTEST_CAUGHT);
    assert_int_equal(outcome(&once, document("PASS", "one-time", "server/defect.c", 0.0001)),
                     SELFTEST_QUIET);
}

static void each_wrong_answer_has_its_name(void **state)
{
    (void)state;
    assert_int_equal(outcome(&lost, document("PASS", "none", "server/defect.c", 1.0)),
                     SELFTEST_MISSED);
    assert_int_equal(outcome(&once, document("LEAK", "one-time", "server/defect.c", 1.0)),
                     SELFTEST_FALSE_ALARM);
    assert_int_equal(outcome(&lost, document("LEAK", "object-retained", "server/defect.c", 1.0)),
                     SELFTEST_WRONG_KIND);
    assert_int_equal(outcome(&lost, document("LEAK", "side-allocation-lost", "ssl/ssl_lib.c", 1.0)),
                     SELFTEST_WRONG_SITE);
    assert_int_equal(
        outcome(&lost, document("LEAK", "side-allocation-lost", "server/defect.c", 0.9999)),
        SELFTEST_WRONG_SITE);
    assert_int_equal(outcome(&lost, document("INCONCLUSIVE", "none", "", 0)), SELFTEST_UNDECIDED);
    assert_int_equal(outcome(&lost, document("INVALID", "none", "", 0)), SELFTEST_BROKEN);
}

static void a_run_without_a_document_is_broken(void **state)
{
    (void)state;
    assert_int_equal(outcome(&lost, NULL), SELFTEST_BROKEN);
    assert_int_equal(outcome(&lost, json_object()), SELFTEST_BROKEN);
}

static void a_pass_beside_a_client_that_leaks_is_broken(void **state)
{
    (void)state;
    json_t *d = document("PASS", "one-time", "server/defect.c", 0);
    json_object_set_new(d, "verdict", json_string("LEAK"));
    assert_int_equal(outcome(&once, d), SELFTEST_BROKEN);
}

/* `verdict`: the client's. */
static json_t *beside(const char *verdict, json_t *document)
{
    json_array_append_new(
        json_object_get(document, "subjects"),
        json_pack("{s:s, s:s, s:s}", "name", "client", "verdict", verdict, "kind", "none"));
    return document;
}

static void a_leak_is_the_servers_alone(void **state)
{
    (void)state;
    static const struct {
        const char *client;
        enum selftest_outcome outcome;
    } beside_it[] = {{"PASS", SELFTEST_CAUGHT},
                     {"INCONCLUSIVE", SELFTEST_CAUGHT},
                     {"LEAK", SELFTEST_FALSE_ALARM},
                     {"INVALID", SELFTEST_BROKEN}};
    for (size_t i = 0; i < sizeof beside_it / sizeof *beside_it; i++) {
        json_t *d = document("LEAK", "side-allocation-lost", "server/defect.c", 1.0);
        assert_int_equal(outcome(&lost, beside(beside_it[i].client, d)), beside_it[i].outcome);
    }
}

static void every_defect_of_the_server_has_a_case(void **state)
{
    (void)state;
    static const char *const defects[] = {
#define X(name, identifier, description) name,
#include "options/defects.def"
    };
    size_t count;
    const struct selftest_case *c = selftest_cases(&count);
    for (size_t d = 0; d < sizeof defects / sizeof defects[0]; d++) {
        int quick = 0;
        for (size_t i = 0; i < count; i++)
            quick += c[i].defect && strcmp(c[i].defect, defects[d]) == 0 && c[i].quick;
        if (quick != 1)
            fail_msg("%s: %d quick cases", defects[d], quick);
    }
}

static enum selftest_outcome traced_outcome(const struct selftest_case *c, const char *functions)
{
    bool leak = c->verdict == VERDICT_LEAK;
    return outcome(c,
                   traced(document(leak ? "LEAK" : "PASS", kind_name(c->kind), c->file, c->blocks),
                          functions));
}

static void the_function_is_looked_for_behind_the_allocators_frames(void **state)
{
    (void)state;
    assert_int_equal(traced_outcome(&lost, "malloc CRYPTO_malloc CRYPTO_zalloc a b "
                                           "lost_state_accept c"),
                     SELFTEST_CAUGHT);
    assert_int_equal(traced_outcome(&lost, "CRYPTO_zalloc a b c lost_state_accept"),
                     SELFTEST_WRONG_STACK);
    assert_int_equal(traced_outcome(&lost, "CRYPTO_zalloc a b"), SELFTEST_WRONG_STACK);
}

static void whoever_made_an_object_is_found_anywhere(void **state)
{
    (void)state;
    struct selftest_case retained = lost;
    retained.anywhere = true;
    assert_int_equal(traced_outcome(&retained, "CRYPTO_zalloc a b c lost_state_accept"),
                     SELFTEST_CAUGHT);
    assert_int_equal(traced_outcome(&retained, "CRYPTO_zalloc a b c"), SELFTEST_WRONG_STACK);
}

static void a_leak_must_be_traced_and_a_pass_need_not(void **state)
{
    (void)state;
    assert_int_equal(traced_outcome(&lost, NULL), SELFTEST_WRONG_STACK);
    assert_int_equal(traced_outcome(&once, NULL), SELFTEST_QUIET);
    assert_int_equal(traced_outcome(&once, "CRYPTO_zalloc somebody"), SELFTEST_WRONG_STACK);
    assert_int_equal(traced_outcome(&once, "CRYPTO_zalloc table_accept"), SELFTEST_QUIET);
}

static void a_rare_loss_may_be_two_off_at_the_ends(void **state)
{
    (void)state;
    const char *file = "server/defect.c", *kind = "side-allocation-lost";
    assert_int_equal(outcome(&rare, document("LEAK", kind, file, 122 / 12000.0)), SELFTEST_CAUGHT);
    assert_int_equal(outcome(&rare, document("LEAK", kind, file, 118 / 12000.0)), SELFTEST_CAUGHT);
    assert_int_equal(outcome(&rare, document("LEAK", kind, file, 123 / 12000.0)),
                     SELFTEST_WRONG_SITE);
    assert_int_equal(outcome(&rare, document("LEAK", kind, file, 60 / 12000.0)),
                     SELFTEST_WRONG_SITE);
}

static void every_rate_of_a_bug_is_asked_or_says_why_not(void **state)
{
    (void)state;
    static const char *const without[] = {"per-time", "one-time"}; /* they take no rate */
    enum { ALSO_QUIET = 1 }; /* per-operation, where no connection is held */
    size_t count, at[3] = {0};
    const struct selftest_case *c = selftest_cases(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(c[i].one_in == 1 || c[i].one_in == 100 || c[i].one_in == 10000);
        at[c[i].one_in == 1 ? 0 : c[i].one_in == 100 ? 1 : 2] += c[i].defect != NULL;
    }
    assert_int_equal(at[1], at[0] - sizeof without / sizeof *without - ALSO_QUIET);
    assert_int_equal(at[2], at[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_answer_is_as_expected),
        cmocka_unit_test(each_wrong_answer_has_its_name),
        cmocka_unit_test(a_run_without_a_document_is_broken),
        cmocka_unit_test(a_pass_beside_a_client_that_leaks_is_broken),
        cmocka_unit_test(a_leak_is_the_servers_alone),
        cmocka_unit_test(the_function_is_looked_for_behind_the_allocators_frames),
        cmocka_unit_test(whoever_made_an_object_is_found_anywhere),
        cmocka_unit_test(a_leak_must_be_traced_and_a_pass_need_not),
        cmocka_unit_test(a_rare_loss_may_be_two_off_at_the_ends),
        cmocka_unit_test(every_rate_of_a_bug_is_asked_or_says_why_not),
        cmocka_unit_test(every_defect_of_the_server_has_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
