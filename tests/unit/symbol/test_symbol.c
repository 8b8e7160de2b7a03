/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"
#include "base/rng.h"
#include "symbol/demangle.h"
#include "symbol/symbol.h"
#include "symbol/symbol_module.h"
#include "symbol/symbol_package.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAPS_BYTES = 256 << 10 };

static char *own_maps(void)
{
    char *text = calloc(1, MAPS_BYTES);
    int fd = open("/proc/self/maps", O_RDONLY);
    assert_true(text && fd >= 0);
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, text + used, MAPS_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
    return text;
}

/* What names are looked up in, and the image that it borrows. */
static struct image kept;

/* As of a process that is gone (there is none of number 0). */
static struct symbols *open_kept(const char *text, struct err *e)
{
    image_keep(&kept, 0, 0, strdup(text));
    return symbols_open(&kept, e);
}

static struct symbols *open_text(const char *text)
{
    struct err e;
    struct symbols *s = open_kept(text, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static void close_kept(struct symbols *s)
{
    symbols_close(s);
    image_fini(&kept);
}

static struct symbols *open_own(void)
{
    char *text = own_maps();
    struct symbols *s = open_text(text);
    free(text);
    return s;
}

static __attribute__((noinline)) uint64_t a_function_of_the_test(void)
{
    return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

/* Inlined into its caller, whatever the optimisation. */
static inline __attribute__((always_inline)) uint64_t an_inlined_function(uint32_t *ret_line)
{
    *ret_line = __LINE__ + 1;
    return a_function_of_the_test();
}

static void own_functions_have_file_and_line(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    struct symbol found;
    symbols_find(s, (uint64_t)(uintptr_t)a_function_of_the_test, false, &found);
    assert_string_equal(found.function, "a_function_of_the_test");
    assert_string_equal(found.module, "test_symbol");
    assert_string_equal(found.file, "tests/unit/symbol/test_symbol.c");

    uint32_t line = __LINE__ + 1;
    uint64_t caller = a_function_of_the_test();
    symbols_find(s, caller, true, &found);
    assert_string_equal(found.function, "own_functions_have_file_and_line");
    assert_int_equal(found.line, line);
    close_kept(s);
}

static void functions_of_the_library_have_their_path_in_the_project(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    struct symbol found;
    symbols_find(s, (uint64_t)(uintptr_t)intern_hash, false, &found);
    assert_string_equal(found.function, "intern_hash");
    assert_string_equal(found.file, "src/common/base/intern.c");
    close_kept(s);
}

static void inlined_functions_are_named_with_their_callers(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    uint32_t inner;
    uint32_t outer = __LINE__ + 1;
    uint64_t address = an_inlined_function(&inner);
    struct symbol found[4];
    assert_int_equal(symbols_inlined(s, address, true, found, 4), 2);
    assert_string_equal(found[0].function, "an_inlined_function");
    assert_int_equal(found[0].line, inner);
    assert_string_equal(found[1].function, "inlined_functions_are_named_with_their_callers");
    assert_int_equal(found[1].line, outer);
    assert_string_equal(found[1].file, "tests/unit/symbol/test_symbol.c");
    assert_int_equal(symbols_inlined(s, address, true, found, 1), 1);
    assert_string_equal(found[0].function, "an_inlined_function");
    close_kept(s);
}

static void exported_functions_of_libraries_are_named(void **state)
{
    (void)state;
    const struct {
        const char *name, *module;
        uintptr_t address;
    } cases[] = {{"SSL_new", "libssl.so", (uintptr_t)SSL_new},
                 {"CRYPTO_malloc", "libcrypto.so", (uintptr_t)CRYPTO_malloc},
                 {"gnu_get_libc_version", "libc.so.6", (uintptr_t)gnu_get_libc_version}};
    struct symbols *s = open_own();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct symbol found;
        Dl_info info;
        assert_int_not_equal(dladdr((void *)cases[i].address, &info), 0);
        symbols_find(s, cases[i].address, false, &found);
        assert_string_equal(found.function, cases[i].name);
        assert_memory_equal(found.module, cases[i].module, strlen(cases[i].module));
        assert_int_equal(found.offset, cases[i].address - (uintptr_t)info.dli_fbase);
    }
    close_kept(s);
}

/* A return address at the very end of a function belongs to that function, not to the next one. */
static void a_return_address_belongs_to_the_call_before_it(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    struct symbol found;
    symbols_find(s, (uint64_t)(uintptr_t)intern_hash, true, &found);
    assert_true(!found.function || strcmp(found.function, "intern_hash") != 0);
    symbols_find(s, (uint64_t)(uintptr_t)intern_hash + 1, true, &found);
    assert_string_equal(found.function, "intern_hash");
    close_kept(s);
}

static uint64_t unnamed_of(void *library)
{
    void *(*get)(void);
    void *found = dlsym(library, "case_unnamed");
    assert_non_null(found);
    memcpy(&get, &found, sizeof get);
    return (uint64_t)(uintptr_t)get();
}

static void a_function_without_a_symbol_has_no_name(void **state)
{
    (void)state;
    void *library = dlopen(SYMBOL_CASE, RTLD_NOW);
    assert_non_null(library);
    struct symbols *s = open_own();
    uint64_t address = unnamed_of(library);
    struct symbol found;
    symbols_find(s, address, false, &found);
    assert_null(found.function);
    assert_null(found.file);
    char text[128];
    char expected[128];
    snprintf(expected, sizeof expected, "libsymbol_case.so+0x%" PRIx64, found.offset);
    assert_string_equal(symbol_text(&found, text, sizeof text), expected);
    assert_false(symbol_is_allocator(&found));

    symbols_find(s, (uint64_t)(uintptr_t)dlsym(library, "case_last"), false, &found);
    assert_string_equal(found.function, "case_last");
    close_kept(s);
    dlclose(library);
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_true(in && out);
    int c;
    while ((c = getc(in)) != EOF)
        putc(c, out);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* A library in use, and the file that is to replace it. */
struct loaded {
    char path[32], other[40];
    void *library;
    uint64_t address; /* of case_last */
};

static struct loaded load_beside(const char *replacement)
{
    struct loaded l = {.path = "/tmp/soak-symbol-XXXXXX"};
    int fd = mkstemp(l.path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(l.other, sizeof l.other, "%s.new", l.path);
    copy_file(SYMBOL_CASE, l.path);
    copy_file(replacement, l.other);
    l.library = dlopen(l.path, RTLD_NOW);
    assert_non_null(l.library);
    l.address = (uint64_t)(uintptr_t)dlsym(l.library, "case_last");
    return l;
}

static void unload(const struct loaded *l)
{
    dlclose(l->library);
    unlink(l->path);
}

/* A library that is upgraded while a process uses it has other functions at the same addresses. */
static void a_replaced_file_names_nothing(void **state)
{
    (void)state;
    struct loaded l = load_beside(SYMBOL_CASE);
    char *maps = own_maps();

    for (int replaced = 0; replaced < 2; replaced++) {
        struct symbols *s = open_text(maps);
        struct symbol found;
        symbols_find(s, l.address, false, &found);
        assert_true(replaced ? !found.function : strcmp(found.function, "case_last") == 0);
        assert_string_equal(found.module, l.path + strlen("/tmp/"));
        close_kept(s);
        assert_int_equal(rename(l.other, l.path), replaced ? -1 : 0);
    }
    free(maps);
    unload(&l);
}

/* A program that is rebuilt while its process runs: what was held when it began still names it. */
static void a_file_that_is_held_is_named_after_it_was_replaced(void **state)
{
    (void)state;
    struct loaded l = load_beside(SYMBOL_OBJECT);
    char *before = own_maps();
    image_keep(&kept, 0, 0, before);
    assert_int_equal(rename(l.other, l.path), 0);

    /* By now the kernel says "(deleted)" behind the path. */
    for (int again = 0; again < 2; again++) {
        struct err e;
        struct symbol found;
        struct symbols *s = symbols_open(&kept, &e);
        assert_non_null(s);
        symbols_find(s, l.address, false, &found);
        assert_string_equal(found.function ? found.function : "none", "case_last");
        symbols_close(s);
        size_t held = kept.files;
        image_keep(&kept, 0, 0, own_maps());
        assert_int_equal(kept.files, held);
        assert_non_null(strstr(kept.maps, "(deleted)"));
    }
    image_fini(&kept);
    unload(&l);
}

/* As lld lays small programs out: the first page of the file holds headers and code, and is mapped
 * for each. */
static void a_page_that_is_mapped_twice_belongs_to_one_module(void **state)
{
    (void)state;
    static const char text[] = "200000-201000 r--p 00000000 fe:00 7   /srv/small\n"
                               "201000-202000 r-xp 00000000 fe:00 7   /srv/small\n"
                               "202000-203000 r--p 00001000 fe:00 7   /srv/small\n"
                               "203000-204000 rw-p 00001000 fe:00 7   /srv/small\n";
    struct maps maps;
    assert_int_equal(maps_parse(text, &maps, NULL), 0);
    assert_int_equal(maps.count, 1);
    assert_int_equal(maps.module[0].low, 0x200000);
    assert_int_equal(maps.module[0].high, 0x204000);
    assert_int_equal(maps.module[0].code_low, 0x201000);
    assert_true(maps.module[0].whole);
    maps_free(&maps);
}

/* The maps with the code of this program one page further on. */
static char *moved_code(void)
{
    char *maps = own_maps();
    for (char *line = maps, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        uint64_t low, high;
        char access[5], moved[40];
        bool ours = end - maps > 12 && memcmp(end - 12, "/test_symbol", 12) == 0;
        if (!ours || sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &low, &high, access) != 3 ||
            strcmp(access, "r-xp") != 0)
            continue;
        int length = snprintf(moved, sizeof moved, "%" PRIx64 "-%" PRIx64, low + 4096, high);
        memcpy(line, moved, (size_t)length);
        return maps;
    }
    fail_msg("this program has no code");
    return maps;
}

static void code_where_the_headers_do_not_put_it_has_no_name(void **state)
{
    (void)state;
    char *maps = moved_code();
    struct symbols *s = open_text(maps);
    struct symbol found;
    symbols_find(s, (uint64_t)(uintptr_t)a_function_of_the_test, false, &found);
    assert_null(found.function);
    assert_string_equal(found.module, "test_symbol");
    close_kept(s);
    free(maps);
}

enum { PLUGIN = 0x20003000 };

/* The maps of a program in `epoch` that has loaded this file at PLUGIN, or none. */
static void keep_plugin(uint64_t epoch, const char *path)
{
    char text[600], *end = text;
    struct stat st;
    end += sprintf(end, "1000-2000 r-xp 00000000 fe:00 7  /srv/program\n");
    if (path) {
        assert_int_equal(stat(path, &st), 0);
        sprintf(end, "%x-%x r-xp 00000000 fe:00 %ju  %s\n", PLUGIN, PLUGIN + 0x10000,
                (uintmax_t)st.st_ino, path);
    }
    image_keep(&kept, 0, epoch, strdup(text));
}

static void assert_plugin(struct symbols *s, uint64_t address, const char *path)
{
    struct symbol found;
    symbols_find(s, address, false, &found);
    assert_string_equal(found.function ? found.function : "none", path ? "case_last" : "none");
    assert_string_equal(found.module ? found.module : "none",
                        path ? strrchr(path, '/') + 1 : "none");
}

/* Where the library's case_last lies when its first byte is at PLUGIN. */
static uint64_t plugin_address(const struct loaded *l)
{
    Dl_info info;
    void *address;
    memcpy(&address, &l->address, sizeof address);
    assert_int_not_equal(dladdr(address, &info), 0);
    return PLUGIN + l->address - (uintptr_t)info.dli_fbase;
}

static void code_keeps_its_name_when_it_is_unloaded(void **state)
{
    (void)state;
    struct loaded l = load_beside(SYMBOL_CASE);
    uint64_t address = plugin_address(&l);
    keep_plugin(0, l.path);
    keep_plugin(4, NULL);
    struct symbols *s = symbols_open(&kept, NULL);
    assert_non_null(s);
    assert_plugin(s, address, l.path);
    symbols_ran(s, 2, 3);
    assert_plugin(s, address, l.path);
    symbols_ran(s, IMAGE_LOADED, IMAGE_LOADED);
    assert_plugin(s, address, NULL);
    close_kept(s);
    unlink(l.other);
    unload(&l);
}

/* One of two plugins takes the place of the other during epoch 5. */
static void an_address_is_of_the_plugin_that_ran_then(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, last;
        int plugin; /* 0: it can't be known */
    } cases[] = {{1, 4, 1},
                 {1, 5, 1},
                 {4, 4, 1},
                 {6, 6, 2},
                 {5, 9, 2},
                 {5, 5, 0},
                 {4, 6, 0},
                 {0, IMAGE_LOADED, 0},
                 {IMAGE_LOADED, IMAGE_LOADED, 2}};
    struct loaded l = load_beside(SYMBOL_CASE);
    const char *const path[] = {NULL, l.path, l.other};
    uint64_t address = plugin_address(&l);
    for (uint64_t epoch = 0; epoch < 8; epoch++)
        keep_plugin(epoch, epoch < 6 ? l.path : l.other);
    struct symbols *s = symbols_open(&kept, NULL);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        symbols_ran(s, cases[i].first, cases[i].last);
        assert_plugin(s, address, path[cases[i].plugin]);
    }
    close_kept(s);
    unlink(l.other);
    unload(&l);
}

static void a_plugin_that_comes_again_is_the_same(void **state)
{
    (void)state;
    struct loaded l = load_beside(SYMBOL_CASE);
    for (uint64_t epoch = 0; epoch < 8; epoch++)
        keep_plugin(epoch, epoch % 4 == 2 ? NULL : l.path);
    struct symbols *s = symbols_open(&kept, NULL);
    assert_non_null(s);
    symbols_ran(s, 1, 7);
    assert_plugin(s, plugin_address(&l), l.path);
    close_kept(s);
    unlink(l.other);
    unload(&l);
}

/* exec, or another process: its addresses have nothing to do with those before. */
static void of_another_program_nothing_is_kept(void **state)
{
    (void)state;
    struct loaded l = load_beside(SYMBOL_CASE);
    for (int process = 0; process < 2; process++) {
        keep_plugin(0, l.path);
        image_keep(&kept, process, 1,
                   strdup(process ? "1000-2000 r-xp 00000000 fe:00 7  /srv/program\n"
                                  : "3000-4000 r-xp 00000000 fe:00 8  /srv/other\n"));
        struct symbols *s = symbols_open(&kept, NULL);
        assert_non_null(s);
        assert_plugin(s, plugin_address(&l), NULL);
        close_kept(s);
    }
    unlink(l.other);
    unload(&l);
}

static void addresses_outside_everything_stay_addresses(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    static const uint64_t outside[] = {0, 1, 0x1234, UINT64_MAX, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        struct symbol found;
        symbols_find(s, outside[i], i % 2, &found);
        assert_null(found.function);
        assert_null(found.module);
    }
    char text[64];
    struct symbol found;
    symbols_find(s, 0x1234, false, &found);
    assert_string_equal(symbol_text(&found, text, sizeof text), "0x1234");
    close_kept(s);
}

/* The child is another run of this program at other addresses; it is gone when its maps are read.
 */
static void the_process_may_be_gone(void **state)
{
    (void)state;
    char self[256] = "";
    char command[300];
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(command, sizeof command, "'%s' --maps", self);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    char *text = calloc(1, MAPS_BYTES);
    uint64_t address;
    assert_non_null(text);
    assert_int_equal(fscanf(child, "%" SCNx64 "\n", &address), 1);
    assert_true(fread(text, 1, MAPS_BYTES - 1, child) > 0);
    assert_int_equal(pclose(child), 0);

    struct symbols *s = open_text(text);
    struct symbol found;
    symbols_find(s, address, false, &found);
    assert_string_equal(found.function, "a_function_of_the_test");
    assert_string_equal(found.file, "tests/unit/symbol/test_symbol.c");
    close_kept(s);
    free(text);
}

static int print_maps(void)
{
    char *text = own_maps();
    printf("%" PRIx64 "\n%s", (uint64_t)(uintptr_t)a_function_of_the_test, text);
    free(text);
    return 0;
}

/* For tests/cli/test_profile.py, which listens whether anything is asked over the network. */
static int print_symbol(void)
{
    char text[128];
    struct symbol found;
    struct symbols *s = open_own();
    symbols_find(s, (uint64_t)(uintptr_t)SSL_new, false, &found);
    puts(symbol_text(&found, text, sizeof text));
    close_kept(s);
    return 0;
}

/* For the same: the name of a hidden function of a library; with `ask`, of servers too. */
static int print_unnamed(const char *path, bool ask)
{
    char text[128];
    struct symbol found;
    void *library = dlopen(path, RTLD_NOW);
    assert_non_null(library);
    struct symbols *s = open_own();
    if (ask)
        symbols_ask_servers(s);
    symbols_find(s, unnamed_of(library), false, &found);
    puts(symbol_text(&found, text, sizeof text));
    close_kept(s);
    dlclose(library);
    return 0;
}

static void text_that_is_no_maps_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "\n\n\n",
                                        "hello",
                                        "0-0 r-xp 0 0:0 0 /bin/true\n",
                                        "2000-1000 r-xp 00000000 fe:00 1 /bin/true\n",
                                        "1000-2000 r-xp 00000000 fe:00 1\n",
                                        "1000-2000 r--p 00000000 fe:00 1 /bin/true\n",
                                        "1000-2000 r-xp 0 fe:00 /bin/true\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err e = {""};
        assert_null(open_kept(texts[i], &e));
        assert_string_equal(e.text, "the maps of the process name no program file");
    }
}

