/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/heap_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define MAPS                                                                                       \
    "\nMAPPED_LIBRARIES:\n"                                                                        \
    "1000-2000 r-xp 00000000 fe:00 1 /usr/lib/libjemalloc.so.2\n"                                  \
    "5000-6000 r-xp 00000000 fe:00 2 /usr/bin/server\n"

static struct heap_dump parsed(const char *text)
{
    struct heap_dump d;
    struct err e;
    assert_int_equal(heap_dump_parse(text, strlen(text), &d, &e), 0);
    return d;
}

/* A copy that ends where the text does: a sanitizer sees a step beyond it. */
static int parse_copy(const char *text, size_t length, struct heap_dump *ret, struct err *e)
{
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    int rc = heap_dump_parse(copy, length, ret, e);
    free(copy);
    return rc;
}

static void a_dump_gives_its_stacks_and_counts(void **state)
{
    (void)state;
    struct heap_dump d = parsed("heap_v2/1\n  t*: 3: 100 [0: 0]\n  t0: 3: 100 [0: 0]\n"
                                "@ 0x5001 0x5002 0xffffffffffffffff\n  t*: 2: 96 [7: 8]\n"
                                "  t0: 2: 96 [0: 0]\n@ 0x5003\n  t*: 1: 4 [0: 0]\n" MAPS);
    assert_int_equal(d.sample_bytes, 1);
    assert_int_equal(d.stacks, 2);
    assert_int_equal(d.stack[0].blocks, 2);
    assert_int_equal(d.stack[0].bytes, 96);
    assert_int_equal(d.stack[0].frames, 3);
    assert_true(d.frame[d.stack[0].first + 2] == UINT64_MAX);
    assert_int_equal(d.frame[d.stack[1].first], 0x5003);
    heap_dump_free(&d);
}

static void the_innermost_frames_in_jemalloc_are_left_out(void **state)
{
    (void)state;
    struct heap_dump d = parsed("heap_v2/1\n@ 0x1500 0x1fff 0x2000 0x1600\n  t*: 1: 1 [0: 0]\n"
                                "@ 0x1500\n  t*: 1: 1 [0: 0]\n" MAPS);
    assert_int_equal(d.stack[0].frames, 2);
    assert_int_equal(d.frame[d.stack[0].first], 0x2000);
    assert_int_equal(d.stack[1].frames, 0);
    heap_dump_free(&d);
}

static void a_sampled_count_is_scaled_to_what_it_stands_for(void **state)
{
    (void)state;
    /* 1 / (1 - exp(-1)) = 1.58198: blocks as large as the interval. */
    struct heap_dump d = parsed("heap_v2/1000\n@ 0x5001\n  t*: 1000: 1000000 [0: 0]\n" MAPS);
    assert_int_equal(d.stack[0].blocks, 1582);
    assert_int_equal(d.stack[0].bytes, 1581977);
    heap_dump_free(&d);
    /* Of blocks of a 65536th of the interval one in 65536 is sampled. */
    d = parsed("heap_v2/1048576\n@ 0x5001\n  t*: 10: 160 [0: 0]\n" MAPS);
    assert_in_range(d.stack[0].blocks, 655360 - 10, 655360 + 10);
    heap_dump_free(&d);
}

static void growth_is_the_difference_of_equal_stacks_largest_first(void **state)
{
    (void)state;
    struct heap_dump older = parsed("heap_v2/1\n@ 0x5001 0x5009\n  t*: 5: 50 [0: 0]\n"
                                    "@ 0x5002\n  t*: 9: 90 [0: 0]\n"
                                    "@ 0x5004\n  t*: 1: 1 [0: 0]\n" MAPS);
    struct heap_dump newer = parsed("heap_v2/1\n@ 0x5002\n  t*: 9: 90 [0: 0]\n"
                                    "@ 0x5001 0x5009\n  t*: 7: 70 [0: 0]\n"
                                    "@ 0x5001\n  t*: 1: 1000 [0: 0]\n" MAPS);
    struct heap_dump growth;
    assert_int_equal(heap_dump_growth(&older, &newer, &growth, NULL), 0);
    heap_dump_free(&older);
    heap_dump_free(&newer);
    assert_int_equal(growth.stacks, 2);
    assert_int_equal(growth.stack[0].bytes, 1000);
    assert_int_equal(growth.stack[1].blocks, 2);
    assert_int_equal(growth.stack[1].bytes, 20);
    assert_int_equal(growth.frame[growth.stack[1].first + 1], 0x5009);
    heap_dump_free(&growth);
}

