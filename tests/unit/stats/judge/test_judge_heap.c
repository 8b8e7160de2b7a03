/* SPDX-License-Identifier: Apache-2.0 */
/* Memory outside OpenSSL, by figures written by hand: each bound from both sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_sim.h"
#include "stats/judge/judge_ledger_share.h"
#include "stats/trend.h"

enum { KIB = 1024, MIB = 1024 * 1024, POINTS = 20 };

struct told {
    bool found;
    struct judge_finding f;
    struct judge_sensitivity seen;
    bool wants_hold;
};

static struct told told_with(struct sim *s, uint64_t rules, bool exact_leak)
{
    struct told t = {0};
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), rules);
    t.found = heap_judge(&h, exact_leak, &t.f, &t.seen);
    t.wants_hold = h.wants_hold;
    free(s);
    return t;
}

static struct told told(struct sim *s)
{
    return told_with(s, RULES_ALL, false);
}

static void expect(const struct told *t, enum verdict verdict, enum kind kind)
{
    assert_true(t->found);
    assert_string_equal(verdict_name(t->f.verdict), verdict_name(verdict));
    assert_string_equal(kind_name(t->f.kind), kind_name(kind));
    assert_int_equal(t->f.site, SIZE_MAX);
}

/* ---- regions of size classes ---- */

/* Epochs of opens[i] connections, in which so many regions of 48 bytes came. */
static struct sim *regions(const uint64_t *opens, const int64_t *came, size_t epochs)
{
    struct sim *s = sim_new(30, 7);
    sim_epoch(s, SIM_WARM, 100, 1);
    s->regions[0][0] = 500;
    for (size_t i = 0; i < epochs; i++) {
        sim_epoch(s, opens[i] ? SIM_MEASURE : SIM_HOLD, opens[i], opens[i] ? 1 : 2);
        s->regions[0][i + 1] = s->regions[0][i] + came[i];
    }
    s->e.size_classes = 1;
    s->size_class[0].size = 48;
    return s;
}

static const uint64_t ALIKE[] = {100, 100, 100, 100, 100, 100, 100};

static bool convicts(const uint64_t *opens, const int64_t *came, size_t epochs)
{
    return told(regions(opens, came, epochs)).found;
}

static void a_region_for_each_connection_is_named_by_its_class(void **state)
{
    (void)state;
    static const int64_t came[] = {100, 100, 100, 100, 100, 100, 100};
    struct told t = told(regions(ALIKE, came, 7));
    expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
    assert_int_equal(t.f.gauge, METRIC_HEAP_ALLOCATED);
    assert_int_equal(t.f.blocks, 700);
    assert_int_equal(t.f.bytes, 700 * 48);
    assert_true(t.f.per_conn_blocks == 1 && t.f.per_conn_bytes == 48);
    assert_true(t.wants_hold);
    assert_string_equal(t.f.why, "size class 48: 1.0000 regions per connection, in proportion to "
                                 "the epochs; the ledger is flat");
    assert_false(told_with(regions(ALIKE, came, 7), RULES_ALL, true).found);
}

/* To a third and some, or to 15 regions where that is more. */
static void regions_come_in_proportion_to_the_epochs(void **state)
{
    (void)state;
    static const int64_t third[] = {100, 135, 65, 100, 100, 100, 100},
                         above[] = {100, 136, 100, 91, 91, 91, 91},
                         below[] = {100, 64, 136, 100, 100, 100, 100},
                         under[] = {100, 64, 106, 106, 108, 108, 108},
                         noise[] = {40, 55, 25, 40, 40, 40, 40},
                         over[] = {40, 56, 40, 36, 36, 36, 36},
                         less[] = {40, 24, 42, 42, 44, 44, 44},
                         last[] = {100, 100, 100, 100, 100, 130, 62},
                         first[] = {136, 100, 91, 91, 91, 91, 100};
    assert_true(convicts(ALIKE, third, 7));
    assert_false(convicts(ALIKE, above, 7) || convicts(ALIKE, below, 7) ||
                 convicts(ALIKE, under, 7));
    assert_true(convicts(ALIKE, noise, 7));
    assert_false(convicts(ALIKE, over, 7) || convicts(ALIKE, less, 7) || convicts(ALIKE, last, 7) ||
                 convicts(ALIKE, first, 7));
}

static void of_a_thousand_regions_350_may_be_off(void **state)
{
    (void)state;
    static const uint64_t opens[] = {1000, 1000, 1000, 1000};
    static const int64_t third[] = {1350, 1000, 1000, 650}, above[] = {1351, 1000, 1000, 649};
    assert_true(convicts(opens, third, 4));
    assert_false(convicts(opens, above, 4));
}

/* The newest of three epochs isn't judged. */
static void two_judged_epochs_are_the_fewest(void **state)
{
    (void)state;
    static const uint64_t opens[] = {300, 300, 300};
    static const int64_t came[] = {40, 40, 40};
    assert_true(convicts(opens, came, 3));
    struct sim *s = regions(opens, came, 3);
    s->epoch[1].all_closed = false;
    assert_false(told(s).found);
}