static void what_is_mapped_but_no_program_is_not_opened(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1000-2000 r-xp 00000000 fe:00 1 /dev/zero\n", "1000-2000 r-xp 00000000 fe:00 1 /\n",
        "1000-2000 r-xp 00000000 fe:00 1 /nonexistent/x\n",
        "1000-2000 r-xp 00000000 00:00 0 [vdso]\n", "1000-2000 r-xp 0 fe:00 1 /a/b (deleted)\n"};
    static const char *const names[] = {"zero", "/", "x", "[vdso]", "b"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct symbols *s = open_text(texts[i]);
        struct symbol found;
        symbols_find(s, 0x1801, true, &found);
        assert_null(found.function);
        assert_string_equal(found.module, names[i]);
        assert_int_equal(found.offset, 0x800);
        close_kept(s);
    }
}

enum { BASE = 0x10003000 };

/* A line that maps the whole of `path` for code at BASE, as if it began at `offset`. */
static struct symbols *open_mapping(const char *path, unsigned offset)
{
    char text[600];
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    snprintf(text, sizeof text, "%x-%x r-xp %08x fe:00 %ju  %s\n", BASE, BASE + 0x10000, offset,
             (uintmax_t)st.st_ino, path);
    return open_text(text);
}

/* The offset of case_last, as the test's own mapping of the library says it. */
static uint64_t offset_of_last(void)
{
    void *library = dlopen(SYMBOL_CASE, RTLD_NOW);
    assert_non_null(library);
    void *last = dlsym(library, "case_last");
    Dl_info info;
    assert_int_not_equal(dladdr(last, &info), 0);
    uint64_t offset = (uint64_t)((char *)last - (char *)info.dli_fbase);
    dlclose(library);
    return offset;
}

