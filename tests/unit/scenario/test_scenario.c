/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "options/limits.h"
#include "scenario/scenario.h"
#include "scenario/scenario_internal.h"
#include "stats/judge/plan.h"

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
    static const char *const names[] = {"default", "held", "smoke"};
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
        char a[OPTS_TEXT], b[OPTS_TEXT];
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
            strstr("load tls server verdict torture output suite mix", scenario_section(i)));
        assert_in_range(strlen(options[i].help), 5, 90);
        bool listed = options[i].type == OPT_CHOICE || options[i].type == OPT_WEIGHTS ||
                      options[i].type == OPT_OUTPUT;
        assert_int_equal(options[i].choices != NULL, listed);
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
        char text[16384];
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
        s.expect = rng_below(&r, 2) ? "leak kind=one-time site=a/b.c:12" : NULL;
        s.weight[rng_below(&r, BEHAVIOUR_COUNT)] = rng_below(&r, 1000);
        s.weight[rng_below(&r, BEHAVIOUR_COUNT)] = 0;
        for (size_t i = 0; i < count; i++) {
            char value[OPTS_TEXT];
            if (i == 0 || strcmp(scenario_section(i), scenario_section(i - 1)) != 0)
                used += (size_t)snprintf(text + used, sizeof text - used, "[%s]\n",
                                         scenario_section(i));
            used += (size_t)snprintf(text + used, sizeof text - used, "%s = %s\n", options[i].name,
                                     opts_print(&options[i], &s, value, sizeof value));
        }
        if (read_text(&back, text, &e) < 0)
            fail_msg("%s", e.text);
        for (size_t i = 0; i < count; i++) {
            char a[OPTS_TEXT], b[OPTS_TEXT];
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
    assert_true(s.conns == 7 && s.churn.per_s == 1000 && s.weight[BEHAVIOUR_CLEAN] == 50);
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
        {"[load]\nagents = -1\n", ":2: agents = -1: this is a whole number from 0 to 32"},
        {"[load]\nconns =\n", ":2: conns: a count is a whole number, such as 10_000, 1k or 1M"},
        {"[load]\nchurn = 1000\n",
         ":2: churn = 1000: a rate needs a unit, such as 1000/s or 60000/m"},
        {"[tls]\ntls = 1.4\n", ":2: tls = 1.4: this is one of 1.2, 1.3 or any"},
        {"[laod]\n", ":1: no such section [laod]; did you mean [load]?"},
        {"[weights]\n",
         ":1: no such section [weights]; there are [load], [tls], [server], [verdict], [torture], "
         "[output], [suite] and [mix]"},
        {"[mix]\nrest = 2\n", ":2: no such key 'rest' in [mix]; did you mean reset?"},
        {"[load]\nreset = 2\n", ":2: 'reset' belongs in [mix], not in [load]"},
        {"[mix]\nmix = clean,rset=2\n",
         ":2: mix = clean,rset=2: no such name 'rset'; did you mean reset?"},
        {"[mix]\nmix = clean=2x\n", ":2: mix = clean=2x: the weight of clean: a count is a whole "
                                    "number, such as 10_000, 1k or 1M"},
        {"[mix]\nreset = 2\nmix = clean\n",
         ":3: 'mix' is the whole mix and takes back 'reset' of line 2; put it first"},
        {"expect = pass\n[suite]\nexpect = leak\n", ":3: 'expect' is already given on line 1"},
        {"expect = pass\ninclude = a.soak\n",
         ":2: 'include' belongs before the keys: they override what it gives"},
        {"[load]\ninclude = a.soak\n",
         ":2: 'include' belongs at the top, before the first section"},
        {"include =\n", ":1: include: a file is missing, such as include = common.soak"},
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
    assert_string_equal(e.text, "/tmp: this is a folder, and a file is needed");
}

