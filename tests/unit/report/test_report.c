/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reports against texts that a person has read and approved: tests/unit/report/golden/CASE.txt.
 * After a deliberate change, `GOLDEN_WRITE=1 build/bin/test_report` writes them anew, to be read as
 * a diff. `test_report --documents FOLDER` writes the soak/1 document of every case, for
 * test_schema.py.
 */
#include "report/document.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/screen.h"
#include "report_cases.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static const struct report_style wide = {.utf8 = true, .columns = 80};

static void fill(const char *name, struct result *r)
{
    const struct report_case *found = report_case_find(name);
    assert_non_null(found);
    *r = (struct result){0};
    found->fill(r);
}

/* The report as a heap string. */
static char *text_of(const struct result *r, const struct report_style *style, bool quiet)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    report_text(r, style, quiet, out);
    fclose(out);
    return text;
}

static char *read_file(const char *path)
{
    char *text = calloc(1, 16384);
    FILE *in = fopen(path, "r");
    if (in) {
        text[fread(text, 1, 16383, in)] = '\0';
        fclose(in);
    }
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void expect_golden(const char *name, const char *golden, const struct report_style *style)
{
    static struct result r;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", GOLDEN_DIR, golden);
    fill(name, &r);
    char *text = text_of(&r, style, false);
    if (getenv("GOLDEN_WRITE"))
        write_file(path, text);
    char *expected = read_file(path);
    assert_string_equal(text, expected);
    free(expected);
    free(text);
}

static void every_case_reads_as_approved(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++)
        expect_golden(report_cases[i].name, report_cases[i].name, &wide);
}

/* At the widths that people have, in the forms that they see most. */
static void each_width_keeps_what_matters(void **state)
{
    (void)state;
    static const char *const names[] = {"pass", "lost-state", "inconclusive", "invalid", "broken"};
    static const int columns[] = {40, 60, 100};
    char golden[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
            snprintf(golden, sizeof golden, "%s-%d", names[i], columns[k]);
            expect_golden(names[i], golden,
                          &(struct report_style){.utf8 = true, .columns = columns[k]});
        }
    expect_golden("retained", "retained-40-ascii", &(struct report_style){.columns = 40});
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void an_ordinary_verdict_has_at_most_25_lines(void **state)
{
    (void)state;
    static struct result r;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        fill(report_cases[i].name, &r);
        char *text = text_of(&r, &wide, false);
        if (lines_of(text) > 25 && !r.footprint) /* which is asked for, and has four of its own */
            fail_msg("%s has %zu lines:\n%s", report_cases[i].name, lines_of(text), text);
        free(text);
    }
}

/* A word of a command isn't broken, however long it is. */
static bool is_word_to_type(const struct result *r, const char *line, size_t length)
{
    char word[256];
    size_t end = length > 2 && strncmp(line + length - 2, " \\", 2) == 0 ? length - 2 : length;
    size_t begin = end;
    while (begin > 0 && line[begin - 1] != ' ')
        begin--;
    snprintf(word, sizeof word, "%.*s", (int)(end - begin), line + begin);
    for (size_t i = 0; i < sizeof r->next / sizeof *r->next && r->next[i]; i++)
        if (strstr(r->next[i], word))
            return true;
    return strstr(word, "/survivors.");
}

static size_t widest_line(const struct result *r, const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t length = strcspn(text, "\n"), width = 0;
        for (size_t i = 0; i < length; i++)
            width += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (width > widest && !is_word_to_type(r, text, length))
            widest = width;
        text += length + (text[length] == '\n');
    }
    return widest;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static struct result r;
    for (size_t i = 0; i < REPORT_CASES; i++)
        for (int columns = 40; columns <= 120; columns++) {
            fill(report_cases[i].name, &r);
            char *text =
                text_of(&r, &(struct report_style){.utf8 = true, .columns = columns}, false);
            if (widest_line(&r, text) > (size_t)columns)
                fail_msg("%s at %d columns:\n%s", report_cases[i].name, columns, text);
            free(text);
        }
}

