/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests are obeyed, and why the others aren't. */
#include "src/soak/run/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: 127.0.0.1:8080\r\n"

static void assert_status(const char *text, enum http_status status)
{
    struct http_request request = {.path = "untouched"};
    assert_int_equal(http_request_read(text, &request), status);
    if (status != HTTP_OK)
        assert_string_equal(request.path, "untouched");
}

static void a_path_is_asked_for_by_get_or_head(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(http_request_read("GET /metrics HTTP/1.1\r\n" HOST "\r\n", &request), HTTP_OK);
    assert_string_equal(request.path, "/metrics");
    assert_false(request.head);
    assert_int_equal(http_request_read("HEAD / HTTP/1.0\r\nhOST:localhost\r\n\r\n", &request),
                     HTTP_OK);
    assert_string_equal(request.path, "/");
    assert_true(request.head);
}

static void other_methods_are_refused(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST / ", "get / ", "GETX / ", "OPTIONS * "};
    char text[128];
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        strcpy(text, methods[i]);
        assert_status(strcat(text, "HTTP/1.1\r\n" HOST "\r\n"), HTTP_METHOD);
    }
}

static void only_names_of_this_machine_are_obeyed(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum http_status status;
    } rows[] = {{"localhost", HTTP_OK},
                {"LocalHost:1", HTTP_OK},
                {"127.0.0.1", HTTP_OK},
                {"127.1.2.3:65535", HTTP_OK},
                {"[::1]:8080", HTTP_OK},
                {"[::1]", HTTP_OK},
                {" 127.0.0.1\t", HTTP_OK},
                {"evil.example", HTTP_MISDIRECTED},
                {"evil.example:8080", HTTP_MISDIRECTED},
                {"localhost.evil.example", HTTP_MISDIRECTED},
                {"127.0.0.1.evil.example", HTTP_MISDIRECTED},
                {"127.0.0.1:8080:9090", HTTP_MISDIRECTED},
                {"127.0.0.1:80x", HTTP_MISDIRECTED},
                {"localhost@evil.example", HTTP_MISDIRECTED},
                {"evil@127.0.0.1", HTTP_MISDIRECTED},
                {"128.0.0.1", HTTP_MISDIRECTED},
                {"0.0.0.0", HTTP_MISDIRECTED},
                {"[::]", HTTP_MISDIRECTED},
                {"[::1", HTTP_MISDIRECTED},
                {"[::1]x", HTTP_MISDIRECTED},
                {":8080", HTTP_MISDIRECTED},
                {"", HTTP_MISDIRECTED}};
    char text[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        strcpy(text, "GET / HTTP/1.1\r\nHost:");
        strcat(text, rows[i].host);
        assert_status(strcat(text, "\r\n\r\n"), rows[i].status);
    }
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"\r\n",
                                        "\r\n\r\n",
                                        "GET / HTTP/1.1\r\n\r\n",
                                        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
                                        "GET / HTTP/1.1\r\n" HOST " Host: evil\r\n\r\n",
                                        "GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
                                        "GET / HTTP/1.1\r\n" HOST "X: a\nHost: b\r\n\r\n",
                                        "GET / HTTP/1.1\n" HOST "\r\n",
                                        "GET / HTTP/2.0\r\n" HOST "\r\n",
                                        "GET  HTTP/1.1\r\n" HOST "\r\n",
                                        "GET /\r\n" HOST "\r\n",
                                        "GET / HTTP/1.11\r\n" HOST "\r\n",
                                        "GET / x HTTP/1.1\r\n" HOST "\r\n",
                                        "GET / HTTP/1.1\r\n" HOST "no name\r\n\r\n",
                                        "GET / HTTP/1.1\r\n" HOST ": none\r\n\r\n",
                                        "GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_status(texts[i], HTTP_BAD);
}

static void a_path_that_is_too_long_is_nowhere(void **state)
{
    (void)state;
    char text[256] = "GET /";
    memset(text + 5, 'x', HTTP_PATH);
    strcpy(text + 5 + HTTP_PATH, " HTTP/1.1\r\n" HOST "\r\n");
    assert_status(text, HTTP_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_asked_for_by_get_or_head),
        cmocka_unit_test(other_methods_are_refused),
        cmocka_unit_test(only_names_of_this_machine_are_obeyed),
        cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_path_that_is_too_long_is_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
