/* SPDX-License-Identifier: Apache-2.0 */
/* Records made, split and damaged in a buffer, and a ClientHello by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/records.h"

static struct wire_out out, cut;

static int setup(void **state)
{
    (void)state;
    out.used = cut.used = 0;
    return 0;
}

static void a_record_ends_where_its_length_says(void **state)
{
    (void)state;
    record_put(&out, RECORD_ALERT, RECORD_VERSION, "\x02\x28", 2);
    record_put(&out, RECORD_DATA, RECORD_VERSION, NULL, 0);
    assert_memory_equal(out.bytes, "\x15\x03\x01\x00\x02\x02\x28\x17\x03\x01\x00\x00", out.used);
    assert_int_equal(record_end(&out, 0), RECORD_ALERT_BYTES);
    assert_int_equal(record_end(&out, RECORD_ALERT_BYTES), out.used);
    assert_int_equal(record_end(&out, out.used), 0);
    out.used--;
    assert_int_equal(record_end(&out, RECORD_ALERT_BYTES), 0);
}

static void what_has_no_room_is_left_out(void **state)
{
    (void)state;
    static const uint8_t body[UINT16_MAX];
    record_put(&out, RECORD_DATA, RECORD_VERSION, body, sizeof body);
    size_t used = out.used;
    record_put(&out, RECORD_DATA, RECORD_VERSION, body, sizeof out.bytes - used - 4);
    assert_int_equal(out.used, used);
    record_put(&out, RECORD_DATA, RECORD_VERSION, body, sizeof out.bytes - used - 5);
    assert_int_equal(out.used, sizeof out.bytes);
}

static void a_split_keeps_the_messages(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= 24; piece++) {
        uint8_t got[64];
        size_t at = 0, count = 0, end;
        out.used = 0;
        record_put(&out, RECORD_HANDSHAKE, 0x0303, "abcdefghijklmnopqrst", 20);
        record_put(&out, RECORD_HANDSHAKE, 0x0303, "uvw", 3);
        record_put(&out, RECORD_DATA, 0x0303, "data that stays", 15);
        assert_true(records_split(&out, piece, &cut));
        for (; (end = record_end(&cut, at)) && cut.bytes[at] == RECORD_HANDSHAKE; at = end) {
            size_t size = end - at - RECORD_HEADER_BYTES;
            assert_in_range(size, 1, piece);
            assert_memory_equal(cut.bytes + at + 1, "\x03\x03", 2);
            memcpy(got + count, cut.bytes + at + RECORD_HEADER_BYTES, size);
            count += size;
        }
        assert_int_equal(count, 23);
        assert_memory_equal(got, "abcdefghijklmnopqrstuvw", 23);
        assert_int_equal(cut.used - at, RECORD_HEADER_BYTES + 15);
        assert_memory_equal(cut.bytes + at, out.bytes + out.used - (cut.used - at), cut.used - at);
    }
}

static void a_split_without_room_is_refused(void **state)
{
    (void)state;
    static const uint8_t body[RECORD_BODY_MAX];
    for (int i = 0; i < 2; i++)
        record_put(&out, RECORD_HANDSHAKE, RECORD_VERSION, body, sizeof body);
    assert_false(records_split(&out, 1, &cut));
    assert_true(records_split(&out, 8, &cut));
}

static void damage_hits_the_last_of_its_type(void **state)
{
    (void)state;
    record_put(&out, RECORD_DATA, 0x0303, "one", 3);
    record_put(&out, RECORD_DATA, 0x0303, "two", 3);
    record_put(&out, RECORD_ALERT, 0x0303, "no", 2);
    record_put(&out, RECORD_DATA, 0x0303, NULL, 0);
    assert_true(records_damage_last(&out, RECORD_DATA));
    assert_memory_equal(out.bytes + 5, "one", 3);
    assert_memory_equal(out.bytes + 13, "twn", 3);
    assert_false(records_damage_last(&out, RECORD_HANDSHAKE));
}

static void a_hello_has_true_lengths_but_the_one_claimed(void **state)
{
    (void)state;
    static const uint16_t suites[2] = {0x1301, 0xc02b};
    struct hello_extensions e = {.bytes = "\x00\x17\x00\x00", .count = 4};
    hello_put(&out, 0x0303, suites, &e);
    assert_int_equal(record_end(&out, 0), out.used);
    const uint8_t *message = out.bytes + RECORD_HEADER_BYTES;
    size_t size = out.used - RECORD_HEADER_BYTES;
    assert_int_equal(message[0], 1);
    assert_int_equal(message[1] << 16 | message[2] << 8 | message[3], size - 4);
    assert_memory_equal(message + size - 14, "\x00\x04\x13\x01\xc0\x2b\x01\x00\x00\x04", 10);
    e.claimed = 100;
    out.used = 0;
    hello_put(&out, 0x0303, suites, &e);
    assert_memory_equal(message + size - 6, "\x00\x64", 2);
}

static void a_hello_has_room_for_as_many_extensions_as_it_says(void **state)
{
    (void)state;
    static const char most[HELLO_EXTENSIONS_MAX];
    struct hello_extensions e = {.bytes = most, .count = sizeof most};
    hello_put(&out, 0x0303, (uint16_t[2]){0x1301, 0xc02b}, &e);
    assert_int_equal(record_end(&out, 0), out.used);
    assert_true(out.used > sizeof most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_ends_where_its_length_says, setup),
        cmocka_unit_test_setup(what_has_no_room_is_left_out, setup),
        cmocka_unit_test_setup(a_split_keeps_the_messages, setup),
        cmocka_unit_test_setup(a_split_without_room_is_refused, setup),
        cmocka_unit_test_setup(damage_hits_the_last_of_its_type, setup),
        cmocka_unit_test_setup(a_hello_has_true_lengths_but_the_one_claimed, setup),
        cmocka_unit_test_setup(a_hello_has_room_for_as_many_extensions_as_it_says, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