/* What a shell makes of `command` at this width: its words, as <one><two>. */
static char *pasted(const char *command, int columns)
{
    char *shown = NULL, *script = NULL, *words = calloc(1, 4096);
    size_t size;
    FILE *out = open_memstream(&shown, &size);
    struct screen s = screen_of(out, &(struct report_style){.utf8 = true, .columns = columns});
    screen_command(&s, "again", 12, command, "");
    fclose(out);
    assert_true(asprintf(&script, "set -- %s\nprintf '<%%s>' \"$@\"", shown + 12) > 0);
    FILE *shell = popen(script, "r");
    assert_non_null(shell);
    assert_true(fread(words, 1, 4095, shell) > 0);
    assert_int_equal(pclose(shell), 0);
    free(shown);
    free(script);
    return words;
}

static void a_command_can_be_pasted_at_any_width(void **state)
{
    (void)state;
    static const char command[] =
        "./soak --server 'nginx -p {work} -c  '\\''{here}/nginx.conf'\\'' -g \"daemon off;\"' "
        "--connect 127.0.0.1:8443 --mix clean=5,reset --malloc-hooks --seed 7f3a";
    for (int columns = 40; columns <= 240; columns++) {
        char *words = pasted(command, columns);
        assert_string_equal(words,
                            "<./soak><--server><nginx -p {work} -c  '{here}/nginx.conf' -g "
                            "\"daemon off;\"><--connect><127.0.0.1:8443><--mix><clean=5,reset>"
                            "<--malloc-hooks><--seed><7f3a>");
        free(words);
    }
}

static void a_command_ends_its_lines_between_words_and_its_note_stands_outside(void **state)
{
    (void)state;
    char *shown = NULL;
    size_t size;
    FILE *out = open_memstream(&shown, &size);
    struct screen s = screen_of(out, &(struct report_style){.utf8 = true, .columns = 50});
    screen_command(&s, "again", 12, "./soak --server 'a b' --closed 20k --until-sure --for 2m",
                   "about 2m");
    screen_command(&s, "", 12, "./soak", "about 2m");
    fclose(out);
    assert_string_equal(shown, "  again     ./soak --server 'a b' --closed 20k \\\n"
                               "            --until-sure --for 2m   about 2m\n"
                               "            ./soak   about 2m\n");
    free(shown);
}

/* What is all that malloc gave takes more blocks to be called a leak. */
static void a_pass_says_what_it_is_worth_where_no_line_is_known(void **state)
{
    (void)state;
    static struct result r;
    fill("pass", &r);
    r.subject[0].judgement.sensitivity.malloc_one_in = 213.9;
    char *text = text_of(&r, &wide, false);
    assert_non_null(strstr(text, "where no line is known: one in 210; a rarer one is in doubt\n"));
    free(text);
    r.subject[0].judgement.sensitivity.malloc_one_in = 0.99;
    text = text_of(&r, &wide, false);
    assert_non_null(strstr(text, "where no line is known: nothing for sure; a loss is in doubt\n"));
    free(text);
    r.subject[0].judgement.sensitivity.malloc_one_in = NAN; /* of a document before there was one */
    text = text_of(&r, &wide, false);
    assert_null(strstr(text, "no line is known"));
    free(text);
}

static void ascii_means_ascii(void **state)
{
    (void)state;
    static struct result r;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        fill(report_cases[i].name, &r);
        char *text = text_of(&r, &(struct report_style){.columns = 80}, false);
        for (const char *p = text; *p; p++)
            assert_true((unsigned char)*p < 0x80);
        free(text);
    }
}

/* Removes the escape sequences that screen_ink writes. */
static void strip_colour(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            *to++ = *p;
    }
    *to = '\0';
}

static void colour_adds_nothing_but_colour(void **state)
{
    (void)state;
    static struct result r;
    struct report_style coloured = wide;
    coloured.colour = true;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        fill(report_cases[i].name, &r);
        char *plain = text_of(&r, &wide, false), *text = text_of(&r, &coloured, false);
        assert_non_null(strchr(text, '\033'));
        strip_colour(text);
        assert_string_equal(text, plain);
        free(text);
        free(plain);
    }
}

static void quiet_prints_the_verdict_alone(void **state)
{
    (void)state;
    static struct result r;
    fill("lost-state", &r);
    char *text = text_of(&r, &wide, true);
    assert_string_equal(
        text, "LEAK  32 B lost per connection at server/defect.c:41, in defect_state_new\n");
    free(text);
    char *line = text_of(&r, &(struct report_style){.utf8 = true, .columns = 40}, true);
    assert_string_equal(
        line, "LEAK  32 B lost per connection at server/defect.c:41, in defect_state_new\n");
    free(line);
}

