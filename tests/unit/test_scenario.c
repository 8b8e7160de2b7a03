#include "base/rng.h"
#include "scenario/scenario.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/test_scenario.XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* Reads a scenario file of those bytes over the defaults. */
static int read_bytes(struct scenario *s, const char *bytes, size_t count, struct err *e)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    scenario_defaults(s);
    *e = (struct err){""};
    return scenario_read(s, path, e);
}

static int read_text(struct scenario *s, const char *text, struct err *e)
{
    return read_bytes(s, text, strlen(text), e);
}

/* Sets one option of `s` as the command line does. */
static void set(struct scenario *s, const char *name, const char *value)
{
    size_t count;
    struct err e;
    const struct opt *options = scenario_options(&count);
    const struct opt *option = opts_find(options, count, name);
    assert_non_null(option);
    if (opts_set(option, s, value, &e) < 0)
        fail_msg("--%s %s: %s", name, value, e.text);
}

static void the_defaults_pass_the_check(void **state)
{
    (void)state;
    struct scenario s;
    struct err e = {""};
    scenario_defaults(&s);
    if (scenario_check(&s, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(s.conns == 30 && s.churn.per_s == 1000 && s.probe);
}

static void the_scenarios_that_come_along_read_and_pass(void **state)
{
    (void)state;
    static const char *const names[] = {"default", "smoke"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[PATH_MAX];
        struct scenario s;
        struct err e;
        snprintf(file, sizeof file, SOAK_SOURCE_DIR "/scenarios/%s.soak", names[i]);
        scenario_defaults(&s);
        if (scenario_read(&s, file, &e) < 0 || scenario_check(&s, &e) < 0)
            fail_msg("%s: %s", names[i], e.text);
    }
}

static void the_default_scenario_says_what_the_defaults_are(void **state)
{
    (void)state;
    struct scenario defaults, read;
    struct err e;
    size_t count;
    const struct opt *options = scenario_options(&count);
    scenario_defaults(&defaults);
    scenario_defaults(&read);
    assert_int_equal(scenario_read(&read, SOAK_SOURCE_DIR "/scenarios/default.soak", &e), 0);
    for (size_t i = 0; i < count; i++) {
        char a[256], b[256];
        assert_string_equal(opts_print(&options[i], &read, a, sizeof a),
                            opts_print(&options[i], &defaults, b, sizeof b));
    }
}

static void every_option_has_a_section_and_one_line_of_help(void **state)
{
    (void)state;
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(opts_find(options, count, options[i].name) == &options[i]);
        assert_non_null(
            strstr("load tls leave server verdict torture output", scenario_section(i)));
        assert_in_range(strlen(options[i].help), 5, 90);
        assert_int_equal(options[i].choices != NULL, options[i].type == OPT_CHOICE);
        bool flag = options[i].type == OPT_FLAG || options[i].type == OPT_OFF;
        assert_int_equal(options[i].metavar == NULL, flag);
    }
}

/* What `soak show` prints, read back, is the same scenario. */
static void a_printed_scenario_reads_back_the_same(void **state)
{
    (void)state;
    size_t count;
    const struct opt *options = scenario_options(&count);
    struct rng r = {31};
    for (int round = 0; round < 50; round++) {
        struct scenario s, back;
        struct err e;
        char text[8192];
        size_t used = 0;
        scenario_defaults(&s);
        s.conns = 1 + rng_below(&r, 10000);
        s.churn.per_s = (double)(1 + rng_below(&r, 100000)) / 4;
        s.resume = (double)rng_below(&r, 100) / 100;
        s.seed = rng_next(&r);
        s.probe = rng_below(&r, 2);
        s.quiet = rng_below(&r, 2);
        s.color = (int)rng_below(&r, 3);
        s.sensitivity = rng_below(&r, 3000);
        s.on_drain = rng_below(&r, 2) ? "jcmd {pid} GC.run" : NULL;
        for (size_t i = 0; i < count; i++) {
            char value[256];
            if (i == 0 || strcmp(scenario_section(i), scenario_section(i - 1)) != 0)
                used += (size_t)snprintf(text + used, sizeof text - used, "[%s]\n",
                                         scenario_section(i));
            used += (size_t)snprintf(text + used, sizeof text - used, "%s = %s\n", options[i].name,
                                     opts_print(&options[i], &s, value, sizeof value));
        }
        if (read_text(&back, text, &e) < 0)
            fail_msg("%s", e.text);
        for (size_t i = 0; i < count; i++) {
            char a[256], b[256];
            assert_string_equal(opts_print(&options[i], &s, a, sizeof a),
                                opts_print(&options[i], &back, b, sizeof b));
        }
    }
}

static void comments_blanks_and_marks_are_passed_over(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    static const char text[] = "\xef\xbb\xbf# Half of them leave rudely.\r\n"
                               "; another comment\r\n"
                               "\r\n"
                               "[load]   # the load\r\n"
                               "  conns=12   # a dozen\r\n"
                               "\tchurn\t=\t500/s ; slower\r\n"
                               "[verdict]\n"
                               "on-drain = tool --tag=a#b;c {pid}   # not in the command\n"
                               "[output]\n"
                               "quiet = true";
    if (read_text(&s, text, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(s.conns == 12 && s.churn.per_s == 500 && s.quiet);
    assert_string_equal(s.on_drain, "tool --tag=a#b;c {pid}");
}

static void keys_not_in_the_file_stay_as_they_were(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    assert_int_equal(read_text(&s, "[load]\nconns = 7\n", &e), 0);
    assert_true(s.conns == 7 && s.churn.per_s == 1000 && s.clean == 50);
}

static void what_is_wrong_in_a_file_is_said_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"[load]\n\n# x\nchurm = 1/s\n", ":4: no such key 'churm' in [load]; did you mean churn?"},
        {"[load]\nworker = 2\n", ":2: no such key 'worker' in [load]; did you mean workers in "
                                 "[server]?"},
        {"[load]\nzzzzzz = 2\n", ":2: no such key 'zzzzzz' in [load]"},
        {"[load]\nresume = 2%\n", ":2: 'resume' belongs in [tls], not in [load]"},
        {"conns = 2\n", ":1: 'conns' belongs in [load], and no section comes before it"},
        {"conz = 2\n", ":1: no such key 'conz', and no section before it"},
        {"[load]\nconns = 2\n[tls]\n[load]\nconns = 2\n", ":5: 'conns' is already given on line 2"},
        {"[load]\nconns = 2x\n",
         ":2: conns = 2x: a count is a whole number, such as 10_000, 1k or 1M"},
        {"[load]\nconns =\n", ":2: conns: a count is a whole number, such as 10_000, 1k or 1M"},
        {"[load]\nchurn = 1000\n",
         ":2: churn = 1000: a rate needs a unit, such as 1000/s or 60000/m"},
        {"[tls]\ntls = 1.4\n", ":2: tls = 1.4: this is one of 1.2, 1.3 or any"},
        {"[laod]\n", ":1: no such section [laod]; did you mean [load]?"},
        {"[weights]\n",
         ":1: no such section [weights]; there are [load], [tls], [leave], [server], "
         "[verdict] and [output]"},
        {"\n[load\n", ":2: a section is a name in brackets, such as [load]"},
        {"[load] x\n", ":1: a section is a name in brackets, such as [load]"},
        {"[load]\nconns 2\n", ":2: a line is `key = value`"},
        {"[load]\nconns: 2\n", ":2: a line is `key = value`"},
        {"[load]\n= 2\n", ":2: a line is `key = value`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario s;
        struct err e;
        if (read_text(&s, cases[i].text, &e) != -1)
            fail_msg("accepted: %s", cases[i].text);
        assert_true(strncmp(e.text, path, strlen(path)) == 0);
        assert_string_equal(e.text + strlen(path), cases[i].sentence);
    }
}

static void a_refused_file_changes_nothing(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    assert_int_equal(read_text(&s, "[load]\nconns = 7\nchurn = 5\n", &e), -1);
    assert_true(s.conns == 30 && s.churn.per_s == 1000);
}

static void an_indented_line_does_not_continue_the_one_before(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    assert_int_equal(read_text(&s, "[output]\nresults = a\n  quiet = true\n", &e), 0);
    assert_string_equal(s.results, "a");
    assert_true(s.quiet);
}

static void a_file_that_is_no_text_is_refused(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    assert_int_equal(read_bytes(&s, "[load]\ncon\0ns = 2\n", 18, &e), -1);
    assert_string_equal(e.text + strlen(path), ":2: this isn't text");
    char endless[3000];
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "alpn = ", 7);
    assert_int_equal(read_bytes(&s, endless, sizeof endless, &e), -1);
    assert_non_null(strstr(e.text, ":1: this line is too long: at most "));
    assert_int_equal(scenario_read(&s, "/nowhere/x.soak", &e), -1);
    assert_string_equal(e.text, "/nowhere/x.soak: No such file or directory");
    assert_int_equal(scenario_read(&s, "/tmp", &e), -1);
    assert_string_equal(e.text, "/tmp: Is a directory");
}

