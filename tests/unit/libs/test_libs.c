/* SPDX-License-Identifier: Apache-2.0 */
/* Records, the cache and ELF facts. The build makes TINY_LIBRARY and LONG_LIBRARY. */
#include "libs/cache.h"
#include "libs/elf_facts.h"
#include "libs/lib.h"

#include "tests/unit/remove_tree.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char base[PATH_MAX];

static int make_base(void **state)
{
    (void)state;
    strcpy(base, "/tmp/test_libs.XXXXXX");
    return mkdtemp(base) && setenv("SOAK_CACHE", base, 1) == 0 ? 0 : -1;
}

static int remove_base(void **state)
{
    (void)state;
    return remove_tree(base);
}

static const char *below(const char *name)
{
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", base, name);
    return path;
}

static void put(const char *name, const char *bytes, size_t length)
{
    FILE *out = fopen(below(name), "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void make(const char *name)
{
    assert_int_equal(mkdir(below(name), 0700), 0);
}

/* The whole file; the caller frees it. */
static char *slurp(const char *path, size_t *ret_length)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *ret_length = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return bytes;
}

static void put_library(const char *name)
{
    size_t length;
    char *bytes = slurp(TINY_LIBRARY, &length);
    put(name, bytes, length);
    free(bytes);
}

/* ---- ELF ---- */

static void a_program_tells_what_it_needs(void **state)
{
    (void)state;
    struct elf_facts f;
    struct err e = {{0}};
    bool libc = false;
    assert_int_equal(elf_facts_read("/proc/self/exe", &f, &e), 0);
    for (size_t i = 0; i < f.needed_count; i++)
        libc |= strcmp(f.needed[i], "libc.so.6") == 0;
    assert_true(libc);
    assert_int_equal(strncmp(f.glibc, "2.", 2), 0);
    assert_non_null(strstr(f.interpreter, "/ld"));
    assert_string_equal(f.soname, "");
}

static void a_library_has_a_name(void **state)
{
    (void)state;
    struct elf_facts f;
    assert_int_equal(elf_facts_read(TINY_LIBRARY, &f, NULL), 0);
    assert_string_equal(f.soname, "libuv.so.1");
    assert_string_equal(f.interpreter, "");
}

static void a_name_that_is_too_long_is_none(void **state)
{
    (void)state;
    struct elf_facts f;
    assert_int_equal(elf_facts_read(LONG_LIBRARY, &f, NULL), 0);
    assert_string_equal(f.soname, "");
}

static void what_is_no_library_is_refused(void **state)
{
    (void)state;
    struct elf_facts f;
    struct err e = {{0}};
    put_text("text", "INPUT(libuv.so.1)\n");
    assert_int_equal(elf_facts_read(below("text"), &f, &e), -1);
    assert_non_null(strstr(e.text, "/text: it isn't a shared library"));
    assert_int_equal(elf_facts_read(below("nowhere"), &f, &e), -1);
    assert_non_null(strstr(e.text, "No such file"));
    assert_int_equal(elf_facts_read(base, &f, &e), -1);
}

/* A damaged file gives an answer or a refusal, and every text in the answer ends. */
static void a_damaged_library_does_no_harm(void **state)
{
    (void)state;
    struct elf_facts f;
    size_t length;
    char *bytes = slurp(TINY_LIBRARY, &length);
    uint32_t draw = 1;
    for (int i = 0; i < 600; i++) {
        char *copy = malloc(length);
        assert_non_null(copy);
        memcpy(copy, bytes, length);
        for (int n = 0; n < 8; n++) {
            draw = draw * 1664525u + 1013904223u;
            copy[draw % length] = (char)(draw >> 24);
        }
        put("damaged", copy, i % 2 ? draw % length : length);
        if (elf_facts_read(below("damaged"), &f, NULL) == 0) {
            assert_true(strlen(f.soname) < sizeof f.soname);
            assert_true(f.needed_count <= ELF_NEEDED);
        }
        free(copy);
    }
    free(bytes);
}

/* The dynamic linker would refuse it when the server starts. */
static void a_library_whose_program_headers_lie_outside_of_it_is_refused(void **state)
{
    (void)state;
    struct elf_facts f;
    struct err e = {{0}};
    size_t length;
    char *bytes = slurp(TINY_LIBRARY, &length);
    Elf64_Ehdr header, damaged;
    memcpy(&header, bytes, sizeof header);
    const struct {
        Elf64_Half count, size;
        Elf64_Off offset;
    } row[] = {{PN_XNUM, header.e_phentsize, header.e_phoff},
               {PN_XNUM - 1, header.e_phentsize, header.e_phoff},
               {header.e_phnum, 0xffff, header.e_phoff},
               {header.e_phnum, header.e_phentsize, length - 1},
               {header.e_phnum, header.e_phentsize, UINT64_MAX - 8},
               {0, header.e_phentsize, header.e_phoff}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        damaged = header;
        damaged.e_phnum = row[i].count;
        damaged.e_phentsize = row[i].size;
        damaged.e_phoff = row[i].offset;
        memcpy(bytes, &damaged, sizeof damaged);
        put("outside", bytes, length);
        assert_int_equal(elf_facts_read(below("outside"), &f, &e), -1);
        assert_non_null(strstr(e.text, "/outside: it isn't a shared library"));
    }
    free(bytes);
}

/* ---- records ---- */

static void put_record(const char *text)
{
    make("libs");
    make("libs/libuv-1.50.0");
    make("libs/libuv-1.50.0/root");
    make("libs/libuv-1.50.0/root/lib");
    put_library("libs/libuv-1.50.0/root/lib/libuv.so.1");
    put_text("libs/libuv-1.50.0/lib.json", text);
}

static const char good[] =
    "{\"part\":\"libuv\",\"name\":\"1.50.0\",\"version\":\"1.50.0-2\",\"origin\":\"debian:trixie\","
    "\"include\":[\"root/include\"],\"library_dir\":\"root/lib\",\"soname\":[\"libuv.so.1\"],"
    "\"glibc\":\"2.34\",\"libc\":\"\"}";

static void a_record_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    struct lib *l = calloc(2, sizeof *l);
    assert_non_null(l);
    struct err e = {{0}};
    put_record(good);
    if (lib_read(below("libs/libuv-1.50.0"), &l[0], &e) != 0)
        fail_msg("%s", e.text);
    assert_string_equal(l[0].include[0], below("libs/libuv-1.50.0/root/include"));
    assert_string_equal(l[0].library_dir, below("libs/libuv-1.50.0/root/lib"));
    assert_int_equal(lib_write(&l[0], below("libs/libuv-1.50.0"), &e), 0);
    assert_int_equal(lib_read(below("libs/libuv-1.50.0"), &l[1], &e), 0);
    assert_memory_equal(&l[0], &l[1], sizeof *l);
    free(l);
}