static void only_programs_from_their_first_byte_are_read(void **state)
{
    (void)state;
    const struct {
        const char *path;
        unsigned offset;
        bool named;
    } cases[] = {{SYMBOL_CASE, 0, true},
                 {SYMBOL_CASE, 0x1000, false},
                 {SYMBOL_OBJECT, 0, false},
                 {"/etc/passwd", 0, false}};
    uint64_t offset = offset_of_last();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct symbols *s = open_mapping(cases[i].path, cases[i].offset);
        for (uint64_t at = 0; at < 0x10000; at += 16) {
            struct symbol found;
            symbols_find(s, BASE + at, false, &found);
            assert_true(cases[i].named || !found.function);
            assert_int_equal(found.offset, at);
        }
        struct symbol last;
        symbols_find(s, BASE + offset, false, &last);
        if (cases[i].named)
            assert_string_equal(last.function ? last.function : "none", "case_last");
        close_kept(s);
    }
}

/* The lowest number that is free says whether one is still taken. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void no_file_stays_open(void **state)
{
    (void)state;
    static const char *const paths[] = {SYMBOL_CASE, SYMBOL_OBJECT, "/etc/passwd", "/dev/null"};
    int before = next_descriptor();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct symbols *s = open_mapping(paths[i], 0);
        struct symbol found;
        symbols_find(s, BASE, false, &found);
        close_kept(s);
        assert_int_equal(next_descriptor(), before);
    }
}

static void mappings_that_overlap_are_not_believed(void **state)
{
    (void)state;
    struct symbols *s = open_text("1000-3000 r-xp 00000000 fe:00 1 /a\n"
                                  "2000-4000 r-xp 00000000 fe:00 2 /b\n"
                                  "5000-6000 r--p 00000000 fe:00 3 /c\n"
                                  "6000-7000 r-xp 00001000 fe:00 3 /c\n");
    static const struct {
        uint64_t address;
        const char *module;
    } cases[] = {{0xfff, NULL},  {0x1000, "a"}, {0x2800, "a"}, {0x3000, NULL},
                 {0x3800, NULL}, {0x5000, "c"}, {0x6fff, "c"}, {0x7000, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct symbol found;
        symbols_find(s, cases[i].address, false, &found);
        if (cases[i].module)
            assert_string_equal(found.module, cases[i].module);
        else
            assert_null(found.module);
    }
    close_kept(s);
}

/* Cuts, doubles and replaces bytes of the own maps; what is left is looked up at true addresses. */
static void damage(char *text, struct rng *rng)
{
    static const char likely[] = "0123456789abcdef-xrwp \n/:";
    size_t length = strlen(text);
    for (uint64_t left = 1 + rng_below(rng, 40); left > 0; left--) {
        size_t at = (size_t)rng_below(rng, length);
        bool likely_byte = rng_below(rng, 4) > 0;
        text[at] =
            likely_byte ? likely[rng_below(rng, sizeof likely - 1)] : (char)rng_below(rng, 256);
    }
    if (rng_below(rng, 8) == 0)
        text[rng_below(rng, length)] = 0;
}