/* Of thirty connections some come to a place by another way than before; a small block is lost. */
static void more_of_one_way_to_a_place_and_less_of_another_is_no_growth(void **state)
{
    (void)state;
#define PLACE "@ 0x5001 0x5002 0x5003 0x5004 "
    struct heap_dump older = parsed("heap_v2/1\n" PLACE "0x5005\n  t*: 18: 18000 [0: 0]\n" PLACE
                                    "0x5006 0x5007\n  t*: 12: 12000 [0: 0]\n" MAPS);
    struct heap_dump newer = parsed("heap_v2/1\n" PLACE "0x5005\n  t*: 27: 27000 [0: 0]\n" PLACE
                                    "0x5006 0x5007\n  t*: 3: 3000 [0: 0]\n"
                                    "@ 0x5008\n  t*: 2: 96 [0: 0]\n" MAPS);
    struct heap_dump more = parsed("heap_v2/1\n" PLACE "0x5005\n  t*: 27: 27000 [0: 0]\n" PLACE
                                   "0x5006 0x5007\n  t*: 5: 5000 [0: 0]\n" MAPS);
    struct heap_dump growth;
    assert_int_equal(heap_dump_growth(&older, &newer, &growth, NULL), 0);
    assert_int_equal(growth.stacks, 1);
    assert_int_equal(growth.stack[0].bytes, 96);
    heap_dump_free(&growth);
    assert_int_equal(heap_dump_growth(&older, &more, &growth, NULL), 0);
    assert_int_equal(growth.stacks, 1);
    assert_int_equal(growth.stack[0].blocks, 2); /* of nine that came this way */
    assert_int_equal(growth.stack[0].bytes, 2000);
    heap_dump_free(&growth);
    heap_dump_free(&older);
    heap_dump_free(&newer);
    heap_dump_free(&more);
}

static void stacks_that_differ_only_inside_jemalloc_are_one(void **state)
{
    (void)state;
    struct heap_dump none = {0}, growth;
    struct heap_dump d = parsed("heap_v2/1\n@ 0x1001 0x5001\n  t*: 1: 10 [0: 0]\n"
                                "@ 0x1002 0x5001\n  t*: 2: 20 [0: 0]\n" MAPS);
    assert_int_equal(heap_dump_growth(&none, &d, &growth, NULL), 0);
    assert_int_equal(growth.stacks, 1);
    assert_int_equal(growth.stack[0].blocks, 3);
    heap_dump_free(&growth);
    heap_dump_free(&d);
}

static void what_is_no_dump_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } broken[] = {
        {"", "line 0"},
        {"heap profile: 1: 2 [3: 4] @ heap_v2/1\n", "line 1"},
        {"heap_v2/0\n" MAPS, "line 1"},
        {"heap_v2/\n" MAPS, "line 1"},
        {"heap_v2/-1\n" MAPS, "line 1"},
        {"heap_v2/1 \n" MAPS, "line 1"},
        {"heap_v2/9999999999999999999\n" MAPS, "line 1"},
        {"heap_v2/1\n@ 0x5001\n  t*: 1: 1 [0: 0]\n", "line 3"},
        {"heap_v2/1\n@ 5001\n  t*: 1: 1 [0: 0]\n" MAPS, "line 2"},
        {"heap_v2/1\n@ 0x\n" MAPS, "line 2"},
        {"heap_v2/1\n@ 0x11111111111111111\n" MAPS, "line 2"},
        {"heap_v2/1\n@ 0x5001\n  t*: x: 1\n" MAPS, "line 3"},
        {"heap_v2/1\n@ 0x5001\n  t*: 1\n" MAPS, "line 3"},
        {"heap_v2/1\n@ 0x5001\n  t*: -1: 1\n" MAPS, "line 3"},
        {"heap_v2/1\n@ 0x5001\n  t*: 9999999999999999999: 1\n" MAPS, "line 3"},
        {"heap_v2/1\nsomething else\n" MAPS, "line 2"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct heap_dump d = {.stacks = 77};
        struct err e;
        assert_int_equal(parse_copy(broken[i].text, strlen(broken[i].text), &d, &e), -1);
        assert_non_null(strstr(e.text, broken[i].line));
        assert_int_equal(d.stacks, 77);
    }
}

