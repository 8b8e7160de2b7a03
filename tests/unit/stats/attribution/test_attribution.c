/* SPDX-License-Identifier: Apache-2.0 */
/* Which behaviour loses what, from made-up runs: whole numbers, chance, behaviours that need each
 * other, behaviours that can't be told apart. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stats/attribution/attribution.h"
#include "stats/attribution/mix.h"
#include "tests/unit/stats/golden.h"

enum { MOST = 16, SITES = 40, CLEAN = 0, RESET, HALF_CLOSE, MID_HANDSHAKE };

struct made {
    size_t count, epochs;
    uint64_t begun[BEHAVIOURS_EPOCHS][MOST], ended[BEHAVIOURS_EPOCHS][MOST];
    int64_t blocks[BEHAVIOURS_EPOCHS], bytes[BEHAVIOURS_EPOCHS];
    int64_t at[SITES][BEHAVIOURS_EPOCHS]; /* of the blocks, those of each site; 0: not known */
    bool begun_only, unlike;
};

static const uint64_t usual[] = {50, 30, 15, 5, 9, 7, 22, 3, 17, 40, 11, 6, 8, 31, 4, 12};

static size_t draw(struct rng *r, const uint64_t *weight, size_t count)
{
    uint64_t total = 0;
    for (size_t b = 0; b < count; b++)
        total += weight[b];
    uint64_t pick = rng_below(r, total);
    size_t b = 0;
    while (pick >= weight[b])
        pick -= weight[b++];
    return b;
}

/* Epochs of n, 2n, 4n, ... up to 8n; the last 30 connections of each end in the next. */
static void make(struct made *m, size_t count, size_t epochs, uint64_t seed)
{
    static struct mix mix;
    struct rng r = {.state = seed};
    *m = (struct made){.count = count, .epochs = epochs};
    mix_init(&mix, usual, count);
    for (size_t e = 0; e < epochs; e++) {
        uint64_t opens = 250u << (e < 3 ? e : 3), weight[MIX_MAX];
        mix_next(&mix, opens, weight);
        for (uint64_t i = 0; i < opens; i++) {
            size_t b = draw(&r, weight, count);
            m->begun[e][b]++;
            m->ended[i + 30 < opens ? e : e + 1][b]++;
        }
        for (size_t i = 0; e == 0 && i < 30; i++)
            m->ended[e][draw(&r, usual, count)]++;
    }
}

static void solve(const struct made *m, struct behaviours_answer *ret)
{
    struct behaviours_epoch epoch[BEHAVIOURS_EPOCHS];
    double deviation = 0;
    for (size_t i = 0; i < SITES; i++)
        deviation += behaviours_deviation(m->at[i], m->epochs);
    for (size_t e = 0; e < m->epochs; e++)
        epoch[e] = (struct behaviours_epoch){.begun = m->begun[e],
                                             .ended = m->ended[e],
                                             .blocks = m->blocks[e],
                                             .bytes = m->bytes[e]};
    behaviours_solve(&(struct behaviours_question){.count = m->count,
                                                   .epochs = m->epochs,
                                                   .epoch = epoch,
                                                   .deviation = deviation,
                                                   .unlike = m->unlike,
                                                   .begun_only = m->begun_only},
                     ret);
}

static void lose(struct made *m, uint64_t (*count)[MOST], size_t behaviour, int64_t blocks,
                 int64_t size)
{
    for (size_t e = 0; e < m->epochs; e++) {
        m->blocks[e] += blocks * (int64_t)count[e][behaviour];
        m->bytes[e] += blocks * size * (int64_t)count[e][behaviour];
    }
}

static void lose_some(struct made *m, size_t behaviour, double chance, int64_t clump, uint64_t seed)
{
    struct rng r = {.state = seed};
    for (size_t e = 0; e < m->epochs; e++) {
        for (uint64_t i = 0; i < m->begun[e][behaviour]; i++) {
            bool lost = rng_unit(&r) < chance;
            m->blocks[e] += lost ? clump : 0;
            m->bytes[e] += lost ? 64 * clump : 0;
        }
    }
}

static void one_guilty_behaviour_comes_out_whole(void **state)
{
    (void)state;
    for (size_t count = 2; count <= MOST; count++) {
        for (size_t guilty = 0; guilty < count; guilty++) {
            struct made m;
            struct behaviours_answer a;
            make(&m, count, count + 1, count * 100 + guilty);
            lose(&m, m.begun, guilty, 1, 64);
            solve(&m, &a);
            assert_int_equal(a.outcome, BEHAVIOURS_APART);
            assert_true(a.exact && !a.by_end && a.residual_blocks == 0 && a.residual_bytes == 0);
            for (size_t b = 0; b < count; b++) {
                assert_true(a.share[b].blocks == (b == guilty));
                assert_true(a.share[b].bytes == (b == guilty ? 64 : 0));
                assert_int_equal(a.share[b].verdict,
                                 b == guilty ? BEHAVIOUR_GUILTY : BEHAVIOUR_INNOCENT);
            }
            assert_true(behaviours_tell(&a));
        }
    }
}

