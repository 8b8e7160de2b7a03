/* SPDX-License-Identifier: Apache-2.0 */
/* soak/1 is read as it was written, and refused where it breaks its promise. */
#include "report/document.h"
#include "report/json_util.h"
#include "report/report.h"
#include "report_cases.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct result filled; /* large */

static const struct result *case_of(const char *name)
{
    filled = (struct result){0};
    report_case_find(name)->fill(&filled);
    return &filled;
}

static json_t *parsed(const struct result *r)
{
    char *text = document_write(r);
    assert_non_null(text);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static struct document *read_back(const struct result *r)
{
    struct err e = {{0}};
    json_t *root = parsed(r);
    struct document *d = document_read(root, &e);
    json_decref(root);
    if (!d)
        fail_msg("%s", e.text);
    return d;
}

static void assert_same_again(const struct result *r, const char *name)
{
    char *first = document_write(r);
    struct document *d = read_back(r);
    char *second = document_write(&d->result);
    if (strcmp(first, second) != 0)
        fail_msg("%s: another document", name);
    document_free(d);
    free(first);
    free(second);
}

static void every_case_is_the_same_to_the_byte_when_read_and_written_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        filled = (struct result){0};
        report_cases[i].fill(&filled);
        assert_same_again(&filled, report_cases[i].name);
    }
}

/* What no case of the reports has. */
static void rare_parts_are_the_same_too(void **state)
{
    (void)state;
    static const uint64_t closed[] = {0, 3000, 6000};
    static const double value[] = {1, NAN, 1.5e9 + 0.25};
    static const struct result_series series[] = {{"rss", "bytes", 3, closed, value},
                                                  {"threads", "threads", 0, closed, value}};
    static const struct symbol frames[] = {
        {.function = "SSL_new", .module = "libssl.so.3", .offset = 0x7fffffffffffffff},
        {.function = "f", .module = "soak-server", .file = "server/defect.c", .line = 41}};
    case_of("lost-state");
    filled.subject[0].series = series;
    filled.subject[0].series_count = 2;
    filled.subject[0].rest = (struct result_rest){
        .known = true, .anon_bytes = 1, .ledger_bytes = -2, .heap = true, .heap_active_bytes = 3};
    filled.crash = (struct result_crash){"server", 11, 2, frames};
    filled.run.seed = UINT64_MAX;
    filled.run.asked_per_s = 12.5;
    assert_same_again(&filled, "lost-state with more");
}

/* What a page is drawn from. */
static void what_charts_need_is_the_same_too(void **state)
{
    (void)state;
    static const struct judge_epoch epochs[] = {
        {.opened = 260, .closed = 250, .seconds = 0.25},
        {.opened = 500, .closed = 750, .measured = true, .all_closed = true},
        {.closed = 750, .seconds = NAN, .measured = true, .hold = true}};
    static const int64_t born[] = {0, 500, -1}, alive[] = {7, 1, 490, 0, 500, -1};
    static struct hist times;
    static const struct result_size_class sizes[] = {{16, 1, 2}, {4096, 7, 0}};
    case_of("lost-state");
    struct result_site site = filled.subject[0].site[0];
    site.births = 3;
    site.born = born;
    site.alive = alive;
    hist_add(&times, 17);
    for (uint64_t i = 0; i < 1000; i++)
        hist_add(&times, 20000000 + i * i * i);
    filled.run.times = &times;
    filled.run.max_ns = times.max;
    filled.subject[0].site = &site;
    filled.subject[0].sites = 1;
    filled.subject[0].epochs = 3;
    filled.subject[0].epoch = epochs;
    filled.subject[0].size_classes = 2;
    filled.subject[0].size_class = sizes;
    filled.again = "./soak run default --seed 1";
    filled.alone = "./soak --seed 1";
    filled.ended = "--for 2m";
    assert_same_again(&filled, "lost-state with what charts need");
    struct document *d = read_back(&filled);
    const struct result_subject *server = &d->result.subject[0];
    assert_int_equal(server->epochs, 3);
    assert_string_equal(d->result.alone, "./soak --seed 1");
    assert_true(server->epoch[2].hold && server->epoch[1].all_closed);
    assert_int_equal(server->site[0].born[1], 500);
    assert_int_equal(server->site[0].alive[result_alive(0, 1)], 1);
    assert_int_equal(server->site[0].alive[result_alive(1, 1)], 490);
    assert_int_equal(server->site[0].alive[result_alive(2, 2)], -1);
    assert_memory_equal(d->result.run.times, &times, sizeof times);
    assert_int_equal(server->size_class[1].size, 4096);
    document_free(d);
}

