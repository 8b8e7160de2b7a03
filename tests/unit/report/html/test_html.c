/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a run: that nothing in it is taken for markup, that it is whole, small, and has no
 * chart of nothing. `test_html --pages FOLDER` writes the pages of all cases, and one of each that
 * has <script> in every text, for tests/cli/test_html.py.
 */
#include "report/html/chart.h"
#include "report/html/html.h"
#include "report/report.h"
#include "tests/unit/report/report_cases.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVIL "\"'><script>alert(1)</script><!--&\x01\xff"

enum { POINTS = 9, SIZES = 3, SAMPLES = 40 };

static struct result filled; /* large */
static struct result_site sites[2][JUDGE_FINDINGS];
static struct result_series series[2][3];
static struct result_census census[2] = {{"SSL", 30, 30}, {"SSL_SESSION", 30, 63}};
static const uint64_t closed[POINTS] = {250, 500, 1000, 4750, 12250, 27250, 27250, 60700, 61000};
static double values[2][3][POINTS];
static struct judge_epoch epochs[POINTS];
static int64_t alive[POINTS * (POINTS + 1) / 2];
static struct hist times;
static int64_t born[POINTS] = {0, 0, 250, 500, 1000, 0, 2000, 20, 0};
static const struct result_size_class sizes[SIZES] = {{16, 10, 10}, {32, 400, 4150}, {4096, 3, 2}};
static struct sample samples[SAMPLES];
static const struct html_live *under_way; /* NULL: the run has ended */

enum { HANDSHAKES = 5000 };

/* Between 20 and 60 ms, and one that took far longer. */
static void take_times(void)
{
    times = (struct hist){0};
    for (uint64_t i = 1; i < HANDSHAKES; i++)
        hist_add(&times, 20000000 + i * 8000);
    hist_add(&times, 3000000000);
}

/* What an epoch left is alive at all checkpoints after. */
static void take_course(void)
{
    for (size_t c = 0; c < POINTS; c++)
        for (size_t birth = 0; birth <= c; birth++)
            alive[result_alive(birth, c)] = born[birth];
}

enum { BASELINE = 2 };

/* What a checkpoint had of a figure whose start and end the case tells: a straight line between
 * them. */
static double value_at(const struct judge_metric *m, size_t point, double otherwise)
{
    double part = ((double)closed[point] - (double)closed[BASELINE]) /
                  (double)(closed[POINTS - 1] - closed[BASELINE]);
    return m ? m->start + (m->end - m->start) * part : otherwise;
}

static void add_values(const struct result_subject *subject, size_t s)
{
    const struct judgement *j = &subject->judgement;
    for (size_t i = 0; i < POINTS; i++) {
        values[s][0][i] = value_at(judgement_metric(j, METRIC_OPENSSL_BLOCKS), i, 4812);
        values[s][1][i] = value_at(judgement_metric(j, METRIC_HEAP_ALLOCATED), i, 1.5e6);
        values[s][2][i] = 1.2 * values[s][1][i];
    }
}

/* A second each: 30 connections stay open. */
static void take_samples(void)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        double jump = i % 5 == 3 ? 1e5 : 0;
        const double figure[SAMPLE_FIGURES] = {[SAMPLE_CLOSED] = 120.0 * (double)i,
                                               [SAMPLE_OPENED] = 120.0 * (double)i + 30,
                                               [SAMPLE_BLOCKS] = 4812,
                                               [SAMPLE_BYTES] = 1.5e6 + jump,
                                               [SAMPLE_ALLOCATED] = 6.4e6 + jump,
                                               [SAMPLE_RSS] = 19e6 + 1e3 * (double)i};
        samples[i].seconds = (double)i;
        memcpy(samples[i].figure[0], figure, sizeof figure);
        memcpy(samples[i].figure[1], figure, sizeof figure);
    }
}

