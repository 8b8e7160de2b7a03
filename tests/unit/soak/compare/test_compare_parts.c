/* SPDX-License-Identifier: Apache-2.0 */
/* Which version a run had, and whether that is the one that was asked for. */
#include "src/soak/compare/compare_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_version_is_asked_for_by_whole_numbers(void **state)
{
    (void)state;
    assert_true(compare_version_is("3.0.22", "3.0.22"));
    assert_true(compare_version_is("3.0.22-1~deb12u2", "3.0.22"));
    assert_true(compare_version_is("1:3.0.22-1", "3.0.22"));
    assert_true(compare_version_is("1.1.1w-0+deb11u1", "1.1.1w"));
    assert_true(compare_version_is("5.3.0-0-g54eaed1d8b", "5.3.0"));
    assert_false(compare_version_is("3.0.22-1~deb12u2", "3.0.2"));
    assert_false(compare_version_is("1.1.1w-0+deb11u1", "1.1.1"));
    assert_false(compare_version_is("3.0.2", "3.0.22"));
    assert_false(compare_version_is("", "3"));
}

static const char *refusal(enum compare_part part, const char *name,
                           const struct compare_entry *entry)
{
    static struct err e;
    return compare_part_proved(part, name, entry, &e) == 0 ? NULL : e.text;
}

static void what_was_mapped_proves_the_version(void **state)
{
    (void)state;
    struct compare_entry entry = {.mapped = {{.part = "openssl", .version = "3.0.22-1~deb12u2"},
                                             {.part = "jemalloc", .version = "5.3.0-1"}},
                                  .mapped_count = 2};
    assert_null(refusal(COMPARE_OPENSSL, "3.0.22", &entry));
    assert_null(refusal(COMPARE_OPENSSL, "/opt/openssl", &entry));
    assert_string_equal(refusal(COMPARE_OPENSSL, "3.0.20", &entry),
                        "3.0.20 was asked for, and the run had openssl 3.0.22-1~deb12u2");
    assert_string_equal(refusal(COMPARE_LIBUV, "1.50.0", &entry),
                        "1.50.0 was asked for, and the run doesn't say which libuv it had");
    assert_null(refusal(COMPARE_MALLOC, "jemalloc", &entry));
    assert_null(refusal(COMPARE_MALLOC, "jemalloc-5.3.0", &entry));
    assert_string_equal(refusal(COMPARE_MALLOC, "jemalloc-5.2.1", &entry),
                        "jemalloc-5.2.1 was asked for, and the run had jemalloc 5.3.0-1");
    assert_string_equal(refusal(COMPARE_MALLOC, "libc", &entry),
                        "libc was asked for, and the run had jemalloc 5.3.0-1");
}

static void the_allocator_of_a_program_is_proved_by_what_it_maps(void **state)
{
    (void)state;
    struct compare_entry entry = {.mapped = {{.part = "openssl", .version = "3.0.22-1"},
                                             {.part = "jemalloc", .file = "/lib/libjemalloc.so.2"}},
                                  .mapped_count = 2};
    assert_null(refusal(COMPARE_MALLOC, "jemalloc", &entry));
    assert_non_null(refusal(COMPARE_MALLOC, "jemalloc-5.3.0", &entry));
    assert_non_null(refusal(COMPARE_MALLOC, "libc", &entry));
    entry.mapped_count = 1;
    assert_null(refusal(COMPARE_MALLOC, "libc", &entry));
    assert_non_null(refusal(COMPARE_MALLOC, "jemalloc", &entry));
    entry.mapped_count = 0;
    assert_non_null(refusal(COMPARE_MALLOC, "libc", &entry));
}

static void another_allocator_is_no_jemalloc(void **state)
{
    (void)state;
    struct compare_entry entry = {.mapped = {{.part = "malloc", .version = "glibc-2.36"},
                                             {.part = "jemalloc", .version = "5.3.0-1"}},
                                  .mapped_count = 2};
    assert_null(refusal(COMPARE_MALLOC, "libc", &entry));
    assert_string_equal(refusal(COMPARE_MALLOC, "jemalloc", &entry),
                        "jemalloc was asked for, and the run had malloc glibc-2.36");
}

static void a_version_becomes_options_of_a_run(void **state)
{
    (void)state;
    struct part_words w;
    struct err e;
    assert_int_equal(compare_part_words(COMPARE_OPENSSL, "3.5.7", &w, &e), 0);
    assert_int_equal(w.count, 1);
    assert_string_equal(w.bytes[0], "--openssl=3.5.7");
    assert_int_equal(compare_part_words(COMPARE_MALLOC, "jemalloc-5.2.1", &w, &e), 0);
    assert_int_equal(w.count, 3);
    assert_string_equal(w.bytes[0], "--malloc=jemalloc");
    assert_string_equal(w.bytes[1], "--jemalloc=5.2.1");
    assert_string_equal(w.bytes[2], "--client-malloc=jemalloc");
    assert_int_equal(compare_part_words(COMPARE_MALLOC, "jemalloc-", &w, &e), -1);
    assert_int_equal(compare_part_words(COMPARE_MALLOC, "jemallocate", &w, &e), -1);
    assert_int_equal(compare_part_words(COMPARE_PROGRAM, "debian:trixie/nginx", &w, &e), 0);
    assert_string_equal(w.bytes[0], "--program=debian:trixie/nginx");
    assert_int_equal(compare_part_words(COMPARE_PROGRAM, "nginx", &w, &e), -1);
}

/* The length that the names of a list have, one after the other. */
static void assert_names(enum compare_part part, const char *list, const char *const *names)
{
    for (; *names; names++) {
        size_t length = compare_part_length(part, list);
        assert_int_equal(length, strlen(*names));
        assert_memory_equal(list, *names, length);
        list += length + (list[length] == ',');
    }
    assert_string_equal(list, "");
}

static void packages_of_one_program_stay_together(void **state)
{
    (void)state;
    static const char *const two[] = {"debian:bookworm/rsyslog,rsyslog-openssl",
                                      "debian:sid/rsyslog=8.1,rsyslog-openssl=8.1", NULL};
    static const char *const npm[] = {"npm:node@24.1.0", "npm:node@24.2.0", NULL};
    static const char *const plain[] = {"3.0.17", "debian", "x", NULL};
    assert_names(
        COMPARE_PROGRAM,
        "debian:bookworm/rsyslog,rsyslog-openssl,debian:sid/rsyslog=8.1,rsyslog-openssl=8.1", two);
    assert_names(COMPARE_PROGRAM, "npm:node@24.1.0,npm:node@24.2.0", npm);
    assert_names(COMPARE_OPENSSL, "3.0.17,debian,x", plain);
    assert_int_equal(compare_part_length(COMPARE_PROGRAM, "debian:sid/x,"),
                     12); /* a name is missing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_asked_for_by_whole_numbers),
        cmocka_unit_test(what_was_mapped_proves_the_version),
        cmocka_unit_test(the_allocator_of_a_program_is_proved_by_what_it_maps),
        cmocka_unit_test(another_allocator_is_no_jemalloc),
        cmocka_unit_test(a_version_becomes_options_of_a_run),
        cmocka_unit_test(packages_of_one_program_stay_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
