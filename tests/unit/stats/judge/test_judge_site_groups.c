/* SPDX-License-Identifier: Apache-2.0 */
/* Populations that several sites share, by figures written by hand: each bound from both sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge_ask.h"

/* Entries of a cache of a hundred each, made at two places of a file; `second` of each epoch's at
 * the other. Beside them a site of another file that keeps seven blocks of each epoch. */
struct shared {
    size_t count;
    struct judge_finding finding[4];
    bool taken[4];
};

static struct shared judge_shared(struct sim *s)
{
    struct shared found = {0};
    struct judge_context h;
    judge_context_open(&h, sim_evidence(s), RULES_ALL);
    found.count = shared_judge(&h, found.taken, found.finding);
    free(s);
    return found;
}

static struct shared shared(const int64_t second[6], uint64_t capacity,
                            void (*change)(struct sim *))
{
    static const int64_t seven[6] = {7, 7, 7, 7, 7, 7};
    int64_t first[6];
    for (size_t i = 0; i < 6; i++)
        first[i] = 100 - second[i];
    struct sim *s = keeping(first);
    sim_six_site(s, seven);
    sim_six_site(s, second);
    s->lent[SITE + 1].file = "other.c";
    s->e.caches = 1;
    s->cache[0] = (struct judge_cache){.name = "sessions", .capacity = capacity};
    for (size_t c = 0; c <= LAST; c++)
        s->population[0][c] = 40 + (c < FIRST ? 0 : c < 8 ? 100 * (c - 1) : 600);
    for (size_t c = 0; c <= LAST; c++) { /* some were there before */
        for (size_t i = SITE; i <= SITE + 2; i += 2) {
            s->site[i].blocks[c] += 25;
            s->site[i].bytes[c] += 25 * 32;
        }
    }
    s->e.drained = false;
    if (change)
        change(s);
    return judge_shared(s);
}

static const int64_t MORE_AND_MORE[6] = {10, 20, 30, 40, 60, 80};

static void sites_that_share_a_population_are_judged_by_their_sum(void **state)
{
    (void)state;
    struct shared found = shared(MORE_AND_MORE, 1000, NULL);
    assert_int_equal(found.count, 2);
    assert_true(!found.taken[0] && found.taken[1] && !found.taken[2] && found.taken[3]);
    for (size_t i = 0; i < 2; i++) {
        const struct judge_finding *f = &found.finding[i];
        assert_int_equal(f->site, i ? 3 : 1);
        assert_int_equal(f->blocks, i ? 240 : 360);
        assert_int_equal(f->bytes, i ? 240 * 32 : 360 * 32);
        assert_int_equal(f->verdict, VERDICT_PASS);
        assert_int_equal(f->kind, KIND_CACHE_FILLING);
        assert_string_equal(f->why, "grows exactly as sessions does: 640 entries of 1000, full "
                                    "after about 383 more connections at this pace");
    }
    found = shared(MORE_AND_MORE, 639, NULL);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.finding[1].kind, KIND_CACHE_OVER);
    assert_string_equal(found.finding[0].why, "sessions holds 640 entries, 1 more than the 639 it "
                                              "may hold, and goes on");
}

static void another_size(struct sim *s)
{
    for (size_t c = 0; c <= LAST; c++)
        s->site[SITE + 2].bytes[c] *= 2;
}

static void another_file(struct sim *s)
{
    s->lent[SITE + 2].file = "third.c";
}

static void no_cache(struct sim *s)
{
    s->e.caches = 0;
}

/* It grows, and none of its blocks is of a judged epoch. */
static void none_is_born(struct sim *s)
{
    memset(s->site[SITE + 2].live, 0, sizeof s->site[SITE + 2].live);
}

/* Eight off are too many for 300, and not for the sum of 600. */
static void first_is_off(struct sim *s)
{
    s->site[SITE].blocks[5] += 8;
}

static void second_is_off(struct sim *s)
{
    s->site[SITE + 2].blocks[5] += 8;
}

static void what_follows_alone_or_is_no_population_is_judged_alone(void **state)
{
    (void)state;
    static const int64_t none[6] = {0}, half[6] = {50, 50, 50, 50, 50, 50};
    assert_int_equal(shared(MORE_AND_MORE, 1000, another_size).count, 0);
    assert_int_equal(shared(MORE_AND_MORE, 1000, another_file).count, 0);
    assert_int_equal(shared(MORE_AND_MORE, 1000, no_cache).count, 0);
    assert_int_equal(shared(MORE_AND_MORE, 1000, none_is_born).count, 0);
    assert_int_equal(shared(none, 1000, NULL).count, 0);
    assert_int_equal(shared(half, 1000, NULL).count, 0); /* each follows it by itself */
    assert_int_equal(shared(half, 1000, first_is_off).count, 0);
    assert_int_equal(shared(half, 1000, second_is_off).count, 0);
}