/* Random lines made of the file's own pieces never do worse than a refusal with a line number. */
static void any_bytes_are_read_or_refused(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "[", "]",   "load", "tls", "conns", "churn", "=",    ":",   " ", "\n",    "#",
        ";", "1/s", "30",   "\t",  "\r\n",  "\"",    "\xff", "mix", ",", "clean", "include"};
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
    {{{"conns", "0"}}, "--conns 0: from 1 to 100,000"},
    {{{"conns", "100_001"}}, "--conns 100001: from 1 to 100,000"},
    {{{"closed", "50"}},
     "--closed 50: with 30 connections at least 120 are needed: the open "
     "ones must be replaced 4 times"},
    {{{"conns", "1"}, {"closed", "1"}},
     "--closed 1: with 1 connection at least 4 are needed: the open ones must be replaced 4 times"},
    {{{"payload", "0B"}}, "--payload 0B: from 1B to 1MiB"},
    {{{"payload", "2MiB"}}, "--payload 2MiB: from 1B to 1MiB"},
    {{{"sources", "251"}}, "--sources 251: at most 250"},
    {{{"client-workers", "33"}}, "--client-workers 33: at most 32"},
    {{{"churn", "1/s"}, {"for", "10s"}},
     "--for 10s: 30 connections at 1/s need 1m to turn over twice; give --for 1m or --churn "
     "6/s"},
    {{{"churn", "1/s"}, {"idle-timeout", "30s"}},
     "--idle-timeout 30s: 30 connections at 1/s each live 30 s in silence, and at a checkpoint up "
     "to 10 s more; give at least 40s, or 0s"},
    {{{"mix", "clean,group-p384"}, {"groups", "X25519:P-256"}},
     "--group-p384 1: it needs P-384 in --groups X25519:P-256"},
    {{{"mix", "clean,hello-retry"}, {"groups", "X448:X25519"}},
     "--hello-retry 1: it needs X448 left out of --groups X448:X25519"},
    {{{"mix", "clean,cipher-aes128"}, {"ciphers", "TLS_AES_256_GCM_SHA384"}},
     "--cipher-aes128 1: it needs a run without --ciphers TLS_AES_256_GCM_SHA384"},
    {{{"mix", "clean,resume-ticket"}, {"ticket-callback", "abort"}},
     "--resume-ticket 1: it needs --ticket-callback none, renew or ignore"},
    {{{"mix", "clean,huge-client-hello"}, {"ocsp", "empty"}},
     "--huge-client-hello 1: it needs --ocsp none, good or large"},
    {{{"churn", "max"}, {"idle-timeout", "1s"}},
     "--idle-timeout 1s: 30 connections at max each live 0 s in silence, and at a checkpoint up "
     "to 10 s more; give at least 10s, or 0s"},
    {{{"resume", "50%"}, {"ticket-callback", "abort"}},
     "--resume 50%: with --ticket-callback abort no such handshake would succeed; leave one of the "
     "two out"},
    {{{"resume", "20%"}, {"session", "none"}},
     "--resume 20%: nothing to resume with --session none; give --session ticket or cache"},
    {{{"cache-size", "0"}}, "--cache-size 0: from 1 to 10,000,000"},
    {{{"mix", "none"}},
     "--mix none: no peer would do anything; give a behaviour a weight, such as --clean 1"},
    {{{"mix", "reset"}, {"reset", "0"}},
     "--mix none: no peer would do anything; give a behaviour a weight, such as --clean 1"},
    {{{"expect", "leek"}}, "--expect leek: no such verdict 'leek'; did you mean leak?"},
    {{{"alpn", "h2,"}}, "--alpn h2,: names, separated by commas, of 255 characters in all at most"},
    {{{"no-probe", "true"}, {"until-sure", "true"}},
     "--no-probe: only the probe's ledger has a sensitivity; leave out --until-sure"},
    {{{"no-probe", "true"}, {"sensitivity", "1/1000"}},
     "--no-probe: only the probe's ledger has a sensitivity; leave out --sensitivity"},
    {{{"reset", "2M"}}, "--reset 2M: at most 1,000,000"},
    {{{"watchdog", "0s"}}, "--watchdog 0s: from 1s to 1d"},
    {{{"watchdog", "999ms"}}, "--watchdog 999ms: from 1s to 1d"},
    {{{"watchdog", "25h"}}, "--watchdog 25h: from 1s to 1d"},
    {{{"workers", "0"}}, "--workers 0: from 1 to 32"},
    {{{"workers", "33"}}, "--workers 33: from 1 to 32"},
    {{{"handshake-timeout", "0s"}},
     "--handshake-timeout 0s: a peer that vanishes would stay for ever; such as 30s"},
    {{{"listen", ""}},
     "--listen: the load stays on this machine: 127.0.0.1:0, or [::1]:0, or "
     "another loopback address and a port"},
    {{{"metrics", "0.0.0.0:9464"}},
     "--metrics 0.0.0.0:9464: a loopback address and a port, such as 127.0.0.1:9464"},
    {{{"serve", "8080"}}, "--serve 8080: a loopback address and a port, such as 127.0.0.1:8080"},
    {{{"serve", "127.0.0.1:8080"}, {"listen", "127.0.0.1:8080"}},
     "--serve 127.0.0.1:8080: the server listens there; give another port"},
    {{{"metrics", "[::1]:8080"}, {"server", "x"}, {"connect", "[::1]:8080"}},
     "--metrics [::1]:8080: the server listens there; give another port"},
    {{{"serve", "127.0.0.1:0"}, {"fail-alloc", "true"}},
     "--serve 127.0.0.1:0: --fail-alloc has no page; leave one of the two out"},
    {{{"metrics", "127.0.0.1:0"}, {"fail-alloc", "true"}},
     "--metrics 127.0.0.1:0: --fail-alloc has no such figures; leave one of the two out"},
    {{{"listen", "[::1]:0"}, {"sources", "2"}},
     "--sources 2: there is one loopback address in IPv6; give --listen 127.0.0.1:0 or "
     "--sources 1"},
    {{{"defect", "lost-sate"}}, "--defect lost-sate: no such defect; did you mean lost-state?"},
    {{{"defect", "zzzzzz"}},
     "--defect zzzzzz: no such defect; there are lost-state, peer-cert-ref, ssl-retained, "
     "free-deferred, session-ref, error-path, reset-path, outside, fragment, per-time, "
     "one-time, "
     "cache, fd, table, per-operation, operation-lost, alloc-fail-path"},
    {{{"operate", "renegotiate"}},
     "--operate renegotiate: only TLS 1.2 renegotiates: give --tls 1.2"},
    {{{"operate", "key-update"}, {"tls", "1.2"}},
     "--operate key-update: TLS 1.2 has no such thing: give --tls 1.3"},
    {{{"operate", "ticket"}, {"session", "none"}},
     "--operate ticket: with --session none there are no tickets; give --session ticket"},
    {{{"operate", "request"}, {"payload", "17KiB"}},
     "--payload 17KiB: with --operate at most 16KiB: an operation is one record"},
    {{{"operate", "request"}, {"closed", "239"}},
     "--closed 239: with --operate and 30 connections at least 240 operations are needed: 8 on "
     "each"},
    {{{"defect", "lost-state:1000"}},
     "--defect lost-state:1000: after the colon: a share is one "
     "in a whole number, such as 1/1000"},
    {{{"defect", "lost-state:"}},
     "--defect lost-state:: after the colon: a share is one in a "
     "whole number, such as 1/1000"},
    {{{"tickets", "17"}}, "--tickets 17: at most 16"},
    {{{"tickets", "0"}, {"resume", "20%"}},
     "--tickets 0: there would be nothing to resume; leave out --resume"},
    {{{"session-timeout", "1500ms"}}, "--session-timeout 1500ms: whole seconds, such as 300s"},
    {{{"ticket-callback", "abort"}, {"session", "cache"}},
     "--ticket-callback abort: there are tickets only with --session ticket"},
    {{{"ticket-rotate", "5"}, {"session", "none"}},
     "--ticket-rotate 5: there are tickets only with --session ticket"},
    {{{"ticket-rotate", "5"}, {"early-data", "1kB"}},
     "--ticket-rotate 5: with --early-data sessions are kept by the server, and no ticket is "
     "decrypted; leave one of the two out"},
    {{{"early-data", "1kB"}, {"tls", "1.2"}}, "--early-data 1kB: TLS 1.2 has none; give --tls 1.3"},
    {{{"early-data", "1kB"}, {"session", "none"}},
     "--early-data 1kB: it needs sessions; give --session ticket or cache"},
    {{{"record-padding", "16385"}}, "--record-padding 16385: at most 16,384"},
    {{{"renegotiation", "true"}}, "--renegotiation: TLS 1.3 has none; give --tls 1.2"},
    {{{"sni-unknown", "warn"}},
     "--sni-unknown warn: TLS 1.3 has no warnings; give --tls 1.2, or refuse"},
    {{{"sni-unknown", "refuse"}, {"sni", "elsewhere"}},
     "--sni elsewhere: with --sni-unknown refuse no handshake would succeed; give "
     "--sni localhost"},
    {{{"client-auth", "later"}, {"tls", "1.2"}},
     "--client-auth later: TLS 1.2 asks in the handshake only; give --tls 1.3"},
    {{{"ciphers", "TLS_AES_128_GCM_SHA256"}, {"psk", "true"}},
     "--ciphers TLS_AES_128_GCM_SHA256: --psk chooses its own; leave one of the two out"},
    {{{"ciphers", "TLS_AES_128_GCM_SHA256"}, {"tls", "1.2"}},
     "--ciphers TLS_AES_128_GCM_SHA256: none is of TLS 1.2; leave out --tls 1.2"},
    {{{"ciphers", "AES128-SHA"}},
     "--ciphers AES128-SHA: none is of TLS 1.3, such as TLS_AES_128_GCM_SHA256; or give "
     "--tls 1.2"},
    {{{"defect", "peer-cert-ref"}},
     "--defect peer-cert-ref: it needs peers with certificates: "
     "--client-auth require"},
    {{{"ctx", "per-connection"}, {"ctx-reload", "100"}},
     "--ctx-reload 100: there is nothing to reload with --ctx per-connection; leave one of the "
     "two out"},
    {{{"emfile", "1"}}, "--emfile 1: no connection would ever be accepted; from 2"},
    {{{"jemalloc", "5.2.1"}, {"malloc", "libc"}},
     "--jemalloc 5.2.1: the server doesn't run on it with --malloc libc; leave one of the two out"},
    {{{"reload", "x"}}, "--reload x: has a meaning only with --server"},
    {{{"reload", "x"}, {"client", "x {port}"}}, "--reload x: has a meaning only with --server"},
    {{{"reload", "x"}, {"connect", "127.0.0.1:1"}}, "--reload x: has a meaning only with --server"},
    {{{"reload", "x {nothing}"}, {"server", "x {port}"}},
     "--reload x {nothing}: {nothing} stands for nothing here; there is {work}, {here}, {address}, "
     "{port}, {cert}, {key}, {pem}, {ca}, {program}, {pid}"},
    {{{"reload", "x"}, {"server", "x {port}"}, {"operate", "request"}, {"say", "x"}},
     "--reload x: --operate counts operations and --reload counts reloads; leave one of the two "
     "out"},
    {{{"reload", "x"}, {"server", "x {port}"}, {"footprint", "true"}},
     "--footprint: connections cost what they cost without it; leave out --reload"},
    {{{"reload", "x"}, {"server", "x {port}"}, {"closed", "7"}},
     "--closed 7: with --reload at least 8 reloads are needed"},
    {{{"reload", "x"}, {"server", "x {port}"}, {"sensitivity", "1/10"}, {"closed", "100"}},
     "--closed 100: too few for --sensitivity 1/10, which takes at least 161; give --closed 237, "
     "or leave it out"},
    {{{"footprint", "true"}, {"server", "x {port}"}, {"operate", "request"}},
     "--footprint: what a program that isn't soak's spends on a connection is seen as they come "
     "and "
     "go; leave out --operate"},
    {{{"footprint", "true"}, {"fail-alloc", "true"}},
     "--footprint: has no meaning with --fail-alloc"},
    {{{"client-procs", "31"}}, "--client-procs 31: more of them than --conns 30"},
    {{{"agents", "2"}, {"agents-listen", "10.0.0.1:7411"}},
     "--agents-listen 10.0.0.1:7411: who joins there can't reach the server at 127.0.0.1:0; give "
     "--listen 10.0.0.1:0"},
    {{{"agents", "2"}, {"agents-listen", "[fe80::1]:7411"}, {"listen", "[::1]:0"}},
     "--agents-listen [fe80::1]:7411: who joins there can't reach the server at [::1]:0; give "
     "--listen [fe80::1]:0"},
    {{{"agents", "2"}, {"agents-listen", "10.0.0.1:7411"}, {"server", "nginx {port}"}},
     "--agents-listen 10.0.0.1:7411: who joins there can't reach the server at 127.0.0.1:{port}; "
     "give --connect 10.0.0.1:PORT"},
    {{{"agents-listen", "127.0.0.1:0"}},
     "--agents-listen 127.0.0.1:0: also needs --agents, how many join"},
    {{{"agents-wait", "1s"}}, "--agents-wait 1s: has a meaning only with --agents"},
    {{{"token-file", "x"}}, "--token-file x: has a meaning only with --agents"},
    {{{"client-procs", "33"}}, "--client-procs 33: from 1 to 32"},
    {{{"server-procs", "2"}, {"session", "cache"}},
     "--session cache: each process would look for sessions in a cache of its own; give --session "
     "ticket"},
    {{{"server-procs", "2"}, {"early-data", "1KiB"}},
     "--early-data 1KiB: each process would look for sessions in a cache of its own; give "
     "--server-procs 1"},
    {{{"server-procs", "2"}, {"ctx-reload", "100"}},
     "--ctx-reload 100: each process would go by a count of its own; give --server-procs 1"},
    {{{"server-procs", "2"}, {"ticket-rotate", "100"}},
     "--ticket-rotate 100: each process would have keys of its own; give --server-procs 1"},
    {{{"server-procs", "2"}, {"emfile", "9"}},
     "--emfile 9: each process would go by a count of its own; give --server-procs 1"},
    {{{"server-procs", "2"}, {"fail-alloc", "true"}},
     "--server-procs 2: there connections are made one by one, by one process"},
    {{{"client-procs", "2"}, {"fail-alloc", "true"}},
     "--client-procs 2: there connections are made one by one, by one process"},
    {{{"server-procs", "2"}, {"client", "x {port}"}},
     "--server-procs 2: to a client program the server is one process"},
    {{{"client-procs", "2"}, {"client", "x {port}"}},
     "--client-procs 2: soak-client isn't there with --client"},
    {{{"server-procs", "2"}, {"server", "x {port}"}, {"connect", "127.0.0.1:{port}"}},
     "--server-procs 2: how many processes that program has is its own affair"},
    {{{"server-procs", "2"}, {"connect", "127.0.0.1:1"}},
     "--server-procs 2: the server runs already"},
    {{{"emfile", "9"}, {"workers", "2"}},
     "--emfile 9: the limit of files is the whole process's; give --workers 1"},
    {{{"defect", "error-path"}, {"mid-handshake", "0"}},
     "--defect error-path: it needs handshakes that fail: --mid-handshake with a weight above "
     "0"},
    {{{"mix", "fin-finished"}, {"defect", "error-path"}},
     "--defect error-path: it needs handshakes that fail: --mid-handshake with a weight above "
     "0"},
    {{{"mix", "rst-server-hello"}, {"defect", "reset-path"}},
     "--defect reset-path: it needs peers that reset: --reset with a weight above 0"},
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