/* A hundred in all, and 30 in each of three epochs. */
static void few_regions_convict_nobody(void **state)
{
    (void)state;
    static const uint64_t opens[] = {300, 300, 300, 62, 38}, smaller[] = {300, 300, 299, 63, 38};
    static const int64_t hundred[] = {30, 30, 30, 6, 4}, less[] = {30, 30, 30, 6, 3};
    assert_true(convicts(opens, hundred, 5));
    assert_false(convicts(opens, less, 5));
    assert_false(convicts(smaller, hundred, 5));
}

static void regions_that_came_without_connections_came_by_time(void **state)
{
    (void)state;
    static const uint64_t opens[] = {100, 100, 100, 100, 100, 100, 0, 100};
    /* Six epochs are judged, of a second each, and the pace is that of all regions: 100 and a
     * seventh of those that came while held for two seconds. */
    static const int64_t by_time[] = {100, 100, 100, 100, 100, 100, 117, 100},
                         slower[] = {100, 100, 100, 100, 100, 100, 116, 100},
                         noise[] = {100, 100, 100, 100, 100, 100, 15, 100},
                         more[] = {100, 100, 100, 100, 100, 100, 16, 100};
    struct told t = told(regions(opens, by_time, 8));
    expect(&t, VERDICT_LEAK, KIND_TIME);
    assert_false(t.wants_hold);
    assert_string_equal(t.f.why, "outside OpenSSL: 58 regions of one size class per second while "
                                 "held without churn, 117 while connections churn");
    assert_false(convicts(opens, slower, 8));
    assert_true(convicts(opens, noise, 8));
    assert_false(convicts(opens, more, 8));
}

/* Half a second of churn and a quarter of one held are as good, and a hold of no time tells none.
 */
static void a_short_run_tells_time_too(void **state)
{
    (void)state;
    static const uint64_t opens[] = {100, 100, 100, 100, 100, 100, 0, 100};
    static const int64_t came[] = {100, 100, 100, 100, 100, 100, 117, 100},
                         few[] = {100, 100, 100, 100, 100, 100, 15, 100};
    for (int held = 0; held < 2; held++) {
        struct sim *s = regions(opens, came, 8);
        for (size_t c = 0; c < s->epochs; c++)
            s->epoch[c].seconds = 0.0625 * (s->epoch[c].hold ? 2 * held : 1);
        struct told t = told(s);
        assert_int_equal(t.found, held);
        if (held)
            expect(&t, VERDICT_LEAK, KIND_TIME);
    }
    struct sim *s = regions(opens, few, 8); /* 15 while held are chance, however short */
    s->epoch[7].seconds = 0.01;
    struct told t = told(s);
    expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
}

/* Twice as many as the ledger's blocks became more, whatever their size. */
static void regions_beside_the_ledgers_blocks_are_outside(void **state)
{
    (void)state;
    for (int64_t blocks = 350; blocks <= 351; blocks++) {
        static const int64_t came[] = {100, 100, 100, 100, 100, 100, 100};
        struct sim *s = regions(ALIKE, came, 7);
        size_t site = sim_site(s, SIM_STATIC, 0, 0);
        s->site[site].blocks[5] = s->site[site].blocks[6] = s->site[site].blocks[7] = blocks;
        for (size_t c = 5; c < 8; c++)
            s->site[site].bytes[c] = 1000 * blocks;
        assert_true(told(s).found == (blocks == 350));
    }
}

/* Up to 200 for each: 700 of four threads that began, and of three. */
static void regions_that_are_kept_for_beginning_threads_convict_nobody(void **state)
{
    (void)state;
    static const int64_t came[] = {100, 100, 100, 100, 100, 100, 100};
    for (int64_t begun = 3; begun <= 4; begun++) {
        struct sim *s = regions(ALIKE, came, 7);
        struct judge_context h;
        struct told t = {0};
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        h.begun = begun;
        assert_true(heap_judge(&h, false, &t.f, &t.seen) == (begun == 3));
        free(s);
    }
}

/* What other classes lost in bytes, and more than half of it. */
static void regions_that_moved_from_other_classes_are_no_growth(void **state)
{
    (void)state;
    static const int64_t came[] = {100, 100, 100, 100, 100, 100, 100};
    for (int64_t moved = 168; moved <= 169; moved++) {
        struct sim *s = regions(ALIKE, came, 7);
        s->e.size_classes = 2;
        s->size_class[1].size = 100; /* 168 of them are half of 700 * 48 bytes */
        for (size_t c = 0; c < 8; c++)
            s->regions[1][c] = 2000 - (c > 3 ? moved : 0);
        assert_true(told(s).found == (moved == 168));
        s = regions(ALIKE, came, 7); /* the same by one byte */
        s->e.size_classes = 2;
        s->size_class[1].size = (uint64_t)(16800 + moved - 168);
        for (size_t c = 0; c < 8; c++)
            s->regions[1][c] = 2 - (c > 3);
        assert_true(told(s).found == (moved == 168));
    }
}