static void a_stack_without_end_is_refused(void **state)
{
    (void)state;
    static char text[20000] = "heap_v2/1\n@";
    for (int i = 0; i < 1000; i++)
        strcat(text, " 0x5001");
    struct heap_dump d;
    struct err e;
    assert_int_equal(heap_dump_parse(text, strlen(text), &d, &e), -1);
    assert_non_null(strstr(e.text, "deeper"));
}

static void a_dump_cut_or_changed_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    static const char text[] = "heap_v2/4096\n  t*: 3: 100 [0: 0]\n@ 0x1001 0x5001\n"
                               "  t*: 2: 96 [7: 8]\n  t0: 2: 96 [0: 0]\n" MAPS;
    char changed[sizeof text];
    for (size_t cut = 0; cut < sizeof text; cut++) {
        struct heap_dump d;
        if (parse_copy(text, cut, &d, NULL) == 0)
            heap_dump_free(&d);
        for (int c = 0; c < 256 && cut < sizeof text - 1; c++) {
            memcpy(changed, text, sizeof text);
            changed[cut] = (char)c;
            if (parse_copy(changed, sizeof text - 1, &d, NULL) == 0)
                heap_dump_free(&d);
        }
    }
}

static void counts_without_bound_stay_within_theirs(void **state)
{
    (void)state;
    struct heap_dump none = {0}, growth;
    struct heap_dump d = parsed("heap_v2/999999999999999999\n"
                                "@ 0x5001\n  t*: 999999999999999999: 1 [0: 0]\n"
                                "@ 0x5001\n  t*: 999999999999999999: 999999999999999999 [0: 0]\n"
                                "@ 0x5002\n  t*: 0: 999999999999999999 [0: 0]\n" MAPS);
    assert_int_equal(heap_dump_growth(&none, &d, &growth, NULL), 0);
    heap_dump_free(&growth);
    heap_dump_free(&d);
}

/* Found by fuzz-heap_dump: a pointer was computed from none. */
static void stacks_without_frames_grow_too(void **state)
{
    (void)state;
    struct heap_dump none = {0}, growth;
    struct heap_dump d = parsed("heap_v2/1\n@ 0x1001\n  t*: 1: 10 [0: 0]\n" MAPS);
    d.stack[0].frames = 0;
    free(d.frame);
    d.frame = NULL;
    assert_int_equal(heap_dump_growth(&none, &d, &growth, NULL), 0);
    assert_int_equal(growth.stacks, 1);
    assert_int_equal(growth.stack[0].frames, 0);
    heap_dump_free(&growth);
    heap_dump_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_gives_its_stacks_and_counts),
        cmocka_unit_test(the_innermost_frames_in_jemalloc_are_left_out),
        cmocka_unit_test(a_sampled_count_is_scaled_to_what_it_stands_for),
        cmocka_unit_test(growth_is_the_difference_of_equal_stacks_largest_first),
        cmocka_unit_test(more_of_one_way_to_a_place_and_less_of_another_is_no_growth),
        cmocka_unit_test(stacks_that_differ_only_inside_jemalloc_are_one),
        cmocka_unit_test(what_is_no_dump_is_refused_with_its_line),
        cmocka_unit_test(a_stack_without_end_is_refused),
        cmocka_unit_test(a_dump_cut_or_changed_anywhere_is_read_or_refused),
        cmocka_unit_test(counts_without_bound_stay_within_theirs),
        cmocka_unit_test(stacks_without_frames_grow_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
