/* SPDX-License-Identifier: Apache-2.0 */
#include "run/sample_log.h"

#include "tests/unit/remove_tree.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAY = 86400, EVERY_CHECKPOINT = 3000 };

static char base[PATH_MAX];
static struct run_dir dir;
static struct sample_log *samples;

static int open_log(void **state)
{
    (void)state;
    struct err e = {""};
    strcpy(base, "/tmp/test_sample_log.XXXXXX");
    if (!mkdtemp(base) || run_dir_open(&dir, base, "long", &e) != 0)
        return -1;
    samples = sample_log_new();
    return samples ? 0 : -1;
}

static int close_log(void **state)
{
    (void)state;
    sample_log_free(samples);
    run_dir_close(&dir);
    return remove_tree(base);
}

static double rss_at(uint64_t second)
{
    return second == 12345 ? 9e9 : 5e6 + (double)(second * 7919 % 997);
}

/* Lines of several lengths. */
static void add_tick(uint64_t second)
{
    char line[128];
    struct err e = {""};
    const struct sample_mark mark = {(double)second + 0.5, {rss_at(second), NAN}};
    snprintf(line, sizeof line, "tick %" PRIu64 " %.*s", second, (int)(second % 32),
             "abcdefghijklmnopqrstuvwxyzabcdef");
    if (sample_log_add(samples, &dir, line, &mark, &e) != 0)
        fail_msg("%s", e.text);
}

static void add_checkpoint(uint64_t second)
{
    char line[64];
    struct err e = {""};
    snprintf(line, sizeof line, "checkpoint %" PRIu64, second);
    assert_int_equal(sample_log_add(samples, &dir, line, NULL, &e), 0);
}

static void add_seconds(uint64_t count)
{
    for (uint64_t second = 0; second < count; second++) {
        add_tick(second);
        if (second % EVERY_CHECKPOINT == 0)
            add_checkpoint(second);
    }
}

static FILE *open_samples(void)
{
    FILE *in = fdopen(openat(dir.fd, "samples.jsonl", O_RDONLY | O_CLOEXEC), "r");
    assert_non_null(in);
    return in;
}

/* What the file has: whole lines in the order of time, and no others. */
struct seen {
    size_t ticks, checkpoints, latest; /* latest: ticks of the last SAMPLE_LOG_RECENT_S */
    bool spike;
};

static struct seen look(uint64_t count)
{
    struct seen s = {0};
    char line[256], kind[16], rest[64];
    uint64_t second, before = 0;
    FILE *in = open_samples();
    while (fgets(line, sizeof line, in)) {
        rest[0] = '\0';
        assert_true(sscanf(line, "%15s %" SCNu64 " %63s", kind, &second, rest) >= 2);
        assert_true(second >= before && line[strlen(line) - 1] == '\n');
        before = second;
        if (strcmp(kind, "tick") != 0) {
            s.checkpoints++;
            continue;
        }
        assert_int_equal(strlen(rest), second % 32);
        s.ticks++;
        s.latest += second + SAMPLE_LOG_RECENT_S > count;
        s.spike |= second == 12345;
    }
    fclose(in);
    return s;
}

static void a_run_of_two_hours_keeps_every_second(void **state)
{
    (void)state;
    add_seconds(7200);
    assert_int_equal(look(7200).ticks, 7200);
}

static void a_long_one_keeps_few_the_extremes_the_latest_and_all_checkpoints(void **state)
{
    (void)state;
    add_seconds(DAY);
    struct seen s = look(DAY);
    assert_in_range(s.ticks, SAMPLE_LOG_MOST / 8, SAMPLE_LOG_MOST);
    assert_int_equal(s.checkpoints, (DAY + EVERY_CHECKPOINT - 1) / EVERY_CHECKPOINT);
    assert_true(s.spike);
    assert_true(s.latest >= SAMPLE_LOG_RECENT_S - 1);
}

/* A reader that opened it before, as `tail` does, has the older one to its end. */
static void a_reader_never_sees_half_a_file(void **state)
{
    (void)state;
    FILE *in = NULL;
    char line[256];
    for (uint64_t second = 0; second < SAMPLE_LOG_MOST; second++) {
        if (second == SAMPLE_LOG_MOST - 1)
            in = open_samples();
        add_tick(second);
    }
    size_t lines = 0;
    while (fgets(line, sizeof line, in))
        lines++;
    fclose(in);
    assert_int_equal(lines, SAMPLE_LOG_MOST);
    assert_true(look(SAMPLE_LOG_MOST).ticks <= SAMPLE_LOG_MOST / 2);
    assert_int_equal(faccessat(dir.fd, ".samples.jsonl.tmp", F_OK, 0), -1);
}

static void what_somebody_else_changed_is_left_alone(void **state)
{
    (void)state;
    struct err e = {""};
    const struct sample_mark mark = {SAMPLE_LOG_MOST, {0, 0}};
    for (uint64_t second = 0; second + 1 < SAMPLE_LOG_MOST; second++)
        add_tick(second);
    assert_int_equal(ftruncate(dir.samples_fd, 0), 0);
    assert_int_equal(sample_log_add(samples, &dir, "x", &mark, &e), -1);
    assert_non_null(strstr(e.text, "samples.jsonl: somebody else has changed it (2 bytes, not "));
    assert_int_equal(lseek(dir.samples_fd, 0, SEEK_END), 2);
}

/* Nothing can be written beside a folder that is gone. */
static void a_file_that_cant_be_replaced_is_an_error_and_stays(void **state)
{
    (void)state;
    struct err e = {""};
    const struct sample_mark mark = {SAMPLE_LOG_MOST, {0, 0}};
    for (uint64_t second = 0; second + 1 < SAMPLE_LOG_MOST; second++)
        add_tick(second);
    off_t before = lseek(dir.samples_fd, 0, SEEK_END);
    assert_int_equal(remove_tree(dir.path), 0);
    assert_int_equal(sample_log_add(samples, &dir, "x", &mark, &e), -1);
    assert_non_null(strstr(e.text, "samples.jsonl: "));
    assert_int_equal(lseek(dir.samples_fd, 0, SEEK_END), before + 2);
}

int main(void)
{
#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, open_log, close_log)
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_run_of_two_hours_keeps_every_second),
        LOG_TEST(a_long_one_keeps_few_the_extremes_the_latest_and_all_checkpoints),
        LOG_TEST(a_reader_never_sees_half_a_file),
        LOG_TEST(what_somebody_else_changed_is_left_alone),
        LOG_TEST(a_file_that_cant_be_replaced_is_an_error_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