/* Figures as a run leaves them, over a case of the reports. */
static void add_figures(struct result *r)
{
    static const char *const ids[] = {"openssl_blocks", "heap_allocated", "heap_active"};
    take_times();
    take_course();
    r->run.times = &times;
    for (size_t i = 0; i < POINTS; i++) {
        epochs[i] = (struct judge_epoch){.opened = 500,
                                         .closed = closed[i],
                                         .seconds = 1,
                                         .measured = i > 2,
                                         .hold = i == 6,
                                         .all_closed = i < 7};
    }
    for (size_t s = 0; s < r->subjects; s++) {
        struct result_subject *subject = &r->subject[s];
        add_values(subject, s);
        for (size_t i = 0; i < 3; i++)
            series[s][i] = (struct result_series){ids[i], i ? "bytes" : "blocks", POINTS, closed,
                                                  values[s][i]};
        for (size_t i = 0; i < subject->sites && i < JUDGE_FINDINGS; i++) {
            sites[s][i] = subject->site[i];
            sites[s][i].births = POINTS;
            sites[s][i].born = born;
            sites[s][i].alive = i < RESULT_COURSES ? alive : NULL;
        }
        subject->site = sites[s];
        subject->series = series[s];
        subject->series_count = 3;
        subject->epoch = epochs;
        subject->epochs = POINTS;
        subject->size_class = sizes;
        subject->size_classes = SIZES;
        subject->census = census;
        subject->census_count = 2;
    }
    take_samples();
}

/* Puts it into every text that a page may show. */
static void plant(struct result *r)
{
    static struct symbol frame = {
        .function = EVIL, .module = EVIL, .file = EVIL, .line = 1, .package = EVIL};
    static struct result_stack stack;
    r->scenario = r->version = r->time = r->host = r->kernel = r->missing = r->broken = EVIL;
    r->again = r->next[0] = r->next_note[0] = r->ended = EVIL;
    r->run_dir = r->shown_dir = r->last_dir = EVIL;
    r->first_failure = (struct result_failure){EVIL, EVIL, EVIL};
    r->crash = (struct result_crash){EVIL, 11, 1, &frame};
    r->lib[0] = (struct result_lib){EVIL, EVIL};
    r->mapped[0] = (struct result_mapped){EVIL, EVIL, EVIL, EVIL};
    r->skipped[0] = (struct result_skipped){EVIL, EVIL};
    r->libs = r->mapped_count = r->skipped_count = 1;
    stack =
        (struct result_stack){.file = EVIL, .blocks = 1, .bytes = 1, .frames = 1, .frame = &frame};
    for (size_t s = 0; s < r->subjects; s++) {
        struct result_subject *subject = &r->subject[s];
        subject->name = subject->class_name = EVIL;
        snprintf(subject->why, sizeof subject->why, EVIL);
        series[s][0].id = EVIL;
        for (size_t i = 0; i < subject->sites && i < JUDGE_FINDINGS; i++)
            sites[s][i].file = sites[s][i].why = sites[s][i].attribution = EVIL;
        subject->capture.stack = &stack;
        subject->capture.stacks = 1;
        for (size_t i = 0; i < subject->judgement.metrics; i++)
            subject->judgement.metric[i].note = EVIL;
    }
    census[0].class_ = EVIL;
}

/* The page as a heap string; `figures`: with what charts need. */
static char *page_of(const struct report_case *c, bool figures, bool evil)
{
    char *text = NULL;
    size_t size;
    census[0].class_ = "SSL";
    filled = (struct result){0};
    c->fill(&filled);
    if (figures)
        add_figures(&filled);
    if (evil)
        plant(&filled);
    struct err e;
    struct profile *p = html_stacks(&filled, &e);
    assert_non_null(p);
    const struct samples seen = {.sample = samples, .count = figures ? SAMPLES : 0};
    const struct html_run run = {
        .result = &filled, .samples = &seen, .stacks = p, .live = under_way};
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    html_run(&run, out);
    fclose(out);
    profile_free(p);
    return text;
}

/* The page of the same run while it lasts. */
static char *live_page_of(const struct report_case *c, bool evil)
{
    const struct html_fact fact[] = {{"so far", "too early to say"},
                                     {"phase", evil ? EVIL : "measuring"}};
    const struct html_live live = {evil ? EVIL : "measuring; 4,770 connections so far", fact, 2,
                                   evil ? EVIL : "results/runs/last/report.html"};
    under_way = &live;
    char *text = page_of(c, true, evil);
    under_way = NULL;
    return text;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
        count++;
    return count;
}

static void no_text_is_taken_for_markup(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        char *text = page_of(&report_cases[i], true, true);
        assert_int_equal(count_of(text, "<script"), 1);
        assert_int_equal(count_of(text, "<!--"), 0);
        assert_null(strchr(text, '\x01'));
        assert_null(strchr(text, '\xff'));
        assert_true(count_of(text, "&lt;script&gt;alert(1)") > 8);
        free(text);
    }
}

