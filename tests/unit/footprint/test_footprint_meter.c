/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter of soak-footprint: known allocations give known figures. With the word `sites` its
 * other table overflows; a full table can't be emptied, so each has a process of its own.
 */
#include "footprint/meter.h"
#include "footprint/samples.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 64, SITES = 32 };

static const struct meter_end *server(void)
{
    return meter_end_of(FOOTPRINT_SERVER);
}

static const struct meter_end *client(void)
{
    return meter_end_of(FOOTPRINT_CLIENT);
}

static void calls_and_bytes_are_those_of_the_end_whose_step_it_is(void **state)
{
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    void *a = OPENSSL_malloc(100), *b = OPENSSL_zalloc(20);
    meter_enter(FOOTPRINT_CLIENT);
    void *c = OPENSSL_malloc(7);
    meter_enter(METER_NOBODY);
    void *d = OPENSSL_malloc(1000);
    OPENSSL_free(a);
    OPENSSL_free(b);
    OPENSSL_free(c);
    OPENSSL_free(d);
    assert_int_equal(server()->calls.allocs, 2);
    assert_int_equal(server()->calls.bytes, 120);
    assert_int_equal(client()->calls.allocs, 1);
    assert_int_equal(client()->calls.bytes, 7);
    assert_int_equal(server()->live_bytes + client()->live_bytes, 0);
    assert_int_equal(meter_check(NULL), 0);
}

static void a_reallocation_counts_apart_and_keeps_the_block(void **state)
{
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    void *a = OPENSSL_malloc(10);
    a = OPENSSL_realloc(a, 5000);
    meter_look(FOOTPRINT_SERVER, FOOTPRINT_IDLE);
    assert_int_equal(server()->calls.allocs, 1);
    assert_int_equal(server()->calls.reallocs, 1);
    assert_int_equal(server()->calls.bytes, 5010);
    assert_int_equal(server()->held[FOOTPRINT_IDLE].blocks, 1);
    assert_int_equal(server()->held[FOOTPRINT_IDLE].bytes, 5000);
    a = OPENSSL_realloc(a, 0); /* frees it */
    assert_null(a);
    void *b = OPENSSL_realloc(NULL, 3); /* allocates */
    assert_int_equal(server()->calls.allocs, 2);
    assert_int_equal(server()->calls.reallocs, 1);
    OPENSSL_free(b);
    assert_int_equal(server()->live_bytes, 0);
}

static void stages_hold_what_is_alive_then(void **state)
{
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    void *stays = OPENSSL_malloc(30), *goes = OPENSSL_malloc(50);
    meter_look(FOOTPRINT_SERVER, FOOTPRINT_NEW);
    void *top = OPENSSL_malloc(400);
    OPENSSL_free(top);
    meter_look(FOOTPRINT_SERVER, FOOTPRINT_HANDSHAKE);
    OPENSSL_free(goes);
    void *later = OPENSSL_malloc(4000);
    OPENSSL_free(later);
    meter_look(FOOTPRINT_SERVER, FOOTPRINT_DATA);
    OPENSSL_free(stays);
    meter_finish();
    const struct meter_held *held = server()->held;
    assert_int_equal(held[FOOTPRINT_NEW].blocks, 2);
    assert_int_equal(held[FOOTPRINT_NEW].bytes, 80);
    assert_int_equal(held[FOOTPRINT_HANDSHAKE].allocs, 3);
    assert_int_equal(held[FOOTPRINT_HANDSHAKE].bytes, 80);
    assert_int_equal(held[FOOTPRINT_DATA].allocs, 4);
    assert_int_equal(held[FOOTPRINT_DATA].blocks, 1);
    assert_int_equal(held[FOOTPRINT_DATA].bytes, 30);
    /* The peak is the handshake's: what comes after it doesn't count. */
    assert_int_equal(server()->peak_bytes, 480);
}

static void what_outlives_the_connection_is_not_held_by_it(void **state)
{
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_CLIENT);
    void *cached = OPENSSL_malloc(64), *own = OPENSSL_malloc(8);
    meter_look(FOOTPRINT_CLIENT, FOOTPRINT_HANDSHAKE);
    cached = OPENSSL_realloc(cached, 128);
    meter_look(FOOTPRINT_CLIENT, FOOTPRINT_IDLE);
    assert_int_equal(client()->held[FOOTPRINT_IDLE].bytes, 136);
    OPENSSL_free(own);
    meter_finish();
    assert_int_equal(client()->held[FOOTPRINT_HANDSHAKE].blocks, 1);
    assert_int_equal(client()->held[FOOTPRINT_HANDSHAKE].bytes, 8);
    assert_int_equal(client()->held[FOOTPRINT_IDLE].bytes, 8);
    assert_int_equal(client()->kept_blocks, 1);
    assert_int_equal(client()->kept_bytes, 128);
    /* In the next connection it is nobody's any more, whatever happens to it. */
    meter_begin();
    cached = OPENSSL_realloc(cached, 256);
    meter_look(FOOTPRINT_CLIENT, FOOTPRINT_NEW);
    OPENSSL_free(cached);
    meter_finish();
    assert_int_equal(client()->held[FOOTPRINT_NEW].bytes, 0);
    assert_int_equal(client()->live_bytes, 0);
    assert_int_equal(client()->calls.reallocs, 1);
}

