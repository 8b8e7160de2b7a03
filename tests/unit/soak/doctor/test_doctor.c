/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of `soak doctor`, each over a machine that is well but for one thing; and the facts,
 * from a made-up /proc and /sys. */
#include "doctor/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/exit_codes.h"
#include "tests/unit/put_file.h"
#include "tests/unit/remove_tree.h"

#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static struct examination well(void)
{
    return (struct examination){.asked = {.conns = 30, .churn = {.per_s = 1000}},
                                .facts = {.ports = {32768, 60999, 2},
                                          .huge_pages = "madvise",
                                          .clock = "tsc",
                                          .memory_available = 1024 * MIB,
                                          .memory_left = UINT64_MAX,
                                          .processors = 2,
                                          .load = 0.1},
                                .tried = {.sandbox = {.seccomp = true, .landlock = 6},
                                          .trial = {.closed = 1500,
                                                    .per_s = 1500,
                                                    .server_us = 200,
                                                    .client_us = 300,
                                                    .libs = "openssl 3.0.17, jemalloc 5.3.0",
                                                    .jemalloc = true}}};
}

static const struct finding *find(const struct finding *f, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(f[i].name, name) == 0)
            return &f[i];
    return NULL;
}

/* That `name` alone isn't ok, says `words`, and how to mend it where it is a warning. */
static void assert_only(const struct examination *x, const char *name, enum doctor_state state,
                        const char *words)
{
    struct finding f[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(x, f);
    const struct finding *found = find(f, count, name);
    if (!found) {
        fail_msg("no finding %s", name);
        return;
    }
    if (!strstr(found->text, words))
        fail_msg("%s: %s: no '%s'", name, found->text, words);
    assert_true(state != DOCTOR_WARNING || found->mend[0]);
    for (size_t i = 0; i < count; i++)
        if (f[i].state != (&f[i] == found ? state : DOCTOR_OK))
            fail_msg("%s is %s: %s", f[i].name, doctor_state_name(f[i].state), f[i].text);
}

static void a_machine_that_is_well_is_all_ok(void **state)
{
    (void)state;
    struct examination x = well();
    struct finding f[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(&x, f);
    assert_int_equal(count, 18);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(f[i].state, DOCTOR_OK);
        assert_true(f[i].text[0] && !f[i].mend[0]);
    }
}

static void each_fact_that_is_amiss_is_told(void **state)
{
    (void)state;
    struct examination x = well();
    strcpy(x.facts.huge_pages, "always");
    assert_only(&x, "huge pages", DOCTOR_WARNING, "steps of 2 MiB");
    x = well(), x.facts.overcommit = 2, x.facts.commit_left = 5 * MIB;
    assert_only(&x, "overcommit", DOCTOR_WARNING, "5.00 MiB left");
    x = well(), strcpy(x.facts.clock, "hpet");
    assert_only(&x, "clock", DOCTOR_WARNING, "hpet");
    x = well(), x.facts.load = 1.5;
    assert_only(&x, "processors", DOCTOR_WARNING, "load 1.50");
    x = well(), x.facts.load = 0.4, x.facts.allowed = 0.5;
    assert_only(&x, "processors", DOCTOR_WARNING, "the cgroup allows 0.5");
    x = well(), x.facts.memory_left = 100 * MIB;
    assert_only(&x, "memory", DOCTOR_WARNING, "100.00 MiB left by the cgroup's limit");
    x = well(), x.facts.memory_available = 100 * MIB;
    assert_only(&x, "memory", DOCTOR_WARNING, "100.00 MiB available");
    x = well(), x.asked.conns = 10000;
    assert_only(&x, "memory", DOCTOR_WARNING, "10,000 connections need about 1.65 GiB");
    x = well(), x.facts.ports = (struct ports){50000, 60999, 0};
    assert_only(&x, "ports", DOCTOR_WARNING, "11,000 on each");
    x = well(), x.facts.ports.reuse = 0;
    assert_only(&x, "ports", DOCTOR_OK, "28,232 on each");
}

static void what_no_verdict_needs_is_a_warning(void **state)
{
    (void)state;
    struct examination x = well();
    err_set(&x.tried.rollup, "none");
    assert_only(&x, "smaps_rollup", DOCTOR_WARNING, "none; samples lack pss");
}

static void what_a_run_cannot_do_without_is_a_failure(void **state)
{
    (void)state;
    struct examination x = well();
    err_set(&x.tried.files, "too few");
    assert_only(&x, "open files", DOCTOR_FAILURE, "too few");
    x = well(), err_set(&x.tried.loopback, "no route");
    assert_only(&x, "loopback", DOCTOR_FAILURE, "no route");
    x = well(), err_set(&x.tried.page, "no memfd");
    assert_only(&x, "probe page", DOCTOR_FAILURE, "no memfd");
    x = well(), err_set(&x.tried.results, "read-only");
    assert_only(&x, "results", DOCTOR_FAILURE, "read-only");
    x = well(), x.tried.trial.exit_code = EXIT_BROKEN;
    strcpy(x.tried.trial.said, "server: \033[2J");
    assert_only(&x, "programs", DOCTOR_FAILURE, "exit 4: server: ?[2J");
    struct finding f[DOCTOR_FINDINGS_MAX];
    size_t count = doctor_judge(&x, f);
    assert_non_null(strstr(find(f, count, "programs")->mend, "soak --closed 2000 --results "));
    x.tried.trial.exit_code = EXIT_USAGE; /* refused: there are no logs */
    strcpy(x.tried.trial.said, "soak: too few files");
    assert_only(&x, "programs", DOCTOR_FAILURE, "exit 2: too few files");
    count = doctor_judge(&x, f);
    assert_string_equal(find(f, count, "programs")->mend, "");
}

static void without_the_probe_soaks_own_server_can_be_run(void **state)
{
    (void)state;
    struct examination x = well();
    err_set(&x.tried.preload, "it isn't there");
    assert_only(&x, "preload", DOCTOR_WARNING, "isn't there");
}

static void what_the_sandbox_lacks_is_told(void **state)
{
    (void)state;
    struct examination x = well();
    assert_only(&x, "sandbox", DOCTOR_OK, "seccomp, Landlock for files, ports and signals");
    x.tried.sandbox.landlock = 4;
    assert_only(&x, "sandbox", DOCTOR_OK, "seccomp, Landlock for files and ports");
    x.tried.sandbox.landlock = 3;
    assert_only(&x, "sandbox", DOCTOR_WARNING, "seccomp, Landlock for files");
    x.tried.sandbox = (struct sandbox_means){.seccomp = false};
    assert_only(&x, "sandbox", DOCTOR_WARNING, "no seccomp, no Landlock");
    x.tried.no_sandbox = "built with sanitizers";
    assert_only(&x, "sandbox", DOCTOR_OK, "none for server and client: built with sanitizers");
}

static void a_rate_out_of_reach_is_a_warning_and_max_never_is(void **state)
{
    (void)state;
    struct examination x = well();
    x.asked.churn.per_s = 1501;
    assert_only(&x, "churn", DOCTOR_WARNING, "1500/s at full speed; asked for: 1501/s");
    x.asked.churn = (struct rate){.max = true};
    assert_only(&x, "churn", DOCTOR_OK, "asked for: max");
}

static void an_inconclusive_trial_ran_all_the_same(void **state)
{
    (void)state;
    struct examination x = well();
    x.tried.trial.exit_code = EXIT_INCONCLUSIVE;
    assert_only(&x, "programs", DOCTOR_OK, "1,500 connections ran");
    x.tried.trial.jemalloc = false;
    assert_only(&x, "jemalloc", DOCTOR_WARNING, "without it");
}

static void facts_are_those_of_the_kernel(void **state)
{
    (void)state;
    struct doctor_facts facts;
    char folder[] = "/tmp/test-doctor-XXXXXX";
    assert_non_null(mkdtemp(folder));
    doctor_facts_read(folder, &facts);
    assert_true(facts.memory_available == UINT64_MAX && facts.memory_left == UINT64_MAX);
    assert_int_equal(facts.ports.first, 32768);
    assert_string_equal(facts.huge_pages, "");
    put_file(folder, "proc/meminfo",
             "MemTotal: 9 kB\nMemAvailable: 2 kB\nCommitLimit: 9 kB\n"
             "Committed_AS:  8 kB\n");
    put_file(folder, "proc/loadavg", "0.75 0.1 0.1 1/2 3\n");
    put_file(folder, "proc/sys/vm/overcommit_memory", "2\n");
    put_file(folder, "proc/sys/net/ipv4/ip_local_port_range", "100\t199\n");
    put_file(folder, "proc/sys/net/ipv4/tcp_tw_reuse", "0\n");
    put_file(folder, "sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    put_file(folder, "sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    doctor_facts_read(folder, &facts);
    assert_int_equal(facts.memory_available, 2048);
    assert_int_equal(facts.commit_left, 1024);
    assert_int_equal(facts.overcommit, 2);
    assert_true(facts.load == 0.75);
    assert_int_equal(facts.ports.last - facts.ports.first, 99);
    assert_int_equal(facts.ports.reuse, 0);
    assert_string_equal(facts.huge_pages, "always");
    assert_string_equal(facts.clock, "hpet");
    remove_tree(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_is_well_is_all_ok),
        cmocka_unit_test(each_fact_that_is_amiss_is_told),
        cmocka_unit_test(what_no_verdict_needs_is_a_warning),
        cmocka_unit_test(what_a_run_cannot_do_without_is_a_failure),
        cmocka_unit_test(without_the_probe_soaks_own_server_can_be_run),
        cmocka_unit_test(what_the_sandbox_lacks_is_told),
        cmocka_unit_test(a_rate_out_of_reach_is_a_warning_and_max_never_is),
        cmocka_unit_test(an_inconclusive_trial_ran_all_the_same),
        cmocka_unit_test(facts_are_those_of_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