/* 32 bytes and a header lie in a region of 48: what the ledger has of these isn't outside. */
static void the_ledgers_own_regions_are_taken_off(void **state)
{
    (void)state;
    static const int64_t came[] = {100, 100, 100, 100, 100, 100, 100};
    for (int own = 0; own < 2; own++) {
        struct sim *s = regions(ALIKE, came, 7);
        size_t site = sim_site(s, SIM_STATIC, 0, 0);
        s->size_class[0].size = own ? 48 : 64;
        for (size_t c = 0; c < 8; c++) {
            s->site[site].blocks[c] = (int64_t)c * 10;
            s->site[site].bytes[c] = (int64_t)c * 320;
        }
        struct told t = told(s);
        expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
        assert_int_equal(t.f.blocks, own ? 630 : 700);
    }
}

/* ---- what the ledger's blocks take of the heap ---- */

/* A site with `blocks` of `size` bytes more than before; three of other sizes were there. */
static struct sim *holding(int64_t size, int64_t blocks)
{
    static const int64_t none[6] = {0};
    struct sim *s = sim_six(true);
    s->sites = 0;
    size_t site = sim_six_site(s, none);
    for (size_t c = 0; c < s->epochs; c++) {
        s->site[site].blocks[c] = c > 4 ? blocks : 0;
        s->site[site].bytes[c] = c > 4 ? blocks * size : 0;
    }
    return s;
}

/* 16 bytes of header on top; multiples of 16 up to 128, then four classes to a doubling. */
static void a_block_takes_the_region_of_its_size(void **state)
{
    (void)state;
    static const struct {
        int64_t size;
        uint64_t region;
    } of[] = {{1, 32},    {16, 32},   {17, 48},     {112, 128},  {113, 160},
              {144, 160}, {145, 192}, {240, 256},   {241, 320},  {304, 320},
              {496, 512}, {497, 640}, {4080, 4096}, {4081, 5120}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct sim *s = holding(of[i].size, 10);
        struct judge_context h;
        struct ledger_share share;
        s->e.size_classes = 2;
        s->size_class[0].size = of[i].region + 16;
        s->size_class[1].size = of[i].region;
        for (size_t c = 0; c < s->epochs; c++)
            s->regions[0][c] = s->regions[1][c] = 100;
        s->site[0].blocks[0] = 2;
        s->site[0].bytes[0] = 2 * of[i].size;
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        share_init(&share, &h);
        assert_true(share.bytes[4] == 0 && share.bytes[h.last] == 10.0 * (double)of[i].region);
        assert_int_equal(share.region[0][h.last], 100);
        assert_int_equal(share.region[1][h.last], 90);
        assert_int_equal(share.region[1][4], 100);
        assert_int_equal(share.region[1][0], 98);
        assert_int_equal(share.size_class[1].size, of[i].region);
        assert_int_equal(share.grown_blocks, 10);
        share_fini(&share);
        free(s);
    }
}

/* Blocks of many sizes take an eighth more than their bytes and headers, and no region is theirs. A
 * third more and 32 bytes for a block are the most. */
static void blocks_of_many_sizes_take_an_eighth_more(void **state)
{
    (void)state;
    struct sim *s = holding(100, 10);
    struct judge_context h;
    struct ledger_share share;
    s->site[0].bytes[6]++;
    s->e.size_classes = 1;
    s->size_class[0].size = 128;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    share_init(&share, &h);
    assert_true(share.bytes[h.last] == (1000 + 160) * 9.0 / 8);
    assert_int_equal(share.region[0][h.last], 0);
    assert_true(fabs(share.slack - (1000 * 4.0 / 3 + 320 - 1305)) < 1e-9);
    share_fini(&share);
    free(s);
}

/* What fewer blocks leave is as unsure; in all they didn't grow. */
static void blocks_that_became_fewer_have_their_slack_too(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct sim *s = holding(100, sign * 10);
        struct judge_context h;
        struct ledger_share share;
        for (size_t c = 0; c < s->epochs; c++) {
            s->site[0].blocks[c] += 20;
            s->site[0].bytes[c] += 2000;
        }
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        share_init(&share, &h);
        assert_true(share.bytes[4] == 2560 && share.bytes[h.last] == 2560 + 1280 * sign);
        assert_true(fabs(share.slack - (1000 * 4.0 / 3 + 320 - 1280)) < 1e-9);
        assert_int_equal(share.grown_blocks, sign > 0 ? 10 : 0);
        share_fini(&share);
        free(s);
    }
}

/* As alike as they are at every checkpoint: blocks of another size at the last are of many sizes;
 * so are bytes without a block. */
