/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, and caches of the program's own, by figures written by hand: each bound from both sides.
 * Six epochs of 100 connections are judged, 2 to 7; 38 connections turn them over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

/* ---- tables ---- */

/* A block that is made larger: so many bytes more with each epoch from the first on. */
static struct sim *table(const int64_t more[LAST + 1 - FIRST])
{
    static const int64_t none[6] = {0};
    struct sim *s = keeping(none);
    s->site[SITE].live[0] = 1;
    for (size_t c = 0; c <= LAST; c++) {
        s->site[SITE].blocks[c] = 1;
        s->site[SITE].bytes[c] = c < FIRST ? 100000 : s->site[SITE].bytes[c - 1] + more[c - FIRST];
    }
    return s;
}

static struct said ask_table(const int64_t more[LAST + 1 - FIRST])
{
    return ask(table(more), RULES_ALL);
}

/* The same over a longer run: opens[i] connections in the i-th measured epoch. */
static struct sim *long_table(const uint64_t *opens, const int64_t *more, size_t epochs)
{
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_site(s, SIM_CONN, 7, 1);
    assert_int_equal(sim_site(s, SIM_STATIC, 1, 0), SITE);
    for (size_t c = 0; c < FIRST + epochs; c++)
        sim_epoch(s, c < FIRST ? SIM_WARM : SIM_MEASURE, c < FIRST ? 100 : opens[c - FIRST], 1);
    sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[SITE].bytes[c] =
            c < FIRST ? 100000
                      : s->site[SITE].bytes[c - 1] + (c < FIRST + epochs ? more[c - FIRST] : 0);
    return s;
}

enum { LONG = 16 };
static const uint64_t OPENS_ALIKE[LONG] = {100, 100, 100, 100, 100, 100, 100, 100,
                                           100, 100, 100, 100, 100, 100, 100, 100};

static void one_step_came_once_and_more_are_in_doubt(void **state)
{
    (void)state;
    static const int64_t once[] = {0, 0, 96, 0, 0, 0, 0}, newest[] = {0, 0, 0, 0, 0, 96, 0},
                         last[] = {0, 0, 0, 0, 0, 0, 96}, before[] = {0, 0, 0, 0, 96, 0, 0},
                         two[] = {0, 96, 0, 0, 0, 96, 0}, earlier[] = {0, 96, 0, 0, 96, 0, 0},
                         three[] = {0, 96, 0, 0, 96, 96, 0}, bytes[] = {0, 1, 0, 0, 1, 1, 0};
    struct said said = ask_table(once);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    assert_false(said.wants_more);
    assert_string_equal(said.f.why, "its blocks were made larger by 96 bytes in 1 step, none was "
                                    "added");
    assert_int_equal(said.f.bytes, 96);
    assert_true(said.f.per_conn_blocks == 0 && said.f.per_conn_bytes == 96.0 / 638);
    assert_true(ask_table(newest).wants_more && ask_table(last).wants_more);
    assert_false(ask_table(before).wants_more);
    said = ask_table(two);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask_table(earlier);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    said = ask_table(three);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    assert_string_equal(said.f.why, "its blocks were made larger by 288 bytes in 3 steps, none was "
                                    "added: as a buffer for the largest message may");
    said = ask_table(bytes); /* a byte is a step */
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    assert_non_null(strstr(said.f.why, "larger by 3 bytes in 3 steps"));
}

static void a_step_in_each_epoch_is_a_leak(void **state)
{
    (void)state;
    static const int64_t each[] = {100, 100, 100, 100, 100, 100, 38};
    struct said said = ask_table(each);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    assert_true(said.wants_hold);
    assert_string_equal(said.f.why, "its blocks were made larger by 638 bytes in 7 steps, none was "
                                    "added; they grew in the second half of the run at least half "
                                    "as fast as in the first");
}

/* So many blocks beside one another, of which one is made larger. */
static struct sim *table_of(int64_t blocks, const int64_t more[LAST + 1 - FIRST])
{
    struct sim *s = table(more);
    s->site[SITE].live[0] = blocks;
    for (size_t c = 0; c <= LAST; c++)
        s->site[SITE].blocks[c] = blocks;
    return s;
}

/* 200 connections warm up. All of six epochs of 100 and one of 38 have a step of a buffer for the
 * largest message with 2 / 8! * 38 / 838, six or more with 0.00011; of two such buffers all with
 * 0.00015. */