/* Each replaces a piece of the good record and spoils it. */
static const struct {
    const char *piece, *by, *complaint;
} spoils[] = {
    {"\"libuv\"", "\"libfoo\"", "'part'"},
    {"\"part\"", "\"prat\"", "'part'"},
    {"\"1.50.0\"", "\"../1.50.0\"", "'name'"},
    {"\"1.50.0\"", "7", "'name'"},
    {"\"1.50.0-2\"", "\"1.50 0\"", "'version'"},
    {"debian:trixie", "debian\\u0007", "'origin'"},
    {"[\"root/include\"]", "\"root/include\"", "'include'"},
    {"\"root/include\"", "\"root/../../../etc\"", "'include'"},
    {"\"root/include\"", "1", "'include'"},
    {"\"root/include\"", "\"a\",\"b\",\"c\"", "'include'"},
    {"\"root/lib\"", "\"..\"", "'library_dir'"},
    {"\"root/lib\"", "\"root/bil\"", "no longer there"},
    {"[\"libuv.so.1\"]", "[]", "'soname'"},
    {"libuv.so.1", "/etc/passwd", "'soname'"},
    {"libuv.so.1", "libuv.so.2", "no longer there"},
    {"2.34", "new", ""},
    {"2.34", "2 34", "'glibc'"},
    {"\"libc\":\"\"", "\"libc\":\"a/b\"", "'libc'"},
    {"\"libc\":\"\"", "\"libc\":null", "'libc'"},
    {"}", "", "lib.json"},
    {"\"glibc\"", "\"part\"", "lib.json"},
    {good, "[]", "'part'"},
    {good, "", "lib.json"},
};

/* A prefix may lie in a folder of any name. */
static void what_is_written_of_a_folder_can_be_read(void **state)
{
    (void)state;
    static const char *const names[] = {"openssl..old", "..openssl", "openssl..", "...",
                                        "tls \x01"};
    struct lib *l = calloc(1, sizeof *l);
    struct err e = {{0}};
    assert_non_null(l);
    put_record(good);
    assert_int_equal(lib_read(below("libs/libuv-1.50.0"), l, &e), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(l->include[0], sizeof l->include[0], "/opt/%s/include", names[i]);
        if (lib_write(l, below("libs/libuv-1.50.0"), &e) != 0)
            assert_non_null(strstr(e.text, "a control character"));
        else if (lib_read(below("libs/libuv-1.50.0"), l, &e) != 0)
            fail_msg("%s: %s", names[i], e.text);
    }
    free(l);
}