static void different_losses_of_several_come_out_whole(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 4, 6, 7);
    lose(&m, m.begun, CLEAN, 28, 900);
    lose(&m, m.begun, RESET, 29, 900);
    lose(&m, m.begun, MID_HANDSHAKE, 3, 16);
    solve(&m, &a);
    assert_true(a.exact);
    assert_true(a.share[CLEAN].blocks == 28 && a.share[RESET].blocks == 29);
    assert_true(a.share[HALF_CLOSE].blocks == 0 && a.share[MID_HANDSHAKE].blocks == 3);
    assert_true(a.share[MID_HANDSHAKE].bytes == 48);
}

static void all_alike_is_said_so(void **state)
{
    (void)state;
    for (size_t epochs = 3; epochs <= 7; epochs++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, epochs, 3);
        for (size_t b = 0; b < 4; b++)
            lose(&m, m.begun, b, 1, 32);
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_ALIKE);
        assert_true(a.exact && a.share[MID_HANDSHAKE].bytes == 32);
        assert_false(behaviours_tell(&a));
    }
}

/* The control: with the counts of the beginnings alone, what is lost on leaving fits nothing. */
static void what_is_lost_on_leaving_needs_the_other_count(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 4, 7, 11);
    lose(&m, m.ended, RESET, 1, 64);
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_APART);
    assert_true(a.exact && a.by_end && a.share[RESET].blocks == 1 && a.share[CLEAN].blocks == 0);
    m.begun_only = true;
    solve(&m, &a);
    assert_false(a.exact);
    assert_true(a.residual_blocks > 0.5);
}

static void a_loss_by_chance_has_its_error(void **state)
{
    (void)state;
    enum { RUNS = 300 };
    int told = 0, framed = 0, apart = 0, within = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, 10, seed);
        lose_some(&m, RESET, 0.1, 1, seed * 13);
        solve(&m, &a);
        assert_false(a.exact);
        const struct behaviours_share *s = &a.share[RESET];
        told += s->verdict == BEHAVIOUR_GUILTY;
        within += fabs(s->blocks - 0.1) <= 2 * s->blocks_error;
        for (size_t b = 0; b < 4; b++)
            framed += b != RESET && a.share[b].verdict == BEHAVIOUR_GUILTY;
        apart += a.outcome == BEHAVIOURS_TOGETHER;
    }
    print_message(
        "1 in 10 of the resets: %d of %d told, %d framed, %d called inseparable, %d within "
        "two errors\n",
        told, RUNS, framed, apart, within);
    assert_true(told >= RUNS * 95 / 100);
    assert_true(framed <= 2);
    assert_true(apart <= 2);
    assert_true(within >= RUNS * 90 / 100);
}

/* A quarter of what another loses is a loss: where its error is as large, nothing says that it has
 * none. */
static void what_loses_less_is_never_called_innocent(void **state)
{
    (void)state;
    enum { RUNS = 300 };
    int told = 0, acquitted = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, 10, seed);
        lose_some(&m, CLEAN, 1, 1, seed * 13);
        lose_some(&m, HALF_CLOSE, 0.25, 1, seed * 17);
        solve(&m, &a);
        told += a.share[CLEAN].verdict == BEHAVIOUR_GUILTY;
        acquitted += a.share[HALF_CLOSE].verdict == BEHAVIOUR_INNOCENT;
        if (a.share[HALF_CLOSE].verdict == BEHAVIOUR_UNSURE)
            assert_true(behaviours_at_most(&a.share[HALF_CLOSE]) >= 0.1 * a.share[CLEAN].blocks);
    }
    print_message("beside 1 of each, 1 in 4: %d of %d told, %d called innocent\n", told, RUNS,
                  acquitted);
    assert_true(told >= RUNS * 95 / 100);
    assert_int_equal(acquitted, 0);
}

/* Who surely loses less than a tenth of the guilty one is innocent, by chance too. */
static void enough_losses_acquit_the_others(void **state)
{
    (void)state;
    struct made m = {.count = 2, .epochs = 4};
    struct behaviours_answer a;
    static const uint64_t begun[4][2] = {{400, 100}, {100, 400}, {500, 100}, {100, 500}};
    static const int64_t blocks[4] = {400100, 100050, 499800, 100080};
    for (size_t e = 0; e < m.epochs; e++) {
        for (size_t b = 0; b < m.count; b++)
            m.begun[e][b] = m.ended[e][b] = begun[e][b] * 1000;
        m.blocks[e] = blocks[e];
        m.bytes[e] = blocks[e] * 32;
    }
    solve(&m, &a);
    assert_false(a.exact);
    assert_int_equal(a.share[0].verdict, BEHAVIOUR_GUILTY);
    assert_int_equal(a.share[1].verdict, BEHAVIOUR_INNOCENT);
    assert_true(behaviours_at_most(&a.share[1]) < 0.1 && behaviours_at_most(&a.share[1]) > 0);
}