static void a_site_has_one_size_or_none(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sim *s = holding(112, 10);
        struct judge_context h;
        struct ledger_share share;
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        if (i == 1)
            s->site[0].bytes[h.last] = 10 * 113;
        if (i == 2)
            s->site[0].bytes[1] = 112;
        if (i == 3)
            s->site[0].bytes[0] = 113 * (s->site[0].blocks[0] = 1);
        share_init(&share, &h);
        assert_true(share.bytes[5] == (i ? (1120 + 160) * 9.0 / 8 : 1280));
        assert_true(share.bytes[1] == (i == 2 ? 126 : 0));
        share_fini(&share);
        free(s);
    }
}

static int64_t *copied(const int64_t *series, size_t count)
{
    int64_t *copy = malloc(count * sizeof *copy);
    return memcpy(copy, series, count * sizeof *copy);
}

/* Nothing is read of what lies behind a series: with AddressSanitizer this would end here. */
static void the_ledgers_share_has_an_entry_for_each_checkpoint(void **state)
{
    (void)state;
    struct sim *s = holding(112, 10);
    struct judge_context h;
    struct ledger_share share;
    s->e.size_classes = 1;
    s->size_class[0].size = 128;
    struct evidence e = *sim_evidence(s);
    int64_t *blocks = copied(e.site[0].blocks, e.epochs),
            *bytes = copied(e.site[0].bytes, e.epochs);
    int64_t *regions = copied(e.size_class[0].regions, e.epochs);
    struct judge_site site = e.site[0];
    struct judge_size_class size_class = {.size = 128, .regions = regions};
    site.blocks = blocks;
    site.bytes = bytes;
    e.site = &site;
    e.size_class = &size_class;
    judge_context_open(&h, &e, RULES_ALL);
    share_init(&share, &h);
    assert_true(share.bytes[0] == 0 && share.bytes[h.last] == 1280);
    assert_int_equal(share.region[0][h.last], regions[h.last] - 10);
    share_fini(&share);
    free(blocks);
    free(bytes);
    free(regions);
    free(s);
}

/* A block more beside bytes fewer, of another site, isn't growth: 0 for both. */
static void growth_of_the_ledger_is_of_blocks_and_bytes(void **state)
{
    (void)state;
    static const int64_t none[6] = {0};
    for (int64_t less = 1120; less <= 1121; less++) {
        struct sim *s = holding(112, 10);
        struct judge_context h;
        struct ledger_share share;
        size_t site = sim_six_site(s, none);
        for (size_t c = 0; c < s->epochs; c++) {
            s->site[site].blocks[c] = 1;
            s->site[site].bytes[c] = c > 4 ? 2000 - less : 2000;
        }
        judge_context_open(&h, sim_evidence(s), RULES_ALL);
        share_init(&share, &h);
        assert_int_equal(share.grown_blocks, less > 1120 ? 0 : 10);
        share_fini(&share);
        free(s);
    }
}

/* A gauge of five points is that of the newest five checkpoints. */
static void the_ledgers_bytes_are_taken_off_at_their_checkpoints(void **state)
{
    (void)state;
    struct sim *s = holding(112, 10);
    struct judge_context h;
    struct ledger_share share;
    double value[12] = {0}, all[12], less[12];
    struct judge_gauge g = {.count = 7, .value = all}, five = {.count = 5, .value = all}, made;
    for (size_t i = 0; i < 12; i++)
        all[i] = 10000;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    share_init(&share, &h);
    assert_ptr_equal(share_beside_ledger(&share, &h, &g, value, &made), &made);
    assert_true(value[0] == 10000 && value[1] == 10000 && value[2] == 8720 && value[6] == 8720);
    assert_ptr_equal(made.value, value);
    g.count = 12; /* more points than checkpoints: what has none is left as it is */
    share_beside_ledger(&share, &h, &g, value, &made);
    assert_true(value[4] == 10000 && value[5] == 8720 && value[9] == 8720 && value[10] == 10000);
    assert_null(share_beside_ledger(&share, &h, NULL, value, &made));
    for (size_t i = 0; i < 5; i++)
        less[i] = 100 * (double)(i + 1);
    struct judge_gauge other = {.count = 5, .value = less};
    assert_ptr_equal(share_beside(&five, &other, value, &made), &made);
    assert_true(value[0] == 9900 && value[4] == 9500 && made.count == 5);
    assert_ptr_equal(share_beside(&g, &other, value, &made), &g);
    assert_ptr_equal(share_beside(&five, NULL, value, &made), &five);
    assert_null(share_beside(NULL, &other, value, &made));
    share_fini(&share);
    free(s);
}

/* ---- jemalloc's own figures ---- */

/* A long run: twenty checkpoints, each a hundred connections after the one before. */
static struct sim *long_run(void)
{
    struct sim *s = sim_new(30, 7);
    for (int i = 0; i < POINTS; i++)
        sim_epoch(s, i ? SIM_MEASURE : SIM_WARM, 100, 1);
    for (size_t c = 0; c < POINTS; c++)
        s->epoch[c].closed = 100 * c;
    return s;
}