static const struct {
    const char *refused, *conditions, *said;
} rules[] = {
#define X(refused, conditions, said) {refused, conditions, said},
#include "options/rules.def"
#undef X
};

/* A suite shows how long each of its runs is going to take. */
static void a_run_beyond_an_expected_cache_takes_as_long_as_that(void **state)
{
    (void)state;
    struct scenario s;
    scenario_defaults(&s);
    uint64_t usual = scenario_about_ns(&s);
    s.expect_cache = 1000000;
    /* one and a half of it, at 1,000 a second */
    assert_true(scenario_about_ns(&s) >= UINT64_C(1500) * 1000000000);
    s.closed = 5000;
    assert_true(scenario_about_ns(&s) < usual);
}

/* However soon it would have seen enough: scenarios/nightly. */
static void a_run_for_a_time_takes_all_of_it(void **state)
{
    (void)state;
    const uint64_t asked = UINT64_C(150) * 1000000000;
    struct scenario s;
    scenario_defaults(&s);
    s.for_ns = asked;
    s.sensitivity = 1000;
    s.churn.max = true;
    assert_true(scenario_about_ns(&s) >= asked);
    s.until_sure = true;
    assert_true(scenario_about_ns(&s) < asked);
}

/* Whether soak or a program that it starts has the option, with these values when it is a choice.
 */