static void losses_of_several_blocks_scatter_more(void **state)
{
    (void)state;
    int together = 0, framed = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, 10, seed);
        lose_some(&m, RESET, 0.05, 28, seed);
        solve(&m, &a);
        together += a.outcome == BEHAVIOURS_TOGETHER;
        framed += a.share[CLEAN].verdict == BEHAVIOUR_GUILTY;
        assert_true(a.scatter >= 28);
    }
    assert_true(together <= 2);
    assert_true(framed <= 1);
}

/* 33 to 35 blocks at once, each at a site of its own. */
static void lose_objects(struct made *m, size_t behaviour, double chance, uint64_t seed)
{
    struct rng r = {.state = seed};
    for (size_t e = 0; e < m->epochs; e++) {
        for (uint64_t i = 0; i < m->begun[e][behaviour]; i++) {
            size_t blocks = rng_unit(&r) < chance ? 33 + rng_below(&r, 3) : 0;
            for (size_t site = 0; site < blocks; site++)
                m->at[site][e]++;
            m->blocks[e] += (int64_t)blocks;
            m->bytes[e] += 64 * (int64_t)blocks;
        }
    }
}

/* No number divides the growth of the epochs, and yet it scatters as that of objects does. */
static void objects_of_unlike_numbers_of_blocks_scatter_as_objects(void **state)
{
    (void)state;
    enum { RUNS = 200 };
    int together = 0, framed = 0, told = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, seed % 2 ? 6 : 10, seed);
        lose_objects(&m, RESET, 0.1, seed * 13);
        solve(&m, &a);
        assert_true(a.scatter >= 33);
        together += a.outcome == BEHAVIOURS_TOGETHER;
        told += a.share[RESET].verdict == BEHAVIOUR_GUILTY;
        for (size_t b = 0; b < 4; b++)
            framed += b != RESET && a.share[b].verdict == BEHAVIOUR_GUILTY;
    }
    print_message("33 to 35 blocks: %d of %d told, %d framed, %d called inseparable\n", told, RUNS,
                  framed, together);
    assert_true(together <= 2);
    assert_true(framed <= 1);
    assert_true(told >= RUNS / 2);
}

/* Where all that calls malloc is one site, its losses may be of any size: what few epochs happen to
 * agree on blames nobody. */
static void one_site_that_is_many_blames_nobody_by_few_epochs(void **state)
{
    (void)state;
    int framed[2] = {0}, told = 0;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, 6, seed);
        lose_objects(&m, RESET, 0.1, seed * 13);
        memset(m.at, 0, sizeof m.at);
        for (int unlike = 0; unlike <= 1; unlike++) {
            m.unlike = unlike;
            solve(&m, &a);
            for (size_t b = 0; b < 4; b++)
                framed[unlike] += b != RESET && a.share[b].verdict == BEHAVIOUR_GUILTY;
        }
        make(&m, 4, 14, seed);
        lose_some(&m, RESET, 0.1, 1, seed * 13);
        m.unlike = true;
        solve(&m, &a);
        told += a.share[RESET].verdict == BEHAVIOUR_GUILTY;
    }
    print_message("one site of any blocks: %d framed, %d taken for one of single blocks; by many "
                  "epochs %d of 500 told\n",
                  framed[1], framed[0], told);
    assert_true(framed[1] == 0 && framed[0] > 1);
    assert_true(told >= 450);
}

/* Losses that take two behaviours: in proportion to the product of their shares. Beside them
 * everyone loses 80 blocks, so that no behaviour seems to free any. */
static void make_interaction(struct made *m, uint64_t seed, double scale)
{
    make(m, 4, 10, seed);
    for (size_t e = 0; e < m->epochs; e++) {
        double all = 0;
        for (size_t b = 0; b < 4; b++)
            all += (double)m->begun[e][b];
        double both = (double)m->begun[e][RESET] * (double)m->begun[e][HALF_CLOSE] / all;
        m->blocks[e] = llround(both * scale + 80 * all);
        m->bytes[e] = 32 * m->blocks[e];
    }
}

static void a_leak_that_needs_two_behaviours_is_not_separable(void **state)
{
    (void)state;
    int together = 0, told = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct made m;
        struct behaviours_answer a;
        make_interaction(&m, seed, 400);
        solve(&m, &a);
        for (size_t b = 0; b < 4; b++)
            assert_true(a.share[b].blocks > 0);
        assert_true(a.residual_blocks > 1);
        together += a.outcome == BEHAVIOURS_TOGETHER;
        told += behaviours_tell(&a);
    }
    print_message("two behaviours together: %d of 100 not separable, %d pinned on one\n", together,
                  told);
    assert_int_equal(together, 100);
    assert_int_equal(told, 0);
}

