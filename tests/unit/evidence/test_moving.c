/* SPDX-License-Identifier: Apache-2.0 */
/* What a program that should be at rest is said to be doing. */
#include "evidence/moving.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { SITES = 6 };

static const uint64_t second = UINT64_C(1000000000);

static void put(struct snapshot_site *site, const char *file, uint32_t line, int64_t blocks)
{
    *site = (struct snapshot_site){.line = line, .blocks = blocks};
    strcpy(site->file, file);
}

static void the_three_sites_that_moved_most_come_first(void **state)
{
    (void)state;
    static struct snapshot_site before[SITES], after[SITES];
    static const int64_t blocks[SITES][2] = {{0, 0}, {10, 15}, {10, 2}, {7, 7}, {1, 2}, {0, 90}};
    struct snapshot a = {.sites = SITES - 1, .site = before, .allocs = 100, .frees = 50},
                    b = {.sites = SITES, .site = after, .allocs = 220, .frees = 168};
    for (uint32_t i = 0; i < SITES; i++) {
        put(&before[i], "crypto/bio.c", i, blocks[i][0]);
        put(&after[i], "crypto/bio.c", i, blocks[i][1]);
    }
    const struct moving_look from = {&a, 0, second}, to = {&b, 0, 3 * second + second / 2};
    char buf[256];
    /* The last is new: the first look had one site less. */
    assert_string_equal(moving_text(&from, &to, buf, sizeof buf),
                        "120 blocks were made and 118 freed in 2.5 s; live at crypto/bio.c:5 +90, "
                        "crypto/bio.c:2 -8, crypto/bio.c:1 +5");
}

static void blocks_that_come_and_go_are_told_without_a_site(void **state)
{
    (void)state;
    struct snapshot_site none = {.line = 1};
    struct snapshot a = {.sites = 1, .site = &none}, b = a;
    b.allocs = b.frees = 4;
    const struct moving_look from = {&a, 0, 0}, to = {&b, 0, second};
    char buf[256];
    assert_string_equal(moving_text(&from, &to, buf, sizeof buf),
                        "4 blocks were made and 4 freed in 1.0 s");
}

static void without_blocks_it_is_the_processor(void **state)
{
    (void)state;
    struct snapshot a = {0};
    const struct moving_look from = {&a, second, second},
                             to = {&a, second + second * 3 / 4, 3 * second};
    char buf[256];
    assert_string_equal(moving_text(&from, &to, buf, sizeof buf),
                        "it wants 38 % of a processor with nothing asked of it");
    assert_string_equal(moving_text(&from, &from, buf, sizeof buf),
                        "it wants 0 % of a processor with nothing asked of it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_sites_that_moved_most_come_first),
        cmocka_unit_test(blocks_that_come_and_go_are_told_without_a_site),
        cmocka_unit_test(without_blocks_it_is_the_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