static bool is_option(const char *name, const char *values)
{
    static const struct {
        const char *name, *choices;
    } options[] = {
#define X(section, name, s, c, f, TYPE, field, metavar, choices, ...)                              \
    {name, OPT_##TYPE == OPT_CHOICE ? choices : NULL},
#include "options/options.def"
#include "options/programs.def"
#undef X
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t length;
        bool known = strcmp(options[i].name, name) == 0, all = known;
        const char *value;
        for (int v = 0; known && options[i].choices && (value = choices_at(values, v, &length));
             v++)
            all = all && (*value == '*' || choices_find(options[i].choices, value, length) >= 0);
        if (all)
            return true;
    }
    return false;
}

/* A rule about an option that nobody has would never apply. */
static void the_rules_are_about_options_that_exist(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char conditions[256], *rest = conditions, *condition;
        bool blamed = false;
        snprintf(conditions, sizeof conditions, "%s", rules[i].conditions);
        while ((condition = strsep(&rest, " "))) {
            char *values = strchr(condition, '=');
            assert_non_null(values);
            *values++ = '\0';
            if (!is_option(condition, values))
                fail_msg("no option --%s with %s", condition, values);
            blamed = blamed || strcmp(condition, rules[i].refused) == 0;
        }
        assert_true(blamed);
        assert_in_range(strlen(rules[i].said), 10, 200);
    }
}

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
        {{{"churn", "max"}, {"for", "1s"}, {"idle-timeout", "10s"}}},
        {{{"conns", "10k"}, {"closed", "40k"}}},
        {{{"payload", "1MiB"}}},
        {{{"clean", "0"}, {"half-close", "0"}, {"reset", "1"}, {"mid-handshake", "0"}}},
        {{{"resume", "100%"}, {"session", "cache"}}},
        {{{"resume", "0%"}, {"session", "none"}}},
        {{{"mix", "mid-handshake=5"}}},
        {{{"mix", "clean,plain-http"}, {"defect", "error-path"}}},
        {{{"mix", "rst-data"}, {"defect", "reset-path"}}},
        {{{"fail-alloc", "true"}}},
        {{{"fail-alloc", "true"}, {"side", "server"}, {"slice", "7/7"}, {"resume", "100%"}}},
        {{{"defect", "lost-state"}}},
        {{{"operate", "renegotiate"}, {"tls", "1.2"}}},
        {{{"operate", "request"}, {"tls", "1.2"}, {"closed", "240"}, {"payload", "16KiB"}}},
        {{{"operate", "ticket"}, {"session", "cache"}}},
        {{{"defect", "lost-state:1/1000"}}},
        {{{"defect", "peer-cert-ref"}, {"client-auth", "require"}}},
        {{{"defect", "peer-cert-ref"}, {"client-auth", "request"}}},
        {{{"defect", "error-path:1/10"}}},
        {{{"listen", "127.1.2.3:4433"}}},
        {{{"listen", "[::1]:0"}, {"sources", "1"}}},
        {{{"agents", "2"}, {"agents-listen", "127.0.0.1:7411"}}},
        {{{"agents", "2"}, {"agents-listen", "10.0.0.1:7411"}, {"listen", "10.0.0.1:0"}}},
        {{{"agents", "2"}, {"agents-listen", "127.0.0.1:7411"}, {"listen", "10.0.0.1:0"}}},
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