static void equal_mixes_tell_nothing(void **state)
{
    (void)state;
    struct made m = {.count = 3, .epochs = 6};
    struct behaviours_answer a;
    for (size_t e = 0; e < m.epochs; e++) {
        uint64_t n = 37 * (e + 3) * (e + 1);
        m.begun[e][0] = m.ended[e][0] = 7 * n;
        m.begun[e][1] = m.ended[e][1] = n;
        m.begun[e][2] = m.ended[e][2] = n;
    }
    lose(&m, m.begun, 1, 1, 64);
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
    for (size_t b = 0; b < 3; b++) {
        assert_int_equal(a.share[b].verdict, BEHAVIOUR_UNSURE);
        assert_true(a.share[b].blocks == 0);
    }
}

static void fewer_epochs_than_behaviours_still_show_the_one_that_fits(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    for (int64_t blocks = 1; blocks <= 2; blocks++) {
        make(&m, 16, 6, 5);
        lose(&m, m.begun, 9, blocks, 64);
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_APART);
        assert_true(a.sparse && a.exact && a.share[0].blocks == 0);
        assert_true(a.share[9].blocks == (double)blocks &&
                    a.share[9].bytes == 64. * (double)blocks);
    }
    lose(&m, m.begun, 3, 1, 64);
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
}

/* Two epochs fit too easily. */
static void the_one_that_fits_has_to_fit_three_epochs(void **state)
{
    (void)state;
    for (size_t epochs = 2; epochs <= 3; epochs++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, epochs, 5);
        lose(&m, m.begun, RESET, 1, 64);
        solve(&m, &a);
        assert_int_equal(a.sparse, epochs == 3);
        assert_int_equal(a.outcome, epochs == 3 ? BEHAVIOURS_APART : BEHAVIOURS_UNTOLD);
    }
}

static void without_a_spare_epoch_chance_is_not_told_from_togetherness(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 2, 2, seed);
        lose_some(&m, RESET, 0.9, 1, seed);
        solve(&m, &a);
        assert_int_equal(a.freedom, 0);
        assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
    }
}

static void five_blocks_convict_no_behaviour(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 4, 10, 5);
    for (size_t e = 3; e < 8; e++) {
        m.blocks[e] = 1;
        m.bytes[e] = 64;
    }
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
}

static void one_behaviour_has_nothing_to_solve(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 1, 4, 5);
    lose(&m, m.begun, 0, 2, 16);
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_SINGLE);
    assert_true(a.share[0].bytes == 32);
}

static void nothing_lost_nothing_said(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 4, 6, 5);
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_NONE);
    assert_true(a.share[RESET].connections > 100);
    solve(&(struct made){.count = 4}, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_NONE);
    m.blocks[2] = 1; /* a block is something */
    m.bytes[2] = 64;
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
}

/* Connections that failed are no clean ones: they have a column of their own. */
static void failures_do_not_spoil_the_others(void **state)
{
    (void)state;
    for (uint64_t failed = 1; failed <= 3; failed += 2) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 4, 8, 21);
        m.count = 5;
        m.begun[4][4] = m.ended[4][4] = failed;
        lose(&m, m.begun, RESET, 1, 64);
        m.blocks[4] += 2;
        m.bytes[4] += 100;
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_APART);
        assert_true(fabs(a.share[RESET].blocks - 1) < 1e-6 && fabs(a.share[CLEAN].blocks) < 1e-6);
        assert_int_equal(a.share[4].connections, failed);
    }
}

static void the_forecast_of_an_epoch_is_its_sum(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    const uint64_t begun[4] = {10, 200, 0, 5}, ended[4] = {0};
    make(&m, 4, 6, 7);
    lose(&m, m.begun, RESET, 2, 64);
    solve(&m, &a);
    struct behaviours_forecast f = behaviours_forecast(&a, begun, ended);
    assert_true(f.blocks == 400 && f.bytes == 400 * 64 && f.blocks_off == 0);
}

static void write_answer(FILE *out, const char *name, const struct made *m)
{
    static const char *const outcomes[] = {
        [BEHAVIOURS_NONE] = "none",         [BEHAVIOURS_SINGLE] = "single",
        [BEHAVIOURS_ALIKE] = "alike",       [BEHAVIOURS_APART] = "apart",
        [BEHAVIOURS_TOGETHER] = "together", [BEHAVIOURS_UNTOLD] = "untold"};
    struct behaviours_answer a;
    solve(m, &a);
    struct behaviours_forecast f = behaviours_forecast(&a, m->begun[0], m->ended[0]);
    fprintf(out, "%s: %s%s%s%s%s, %d spare, scatter " FIGURE ", chance " FIGURE "\n", name,
            outcomes[a.outcome], a.exact ? ", exact" : "", a.by_end ? ", by end" : "",
            a.sparse ? ", sparse" : "", behaviours_tell(&a) ? ", told" : "", a.freedom, a.scatter,
            a.chance);
    fprintf(out,
            "  left " FIGURE " blocks, " FIGURE " bytes; first epoch " FIGURE " +- " FIGURE "\n",
            a.residual_blocks, a.residual_bytes, f.blocks, f.blocks_off);
    for (size_t b = 0; b < a.count; b++) {
        const struct behaviours_share *s = &a.share[b];
        fprintf(out,
                "  %zu of %llu: verdict %d, " FIGURE " +- " FIGURE " blocks, " FIGURE " +- " FIGURE
                " bytes\n",
                b, (unsigned long long)s->connections, (int)s->verdict, s->blocks, s->blocks_error,
                s->bytes, s->bytes_error);
    }
}

