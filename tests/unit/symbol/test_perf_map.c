/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/perf_map.h"

#include "base/rng.h"
#include "symbol/symbol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct perf_map *m, const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    perf_map_add(m, copy, strlen(text));
    free(copy);
}

static struct perf_map *map_of(const char *text)
{
    struct perf_map *m = perf_map_new();
    assert_non_null(m);
    add(m, text);
    return m;
}

static void assert_name(const struct perf_map *m, uint64_t address, const char *name)
{
    const char *found = perf_map_find(m, address);
    if (!name)
        assert_null(found);
    else if (!found)
        fail_msg("%" PRIx64 " has no name, wanted %s", address, name);
    else
        assert_string_equal(found, name);
}

static void an_address_has_the_name_around_it(void **state)
{
    (void)state;
    struct perf_map *m = map_of("2000 100 second\n"
                                "0x0000000000001000 0x0000000000000080 first\n");
    assert_int_equal(perf_map_count(m), 2);
    assert_name(m, 0xfff, NULL);
    assert_name(m, 0x1000, "first");
    assert_name(m, 0x107f, "first");
    assert_name(m, 0x1080, NULL);
    assert_name(m, 0x2001, "second");
    assert_name(m, 0x2100, NULL);
    assert_name(m, UINT64_MAX, NULL);
    perf_map_free(m);
}

static void the_later_line_is_right_where_two_overlap(void **state)
{
    (void)state;
    struct perf_map *m = map_of("1000 1000 old wide\n"
                                "1100 100 newer inside\n"
                                "1800 1000 newest, beyond the end\n"
                                "1000 10 replaced\n"
                                "1000 10 replacement\n");
    assert_name(m, 0x1008, "replacement");
    assert_name(m, 0x1010, "old wide");
    assert_name(m, 0x1180, "newer inside");
    assert_name(m, 0x1200, "old wide");
    assert_name(m, 0x1900, "newest, beyond the end");
    assert_name(m, 0x27ff, "newest, beyond the end");
    perf_map_free(m);
}

static void what_an_earlier_reading_named_stays(void **state)
{
    (void)state;
    struct perf_map *m = map_of("1000 100 compiled first\n"
                                "3000 100 thrown away\n");
    add(m, "1000 100 compiled in its place\n");
    assert_name(m, 0x1000, "compiled in its place");
    assert_name(m, 0x3000, "thrown away");
    for (int i = 0; i < 100; i++)
        add(m, "1000 100 compiled in its place\n");
    assert_int_equal(perf_map_count(m), 2);
    perf_map_free(m);
}

static void java_methods_are_named_without_their_types(void **state)
{
    (void)state;
    struct perf_map *m =
        map_of("1000 10 long io.netty.internal.tcnative.SSL.newSSL(long, boolean)\n"
               "2000 10 void Outer$Inner.<init>()\n"
               "3000 10 JS:*answer /srv/app (old)/index.js:12:3\n"
               "4000 10 RegExp:(a b)\n"
               "5000 10 Interpreter\n"
               "6000 10 StubRoutines (1)\n");
    assert_name(m, 0x1000, "io.netty.internal.tcnative.SSL.newSSL");
    assert_name(m, 0x2000, "Outer$Inner.<init>");
    assert_name(m, 0x3000, "JS:*answer /srv/app (old)/index.js:12:3");
    assert_name(m, 0x4000, "RegExp:(a b)");
    assert_name(m, 0x5000, "Interpreter");
    assert_name(m, 0x6000, "StubRoutines (1)");
    perf_map_free(m);
}

static void lines_of_another_form_are_passed_over(void **state)
{
    (void)state;
    struct perf_map *m = map_of("\n"
                                "1000\n"
                                "1000 10\n"
                                "1000 10 \n"
                                "-1000 10 minus\n"
                                " 1000 10 blank first\n"
                                "1000 0 no code\n"
                                "wxyz 10 no number\n"
                                "1000 1o name\n"
                                "1000\t10\ttabs\n"
                                "fffffffffffffff0 100 beyond the end\n"
                                "10000000000000000 10 no such address\n"
                                "2000 10 right\n"
                                "3000 10 cut while it was writ");
    assert_int_equal(perf_map_count(m), 1);
    assert_name(m, 0x2000, "right");
    perf_map_free(m);
}