/* ---- what behaviours need ---- */

static void a_behaviour_without_what_it_needs_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct change changes[3];
        const char *needs, *sentence; /* NULL: accepted */
    } cases[] = {
        {{{0}}, "", NULL},
        {{{0}}, "session=ticket", NULL},
        {{{0}}, "session=ticket|cache tls=1.3", NULL},
        {{{"session", "cache"}}, "session=ticket", "--clean 50: it needs --session ticket"},
        {{{"session", "none"}},
         "session=ticket|cache",
         "--clean 50: it needs --session ticket or cache"},
        {{{"tls", "any"}}, "tls=1.3", "--clean 50: it needs --tls 1.3"},
        {{{"tls", "any"}}, "session=ticket  tls=1.2", "--clean 50: it needs --tls 1.2"},
        {{{0}}, "alpn=*", "--clean 50: it needs --alpn NAME"},
        {{{"alpn", "h2"}}, "alpn=*", NULL},
        {{{0}}, "resume=*", "--clean 50: it needs --resume PERCENT"},
        {{{"resume", "0.5%"}}, "resume=*", NULL},
        {{{0}}, "idle-timeout=*", "--clean 50: it needs --idle-timeout DURATION"},
        {{{"idle-timeout", "1s"}}, "idle-timeout=*", NULL},
        {{{"idle-timeout", "10s"}},
         "idle-timeout=1s|5s|9s",
         "--clean 50: it needs --idle-timeout 1s, 5s or 9s"},
        {{{0}}, "client-auth=*", "--clean 50: it needs --client-auth KIND"},
        {{{0}}, "keep-going=true", "--clean 50: it needs --keep-going"},
        {{{"keep-going", "true"}}, "keep-going=true", NULL},
        {{{0}}, "groups=~X25519|x25519", NULL},
        {{{"groups", "P-256:x25519"}}, "groups=~X25519|x25519", NULL},
        {{{"groups", "P-256:P-384"}},
         "groups=~X25519|x25519",
         "--clean 50: it needs X25519 in --groups P-256:P-384"},
        {{{"groups", "X25519"}}, "groups=!X448", NULL},
        {{{"groups", "X25519:X448"}},
         "groups=!X448",
         "--clean 50: it needs X448 left out of --groups X25519:X448"},
        {{{0}}, "ciphers=!*", NULL},
        {{{"ciphers", "TLS_AES_128_GCM_SHA256"}},
         "ciphers=!*",
         "--clean 50: it needs a run without --ciphers TLS_AES_128_GCM_SHA256"},
        {{{"keep-going", "true"}},
         "keep-going=false",
         "--clean 50: it needs a run without --keep-going"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario s;
        struct err e = {""};
        scenario_defaults(&s);
        for (const struct change *c = cases[i].changes; c->name; c++)
            set(&s, c->name, c->value);
        int rc = opts_check_needs(
            &(struct opts_need){.table = scenario_table(), .target = &s, .who = "clean"},
            cases[i].needs, &e);
        assert_string_equal(e.text, cases[i].sentence ? cases[i].sentence : "");
        assert_int_equal(rc, cases[i].sentence ? -1 : 0);
    }
}