static char *text_of(const struct result *r, int columns)
{
    const struct report_style style = {.utf8 = true, .columns = columns};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    report_text(r, &style, false, out);
    fclose(out);
    return text;
}

static void a_pass_without_its_sensitivity_claims_none(void **state)
{
    (void)state;
    json_t *root = parsed(case_of("pass"));
    json_t *subject = json_array_get(json_object_get(root, "subjects"), 0);
    struct err e;
    json_object_set_new(json_object_get(subject, "sensitivity"), "one_in", json_null());
    struct document *d = document_read(root, &e);
    assert_non_null(d);
    char *text = text_of(&d->result, 80);
    assert_non_null(
        strstr(text, "  would have shown  unknown: this result has no figure for it\n"));
    assert_null(strstr(text, "% sure"));
    free(text);
    document_free(d);
    json_decref(root);
}

/* So that a report can be printed again, by `soak report`. Where the folder is shown to be is for
 * whoever reads it. */
static void what_was_read_reads_as_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        filled = (struct result){0};
        report_cases[i].fill(&filled);
        struct document *d = read_back(&filled);
        d->result.last_dir = filled.last_dir;
        d->result.shown_dir = filled.shown_dir;
        for (int columns = 40; columns <= 80; columns += 20) {
            char *first = text_of(&filled, columns), *second = text_of(&d->result, columns);
            if (strcmp(first, second) != 0)
                fail_msg("%s: another report:\n%s\n%s", report_cases[i].name, first, second);
            free(first);
            free(second);
        }
        document_free(d);
    }
}

static void what_was_read_says_what_was_written(void **state)
{
    (void)state;
    struct document *d = read_back(case_of("lost-state"));
    const struct result_subject *server = result_subject_find(&d->result, "server");
    assert_int_equal(d->result.verdict, VERDICT_LEAK);
    assert_non_null(server);
    assert_null(result_subject_find(&d->result, "nobody"));
    assert_int_equal(server->judgement.kind, KIND_SIDE);
    assert_int_equal(server->judgement.findings, server->sites);
    assert_string_equal(server->site[0].file, "server/defect.c");
    assert_int_equal(server->site[0].line, 41);
    assert_true(server->judgement.finding[0].per_conn_bytes == 32);
    document_free(d);
}

static void a_number_that_is_whole_is_an_integer_and_no_number_is_null(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *text;
    } cases[] = {{32, "32"}, {-3, "-3"}, {0.5, "0.5"}, {NAN, "null"}, {INFINITY, "null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = json_from_number(cases[i].value);
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        assert_string_equal(text, cases[i].text);
        free(text);
        json_decref(value);
    }
}

static void text_that_is_not_utf8_has_its_bytes_in_hexadecimal(void **state)
{
    (void)state;
    json_t *value = json_from_text("a\xff\xfe b");
    assert_string_equal(json_string_value(value), "a\\xff\\xfe b");
    json_decref(value);
    assert_true(json_is_null(json_from_text(NULL)));
}

/* Refuses the document with `value` at the path, of up to 4 keys or indices, from `root`. */
static void assert_refused(json_t *at, const char *key, json_t *value, json_t *root,
                           const char *sentence)
{
    struct err e = {{0}};
    json_t *was = json_incref(json_object_get(at, key));
    json_object_set_new(at, key, value);
    assert_null(document_read(root, &e));
    assert_string_equal(e.text, sentence);
    json_object_set_new(at, key, was);
}