static void damaged_maps_do_no_harm(void **state)
{
    (void)state;
    char *whole = own_maps();
    uint64_t address[] = {(uint64_t)(uintptr_t)intern_hash, (uint64_t)(uintptr_t)SSL_new,
                          (uint64_t)(uintptr_t)qsort, 0x1000};
    size_t opened = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct rng rng = {seed};
        char *text = strdup(whole);
        damage(text, &rng);
        struct symbols *s = open_kept(text, NULL);
        for (size_t i = 0; s && i < sizeof address / sizeof *address; i++) {
            struct symbol found[3];
            char line[80];
            /* Reading a file's tables takes longest, so only some look-ups go that far. */
            uint64_t at = seed % 100 == 0 ? address[i] : rng_next(&rng);
            symbols_inlined(s, at, seed % 2, found, 3);
            symbol_text(&found[0], line, sizeof line);
        }
        opened += s != NULL;
        close_kept(s);
        free(text);
    }
    free(whole);
    assert_true(opened > 500);
}

static void paths_are_those_of_the_project(void **state)
{
    (void)state;
    static const struct {
        const char *root, *folder, *path, *clean;
    } cases[] = {
        {"/home/me/soak/", "/tmp/build", "/home/me/soak/server/defect.c", "server/defect.c"},
        {"/home/me/soak/", "/tmp/build", "/build/gcc/asan/asan.cpp", "asan/asan.cpp"},
        {"/home/me/soak/", "/home/me/soak/build/server", "../../server/defect.c",
         "server/defect.c"},
        {"/home/me/soak/", "/tmp/build", "/usr/include/string.h", "/usr/include/string.h"},
        {"/home/me/soak/", "/tmp/build", "/home/me/soaked/a.c", "/home/me/soaked/a.c"},
        {"/o/", "/o", "ssl/./x/../ssl_lib.c", "ssl/ssl_lib.c"},
        /* OpenSSL out of its tree, and glibc, as Debian builds them */
        {"", "./build_shared", "./build_shared/../crypto/mem.c", "crypto/mem.c"},
        {"", "./malloc", "./malloc/./malloc/arena.c", "malloc/arena.c"},
        {"", "./string", "./string/../sysdeps/x.S", "sysdeps/x.S"},
        {"", NULL, "../../crypto/mem.c", "crypto/mem.c"},
        {"", "/a", "../../../b.c", "/b.c"},
        {"", NULL, "", ""},
    };
    struct module m = {.texts = intern_new(), .root = {NULL, "/build/gcc/"}};
    assert_non_null(m.texts);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        m.root[0] = cases[i].root;
        assert_string_equal(module_clean_path(&m, cases[i].folder, cases[i].path), cases[i].clean);
    }
    char longest[3 * PATH_MAX];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    for (size_t i = 0; i < sizeof longest - 1; i += 200)
        longest[i] = '/';
    assert_true(strlen(module_clean_path(&m, NULL, longest)) < PATH_MAX);
    intern_free(m.texts);
}