/* The drain freed nothing, and emptying the caches all but a tenth of the first site's blocks. */
static void emptied_but_a_tenth(struct sim *s)
{
    s->e.drained = true;
    s->lent[SITE].flushed_blocks = 36;
    s->lent[SITE].flushed_bytes = 36 * 40;
    s->lent[SITE + 2].flushed_blocks = s->lent[SITE + 2].flushed_bytes = 0;
}

static void what_emptying_left_is_said_of_the_site_that_has_it(void **state)
{
    (void)state;
    struct shared found = shared(MORE_AND_MORE, 1000, emptied_but_a_tenth);
    assert_int_equal(found.count, 1);
    assert_true(found.taken[1] && found.taken[3]);
    assert_int_equal(found.finding[0].site, 1);
    assert_int_equal(found.finding[0].verdict, VERDICT_LEAK);
    assert_int_equal(found.finding[0].blocks, 36);
    assert_int_equal(found.finding[0].bytes, 36 * 40);
    assert_true(found.finding[0].per_conn_blocks == 36.0 / 600 &&
                found.finding[0].per_conn_bytes == 36.0 * 40 / 600);
    assert_string_equal(found.finding[0].why,
                        "grows beside sessions: emptying it left 36 of 600 blocks");
}

/* As many objects of a class are alive, one for each block, to a fiftieth. */
static int64_t objects[LAST + 1];

static void class_of_objects(struct sim *s)
{
    s->e.caches = 0;
    s->e.classes = 2;
    s->class_[0] = (struct judge_class){.name = "SSL_CTX", .site = SIZE_MAX};
    s->class_[1] = (struct judge_class){.name = "SSL_SESSION", .site = SIZE_MAX};
    for (size_t c = 0; c <= LAST; c++) {
        s->live[0][c] = 1;
        s->live[1][c] = objects[c];
    }
}

static void emptied(struct sim *s)
{
    emptied_but_a_tenth(s);
    s->lent[SITE].flushed_blocks = s->lent[SITE].flushed_bytes = 0;
}

static void what_emptying_the_caches_freed_was_the_caches(void **state)
{
    (void)state;
    struct shared found = shared(MORE_AND_MORE, 1000, emptied);
    assert_int_equal(found.count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(found.finding[i].verdict, VERDICT_PASS);
        assert_int_equal(found.finding[i].kind, KIND_CACHE_FILLING);
        assert_int_equal(found.finding[i].blocks, i ? 240 : 360);
    }
}

/* 30 before, and so many for so many of the blocks. */
static void objects_for(int64_t made, int64_t blocks)
{
    for (int64_t c = 0; c <= LAST; c++)
        objects[c] = 30 + (c < FIRST ? 0 : c < 8 ? 100 * (c - 1) : 600) * made / blocks;
}

static void a_class_of_objects_is_a_population_too(void **state)
{
    (void)state;
    for (int64_t off = -13; off <= 13; off++) {
        objects_for(1, 1);
        objects[5] += off;
        assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count,
                         llabs(off) <= 12 ? 2 : 0);
        objects_for(1, 2); /* two blocks for each object */
        objects[5] += off;
        assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count, llabs(off) <= 6 ? 2 : 0);
        objects_for(1, 2);
        objects[LAST] += off;
        assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count,
                         off >= -5 && off <= 6 ? 2 : 0);
    }
    objects_for(2, 1); /* two objects for each block */
    assert_int_equal(shared(MORE_AND_MORE, 0, class_of_objects).count, 0);
}

/* What shrinks in another file takes no part in it. */
static void beside_a_shrinking_site(struct sim *s)
{
    class_of_objects(s);
    for (int64_t c = 0; c <= LAST; c++) {
        s->site[SITE + 1].blocks[c] = 100 - 10 * c;
        s->site[SITE + 1].bytes[c] = 32 * (100 - 10 * c);
    }
}

static void a_population_is_of_one_file(void **state)
{
    (void)state;
    objects_for(1, 1);
    struct shared found = shared(MORE_AND_MORE, 0, beside_a_shrinking_site);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.finding[0].verdict, VERDICT_LEAK);
}

/* Three blocks at the one and two at the other, or one less. */
static void five_objects_are_a_population(void **state)
{
    (void)state;
    for (int64_t less = 0; less < 2; less++) {
        static const int64_t first[6] = {1, 0, 1, 0, 1, 0};
        const int64_t second[6] = {0, 1, 0, 1 - less, 0, 0};
        struct sim *s = sim_six(false);
        s->sites = 0; /* nothing but these, the first of all among them */
        sim_six_site(s, first);
        sim_six_site(s, second);
        for (size_t c = 0; c <= LAST; c++)
            objects[c] = 30 + s->site[0].blocks[c] + s->site[1].blocks[c];
        class_of_objects(s);
        struct shared found = judge_shared(s);
        assert_true(found.taken[0] == !less && found.taken[1] == !less);
        assert_int_equal(found.count, less ? 0 : 2);
        for (size_t i = 0; i < found.count; i++) /* at a line: no pool of malloc's */
            assert_int_equal(found.finding[i].verdict, VERDICT_LEAK);
    }
}