/* Grows by so much in all, in proportion to the connections. */
static double *grows(struct sim *s, enum metric metric, double limit, double growth)
{
    double *v = sim_gauge(s, metric, limit);
    for (size_t i = 0; i < POINTS; i++)
        v[i] = 6e6 + growth * (double)i / (POINTS - 1);
    return v;
}

static void a_quarter_of_a_mib_beside_the_ledger_is_outside(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, 1, 256 * KIB + more);
        struct told t = told(s);
        assert_int_equal(t.found, more);
        assert_true(t.seen.page_bytes == 0); /* nothing is known of pages */
        if (!more)
            continue;
        expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
        assert_int_equal(t.f.bytes, 256 * KIB + 1);
        assert_true(fabs(t.f.per_conn_bytes - (256 * KIB + 1) / 1900.0) < 1e-6);
        assert_string_equal(t.f.why, "jemalloc's allocated bytes grow, the ledger doesn't, and no "
                                     "one size class stands out");
    }
}

static void growth_within_the_limit_is_none(void **state)
{
    (void)state;
    for (int less = 0; less < 2; less++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, less ? 999 : 1001, 1000.0 * 1900);
        assert_int_equal(told(s).found, less);
    }
}

/* A fifth of the growth is how far a point may lie from the line between the ends. */
static void growth_that_bends_or_strays_is_none(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int more = 0; more < 2; more++) {
            struct sim *s = long_run();
            double *v = grows(s, METRIC_HEAP_ALLOCATED, 1, 19e6);
            v[7] += sign * (19e5 * 2 + more);
            assert_int_equal(told(s).found, !more);
        }
    }
}

/* The class with most bytes of those with three regions more. */
static void the_class_that_grew_most_is_named(void **state)
{
    (void)state;
    for (int64_t large = 2; large <= 3; large++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, 1, 300 * KIB);
        s->e.size_classes = 2;
        s->size_class[0].size = 48;
        s->size_class[1].size = 98304;
        for (size_t c = 0; c < POINTS; c++) {
            s->regions[0][c] = 500 + (c > 12 ? 5000 : 0);
            s->regions[1][c] = 3 + (c > 12 ? large : 0);
        }
        struct told t = told(s);
        expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
        assert_int_equal(t.f.blocks, large == 3 ? 3 : 5000);
        assert_int_equal(t.f.bytes, 300 * KIB);
        assert_string_equal(t.f.why, large == 3
                                         ? "most of it in size class 98304: 0.0016 regions per "
                                           "connection; the ledger is flat"
                                         : "most of it in size class 48: 2.6316 regions per "
                                           "connection; the ledger is flat");
    }
}

/* The first of those that grew as much, wherever they stand. */
static void of_classes_that_grew_as_much_the_first_is_named(void **state)
{
    (void)state;
    static const uint64_t size[][2] = {{98304, 48}, {48, 98304}, {96, 48}};
    static const int64_t grown[][2] = {{3, 1000}, {1000, 3}, {2500, 5000}};
    for (size_t i = 0; i < 3; i++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, 1, 300 * KIB);
        s->e.size_classes = 2;
        for (size_t k = 0; k < 2; k++) {
            s->size_class[k].size = size[i][k];
            for (size_t c = 0; c < POINTS; c++)
                s->regions[k][c] = 3 + (c > 12 ? grown[i][k] : 0);
        }
        assert_int_equal(told(s).f.blocks, i == 2 ? 2500 : 3);
    }
}

/* 3,200 regions of 48 bytes are half of 300 KiB. Only those that came with the connections are said
 * to be in proportion. */
static void a_class_is_named_that_makes_half_of_what_grows(void **state)
{
    (void)state;
    for (int even = 0; even < 2; even++) {
        for (int64_t came = 3199; came <= 3200; came++) {
            struct sim *s = long_run();
            grows(s, METRIC_HEAP_ALLOCATED, 1, 300 * KIB);
            s->e.size_classes = 1;
            s->size_class[0].size = 48;
            for (int64_t c = 0; c < POINTS; c++)
                s->regions[0][c] = 500 + (even ? came * c / (POINTS - 1) : c > 12 ? came : 0);
            struct told t = told(s);
            expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
            assert_int_equal(t.f.blocks, came == 3200 ? 3200 : 0);
            assert_int_equal(t.f.bytes, 300 * KIB);
            assert_true(!strstr(t.f.why, "size class 48") == (came < 3200));
            assert_true(!strstr(t.f.why, "in proportion") == (came < 3200 || !even));
        }
    }
}

