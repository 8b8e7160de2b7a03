/* SPDX-License-Identifier: Apache-2.0 */
/* The children's environment: a known one, whatever the caller's is. */
#include "scenario/scenario.h"
#include "src/soak/subject/environment.h"

#include <gnu/lib-names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *find(char **environment, const char *name)
{
    size_t length = strlen(name);
    const char *found = NULL;
    for (size_t i = 0; environment[i]; i++) {
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=') {
            assert_null(found); /* never twice */
            found = environment[i] + length + 1;
        }
    }
    return found;
}

static int hostile(void **state)
{
    (void)state;
    static const char *const variable[] = {
        "MALLOC_CONF",     "MALLOC_ARENA_MAX", "_RJEM_MALLOC_CONF",  "OPENSSL_CONF",
        "OPENSSL_MODULES", "OPENSSL_ENGINES",  "OPENSSL_ia32cap",    "SSL_CERT_FILE",
        "SSLKEYLOGFILE",   "LD_PRELOAD",       "LD_LIBRARY_PATH",    "LD_BIND_NOW",
        "GLIBC_TUNABLES",  "UV_USE_IO_URING",  "UV_THREADPOOL_SIZE", "SOMETHING_ELSE"};
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++)
        setenv(variable[i], "caller", 1);
    setenv("PATH", "/usr/bin", 1);
    setenv("ASAN_OPTIONS", "exitcode=99", 1);
    return 0;
}

static char **make(int allocator, const char *path, const struct opts_list *passed)
{
    return environment_make(&(struct environment_request){
        .allocator = allocator, .library_path = path, .passed = passed});
}

static void nothing_of_the_caller_s_reaches_the_children(void **state)
{
    (void)state;
    const struct opts_list none = {.count = 0};
    char **made = make(MALLOC_JEMALLOC, "", &none);
    for (size_t i = 0; made[i]; i++)
        if (strstr(made[i], "=caller"))
            fail_msg("%s", made[i]);
    assert_string_equal(find(made, "PATH"), "/usr/bin");
    assert_string_equal(find(made, "ASAN_OPTIONS"), "exitcode=99");
    assert_null(find(made, "LD_PRELOAD"));
    environment_free(made);
}

static void what_is_passed_on_reaches_them_once(void **state)
{
    (void)state;
    const struct opts_list passed = {.item = {"MALLOC_CONF=narenas:1", "PATH=/mine", "EMPTY="},
                                     .count = 3};
    char **made = make(MALLOC_JEMALLOC, "", &passed);
    assert_string_equal(find(made, "MALLOC_CONF"), "narenas:1");
    assert_string_equal(find(made, "PATH"), "/mine");
    assert_string_equal(find(made, "EMPTY"), "");
    environment_free(made);
}

/* libeatmydata and libfaketime look for libc's functions behind themselves. */
static void the_user_s_library_comes_before_libc(void **state)
{
    (void)state;
    const struct opts_list passed = {.item = {"LD_PRELOAD=libeatmydata.so"}, .count = 1};
    char **made = make(MALLOC_LIBC, "", &passed);
    assert_string_equal(find(made, "LD_PRELOAD"),
                        SCENARIO_JEMALLOC ? "libeatmydata.so:" LIBC_SO : "libeatmydata.so");
    environment_free(made);
}

static void the_libraries_that_were_asked_for_come_before_the_user_s(void **state)
{
    (void)state;
    const struct opts_list passed = {.item = {"LD_LIBRARY_PATH=/user"}, .count = 1};
    char **made = make(MALLOC_JEMALLOC, "/asked", &passed);
    assert_string_equal(find(made, "LD_LIBRARY_PATH"), "/asked:/user");
    environment_free(made);
    const struct opts_list none = {.count = 0};
    made = make(MALLOC_JEMALLOC, "/asked", &none);
    assert_string_equal(find(made, "LD_LIBRARY_PATH"), "/asked");
    environment_free(made);
}

static void servers_are_found_where_an_ordinary_user_s_path_does_not_lead(void **state)
{
    (void)state;
    const char *const path[][2] = {
        {"/usr/bin", "/usr/bin:/usr/local/sbin:/usr/sbin"},
        {"/usr/sbin:/bin", "/usr/sbin:/bin:/usr/local/sbin"},
        {"/usr/sbin/more:/usr/local/sbin", "/usr/sbin/more:/usr/local/sbin:/usr/sbin"},
        {"/bin:/usr/local/sbin:/usr/sbin", "/bin:/usr/local/sbin:/usr/sbin"},
        {"", ""}};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        setenv("PATH", path[i][0], 1);
        environment_find_servers();
        assert_string_equal(getenv("PATH"), path[i][1]);
    }
    unsetenv("PATH");
    environment_find_servers();
    assert_null(getenv("PATH"));
    setenv("PATH", "/usr/bin", 1);
}

static void count(void *ctx, const char *variable)
{
    *(int *)ctx += strstr(variable, "=caller") != NULL;
}

static void what_was_set_aside_is_told(void **state)
{
    (void)state;
    char text[512];
    int told = 0;
    const struct opts_list passed = {.item = {"LD_PRELOAD=x.so"}, .count = 1};
    environment_set_aside(&passed, count, &told);
    assert_int_equal(told, 14); /* of the 16 one is passed on, and one means nothing */
    assert_true(environment_text(&passed, text, sizeof text));
    assert_non_null(strstr(text, "MALLOC_CONF"));
    assert_non_null(strstr(text, "SSLKEYLOGFILE"));
    assert_non_null(strstr(text, "--env NAME=VALUE passes one on"));
    assert_null(strstr(text, "LD_PRELOAD"));
    assert_null(strstr(text, "SSL_CERT_FILE")); /* our programs make nothing of it */
    assert_null(strstr(text, "SOMETHING_ELSE"));
}

static void a_quiet_environment_is_not_told(void **state)
{
    (void)state;
    char text[512];
    const struct opts_list none = {.count = 0};
    clearenv();
    setenv("SSL_CERT_FILE", "/etc/x", 1);
    assert_false(environment_text(&none, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_found_where_an_ordinary_user_s_path_does_not_lead),
        cmocka_unit_test_setup(nothing_of_the_caller_s_reaches_the_children, hostile),
        cmocka_unit_test_setup(what_is_passed_on_reaches_them_once, hostile),
        cmocka_unit_test_setup(the_user_s_library_comes_before_libc, hostile),
        cmocka_unit_test_setup(the_libraries_that_were_asked_for_come_before_the_user_s, hostile),
        cmocka_unit_test_setup(what_was_set_aside_is_told, hostile),
        cmocka_unit_test(a_quiet_environment_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
