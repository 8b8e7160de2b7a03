/* SPDX-License-Identifier: Apache-2.0 */
/* The mixes that soak calibrate --random draws. */
#include "src/soak/selftest/random_mix.h"

#include "options/behaviours.h"
#include "options/opts.h"
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { DRAWS = 3000 };

/* Reads a mix as the command line would. */
static void read_mix(const struct random_mix *m, struct scenario *ret)
{
    char *argv[RANDOM_MIX_WORDS + 2] = {(char *)(uintptr_t) "soak"};
    struct opts_words none = {.size = 0};
    struct opts_line line = {.argc = (int)m->count + 1, .argv = argv};
    struct err e;
    memcpy(argv + 1, m->words, m->count * sizeof *argv);
    scenario_defaults(ret);
    line.table = scenario_options(&line.options);
    if (opts_parse(&line, ret, &none, &e) < 0)
        fail_msg("%s", e.text);
}

static void every_option_and_behaviour_is_drawn(void **state)
{
    (void)state;
    static bool option_drawn[SCENARIO_OPTIONS], behaviour_drawn[BEHAVIOUR_COUNT];
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        struct random_mix m;
        struct scenario s;
        random_mix_draw(seed, &m);
        read_mix(&m, &s);
        for (size_t w = 0; w < m.count; w++)
            for (size_t i = 0; i < count; i++)
                option_drawn[i] |=
                    strncmp(m.words[w] + 2, options[i].name, strlen(options[i].name)) == 0;
        for (int b = 0; b < BEHAVIOUR_COUNT; b++)
            behaviour_drawn[b] |= s.weight[b] != behaviour_entry((enum behaviour)b)->weight;
    }
    for (size_t i = 0; i < count; i++)
        if (random_mix_draws(i) && !option_drawn[i])
            fail_msg("--%s is never drawn", options[i].name);
    for (int b = 0; b < BEHAVIOUR_COUNT; b++)
        if (random_mix_draws_behaviour((enum behaviour)b) != behaviour_drawn[b])
            fail_msg("%s is drawn, or never, against the rule",
                     behaviour_entry((enum behaviour)b)->name);
}

/* A clean server of this build, with nothing that ends the run or says how it is judged. */
static void what_makes_no_clean_run_is_left_out(void **state)
{
    (void)state;
    static const char *const out[] = {"defect",     "openssl", "closed", "limit-heap", "no-probe",
                                      "fail-alloc", "results", "expect", "mix",        "clean"};
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        const struct opt *option = opts_find(options, count, out[i]);
        assert_non_null(option);
        if (random_mix_draws((size_t)(option - options)))
            fail_msg("--%s is drawn", out[i]);
    }
}

static bool is_left_out(const char *name)
{
    static const char *const out[] = {
        "churn",        "closed",       "for",           "seed",        "openssl",
        "libuv",        "jemalloc",     "libc",          "defect",      "watchdog",
        "listen",       "server",       "pid",           "client",      "loop",
        "server-mix",   "connect",      "program",       "template",    "ready-timeout",
        "processes",    "malloc-hooks", "on-checkpoint", "settle",      "stop",
        "say",          "answer",       "client-cert",   "cert-names",  "reload",
        "expect-cache", "agents",       "agents-listen", "agents-wait", "token-file",
        "no-sandbox"};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        if (strcmp(out[i], name) == 0)
            return true;
    }
    return false;
}

/* What a later version adds to the load, to TLS or to the server is drawn, whatever its type. */
static void what_is_not_drawn_is_left_out_on_purpose(void **state)
{
    (void)state;
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < count; i++) {
        const char *section = scenario_section(i);
        if (scenario_is_weight(i) || (strcmp(section, "load") != 0 && strcmp(section, "tls") != 0 &&
                                      strcmp(section, "server") != 0))
            continue;
        if (random_mix_draws(i) == is_left_out(options[i].name))
            fail_msg("--%s is drawn, or left out, without a reason", options[i].name);
    }
}

/* Most behaviours need something: were it not drawn with them, soak would refuse nearly all. */
static void enough_of_them_can_go_together(void **state)
{
    (void)state;
    int accepted = 0;
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        struct random_mix m;
        struct scenario s;
        random_mix_draw(seed, &m);
        read_mix(&m, &s);
        accepted += scenario_check(&s, NULL) == 0;
    }
    assert_in_range(accepted, DRAWS * 3 / 10, DRAWS * 9 / 10);
}

static void a_seed_draws_the_same_again(void **state)
{
    (void)state;
    struct random_mix a, b, other;
    random_mix_draw(7, &a);
    random_mix_draw(7, &b);
    random_mix_draw(8, &other);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.text, b.text, sizeof a.text);
    assert_memory_not_equal(a.text, other.text, sizeof a.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_and_behaviour_is_drawn),
        cmocka_unit_test(what_makes_no_clean_run_is_left_out),
        cmocka_unit_test(what_is_not_drawn_is_left_out_on_purpose),
        cmocka_unit_test(enough_of_them_can_go_together),
        cmocka_unit_test(a_seed_draws_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