static const struct meter_site *site_find(const char *file, int line)
{
    for (size_t i = 0; i < meter_site_count(); i++) {
        const struct meter_site *site = meter_site_at(i);
        if (site->line == line && strcmp(site->file, file) == 0)
            return site;
    }
    return NULL;
}

static void sites_are_told_by_file_and_line_whatever_text_names_the_file(void **state)
{
    (void)state;
    char name[] = "a/b.c", same[] = "a/b.c";
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    void *a = CRYPTO_malloc(5, name, 7), *b = CRYPTO_malloc(6, same, 7);
    void *c = CRYPTO_malloc(9, name, 8), *d = CRYPTO_malloc(3, NULL, 0);
    meter_look(FOOTPRINT_SERVER, FOOTPRINT_IDLE);
    CRYPTO_free(a, name, 1);
    CRYPTO_free(b, name, 1);
    CRYPTO_free(c, name, 1);
    CRYPTO_free(d, name, 1);
    meter_finish();
    const struct meter_site *seven = site_find("a/b.c", 7);
    assert_non_null(seven);
    assert_int_equal(seven->end[FOOTPRINT_SERVER].calls.allocs, 2);
    assert_int_equal(seven->end[FOOTPRINT_SERVER].idle_bytes, 11);
    assert_int_equal(seven->end[FOOTPRINT_CLIENT].calls.allocs, 0);
    assert_int_equal(site_find("a/b.c", 8)->end[FOOTPRINT_SERVER].calls.bytes, 9);
    assert_non_null(site_find("?", 0));
}

static void medians_are_exact(void **state)
{
    static const uint64_t values[] = {7, 3, 9, 3, 100};
    struct samples *s = NULL;
    (void)state;
    assert_int_equal(samples_new(2, 5, &s, NULL), 0);
    for (size_t i = 0; i < 5; i++) {
        samples_put(s, 0, i, values[i]);
        samples_put(s, 1, i, 4);
    }
    assert_int_equal(samples_median(s, 0), 7);
    assert_false(samples_equal(s, 0));
    assert_int_equal(samples_median(s, 1), 4);
    assert_true(samples_equal(s, 1));
    samples_free(s);
}

static void a_full_table_of_blocks_is_an_error(void **state)
{
    void *block[BLOCKS + 1];
    struct err e;
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    for (int i = 0; i < BLOCKS; i++)
        block[i] = OPENSSL_malloc(1);
    assert_int_equal(meter_check(&e), 0);
    block[BLOCKS] = OPENSSL_malloc(1);
    assert_non_null(block[BLOCKS]); /* OpenSSL goes on */
    for (int i = 0; i <= BLOCKS; i++)
        OPENSSL_free(block[i]);
    assert_int_equal(meter_check(&e), -1);
    assert_string_equal(e.text, "OpenSSL holds more than 64 blocks: the meter's table is full");
}

static void a_full_table_of_sites_is_an_error(void **state)
{
    struct err e;
    (void)state;
    meter_begin();
    meter_enter(FOOTPRINT_SERVER);
    for (int line = 1; line <= SITES; line++)
        CRYPTO_free(CRYPTO_malloc(1, "x.c", line), "x.c", 1);
    assert_int_equal(meter_check(&e), 0);
    CRYPTO_free(CRYPTO_malloc(1, "x.c", SITES + 1), "x.c", 1);
    assert_int_equal(meter_check(&e), -1);
    assert_string_equal(e.text,
                        "OpenSSL allocates at more than 32 places: the meter's table is full");
}

int main(int argc, char **argv)
{
    const struct meter_limits limits = {.blocks = BLOCKS, .sites = SITES};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_bytes_are_those_of_the_end_whose_step_it_is),
        cmocka_unit_test(a_reallocation_counts_apart_and_keeps_the_block),
        cmocka_unit_test(stages_hold_what_is_alive_then),
        cmocka_unit_test(what_outlives_the_connection_is_not_held_by_it),
        cmocka_unit_test(sites_are_told_by_file_and_line_whatever_text_names_the_file),
        cmocka_unit_test(medians_are_exact),
        cmocka_unit_test(a_full_table_of_blocks_is_an_error),
    };
    const struct CMUnitTest sites[] = {cmocka_unit_test(a_full_table_of_sites_is_an_error)};
    struct err e;
    if (meter_start(&limits, &e) < 0) {
        print_error("%s\n", e.text);
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "sites") == 0)
        return cmocka_run_group_tests(sites, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