static void the_lines_of_the_survivors_can_be_pasted(void **state)
{
    (void)state;
    static struct result r;
    fill("lost-state", &r);
    r.last_dir = "my results/it's/last";
    char *text = text_of(&r, &wide, false);
    assert_non_null(strstr(text, "-http=: 'my results/it'\\''s/last/survivors.pb.gz'\n"));
    free(text);
    for (int columns = 40; columns <= 120; columns++) {
        text = text_of(&r, &(struct report_style){.utf8 = true, .columns = columns}, false);
        assert_non_null(strstr(text, "  picture  'my results/it'\\''s/last/survivors.svg'\n"));
        assert_non_null(strstr(text, " 'my results/it'\\''s/last/survivors.pb.gz'\n"));
        free(text);
    }
}

static void a_file_name_cannot_steer_the_terminal(void **state)
{
    (void)state;
    static struct result r;
    struct result_site site = {.file = "a\033[2Jb\xff.c",
                               .line = 1,
                               .why = "\n",
                               .verdict = VERDICT_LEAK,
                               .per_conn_bytes = 1,
                               .kind = KIND_SIDE};
    fill("lost-state", &r);
    r.subject[0].site = &site;
    char *text = text_of(&r, &wide, false);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "a?[2Jb?.c:1"));
    free(text);
    char *document = document_write(&r);
    assert_non_null(document);
    assert_non_null(strstr(document, "\\\\xff.c"));
    free(document);
}

static void a_leak_of_sessions_may_be_a_cache_of_a_program_that_is_not_soak_s(void **state)
{
    (void)state;
    static struct result r;
    fill("lost-state", &r);
    struct result_site site = r.subject[0].site[0];
    const struct result_process process = {
        .name = "nginx", .libcrypto = "libcrypto.so.3", .mode = "set_mem_functions", .flags = ""};
    r.subject[0].site = &site;
    r.subject[0].process = &process;
    for (int i = 0; i < 8; i++) {
        site.file = i & 1 ? "ssl/ssl_sess.c" : "ssl/ssl_lib.c";
        r.subject[0].class_name = i & 2 ? "SSL_SESSION" : NULL;
        r.subject[0].processes = i & 4 ? 1 : 0;
        char *text = text_of(&r, &wide, false);
        assert_int_equal(strstr(text, "\n  unless   a session cache is filling: ") != NULL, i > 4);
        free(text);
    }
}

static void a_leak_that_saw_no_drain_may_be_a_deferred_free(void **state)
{
    (void)state;
    static struct result r;
    fill("lost-state", &r);
    for (int i = 0; i < 4; i++) {
        r.interrupted = i & 1;
        r.subject[0].rest.known = i & 2;
        char *text = text_of(&r, &wide, false);
        assert_int_equal(strstr(text, "\n  unless   its free is only deferred: ") != NULL, i == 1);
        free(text);
    }
}