/* The list's own needs name options that there are, with values that they can have. */
static void what_behaviours_need_can_be_had(void **state)
{
    (void)state;
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
        char needs[256], *rest = needs;
        snprintf(needs, sizeof needs, "%s", b->needs);
        for (char *need; (need = strsep(&rest, " "));) {
            const struct opt *option = opts_find(options, count, strsep(&need, "="));
            if (!*b->needs)
                continue;
            if (!option || !need)
                fail_msg("%s needs '%s': no such option", b->name, b->needs);
            for (char *value; strcmp(need ? need : "*", "*") != 0;) {
                struct scenario s;
                struct err e;
                value = strsep(&need, "|");
                if (opts_set(option, &s, value, &e) < 0)
                    fail_msg("%s needs '%s': %s", b->name, b->needs, e.text);
            }
        }
    }
}

static void more_behaviours_than_a_run_tells_apart_are_refused(void **state)
{
    (void)state;
    struct scenario s;
    struct err e = {""};
    scenario_defaults(&s);
    for (int i = 0, used = 0; i < BEHAVIOUR_COUNT; i++) {
        s.weight[i] = used < 64;
        used += s.weight[i] > 0;
    }
    assert_int_equal(scenario_check(&s, &e), -1);
    assert_string_equal(e.text,
                        "--mix: 64 behaviours have a weight, and one run tells at most 63 apart");
    s.weight[0] = 0;
    assert_int_equal(scenario_check(&s, &e), -1);
    assert_non_null(strstr(e.text, ": it needs ")); /* no longer by their number */
}