static void texts_read_as_the_report_shows_them(void **state)
{
    (void)state;
    static const struct {
        struct symbol symbol;
        const char *text;
    } cases[] = {
        {{"defect_state_new", "soak-server", 0x10, "server/defect.c", 41, NULL},
         "defect_state_new  server/defect.c:41"},
        {{"SSL_new", "libssl.so.3", 0x10, NULL, 0, NULL}, "SSL_new  libssl.so.3"},
        {{NULL, "libfoo.so", 0x1234, NULL, 0, NULL}, "libfoo.so+0x1234"},
        {{"a\033[31m\n\303\244b", "m", 1, NULL, 0, NULL}, "a?[31m???b  m"},
    };
    char buf[80];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(symbol_text(&cases[i].symbol, buf, sizeof buf), cases[i].text);
    assert_string_equal(symbol_text(&cases[0].symbol, buf, 8), "defect_");
}

static void frames_without_names_are_told_together(void **state)
{
    (void)state;
    static const struct symbol frame[] = {
        {.function = "on_connection", .module = "soak-server", .file = "server/worker.c"},
        {.module = "libuv.so.1.0.0", .offset = 0x1b40a, .package = "libuv1-dbgsym"},
        {.module = "libuv.so.1.0.0", .offset = 0x22e6b, .package = "libuv1-dbgsym"},
        {.module = "libfoo.so", .offset = 0x1234},
        {.offset = 0x7f0012345678},
        {.offset = 0x7f0012345690},
        {.offset = 0x7f00123456a0},
        {.function = "JS:*emit", .module = SYMBOL_MADE},
        {.offset = 0x7f0012345678}};
    static const struct {
        size_t first, told;
        const char *text;
    } cases[] = {
        {0, 0, ""},
        {1, 2, "libuv.so.1.0.0+0x1b40a, +0x22e6b   no symbols: install libuv1-dbgsym"},
        {2, 1, "libuv.so.1.0.0+0x22e6b   no symbols: install libuv1-dbgsym"},
        {3, 1, "libfoo.so+0x1234"},
        {4, 3,
         "0x7f0012345678 and 2 more: unloaded or replaced since, or made by a JVM or node: "
         "docs/guide/java-and-node.md"},
        {7, 0, ""},
        {8, 1,
         "0x7f0012345678: unloaded or replaced since, or made by a JVM or node: "
         "docs/guide/java-and-node.md"}};
    char buf[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t left = sizeof frame / sizeof *frame - cases[i].first;
        assert_int_equal(symbol_nameless_text(&frame[cases[i].first], left, buf, sizeof buf),
                         cases[i].told);
        assert_string_equal(buf, cases[i].text);
    }
    assert_int_equal(symbol_nameless_text(frame, 0, buf, sizeof buf), 0);
    assert_int_equal(symbol_nameless_text(&frame[1], 2, buf, 64), 1);
    assert_string_equal(buf, "libuv.so.1.0.0+0x1b40a   no symbols: install libuv1-dbgsym");
}