/* The class convicts by itself, and jemalloc's bytes don't rise straight: they are none of its. */
static void what_one_class_lost_is_its_own(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        double *v = grows(s, METRIC_HEAP_ALLOCATED, 1, 2 * 1900 * 48 + more);
        v[7] += 100e3;
        s->e.size_classes = 1;
        s->size_class[0].size = 48;
        for (int64_t c = 0; c < POINTS; c++)
            s->regions[0][c] = 500 + 100 * c;
        struct told t = told(s);
        expect(&t, VERDICT_LEAK, KIND_OUTSIDE);
        assert_int_equal(t.f.blocks, 1900);
        assert_int_equal(t.f.bytes, more ? 1900 * 48 : 2 * 1900 * 48);
    }
}

/* 19 judged seconds less the hold's two; 32 KiB while held are the least that tells time. */
static struct told told_of_held(size_t at, double held)
{
    struct sim *s = sim_new(30, 7);
    for (size_t c = 0; c < POINTS; c++)
        sim_epoch(s,
                  c == 0    ? SIM_WARM
                  : c == at ? SIM_HOLD
                            : SIM_MEASURE,
                  c == at ? 0 : 100, c == at ? 2 : 1);
    double *v = sim_gauge(s, METRIC_HEAP_ALLOCATED, 1);
    for (size_t c = 0; c < POINTS; c++)
        v[c] = 6e6 + 16 * KIB * (double)(c - (c >= at)) + (c >= at ? held : 0);
    return told(s);
}

static void bytes_that_came_while_held_came_by_time(void **state)
{
    (void)state;
    static const double held[] = {32 * KIB - 1, 32 * KIB, 60 * KIB};
    for (size_t i = 0; i < 3; i++) {
        struct told t = told_of_held(18, held[i]);
        expect(&t, VERDICT_LEAK, i ? KIND_TIME : KIND_OUTSIDE);
        assert_false(t.wants_hold);
        if (i == 2)
            assert_string_equal(t.f.why, "outside OpenSSL: 30720 bytes per second while held "
                                         "without churn, 17348 while connections churn");
        t = told_of_held(1, held[i]); /* the first that is measured */
        expect(&t, VERDICT_LEAK, i ? KIND_TIME : KIND_OUTSIDE);
    }
}

/* ---- pages ---- */

static const uint64_t WITHOUT_OUTSIDE = RULES_ALL & ~(UINT64_C(1) << RULE_OUTSIDE);

static void pages_that_few_bytes_hold_are_fragmented(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
        grows(s, METRIC_HEAP_ACTIVE, 16, MIB + more);
        struct told t = told(s);
        assert_int_equal(t.found, more);
        if (!more)
            continue;
        expect(&t, VERDICT_LEAK, KIND_FRAGMENTATION);
        assert_int_equal(t.f.gauge, METRIC_HEAP_ACTIVE);
        assert_int_equal(t.f.bytes, MIB + 1);
        assert_true(fabs(t.f.per_conn_bytes - (MIB + 1) / 1900.0) < 1e-6);
        assert_string_equal(t.f.why, "heap_active grew by 1024 KiB, heap_allocated by 0 KiB: pages "
                                     "are held by few bytes in use");
    }
}

/* A third in use with them, and they are there for it. */
static void pages_for_what_is_in_use_are_not_fragmented(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ALLOCATED, 1, 1900e3);
        grows(s, METRIC_HEAP_ACTIVE, 16, more ? 7650e3 : 7550e3);
        struct told t = told_with(s, WITHOUT_OUTSIDE, false);
        assert_int_equal(t.found, more);
        if (more) {
            expect(&t, VERDICT_LEAK, KIND_FRAGMENTATION);
            assert_int_equal(t.f.bytes, 5750000);
        }
    }
}

static void pages_that_the_allocator_keeps_are_unpurged(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ACTIVE, 16, 2048);
        grows(s, METRIC_HEAP_RESIDENT, 16, MIB + more);
        struct told t = told(s);
        assert_int_equal(t.found, more);
        if (!more)
            continue;
        expect(&t, VERDICT_PASS, KIND_UNPURGED);
        assert_string_equal(t.f.why, "heap_resident grew by 1024 KiB, heap_active by 2 KiB: the "
                                     "allocator keeps freed pages for a while, up to a bound of "
                                     "its own");
    }
}

/* Of twenty points the last ten: what was before them may have been anything. */
static void witnesses_are_judged_by_their_second_half(void **state)
{
    (void)state;
    for (size_t at = 8; at <= 11; at++) {
        struct sim *s = long_run();
        double *v = grows(s, METRIC_HEAP_RESIDENT, 16, 19e6);
        v[at] += 3e6;
        assert_int_equal(told(s).found, at < 10);
        s = long_run();
        v = grows(s, METRIC_RSS_ANON, 16, 19e6);
        v[at] += 3e6;
        assert_int_equal(told(s).found, at < 10);
    }
    struct sim *s = long_run(); /* the half begins with a point that lies just in the middle */
    double *v = grows(s, METRIC_HEAP_RESIDENT, 16, 19e6);
    s->closed[10] = 950;
    v[10] += 3e6;
    assert_false(told(s).found);
}

