/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/capture.h"
#include "measure/proc.h"
#include "page/page_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct judgement judged(size_t count, const struct judge_finding *finding)
{
    struct judgement j = {.findings = count};
    memcpy(j.finding, finding, count * sizeof *finding);
    return j;
}

static bool is_wanted(const struct capture *c, uint32_t site)
{
    for (size_t i = 0; i < c->sites; i++) {
        if (c->site[i].site == site)
            return c->site[i].wanted;
    }
    return false;
}

static void sites_that_leak_are_in_doubt_or_may_leak_are_wanted(void **state)
{
    (void)state;
    static struct capture c;
    const struct judge_finding f[] = {{.site = 5, .verdict = VERDICT_LEAK},
                                      {.site = 6, .verdict = VERDICT_PASS},
                                      {.site = SIZE_MAX, .verdict = VERDICT_LEAK},
                                      {.site = PAGE_SITES, .verdict = VERDICT_LEAK},
                                      {.site = 7, .verdict = VERDICT_INCONCLUSIVE},
                                      {.site = 8, .verdict = VERDICT_PASS, .may_leak = true}};
    struct judgement j = judged(6, f);
    capture_choose(&c, &j);
    assert_int_equal(c.sites, 3);
    assert_true(is_wanted(&c, 5) && is_wanted(&c, 7) && is_wanted(&c, 8));
    j.findings = 1;
    capture_choose(&c, &j);
    assert_true(is_wanted(&c, 5) && !is_wanted(&c, 7));
}

static void the_blamed_the_marked_and_the_largest_come_first(void **state)
{
    (void)state;
    static struct capture c;
    struct judge_finding f[20];
    for (size_t i = 0; i < 20; i++)
        f[i] = (struct judge_finding){
            .site = 100 + i, .verdict = VERDICT_LEAK, .bytes = (int64_t)i * 10};
    struct judgement marked = judged(1, &f[1]);
    capture_choose(&c, &marked);
    struct judgement j = judged(20, f);
    capture_choose(&c, &j);
    assert_true(is_wanted(&c, 100));
    assert_true(is_wanted(&c, 101));
    for (uint32_t i = 102; i < 114; i++)
        assert_false(is_wanted(&c, i));
    for (uint32_t i = 114; i < 120; i++)
        assert_true(is_wanted(&c, i));
}

/* Nobody is blamed while nothing leaks: the largest that may goes last all the same. */
static void what_may_leak_comes_after_what_is_in_doubt(void **state)
{
    (void)state;
    static struct capture c;
    struct judge_finding f[CAPTURE_WANTED + 1];
    for (size_t i = 0; i <= CAPTURE_WANTED; i++)
        f[i] = (struct judge_finding){.site = 100 + i, .verdict = VERDICT_INCONCLUSIVE, .bytes = 1};
    f[0] = (struct judge_finding){
        .site = 100, .verdict = VERDICT_PASS, .may_leak = true, .bytes = 1000};
    struct judgement j = judged(CAPTURE_WANTED + 1, f);
    capture_choose(&c, &j);
    assert_false(is_wanted(&c, 100));
    for (uint32_t i = 101; i <= 100 + CAPTURE_WANTED; i++)
        assert_true(is_wanted(&c, i));
}

static void a_site_with_plenty_of_blocks_is_taken_no_further(void **state)
{
    (void)state;
    static struct snapshot_stack stack[] = {{.site = 5}, {.site = 5}, {.site = 6}};
    static struct capture c;
    const struct judge_finding f[] = {{.site = 5, .verdict = VERDICT_LEAK},
                                      {.site = 6, .verdict = VERDICT_LEAK}};
    struct judgement j = judged(2, f);
    c.stacks.count = 3;
    c.stacks.stack = stack;
    stack[0].born_blocks[4] = CAPTURE_PLENTY - 1;
    stack[2].born_blocks[4] = 3;
    capture_choose(&c, &j);
    c.site[0].epochs = c.site[1].epochs = 1 << 4;
    capture_choose(&c, &j);
    assert_true(is_wanted(&c, 5) && is_wanted(&c, 6));
    stack[1].born_blocks[3] = 1;
    capture_choose(&c, &j);
    assert_true(!is_wanted(&c, 5) && is_wanted(&c, 6));
    stack[0].born_blocks[4] = 0;
    capture_choose(&c, &j);
    assert_true(is_wanted(&c, 5));
}

static void known_sites_are_bounded(void **state)
{
    (void)state;
    static struct capture c;
    for (size_t i = 1; i < 100; i++) {
        const struct judge_finding f = {.site = i, .verdict = VERDICT_LEAK};
        struct judgement j = judged(1, &f);
        capture_choose(&c, &j);
    }
    assert_int_equal(c.sites, CAPTURE_KNOWN);
}

