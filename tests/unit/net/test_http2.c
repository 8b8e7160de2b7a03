/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 as bytes: what the client says, and what it makes of what it hears. */
#include "net/http2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SETTINGS  "\0\0\0\4\0\0\0\0\0"
#define ACK       "\0\0\0\4\1\0\0\0\0"
#define HEADERS   "\0\0\1\1\4\0\0\0\1\x88"
#define DATA      "\0\0\2\0\1\0\0\0\1hi"
#define PONG      "\0\0\x08\6\1\0\0\0\0soakping"
#define UNKNOWN   "\0\0\3\x42\1\0\0\0\1???"
#define RESET     "\0\0\4\3\0\0\0\0\1\0\0\0\7"
#define GOAWAY    "\0\0\x08\7\0\0\0\0\0\0\0\0\1\0\0\0\0"
#define PUSHED    "\0\0\2\0\1\0\0\0\2no"
#define TOO_LARGE "\0\x40\1\0\0\0\0\0\1"

static uint8_t out[HTTP2_OUT_BYTES];

static int hear(struct http2 *h, const void *bytes, size_t count, struct err *e)
{
    return http2_hear(h, bytes, count, e);
}

#define HEAR(h, bytes, e) hear(h, bytes, sizeof bytes - 1, e)

static void a_request_is_the_preface_settings_the_window_and_a_get(void **state)
{
    (void)state;
    static const char expected[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                   "\0\0\x0c\4\0\0\0\0\0\0\2\0\0\0\0\0\4\x7f\xff\xff\xff"
                                   "\0\0\4\x08\0\0\0\0\0\x7f\xff\0\0"
                                   "\0\0\x0e\1\5\0\0\0\1\x82\x87\x84\1\x09localhost";
    assert_int_equal(http2_put_request(out, "localhost"), sizeof expected - 1);
    assert_memory_equal(out, expected, sizeof expected - 1);
}

static void a_long_name_has_its_length_in_more_bytes(void **state)
{
    (void)state;
    char name[300] = "";
    memset(name, 'n', sizeof name - 1);
    size_t fixed = http2_put_request(out, "") - 1;
    /* RFC 7541 5.1: 127, and the rest by seven bits. */
    name[127] = '\0';
    assert_int_equal(http2_put_request(out, name), fixed + 2 + 127);
    assert_memory_equal(out + fixed, "\x7f\0nnn", 5);
    name[127] = 'n';
    assert_int_equal(http2_put_request(out, name), fixed + 3 + HTTP2_AUTHORITY_MAX);
    assert_memory_equal(out + fixed, "\x7f\x80\1nnn", 6);
}

static void the_other_frames_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(http2_put_reset(out), 13);
    assert_memory_equal(out, "\0\0\4\3\0\0\0\0\1\0\0\0\x08", 13);
    assert_int_equal(http2_put_ping(out), 17);
    assert_memory_equal(out, "\0\0\x08\6\0\0\0\0\0soakping", 17);
    assert_int_equal(http2_put_settings_ack(out), 9);
    assert_memory_equal(out, ACK, 9);
    assert_int_equal(http2_put_goaway(out, 0), 17);
    assert_memory_equal(out, "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
}

static void an_answer_is_heard_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const char said[] = SETTINGS UNKNOWN ACK HEADERS PUSHED DATA PONG;
    for (size_t piece = 1; piece <= sizeof said - 1; piece++) {
        struct http2 h = {.have = 0};
        for (size_t at = 0; at < sizeof said - 1; at += piece) {
            size_t left = sizeof said - 1 - at;
            assert_int_equal(hear(&h, said + at, left < piece ? left : piece, NULL), 0);
        }
        assert_int_equal(h.settings, 1);
        assert_true(h.acknowledged && h.answered && h.pong);
    }
}

static void an_answer_ends_with_its_stream_and_no_other(void **state)
{
    (void)state;
    struct http2 h = {.have = 0};
    assert_int_equal(HEAR(&h, SETTINGS HEADERS PUSHED, NULL), 0);
    assert_false(h.answered || h.acknowledged || h.pong);
    assert_int_equal(HEAR(&h, DATA, NULL), 0);
    assert_true(h.answered);
}