static void write_exact(FILE *out)
{
    struct made m;
    make(&m, 4, 7, 11);
    lose(&m, m.ended, RESET, 1, 64);
    write_answer(out, "on leaving", &m);
    make(&m, 4, 6, 7);
    lose(&m, m.begun, CLEAN, 28, 900);
    lose(&m, m.begun, MID_HANDSHAKE, 3, 16);
    write_answer(out, "two, exactly", &m);
    make(&m, 16, 6, 5);
    lose(&m, m.begun, 9, 1, 64);
    write_answer(out, "more behaviours than epochs", &m);
    m.begun_only = true;
    write_answer(out, "more behaviours than epochs, by their beginning", &m);
    make(&m, 16, 6, 5);
    lose(&m, m.ended, 9, 1, 64);
    write_answer(out, "more behaviours than epochs, on leaving", &m);
    m.begun_only = true;
    write_answer(out, "more behaviours than epochs, by the wrong end", &m);
}

static void write_by_chance(FILE *out)
{
    static const struct {
        const char *name;
        size_t epochs, behaviour;
        double chance;
        int64_t clump;
    } cases[] = {
        {"one in ten resets", 10, RESET, 0.1, 1}, {"one in two clean", 8, CLEAN, 0.5, 1},
        {"clumps", 10, RESET, 0.05, 28},          {"a rare one", 10, MID_HANDSHAKE, 0.2, 1},
        {"no spare epoch", 4, RESET, 0.9, 1},     {"one spare epoch", 5, RESET, 0.9, 2},
        {"hardly any", 10, HALF_CLOSE, 0.01, 1},
    };
    struct made m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&m, 4, cases[i].epochs, i + 1);
        lose_some(&m, cases[i].behaviour, cases[i].chance, cases[i].clump, 7 * i + 1);
        write_answer(out, cases[i].name, &m);
        lose_some(&m, (cases[i].behaviour + 1) % 4, cases[i].chance / 2, 1, 7 * i + 2);
        write_answer(out, "  ... and its neighbour half as often", &m);
        m.begun_only = true;
        write_answer(out, "  ... by their beginning alone", &m);
    }
    make_interaction(&m, 3, 400);
    write_answer(out, "together", &m);
}

/* Each figure of an answer, errors and forecasts too. */
static void every_answer_is_as_approved(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write_exact(out);
    write_by_chance(out);
    fclose(out);
    golden_expect("behaviours", text);
    free(text);
}

/* All lose alike, each by chance. */
static void one_rate_for_all_by_chance_is_alike_too(void **state)
{
    (void)state;
    enum { RUNS = 100 };
    int alike = 0, apart = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 2, 12, seed);
        lose_some(&m, CLEAN, 0.5, 1, seed * 13);
        lose_some(&m, RESET, 0.5, 1, seed * 17);
        solve(&m, &a);
        alike += a.outcome == BEHAVIOURS_ALIKE;
        apart += a.outcome == BEHAVIOURS_APART || a.outcome == BEHAVIOURS_NONE;
    }
    print_message("alike by chance: %d of %d said so, %d apart\n", alike, RUNS, apart);
    assert_true(alike >= RUNS * 90 / 100);
    assert_true(apart <= 2);
}

/* ... and two that scatter around rates of their own are apart, though none is innocent. A third
 * that came in the first epoch alone has its figure, too; a fourth never came. */
static void rates_by_chance_of_which_all_are_guilty_are_apart(void **state)
{
    (void)state;
    struct behaviours_answer a;
    struct made m = {.count = 4, .epochs = 6};
    static const int64_t off[6] = {3, -5, 8, 2, -6, 4};
    for (size_t e = 0; e < m.epochs; e++) {
        m.begun[e][0] = e % 2 ? 1000 : 3000;
        m.begun[e][1] = e % 2 ? 3000 : 1000;
        m.begun[e][2] = e ? 0 : 2000;
        m.blocks[e] = (int64_t)(m.begun[e][0] / 2 + m.begun[e][1] / 10 + m.begun[e][2]) + off[e];
        m.bytes[e] = 64 * m.blocks[e];
        memcpy(m.ended[e], m.begun[e], sizeof m.begun[e]);
    }
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_APART);
    assert_false(a.exact);
    static const double rate[] = {0.5, 0.1, 1};
    for (size_t b = 0; b < 3; b++) {
        assert_int_equal(a.share[b].verdict, BEHAVIOUR_GUILTY);
        assert_true(fabs(a.share[b].blocks - rate[b]) < 0.01);
    }
    assert_int_equal(a.share[2].connections, 2000);
    assert_int_equal(a.share[3].connections, 0);
    assert_false(behaviours_tell(&a)); /* there is nobody to compare them with */
}