static void steps_that_come_more_often_than_records_are_a_leak(void **state)
{
    (void)state;
    static const struct {
        int64_t blocks, more[LAST + 1 - FIRST];
        enum verdict verdict;
    } of[] = {{1, {1, 900, 2, 800, 3, 700, 1}, VERDICT_LEAK},
              {1, {1, 900, 2, 800, 3, 700, 0}, VERDICT_INCONCLUSIVE},
              {2, {1, 900, 2, 800, 3, 700, 1}, VERDICT_INCONCLUSIVE}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct said said = ask(table_of(of[i].blocks, of[i].more), RULES_ALL);
        expect(&said, of[i].verdict, KIND_TABLE);
    }
}

/* Of eight epochs of 100 and one of 111 seven or more have a step of such a buffer with 0.0000995;
 * when the last has 113, with 0.0001005. */
static void some_epochs_may_pass_without_a_step(void **state)
{
    (void)state;
    static const int64_t more[LONG] = {1, 900, 0, 2, 800, 1, 0, 3, 900};
    for (uint64_t last = 111; last <= 113; last += 2) {
        const uint64_t opens[LONG] = {100, 100, 100, 100, 100, 100, 100, 100, last};
        struct said said = ask(long_table(opens, more, 9), RULES_ALL);
        expect(&said, last == 111 ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

/* Whatever the number of buffers: ten times nearer to a line through the connections than to one
 * through their roots, in squares (15 and 3), and eight checkpoints or more. */
static void growth_in_proportion_is_a_leak(void **state)
{
    (void)state;
    static const int64_t near[] = {110, 100, 100, 90, 95, 105, 38},
                         off[] = {120, 100, 100, 80, 90, 110, 38},
                         less[] = {500, 414, 366, 330, 304, 282, 100},
                         bytes[] = {4, 5, 4, 5, 4, 5, 1}, fewer[] = {3, 3, 3, 4, 3, 4, 1};
    struct said said = ask(table_of(50, near), RULES_ALL);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    said = ask(table_of(50, off), RULES_ALL);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask(table_of(50, less), RULES_ALL); /* as the root of the connections rises */
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask(table_of(50, bytes), RULES_ALL);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    said = ask(table_of(50, fewer), RULES_ALL);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    for (size_t epochs = 6; epochs <= 7; epochs++) {
        const int64_t alike[LONG] = {100, 100, 100, 100, 100, 100, 100};
        struct sim *s = long_table(OPENS_ALIKE, alike, epochs);
        s->epochs--; /* without the turnover */
        for (size_t c = 0; c < s->epochs; c++)
            s->site[SITE].blocks[c] = 50;
        said = ask(s, RULES_ALL);
        expect(&said, epochs == 7 ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

/* ---- a table that a new block replaces ---- */

#define RULES_ANEW (ONLY(RULE_TABLE) | ONLY(RULE_TABLE_MARKS) | ONLY(RULE_TABLE_ANEW))

/* The block is the newest epoch's, as are those that open connections hold there: `blocks` in all.
 * `kept` of a judged epoch stay. */
static struct sim *anew_of(int64_t blocks, const int64_t more[LAST + 1 - FIRST], int64_t kept)
{
    struct sim *s = table_of(blocks, more);
    s->site[SITE].live[0] = 0;
    s->site[SITE].live[FIRST] = kept;
    s->site[SITE].live[LAST] = blocks - kept;
    s->site[SITE].size = s->site[SITE].bytes[LAST] / blocks;
    return s;
}

static struct said ask_anew_of(int64_t blocks, const int64_t more[LAST + 1 - FIRST], int64_t varies,
                               int64_t kept)
{
    struct sim *s = anew_of(blocks, more, kept);
    for (size_t c = 0; c <= LAST; c++)
        s->site[SITE].bytes[c] += c % 3 == 1 ? varies : 0;
    return ask(s, RULES_ANEW);
}

static struct said ask_anew(const int64_t more[LAST + 1 - FIRST], int64_t varies)
{
    return ask_anew_of(7, more, varies, 0);
}

static void a_table_that_new_blocks_replace_is_told_by_its_line(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    struct said said = ask_anew(each, 0);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    assert_string_equal(said.f.why, "its blocks became larger by 63800 bytes in 7 steps, few were "
                                    "added; they grew in the second half of the run at least half "
                                    "as fast as in the first");
    said = ask_anew(each, 500);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    said = ask_anew(each, 3000); /* it may be another curve, too */
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    assert_false(ask_anew(each, 6000).found);
}

/* Bytes of open connections that move single checkpoints up or down. It is certain where a line is
 * ten times nearer than the other curve, likely where it is twice as near; and it rises beyond
 * chance where that gives so much once in a million. */
static void the_line_of_a_table_stands_out_from_what_else_moves(void **state)
{
    (void)state;
    static const struct {
        int64_t varies;
        bool found;
        enum verdict verdict;
    } of[] = {{-1320, true, VERDICT_LEAK},         {-1321, true, VERDICT_INCONCLUSIVE},
              {-3232, true, VERDICT_INCONCLUSIVE}, {-3233, false, 0},
              {5856, true, VERDICT_INCONCLUSIVE},  {5857, false, 0}};
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct said said = ask_anew(each, of[i].varies);
        if (said.found != of[i].found || (said.found && said.f.verdict != of[i].verdict))
            fail_msg("case %zu: %s", i, said.found ? said.f.why : "nothing");
    }
}

/* Before the measuring it held 180,000 bytes more; until the end it takes 53,800 again. */
static void what_fell_at_once_by_more_than_it_rose_has_not_grown(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    struct sim *s = anew_of(7, each, 0);
    for (size_t c = 0; c < FIRST; c++)
        s->site[SITE].bytes[c] += 180000;
    assert_false(ask(s, RULES_ANEW).found);
}

/* The same over a longer run of epochs of 100. */
static struct sim *long_anew(const int64_t *more, size_t epochs, int64_t bytes)
{
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    sim_site(s, SIM_CONN, 7, 1);
    assert_int_equal(sim_site(s, SIM_STATIC, 7, 0), SITE);
    for (size_t c = 0; c < FIRST + epochs; c++)
        sim_epoch(s, c < FIRST ? SIM_WARM : SIM_MEASURE, 100, 1);
    sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
    for (size_t c = 0; c < s->epochs; c++)
        s->site[SITE].bytes[c] =
            c < FIRST ? bytes
                      : s->site[SITE].bytes[c - 1] + (c < FIRST + epochs ? more[c - FIRST] : 0);
    s->site[SITE].live[0] = 0;
    s->site[SITE].live[s->epochs - 1] = 7;
    s->site[SITE].size = s->site[SITE].bytes[s->epochs - 1] / 7;
    return s;
}

/* What it rose by since is a line, but it is far less than before; whatever a hold adds at the end,
 * which isn't of the connections. */
static void what_fell_for_a_third_of_the_run_has_not_grown(void **state)
{
    (void)state;
    enum { EPOCHS = 30, FALLS = 10 };
    static const struct {
        int64_t fall, held;
        bool found;
    } of[] = {{0, 0, true}, {1000000, 0, false}, {1000000, 20000000, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t more[EPOCHS];
        for (size_t e = 0; e < EPOCHS; e++)
            more[e] = e < FALLS ? -of[i].fall : 10000;
        struct sim *s = long_anew(more, EPOCHS, 50000000);
        size_t hold = s->epochs;
        sim_epoch(s, SIM_HOLD, 0, 1);
        s->site[SITE].blocks[hold] = s->site[SITE].blocks[hold - 1];
        s->site[SITE].bytes[hold] = s->site[SITE].bytes[hold - 1] + of[i].held;
        assert_true(ask(s, RULES_ANEW).found == of[i].found);
    }
}

/* The roots of a million connections and of some more lie on a line as well. */
static void after_a_long_warm_up_the_curve_is_a_line(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    for (uint64_t warm = 100000; warm <= 100000000; warm *= 10) {
        struct sim *s = anew_of(7, each, 0);
        s->epoch[0].opened = warm;
        assert_true(ask(s, RULES_ANEW).found == (warm == 100000));
    }
}

static void epochs_of_one_connection_are_points_of_the_line(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 0, 10000, 10000, 3800};
    struct sim *s = anew_of(7, each, 0);
    s->epoch[MIDDLE + 1].opened = 1;
    for (size_t c = 1; c <= LAST; c += 3)
        s->site[SITE].bytes[c] += 4000;
    struct said said = ask(s, RULES_ANEW);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
}

/* Nor does a checkpoint without connections make chance less likely. */
static void a_hold_is_no_point_of_the_line(void **state)
{
    (void)state;
    enum { HOLD = FIRST + 1, END = LAST + 1 };
    for (int64_t less = 5900; less <= 6000; less += 100) {
        struct sim *s = sim_new(SIM_SIX_CONNS, 7);
        sim_site(s, SIM_CONN, 7, 1);
        assert_int_equal(sim_site(s, SIM_STATIC, 7, 0), SITE);
        for (size_t c = 0; c < END; c++) {
            enum sim_step step = c < FIRST ? SIM_WARM : SIM_MEASURE;
            sim_epoch(s, c == HOLD ? SIM_HOLD : step, c == HOLD ? 0 : 100, 1);
        }
        sim_epoch(s, SIM_MEASURE, SIM_SIX_CONNS + 8, 0.04);
        int64_t bytes = 100000;
        for (size_t c = 0; c < s->epochs; c++) {
            bytes += c < FIRST ? 0 : 100 * (int64_t)s->epoch[c].opened;
            s->site[SITE].bytes[c] = bytes - (c % 3 == 2 ? less : 0);
        }
        s->site[SITE].live[0] = 0;
        s->site[SITE].live[END] = 7;
        s->site[SITE].size = bytes / 7;
        assert_true(ask(s, RULES_ANEW).found == (less == 5900));
    }
}

/* Of 30 blocks with 159,500 bytes three make a quarter of the growth, however small they are
 * themselves: those that stay, or those that came. */
static void three_blocks_of_average_size_make_a_quarter(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    for (int64_t blocks = 30; blocks <= 31; blocks++) {
        for (int64_t came = 0; came <= 3; came += 3) {
            struct sim *s = anew_of(blocks, each, 3 - came);
            s->site[SITE].size = came ? s->site[SITE].size : 1;
            for (size_t c = 0; c <= LAST; c++)
                s->site[SITE].bytes[c] -= 4300;
            for (size_t c = 0; c < FIRST; c++)
                s->site[SITE].blocks[c] -= came;
            assert_true(ask(s, RULES_ANEW).found == (blocks == 31));
        }
    }
}

/* A byte that came with the most of the connections by far, at last, and what three holds add. */
static void a_byte_may_rise_beyond_chance(void **state)
{
    (void)state;
    enum { EPOCHS = 8, HOLDS = 3 };
    static const int64_t none[EPOCHS] = {0};
    for (int64_t byte = 0; byte <= 1; byte++) {
        struct sim *s = long_anew(none, EPOCHS, 100000);
        size_t last = s->epochs - 1;
        s->epoch[last].opened = 10000000;
        s->site[SITE].bytes[last] += byte;
        s->site[SITE].size++;
        for (size_t c = last + 1; c <= last + HOLDS; c++) {
            sim_epoch(s, SIM_HOLD, 0, 1);
            s->site[SITE].blocks[c] = s->site[SITE].blocks[last];
            s->site[SITE].bytes[c] = s->site[SITE].bytes[c - 1] + 5;
        }
        assert_true(ask(s, RULES_ANEW).found == (byte == 1));
    }
}

/* Nothing tells in which blocks the growth is where their number moves with every epoch; while it
 * stays it is in those that are there. */
static void a_number_of_blocks_that_moves_leaves_it_open_which_grew(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    for (int64_t moves = 0; moves <= 1; moves++) {
        struct sim *s = table_of(7, each);
        for (size_t c = FIRST; c < LAST; c += 2)
            s->site[SITE].blocks[c] += moves;
        struct said said = ask(s, RULES_ANEW);
        expect(&said, VERDICT_LEAK, KIND_TABLE);
        assert_non_null(strstr(said.f.why, moves ? "became larger" : "were made larger"));
    }
}

/* 63,800 bytes more, of which two blocks that stay hold a quarter or less. */
static void what_two_blocks_hold_is_a_quarter_of_the_growth(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    for (int64_t size = 7974; size <= 7975; size++) {
        struct sim *s = anew_of(40, each, 2);
        s->site[SITE].size = size;
        assert_true(ask(s, RULES_ANEW).found == (size == 7974));
    }
}

static void what_new_blocks_replace_may_be_a_buffer(void **state)
{
    (void)state;
    static const int64_t less[] = {50000, 41400, 36600, 33000, 30400, 28200, 10000},
                         steps[] = {0, 30000, 0, 0, 30000, 30000, 0};
    assert_false(ask_anew(less, 0).found);
    assert_false(ask_anew(steps, 0).found);
}

/* 63,800 bytes more. Three blocks that stay are the other rules' to judge, unless it is certain;
 * and of 31 blocks with 163,800 bytes three make a quarter of it. */
static void newer_blocks_explain_a_quarter_or_are_the_other_rules(void **state)
{
    (void)state;
    static const int64_t each[] = {10000, 10000, 10000, 10000, 10000, 10000, 3800};
    struct said said = ask_anew_of(7, each, 0, 2);
    assert_false(said.found); /* of which each is as large as the growth */
    said = ask_anew_of(40, each, 3000, 2);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    assert_false(ask_anew_of(40, each, 3000, 3).found);
    said = ask_anew_of(40, each, 0, 3);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    said = ask_anew_of(31, each, 0, 3);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
    assert_false(ask_anew_of(30, each, 0, 3).found);
}

/* Without connections there is no message: a step in a hold is no record. */
static void a_step_in_a_hold_proves_nothing(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++) {
        uint64_t opens[LONG] = {100, 100, 100, 100, hold ? 0 : 100};
        const int64_t more[LONG] = {9, 900, 9, 900, 900};
        struct sim *s = long_table(opens, more, 5);
        s->site[SITE].bytes[s->epochs - 1] += 9;
        struct said said = ask(s, RULES_ALL);
        expect(&said, hold ? VERDICT_INCONCLUSIVE : VERDICT_LEAK, KIND_TABLE);
    }
}

/* But one connection has a message: of 601 the newest needs most with 1/601. */
static void a_step_of_a_single_connection_is_seldom_a_record(void **state)
{
    (void)state;
    static const uint64_t opens[LONG] = {100, 100, 100, 100, 1};
    static const int64_t more[LONG] = {9, 900, 9, 900, 900};
    struct sim *s = long_table(opens, more, 5);
    s->site[SITE].bytes[s->epochs - 1] += 9;
    struct said said = ask(s, RULES_ALL);
    expect(&said, VERDICT_LEAK, KIND_TABLE);
}

/* In the first epoch two blocks became one, so that nothing is known of its bytes: of five others
 * all have a step with 0.00006, four with 0.0008. */
static void epochs_whose_blocks_came_or_went_prove_nothing(void **state)
{
    (void)state;
    static const int64_t more[LONG] = {9, 900, 9, 900, 9};
    for (int64_t last = 0; last <= 9; last += 9) {
        struct sim *s = long_table(OPENS_ALIKE, more, 5);
        for (size_t c = 0; c < FIRST; c++)
            s->site[SITE].blocks[c] = 2;
        s->site[SITE].bytes[s->epochs - 1] += last;
        struct said said = ask(s, RULES_ALL);
        expect(&said, last ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

/* A byte that came with the most of the connections by far lies on a line, whatever holds add. */
static void what_holds_add_is_no_line(void **state)
{
    (void)state;
    static const uint64_t opens[LONG] = {10, 10, 10, 10, 10, 10, 10, 100000};
    for (int64_t byte = 0; byte <= 1; byte++) {
        const int64_t more[LONG] = {0, 0, 0, 0, 0, 0, 0, byte, 5, 5, 5};
        struct said said = ask(long_table(opens, more, 11), RULES_ALL);
        expect(&said, byte ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

static void a_byte_is_growth(void **state)
{
    (void)state;
    static const int64_t once[] = {0, 0, 1, 0, 0, 0, 0}, since[] = {1, -1, 1, 1, 1, 1, 1};
    struct said said = ask_table(once);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    said = ask_table(since);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
}

/* 300 connections in the first half, 338 after it. */
static void a_table_goes_on_at_half_the_pace(void **state)
{
    (void)state;
    static const int64_t half[] = {300, 0, 300, 0, 338, 0, 0}, less[] = {300, 0, 300, 0, 337, 0, 0},
                         middle[] = {300, 0, 0, 300, 37, 0, 0};
    struct said said = ask_table(half);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask_table(less);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
    said = ask_table(middle);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
}

/* 400 connections in the first half and 338 after it, of which 300 are judged. */
static void the_pace_of_a_table_is_by_connection(void **state)
{
    (void)state;
    static const uint64_t opens[] = {400, 100, 100, 100};
    static const int64_t half[] = {1200, 253, 254, 0}, less[] = {1200, 253, 253, 0};
    struct said said = ask(long_table(opens, half, 4), RULES_ALL);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    said = ask(long_table(opens, less, 4), RULES_ALL);
    expect(&said, VERDICT_PASS, KIND_ONE_TIME);
}

static void what_grew_in_the_warm_up_is_no_step(void **state)
{
    (void)state;
    static const int64_t two[] = {0, 96, 0, 0, 0, 96, 0};
    struct sim *s = table(two);
    s->site[SITE].bytes[0] -= 96;
    struct said said = ask(s, RULES_ALL);
    expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
    assert_int_equal(said.f.bytes, 192);
}

/* Two blocks beside it may have come; three are what grew. */
static void bytes_of_new_blocks_are_no_tables(void **state)
{
    (void)state;
    static const int64_t more[] = {96, 96, 96, 96, 96, 96, 0};
    for (int64_t born = 2; born <= 3; born++) {
        struct sim *s = table(more);
        s->site[SITE].live[FIRST] = born;
        struct said said = ask(s, ONLY(RULE_TABLE));
        assert_true(said.found == (born == 2) && said.f.per_conn_blocks == 0);
        s = table(more);
        for (size_t c = MIDDLE; c <= LAST; c++)
            s->site[SITE].blocks[c] += born;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (born == 2));
    }
}

/* What the open connections' own blocks take: the growth is more than a quarter of it, and lies
 * beside it. */
static void buffers_of_open_connections_are_no_table(void **state)
{
    (void)state;
    static const int64_t more[] = {96, 96, 96, 96, 96, 96, 0};
    for (int64_t open = 0; open <= 1; open++) {
        struct sim *s = table(more);
        s->site[SITE].live[LAST] = 1;
        s->site[SITE].size = 4 * 576 - 1 + open;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (open == 0));
        s = table(more);
        for (size_t c = 0; c <= LAST; c++)
            s->site[SITE].bytes[c] += 1000 - 100000;
        s->site[SITE].live[LAST] = 1;
        s->site[SITE].size = 1000 + open;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (open == 0));
        s = table(more); /* the first connections of all are still open */
        s->epoch[0].all_closed = !open;
        s->site[SITE].size = 4 * 576;
        assert_true(ask(s, ONLY(RULE_TABLE)).found == (open == 0));
    }
}

/* What it gave back doesn't count, and one that shrank may go up and down. Steps that come to less
 * than twice the largest fall each are those of what wanders. */
static void a_table_that_shrank_grew_by_what_it_kept(void **state)
{
    (void)state;
    static const int64_t gone[] = {96, 96, 96, 96, 96, 96, -576};
    for (int64_t fall = 227; fall <= 228; fall++) {
        const int64_t back[] = {500, -fall, 500, 500, 500, 500, 0};
        struct said said =
            ask(table(back), ONLY(RULE_TABLE) | ONLY(RULE_TABLE_WANDERS) | ONLY(RULE_TABLE_SHRANK));
        assert_int_equal(said.found, fall == 227);
        if (!said.found)
            continue;
        expect(&said, VERDICT_INCONCLUSIVE, KIND_TABLE);
        assert_string_equal(said.f.why, "its blocks shrank by 227, then grew by 2273 bytes in 5 "
                                        "steps, none was added");
    }
    assert_false(ask_table(gone).found);
}

/* It gives back a third of what each of its steps takes, so that it doesn't wander: six steps since
 * are a doubt, seven a proof. */
static void seven_steps_since_it_shrank_are_proof(void **state)
{
    (void)state;
    for (size_t since = 6; since <= 7; since++) {
        int64_t more[LONG] = {300, 300, -100};
        for (size_t i = 0; i < since; i++)
            more[3 + i] = 300;
        struct said said = ask(long_table(OPENS_ALIKE, more, 3 + since), RULES_ALL);
        expect(&said, since == 7 ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

/* Where the falls are as large as the steps five since the last are a doubt, up to the newest
 * epoch. */
static void five_steps_since_a_large_fall_are_a_doubt(void **state)
{
    (void)state;
    for (size_t since = 4; since <= 5; since++) {
        for (size_t still = 0; still <= 2; still++) {
            int64_t more[LONG] = {300, 300, -300};
            for (size_t i = 0; i < since; i++)
                more[3 + i] = 300;
            struct said said =
                ask(long_table(OPENS_ALIKE, more, 3 + since + still),
                    ONLY(RULE_TABLE) | ONLY(RULE_TABLE_WANDERS) | ONLY(RULE_TABLE_SHRANK));
            assert_int_equal(said.found, since == 5 && still == 0);
        }
    }
}

/* Thirteen steps of 300 and one of `last`, while what came and went with blocks of open connections
 * fell by 150 at most: twice that is no less than a step, unless chance makes so many. */
static bool counts_beside_falls(size_t steps, int64_t last)
{
    int64_t more[LONG] = {0};
    for (size_t i = 0; i < steps; i++)
        more[2 + i] = i + 1 < steps ? 300 : last;
    struct sim *s = long_table(OPENS_ALIKE, more, steps + 2);
    s->site[SITE].blocks[FIRST] = 2;
    s->site[SITE].bytes[FIRST - 1] += 150;
    for (size_t c = 0; c < FIRST - 1; c++)
        s->site[SITE].bytes[c] += 150;
    return ask(s, ONLY(RULE_TABLE) | ONLY(RULE_TABLE_WANDERS)).found;
}

static void fourteen_steps_and_no_fall_are_beyond_chance(void **state)
{
    (void)state;
    assert_false(counts_beside_falls(13, 300));
    assert_true(counts_beside_falls(13, 301));
    assert_true(counts_beside_falls(14, 300));
}

/* 16 bytes for an entry of a cache that the user knows of. */
static void an_index_of_an_expected_cache_is_in_doubt(void **state)
{
    (void)state;
    for (int64_t over = 0; over < 2; over++) {
        const int64_t more[] = {96, 96, 96, 96, 96, 96 + over, 32};
        struct sim *s = table(more);
        s->e.expected = 38;
        struct said said = ask(s, RULES_ALL);
        expect(&said, over ? VERDICT_LEAK : VERDICT_INCONCLUSIVE, KIND_TABLE);
    }
}

/* 16 bytes for each of nine connections in each of several processes: 288 for two. */
static void a_table_that_processes_share_is_in_doubt(void **state)
{
    (void)state;
    static const struct {
        uint64_t processes;
        int64_t each, last;
        enum verdict verdict;
        const char *why;
    } of[] = {{2, 45, 45, VERDICT_INCONCLUSIVE, "connections in 2 processes take"},
              {2, 45, 46, VERDICT_LEAK, "at least half as fast as in the first"},
              {1, 24, 24, VERDICT_LEAK, "at least half as fast as in the first"},
              {1, 20, 20, VERDICT_LEAK, "at least half as fast as in the first"}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const int64_t more[] = {of[i].each, of[i].each, of[i].each, of[i].each,
                                of[i].each, of[i].last, 18};
        struct sim *s = table(more);
        s->e.held = 9;
        s->e.processes = of[i].processes;
        struct said said = ask(s, RULES_ALL);
        expect(&said, of[i].verdict, KIND_TABLE);
        assert_non_null(strstr(said.f.why, of[i].why));
    }
}

/* An entry of 8 bytes for each descriptor and two more, in a table that doubles from 16 on; each
 * thread may have one. */
static void a_table_of_descriptors_is_as_large_as_it_must_be(void **state)
{
    (void)state;
    static const struct {
        int64_t step;
        uint64_t descriptors;
        double threads;
        bool bounded;
    } of[] = {{128, 14, 0, true},  {256, 14, 0, false}, {256, 15, 0, true},  {256, 30, 0, true},
              {512, 30, 0, false}, {512, 31, 0, true},  {384, 14, 0, false}, {384, 14, 3, true},
              {512, 14, 3, false}, {120, 14, 0, false}, {128, 0, 0, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const int64_t more[] = {0, of[i].step, 0, 0, 0, 0, 0};
        struct sim *s = table(more);
        s->e.descriptors = of[i].descriptors;
        double *other = sim_gauge(s, METRIC_OPEN_FILES, 0),
               *threads = sim_gauge(s, METRIC_THREADS, 0);
        for (size_t k = 0; k < SIM_EPOCHS; k++) {
            other[k] = 99;
            threads[k] = k == 5 ? of[i].threads : k < s->gauge[1].count ? 1 : 99;
        }
        struct said said = ask(s, RULES_ALL);
        expect(&said, VERDICT_PASS, of[i].bounded ? KIND_CACHE_BOUNDED : KIND_ONE_TIME);
        if (i == 0)
            assert_string_equal(said.f.why,
                                "its blocks were made larger by 128 bytes in 1 step, none was "
                                "added: no more than a table of 14 file descriptors takes");
    }
}

/* ---- caches of the program's own, and texts of errors ---- */

/* 300 of the site's blocks since the first checkpoint, one or two for a connection. */
static void an_expected_cache_has_room_for_what_grew(void **state)
{
    (void)state;
    static const struct {
        int64_t each;
        uint64_t expected;
        const char *why;
    } of[] = {{1, 600,
               "600 of the 600 entries of --expect-cache; full after about 0 more "
               "connections"},
              {1, 599, NULL},
              {1, 0, NULL},
              {2, 605,
               "600 of the 605 entries of --expect-cache; full after about 5 more "
               "connections"},
              {2, 599, NULL}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        int64_t kept[6];
        for (size_t k = 0; k < 6; k++)
            kept[k] = 100 * of[i].each;
        struct sim *s = keeping(kept);
        s->e.expected = of[i].expected;
        struct said said = ask(s, ONLY(RULE_EXPECTED));
        assert_int_equal(said.found, of[i].why != NULL);
        if (!said.found)
            continue;
        expect(&said, VERDICT_INCONCLUSIVE, KIND_CACHE_FILLING);
        assert_string_equal(said.f.why, of[i].why);
    }
}

/* One loss for two connections: twice as many have to come until it is full. */
static void an_expected_cache_that_fills_seldom_is_full_later(void **state)
{
    (void)state;
    static const int64_t kept[6] = {50, 50, 50, 50, 50, 50};
    struct sim *s = keeping(kept);
    s->e.expected = 400;
    struct said said = ask(s, ONLY(RULE_EXPECTED));
    assert_string_equal(said.f.why, "300 of the 400 entries of --expect-cache; full after about "
                                    "200 more connections");
}

static void sixteen_texts_for_each_thread_are_a_queue_of_errors(void **state)
{
    (void)state;
    static const int64_t kept[6] = {3, 3, 3, 3, 2, 2};
    static const char *const file[] = {"crypto/err/err_blocks.c", "../crypto/err/err_blocks.c",
                                       "crypto/err/err_blocks.cc", "rr_blocks.c"};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        struct sim *s = keeping(kept);
        s->lent[SITE].file = file[i];
        struct said said = ask(s, ONLY(RULE_ERROR_QUEUE));
        assert_int_equal(said.found, i < 2);
        if (i == 0)
            assert_string_equal(said.f.why, "texts of OpenSSL's error queues: 16, and there is "
                                            "room for 16 in each of 1 threads");
    }
    struct sim *s = keeping(kept);
    s->lent[SITE].file = file[0];
    s->site[SITE].blocks[LAST] = 17;
    assert_false(ask(s, ONLY(RULE_ERROR_QUEUE)).found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_came_once_and_more_are_in_doubt),
        cmocka_unit_test(a_step_in_each_epoch_is_a_leak),
        cmocka_unit_test(steps_that_come_more_often_than_records_are_a_leak),
        cmocka_unit_test(some_epochs_may_pass_without_a_step),
        cmocka_unit_test(growth_in_proportion_is_a_leak),
        cmocka_unit_test(a_table_that_new_blocks_replace_is_told_by_its_line),
        cmocka_unit_test(the_line_of_a_table_stands_out_from_what_else_moves),
        cmocka_unit_test(what_fell_at_once_by_more_than_it_rose_has_not_grown),
        cmocka_unit_test(what_fell_for_a_third_of_the_run_has_not_grown),
        cmocka_unit_test(after_a_long_warm_up_the_curve_is_a_line),
        cmocka_unit_test(epochs_of_one_connection_are_points_of_the_line),
        cmocka_unit_test(a_hold_is_no_point_of_the_line),
        cmocka_unit_test(three_blocks_of_average_size_make_a_quarter),
        cmocka_unit_test(a_byte_may_rise_beyond_chance),
        cmocka_unit_test(a_number_of_blocks_that_moves_leaves_it_open_which_grew),
        cmocka_unit_test(what_two_blocks_hold_is_a_quarter_of_the_growth),
        cmocka_unit_test(what_new_blocks_replace_may_be_a_buffer),
        cmocka_unit_test(newer_blocks_explain_a_quarter_or_are_the_other_rules),
        cmocka_unit_test(a_step_in_a_hold_proves_nothing),
        cmocka_unit_test(a_step_of_a_single_connection_is_seldom_a_record),
        cmocka_unit_test(epochs_whose_blocks_came_or_went_prove_nothing),
        cmocka_unit_test(what_holds_add_is_no_line),
        cmocka_unit_test(a_byte_is_growth),
        cmocka_unit_test(a_table_goes_on_at_half_the_pace),
        cmocka_unit_test(the_pace_of_a_table_is_by_connection),
        cmocka_unit_test(what_grew_in_the_warm_up_is_no_step),
        cmocka_unit_test(bytes_of_new_blocks_are_no_tables),
        cmocka_unit_test(buffers_of_open_connections_are_no_table),
        cmocka_unit_test(a_table_that_shrank_grew_by_what_it_kept),
        cmocka_unit_test(seven_steps_since_it_shrank_are_proof),
        cmocka_unit_test(five_steps_since_a_large_fall_are_a_doubt),
        cmocka_unit_test(fourteen_steps_and_no_fall_are_beyond_chance),
        cmocka_unit_test(an_index_of_an_expected_cache_is_in_doubt),
        cmocka_unit_test(a_table_that_processes_share_is_in_doubt),
        cmocka_unit_test(a_table_of_descriptors_is_as_large_as_it_must_be),
        cmocka_unit_test(an_expected_cache_has_room_for_what_grew),
        cmocka_unit_test(an_expected_cache_that_fills_seldom_is_full_later),
        cmocka_unit_test(sixteen_texts_for_each_thread_are_a_queue_of_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