/* What the allocator's pages explain, and those that it had before anything was written to them. */
static void anonymous_memory_beyond_the_heap_is_a_mapping(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ACTIVE, 1e9, 3 * MIB);
        double *resident = grows(s, METRIC_HEAP_RESIDENT, 1e9, 0),
               *rss = grows(s, METRIC_RSS_ANON, 16, 9 * MIB + more);
        for (size_t i = 0; i < POINTS; i++)
            rss[i] -= 2 * MIB;
        assert_true(resident[0] - rss[0] == 2 * MIB);
        struct told t = told(s);
        assert_int_equal(t.found, more);
        if (!more)
            continue;
        expect(&t, VERDICT_INCONCLUSIVE, KIND_MAPPING);
        assert_int_equal(t.f.bytes, 9 * MIB + 1);
        assert_string_equal(t.f.why, "rss_anon grew by 9216 KiB, heap_active by 3072 KiB: every "
                                     "exact figure is flat, and a witness never convicts alone");
    }
}

static void a_heap_that_shrinks_explains_no_mapping(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct sim *s = long_run();
        grows(s, METRIC_HEAP_ACTIVE, 1e9, -3 * MIB);
        double *resident = grows(s, METRIC_HEAP_RESIDENT, 1e9, 0);
        for (size_t i = 0; i < POINTS; i++)
            resident[i] -= MIB; /* less than what is in memory: nothing is untouched */
        grows(s, METRIC_RSS_ANON, 16, 4 * MIB + more);
        assert_int_equal(told(s).found, more);
    }
}

/* Without jemalloc's figures: 1,900 blocks of 32 bytes take 48 each, and may take a third of their
 * bytes and 32 for each block. */
static void with_libc_the_ledgers_blocks_explain_memory(void **state)
{
    (void)state;
    enum { BLOCKS = 1900, EXPLAINED = BLOCKS * 32 + BLOCKS * 32 * 4 / 3 };
    for (int more = -1; more < 2; more++) {
        struct sim *s = long_run();
        size_t site = sim_site(s, SIM_STATIC, 0, 0);
        for (size_t c = 0; c < POINTS; c++) {
            s->site[site].blocks[c] = (more < 0 ? POINTS - (int64_t)c : (int64_t)c) * 100;
            s->site[site].bytes[c] = 32 * s->site[site].blocks[c];
        }
        grows(s, METRIC_RSS_ANON, 16, 4.0 * MIB + (more < 0 ? 1 : EXPLAINED + 2 * more));
        struct told t = told(s);
        assert_int_equal(t.found, more != 0);
        if (more == 1)
            assert_string_equal(t.f.why, "rss_anon grew by 4235 KiB, the ledger by 89 KiB: every "
                                         "exact figure is flat, and a witness never convicts "
                                         "alone");
    }
}

/* ---- what would have shown ---- */

static void assert_near(double found, double expected)
{
    if (fabs(found - expected) > 1e-6 * fabs(expected))
        fail_msg("%.9g, and %.9g was expected", found, expected);
}

/* Over 1,900 connections, of figures without any noise. */
static void what_would_have_shown_is_told(void **state)
{
    (void)state;
    struct sim *s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    grows(s, METRIC_HEAP_ACTIVE, 16, 0);
    struct told t = told(s);
    assert_near(t.seen.heap_bytes, 256 * KIB / 1900.0);
    assert_near(t.seen.page_bytes, MIB / 1900.0);
    /* Where more was asked for, that. */
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 500, 0);
    grows(s, METRIC_HEAP_ACTIVE, 700, 0);
    t = told(s);
    assert_near(t.seen.heap_bytes, 500);
    assert_near(t.seen.page_bytes, 700);
    /* What became less comes on top, in all and for each connection. */
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, -1900);
    t = told(s);
    assert_near(t.seen.heap_bytes, (256 * KIB + 1900) / 1900.0);
    assert_true(t.seen.page_bytes == 0);
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 500, -1900);
    assert_near(told(s).seen.heap_bytes, 501);
    /* Three times what is in use with the pages, less those that were held anyway. */
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, 1900e3);
    grows(s, METRIC_HEAP_ACTIVE, 16, 2090e3);
    t = told(s);
    assert_near(t.seen.page_bytes, 2900);
    s = long_run();
    assert_true(told(s).seen.heap_bytes == 0);
    /* Less than a byte of each of a hundred million. */
    s = long_run();
    for (size_t c = 0; c < POINTS; c++) {
        s->epoch[c].opened = 10000000;
        s->epoch[c].closed = 10000000 * c;
    }
    grows(s, METRIC_HEAP_ALLOCATED, 1e-6, 190e6);
    grows(s, METRIC_HEAP_ACTIVE, 1e-6, 209e6);
    assert_near(told(s).seen.page_bytes, 2.9);
}

/* All points of the figure, though it only grew in the first half of them; and of what varies the
 * ends of the 99 % interval. */