static void names_are_printable_and_bounded(void **state)
{
    (void)state;
    char text[4 * PERF_MAP_NAME];
    size_t head = (size_t)sprintf(text, "1000 10 \x1b[2J\x07");
    memset(text + head, 'x', 3 * PERF_MAP_NAME);
    memcpy(text + head + 3 * PERF_MAP_NAME, "\n", 2);
    struct perf_map *m = map_of(text);
    const char *name = perf_map_find(m, 0x1000);
    assert_non_null(name);
    assert_int_equal(strlen(name), PERF_MAP_NAME);
    assert_int_equal(strncmp(name, "?[2J?xxx", 8), 0);
    perf_map_free(m);
}

/* Every entry overlaps every other: a look-up must not go through them all. */
static void many_overlapping_entries_are_neither_kept_nor_searched(void **state)
{
    (void)state;
    const size_t lines = PERF_MAP_ENTRIES + 1000;
    char *text = malloc(lines * 32);
    size_t used = 0;
    assert_non_null(text);
    for (size_t i = 0; i < lines; i++)
        used += (size_t)sprintf(text + used, "%zx 7fffffff0000 n\n", 0x1000 + i);
    struct perf_map *m = perf_map_new();
    perf_map_add(m, text, used);
    free(text);
    assert_int_equal(perf_map_count(m), PERF_MAP_ENTRIES);
    for (uint64_t i = 0; i < 10000; i++)
        assert_name(m, 0x7ffffffe0000 - i, NULL);
    assert_name(m, 0x1000 + lines - PERF_MAP_ENTRIES, "n");
    perf_map_free(m);
}

/* `count` lines from 10000000 on, and the `last` ones. */
static void add_lines(struct perf_map *m, size_t count, const char *last)
{
    char *text = malloc(count * 40 + 256);
    size_t used = 0;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        used += (size_t)sprintf(text + used, "%zx 10 f%zu\n", 0x10000000 + 16 * i, i);
    used += (size_t)sprintf(text + used, "%s", last);
    perf_map_add(m, text, used);
    free(text);
}

/* The file of node only ever grows, and each reading has all of it. */
static void the_newest_names_of_a_large_file_are_kept(void **state)
{
    (void)state;
    static const size_t sizes[] = {PERF_MAP_ENTRIES * 3 / 5, PERF_MAP_ENTRIES * 5 / 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct perf_map *m = perf_map_new();
        char last[100];
        uint64_t reused = 0x10000000 + 16 * (sizes[i] - 10);
        sprintf(last, "70000000 10 newest\n%" PRIx64 " 10 reused\n", reused);
        add_lines(m, sizes[i], "");
        add_lines(m, sizes[i], last);
        assert_name(m, 0x70000004, "newest");
        assert_name(m, reused, "reused");
        assert_true(perf_map_count(m) <= PERF_MAP_ENTRIES);
        perf_map_free(m);
    }
}

/* Under the sanitizers this finds reads out of bounds. */
static void damaged_text_does_no_harm(void **state)
{
    (void)state;
    static const char good[] = "7f00 100 one\n7f80 20 void a.b(int)\nff00 1 three\n";
    struct rng rng = {13};
    for (int round = 0; round < 2000; round++) {
        char *text = malloc(sizeof good);
        memcpy(text, good, sizeof good);
        for (int i = 0; i < 4; i++)
            text[rng_next(&rng) % (sizeof good - 1)] = (char)rng_next(&rng);
        struct perf_map *m = perf_map_new();
        perf_map_add(m, text, sizeof good - 1);
        perf_map_find(m, 0x7f90);
        perf_map_free(m);
        free(text);
    }
}

static void what_is_written_reads_the_same(void **state)
{
    (void)state;
    char *text;
    size_t length;
    struct perf_map *m = map_of("1000 1000 wide\n1800 1000 later\n1100 10 void a.b(int)\n");
    FILE *out = open_memstream(&text, &length);
    perf_map_write(m, out);
    fclose(out);
    assert_string_equal(text, "1000 1000 wide\n1800 1000 later\n1100 10 a.b\n");
    struct perf_map *again = map_of(text);
    for (uint64_t address = 0xff0; address < 0x2900; address += 0x10)
        assert_name(again, address, perf_map_find(m, address));
    perf_map_free(again);
    perf_map_free(m);
    free(text);
}

/* Found by fuzz-proc: nothing was copied from nowhere. */
static void no_names_are_written_as_none(void **state)
{
    (void)state;
    struct perf_map *m = map_of("");
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    perf_map_write(m, out);
    fclose(out);
    assert_int_equal(length, 0);
    free(text);
    perf_map_free(m);
}

/* ---- the file of a process: this one ---- */

static char own_file[64];