static void a_run_under_way_has_no_verdict_yet(void **state)
{
    (void)state;
    char *text = live_page_of(report_case_find("lost-state"), false);
    char *evil = live_page_of(report_case_find("lost-state"), true);
    assert_int_equal(count_of(text, "NOT YET</span> measuring; 4,770 connections so far</h1>"), 1);
    assert_null(strstr(text, "LEAK</span>"));
    assert_null(strstr(text, "href=\"result.json\""));
    assert_non_null(strstr(text, "connect-src 'self'"));
    assert_non_null(strstr(text, "id=\"growth-0\""));
    assert_int_equal(count_of(evil, "<script"), 2);
    free(text);
    free(evil);
}

static void a_page_is_small_and_the_same_each_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_CASES; i++) {
        char *text = page_of(&report_cases[i], true, false);
        char *again = page_of(&report_cases[i], true, false);
        assert_true(strlen(text) < 400000);
        assert_string_equal(text, again);
        free(text);
        free(again);
    }
}

static void what_a_run_does_not_have_is_left_out(void **state)
{
    (void)state;
    static const char *const parts[] = {"id=\"growth-0\"", "id=\"time\"",       "id=\"survivors\"",
                                        "id=\"sizes\"",    "id=\"handshakes\"", "class=\"ground\""};
    char *bare = page_of(report_case_find("lost-state"), false, false);
    char *full = page_of(report_case_find("lost-state"), true, false);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_null(strstr(bare, parts[i]));
        assert_non_null(strstr(full, parts[i]));
    }
    assert_null(strstr(bare, "class=\"chart\""));
    free(bare);
    free(full);
}

/* Stacks are taken until there are enough: the page tells how many of the survivors have one. */
static void the_flame_graph_says_of_how_many_survivors_it_has_the_stacks(void **state)
{
    (void)state;
    char *text = page_of(report_case_find("lost-state"), false, false);
    assert_non_null(
        strstr(text, "44,999 of the 60,009 blocks that outlived their connections. Width: "));
    free(text);
}

/* A document may be anybody's. */
static void a_series_may_lack_its_name_and_unit(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    filled = (struct result){0};
    report_cases[0].fill(&filled);
    add_figures(&filled);
    series[0][1].unit = NULL;
    series[0][2].id = NULL;
    const struct html_run run = {.result = &filled};
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    html_run(&run, out);
    fclose(out);
    assert_int_equal(count_of(text, "(null)"), count_of(text, "zoom(null)"));
    assert_int_equal(count_of(text, "id=\"growth-0\""), 1);
    free(text);
}

static void write_row(const struct report_case *c, bool evil, bool link, FILE *out)
{
    char headline[REPORT_HEADLINE], said[REPORT_HEADLINE + 32];
    filled = (struct result){0};
    c->fill(&filled);
    add_figures(&filled);
    report_headline(&filled, headline, sizeof headline);
    snprintf(said, sizeof said, "%s  %s", verdict_name(filled.verdict), headline);
    bool failed = filled.verdict != VERDICT_PASS;
    const struct html_scenario row = {.name = evil ? EVIL : c->name,
                                      .outcome = evil     ? EVIL
                                                 : failed ? "not as expected"
                                                          : "as expected",
                                      .said = evil ? EVIL : said,
                                      .link = link ? "20261122-023000-a/report.html" : NULL,
                                      .failed = failed,
                                      .unit = evil ? EVIL : "connection",
                                      .closed = 4000,
                                      .seconds = 9.5,
                                      .result = link ? &filled : NULL};
    html_suite_row(&row, out);
}

/* The page of a suite of all cases. */
static char *suite_page(bool evil)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const struct html_suite suite = {.word = "FAILED",
                                     .headline = evil ? EVIL : "most are not as expected",
                                     .badge = "leak",
                                     .host = evil ? EVIL : "host",
                                     .libs = evil ? EVIL : "openssl 3.0.19",
                                     .version = evil ? EVIL : "0.1.0"};
    assert_non_null(out);
    html_suite_begin(&suite, out);
    /* What didn't run has no page and no figures. */
    for (size_t i = 0; i < REPORT_CASES; i++)
        write_row(&report_cases[i], evil, i % 3 > 0, out);
    html_suite_end(out);
    fclose(out);
    return text;
}