static void functions_of_cxx_are_named_as_in_their_source(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"_ZN4node6crypto7TLSWrap4WrapERKN2v820FunctionCallbackInfoINS2_5ValueEEE",
         "node::crypto::TLSWrap::Wrap"},
        {"_ZN2v88internal12_GLOBAL__N_16InvokeEPNS0_7IsolateERKNS1_12InvokeParamsE",
         "v8::internal::(anonymous namespace)::Invoke"},
        {"_ZNK1A3getEi", "A::get"},
        {"_ZN1AclEi", "A::operator()"},
        {"_Znwm", "operator new"},
        {"_ZN12_GLOBAL__N_15tableE", "(anonymous namespace)::table"},
        {"_Z", "_Z"},
        {"_ZN", "_ZN"},
        {"_ZNK", "_ZNK"},
        {"SSL_new", "SSL_new"},
        {"", ""}};
    char buf[64], longer[DEMANGLE_NAME + 8];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(demangle(cases[i][0], buf, sizeof buf), cases[i][1]);
    assert_string_equal(demangle("_ZNK1A3getEi", buf, 6), "_ZNK1A3getEi");
    memset(longer, 'P', sizeof longer);
    memcpy(longer, "_Z1f", 4);
    longer[sizeof longer - 1] = '\0';
    assert_ptr_equal(demangle(longer, buf, sizeof buf), longer);
}

static uint64_t called_from[4];
static size_t times_called;

static __attribute__((noinline)) void note_caller(void)
{
    called_from[times_called++] = (uint64_t)(uintptr_t)__builtin_return_address(0);
}

/* Classes share the names of their functions: a leak in one isn't in the other. */
static void functions_of_cxx_have_their_class_by_debug_information_too(void **state)
{
    (void)state;
    static const char *const names[] = {"net::Reader::handle", "net::Writer<int>::handle",
                                        "(anonymous namespace)::handle", "net::Reader::ask"};
    void *library = dlopen(SYMBOL_CXX, RTLD_NOW), *found;
    void (*case_cxx)(void (*call)(void));
    assert_non_null(library);
    assert_non_null(found = dlsym(library, "case_cxx"));
    memcpy(&case_cxx, &found, sizeof case_cxx);
    times_called = 0;
    case_cxx(note_caller);
    struct symbols *s = open_own();
    for (size_t i = 0; i < 4; i++) {
        struct symbol frame[4];
        size_t frames = symbols_inlined(s, called_from[i], true, frame, 4);
        assert_string_equal(frame[0].function, names[i]);
        assert_int_equal(frames, i == 3 ? 2 : 1);
        if (frames == 2)
            assert_string_equal(frame[1].function, "case_cxx");
    }
    close_kept(s);
    dlclose(library);
}

