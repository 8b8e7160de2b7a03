/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/heap.h"
#include "probe/heap_profile.h"
#include "probe/probe.h"
#include "profile/heap_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS = 1000, BYTES = 48 };

static int start(void **state)
{
    (void)state;
    const struct probe_options off = {.ledger = false};
    return probe_start(-1, &off, NULL);
}

static __attribute__((noinline)) void lose(size_t size)
{
    for (volatile int i = 0; i < BLOCKS; i++) {
        void *block = malloc(size);
        __asm__ volatile("" : : "r"(block) : "memory");
    }
}

/* A settle of a process with one thread: what the server does on such a line. */
static void settle(const char *line)
{
    heap_profile_begin(line);
    probe_thread_flush();
    heap_profile_end();
}

static struct heap_dump dump(const char *word)
{
    struct heap_dump d;
    struct err e = {{0}};
    char line[128];
    static char text[1 << 20];
    int fd = memfd_create("dump", 0);
    assert_true(fd >= 0);
    snprintf(line, sizeof line, "settle id=1 heap=%s file=/proc/%d/fd/%d", word, (int)getpid(), fd);
    settle(line);
    ssize_t length = pread(fd, text, sizeof text, 0);
    close(fd);
    assert_true(length > 0);
    assert_int_equal(heap_dump_parse(text, (size_t)length, &d, &e), 0);
    return d;
}

/* Blocks of all stacks whose blocks have this size. */
static int64_t blocks_of(const struct heap_dump *d, int64_t size)
{
    int64_t blocks = 0;
    for (size_t i = 0; i < d->stacks; i++) {
        if (d->stack[i].blocks && d->stack[i].bytes / d->stack[i].blocks == size)
            blocks += d->stack[i].blocks;
    }
    return blocks;
}

static pthread_barrier_t gate;

/* A thread that had begun to count towards its next sample before the profile started. */
static void *lose_in_a_thread(void *unused)
{
    (void)unused;
    free(malloc(BYTES));
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    probe_thread_flush();
    lose(BYTES);
    return NULL;
}

static void every_block_since_the_start_is_counted_on_every_thread(void **state)
{
    (void)state;
    pthread_t thread;
    pthread_barrier_init(&gate, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, lose_in_a_thread, NULL), 0);
    pthread_barrier_wait(&gate);
    lose(BYTES);
    settle("settle id=1 heap=start");
    struct heap_dump first = dump("dump");
    assert_int_equal(blocks_of(&first, BYTES), 0);
    pthread_barrier_wait(&gate);
    pthread_join(thread, NULL);
    lose(BYTES);
    struct heap_dump last = dump("stop"), growth;
    lose(BYTES);
    assert_int_equal(heap_dump_growth(&first, &last, &growth, NULL), 0);
    assert_int_equal(blocks_of(&growth, BYTES), 2 * BLOCKS);
    assert_true(growth.stacks >= 2);
    heap_dump_free(&first);
    heap_dump_free(&last);
    heap_dump_free(&growth);
}

static void after_the_stop_nothing_is_added(void **state)
{
    (void)state;
    settle("settle id=1 heap=start");
    struct heap_dump before = dump("stop");
    lose(BYTES);
    struct heap_dump after = dump("dump");
    assert_int_equal(blocks_of(&after, BYTES), blocks_of(&before, BYTES));
    heap_dump_free(&before);
    heap_dump_free(&after);
}

static void a_line_without_the_word_does_nothing(void **state)
{
    (void)state;
    settle("settle id=1");
    settle("settle id=2 heap=other");
    settle("settle id=3 heap=dump");
}

int main(void)
{
    const struct CMUnitTest with[] = {
        cmocka_unit_test(every_block_since_the_start_is_counted_on_every_thread),
        cmocka_unit_test(after_the_stop_nothing_is_added),
        cmocka_unit_test(a_line_without_the_word_does_nothing),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(a_line_without_the_word_does_nothing),
    };
    return heap_present() ? cmocka_run_group_tests_name("with jemalloc", with, start, NULL)
                          : cmocka_run_group_tests_name("without jemalloc", without, start, NULL);
}