static void needs_count_only_for_behaviours_with_a_weight(void **state)
{
    (void)state;
    struct scenario s;
    struct err e = {""};
    scenario_defaults(&s);
    assert_int_equal(opts_check_mix(scenario_table(), &s, &e), 0);
    s.weight[BEHAVIOUR_RST_KEY_EXCHANGE] = 1;
    assert_int_equal(opts_check_mix(scenario_table(), &s, &e), -1);
    assert_string_equal(e.text, "--rst-key-exchange 1: it needs --tls 1.2");
    set(&s, "tls", "1.2");
    assert_int_equal(opts_check_mix(scenario_table(), &s, &e), 0);
}

/* ---- mixes ---- */

static void a_mix_is_the_whole_and_weights_come_on_top(void **state)
{
    (void)state;
    struct scenario s;
    struct err e;
    assert_int_equal(read_text(&s, "[mix]\nmix = reset=7,clean\nhalf-close = 2\n", &e), 0);
    assert_true(s.weight[BEHAVIOUR_RESET] == 7 && s.weight[BEHAVIOUR_CLEAN] == 1);
    assert_true(s.weight[BEHAVIOUR_HALF_CLOSE] == 2 && s.weight[BEHAVIOUR_MID_HANDSHAKE] == 0);
    assert_int_equal(read_text(&s, "[mix]\nhalf-close = 2\n", &e), 0);
    assert_true(s.weight[BEHAVIOUR_RESET] == 30 && s.weight[BEHAVIOUR_HALF_CLOSE] == 2);
}