static void nonsense_in_a_record_is_refused(void **state)
{
    (void)state;
    struct lib *l = calloc(1, sizeof *l);
    assert_non_null(l);
    put_record(good);
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        char text[2048];
        struct err e = {{0}};
        const char *at = strstr(good, spoils[i].piece);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, spoils[i].by,
                 at + strlen(spoils[i].piece));
        put_text("libs/libuv-1.50.0/lib.json", text);
        int rc = lib_read(below("libs/libuv-1.50.0"), l, &e);
        if (rc != (*spoils[i].complaint ? -1 : 0) || !strstr(e.text, spoils[i].complaint))
            fail_msg("%s gave %d: %s", text, rc, e.text);
    }
    free(l);
}

/* ---- the cache ---- */

static void the_cache_lies_where_the_user_says(void **state)
{
    (void)state;
    char root[PATH_MAX], home[PATH_MAX + 16];
    struct err e = {{0}};
    assert_int_equal(cache_root(root, sizeof root, &e), 0);
    assert_string_equal(root, base);
    unsetenv("SOAK_CACHE");
    setenv("XDG_CACHE_HOME", "/x/cache", 1);
    assert_int_equal(cache_root(root, sizeof root, &e), 0);
    assert_string_equal(root, "/x/cache/soak");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", base, 1);
    assert_int_equal(cache_root(root, sizeof root, &e), 0);
    snprintf(home, sizeof home, "%s/.cache/soak", base);
    assert_string_equal(root, home);
    unsetenv("HOME");
    assert_int_equal(cache_root(root, sizeof root, &e), -1);
    assert_non_null(strstr(e.text, "set SOAK_CACHE"));
    static const char *const refused[] = {"relative", "/a:b", "/a;b", "/a,b", "/a$b", "/a\"b"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        setenv("SOAK_CACHE", refused[i], 1);
        assert_int_equal(cache_root(root, sizeof root, &e), -1);
        assert_non_null(strstr(e.text, refused[i]));
    }
}

static void its_folders_are_private(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat s;
    umask(0);
    setenv("SOAK_CACHE", below("deep/er"), 1);
    assert_int_equal(cache_make("apt/sid", path, sizeof path, NULL), 0);
    for (const char *p = "deep\0deep/er\0deep/er/apt\0deep/er/apt/sid\0"; *p; p += strlen(p) + 1) {
        assert_int_equal(stat(below(p), &s), 0);
        assert_int_equal(s.st_mode & 0777, 0700);
    }
    struct err e = {{0}};
    put_text("file", "");
    setenv("SOAK_CACHE", below("file/in"), 1);
    assert_int_equal(cache_make("", path, sizeof path, &e), -1);
    assert_non_null(strstr(e.text, "can't be made"));
}