static void a_suites_page_has_a_row_and_sparks_per_scenario(void **state)
{
    (void)state;
    char *text = suite_page(true);
    assert_int_equal(count_of(text, "<script"), 1);
    assert_int_equal(count_of(text, "<!--"), 0);
    free(text);
    text = suite_page(false);
    assert_int_equal(count_of(text, "<th scope=\"row\">"), REPORT_CASES);
    assert_int_equal(count_of(text, "class=\"spark\""),
                     (REPORT_CASES - (REPORT_CASES + 2) / 3) * 2);
    assert_int_equal(count_of(text, "<a href="), REPORT_CASES - (REPORT_CASES + 2) / 3);
    free(text);
}

static void a_suites_page_counts_what_its_runs_counted(void **state)
{
    (void)state;
    static const struct {
        const char *unit;
        uint64_t closed;
        const char *cell;
    } of[] = {{"connection", 4000, "<td class=\"n\" data-label=\"connections\">4,000</td>"},
              {"operation", 2000, "<td class=\"n\">2,000 operations</td>"},
              {"reload", 1, "<td class=\"n\">1 reload</td>"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        const struct html_scenario row = {.name = "a",
                                          .outcome = "as expected",
                                          .said = "",
                                          .unit = of[i].unit,
                                          .closed = of[i].closed};
        assert_non_null(out);
        html_suite_row(&row, out);
        fclose(out);
        assert_int_equal(count_of(text, of[i].cell), 1);
        free(text);
    }
}

static void the_verdict_stands_first(void **state)
{
    (void)state;
    char *text = page_of(report_case_find("lost-state"), true, false);
    const char *h1 = strstr(text, "<h1");
    assert_non_null(h1);
    assert_non_null(strstr(h1, ">LEAK</span> 32 B lost per connection at server/defect.c:41"));
    assert_true(h1 < strstr(text, "<h2"));
    free(text);
}

/* ---- charts ---- */

static void assert_axis(double least, double most, enum chart_unit unit,
                        const struct chart_axis *want)
{
    struct chart_axis a = chart_axis(least, most, 4, unit);
    assert_float_equal(a.from, want->from, 1e-9);
    assert_float_equal(a.to, want->to, 1e-9);
    assert_float_equal(a.step, want->step, 1e-9);
    assert_string_equal(a.name, want->name);
    assert_int_equal(a.decimals, want->decimals);
}

static void an_axis_has_round_ends_and_steps(void **state)
{
    (void)state;
    const double mib = 1024.0 * 1024;
    assert_axis(0, 100, CHART_COUNT, &(struct chart_axis){0, 100, 50, 1, "", 0});
    assert_axis(8370, 8390, CHART_COUNT, &(struct chart_axis){8370, 8390, 5, 1, "", 0});
    assert_axis(0, 58229, CHART_COUNT, &(struct chart_axis){0, 60000, 20000, 1, "", 0});
    assert_axis(9060, 10578, CHART_COUNT, &(struct chart_axis){9000, 11000, 500, 1, "", 0});
    assert_axis(0, 4e6, CHART_COUNT, &(struct chart_axis){0, 4e6, 1e6, 1e6, "millions", 0});
    assert_axis(1.5 * mib, 1.9 * mib, CHART_BYTES,
                &(struct chart_axis){1.5 * mib, 1.9 * mib, 0.1 * mib, mib, "MiB", 1});
    assert_axis(0, 0.17, CHART_PERCENT, &(struct chart_axis){0, 0.2, 0.05, 0.01, "%", 0});
    assert_axis(5, 5, CHART_COUNT, &(struct chart_axis){4, 6, 2, 1, "", 0});
}

static void a_histogram_has_few_bars_and_all_handshakes(void **state)
{
    (void)state;
    char *text = page_of(report_case_find("pass"), true, false);
    size_t bars = count_of(text, "<rect class=\"b\"");
    assert_in_range(bars, 8, 64);
    assert_non_null(strstr(text, ": 1 handshake, 0.02 %"));
    assert_non_null(strstr(text, "the slowest 3 s</p>"));
    assert_non_null(strstr(text, ">100.00 %<")); /* the last row of the table */
    free(text);
}

/* However narrow or wide. */
static void a_histogram_of_any_times_is_drawn(void **state)
{
    (void)state;
    static const uint64_t edges[][2] = {
        {0, 0}, {40000000, 40000000}, {1, UINT64_MAX}, {40000000, 41000000}, {999500, 999600}};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        char *text = NULL;
        size_t size;
        filled = (struct result){0};
        report_case_find("pass")->fill(&filled);
        times = (struct hist){0};
        hist_add(&times, edges[i][0]);
        hist_add(&times, edges[i][1]);
        filled.run.times = &times;
        const struct html_run run = {.result = &filled};
        FILE *out = open_memstream(&text, &size);
        html_run(&run, out);
        fclose(out);
        assert_int_equal(count_of(text, "<rect class=\"b\""),
                         hist_bucket(edges[i][0]) == hist_bucket(edges[i][1]) ? 1 : 2);
        assert_null(strstr(text, "=\"nan"));
        assert_null(strstr(text, "=\"inf"));
        assert_null(strstr(text, "=\"-nan"));
        assert_non_null(strstr(strstr(text, "class=\"chart\""), "class=\"tx\""));
        free(text);
    }
}