static void a_text_too_long_for_a_command_line_is_refused(void **state)
{
    (void)state;
    char text[1200];
    struct scenario s;
    struct err e = {""};
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 2; i++) {
        scenario_defaults(&s);
        text[i ? 1001 : 1000] = '\0';
        s.on_drain = text;
        assert_int_equal(scenario_check(&s, &e), i ? -1 : 0);
        text[1000] = 'x';
    }
    assert_non_null(strstr(e.text, "xxx...: at most 1000 characters"));
    text[256] = '\0';
    scenario_defaults(&s);
    s.sni = text;
    assert_int_equal(scenario_check(&s, &e), -1);
    assert_non_null(strstr(e.text, ": a server name has at most 255 characters"));
    scenario_defaults(&s);
    s.alpn = text;
    assert_int_equal(scenario_check(&s, &e), -1);
    text[255] = '\0';
    assert_int_equal(scenario_check(&s, &e), 0);
}

/* A run without a bound goes on until it has a sensitivity of its own. */
static void what_nobody_asked_for_is_known_to_be_unasked(void **state)
{
    (void)state;
    struct scenario s;
    scenario_defaults(&s);
    scenario_settle(&s);
    assert_true(s.unasked && s.sensitivity > 0);
    scenario_defaults(&s);
    s.sensitivity = 1000;
    scenario_settle(&s);
    assert_true(!s.unasked && s.sensitivity == 1000);
    scenario_defaults(&s);
    s.until_sure = true;
    scenario_settle(&s);
    assert_true(!s.unasked && s.sensitivity > 0);
}

/* Of the side that has more, as far as they are soak's; the words go by the same. */
static void a_run_over_many_threads_is_planned_to_be_longer(void **state)
{
    static const struct {
        const char *name, *value;
        uint64_t threads;
    } steps[] = {{"sensitivity", "1/100000", 1},
                 {"client-workers", "8", 8},
                 {"client-procs", "2", 16},
                 {"server-procs", "3", 16},
                 {"workers", "6", 18},
                 {"server", "a", 16},
                 {"client", "a", 0}};
    struct scenario s;
    char before[256], text[256];
    (void)state;
    scenario_defaults(&s);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct plan_input in;
        set(&s, steps[i].name, steps[i].value);
        scenario_plan(&s, &in);
        assert_int_equal(in.threads, steps[i].threads);
        assert_true(scenario_sure_text(&s, text, sizeof text));
        if (i == 1)
            assert_string_not_equal(text, before);
        memcpy(before, text, sizeof text);
    }
    assert_true(scenario_takes(&s, 1000, 16) > scenario_takes(&s, 1000, 1));
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
        cmocka_unit_test(a_run_beyond_an_expected_cache_takes_as_long_as_that),
        cmocka_unit_test(a_run_for_a_time_takes_all_of_it),
        cmocka_unit_test(the_rules_are_about_options_that_exist),
        cmocka_unit_test(what_cannot_go_together_is_refused_with_what_could),
        cmocka_unit_test(what_can_go_together_is_accepted),
        cmocka_unit_test(the_proposed_pace_is_accepted),
        cmocka_unit_test(only_loopback_addresses_are_listened_on),
        cmocka_unit_test(a_behaviour_without_what_it_needs_is_refused),
        cmocka_unit_test(what_behaviours_need_can_be_had),
        cmocka_unit_test(more_behaviours_than_a_run_tells_apart_are_refused),
        cmocka_unit_test(needs_count_only_for_behaviours_with_a_weight),
        cmocka_unit_test(a_mix_is_the_whole_and_weights_come_on_top),
        cmocka_unit_test(what_nobody_asked_for_is_known_to_be_unasked),
        cmocka_unit_test(a_text_too_long_for_a_command_line_is_refused),
        cmocka_unit_test(a_run_over_many_threads_is_planned_to_be_longer),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
