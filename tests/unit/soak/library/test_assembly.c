/* SPDX-License-Identifier: Apache-2.0 */
/* Which libc the subjects run on when a library needs a newer one than the machine's. */
#include "src/soak/library/assembly.h"

#include "libs/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/put_file.h"
#include "tests/unit/remove_tree.h"

static char base[64];
static struct lib part[LIB_PARTS]; /* what is asked for */

/* A project in which nothing can be built, and a cache. */
static int open_all(void **state)
{
    char path[128];
    (void)state;
    strcpy(base, "/tmp/soak-assembly-XXXXXX");
    assert_non_null(mkdtemp(base));
    put_file(base, "server/CMakeLists.txt", "");
    setenv("SOAK_ROOT", base, 1);
    snprintf(path, sizeof path, "%s/cache", base);
    setenv("SOAK_CACHE", path, 1);
    memset(part, 0, sizeof part);
    for (int i = 0; i < LIB_PARTS; i++)
        part[i].part = (enum lib_part)i;
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    return remove_tree(base);
}

/* An OpenSSL that needs this libc; `brought`: the one that came with it, or "". */
static void ask_openssl(const char *glibc, const char *brought)
{
    struct lib *l = &part[LIB_OPENSSL];
    strcpy(l->name, "3.9");
    strcpy(l->version, "3.9");
    snprintf(l->glibc, sizeof l->glibc, "%s", glibc);
    snprintf(l->libc, sizeof l->libc, "%s", brought);
}

static void ask_libc(const char *version)
{
    snprintf(part[LIB_LIBC].name, LIB_NAME, "%s", version);
    snprintf(part[LIB_LIBC].version, LIB_VERSION, "%s", version);
}

/* A libc of the cache, all but its dynamic linker. */
static void install_libc(const char *version)
{
    struct err e = {{0}};
    struct lib *l = calloc(1, sizeof *l);
    char folder[128];
    assert_non_null(l);
    assert_int_equal(cache_new_folder(folder, sizeof folder, &e), 0);
    snprintf(l->library_dir, sizeof l->library_dir, "%s/lib", folder);
    put_file(folder, "lib/libc.so.6", "");
    l->part = LIB_LIBC;
    strcpy(l->origin, "test");
    l->sonames = 1;
    strcpy(l->soname[0], "libc.so.6");
    snprintf(l->name, sizeof l->name, "%s", version);
    snprintf(l->version, sizeof l->version, "%s", version);
    assert_int_equal(cache_lib_folder(LIB_LIBC, version, l->folder, sizeof l->folder, &e), 0);
    if (cache_install(l, folder, &e) != 0)
        fail_msg("%s", e.text);
    free(l);
}

static void assert_refused(const char *because)
{
    struct err e = {{0}};
    struct assembly *a = calloc(1, sizeof *a);
    assert_non_null(a);
    assert_true(assembly_make_of(part, a, &e) < 0);
    if (!strstr(e.text, because))
        fail_msg("'%s' isn't in '%s'", because, e.text);
    free(a);
}

static void a_libc_that_is_nowhere_is_named_with_what_brings_one(void **state)
{
    (void)state;
    install_libc("9.80");
    ask_openssl("9.90", "");
    assert_refused("openssl 3.9 needs libc 9.90 and this machine has ");
    assert_refused("`soak libs add debian:trixie/libc`");
}

static void the_oldest_libc_that_suffices_is_chosen(void **state)
{
    (void)state;
    install_libc("9.95");
    install_libc("9.80");
    install_libc("9.91");
    ask_openssl("9.90", "");
    assert_refused("libc 9.91: its dynamic linker ");
}

static void the_libc_of_its_own_suite_comes_first(void **state)
{
    (void)state;
    install_libc("9.91");
    install_libc("9.95");
    install_libc("9.99");
    ask_openssl("9.90", "9.95");
    assert_refused("libc 9.95: its dynamic linker ");
}

static void a_libc_that_was_asked_for_must_do_for_each_library(void **state)
{
    (void)state;
    ask_openssl("9.20", "");
    ask_libc("9.10");
    assert_refused("libc 9.10 is too old for openssl 3.9, which needs 9.20");
}

static void a_libc_must_do_for_what_is_compiled_here(void **state)
{
    (void)state;
    ask_libc("2.1");
    assert_refused("libc 2.1 is too old: what is compiled on this machine needs 2.");
}

static void a_library_of_another_soname_needs_its_headers(void **state)
{
    (void)state;
    ask_openssl("2.2", "");
    part[LIB_OPENSSL].sonames = 1;
    strcpy(part[LIB_OPENSSL].soname[0], "libssl.so.9");
    assert_refused("openssl 3.9 is libssl.so.9, another than this machine's, and has no headers: "
                   "add its libssl-dev package with it");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_libc_that_is_nowhere_is_named_with_what_brings_one),
        CASE(the_oldest_libc_that_suffices_is_chosen),
        CASE(the_libc_of_its_own_suite_comes_first),
        CASE(a_libc_that_was_asked_for_must_do_for_each_library),
        CASE(a_libc_must_do_for_what_is_compiled_here),
        CASE(a_library_of_another_soname_needs_its_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