/* Buckets are twice as wide, as seen on the axis, at the begin of a power of two as at its end:
 * bars of times that are spread evenly over the axis are of one height. */
static void times_spread_evenly_make_even_bars(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    double x, y, width, height, least = INFINITY, most = 0;
    filled = (struct result){0};
    report_case_find("pass")->fill(&filled);
    times = (struct hist){0};
    for (unsigned i = hist_bucket(1 << 20); i < hist_bucket(1 << 26); i++) {
        times.bucket[i] =
            (uint64_t)(1e6 * log((double)(hist_top(i) + 1) / (double)(hist_top(i - 1) + 1)));
        times.count += times.bucket[i];
    }
    times.max = (1 << 26) - 1;
    filled.run.times = &times;
    const struct html_run run = {.result = &filled};
    FILE *out = open_memstream(&text, &size);
    html_run(&run, out);
    fclose(out);
    for (const char *p = text; (p = strstr(p, "<rect class=\"b\"")); p++) {
        assert_int_equal(sscanf(p,
                                "<rect class=\"b\" x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf",
                                &x, &y, &width, &height),
                         4);
        least = fmin(least, height);
        most = fmax(most, height);
    }
    assert_true(most > 50 && most - least < 1);
    assert_in_range(count_of(text, "<rect class=\"b\""), 32, 64);
    free(text);
}

/* Of nine epochs those that left something: one cell in the row of the last, seven in that of 2. */
static void a_leak_fills_its_triangle(void **state)
{
    (void)state;
    char *text = page_of(report_case_find("lost-state"), true, false);
    assert_int_equal(count_of(text, "<rect class=\"c h"), 7 + 6 + 5 + 3 + 2);
    assert_non_null(strstr(text, "<title>epoch 2 at 8: 250 of 500</title>"));
    free(text);
}

/* 64 epochs are drawn as 16, and no block is lost with it. */
static void many_epochs_share_their_cells(void **state)
{
    (void)state;
    enum { MANY = 64 };
    static int64_t many[MANY * (MANY + 1) / 2];
    static struct judge_epoch each[MANY];
    static struct result_site site;
    char *text = NULL;
    size_t size;
    filled = (struct result){0};
    report_case_find("lost-state")->fill(&filled);
    for (size_t i = 0; i < MANY; i++)
        each[i] = (struct judge_epoch){.opened = 10, .measured = true, .all_closed = true};
    for (size_t i = 0; i < result_alive_count(MANY); i++)
        many[i] = 10;
    site = filled.subject[0].site[0];
    site.births = filled.subject[0].epochs = MANY;
    site.born = many;
    site.alive = many;
    filled.subject[0].epoch = each;
    filled.subject[0].site = &site;
    const struct html_run run = {.result = &filled};
    FILE *out = open_memstream(&text, &size);
    html_run(&run, out);
    fclose(out);
    assert_int_equal(count_of(text, "<rect class=\"c h8\""), 16 * 17 / 2);
    assert_non_null(strstr(text, "<title>epochs 0 to 3 at 63: 40 of 40</title>"));
    free(text);
}

