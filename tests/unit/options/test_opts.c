/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "options/grammar.h"
#include "options/opts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct settings {
    uint64_t conns, payload, wait_ns, seed, one_in;
    struct rate churn;
    double resume, limit;
    bool quiet, probe;
    int workers, tls;
    const char *name, *json;
    uint64_t weight[3];
    struct opts_list env;
};

static const struct opt table[] = {
    {"conns", OPT_COUNT, offsetof(struct settings, conns), "COUNT", NULL, "connections held open"},
    {"payload", OPT_SIZE, offsetof(struct settings, payload), "SIZE", NULL, "message"},
    {"wait", OPT_DURATION, offsetof(struct settings, wait_ns), "DURATION", NULL, "pause"},
    {"seed", OPT_HEX, offsetof(struct settings, seed), "HEX", NULL, "seed"},
    {"one-in", OPT_ONE_IN, offsetof(struct settings, one_in), "1/N", NULL, "share"},
    {"churn", OPT_RATE, offsetof(struct settings, churn), "RATE", NULL, "replacements"},
    {"resume", OPT_PERCENT, offsetof(struct settings, resume), "PERCENT", NULL, "resumed"},
    {"limit", OPT_GROWTH, offsetof(struct settings, limit), "GROWTH", NULL, "accepted growth"},
    {"quiet", OPT_FLAG, offsetof(struct settings, quiet), NULL, NULL, "say less"},
    {"no-probe", OPT_OFF, offsetof(struct settings, probe), NULL, NULL, "without the probe"},
    {"workers", OPT_INT, offsetof(struct settings, workers), "N", NULL, "event loops"},
    {"tls", OPT_CHOICE, offsetof(struct settings, tls), "VERSION", "1.2|1.3|any",
     "protocol version, which may be any of those that the library at hand has and allows"},
    {"name", OPT_STRING, offsetof(struct settings, name), "NAME", NULL, "a name"},
    {"a-name-of-length", OPT_STRING, offsetof(struct settings, name), "SOMETHING", NULL, "a word"},
    {"json", OPT_OUTPUT, offsetof(struct settings, json), "FILE", ".json", "a document"},
    {"env", OPT_LIST, offsetof(struct settings, env), "NAME=VALUE", NULL, "a variable"},
    {"mix", OPT_WEIGHTS, offsetof(struct settings, weight), "NAME[=WEIGHT],...", "red|green|blue|",
     "weights of colours"},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0], REST = 2 };

struct parsed {
    struct settings s;
    const char *rest[REST];
    struct opts_words words;
    struct err e;
};

/* Parses the words given, a list ended by NULL. */
static int parse(struct parsed *p, char *const *words)
{
    char *argv[16] = {(char *)"prog"};
    int argc = 1;
    for (; *words; words++)
        argv[argc++] = *words;
    *p = (struct parsed){.s = {.probe = true}, .words = {.word = p->rest, .size = REST}};
    return opts_parse(&(struct opts_line){table, TABLE_COUNT, argc, argv, NULL}, &p->s, &p->words,
                      &p->e);
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})

static void values_follow_a_blank_or_an_equals_sign(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("--conns", "30", "--churn=1000/s", "--payload=32B", "--wait",
                                     "1m30s", "--tls", "1.3", "--seed=7f3a", "--name=a=b")),
                     0);
    assert_true(p.s.conns == 30 && p.s.churn.per_s == 1000 && p.s.payload == 32);
    assert_true(p.s.wait_ns == 90000000000 && p.s.tls == 1 && p.s.seed == 0x7f3a);
    assert_string_equal(p.s.name, "a=b");
    assert_int_equal(p.words.count, 0);
}

static void flags_take_no_value_but_may_be_given_one(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("--quiet", "--no-probe")), 0);
    assert_true(p.s.quiet && !p.s.probe);
    assert_int_equal(parse(&p, WORDS("--quiet=true", "--quiet=false", "--no-probe=false")), 0);
    assert_true(!p.s.quiet && p.s.probe);
    assert_int_equal(parse(&p, WORDS("--quiet", "false")), 0);
    assert_true(p.s.quiet && p.words.count == 1);
}

static void an_output_without_a_path_is_stdout(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("--json", "word")), 0);
    assert_string_equal(p.s.json, "-");
    assert_int_equal(p.words.count, 1);
    assert_int_equal(parse(&p, WORDS("--json=out.json")), 0);
    assert_string_equal(p.s.json, "out.json");
}

