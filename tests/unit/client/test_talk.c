/* SPDX-License-Identifier: Apache-2.0 */
/* What is said after the handshake, and the search for the answer in what comes piece by piece. */
#include "base/rng.h"
#include "client/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct talk talk_of(const char *say, const char *answer, bool foreign)
{
    struct talk t;
    assert_int_equal(talk_init(&t, say, answer, foreign, NULL), 0);
    return t;
}

static size_t hear(const struct talk *t, size_t heard, const char *text)
{
    return talk_hear(t, heard, (const uint8_t *)text, strlen(text));
}

static void soak_server_echoes_and_others_are_told_nothing(void **state)
{
    (void)state;
    assert_int_equal(talk_of(NULL, NULL, false).kind, TALK_ECHO);
    assert_int_equal(talk_of(NULL, NULL, true).kind, TALK_SILENT);
    assert_int_equal(talk_of("hi", NULL, false).kind, TALK_TEXT);
    assert_int_equal(talk_of(NULL, "220 ", true).kind, TALK_TEXT);
}

static void what_is_said_may_hold_any_byte(void **state)
{
    (void)state;
    struct talk t = talk_of("a\\x00b\\r\\n", "\\\\", true);
    assert_int_equal(t.say_bytes, 5);
    assert_memory_equal(t.say, "a\0b\r\n", 5);
    assert_int_equal(t.answer_bytes, 1);
}

static void without_an_answer_a_byte_will_do(void **state)
{
    (void)state;
    struct talk t = talk_of("hi", NULL, true);
    assert_false(talk_answered(&t, hear(&t, 0, "")));
    assert_true(talk_answered(&t, hear(&t, 0, "x")));
}

static void an_answer_may_come_in_pieces_with_more_around_it(void **state)
{
    (void)state;
    struct talk t = talk_of("hi", "200 OK", true);
    size_t heard = hear(&t, 0, "HTTP/1.1 20");
    assert_false(talk_answered(&t, heard));
    heard = hear(&t, heard, "0 O");
    assert_false(talk_answered(&t, heard));
    heard = hear(&t, heard, "K\r\n\r\nhello");
    assert_true(talk_answered(&t, heard));
    assert_true(talk_answered(&t, hear(&t, heard, "200 OK and more")));
}

static void what_only_begins_like_the_answer_is_none(void **state)
{
    (void)state;
    struct talk t = talk_of("hi", "aabaaa", true);
    assert_false(talk_answered(&t, hear(&t, 0, "aabaabaab")));
    assert_true(talk_answered(&t, hear(&t, 0, "aabaabaaa")));
    assert_true(talk_answered(&t, hear(&t, hear(&t, 0, "xaabaa"), "baaa")));
}

/* Few letters, so that beginnings overlap. Compared with memmem on the whole. */
static void any_answer_is_found_where_it_is_and_nowhere_else(void **state)
{
    (void)state;
    struct rng r = {5};
    for (int round = 0; round < 20000; round++) {
        char answer[8] = "", stream[33] = "";
        size_t length = 1 + rng_below(&r, 6), total = rng_below(&r, 32), heard = 0;
        for (size_t i = 0; i < length; i++)
            answer[i] = "ab"[rng_below(&r, 2)];
        for (size_t i = 0; i < total; i++)
            stream[i] = "ab"[rng_below(&r, 2)];
        struct talk t = talk_of(NULL, answer, true);
        for (size_t at = 0, piece; at < total; at += piece) {
            piece = 1 + rng_below(&r, total - at);
            heard = talk_hear(&t, heard, (const uint8_t *)stream + at, piece);
        }
        assert_int_equal(talk_answered(&t, heard), strstr(stream, answer) != NULL);
    }
}

static void the_first_line_of_what_comes_is_kept_as_far_as_there_is_room(void **state)
{
    (void)state;
    char line[12] = "";
    talk_quote(line, sizeof line, (const uint8_t *)"a\0b", 3);
    assert_string_equal(line, "a b");
    talk_quote(line, sizeof line, (const uint8_t *)"c\nd", 3);
    talk_quote(line, sizeof line, (const uint8_t *)"e", 1);
    assert_string_equal(line, "a bc\n");
    char full[4] = "";
    talk_quote(full, sizeof full, (const uint8_t *)"12345", 5);
    assert_string_equal(full, "123");
}

static void what_cannot_be_said_is_refused_by_its_name(void **state)
{
    (void)state;
    struct talk t;
    struct err e;
    assert_int_equal(talk_init(&t, "a\\q", NULL, true, &e), -1);
    assert_non_null(strstr(e.text, "--say a\\q: '\\q' isn't"));
    char endless[OPTS_STRING_LIMIT + 2];
    memset(endless, 'c', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(talk_init(&t, NULL, endless, true, &e), -1);
    assert_non_null(strstr(e.text, "at most 1000 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soak_server_echoes_and_others_are_told_nothing),
        cmocka_unit_test(what_is_said_may_hold_any_byte),
        cmocka_unit_test(without_an_answer_a_byte_will_do),
        cmocka_unit_test(an_answer_may_come_in_pieces_with_more_around_it),
        cmocka_unit_test(what_only_begins_like_the_answer_is_none),
        cmocka_unit_test(any_answer_is_found_where_it_is_and_nowhere_else),
        cmocka_unit_test(the_first_line_of_what_comes_is_kept_as_far_as_there_is_room),
        cmocka_unit_test(what_cannot_be_said_is_refused_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