/* A libuv of this name and version, installed as the program does it. */
static void install(const char *name, const char *version)
{
    struct lib *l = calloc(1, sizeof *l);
    char folder[PATH_MAX], path[PATH_MAX + 32];
    struct err e = {{0}};
    assert_non_null(l);
    l->part = LIB_LIBUV;
    snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(l->version, sizeof l->version, "%s", version);
    strcpy(l->origin, "test");
    assert_int_equal(cache_new_folder(folder, sizeof folder, &e), 0);
    snprintf(path, sizeof path, "%s/lib", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/lib/libuv.so.1", folder + strlen(base) + 1);
    put_library(path);
    if (lib_examine(l, folder, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(cache_lib_folder(LIB_LIBUV, name, l->folder, sizeof l->folder, &e), 0);
    if (cache_install(l, folder, &e) != 0)
        fail_msg("%s", e.text);
    free(l);
}

static void finds(const char *asked, int expected, const char *what)
{
    struct lib *l = calloc(1, sizeof *l);
    struct err e = {{0}};
    assert_non_null(l);
    int rc = cache_find(LIB_LIBUV, asked, l, &e);
    const char *found = rc > 0 ? l->version : e.text;
    if (rc != expected || (*what && !strstr(found, what)))
        fail_msg("%s gave %d: %s", asked, rc, found);
    free(l);
}

static void a_library_is_found_by_all_its_names(void **state)
{
    (void)state;
    finds("1.44.2", 0, "");
    install("1.44.2", "1.44.2-1");
    install("1.44.2-1+deb12u1", "1.44.2-1+deb12u1");
    install("1.50.0", "1.50.0-2");
    install("mine", "1.44.2");
    finds("1.44.2", 1, "1.44.2-1");
    finds("1.44.2-1+deb12u1", 1, "1.44.2-1+deb12u1");
    finds("mine", 1, "1.44.2");
    finds("1.44", 1, "1.44.2-1+deb12u1");
    finds("1.50", 1, "1.50.0-2");
    finds("1", -1, "is that");
    finds("1.5", 0, "");
    struct lib *l = calloc(1, sizeof *l);
    assert_non_null(l);
    assert_int_equal(cache_find(LIB_OPENSSL, "1.44.2", l, NULL), 0);
    free(l);
}

static void the_list_is_by_version(void **state)
{
    (void)state;
    struct cache_list list;
    struct err e = {{0}};
    install("1.50.0", "1.50.0-2");
    install("1.9.0", "1.9.0-1");
    assert_int_equal(cache_list(&list, &e), 0);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.lib[0].name, "1.9.0");
    cache_list_free(&list);
    put_text("libs/libuv-1.9.0/lib.json", "{");
    assert_int_equal(cache_list(&list, &e), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.broken, 1);
    assert_non_null(strstr(list.because.text, "libuv-1.9.0/lib.json"));
    cache_list_free(&list);
    finds("1.9.0", -1, "lib.json");
}

static void a_library_owns_its_files_alone(void **state)
{
    (void)state;
    struct lib *l = calloc(1, sizeof *l);
    struct err e = {{0}};
    assert_non_null(l);
    install("1.50.0", "1.50.0-2");
    put_text("libs/libuv-1.50.0/lib/libuv.so.1.0.0", "");
    assert_int_equal(cache_find(LIB_LIBUV, "1.50.0", l, &e), 1);
    assert_true(lib_owns(l, below("libs/libuv-1.50.0/lib/libuv.so.1")));
    assert_true(lib_owns(l, below("libs/libuv-1.50.0/lib/libuv.so.1.0.0")));
    assert_false(lib_owns(l, below("libs/libuv-1.50.0/lib/libssl.so.3")));
    assert_false(lib_owns(l, below("libs/libuv-1.50.0/lib/deeper/libuv.so.1")));
    assert_false(lib_owns(l, below("libs/libuv-1.51.0/lib/libuv.so.1")));
    assert_false(lib_owns(l, "/usr/lib/libuv.so.1"));
    assert_false(lib_owns(l, "[vdso]"));
    free(l);
}

static void what_was_interrupted_is_swept_away(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    install("1.50.0", "1.50.0-2");
    assert_int_equal(cache_new_folder(folder, sizeof folder, NULL), 0);
    int lock = cache_lock(NULL);
    assert_true(lock >= 0);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(access(below("libs/libuv-1.50.0/lib.json"), F_OK), 0);
    close(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_tells_what_it_needs),
        cmocka_unit_test(a_library_has_a_name),
        cmocka_unit_test(a_name_that_is_too_long_is_none),
        cmocka_unit_test_setup_teardown(what_is_no_library_is_refused, make_base, remove_base),
        cmocka_unit_test_setup_teardown(
            a_library_whose_program_headers_lie_outside_of_it_is_refused, make_base, remove_base),
        cmocka_unit_test_setup_teardown(a_damaged_library_does_no_harm, make_base, remove_base),
        cmocka_unit_test_setup_teardown(a_record_is_read_back_as_it_was_written, make_base,
                                        remove_base),
        cmocka_unit_test_setup_teardown(what_is_written_of_a_folder_can_be_read, make_base,
                                        remove_base),
        cmocka_unit_test_setup_teardown(nonsense_in_a_record_is_refused, make_base, remove_base),
        cmocka_unit_test_setup_teardown(the_cache_lies_where_the_user_says, make_base, remove_base),
        cmocka_unit_test_setup_teardown(its_folders_are_private, make_base, remove_base),
        cmocka_unit_test_setup_teardown(a_library_is_found_by_all_its_names, make_base,
                                        remove_base),
        cmocka_unit_test_setup_teardown(the_list_is_by_version, make_base, remove_base),
        cmocka_unit_test_setup_teardown(a_library_owns_its_files_alone, make_base, remove_base),
        cmocka_unit_test_setup_teardown(what_was_interrupted_is_swept_away, make_base, remove_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