/* Random lines made of the file's own pieces never do worse than a refusal with a line number. */
static void any_bytes_are_read_or_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[",   "]",  "load", "tls",  "conns", "churn",
                                         "=",   ":",  " ",    "\n",   "#",     ";",
                                         "1/s", "30", "\t",   "\r\n", "\"",    "\xff"};
    struct rng r = {37};
    for (int round = 0; round < 3000; round++) {
        char text[256] = "";
        size_t count = rng_below(&r, 30);
        for (size_t i = 0; i < count; i++)
            strcat(text, pieces[rng_below(&r, sizeof pieces / sizeof pieces[0])]);
        struct scenario s;
        struct err e;
        if (read_text(&s, text, &e) < 0)
            assert_int_equal(e.text[strlen(path)], ':');
    }
}

struct change {
    const char *name, *value;
};

static const struct {
    struct change changes[5];
    const char *sentence;
} unfit[] = {
    {{{"conns", "0"}}, "--conns 0: at least 1 connection must be held open"},
    {{{"conns", "100_001"}}, "--conns 100001: at most 100,000"},
    {{{"closed", "50"}},
     "--closed 50: with 30 connections at least 120 are needed: the open "
     "ones must be replaced 4 times"},
    {{{"payload", "0B"}}, "--payload 0B: at least 1B, so that each connection carries something"},
    {{{"payload", "2MiB"}}, "--payload 2MiB: at most 1MiB"},
    {{{"sources", "251"}}, "--sources 251: at most 250, 127.0.0.1 to 127.0.0.250"},
    {{{"client-workers", "65"}}, "--client-workers 65: at most 64"},
    {{{"churn", "1/s"}, {"for", "10s"}},
     "--for 10s: 30 connections at 1/s need 1m to turn over twice; give --for 1m or --churn "
     "6/s"},
    {{{"churn", "1/s"}, {"idle-timeout", "30s"}},
     "--idle-timeout 30s: 30 connections at 1/s each live 30 s in silence; give a longer time, "
     "or 0s"},
    {{{"resume", "20%"}, {"session", "none"}},
     "--resume 20%: nothing to resume with --session none; give --session ticket or cache"},
    {{{"cache-size", "0"}}, "--cache-size 0: from 1 to 10M entries"},
    {{{"clean", "0"}, {"half-close", "0"}, {"reset", "0"}, {"mid-handshake", "5"}},
     "--mid-handshake 5: no peer would ever finish a handshake; give --clean, --half-close or "
     "--reset a weight too"},
    {{{"clean", "0"}, {"half-close", "0"}, {"reset", "0"}, {"mid-handshake", "0"}},
     "--clean, --half-close, --reset and --mid-handshake are all 0: no peer could leave; give "
     "one a weight, such as --clean 1"},
    {{{"reset", "2M"}}, "--reset 2M: a weight is at most 1M"},
    {{{"workers", "0"}}, "--workers 0: from 1 to 64"},
    {{{"handshake-timeout", "0s"}},
     "--handshake-timeout 0s: a peer that vanishes would stay for ever; such as 30s"},
    {{{"listen", ""}},
     "--listen: the load stays on this machine: 127.0.0.1:0, or [::1]:0, or "
     "another loopback address and a port"},
    {{{"listen", "[::1]:0"}, {"sources", "2"}},
     "--sources 2: there is one loopback address in IPv6; give --listen 127.0.0.1:0 or "
     "--sources 1"},
    {{{"defect", "lost-sate"}}, "--defect lost-sate: no such defect; did you mean lost-state?"},
    {{{"defect", "zzzzzz"}},
     "--defect zzzzzz: no such defect; there are lost-state, peer-cert-ref, ssl-retained, "
     "free-deferred, session-ref, error-path, reset-path, outside, fragment, per-time, "
     "one-time, "
     "cache, fd, table, alloc-fail-path"},
    {{{"defect", "lost-state:1000"}},
     "--defect lost-state:1000: after the colon: a share is one "
     "in a whole number, such as 1/1000"},
    {{{"defect", "lost-state:"}},
     "--defect lost-state:: after the colon: a share is one in a "
     "whole number, such as 1/1000"},
    {{{"defect", "peer-cert-ref"}},
     "--defect peer-cert-ref: it needs peers with certificates: "
     "--client-auth require"},
    {{{"defect", "error-path"}, {"mid-handshake", "0"}},
     "--defect error-path: it needs handshakes that fail: --mid-handshake with a weight above "
     "0"},
    {{{"defect", "reset-path:1/10"}, {"reset", "0"}},
     "--defect reset-path:1/10: it needs peers that reset: --reset with a weight above 0"},
    {{{"slice", "1/7"}}, "--slice 1/7: has a meaning only with --fail-alloc"},
    {{{"side", "client"}}, "--side client: has a meaning only with --fail-alloc"},
    {{{"fail-alloc", "true"}, {"slice", "8/7"}},
     "--slice 8/7: a part and how many parts, such as 1/7; at most 1000"},
    {{{"fail-alloc", "true"}, {"slice", "1/0"}},
     "--slice 1/0: a part and how many parts, such as 1/7; at most 1000"},
    {{{"fail-alloc", "true"}, {"slice", "-1/7"}},
     "--slice -1/7: a part and how many parts, such as 1/7; at most 1000"},
    {{{"fail-alloc", "true"}, {"slice", "1/7x"}},
     "--slice 1/7x: a part and how many parts, such as 1/7; at most 1000"},
    {{{"fail-alloc", "true"}, {"slice", "1"}},
     "--slice 1: a part and how many parts, such as 1/7; at most 1000"},
    {{{"fail-alloc", "true"}, {"resume", "20%"}},
     "--resume 20%: with --fail-alloc 0% or 100%, so that one connection asks for what the next "
     "one does"},
    {{{"fail-alloc", "true"}, {"no-probe", "true"}},
     "--fail-alloc: it is the probe that makes allocations fail; leave out --no-probe"},
};