/* All that a document may have of sites and epochs. */
static void a_page_of_many_sites_and_epochs_is_small(void **state)
{
    (void)state;
    enum { MANY = 64 };
    static int64_t many[MANY * (MANY + 1) / 2];
    static struct judge_epoch each[MANY];
    char *text = NULL;
    size_t size;
    filled = (struct result){0};
    report_case_find("retained")->fill(&filled);
    add_figures(&filled);
    for (size_t i = 0; i < MANY; i++)
        each[i] = (struct judge_epoch){.opened = 100000, .measured = true, .all_closed = true};
    for (size_t i = 0; i < result_alive_count(MANY); i++)
        many[i] = 123456;
    for (size_t s = 0; s < filled.subjects; s++) {
        for (size_t i = 0; i < JUDGE_FINDINGS; i++) {
            sites[s][i] = sites[0][0];
            sites[s][i].file = "providers/implementations/ciphers/cipher_aes_gcm.c";
            sites[s][i].births = MANY;
            sites[s][i].born = many;
            sites[s][i].alive = i < RESULT_COURSES ? many : NULL;
        }
        filled.subject[s].sites = JUDGE_FINDINGS;
        filled.subject[s].epoch = each;
        filled.subject[s].epochs = MANY;
    }
    const struct html_run run = {.result = &filled};
    FILE *out = open_memstream(&text, &size);
    html_run(&run, out);
    fclose(out);
    assert_int_equal(count_of(text, "class=\"ground\""), 8);
    assert_in_range(size, 100000, 350000);
    free(text);
}

static char *chart_of(const double *x, const double *y, size_t count, bool want)
{
    char *text = NULL;
    size_t size;
    const struct chart c = {.title = EVIL,
                            .text = EVIL,
                            .x_title = EVIL,
                            .line = {.count = count, .x = x, .y = y},
                            .shaded_to = NAN};
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(chart_write(&c, out), want);
    fclose(out);
    return text;
}

static void a_chart_of_fewer_than_two_points_is_none(void **state)
{
    (void)state;
    static const double x[] = {0, 10, 20}, same[] = {7, 7, 7}, y[] = {1, NAN, 3},
                        one[] = {NAN, 1, NAN};
    for (int i = 0; i < 3; i++) {
        char *text = i == 0   ? chart_of(x, y, 1, false)
                     : i == 1 ? chart_of(same, y, 3, false)
                              : chart_of(x, one, 3, false);
        assert_string_equal(text, "");
        free(text);
    }
}

static void a_chart_has_no_figure_that_is_none(void **state)
{
    (void)state;
    static const double x[] = {0, 10, 20}, y[] = {1, NAN, 3};
    char *text = chart_of(x, y, 3, true);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "<script"));
    assert_int_equal(count_of(text, "<circle"), 2);
    free(text);
}

static void a_long_line_is_thinned_and_keeps_its_end(void **state)
{
    (void)state;
    static double x[100000], y[100000];
    for (size_t i = 0; i < 100000; i++)
        x[i] = y[i] = (double)i;
    char *text = chart_of(x, y, 100000, true);
    assert_in_range(count_of(text, "<circle"), 2, CHART_POINTS + 1);
    assert_non_null(strstr(text, "99,999: 99,999"));
    free(text);
}

static void a_long_line_keeps_a_single_spike(void **state)
{
    (void)state;
    static double x[100000], y[100000];
    for (size_t i = 0; i < 100000; i++) {
        x[i] = (double)i;
        y[i] = i == 31234 ? 500 : i == 61234 ? -3 : 7 + (double)(i % 3);
    }
    char *text = chart_of(x, y, 100000, true);
    assert_non_null(strstr(text, "31,234: 500"));
    assert_non_null(strstr(text, "61,234: -3"));
    free(text);
}

/* What is added one by one, and read from a file, is kept alike. */
static void the_samples_of_a_long_run_are_few_and_reach_back_to_its_start(void **state)
{
    (void)state;
    struct samples s = {.count = 0};
    enum { SECONDS = 5 * SAMPLES_MOST, SPIKE = 777 };
    for (int i = 0; i < SECONDS; i++) {
        json_t *line = json_pack("{s:s,s:f,s:{s:{s:i}}}", "kind", "tick", "seconds", (double)i,
                                 "server", "process", "rss", i == SPIKE ? 9000 : i * 7919 % 97);
        samples_add(&s, line);
        json_decref(line);
    }
    assert_in_range(s.count, SAMPLES_MOST / 8, SAMPLES_MOST);
    bool spike = false;
    for (size_t i = 0; i < s.count; i++)
        spike |= s.sample[i].seconds == SPIKE && s.sample[i].figure[0][SAMPLE_RSS] == 9000;
    assert_true(spike);
    assert_true(s.sample[0].seconds < 100);
    assert_true(s.sample[s.count - 1].seconds == SECONDS - 1);
    samples_free(&s);
}