/* The words of --fail-alloc's verdict aren't a run's: they are kept as they are written. */
static void a_torture_documents_verdict_is_kept(void **state)
{
    (void)state;
    json_t *root = json_pack("{s:s,s:s,s:s}", "schema", "soak-torture/1", "verdict", "FOUND",
                             "run_dir", "/tmp/runs/1");
    struct err e = {{0}};
    struct document *d = document_read(root, &e);
    assert_non_null(d);
    assert_true(d->torture);
    assert_string_equal(d->verdict, "FOUND");
    assert_string_equal(d->result.run_dir, "/tmp/runs/1");
    document_free(d);
    json_decref(root);
}

/* A run's folder and a function's name may be longer than a line. */
static void a_long_path_is_read(void **state)
{
    (void)state;
    char path[4000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    json_t *root = parsed(case_of("lost-state"));
    json_object_set_new(root, "run_dir", json_string(path));
    struct err e = {{0}};
    struct document *d = document_read(root, &e);
    assert_non_null(d);
    assert_string_equal(d->result.run_dir, path);
    document_free(d);
    json_decref(root);
}

static void a_broken_promise_is_refused_with_the_place(void **state)
{
    (void)state;
    json_t *root = parsed(case_of("lost-state"));
    json_t *server = json_array_get(json_object_get(root, "subjects"), 0);
    json_t *metric = json_array_get(json_object_get(server, "metrics"), 1);
    json_t *site = json_array_get(json_object_get(server, "sites"), 0);
    static const char none[] = "'verdict' is none of PASS, LEAK, INCONCLUSIVE and INVALID";
    assert_refused(root, "schema", json_string("soak/2"), root, "not the result of a run (soak/1)");
    assert_refused(root, "verdict", json_string("MAYBE"), root, none);
    assert_refused(root, "verdict", json_integer(7), root, "'verdict' is not a text");
    assert_refused(server, "verdict", json_null(), root, none);
    assert_refused(root, "run", json_null(), root, "'run' is missing");
    assert_refused(root, "subjects", json_object(), root, "'subjects' is not a list of at most 2");
    assert_refused(root, "subjects", json_pack("[i]", 1), root,
                   "'subjects' is not a list of objects");
    assert_refused(server, "name", json_null(), root, "'name' is missing");
    assert_refused(root, "mapped", json_pack("[{}]"), root, "mapped library 1: 'part' is missing");
    assert_refused(metric, "start", json_string("x"), root, "metric 2: 'start' is not a number");
    assert_refused(site, "line", json_integer(-1), root, "site 1: 'line' is less than 0");
    assert_refused(server, "sites_dropped", json_real(1e300), root,
                   "'sites_dropped' is more than can be counted");
    assert_refused(site, "line", json_integer((json_int_t)1 << 40), root,
                   "site 1: 'line' is out of range");
    for (size_t i = 0; i < 2; i++) { /* of the run, and of its subject */
        json_t *of = i ? server : root;
        json_t *sensitivity = json_object_get(of, "sensitivity"),
               *cost = json_object_get(of, "cost");
        assert_refused(of, "sensitivity", json_string("x"), root, "'sensitivity' is not an object");
        assert_refused(sensitivity, "one_in", json_string("x"), root,
                       "sensitivity: 'one_in' is not a number");
        assert_refused(of, "cost", json_integer(7), root, "'cost' is not an object");
        assert_refused(cost, "allocs_per_conn", json_true(), root,
                       "cost: 'allocs_per_conn' is not a number");
    }
    assert_refused(server, "series",
                   json_pack("[{s:s,s:[i],s:[]}]", "id", "rss", "closed", 1, "value"), root,
                   "series 1: 'closed' and 'value' differ in length");
    struct document *d = document_read(root, NULL);
    assert_non_null(d);
    document_free(d);
    json_decref(root);
}

static void a_broken_histogram_is_refused(void **state)
{
    (void)state;
    static struct hist times;
    case_of("lost-state");
    hist_add(&times, 20000000);
    filled.run.times = &times;
    json_t *root = parsed(&filled);
    json_t *handshakes = json_object_get(json_object_get(root, "run"), "handshake_ns");
    json_t *histogram = json_object_get(handshakes, "histogram");
    static const char none[] = "histogram: bucket 1 isn't one of a histogram";
    assert_refused(histogram, "upto", json_pack("[i]", 20000000), root, none);
    assert_refused(histogram, "upto", json_pack("[s]", "x"), root, none);
    assert_refused(histogram, "count", json_pack("[i]", -1), root, none);
    assert_refused(histogram, "count", json_pack("[i,i]", 1, 1), root,
                   "histogram: 'upto' and 'count' differ in length");
    assert_refused(handshakes, "histogram",
                   json_pack("{s:[i,i],s:[i,i]}", "upto", 63, 63, "count", 1, 1), root,
                   "histogram: bucket 2 isn't one of a histogram");
    assert_refused(handshakes, "histogram",
                   json_pack("{s:[i,i],s:[I,i]}", "upto", 1, 2, "count", (json_int_t)INT64_MAX, 1),
                   root, "histogram: bucket 2 isn't one of a histogram");
    json_decref(root);
}

static void a_triangle_that_is_none_is_refused(void **state)
{
    (void)state;
    json_t *root = parsed(case_of("lost-state"));
    json_t *server = json_array_get(json_object_get(root, "subjects"), 0);
    json_t *site = json_array_get(json_object_get(server, "sites"), 0);
    json_object_set_new(site, "born", json_pack("[i,i]", 1, 2));
    assert_refused(site, "alive", json_pack("[[i]]", 1), root,
                   "site 1: 'alive' hasn't as many checkpoints as 'born' has epochs");
    assert_refused(site, "alive", json_pack("[[i],[i]]", 1, 2), root,
                   "site 1: 'alive' hasn't 2 counts at checkpoint 1");
    assert_refused(site, "alive", json_pack("[[i],[i,s]]", 1, 2, "x"), root,
                   "site 1: 'alive' is not a list of counts");
    assert_refused(site, "alive", json_pack("[[i],[i,I]]", 1, 2, (json_int_t)INT64_MAX), root,
                   "site 1: 'alive' is not a list of counts");
    json_decref(root);
}

static void words_and_keys_of_a_later_version_are_passed_over(void **state)
{
    (void)state;
    json_t *root = parsed(case_of("lost-state"));
    json_t *server = json_array_get(json_object_get(root, "subjects"), 0);
    json_object_set_new(server, "kind", json_string("a-kind-to-come"));
    json_object_set_new(server, "to_come", json_true());
    struct document *d = document_read(root, NULL);
    assert_non_null(d);
    assert_int_equal(d->result.subject[0].judgement.kind, KIND_NONE);
    document_free(d);
    json_decref(root);
}

/* JSON escapes those below a blank by itself. */
static void a_document_has_each_control_character_escaped(void **state)
{
    (void)state;
    const char *text = "\x1b\x7f\xc2\x80\xc2\x9f\xc2\xa0\xc3\x9b\xe2\x80\x9c";
    char *written = json_document(json_pack("{s:s}", "text", text));
    assert_string_equal(written, "{\n  \"text\": \"\\u001B\\u007F\\u0080\\u009F"
                                 "\xc2\xa0\xc3\x9b\xe2\x80\x9c\"\n}\n");
    json_t *root = json_loads(written, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "text")), text);
    json_decref(root);
    free(written);
    assert_null(json_document(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_the_same_to_the_byte_when_read_and_written_again),
        cmocka_unit_test(rare_parts_are_the_same_too),
        cmocka_unit_test(what_was_read_says_what_was_written),
        cmocka_unit_test(a_pass_without_its_sensitivity_claims_none),
        cmocka_unit_test(a_number_that_is_whole_is_an_integer_and_no_number_is_null),
        cmocka_unit_test(text_that_is_not_utf8_has_its_bytes_in_hexadecimal),
        cmocka_unit_test(a_torture_documents_verdict_is_kept),
        cmocka_unit_test(what_charts_need_is_the_same_too),
        cmocka_unit_test(what_was_read_reads_as_what_was_written),
        cmocka_unit_test(a_long_path_is_read),
        cmocka_unit_test(a_broken_promise_is_refused_with_the_place),
        cmocka_unit_test(a_broken_histogram_is_refused),
        cmocka_unit_test(a_triangle_that_is_none_is_refused),
        cmocka_unit_test(words_and_keys_of_a_later_version_are_passed_over),
        cmocka_unit_test(a_document_has_each_control_character_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