static void an_output_takes_the_next_word_when_it_is_named_like_its_files(void **state)
{
    (void)state;
    static const struct {
        char *const words[5];
        const char *json;
        size_t rest;
    } cases[] = {
        {{"--json", "x.json"}, "x.json", 0}, {{"--json", "-"}, "-", 0},
        {{"--json=x.txt"}, "x.txt", 0},      {{"--json", "x.txt"}, "-", 1},
        {{"--json", ".json"}, "-", 1},       {{"--json", "smoke"}, "-", 1},
        {{"--json", "--quiet"}, "-", 0},     {{"--json", "a/b.json", "c.json"}, "a/b.json", 1},
        {{"x.json", "--json"}, "-", 1},      {{"--name", "x.json"}, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        assert_int_equal(parse(&p, cases[i].words), 0);
        assert_int_equal(p.words.count, cases[i].rest);
        if (cases[i].json)
            assert_string_equal(p.s.json, cases[i].json);
        else
            assert_null(p.s.json);
    }
}

static void the_stranger_is_the_word_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        char *const words[6];
        const char *stranger;
    } cases[] = {
        {{"--conns", "3", "--zzz", "--yyy"}, "--zzz"},
        {{"--json", "-", "-c", "3"}, "-c"},
        {{"--json", "x.json", "--zzz=3"}, "--zzz=3"},
        {{"--name", "-x", "--zzz"}, "--zzz"},
        {{"-"}, NULL},
        {{"--quiet", "--", "--zzz"}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *argv[16] = {(char *)"prog"};
        int argc = 1;
        for (; cases[i].words[argc - 1]; argc++)
            argv[argc] = cases[i].words[argc - 1];
        struct parsed p;
        const char *found =
            opts_stranger(&(struct opts_line){table, TABLE_COUNT, argc, argv, NULL});
        assert_int_equal(parse(&p, cases[i].words), found ? OPTS_STRANGER : 0);
        if (cases[i].stranger)
            assert_string_equal(found, cases[i].stranger);
        else
            assert_null(found);
    }
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("run", "--conns", "4", "--", "--quiet")), 0);
    assert_int_equal(p.words.count, 2);
    assert_string_equal(p.rest[0], "run");
    assert_string_equal(p.rest[1], "--quiet");
    assert_false(p.s.quiet);
    assert_true(p.s.conns == 4);
}

static void an_empty_text_means_none(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("--name", "x", "--name=")), 0);
    assert_null(p.s.name);
}

