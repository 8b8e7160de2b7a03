/* SPDX-License-Identifier: Apache-2.0 */
/* Who is blamed for what a run lost, from made-up checkpoints: the judge's own view of a site, and
 * what the two epochs of the confirmation have to show. */
#include "base/check.h"
#include "evidence/attribution.h"
#include "page/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLEAN, RESET, FAILED, BEHAVIOURS, SITES = 3, LOSING = 1, BESIDE = 2, SIZE = 32 };

struct made {
    struct page *page; /* the client's */
    struct history *history;
    struct judgement judgement;
    struct attribution *attribution;
    struct snapshot seen;
    struct snapshot_site site[SITES];
    bool beside; /* another site loses as many blocks */
    struct reach_warm_up warm_up;
};

static void open_made(struct made *m, uint64_t clean, uint64_t reset)
{
    static const char *const name[] = {"clean", "reset", "failed"};
    *m = (struct made){.page = calloc(1, sizeof *m->page), .history = history_new()};
    CHECK(m->page && m->history);
    for (size_t b = 0; b < BEHAVIOURS; b++) {
        strcpy(m->page->behaviour[b].name, name[b]);
        m->page->behaviour[b].weight = b == CLEAN ? clean : b == RESET ? reset : 0;
    }
    atomic_store(&m->page->behaviours, BEHAVIOURS);
    m->seen = (struct snapshot){.mode = PAGE_MODE_INACTIVE + 1, .sites = SITES, .site = m->site};
    strcpy(m->site[LOSING].file, "server.c");
    m->site[LOSING].line = 7;
    strcpy(m->site[BESIDE].file, "beside.c");
    m->site[BESIDE].line = 9;
    m->attribution = attribution_new(
        &(struct attribution_subject){.history = m->history, .judgement = &m->judgement}, 1);
    CHECK(m->attribution);
    attribution_start(m->attribution, m->page);
}

static void close_made(struct made *m)
{
    free(m->attribution);
    history_free(m->history);
    free(m->page);
}

static void judge_made(struct made *m)
{
    const struct history_question question = {
        .seed = 1, .handshakes = 100000, .warm_up = m->warm_up};
    history_judge(m->history, &question, &m->judgement);
    attribution_solve(m->attribution);
}

static void set_born(struct made *m, size_t epoch, int64_t blocks)
{
    m->seen.blocks = m->seen.bytes = 0;
    for (size_t i = LOSING; i <= (m->beside ? BESIDE : LOSING); i++) {
        struct snapshot_site *s = &m->site[i];
        s->blocks += blocks - s->born_blocks[epoch];
        s->bytes = s->blocks * SIZE;
        s->born_blocks[epoch] = blocks;
        s->born_bytes[epoch] = blocks * SIZE;
        m->seen.blocks += s->blocks;
        m->seen.bytes += s->bytes;
    }
}

/* The end of an epoch in which so many connections of each behaviour began and ended. */
static void add_epoch(struct made *m, enum plan_step step, const uint64_t *connections,
                      int64_t lost)
{
    size_t c = history_epochs(m->history);
    struct history_sample sample = {.proc = {.threads = 1}};
    for (size_t b = 0; b < BEHAVIOURS; b++) {
        atomic_store(&m->page->behaviour[b].begun[c], connections[b]);
        atomic_store(&m->page->behaviour[b].ended[c], connections[b]);
        m->seen.app.opened += connections[b];
        m->seen.app.closed += connections[b];
    }
    set_born(m, c, lost);
    sample.snapshot = m->seen;
    enum history_phase phase = step == PLAN_WARM      ? HISTORY_WARM
                               : step == PLAN_MEASURE ? HISTORY_MEASURE
                                                      : HISTORY_CONFIRM;
    CHECK(history_checkpoint(m->history, &sample, phase, 1, c + 1) == 0);
    attribution_keep(m->attribution, m->page, step);
    judge_made(m);
}