/* Two behaviours at 0.5 and more or less: chi-square of five degrees is 20.2, or 21.2, and 20.5 is
 * the limit of one in a thousand. Clumps scatter as much more. A seventh epoch makes it six degrees
 * and 22.5: nothing came of none, and of one connection three blocks are 12.5. */
static void rates_are_apart_where_one_for_all_is_refuted(void **state)
{
    (void)state;
    static const struct {
        int64_t apart, clump;
        size_t epochs;
        uint64_t seventh;
        int64_t blocks;
        bool alike;
    } of[] = {{82, 1, 6, 0, 0, true},  {84, 1, 6, 0, 0, false}, {82, 3, 6, 0, 0, true},
              {84, 3, 6, 0, 0, false}, {86, 1, 7, 0, 0, true},  {88, 1, 7, 0, 0, false},
              {56, 1, 7, 1, 3, true},  {60, 1, 7, 1, 3, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct behaviours_answer a;
        struct made m = {.count = 2, .epochs = of[i].epochs};
        for (size_t e = 0; e < 6; e++) {
            m.begun[e][0] = m.ended[e][0] = e % 2 ? 1000 : 3000;
            m.begun[e][1] = m.ended[e][1] = e % 2 ? 3000 : 1000;
            m.blocks[e] = 2000 + (e % 2 ? -of[i].apart : of[i].apart) + (e < 2) - (e > 3);
            m.blocks[e] *= of[i].clump;
        }
        m.begun[6][0] = m.ended[6][0] = of[i].seventh;
        m.blocks[6] = of[i].blocks;
        for (size_t e = 0; e < m.epochs; e++)
            m.bytes[e] = 64 * m.blocks[e];
        solve(&m, &a);
        assert_int_equal(a.outcome, of[i].alike ? BEHAVIOURS_ALIKE : BEHAVIOURS_APART);
        assert_false(a.by_end); /* where either count fits, the beginnings are told */
    }
}

/* As many blocks, but of 64 and of 32 bytes. */
static void whole_numbers_of_unlike_bytes_are_apart(void **state)
{
    (void)state;
    struct behaviours_answer a;
    struct made m;
    make(&m, 2, 4, 9);
    lose(&m, m.begun, 0, 1, 64);
    lose(&m, m.begun, 1, 1, 32);
    solve(&m, &a);
    assert_true(a.exact && a.outcome == BEHAVIOURS_APART);
}

/* Something is to be confirmed where one is guilty and another one, that came at all, isn't. */
static void one_that_is_guilty_is_told_from_those_that_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *verdict; /* Guilty, Innocent, Unsure */
        uint64_t connections[3];
        bool tells;
    } of[] = {{"GIU", {9, 9, 9}, true},  {"GIU", {9, 9, 0}, true},  {"GIU", {9, 0, 9}, true},
              {"GIU", {9, 0, 0}, false}, {"GGU", {9, 9, 0}, false}, {"UIU", {9, 9, 9}, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct behaviours_answer a = {.outcome = BEHAVIOURS_APART, .count = 3};
        for (size_t b = 0; b < 3; b++)
            a.share[b] =
                (struct behaviours_share){.connections = of[i].connections[b],
                                          .verdict = of[i].verdict[b] == 'G'   ? BEHAVIOUR_GUILTY
                                                     : of[i].verdict[b] == 'I' ? BEHAVIOUR_INNOCENT
                                                                               : BEHAVIOUR_UNSURE};
        assert_int_equal(behaviours_tell(&a), of[i].tells);
        a.outcome = BEHAVIOURS_ALIKE;
        assert_false(behaviours_tell(&a));
    }
}