static void a_request_given_up_by_the_server_is_a_failure(void **state)
{
    (void)state;
    struct err e;
    struct http2 h = {.have = 0}, gone = h, late = h;
    assert_int_equal(HEAR(&h, SETTINGS RESET, &e), -1);
    assert_string_equal(e.text, "the server resets the stream");
    assert_int_equal(HEAR(&gone, SETTINGS GOAWAY, &e), -1);
    assert_string_equal(e.text, "the server says GOAWAY before its answer");
    assert_int_equal(HEAR(&late, SETTINGS DATA RESET GOAWAY, &e), 0);
}

static void a_server_hears_the_request_and_answers_it(void **state)
{
    (void)state;
    uint8_t said[HTTP2_OUT_BYTES];
    size_t count = http2_put_request(said, "localhost");
    struct err e;
    for (size_t step = 1; step <= count; step += count - 1) {
        struct http2 h;
        http2_of_client(&h);
        for (size_t i = 0; i < count; i += step) {
            assert_int_equal(http2_hear(&h, said + i, step, &e), 0);
            assert_true(h.answered || i + step < count);
            assert_true(!h.answered || i + step > 24);
        }
        assert_int_equal(h.settings, 1);
    }
    struct http2 client = {.have = 0};
    size_t answer = http2_put_hello(out);
    answer += http2_put_answer(out + answer, 1, 2);
    memcpy(out + answer, "ok", 2);
    answer += 2 + http2_put_goaway(out + answer + 2, 1);
    assert_int_equal(http2_hear(&client, out, answer, &e), 0);
    assert_true(client.acknowledged && client.answered);
}

static void a_server_hears_the_first_request_on_whatever_stream_and_until_it_ends(void **state)
{
    (void)state;
    static const char said[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SETTINGS
                               "\0\0\1\1\4\0\0\0\3\x82" /* and its body is to come */
                               "\0\0\1\1\5\0\0\0\5\x82" DATA;
    struct http2 h;
    struct err e;
    http2_of_client(&h);
    assert_int_equal(HEAR(&h, said, &e), 0);
    assert_int_equal(h.stream, 3);
    assert_false(h.answered);
    assert_int_equal(HEAR(&h, "\0\0\1\0\1\0\0\0\3?", &e), 0);
    assert_true(h.answered);
    assert_int_equal(http2_put_answer(out, h.stream, 2), 19);
    assert_memory_equal(out, "\0\0\1\1\4\0\0\0\3\x88\0\0\2\0\1\0\0\0\3", 19);
}

static void what_is_not_http2_is_told(void **state)
{
    (void)state;
    struct err e;
    struct http2 h = {.have = 0}, early = h, large = h;
    assert_int_equal(HEAR(&h, "HTTP/1.1 400 Bad Request", &e), -1);
    assert_non_null(strstr(e.text, "the server doesn't speak HTTP/2: a frame of type"));
    assert_int_equal(HEAR(&early, DATA, &e), -1);
    assert_int_equal(HEAR(&large, SETTINGS TOO_LARGE, &e), -1);
    assert_non_null(strstr(e.text, "16385 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_the_preface_settings_the_window_and_a_get),
        cmocka_unit_test(a_long_name_has_its_length_in_more_bytes),
        cmocka_unit_test(the_other_frames_are_those_of_the_standard),
        cmocka_unit_test(an_answer_is_heard_in_pieces_of_any_size),
        cmocka_unit_test(an_answer_ends_with_its_stream_and_no_other),
        cmocka_unit_test(a_request_given_up_by_the_server_is_a_failure),
        cmocka_unit_test(a_server_hears_the_request_and_answers_it),
        cmocka_unit_test(a_server_hears_the_first_request_on_whatever_stream_and_until_it_ends),
        cmocka_unit_test(what_is_not_http2_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