static void the_sentence_names_option_value_and_cure(void **state)
{
    (void)state;
    static const struct {
        char *const words[4];
        const char *sentence;
    } cases[] = {
        {{"--churn", "1000"}, "--churn 1000: a rate needs a unit, such as 1000/s or 60000/m"},
        {{"--churn=1000"}, "--churn 1000: a rate needs a unit, such as 1000/s or 60000/m"},
        {{"--payload", "64K"}, "--payload 64K: is that 64KiB (65,536 bytes) or 64kB (64,000)?"},
        {{"--conections", "3"}, "--conections: no such option; did you mean --conns?"},
        {{"--conections=3"}, "--conections: no such option; did you mean --conns?"},
        {{"--zzz"}, "--zzz: no such option"},
        {{"--conns"}, "--conns: a value is missing: --conns COUNT"},
        {{"--name", "--quiet"},
         "--name: a value is missing before --quiet (if that is the value: --name=--quiet)"},
        {{"--conns="}, "--conns: a count is a whole number, such as 10_000, 1k or 1M"},
        {{"--tls", "1.4"}, "--tls 1.4: this is one of 1.2, 1.3 or any"},
        {{"--tls", "1."}, "--tls 1.: this is one of 1.2, 1.3 or any"},
        {{"--tls", "1.33"}, "--tls 1.33: this is one of 1.2, 1.3 or any"},
        {{"--quiet=yes"}, "--quiet yes: this is true or false"},
        {{"--workers", "-1"}, "--workers -1: this is a whole number, such as 4"},
        {{"--workers", "99999999999999999999"},
         "--workers 99999999999999999999: this number is too large"},
        {{"--mix", "red,gren"}, "--mix red,gren: no such name 'gren'; did you mean green?"},
        {{"--mix", "zzzz"}, "--mix zzzz: no such name 'zzzz'"},
        {{"--mix", "red,,blue"},
         "--mix red,,blue: a name is missing; this is NAME=WEIGHT, such as red=3,green=1"},
        {{"--mix="}, "--mix: a name is missing; this is NAME=WEIGHT, such as red=3,green=1"},
        {{"--mix=red,blue,red=2"}, "--mix red,blue,red=2: red is given twice"},
        {{"--mix=red="},
         "--mix red=: the weight of red: a count is a whole number, such as "
         "10_000, 1k or 1M"},
        {{"--mix=re"}, "--mix re: no such name 're'; did you mean red?"},
        {{"-q"}, "-q: no such option; options begin with --"},
        {{"a", "b", "c"}, "c: unexpected argument"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        assert_true(parse(&p, cases[i].words) < 0);
        assert_string_equal(p.e.text, cases[i].sentence);
    }
}

static void a_name_of_any_length_is_refused_in_one_sentence(void **state)
{
    (void)state;
    char endless[2000] = "--";
    memset(endless + 2, 'x', sizeof endless - 3);
    endless[sizeof endless - 1] = '\0';
    struct parsed p;
    assert_int_equal(parse(&p, WORDS(endless)), OPTS_STRANGER);
    assert_non_null(strstr(p.e.text, "...: no such option"));
}

static struct settings any_settings(struct rng *r)
{
    static const char *const names[] = {NULL, "a", "1.3", "--x"};
    return (struct settings){
        .conns = rng_next(r) >> rng_below(r, 64),
        .payload = rng_next(r) >> rng_below(r, 64),
        .wait_ns = rng_next(r) >> rng_below(r, 64),
        .seed = rng_next(r),
        .one_in = rng_below(r, 5),
        .churn = {.per_s = (double)(1 + rng_below(r, 100000)) / 8},
        .resume = (double)rng_below(r, 101) / 100,
        .limit = (double)rng_below(r, 1000) / 4,
        .quiet = rng_below(r, 2),
        .probe = rng_below(r, 2),
        .workers = (int)rng_below(r, 1u << 31),
        .tls = (int)rng_below(r, 3),
        .name = names[rng_below(r, 4)],
        .json = names[rng_below(r, 4)],
        .weight = {rng_below(r, 3), rng_below(r, 2) * 1000, rng_below(r, 3)},
    };
}

static void what_is_printed_sets_the_same_value(void **state)
{
    (void)state;
    struct rng r = {21};
    for (int round = 0; round < 2000; round++) {
        struct settings from = any_settings(&r), to = any_settings(&r);
        char text[TABLE_COUNT][128], again[128];
        for (size_t i = 0; i < TABLE_COUNT; i++) {
            struct err e;
            opts_print(&table[i], &from, text[i], sizeof text[i]);
            if (opts_set(&table[i], &to, text[i], &e) < 0)
                fail_msg("%s: %s", text[i], e.text);
            assert_string_equal(opts_print(&table[i], &to, again, sizeof again), text[i]);
        }
        assert_true(to.conns == from.conns && to.payload == from.payload);
        assert_true(to.wait_ns == from.wait_ns && to.seed == from.seed);
        assert_true(to.one_in == from.one_in && to.churn.per_s == from.churn.per_s);
        assert_true(to.resume == from.resume && to.limit == from.limit);
        assert_true(to.quiet == from.quiet && to.probe == from.probe);
        assert_true(to.workers == from.workers && to.tls == from.tls);
        assert_memory_equal(to.weight, from.weight, sizeof to.weight);
    }
}

static void weights_not_named_become_0(void **state)
{
    (void)state;
    struct parsed p;
    assert_int_equal(parse(&p, WORDS("--mix", "red,blue=1k", "--mix=green=5")), 0);
    assert_true(p.s.weight[0] == 0 && p.s.weight[1] == 5 && p.s.weight[2] == 0);
    assert_int_equal(parse(&p, WORDS("--mix", "red,blue=1k")), 0);
    assert_true(p.s.weight[0] == 1 && p.s.weight[1] == 0 && p.s.weight[2] == 1000);
    assert_int_equal(parse(&p, WORDS("--mix", "red,green=x")), -1);
    assert_int_equal(p.s.weight[0], 0);
}

static void note(void *ctx, size_t index)
{
    char *names = ctx;
    strcat(strcat(names, table[index].name), " ");
}

static void a_walk_meets_the_options_in_their_order(void **state)
{
    (void)state;
    char names[128] = "";
    char *const *words = WORDS("x", "--quiet", "--name=--conns", "--json", "--mix", "red", "--seed",
                               "-", "--", "--tls");
    opts_walk(&(struct opts_line){table, TABLE_COUNT, 10, words, NULL}, note, names);
    assert_string_equal(names, "quiet name json mix seed ");
}

static void help_names_every_option_within_80_columns(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    opts_help(table, TABLE_COUNT, NULL, OPTS_COLUMNS, out);
    fclose(out);
    assert_non_null(strstr(text, "  --conns COUNT               connections held open\n"));
    assert_non_null(strstr(text, "  --json[=FILE]               a document\n"));
    assert_non_null(strstr(text, "  --mix NAME[=WEIGHT],...     weights of colours\n"));
    assert_non_null(
        strstr(text, "  --a-name-of-length SOMETHING\n                              a word\n"));
    assert_non_null(strstr(text, "  --tls 1.2|1.3|any           protocol version, which"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 80);
    free(text);
}

static void help_for_a_narrow_terminal_has_its_texts_below_the_options(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    opts_help(table, TABLE_COUNT, NULL, 44, out);
    fclose(out);
    assert_non_null(strstr(text, "  --conns COUNT\n      connections held open\n"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 44);
    free(text);
}

static void help_tells_the_defaults_that_say_something(void **state)
{
    (void)state;
    const struct settings usual = {.conns = 30,
                                   .churn = {.per_s = 1000},
                                   .probe = true,
                                   .resume = 0.25,
                                   .tls = 2,
                                   .name = "n"};
    static const struct {
        const char *option, *shown;
    } cases[] = {{"conns", "30"}, {"churn", "1000/s"}, {"resume", "25%"}, {"tls", "any"},
                 {"name", "n"},   {"payload", ""},     {"wait", ""},      {"seed", ""},
                 {"quiet", ""},   {"no-probe", ""},    {"json", ""},      {"workers", "0"},
                 {"mix", ""},     {"one-in", "none"}};
    char text[OPTS_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct opt *option = opts_find(table, TABLE_COUNT, cases[i].option);
        assert_string_equal(opts_default(option, &usual, text, sizeof text), cases[i].shown);
        assert_string_equal(opts_default(option, NULL, text, sizeof text), "");
    }
    char *help = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&help, &size);
    opts_help(table, TABLE_COUNT, &usual, OPTS_COLUMNS, out);
    fclose(out);
    assert_non_null(
        strstr(help, "  --conns COUNT               connections held open (default 30)\n"));
    free(help);
}

static void a_list_takes_several_and_the_last_of_each_name(void **state)
{
    (void)state;
    struct settings s = {.conns = 1};
    char text[OPTS_TEXT];
    struct err e = {{0}};
    const struct opt *env = opts_find(table, TABLE_COUNT, "env");
    static const char *const given[] = {"A=1", "AB=2", "A=3=4", "B="};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        assert_int_equal(opts_set(env, &s, given[i], &e), 0);
    assert_string_equal(opts_print(env, &s, text, sizeof text), "A=3=4\nAB=2\nB=");
    assert_int_equal(opts_set(env, &s, "", &e), 0); /* takes back all */
    assert_string_equal(opts_print(env, &s, text, sizeof text), "");
    static char name[OPTS_LIST + 1][8];
    for (size_t i = 0; i <= OPTS_LIST; i++) {
        snprintf(name[i], sizeof name[i], "N%zu=x", i);
        assert_int_equal(opts_set(env, &s, name[i], &e), i < OPTS_LIST ? 0 : -1);
    }
    assert_string_equal(e.text, "at most 16 of them");
    assert_int_equal(s.env.count, OPTS_LIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_a_blank_or_an_equals_sign),
        cmocka_unit_test(flags_take_no_value_but_may_be_given_one),
        cmocka_unit_test(an_output_without_a_path_is_stdout),
        cmocka_unit_test(an_output_takes_the_next_word_when_it_is_named_like_its_files),
        cmocka_unit_test(the_stranger_is_the_word_that_is_refused),
        cmocka_unit_test(help_for_a_narrow_terminal_has_its_texts_below_the_options),
        cmocka_unit_test(help_tells_the_defaults_that_say_something),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(an_empty_text_means_none),
        cmocka_unit_test(the_sentence_names_option_value_and_cure),
        cmocka_unit_test(a_name_of_any_length_is_refused_in_one_sentence),
        cmocka_unit_test(what_is_printed_sets_the_same_value),
        cmocka_unit_test(weights_not_named_become_0),
        cmocka_unit_test(a_list_takes_several_and_the_last_of_each_name),
        cmocka_unit_test(a_walk_meets_the_options_in_their_order),
        cmocka_unit_test(help_names_every_option_within_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