static void write_list(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void the_package_is_the_one_that_lists_the_file(void **state)
{
    (void)state;
    static const char *const lists[][2] = {
        {"libuv1:amd64.list", "/.\n/usr/lib/x/libuv.so.1\n/usr/lib/x/libuv.so.1.0.0\n"},
        {"libuv1:amd64.md5sums", "/usr/lib/x/libsums.so\n"},
        {"libc6:amd64.list", "/.\n/lib/x/libc.so.6"},
        {"other.list", "/usr/lib/x/libuv.so.1.0.0.old\n/x/usr/lib/x/libnot.so\n"},
        {"empty.list", ""}};
    static const char *const cases[][2] = {{"/usr/lib/x/libuv.so.1.0.0", "libuv1-dbgsym"},
                                           {"/usr/lib/x/libc.so.6", "libc6-dbg"},
                                           {"/lib/x/libc.so.6", "libc6-dbg"},
                                           {"/usr/lib/x/libuv.so.1.0.0.old", "other-dbgsym"},
                                           {"/usr/lib/x/libuv.so", NULL},
                                           {"/usr/lib/x/libsums.so", NULL},
                                           {"/usr/lib/x/libnot.so", NULL},
                                           {"", NULL}};
    char folder[] = "/tmp/soak-lists-XXXXXX", path[128], owner[PACKAGE_NAME],
         name[PACKAGE_NAME + 8];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        write_list(folder, lists[i][0], lists[i][1]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(package_owning(folder, cases[i][0], owner, sizeof owner),
                         cases[i][1] != NULL);
        if (!cases[i][1])
            continue;
        package_of_symbols(owner, name, sizeof name);
        assert_string_equal(name, cases[i][1]);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, lists[i][0]);
        unlink(path);
    }
    rmdir(folder);
    assert_false(package_owning(folder, cases[0][0], owner, sizeof owner));
}

static void the_version_is_that_of_its_own_entry(void **state)
{
    (void)state;
    char path[] = "/tmp/soak-status-XXXXXX", version[64] = "none";
    static const char text[] = "Package: libuv\nVersion: 1\n\nPackage: libuv1\nStatus: install ok\n"
                               "Version: 1.44.2-1\nDescription: x\n\nPackage: last\nStatus: x\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    assert_true(package_version(path, "libuv1", version, sizeof version));
    assert_string_equal(version, "1.44.2-1");
    assert_false(package_version(path, "last", version, sizeof version));
    assert_false(package_version(path, "libu", version, sizeof version));
    assert_string_equal(version, "1.44.2-1");
    unlink(path);
    assert_false(package_version(path, "libuv1", version, sizeof version));
}

/* The C library is a package's wherever there is dpkg; the test's own file is nobody's. */
static void a_file_is_of_a_package_or_has_a_build_id(void **state)
{
    (void)state;
    struct symbols *s = open_own();
    struct symbol found;
    struct symbol_owner owner = {.name = "none"};
    assert_false(symbols_owner(s, "libnothere.so", &owner));
    assert_string_equal(owner.name, "none");
    symbols_find(s, (uint64_t)(uintptr_t)a_file_is_of_a_package_or_has_a_build_id, false, &found);
    assert_true(symbols_owner(s, found.module, &owner));
    assert_string_equal(owner.name, found.module);
    assert_memory_equal(owner.version, "build ID ", 9);
    assert_true(strspn(owner.version + 9, "0123456789abcdef") >= 16);
    symbols_find(s, (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "getpid"), false, &found);
    assert_true(symbols_owner(s, found.module, &owner));
    if (access(PACKAGE_STATUS, R_OK) == 0)
        assert_string_equal(owner.name, "libc6");
    symbols_close(s);
}

/* The C library is dpkg's own wherever there is dpkg; the test's library is nobody's. */
static void frames_name_the_package_that_they_lack(void **state)
{
    (void)state;
    char owner[PACKAGE_NAME], wanted[PACKAGE_NAME + 8] = "none";
    void *library = dlopen(SYMBOL_CASE, RTLD_NOW);
    Dl_info info;
    assert_non_null(library);
    assert_int_not_equal(dladdr((void *)(uintptr_t)SSL_new, &info), 0);
    char *path = realpath(info.dli_fname, NULL);
    assert_non_null(path);
    if (package_owning(PACKAGE_LISTS, path, owner, sizeof owner))
        package_of_symbols(owner, wanted, sizeof wanted);
    free(path);

    struct symbols *s = open_own();
    struct symbol found = {.function = "?"};
    for (uint64_t at = (uint64_t)(uintptr_t)info.dli_fbase; found.function; at += 16)
        symbols_find(s, at, false, &found);
    assert_memory_equal(found.module, "libssl", strlen("libssl"));
    assert_string_equal(found.package ? found.package : "none", wanted);
    symbols_find(s, (uint64_t)(uintptr_t)SSL_new, false, &found);
    assert_null(found.package);
    symbols_find(s, unnamed_of(library), false, &found);
    assert_null(found.package);
    close_kept(s);
    dlclose(library);
}