static void what_cannot_go_together_is_refused_with_what_could(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        struct scenario s;
        struct err e = {""};
        scenario_defaults(&s);
        for (const struct change *c = unfit[i].changes; c->name; c++)
            set(&s, c->name, c->value);
        if (scenario_check(&s, &e) != -1)
            fail_msg("accepted: %s", unfit[i].sentence);
        assert_string_equal(e.text, unfit[i].sentence);
    }
}

static void what_can_go_together_is_accepted(void **state)
{
    (void)state;
    static const struct {
        struct change changes[5];
    } cases[] = {
        {{{"closed", "120"}}},
        {{{"closed", "0"}, {"for", "0s"}}},
        {{{"churn", "6/s"}, {"for", "10s"}}},
        {{{"churn", "max"}, {"for", "1s"}, {"idle-timeout", "1s"}}},
        {{{"conns", "10k"}, {"closed", "40k"}}},
        {{{"payload", "1MiB"}}},
        {{{"clean", "0"}, {"half-close", "0"}, {"reset", "1"}, {"mid-handshake", "0"}}},
        {{{"resume", "100%"}, {"session", "cache"}}},
        {{{"resume", "0%"}, {"session", "none"}}},
        {{{"fail-alloc", "true"}}},
        {{{"fail-alloc", "true"}, {"side", "server"}, {"slice", "7/7"}, {"resume", "100%"}}},
        {{{"defect", "lost-state"}}},
        {{{"defect", "lost-state:1/1000"}}},
        {{{"defect", "peer-cert-ref"}, {"client-auth", "require"}}},
        {{{"defect", "error-path:1/10"}}},
        {{{"listen", "127.1.2.3:4433"}}},
        {{{"listen", "[::1]:0"}, {"sources", "1"}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario s;
        struct err e = {""};
        scenario_defaults(&s);
        for (const struct change *c = cases[i].changes; c->name; c++)
            set(&s, c->name, c->value);
        if (scenario_check(&s, &e) < 0)
            fail_msg("%s", e.text);
    }
}

/* The pace that a refusal proposes is itself accepted. */
static void the_proposed_pace_is_accepted(void **state)
{
    (void)state;
    struct rng r = {41};
    int refused = 0;
    for (int round = 0; round < 2000; round++) {
        struct scenario s;
        struct err e = {""};
        char duration[64], rate[64];
        scenario_defaults(&s);
        s.conns = 1 + rng_below(&r, 100000);
        s.churn.per_s = (double)(1 + rng_below(&r, 4000)) / 4;
        s.for_ns = (1 + rng_below(&r, 600)) * 500000000u;
        if (scenario_check(&s, &e) == 0)
            continue;
        refused++;
        const char *proposal = strstr(e.text, "give --for ");
        assert_non_null(proposal);
        assert_int_equal(sscanf(proposal, "give --for %63s or --churn %63s", duration, rate), 2);
        struct scenario longer = s, faster = s;
        set(&longer, "for", duration);
        set(&faster, "churn", rate);
        assert_int_equal(scenario_check(&longer, &e), 0);
        assert_int_equal(scenario_check(&faster, &e), 0);
    }
    assert_true(refused > 100);
}

static void only_loopback_addresses_are_listened_on(void **state)
{
    (void)state;
    static const char *const refused[] = {"0.0.0.0:0",
                                          "10.0.0.1:443",
                                          "localhost:0",
                                          "127.0.0.1",
                                          "127.0.0.1:",
                                          "127.0.0.1:65536",
                                          "127.0.0.1:99999999999",
                                          "127.0.0.1:-1",
                                          "::1:0",
                                          "[::1]",
                                          "[::]:0",
                                          ":0",
                                          "128.0.0.1:0",
                                          "127.0.0.1:0x10",
                                          "127.1:0"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct scenario s;
        scenario_defaults(&s);
        s.listen = refused[i];
        if (scenario_check(&s, NULL) != -1)
            fail_msg("%s was accepted", refused[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_pass_the_check),
        cmocka_unit_test(the_scenarios_that_come_along_read_and_pass),
        cmocka_unit_test(the_default_scenario_says_what_the_defaults_are),
        cmocka_unit_test(every_option_has_a_section_and_one_line_of_help),
        cmocka_unit_test(a_printed_scenario_reads_back_the_same),
        cmocka_unit_test(comments_blanks_and_marks_are_passed_over),
        cmocka_unit_test(keys_not_in_the_file_stay_as_they_were),
        cmocka_unit_test(what_is_wrong_in_a_file_is_said_with_its_line),
        cmocka_unit_test(a_refused_file_changes_nothing),
        cmocka_unit_test(an_indented_line_does_not_continue_the_one_before),
        cmocka_unit_test(a_file_that_is_no_text_is_refused),
        cmocka_unit_test(any_bytes_are_read_or_refused),
        cmocka_unit_test(what_cannot_go_together_is_refused_with_what_could),
        cmocka_unit_test(what_can_go_together_is_accepted),
        cmocka_unit_test(the_proposed_pace_is_accepted),
        cmocka_unit_test(only_loopback_addresses_are_listened_on),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