/* Each in an epoch of its own, where one behaviour loses a block, or all but one do by chance. */
static void sixty_four_behaviours_have_room(void **state)
{
    (void)state;
    static uint64_t count[BEHAVIOURS_EPOCHS][BEHAVIOURS_MAX];
    struct behaviours_epoch epoch[BEHAVIOURS_EPOCHS];
    struct behaviours_answer a;
    for (size_t e = 0; e < BEHAVIOURS_EPOCHS; e++) {
        count[e][e] = 10;
        epoch[e] = (struct behaviours_epoch){.begun = count[e], .ended = count[e]};
    }
    const struct behaviours_question q = {
        .count = BEHAVIOURS_MAX, .epochs = BEHAVIOURS_EPOCHS, .epoch = epoch};
    epoch[63].blocks = 10;
    epoch[63].bytes = 640;
    behaviours_solve(&q, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_APART);
    assert_true(a.exact && a.share[63].blocks == 1 && a.share[63].bytes == 64);
    assert_true(behaviours_tell(&a));
    struct behaviours_question few = q; /* epochs: the one that fits */
    few.epochs = 3;
    for (size_t e = 0; e < few.epochs; e++) {
        for (size_t b = 0; b < BEHAVIOURS_MAX; b++)
            count[e][b] = e == 0 || b == 63 ? 10 + e : 11 + b + e;
        epoch[e].blocks = (int64_t)(10 + e);
        epoch[e].bytes = 64 * epoch[e].blocks;
    }
    behaviours_solve(&few, &a);
    assert_true(a.sparse && a.share[63].blocks == 1);
    for (size_t e = 0; e < BEHAVIOURS_EPOCHS; e++)
        epoch[e].blocks = (int64_t)e % 7;
    behaviours_solve(&q, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
    assert_int_equal(a.share[63].verdict, BEHAVIOUR_UNSURE);
}

/* Blocks of 100, 200 and 300 bytes: the error of the bytes goes by the average of all. */
static void the_error_of_bytes_goes_by_the_average_block(void **state)
{
    (void)state;
    struct made m = {.count = 2,
                     .epochs = 3,
                     .begun = {{400, 100}, {100, 400}, {300, 300}},
                     .blocks = {390, 115, 310},
                     .bytes = {39000, 23000, 93000},
                     .begun_only = true};
    struct behaviours_answer a;
    solve(&m, &a);
    assert_false(a.exact);
    assert_true(a.share[0].blocks_error > 0 && a.share[1].blocks_error > 0);
    for (size_t b = 0; b < 2; b++)
        assert_true(fabs(a.share[b].bytes_error / a.share[b].blocks_error - 155000.0 / 815) < 1e-9);
}

/* One block more in the last epoch alone: near to whole numbers isn't whole. */
static void a_single_block_that_does_not_fit_makes_no_answer_exact(void **state)
{
    (void)state;
    for (size_t at = 0; at < 3; at++) {
        struct made m = {.count = 2,
                         .epochs = 3,
                         .begun_only = true,
                         .begun = {{1000, 500}, {500, 1000}, {2000, 1000}},
                         .blocks = {1000, 500, 2000},
                         .bytes = {32000, 16000, 64000}};
        struct behaviours_answer a;
        solve(&m, &a);
        assert_true(a.exact);
        m.blocks[at]++;
        m.bytes[at] += 32;
        solve(&m, &a);
        assert_true(!a.exact && fabs(a.share[0].blocks - 1) < 0.01);
        m.blocks[at]--; /* nor a byte without a block */
        m.bytes[at] -= 31;
        solve(&m, &a);
        assert_false(a.exact);
    }
}

/* The one behaviour that fits has to fit every epoch, in blocks and in bytes. */
static void a_behaviour_that_fits_all_epochs_but_two_is_not_told(void **state)
{
    (void)state;
    for (int bytes = 0; bytes < 2; bytes++) {
        struct made m;
        struct behaviours_answer a;
        make(&m, 16, 6, 5);
        lose(&m, m.begun, 9, 1, 64);
        int64_t *growth = bytes ? m.bytes : m.blocks;
        growth[4]++;
        growth[5]--;
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
        assert_false(a.sparse);
        growth[0]++; /* nor one that fits all but the first */
        growth[4]--;
        growth[5]++;
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_UNTOLD);
        assert_false(a.sparse);
    }
}

/* No behaviour frees what others lose: half a block less for each is no sum over them, nor is a
 * whole one, whichever of them it is. */
static void a_behaviour_that_frees_blocks_is_not_separable(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct made m = {.count = 2, .epochs = 3, .begun_only = true};
        static const uint64_t begun[3][2] = {{1001, 500}, {500, 1002}, {2000, 1002}};
        static const int64_t less[2][3] = {{1752, 499, 3499}, {1502, -2, 2998}};
        int frees = i % 2;
        for (size_t e = 0; e < 3; e++) {
            m.begun[e][!frees] = begun[e][0];
            m.begun[e][frees] = begun[e][1];
            m.blocks[e] = m.bytes[e] = less[i / 2][e];
        }
        struct behaviours_answer a;
        solve(&m, &a);
        assert_int_equal(a.outcome, BEHAVIOURS_TOGETHER);
        assert_true(!a.exact && fabs(a.share[frees].blocks + (i / 2 ? 1 : 0.5)) < 1e-6);
    }
}

/* By their beginnings they came in equal parts, by their ends they didn't. */
static void ends_tell_where_beginnings_are_all_alike(void **state)
{
    (void)state;
    struct made m = {.count = 2,
                     .epochs = 4,
                     .begun = {{500, 500}, {500, 500}, {500, 500}, {500, 500}},
                     .ended = {{600, 400}, {400, 600}, {500, 500}, {700, 300}},
                     .blocks = {303, 199, 251, 348}};
    struct behaviours_answer a;
    solve(&m, &a);
    assert_int_equal(a.outcome, BEHAVIOURS_APART);
    assert_true(a.by_end && !a.exact && fabs(a.share[0].blocks - 0.5) < 0.02);
}

/* Losses of 14 blocks: by accident the first epoch had two of each. */
static void a_loss_of_several_blocks_is_found_from_all_epochs(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 2, 4, 5);
    for (size_t e = 0; e < m.epochs; e++) {
        m.blocks[e] = 14 * (int64_t)(e ? 2 * e + 1 : 2);
        m.bytes[e] = 64 * m.blocks[e];
    }
    solve(&m, &a);
    assert_true(a.scatter >= 14 && a.scatter < 28);
}