enum { WARM = 2, MEASURED = 5 };
static const uint64_t came[WARM + MEASURED][BEHAVIOURS] = {
    {100, 100}, {100, 100}, {150, 100}, {100, 150}, {300, 200}, {200, 300}, {600, 400}};

static const uint64_t failing[WARM + MEASURED][BEHAVIOURS] = {
    {100, 100, 50},  {100, 100, 50},  {150, 100, 100}, {100, 150, 50},
    {300, 200, 100}, {200, 300, 200}, {600, 400, 300}};

static const struct behaviours_answer *answer(const struct made *m)
{
    return attribution_answer(m->attribution, 0);
}

/* What the run's own figure loses to clumps, a pause at the end and a longer warm-up, each
 * behaviour's does: where all have an even part of every epoch, that part of the run's figure is
 * left. */
static void a_behaviour_would_have_shown_no_rarer_than_its_part_of_the_run(void **state)
{
    (void)state;
    static const uint64_t of[][BEHAVIOURS] = {{150, 50},  {150, 50},  {300, 100},
                                              {600, 200}, {600, 200}, {600, 200}};
    double shortest = 0;
    for (int longer = 0; longer < 2; longer++) {
        struct made m;
        open_made(&m, 3, 1);
        if (longer)
            m.warm_up = (struct reach_warm_up){.longer = {400}, .left = {.7}};
        for (size_t c = 0; c < sizeof of / sizeof *of; c++)
            add_epoch(&m, c < WARM ? PLAN_WARM : PLAN_MEASURE, of[c], 0);
        double run = m.judgement.sensitivity.one_in;
        double clean = attribution_one_in(m.attribution, 0, CLEAN);
        double reset = attribution_one_in(m.attribution, 0, RESET);
        assert_true(longer ? run < 0.9 * shortest : run > 90);
        shortest = run;
        assert_in_range((uint64_t)(1000 * clean), (uint64_t)(745 * run), (uint64_t)(755 * run));
        assert_in_range((uint64_t)(1000 * reset), (uint64_t)(248 * run), (uint64_t)(252 * run));
        close_made(&m);
    }
}

/* Each connection fills a cache, and a reset keeps its entry from being freed. */
static void what_emptying_a_cache_leaves_is_what_was_lost(void **state)
{
    (void)state;
    struct made m;
    char names[64];
    open_made(&m, 1, 1);
    m.seen.cache[0] = (struct snapshot_cache){.name = "sessions", .capacity = 100000};
    for (size_t c = 0; c < WARM + MEASURED; c++) {
        uint64_t all = came[c][CLEAN] + came[c][RESET];
        m.seen.cache[0].population += all;
        add_epoch(&m, c < WARM ? PLAN_WARM : PLAN_MEASURE, came[c], (int64_t)all);
    }
    assert_false(judgement_leaks(&m.judgement, LOSING)); /* as far as anyone can tell */
    history_drained(m.history, &m.seen);
    for (size_t c = 0; c < WARM + MEASURED; c++)
        set_born(&m, c, (int64_t)came[c][RESET]);
    history_flushed(m.history, &m.seen);
    judge_made(&m);
    assert_true(judgement_leaks(&m.judgement, LOSING));
    assert_int_equal(answer(&m)->outcome, BEHAVIOURS_APART);
    assert_true(answer(&m)->exact);
    assert_true(answer(&m)->share[RESET].blocks == 1 && answer(&m)->share[CLEAN].blocks == 0);
    assert_true(attribution_site(m.attribution, 0, LOSING, names, sizeof names));
    assert_string_equal(names, "reset");
    close_made(&m);
}

/* Two sites that lose a block each time, but for one of them once more, scatter nearly as losses of
 * two blocks do, which no divisor of their sum says. */
