/* SPDX-License-Identifier: Apache-2.0 */
/* What a run leaves of its result: as much as there is room for. */
#include "rebuild/forms.h"
#include "rebuild/suite_of.h"
#include "tests/unit/remove_tree.h"
#include "tests/unit/report/report_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct folder {
    char base[64];
    struct run_dir dir;
};

static int make(void **state)
{
    static struct folder f;
    struct err e;
    f = (struct folder){.base = "/tmp/soak-forms-XXXXXX"};
    if (!mkdtemp(f.base) || run_dir_open(&f.dir, f.base, "forms", &e) != 0)
        return -1;
    *state = &f;
    return 0;
}

static int drop(void **state)
{
    struct folder *f = *state;
    run_dir_close(&f->dir);
    return remove_tree(f->base);
}

static void put_again(struct folder *f, const char *name, const char *again)
{
    static struct result r; /* large */
    struct err e;
    r = (struct result){0};
    report_case_find(name)->fill(&r);
    r.again = again;
    assert_int_equal(run_dir_keep(&f->dir, "result.json", document_write(&r), &e), 0);
}

static void put_result(struct folder *f, const char *name)
{
    put_again(f, name, NULL);
}

static void put_expect(struct folder *f, const char *expect)
{
    struct err e;
    char text[256];
    int n = snprintf(text, sizeof text, "{\"options\": {\"expect\": \"%s\"}}", expect);
    assert_int_equal(run_dir_write(&f->dir, "manifest.json", text, (size_t)n, &e), 0);
}

/* What a suite would say of the run in the folder. */
static void assert_outcome(const struct folder *f, const char *expect, enum suite_outcome outcome)
{
    static struct finished run; /* large */
    static struct suite s;
    struct err e;
    assert_int_equal(finished_open(&run, f->dir.path, &e), 0);
    suite_of(&s, &run);
    assert_string_equal(s.entry[0].expect, expect);
    assert_int_equal(s.entry[0].outcome, outcome);
    suite_free(&s);
    finished_close(&run);
}

static void assert_again(struct folder *f, const char *again, const char *file, const char *options)
{
    static struct finished run; /* large */
    static struct suite s;
    struct err e;
    put_again(f, "lost-state", again);
    assert_int_equal(finished_open(&run, f->dir.path, &e), 0);
    suite_of(&s, &run);
    assert_string_equal(s.entry[0].file, file);
    if (options)
        assert_string_equal(s.shard[0].options, options);
    else
        assert_null(s.shard[0].options);
    suite_free(&s);
    finished_close(&run);
}

/* A folder of that name stands in its way. */
static void block(const struct folder *f, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", f->dir.path, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static bool is_file(const struct folder *f, const char *name)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", f->dir.path, name);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

static void a_leak_leaves_all_of_them(void **state)
{
    struct forms_missed missed;
    struct err e;
    put_result(*state, "lost-state");
    assert_int_equal(forms_keep(&((struct folder *)*state)->dir, &missed, &e), 0);
    assert_int_equal(missed.count, 0);
    assert_null(missed.option);
    assert_true(is_file(*state, "report.html"));
    assert_true(is_file(*state, "survivors.folded"));
}

static void one_that_cannot_be_written_does_not_keep_the_others(void **state)
{
    struct forms_missed missed;
    struct err e;
    put_result(*state, "lost-state");
    block(*state, "report.html");
    block(*state, "survivors.svg");
    assert_int_equal(forms_keep(&((struct folder *)*state)->dir, &missed, &e), 0);
    assert_int_equal(missed.count, 2);
    assert_string_equal(missed.option, "html");
    assert_non_null(strstr(missed.why.text, "report.html"));
    assert_true(is_file(*state, "survivors.pb.gz"));
    assert_true(is_file(*state, "survivors.folded"));
    assert_true(is_file(*state, "result.json"));
}

static void a_result_that_cannot_be_read_back_is_told_apart(void **state)
{
    struct folder *f = *state;
    struct forms_missed missed;
    struct err e;
    assert_int_equal(run_dir_write(&f->dir, "result.json", "{", 1, &e), 0);
    assert_int_equal(forms_keep(&f->dir, &missed, &e), -1);
    assert_non_null(strstr(e.text, "result.json"));
    assert_int_equal(missed.count, 0);
}

static void as_a_suite_a_run_is_what_its_scenario_expects(void **state)
{
    struct folder *f = *state;
    put_result(f, "lost-state");
    assert_outcome(f, "pass", SUITE_UNMET);
    put_expect(f, "");
    assert_outcome(f, "pass", SUITE_UNMET);
    put_expect(f, "leak");
    assert_outcome(f, "leak", SUITE_MET);
    put_expect(f, "leak kind=free-deferred");
    assert_outcome(f, "leak kind=free-deferred", SUITE_UNMET);
    put_expect(f, "nothing at all");
    assert_outcome(f, "pass", SUITE_UNMET);
}

static void as_a_suite_a_run_has_its_scenarios_file(void **state)
{
    assert_again(*state, "./soak run sc/l.soak --seed 7f3a", "sc/l.soak", "none");
    assert_again(*state, "./soak run 'my sc/it'\\''s.soak' --closed 2k --seed 7f3a",
                 "my sc/it's.soak", "--closed 2k");
    assert_again(*state, "./soak run $'\\x9b' --seed 7f3a", "default", "none");
    assert_again(*state, "'/my run x/soak' run sc/l.soak --quiet --seed 7f3a", "sc/l.soak",
                 "--quiet");
    assert_again(*state, "./soak run --seed 7f3a", "default", NULL);
    assert_again(*state, NULL, "default", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leak_leaves_all_of_them, make, drop),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_written_does_not_keep_the_others, make,
                                        drop),
        cmocka_unit_test_setup_teardown(a_result_that_cannot_be_read_back_is_told_apart, make,
                                        drop),
        cmocka_unit_test_setup_teardown(as_a_suite_a_run_is_what_its_scenario_expects, make, drop),
        cmocka_unit_test_setup_teardown(as_a_suite_a_run_has_its_scenarios_file, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