static void without_a_warm_up_the_first_epoch_is_summed_up_too(void **state)
{
    (void)state;
    struct sim *s = sim_new(SIM_SIX_CONNS, 7);
    size_t first = sim_site(s, SIM_STATIC, 0, 0), second = sim_site(s, SIM_STATIC, 0, 0);
    for (size_t c = 0; c <= LAST; c++)
        sim_epoch(s, SIM_MEASURE, 100, 1);
    for (size_t c = 0; c <= LAST; c++) {
        s->site[first].live[c] = c % 2 ? 40 : 60;
        s->site[second].live[c] = c % 2 ? 60 : 40;
        s->site[first].blocks[c] = 50 * (int64_t)(c + 1) + (c % 2 ? 0 : 10);
        s->site[second].blocks[c] = 50 * (int64_t)(c + 1) - (c % 2 ? 0 : 10);
        s->site[first].bytes[c] = 32 * s->site[first].blocks[c];
        s->site[second].bytes[c] = 32 * s->site[second].blocks[c];
        objects[c] = 100 * (int64_t)(c + 1);
    }
    class_of_objects(s);
    assert_int_equal(judge_shared(s).count, 2);
}

/* Eight blocks for five objects are nearer to two each than to one. */
static void blocks_of_few_objects_are_rounded(void **state)
{
    (void)state;
    static const int64_t some[6] = {1, 0, 1, 1, 0, 1};
    struct sim *s = sim_six(false);
    s->sites = 0;
    sim_six_site(s, some);
    sim_six_site(s, some);
    for (size_t c = 0; c <= LAST; c++)
        objects[c] = 30 + (s->site[0].blocks[c] * 5 + 3) / 4;
    class_of_objects(s);
    assert_int_equal(judge_shared(s).count, 2);
}

/* ---- which is named first ---- */

/* The site that is blamed of two that grow, one of OpenSSL's with twice the bytes: six blocks of
 * each epoch there, `kept` at the other. */
static size_t blamed(const char *library, const char *other, const int64_t kept[6])
{
    static const int64_t six[6] = {6, 6, 6, 6, 6, 6};
    struct sim *s = sim_six(true);
    struct judgement j;
    size_t theirs = sim_six_site(s, six), own = sim_six_site(s, kept);
    s->site[theirs].size *= 2;
    for (size_t c = 0; c <= LAST + 1; c++)
        s->site[theirs].bytes[c] *= 2;
    s->lent[theirs].file = library;
    s->lent[own].file = other;
    sim_drain(s);
    judge(sim_evidence(s), &j);
    free(s);
    assert_int_equal(j.verdict, VERDICT_LEAK);
    assert_int_equal(j.findings, 2);
    return j.finding[0].site;
}

static void of_as_many_blocks_the_programs_own_line_is_named_first(void **state)
{
    (void)state;
    enum { THEIRS = 1, OWN };
    static const int64_t as_many[6] = {6, 6, 6, 6, 6, 6}, fewer[6] = {6, 6, 6, 6, 6, 5};
    static const char *const libraries[] = {"crypto/stack/stack.c", "../openssl/ssl/ssl_lib.c",
                                            "/src/openssl/providers/a.c"};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        assert_int_equal(blamed(libraries[i], "server/defect.c", as_many), OWN);
        assert_int_equal(blamed(libraries[i], "server/defect.c", fewer), THEIRS);
        assert_int_equal(blamed(libraries[i], "ssl/ssl_sess.c", as_many), THEIRS);
        assert_int_equal(blamed(libraries[i], NULL, as_many), THEIRS);
    }
    assert_int_equal(blamed("openssl/wrapper.c", "server/defect.c", as_many), THEIRS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_as_many_blocks_the_programs_own_line_is_named_first),
        cmocka_unit_test(sites_that_share_a_population_are_judged_by_their_sum),
        cmocka_unit_test(what_follows_alone_or_is_no_population_is_judged_alone),
        cmocka_unit_test(what_emptying_left_is_said_of_the_site_that_has_it),
        cmocka_unit_test(what_emptying_the_caches_freed_was_the_caches),
        cmocka_unit_test(a_class_of_objects_is_a_population_too),
        cmocka_unit_test(a_population_is_of_one_file),
        cmocka_unit_test(five_objects_are_a_population),
        cmocka_unit_test(without_a_warm_up_the_first_epoch_is_summed_up_too),
        cmocka_unit_test(blocks_of_few_objects_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