static void allocators_are_told_from_who_asks(void **state)
{
    (void)state;
    static const char *const passing[] = {"CRYPTO_zalloc", "malloc", "je_malloc", "uv__strdup",
                                          "_Znwm"};
    static const char *const asking[] = {
        "OPENSSL_sk_new_null", "BUF_MEM_grow",   "SSL_new", "malloc_stats",
        "prof_request",        "CRYPTO_mallocs", "main"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct symbol symbol = {passing[i], "x", 0, NULL, 0, NULL};
        assert_true(symbol_is_allocator(&symbol));
        symbol = (struct symbol){asking[i], "x", 0, NULL, 0, NULL};
        assert_false(symbol_is_allocator(&symbol));
    }
    struct symbol by_module = {NULL, "libjemalloc.so.2", 0, NULL, 0, NULL};
    struct symbol by_file = {"slot_of", "soak-server", 0, "src/common/probe/slot.c", 1, NULL};
    struct symbol in_libc = {"tcache_get", "libc.so.6", 0, "malloc/malloc.c", 1, NULL};
    assert_true(symbol_is_allocator(&in_libc));
    in_libc.module = "soak-server";
    assert_false(symbol_is_allocator(&in_libc));
    assert_true(symbol_is_allocator(&by_module));
    assert_true(symbol_is_allocator(&by_file));
    assert_false(symbol_is_allocator(&(struct symbol){0}));
}

/* The probe's hooks have plain names, which a program under test may have, too. */
static void only_programs_of_soak_have_the_hooks_of_the_probe(void **state)
{
    (void)state;
    static const char *const hooks[] = {"openssl_malloc", "libuv_calloc", "ledger_add"};
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        struct symbol symbol = {hooks[i], "soak-server", 0, NULL, 0, NULL};
        assert_true(symbol_is_allocator(&symbol));
        symbol.module = "soak-client";
        assert_true(symbol_is_allocator(&symbol));
        symbol.module = "bank-server";
        assert_false(symbol_is_allocator(&symbol));
    }
    struct symbol by_file = {"slot_of", "bank-server", 0, "src/common/probe/slot.c", 1, NULL};
    assert_false(symbol_is_allocator(&by_file));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_functions_have_file_and_line),
        cmocka_unit_test(functions_of_the_library_have_their_path_in_the_project),
        cmocka_unit_test(inlined_functions_are_named_with_their_callers),
        cmocka_unit_test(exported_functions_of_libraries_are_named),
        cmocka_unit_test(a_return_address_belongs_to_the_call_before_it),
        cmocka_unit_test(a_function_without_a_symbol_has_no_name),
        cmocka_unit_test(a_replaced_file_names_nothing),
        cmocka_unit_test(a_file_that_is_held_is_named_after_it_was_replaced),
        cmocka_unit_test(a_page_that_is_mapped_twice_belongs_to_one_module),
        cmocka_unit_test(code_where_the_headers_do_not_put_it_has_no_name),
        cmocka_unit_test(code_keeps_its_name_when_it_is_unloaded),
        cmocka_unit_test(an_address_is_of_the_plugin_that_ran_then),
        cmocka_unit_test(a_plugin_that_comes_again_is_the_same),
        cmocka_unit_test(of_another_program_nothing_is_kept),
        cmocka_unit_test(addresses_outside_everything_stay_addresses),
        cmocka_unit_test(the_process_may_be_gone),
        cmocka_unit_test(text_that_is_no_maps_is_refused),
        cmocka_unit_test(what_is_mapped_but_no_program_is_not_opened),
        cmocka_unit_test(only_programs_from_their_first_byte_are_read),
        cmocka_unit_test(no_file_stays_open),
        cmocka_unit_test(mappings_that_overlap_are_not_believed),
        cmocka_unit_test(damaged_maps_do_no_harm),
        cmocka_unit_test(paths_are_those_of_the_project),
        cmocka_unit_test(texts_read_as_the_report_shows_them),
        cmocka_unit_test(frames_without_names_are_told_together),
        cmocka_unit_test(functions_of_cxx_are_named_as_in_their_source),
        cmocka_unit_test(functions_of_cxx_have_their_class_by_debug_information_too),
        cmocka_unit_test(the_package_is_the_one_that_lists_the_file),
        cmocka_unit_test(the_version_is_that_of_its_own_entry),
        cmocka_unit_test(a_file_is_of_a_package_or_has_a_build_id),
        cmocka_unit_test(frames_name_the_package_that_they_lack),
        cmocka_unit_test(allocators_are_told_from_who_asks),
        cmocka_unit_test(only_programs_of_soak_have_the_hooks_of_the_probe),
    };
    if (argc == 2 && strcmp(argv[1], "--maps") == 0)
        return print_maps();
    if (argc == 2 && strcmp(argv[1], "--symbol") == 0)
        return print_symbol();
    if (argc == 4 && strcmp(argv[1], "--unnamed") == 0)
        return print_unnamed(argv[2], strcmp(argv[3], "ask") == 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