/* 1, 2, 4 and 8 blocks: they are lost one by one. */
static void an_epoch_of_one_block_has_single_losses(void **state)
{
    (void)state;
    struct made m;
    struct behaviours_answer a;
    make(&m, 2, 4, 5);
    for (size_t e = 0; e < m.epochs; e++) {
        m.blocks[e] = 1 << e;
        m.bytes[e] = 64 * m.blocks[e];
    }
    solve(&m, &a);
    assert_true(a.scatter == 1);
}

/* What two epochs kept, in 250 connections each; they agree with whatever was solved. */
static bool confirms(const struct behaviours_answer *a, int64_t alone, int64_t without)
{
    const struct behaviours_confirm more = {.connections = 250, .blocks = alone, .agrees = true};
    const struct behaviours_confirm fewer = {.connections = 250, .blocks = without, .agrees = true};
    return behaviours_confirmed(a, &more, &fewer);
}

/* An error that is large enough agrees with anything. Of 10 losses all are in one of two epochs
 * once in 1,024 times, of 9 twice as often. */
static void epochs_that_keep_as_much_confirm_nothing(void **state)
{
    (void)state;
    static const struct {
        int64_t alone, without;
        bool confirmed;
    } of[] = {{646, 687, false}, {687, 646, false}, {125, 125, false}, {2, 3, false},
              {0, 0, false},     {9, 0, false},     {10, 0, true},     {250, 30, true}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct behaviours_answer a = {.count = 2, .scatter = 1};
        a.share[1].blocks = 1;
        assert_int_equal(confirms(&a, of[i].alone, of[i].without), of[i].confirmed);
        a.scatter = 34; /* an object: the blocks of a loss tell as much as one */
        assert_int_equal(confirms(&a, 34 * of[i].alone, 34 * of[i].without), of[i].confirmed);
        a.exact = true;
        a.share[1].blocks = 34;
        assert_int_equal(confirms(&a, 34 * of[i].alone, 34 * of[i].without), of[i].confirmed);
    }
    const struct behaviours_answer exact = {.count = 2, .scatter = 250, .exact = true};
    assert_true(confirms(&exact, 250, 0)); /* the divisor of whole numbers is no scatter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_guilty_behaviour_comes_out_whole),
        cmocka_unit_test(different_losses_of_several_come_out_whole),
        cmocka_unit_test(all_alike_is_said_so),
        cmocka_unit_test(what_is_lost_on_leaving_needs_the_other_count),
        cmocka_unit_test(a_loss_by_chance_has_its_error),
        cmocka_unit_test(what_loses_less_is_never_called_innocent),
        cmocka_unit_test(enough_losses_acquit_the_others),
        cmocka_unit_test(losses_of_several_blocks_scatter_more),
        cmocka_unit_test(objects_of_unlike_numbers_of_blocks_scatter_as_objects),
        cmocka_unit_test(one_site_that_is_many_blames_nobody_by_few_epochs),
        cmocka_unit_test(a_leak_that_needs_two_behaviours_is_not_separable),
        cmocka_unit_test(equal_mixes_tell_nothing),
        cmocka_unit_test(fewer_epochs_than_behaviours_still_show_the_one_that_fits),
        cmocka_unit_test(the_one_that_fits_has_to_fit_three_epochs),
        cmocka_unit_test(without_a_spare_epoch_chance_is_not_told_from_togetherness),
        cmocka_unit_test(five_blocks_convict_no_behaviour),
        cmocka_unit_test(one_behaviour_has_nothing_to_solve),
        cmocka_unit_test(nothing_lost_nothing_said),
        cmocka_unit_test(failures_do_not_spoil_the_others),
        cmocka_unit_test(the_forecast_of_an_epoch_is_its_sum),
        cmocka_unit_test(every_answer_is_as_approved),
        cmocka_unit_test(one_rate_for_all_by_chance_is_alike_too),
        cmocka_unit_test(rates_by_chance_of_which_all_are_guilty_are_apart),
        cmocka_unit_test(rates_are_apart_where_one_for_all_is_refuted),
        cmocka_unit_test(whole_numbers_of_unlike_bytes_are_apart),
        cmocka_unit_test(one_that_is_guilty_is_told_from_those_that_are_not),
        cmocka_unit_test(sixty_four_behaviours_have_room),
        cmocka_unit_test(the_error_of_bytes_goes_by_the_average_block),
        cmocka_unit_test(a_single_block_that_does_not_fit_makes_no_answer_exact),
        cmocka_unit_test(a_behaviour_that_fits_all_epochs_but_two_is_not_told),
        cmocka_unit_test(a_behaviour_that_frees_blocks_is_not_separable),
        cmocka_unit_test(ends_tell_where_beginnings_are_all_alike),
        cmocka_unit_test(a_loss_of_several_blocks_is_found_from_all_epochs),
        cmocka_unit_test(an_epoch_of_one_block_has_single_losses),
        cmocka_unit_test(epochs_that_keep_as_much_confirm_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