static void kinds_without_blocks_are_said_in_their_own_words(void **state)
{
    (void)state;
    static struct result r;
    const struct {
        enum kind kind;
        const char *words;
    } cases[] = {
        {KIND_DESCRIPTORS, "1 open file lost per connection"},
        {KIND_TIME, "memory grows with time, connections or not, at server/defect.c:41"},
        {KIND_FRAGMENTATION, "no block is lost, yet the heap grows by 32 B per connection"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill("lost-state", &r);
        r.subject[0].judgement.kind = cases[i].kind;
        r.subject[0].judgement.per_conn_blocks = 0;
        r.subject[0].judgement.metric[2].per_conn = 1;
        char *text = text_of(&r, &(struct report_style){.utf8 = true, .columns = 200}, true);
        assert_non_null(strstr(text, cases[i].words));
        free(text);
    }
}

static void a_figure_that_is_told_net_of_another_says_so(void **state)
{
    (void)state;
    static struct result r;
    fill("pass", &r);
    struct judge_metric *m = judgement_metric(&r.subject[0].judgement, METRIC_HEAP_ALLOCATED);
    assert_non_null(m);
    assert_int_equal(m->state, METRIC_LEVEL);
    m->note = "net of counted blocks";
    char *text = text_of(&r, &(struct report_style){.utf8 = true, .columns = 90}, false);
    assert_non_null(strstr(text, "±0.02 B   4.4 B  level, net of counted blocks\n"));
    free(text);
}

static void many_notes_are_cut_and_replacements_are_none(void **state)
{
    (void)state;
    static struct result r;
    struct result_site site[7];
    fill("pass", &r);
    for (size_t i = 0; i < 7; i++) {
        site[i] = r.subject[0].site[0];
        site[i].kind = (enum kind)(KIND_NONE + i);
    }
    r.subject[0].site = site;
    r.subject[0].sites = 7;
    char *text = text_of(&r, &wide, false);
    assert_non_null(strstr(text, "\n  noted             "));
    assert_non_null(strstr(text, "and 2 more: result.json has them"));
    free(text);
}

static void what_is_undecided_beside_a_leak_takes_no_row_of_where(void **state)
{
    (void)state;
    static struct result r;
    fill("lost-state", &r);
    struct result_site site[2] = {r.subject[0].site[0], r.subject[0].site[0]};
    site[1].kind = KIND_TABLE;
    site[1].verdict = VERDICT_INCONCLUSIVE;
    site[1].line++;
    r.subject[0].site = site;
    r.subject[0].sites = 2;
    r.subject[0].judgement.findings = r.subject[0].judgement.findings_total = 2;
    char *text = text_of(&r, &wide, false);
    assert_non_null(
        strstr(text, "\n  where    defect_state_new  server/defect.c:41  allocates it\n"));
    assert_null(strstr(text, "\n  stack "));
    assert_non_null(strstr(text, "\n  noted    undecided, "));
    free(text);
    r.subject[0].judgement.findings_total = 3; /* one that isn't here may be a leak, too */
    text = text_of(&r, &wide, false);
    assert_non_null(strstr(text, "\n  stack    defect_state_new "));
    free(text);
}

static void notes_of_one_kind_are_one(void **state)
{
    (void)state;
    static struct result r;
    struct result_site site[6];
    fill("pass", &r);
    for (size_t i = 0; i < 6; i++) {
        site[i] = r.subject[0].site[0];
        site[i].file = "a.c";
        site[i].line = (uint32_t)i + 1;
        site[i].kind = KIND_ONE_TIME;
        site[i].why = i ? "came" : "stayed";
    }
    r.subject[0].site = site;
    r.subject[0].sites = 6;
    char *text = text_of(&r, &wide, false);
    assert_non_null(
        strstr(text, "noted             one-time allocation, a.c:1, a.c:2, a.c:3, a.c:4, 2 more\n"
                     "                    (server): the first: stayed\n"));
    assert_null(strstr(text, "came"));
    free(text);
}

static void figures_keep_their_digits(void **state)
{
    (void)state;
    char buf[FIGURE_SIZE];
    assert_string_equal(figure_bytes(buf, sizeof buf, 55800.124), "+55,800.12 B");
    assert_string_equal(figure_bytes(buf, sizeof buf, -0.5), "-0.50 B");
    assert_string_equal(figure_bytes(buf, sizeof buf, 999.999), "+1,000.00 B");
    assert_string_equal(figure_count(buf, sizeof buf, 1), "+1.0000");
    assert_string_equal(figure_count(buf, sizeof buf, 0.001), "+0.0010");
    assert_string_equal(figure_count(buf, sizeof buf, 0.00001), "+0.000010");
    assert_string_equal(figure_place(buf, sizeof buf, "libuv", 0), "libuv");
    assert_string_equal(figure_level(buf, sizeof buf, NAN, "bytes"), "-");
    assert_string_equal(figure_growth(buf, sizeof buf, 28.8451, 0.02, true), "+28.85 ±0.02 B");
    assert_string_equal(figure_growth(buf, sizeof buf, 28.8451, 2e-15, true), "+28.85 B");
}

static void a_sensitivity_is_never_rounded_up(void **state)
{
    (void)state;
    char buf[FIGURE_SIZE];
    assert_string_equal(figure_one_in(buf, sizeof buf, 8799.9), "8,700");
    assert_string_equal(figure_one_in(buf, sizeof buf, 1000), "1,000");
    assert_string_equal(figure_one_in(buf, sizeof buf, 99.9), "99");
    assert_string_equal(figure_one_in(buf, sizeof buf, 123456), "120,000");
}

static json_t *document_of(const char *name)
{
    static struct result r;
    fill(name, &r);
    char *text = document_write(&r);
    assert_non_null(text);
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void the_document_says_what_the_text_says(void **state)
{
    (void)state;
    json_t *root = document_of("lost-state");
    const char *verdict, *file, *kind;
    int line, exit_code;
    double blocks, bytes;
    assert_int_equal(json_unpack(root, "{s:s,s:i,s:[{s:s,s:[{s:s,s:i,s:F,s:F}]},o]}", "verdict",
                                 &verdict, "exit", &exit_code, "subjects", "kind", &kind, "sites",
                                 "file", &file, "line", &line, "per_conn_blocks", &blocks,
                                 "per_conn_bytes", &bytes, &(json_t *){NULL}),
                     0);
    assert_string_equal(verdict, "LEAK");
    assert_string_equal(kind, "side-allocation-lost");
    assert_string_equal(file, "server/defect.c");
    assert_int_equal(line, 41);
    assert_int_equal(exit_code, 1);
    assert_true(blocks == 1.0);
    assert_true(bytes == 32.0);
    json_decref(root);
}

static void what_is_not_finite_becomes_null(void **state)
{
    (void)state;
    json_t *root = document_of("broken");
    assert_true(json_is_null(json_object_get(json_object_get(root, "cost"), "allocs_per_conn")));
    json_decref(root);
    root = document_of("inconclusive");
    json_t *subject = json_array_get(json_object_get(root, "subjects"), 0);
    json_t *rss = json_array_get(json_object_get(subject, "metrics"), 4);
    assert_true(json_is_null(json_object_get(rss, "half_width")));
    json_decref(root);
}

static int write_documents(const char *folder)
{
    for (size_t i = 0; i < REPORT_CASES; i++) {
        static struct result r;
        char path[512];
        r = (struct result){0};
        report_cases[i].fill(&r);
        char *text = document_write(&r);
        snprintf(path, sizeof path, "%s/%s.json", folder, report_cases[i].name);
        FILE *out = fopen(path, "w");
        if (!out || !text)
            return 1;
        fputs(text, out);
        fclose(out);
        free(text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_reads_as_approved),
        cmocka_unit_test(each_width_keeps_what_matters),
        cmocka_unit_test(an_ordinary_verdict_has_at_most_25_lines),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(a_command_can_be_pasted_at_any_width),
        cmocka_unit_test(a_command_ends_its_lines_between_words_and_its_note_stands_outside),
        cmocka_unit_test(a_pass_says_what_it_is_worth_where_no_line_is_known),
        cmocka_unit_test(ascii_means_ascii),
        cmocka_unit_test(colour_adds_nothing_but_colour),
        cmocka_unit_test(quiet_prints_the_verdict_alone),
        cmocka_unit_test(the_lines_of_the_survivors_can_be_pasted),
        cmocka_unit_test(a_file_name_cannot_steer_the_terminal),
        cmocka_unit_test(a_leak_that_saw_no_drain_may_be_a_deferred_free),
        cmocka_unit_test(a_leak_of_sessions_may_be_a_cache_of_a_program_that_is_not_soak_s),
        cmocka_unit_test(kinds_without_blocks_are_said_in_their_own_words),
        cmocka_unit_test(a_figure_that_is_told_net_of_another_says_so),
        cmocka_unit_test(many_notes_are_cut_and_replacements_are_none),
        cmocka_unit_test(what_is_undecided_beside_a_leak_takes_no_row_of_where),
        cmocka_unit_test(notes_of_one_kind_are_one),
        cmocka_unit_test(figures_keep_their_digits),
        cmocka_unit_test(a_sensitivity_is_never_rounded_up),
        cmocka_unit_test(the_document_says_what_the_text_says),
        cmocka_unit_test(what_is_not_finite_becomes_null),
    };
    if (argc == 3 && strcmp(argv[1], "--documents") == 0)
        return write_documents(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