/* Where the highest point is drawn, in pixels from the plot's top. */
static double top_of_points(size_t marks)
{
    static const double x[] = {1, 2, 3}, y[] = {690, 691, 691};
    static const struct chart_mark mark[] = {{1.5, "+1"}, {1.6, "+2"}, {2.5, "+3"}};
    char *text = NULL;
    size_t size;
    double top = INFINITY;
    const struct chart c = {
        .title = "t",
        .text = "t",
        .x_title = "runs",
        .y_unit = CHART_NUMBER,
        .line = {.count = 3, .x = x, .y = y, .mark = mark, .marks = marks, .low = 690, .high = 691},
        .shaded_to = NAN};
    FILE *out = open_memstream(&text, &size);
    assert_true(chart_write(&c, out));
    fclose(out);
    for (const char *at = text; (at = strstr(at, " cy=\"")); at++)
        top = fmin(top, strtod(at + 5, NULL));
    free(text);
    return top;
}

static void a_marks_text_stands_above_the_points(void **state)
{
    (void)state;
    assert_true(top_of_points(0) == 0);
    for (size_t marks = 1; marks <= 3; marks++)
        assert_true(top_of_points(marks) >= 14.0 * (double)marks);
}

/* ---- pages for other tests ---- */

/* Frees the text. */
static int write_page(const char *folder, const char *name, const char *kind, char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s-%s.html", folder, name, kind);
    FILE *out = fopen(path, "w");
    if (out) {
        fputs(text, out);
        fclose(out);
    }
    free(text);
    return out ? 0 : 1;
}

static int write_pages(const char *folder)
{
    static const char *const kinds[] = {"bare", "full", "evil"};
    int failed = write_page(folder, "suite", "full", suite_page(false)) |
                 write_page(folder, "suite", "evil", suite_page(true));
    failed |= write_page(folder, "live", "full", live_page_of(&report_cases[0], false)) |
              write_page(folder, "live", "evil", live_page_of(&report_cases[0], true));
    for (size_t i = 0; i < REPORT_CASES * 3; i++) {
        const struct report_case *c = &report_cases[i / 3];
        failed |= write_page(folder, c->name, kinds[i % 3], page_of(c, i % 3 > 0, i % 3 == 2));
    }
    return failed;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_is_taken_for_markup),
        cmocka_unit_test(a_run_under_way_has_no_verdict_yet),
        cmocka_unit_test(a_page_is_small_and_the_same_each_time),
        cmocka_unit_test(what_a_run_does_not_have_is_left_out),
        cmocka_unit_test(the_flame_graph_says_of_how_many_survivors_it_has_the_stacks),
        cmocka_unit_test(a_series_may_lack_its_name_and_unit),
        cmocka_unit_test(a_suites_page_has_a_row_and_sparks_per_scenario),
        cmocka_unit_test(a_suites_page_counts_what_its_runs_counted),
        cmocka_unit_test(the_verdict_stands_first),
        cmocka_unit_test(an_axis_has_round_ends_and_steps),
        cmocka_unit_test(a_histogram_has_few_bars_and_all_handshakes),
        cmocka_unit_test(a_histogram_of_any_times_is_drawn),
        cmocka_unit_test(times_spread_evenly_make_even_bars),
        cmocka_unit_test(a_leak_fills_its_triangle),
        cmocka_unit_test(many_epochs_share_their_cells),
        cmocka_unit_test(a_page_of_many_sites_and_epochs_is_small),
        cmocka_unit_test(a_chart_of_fewer_than_two_points_is_none),
        cmocka_unit_test(a_chart_has_no_figure_that_is_none),
        cmocka_unit_test(a_long_line_is_thinned_and_keeps_its_end),
        cmocka_unit_test(a_long_line_keeps_a_single_spike),
        cmocka_unit_test(the_samples_of_a_long_run_are_few_and_reach_back_to_its_start),
        cmocka_unit_test(a_marks_text_stands_above_the_points),
    };
    if (argc == 3 && strcmp(argv[1], "--pages") == 0)
        return write_pages(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