static void put_file(const char *text)
{
    unlink(own_file);
    int fd = open(own_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(own_file);
    return 0;
}

static void the_file_is_read_again_when_it_has_changed(void **state)
{
    (void)state;
    struct err e;
    struct perf_map *m = perf_map_new();
    assert_int_equal(perf_map_read(m, getpid(), &e), 0);
    assert_int_equal(perf_map_count(m), 0);
    put_file("1000 10 first\n");
    assert_int_equal(perf_map_read(m, getpid(), &e), 0);
    put_file("1000 10 first\n2000 10 second\n");
    assert_int_equal(perf_map_read(m, getpid(), &e), 0);
    assert_name(m, 0x1000, "first");
    assert_name(m, 0x2000, "second");
    unlink(own_file);
    assert_int_equal(perf_map_read(m, getpid(), &e), 0);
    assert_name(m, 0x2000, "second");
    perf_map_free(m);
}

static void of_a_file_beyond_the_limit_the_end_is_read(void **state)
{
    (void)state;
    struct err e;
    struct perf_map *m = perf_map_new();
    put_file("1000 10 first\n");
    assert_int_equal(truncate(own_file, PERF_MAP_BYTES), 0); /* a hole of zeros */
    FILE *out = fopen(own_file, "a");
    assert_non_null(out);
    fputs("\n2000 10 last\n", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(perf_map_read(m, getpid(), &e), 0);
    assert_int_equal(perf_map_count(m), 1);
    assert_name(m, 0x2000, "last");
    perf_map_free(m);
}

static void assert_refused(const char *reason)
{
    struct err e = {""};
    struct perf_map *m = perf_map_new();
    assert_int_equal(perf_map_read(m, getpid(), &e), -1);
    if (!strstr(e.text, reason))
        fail_msg("wanted '%s': %s", reason, e.text);
    assert_int_equal(perf_map_count(m), 0);
    perf_map_free(m);
}

static void what_is_no_regular_file_is_not_read(void **state)
{
    (void)state;
    assert_int_equal(symlink("/proc/self/maps", own_file), 0);
    assert_refused("Too many levels of symbolic links");
    unlink(own_file);
    assert_int_equal(mkfifo(own_file, 0600), 0);
    assert_refused("is not a regular file");
}

static void a_file_of_another_user_is_not_read(void **state)
{
    (void)state;
    put_file("1000 10 planted\n");
    if (chown(own_file, 12345, (gid_t)-1) != 0) {
        print_message("not checked: giving a file to another user takes root\n");
        skip();
    }
    assert_refused("belongs to user 12345");
}

static void code_in_no_file_has_its_name(void **state)
{
    (void)state;
    struct image image = {0};
    struct symbol found;
    char buf[128];
    put_file("10000 100 void Server.answer(int)\n");
    image_keep(&image, getpid(), 0,
               strdup("20000-21000 r-xp 00000000 08:01 7      /no/such/program\n"));
    struct symbols *s = symbols_open(&image, NULL);
    assert_non_null(s);
    symbols_find(s, 0x10100, true, &found);
    assert_string_equal(symbol_text(&found, buf, sizeof buf), "Server.answer  [jit]");
    symbols_find(s, 0x10101, true, &found);
    assert_string_equal(symbol_text(&found, buf, sizeof buf), "0x10100");
    symbols_close(s);
    image_fini(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_the_name_around_it),
        cmocka_unit_test(the_later_line_is_right_where_two_overlap),
        cmocka_unit_test(what_an_earlier_reading_named_stays),
        cmocka_unit_test(java_methods_are_named_without_their_types),
        cmocka_unit_test(lines_of_another_form_are_passed_over),
        cmocka_unit_test(names_are_printable_and_bounded),
        cmocka_unit_test(many_overlapping_entries_are_neither_kept_nor_searched),
        cmocka_unit_test(the_newest_names_of_a_large_file_are_kept),
        cmocka_unit_test(damaged_text_does_no_harm),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(no_names_are_written_as_none),
        cmocka_unit_test_teardown(the_file_is_read_again_when_it_has_changed, remove_file),
        cmocka_unit_test_teardown(of_a_file_beyond_the_limit_the_end_is_read, remove_file),
        cmocka_unit_test_teardown(what_is_no_regular_file_is_not_read, remove_file),
        cmocka_unit_test_teardown(a_file_of_another_user_is_not_read, remove_file),
        cmocka_unit_test_teardown(code_in_no_file_has_its_name, remove_file),
    };
    snprintf(own_file, sizeof own_file, "/tmp/perf-%d.map", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