static void what_shows_is_told_by_all_points(void **state)
{
    (void)state;
    struct sim *s = long_run();
    double *allocated = grows(s, METRIC_HEAP_ALLOCATED, 1, 1900e3);
    double *active = grows(s, METRIC_HEAP_ACTIVE, 1, 2090e3);
    for (size_t i = 12; i < POINTS; i++) {
        active[i] += allocated[11] - allocated[i];
        allocated[i] = allocated[11];
    }
    struct trend t = trend_of(s->closed, allocated, POINTS, 0.99, s->e.seed);
    assert_near(told(s).seen.page_bytes, 3 * t.slope - 100);
    s = long_run();
    double *v = grows(s, METRIC_HEAP_ALLOCATED, 2000, 0);
    for (size_t i = 0; i < POINTS; i++)
        v[i] += 4000.0 * (double)(i * 7 % 13);
    t = trend_of(s->closed, v, POINTS, 0.99, s->e.seed);
    assert_near(told(s).seen.heap_bytes, 2000 + fmax((t.high - t.low) / 2, -t.low));
}

/* Five times as far as the points stray; and what varies, beside the limit. */
static void what_strays_shows_less(void **state)
{
    (void)state;
    struct sim *s = long_run();
    double *v = grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    v[9] += 100 * KIB;
    assert_near(told(s).seen.heap_bytes, 500 * KIB / 1900.0);
    s = long_run();
    v = grows(s, METRIC_HEAP_ALLOCATED, 2000, 0);
    for (size_t i = 0; i < POINTS; i++)
        v[i] += 4000.0 * (double)(i * 7 % 13);
    struct told t = told(s);
    assert_true(t.seen.heap_bytes > 2017 && t.seen.heap_bytes < 2022);
}

static void few_points_show_nothing(void **state)
{
    (void)state;
    struct sim *s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    s->gauge[0].count = 5;
    assert_true(told(s).seen.heap_bytes == 0);
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    s->gauge[0].count = 1;
    assert_true(told(s).seen.heap_bytes == 0);
    s = long_run();
    grows(s, METRIC_HEAP_ALLOCATED, 1, 0);
    s->gauge[0].count = 6;
    assert_true(told(s).seen.heap_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_for_each_connection_is_named_by_its_class),
        cmocka_unit_test(regions_come_in_proportion_to_the_epochs),
        cmocka_unit_test(of_a_thousand_regions_350_may_be_off),
        cmocka_unit_test(two_judged_epochs_are_the_fewest),
        cmocka_unit_test(few_regions_convict_nobody),
        cmocka_unit_test(regions_that_came_without_connections_came_by_time),
        cmocka_unit_test(a_short_run_tells_time_too),
        cmocka_unit_test(regions_beside_the_ledgers_blocks_are_outside),
        cmocka_unit_test(regions_that_moved_from_other_classes_are_no_growth),
        cmocka_unit_test(regions_that_are_kept_for_beginning_threads_convict_nobody),
        cmocka_unit_test(the_ledgers_own_regions_are_taken_off),
        cmocka_unit_test(a_block_takes_the_region_of_its_size),
        cmocka_unit_test(blocks_of_many_sizes_take_an_eighth_more),
        cmocka_unit_test(blocks_that_became_fewer_have_their_slack_too),
        cmocka_unit_test(a_site_has_one_size_or_none),
        cmocka_unit_test(the_ledgers_share_has_an_entry_for_each_checkpoint),
        cmocka_unit_test(growth_of_the_ledger_is_of_blocks_and_bytes),
        cmocka_unit_test(the_ledgers_bytes_are_taken_off_at_their_checkpoints),
        cmocka_unit_test(a_quarter_of_a_mib_beside_the_ledger_is_outside),
        cmocka_unit_test(growth_within_the_limit_is_none),
        cmocka_unit_test(growth_that_bends_or_strays_is_none),
        cmocka_unit_test(the_class_that_grew_most_is_named),
        cmocka_unit_test(of_classes_that_grew_as_much_the_first_is_named),
        cmocka_unit_test(a_class_is_named_that_makes_half_of_what_grows),
        cmocka_unit_test(what_one_class_lost_is_its_own),
        cmocka_unit_test(bytes_that_came_while_held_came_by_time),
        cmocka_unit_test(pages_that_few_bytes_hold_are_fragmented),
        cmocka_unit_test(pages_for_what_is_in_use_are_not_fragmented),
        cmocka_unit_test(pages_that_the_allocator_keeps_are_unpurged),
        cmocka_unit_test(witnesses_are_judged_by_their_second_half),
        cmocka_unit_test(anonymous_memory_beyond_the_heap_is_a_mapping),
        cmocka_unit_test(a_heap_that_shrinks_explains_no_mapping),
        cmocka_unit_test(with_libc_the_ledgers_blocks_explain_memory),
        cmocka_unit_test(what_would_have_shown_is_told),
        cmocka_unit_test(what_shows_is_told_by_all_points),
        cmocka_unit_test(what_strays_shows_less),
        cmocka_unit_test(few_points_show_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
