/* SPDX-License-Identifier: Apache-2.0 */
/* The allocation that is to fail does so once, and no other. */
#include "page/page_file.h"
#include "page/snapshot.h"
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(void **state)
{
    (void)state;
    int fd;
    struct page *page;
    const struct probe_options on = {.ledger = true};
    if (page_file_make(&fd, &page, NULL) != 0)
        return -1;
    page->epoch = PAGE_EPOCH_FAILS;
    return probe_start(fd, &on, NULL);
}

static struct page_fail *plan_of_page(void)
{
    return &probe_page()->fail;
}

/* Allocation `nth` of connection `connection` (from 1) is to fail. */
static void plan(uint64_t connection, uint64_t nth)
{
    plan_of_page()->connection = connection;
    plan_of_page()->nth = nth;
    plan_of_page()->failed = 0;
}

/* Asks for `count` blocks, and tells which weren't given: a bit for each. */
static unsigned ask(unsigned count)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        void *block = CRYPTO_malloc(10 + i, "ask.c", 1 + (int)i);
        refused |= block ? 0 : 1u << i;
        CRYPTO_free(block, "ask.c", 100);
    }
    return refused;
}

static void the_allocation_of_that_number_fails_and_no_other(void **state)
{
    (void)state;
    plan(8, 3);
    probe_on_connection(7);
    assert_int_equal(ask(6), 1u << 2);
    assert_int_equal(plan_of_page()->asked, 6);
    assert_int_equal(plan_of_page()->failed, 1);
    assert_int_equal(plan_of_page()->size, 12);
    const struct page_site *site = &probe_page()->site[plan_of_page()->site];
    assert_string_equal(site->file, "ask.c");
    assert_int_equal(site->line, 3);
    assert_true(plan_of_page()->stack.frames > 1);
}

static void another_connections_allocations_are_neither_counted_nor_failed(void **state)
{
    (void)state;
    plan(8, 2);
    probe_on_connection(6);
    assert_int_equal(ask(3), 0);
    probe_on_connection(7);
    assert_int_equal(ask(1), 0);
    assert_int_equal(plan_of_page()->asked, 1);
    probe_on_connection(8);
    assert_int_equal(ask(3), 0);
    assert_int_equal(plan_of_page()->asked, 1);
    assert_int_equal(plan_of_page()->failed, 0);
}

static void without_a_number_they_are_only_counted(void **state)
{
    (void)state;
    plan(8, 0);
    probe_on_connection(7);
    assert_int_equal(ask(5), 0);
    assert_int_equal(plan_of_page()->asked, 5);
    assert_int_equal(plan_of_page()->failed, 0);
}

static void a_realloc_that_fails_leaves_the_block(void **state)
{
    (void)state;
    struct snapshot before, after;
    plan(8, 2);
    probe_on_connection(7);
    char *block = CRYPTO_malloc(8, "grow.c", 1);
    memcpy(block, "content", 8);
    assert_int_equal(snapshot_read(probe_page(), &before, NULL), 0);
    assert_null(CRYPTO_realloc(block, 4000, "grow.c", 2));
    assert_int_equal(snapshot_read(probe_page(), &after, NULL), 0);
    assert_string_equal(block, "content");
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.reallocs, before.reallocs);
    block = CRYPTO_realloc(block, 4000, "grow.c", 3);
    assert_string_equal(block, "content");
    CRYPTO_free(block, "grow.c", 4);
    snapshot_free(&before);
    snapshot_free(&after);
}

static void what_was_refused_is_in_no_count(void **state)
{
    (void)state;
    struct snapshot before, after;
    plan(8, 1);
    probe_on_connection(7);
    assert_int_equal(snapshot_read(probe_page(), &before, NULL), 0);
    assert_int_equal(ask(1), 1);
    assert_int_equal(snapshot_read(probe_page(), &after, NULL), 0);
    assert_int_equal(after.allocs, before.allocs);
    assert_int_equal(after.blocks, before.blocks);
    snapshot_free(&before);
    snapshot_free(&after);
}

static void a_subject_that_was_not_asked_to_never_fails(void **state)
{
    (void)state;
    probe_page()->epoch = 0;
    plan(8, 1);
    probe_on_connection(7);
    assert_int_equal(ask(4), 0);
    assert_int_equal(plan_of_page()->failed, 0);
    probe_page()->epoch = PAGE_EPOCH_FAILS;
}

/* A fork has the page in common with its parent. */
static void a_signal_that_ends_the_process_leaves_its_stack(void **state)
{
    (void)state;
    int status;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: a sanitizer catches the signal\n");
    skip();
#endif
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        abort();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(probe_page()->crash.signal, WTERMSIG(status));
    assert_true(probe_page()->crash.stack.frames > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_allocation_of_that_number_fails_and_no_other),
        cmocka_unit_test(another_connections_allocations_are_neither_counted_nor_failed),
        cmocka_unit_test(without_a_number_they_are_only_counted),
        cmocka_unit_test(a_realloc_that_fails_leaves_the_block),
        cmocka_unit_test(what_was_refused_is_in_no_count),
        cmocka_unit_test(a_subject_that_was_not_asked_to_never_fails),
        cmocka_unit_test(a_signal_that_ends_the_process_leaves_its_stack),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