static void the_page_says_what_is_wanted(void **state)
{
    (void)state;
    int fd;
    struct page *page;
    assert_int_equal(page_file_make(&fd, &page, NULL), 0);
    struct capture c = {.sites = 2, .site = {{.site = 130, .wanted = true}, {.site = 3}}};
    capture_mark(&c, page, 9);
    assert_true(page->epoch == (page_epoch_word(9) | PAGE_EPOCH_CAPTURES));
    assert_int_equal(page_epoch(page->epoch), 9);
    assert_true(page->capture.wanted[2] == 4 && page->capture.wanted[0] == 0);
    c.site[0].wanted = false;
    capture_mark(&c, page, 10);
    assert_true(page->epoch == page_epoch_word(10) && page->capture.wanted[2] == 0);
    page_file_unmap(page);
    close(fd);
}

/* A page with two stacks of site 5 and the ledger's word on it; epochs 3 and 4 are captured. */
static struct capture kept(uint64_t oldest)
{
    static struct snapshot_site site[8];
    int fd;
    struct page *page;
    assert_int_equal(page_file_make(&fd, &page, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct page_stack *s = &page->capture.stack[i];
        s->site = 5;
        s->frames = 1;
        s->frame[0] = 0x1000 + (uint64_t)i;
        s->ready = 1;
        s->born[3].blocks = 1 + i;
        s->born[3].bytes = 10;
        s->born[4].blocks = 50;
        s->born[4].bytes = 500;
    }
    site[5].born_blocks[2] = 77;
    site[5].born_blocks[3] = 3;
    site[5].born_bytes[3] = 20;
    site[5].born_blocks[4] = 100;
    const struct snapshot snapshot = {.sites = 8, .site = site};
    struct capture c = {.sites = 1, .site = {{.site = 5, .wanted = true, .epochs = 1 << 3}}};
    assert_int_equal(capture_keep(&c, &(struct capture_end){page, &snapshot, 4, oldest}, NULL), 0);
    page_file_unmap(page);
    close(fd);
    return c;
}

static void survivors_are_of_captured_epochs_whose_connections_have_closed(void **state)
{
    (void)state;
    struct capture c = kept(4);
    struct stack_sample *sample;
    assert_true(c.site[0].epochs == (1 << 3 | 1 << 4));
    assert_int_equal(c.site[0].blocks, 3);
    assert_int_equal(c.site[0].bytes, 20);
    assert_int_equal(capture_samples(&c, &sample), 2);
    assert_int_equal(sample[0].blocks, 2);
    assert_int_equal(sample[0].frame[0], 0x1001);
    assert_int_equal(sample[0].epoch, 3);
    assert_int_equal(sample[1].blocks, 1);
    free(sample);
    capture_fini(&c);
    c = kept(3);
    assert_int_equal(capture_samples(&c, &sample), 0);
    free(sample);
    capture_fini(&c);
}

/* Which plugin lay at their addresses follows from it. */
static void survivors_have_the_first_and_the_last_epoch_of_their_birth(void **state)
{
    (void)state;
    for (uint64_t oldest = 4; oldest <= 5; oldest++) {
        struct capture c = kept(oldest);
        struct stack_sample *sample;
        assert_int_equal(capture_samples(&c, &sample), 2);
        assert_int_equal(sample[0].epoch, 3);
        assert_int_equal(sample[0].last, oldest - 1);
        free(sample);
        capture_fini(&c);
    }
}

static void an_early_end_waits_for_survivors_but_not_for_ever(void **state)
{
    (void)state;
    const struct judge_finding f = {.site = 5, .verdict = VERDICT_LEAK};
    struct judgement j = judged(1, &f);
    struct capture c = kept(4);
    assert_true(capture_has_enough(&c, &j));
    capture_fini(&c);
    c = kept(3);
    assert_false(capture_has_enough(&c, &j));
    c.site[0].epochs |= 1 << 5;
    assert_true(capture_has_enough(&c, &j));
    c.sites = 0;
    assert_true(capture_has_enough(&c, &j));
    capture_fini(&c);
}

static void maps_are_copied_up_to_the_last_whole_line(void **state)
{
    (void)state;
    char *all, *part;
    assert_int_equal(maps_read(getpid(), 1 << 20, &all, NULL), 0);
    assert_non_null(strstr(all, "test_capture"));
    assert_int_equal(maps_read(getpid(), 300, &part, NULL), 0);
    assert_in_range(strlen(part), 1, 300);
    assert_int_equal(part[strlen(part) - 1], '\n');
    assert_memory_equal(all, part, 20);
    free(all);
    free(part);
    struct err e;
    assert_int_equal(maps_read(0, 300, &part, &e), -1);
    assert_non_null(strstr(e.text, "/proc/0/maps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_that_leak_are_in_doubt_or_may_leak_are_wanted),
        cmocka_unit_test(the_blamed_the_marked_and_the_largest_come_first),
        cmocka_unit_test(what_may_leak_comes_after_what_is_in_doubt),
        cmocka_unit_test(a_site_with_plenty_of_blocks_is_taken_no_further),
        cmocka_unit_test(known_sites_are_bounded),
        cmocka_unit_test(the_page_says_what_is_wanted),
        cmocka_unit_test(survivors_are_of_captured_epochs_whose_connections_have_closed),
        cmocka_unit_test(survivors_have_the_first_and_the_last_epoch_of_their_birth),
        cmocka_unit_test(an_early_end_waits_for_survivors_but_not_for_ever),
        cmocka_unit_test(maps_are_copied_up_to_the_last_whole_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