static void sites_that_lose_together_scatter_together(void **state)
{
    (void)state;
    static const int64_t lost[WARM + MEASURED] = {5, 3, 7, 11, 19, 31, 43};
    struct made m;
    open_made(&m, 1, 1);
    m.beside = true;
    for (size_t c = 0; c < WARM + MEASURED; c++) {
        add_epoch(&m, c < WARM ? PLAN_WARM : PLAN_MEASURE, came[c], lost[c]);
        if (c != WARM)
            continue;
        m.site[LOSING].born_blocks[c]++;
        m.site[LOSING].blocks++;
    }
    assert_true(judgement_leaks(&m.judgement, LOSING) && judgement_leaks(&m.judgement, BESIDE));
    assert_true(answer(&m)->scatter > 1.99);
    close_made(&m);
}

static void measure(struct made *m, size_t guilty)
{
    for (size_t c = 0; c < WARM + MEASURED; c++)
        add_epoch(m, c < WARM ? PLAN_WARM : PLAN_MEASURE, failing[c], (int64_t)failing[c][guilty]);
}

static bool wants_confirm(const struct made *m)
{
    struct plan_seen seen = {0};
    attribution_seen(m->attribution, 100, &seen);
    return seen.wants_confirm;
}

static void confirm(struct made *m, enum plan_step step, uint64_t clean, uint64_t reset)
{
    const uint64_t connections[BEHAVIOURS] = {clean, reset};
    char words[256];
    attribution_words(m->attribution, &(struct plan_action){.step = step, .opens = 100}, words,
                      sizeof words);
    add_epoch(m, step, connections, (int64_t)reset);
}

/* No connection is told to fail, nor can it be told not to. */
static void what_cannot_be_drawn_is_not_confirmed(void **state)
{
    (void)state;
    static const struct {
        size_t guilty;
        uint64_t clean, reset;
        bool wanted;
    } of[] = {{RESET, 1, 1, true}, {FAILED, 1, 1, false}, {RESET, 0, 1, false}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct made m;
        open_made(&m, of[i].clean, of[i].reset);
        measure(&m, of[i].guilty);
        assert_true(behaviours_tell(answer(&m)));
        assert_int_equal(wants_confirm(&m), of[i].wanted);
        close_made(&m);
    }
}

static void epochs_of_whom_it_blames_confirm_the_answer(void **state)
{
    (void)state;
    struct attribution_confirmation c;
    struct made m;
    open_made(&m, 1, 1);
    measure(&m, RESET);
    confirm(&m, PLAN_CONFIRM_ALONE, 0, 100);
    assert_false(attribution_confirmed(m.attribution, 0, &c));
    confirm(&m, PLAN_CONFIRM_WITHOUT, 100, 0);
    assert_true(attribution_confirmed(m.attribution, 0, &c));
    assert_true(c.confirmed && !c.too_rare && c.alone.guilty == 100 && c.without.guilty == 0);
    close_made(&m);
}

/* ... and nothing when in the end it blames others. */
static void epochs_of_others_confirm_nothing(void **state)
{
    (void)state;
    struct attribution_confirmation c;
    struct made m;
    open_made(&m, 1, 1);
    measure(&m, RESET);
    confirm(&m, PLAN_CONFIRM_ALONE, 0, 100);
    confirm(&m, PLAN_CONFIRM_WITHOUT, 100, 0);
    for (size_t e = 0; e < WARM + MEASURED; e++)
        set_born(&m, e, (int64_t)failing[e][CLEAN]);
    add_epoch(&m, PLAN_MEASURE, failing[0], (int64_t)failing[0][CLEAN]);
    assert_int_equal(answer(&m)->share[CLEAN].verdict, BEHAVIOUR_GUILTY);
    assert_false(attribution_confirmed(m.attribution, 0, &c));
    close_made(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_behaviour_would_have_shown_no_rarer_than_its_part_of_the_run),
        cmocka_unit_test(what_emptying_a_cache_leaves_is_what_was_lost),
        cmocka_unit_test(sites_that_lose_together_scatter_together),
        cmocka_unit_test(what_cannot_be_drawn_is_not_confirmed),
        cmocka_unit_test(epochs_of_whom_it_blames_confirm_the_answer),
        cmocka_unit_test(epochs_of_others_confirm_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
