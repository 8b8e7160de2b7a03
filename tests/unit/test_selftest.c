/* The selftest must notice each way in which a verdict can be wrong. */
#include "src/soak/selftest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct selftest_case lost = {.defect = "lost-state",
                                          .verdict = VERDICT_LEAK,
                                          .kind = KIND_SIDE,
                                          .file = "server/defect.c",
                                          .blocks = 1.0};
static const struct selftest_case once = {.defect = "one-time",
                                          .verdict = VERDICT_PASS,
                                          .kind = KIND_ONE_TIME,
                                          .file = "server/defect.c"};

/* A document of one subject with one site. */
static json_t *document(const char *verdict, const char *kind, const char *file, double blocks)
{
    return json_pack("{s:s, s:[{s:s, s:s, s:s, s:[{s:s, s:i, s:s, s:f}]}]}", "verdict", verdict,
                     "subjects", "name", "server", "verdict", verdict, "kind", kind, "sites",
                     "file", file, "line", 94, "kind", kind, "per_conn_blocks", blocks);
}

static enum selftest_outcome outcome(const struct selftest_case *c, json_t *owned)
{
    struct selftest_said said;
    enum selftest_outcome o = selftest_judge(c, owned, &said);
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
                     SELFTEST_CAUGHT);
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
    assert_int_equal(outcome(&lost, document("INCONCLUSIVE", "none", "", 0)), SELFTEST_BROKEN);
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

static void every_defect_of_the_server_has_a_case(void **state)
{
    (void)state;
    static const char *const defects[] = {
#define X(name, identifier, description) name,
#include "base/defects.def"
#undef X
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_answer_is_as_expected),
        cmocka_unit_test(each_wrong_answer_has_its_name),
        cmocka_unit_test(a_run_without_a_document_is_broken),
        cmocka_unit_test(a_pass_beside_a_client_that_leaks_is_broken),
        cmocka_unit_test(every_defect_of_the_server_has_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
