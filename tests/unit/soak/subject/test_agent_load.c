/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes over what a lost agent did, what an agent takes of a run, and what all have said. */
#include "subject/agent_load.h"
#include "subject/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_agent_with_the_fewest_shares_takes_over(void **state)
{
    (void)state;
    const size_t shares[] = {2, 1, 1, 0};
    const bool gone[] = {false, false, false, true}, all[] = {true, true, true, true};
    assert_int_equal(agent_load_fewest(shares, gone, 4), 1);
    assert_int_equal(agent_load_fewest(shares, all, 4), SIZE_MAX);
    assert_int_equal(agent_load_fewest(shares, gone, 1), 0);
}

static void an_agent_takes_every_option_that_a_run_gives(void **state)
{
    (void)state;
    struct scenario s;
    struct args args;
    scenario_defaults(&s);
    s.agents = 2;
    s.say = "GET / HTTP/1.1\\r\\n";
    s.sni = "localhost";
    s.resume = 0.5;
    s.reload = "x";
    s.probe = false;
    s.no_sandbox = true; /* of this machine's */
    struct args_process process = {
        .seed = 7, .at = {1, 2}, .address = "10.0.0.1:4433", .elsewhere = true};
    args_client(&args, &s, &process);
    for (int i = 1; i < args.count; i++)
        if (!args_client_takes(args.argv[i]))
            fail_msg("%s", args.argv[i]);
}

/* Whether the client is given a network for its sources. */
static bool has_network(const struct scenario *s)
{
    const struct args_process process = {.seed = 7, .at = {0, 1}, .address = "127.0.0.1:4433"};
    struct args args;
    bool has = false;
    args_client(&args, s, &process);
    for (int i = 0; i < args.count; i++)
        has |= strncmp(args.argv[i], "--source-net=127.", 17) == 0;
    return has;
}

static void a_program_that_is_met_from_one_source_is_met_from_127_0_0_1(void **state)
{
    (void)state;
    struct scenario s;
    scenario_defaults(&s);
    s.listen = "127.0.0.1:0";
    s.sources = 1;
    assert_true(has_network(&s)); /* soak-server knows its clients by it */
    s.server = "nginx";
    assert_false(has_network(&s));
    s.sources = 2;
    assert_true(has_network(&s));
}

static void an_agent_takes_no_file_no_descriptor_and_no_program(void **state)
{
    (void)state;
    static const char *const wrong[] = {"--client-cert=/etc/shadow",
                                        "--client-certs=/proc/self/fd/0",
                                        "--control-fd=0",
                                        "--page-fd=0",
                                        "--check",
                                        "--help",
                                        "--version",
                                        "--log=/tmp/x",
                                        "--connectx=a:1",
                                        "/bin/sh",
                                        "-c",
                                        "--",
                                        "",
                                        "--client-ca=x",
                                        "--no-sandbox",
                                        "--no-sandbox=true"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (args_client_takes(wrong[i]))
            fail_msg("%s", wrong[i]);
}

static void one_that_is_gone_has_said_nothing(void **state)
{
    (void)state;
    struct subject s = {.processes = 2};
    struct child others[1] = {{.number = 2}};
    struct subject_word word;
    s.others = others;
    assert_true(subject_word_read("quiet opened=1 closed=1 oldest=5", &word));
    assert_false(subject_gather(&s, &s.child, &word));
    assert_false(subject_gather(&s, &s.child, &word)); /* twice is once */
    subject_unsay(&s, &s.child);
    assert_true(subject_word_read("quiet opened=1 closed=1 oldest=7", &word));
    assert_false(subject_gather(&s, &others[0], &word));
    assert_true(subject_gather(&s, &s.child, &word));
    assert_false(subject_gather(&s, &s.child, &word)); /* the next one */
    assert_false(subject_word_read("quietly", &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_agent_with_the_fewest_shares_takes_over),
        cmocka_unit_test(an_agent_takes_every_option_that_a_run_gives),
        cmocka_unit_test(a_program_that_is_met_from_one_source_is_met_from_127_0_0_1),
        cmocka_unit_test(an_agent_takes_no_file_no_descriptor_and_no_program),
        cmocka_unit_test(one_that_is_gone_has_said_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
