/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A footprint from the lines of soak-footprint to the document and back, and the process itself as
 * soak starts it.
 */
#include "report/footprint.h"
#include "src/soak/run/footprint.h"
#include "src/soak/run/footprint_lines.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SIDE "allocs=750 reallocs=2 alloc_bytes=162889 peak_bytes=80224 kept_blocks=1 kept_bytes=9"

static const char *const good[] = {
    "working",
    "measured conns=101 tls=1.3 key=p256 openssl=3.0.19",
    "end name=server exact=1 " SIDE,
    "held end=server stage=new allocs=9 blocks=9 bytes=8624",
    "held end=server stage=handshake allocs=742 blocks=36 bytes=46784",
    "held end=server stage=data allocs=746 blocks=36 bytes=46784",
    "held end=server stage=idle allocs=747 blocks=35 bytes=46785",
    "site end=server line=69 caller=0 allocs=3 reallocs=0 bytes=90 held_bytes=30 file=b.c",
    "site end=server line=9 caller=0 allocs=5 reallocs=1 bytes=9 held_bytes=0 file=with blank.c",
    "site end=server line=68 caller=0 allocs=3 reallocs=0 bytes=90 held_bytes=30 file=b.c",
    "end name=client exact=0 " SIDE,
    "held end=client stage=new allocs=1 blocks=2 bytes=3",
    "held end=client stage=handshake allocs=1 blocks=2 bytes=3",
    "held end=client stage=data allocs=1 blocks=2 bytes=3",
    "held end=client stage=idle allocs=1 blocks=2 bytes=3",
    "rss conns=500 bytes_per_conn=23855",
    "done",
};
enum { LINES = sizeof good / sizeof *good };

static struct footprint_lines whole(void)
{
    struct footprint_lines l;
    struct err e;
    footprint_lines_init(&l);
    for (size_t i = 0; i < LINES; i++) {
        if (footprint_lines_add(&l, good[i], &e) < 0)
            fail_msg("%s", e.text);
    }
    assert_true(l.done);
    footprint_sort(&l.footprint);
    return l;
}

/* Whether the lines are refused when `with` stands in the place of line `at`. */
static bool refuses(size_t at, const char *with)
{
    struct footprint_lines l;
    struct err e = {""};
    int rc = 0;
    footprint_lines_init(&l);
    for (size_t i = 0; i < LINES && rc == 0; i++) {
        const char *line = i == at ? with : good[i];
        if (line)
            rc = footprint_lines_add(&l, line, &e);
    }
    footprint_lines_fini(&l);
    return rc < 0 && e.text[0];
}

static void lines_become_a_footprint(void **state)
{
    (void)state;
    struct footprint_lines l = whole();
    const struct footprint *f = &l.footprint;
    const struct footprint_side *server = &f->end[FOOTPRINT_SERVER];
    assert_int_equal(f->connections, 101);
    assert_string_equal(f->openssl, "3.0.19");
    assert_true(server->exact && !f->end[FOOTPRINT_CLIENT].exact);
    assert_true(server->alloc_bytes == 162889 && server->kept_bytes == 9);
    assert_true(server->held[FOOTPRINT_IDLE].bytes == 46785);
    assert_true(f->rss_bytes_per_conn == 23855);
    /* Most allocations first, then by place. */
    assert_int_equal(server->sites, 3);
    assert_string_equal(server->site[0].file, "with blank.c");
    assert_int_equal(server->site[1].line, 68);
    assert_int_equal(server->site[2].line, 69);
    footprint_lines_fini(&l);
}

static void lines_that_are_wrong_missing_or_double_are_refused(void **state)
{
    (void)state;
    for (size_t i = 1; i + 3 < LINES; i++) {
        bool site = strncmp(good[i], "site", 4) == 0;
        assert_true(site || refuses(i, NULL));
        assert_true(i == 1 || refuses(i, "end name=server exact=1 " SIDE) == (i != 2));
    }
    assert_true(refuses(3, "held end=server stage=new allocs=9 blocks=9"));
    assert_true(refuses(3, "held end=server stage=new allocs=9 blocks=-9 bytes=8624"));
    assert_true(refuses(3, "held end=proxy stage=new allocs=9 blocks=9 bytes=8624"));
    assert_true(refuses(3, "held end=server stage=old allocs=9 blocks=9 bytes=8624"));
    assert_true(refuses(2, "end name=server exact=2 " SIDE));
    assert_true(refuses(7, "site end=server line=4294967296 caller=0 allocs=3 reallocs=0 bytes=90 "
                           "held_bytes=30 file=b.c"));
    assert_true(refuses(0, "measured conns=0 tls=1.3 key=p256 openssl=3.0.19"));
    assert_true(refuses(0, "measured conns=1 tls=1.3 key=p256 openssl="
                           "0123456789012345678901234567890123456789"));
    assert_true(refuses(3, "fatal text=no memory"));
    assert_true(refuses(3, "something else"));
}

static void too_many_sites_are_refused(void **state)
{
    struct footprint_lines l = whole();
    struct footprint_side *side = &l.footprint.end[FOOTPRINT_CLIENT];
    const struct footprint_site site = {.file = (char[]){"x.c"}, .line = 1};
    (void)state;
    for (int i = 0; i < FOOTPRINT_SITES_MAX; i++)
        assert_int_equal(footprint_add_site(side, &site, NULL), 0);
    assert_int_equal(footprint_add_site(side, &site, NULL), -1);
    footprint_lines_fini(&l);
}

static void a_document_gives_back_what_was_written(void **state)
{
    struct footprint_lines l = whole();
    struct footprint back;
    struct err e = {""};
    (void)state;
    l.footprint.end[FOOTPRINT_SERVER].site[1].function = strdup("OPENSSL_sk_dup");
    l.footprint.end[FOOTPRINT_CLIENT].allocs = 2.5;
    snprintf(l.footprint.left_out, sizeof l.footprint.left_out, "alpn, sni");
    json_t *written = footprint_json(&l.footprint);
    if (footprint_read(written, &back, &e) < 0)
        fail_msg("%s", e.text);
    json_t *again = footprint_json(&back);
    assert_true(json_equal(written, again));
    assert_string_equal(back.end[FOOTPRINT_SERVER].site[1].function, "OPENSSL_sk_dup");
    assert_null(back.end[FOOTPRINT_SERVER].site[0].function);
    assert_true(back.end[FOOTPRINT_CLIENT].allocs == 2.5);
    json_decref(written);
    json_decref(again);
    footprint_free(&back);
    footprint_lines_fini(&l);
}

/* Whether a document is refused, with a sentence, once `change` is made to it; the changes are
 * jansson's own notation. */
static bool document_refused(json_t *document, const char *path, const char *value)
{
    struct footprint f;
    struct err e = {""};
    json_t *copy = json_deep_copy(document), *at = copy;
    char key[64];
    int used = 0;
    while (sscanf(path, "%63[^/]%n", key, &used) == 1 && path[used] == '/') {
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);
        path += used + 1;
    }
    assert_non_null(at);
    json_object_set_new(at, key, json_loads(value, JSON_DECODE_ANY, NULL));
    int rc = footprint_read(copy, &f, &e);
    if (rc == 0)
        footprint_free(&f);
    json_decref(copy);
    return rc < 0 && strncmp(e.text, "footprint: ", 11) == 0;
}

static void documents_of_others_are_checked(void **state)
{
    struct footprint_lines l = whole();
    struct footprint f;
    json_t *document = footprint_json(&l.footprint), *null = footprint_json(NULL);
    (void)state;
    assert_true(json_is_null(null));
    assert_int_equal(footprint_read(null, &f, NULL), -1);
    assert_true(document_refused(document, "connections", "0"));
    assert_true(document_refused(document, "ends", "[]"));
    assert_true(document_refused(document, "ends/0/exact", "1"));
    assert_true(document_refused(document, "ends/0/allocs", "-1"));
    assert_true(document_refused(document, "ends/0/allocs", "\"1\""));
    assert_true(document_refused(document, "ends/1/held", "null"));
    assert_true(document_refused(document, "ends/1/held/3/bytes", "null"));
    assert_true(document_refused(document, "ends/0/allocs", "null"));
    assert_true(document_refused(document, "ends/0/sites/0/allocs", "null"));
    assert_true(document_refused(document, "ends/0/sites/0/held_bytes", "null"));
    /* Of a program that isn't soak's nobody can tell. */
    assert_false(document_refused(document, "ends/1/held/2/bytes", "null"));
    assert_false(document_refused(document, "ends/0/peak_bytes", "null"));
    assert_true(document_refused(document, "ends/0/sites", "{}"));
    assert_true(document_refused(document, "ends/0/sites/0/file", "null"));
    assert_true(document_refused(document, "ends/0/sites/0/line", "4294967296"));
    assert_true(document_refused(document, "tls", "\"a version of many letters\""));
    assert_true(document_refused(document, "rss_bytes_per_conn", "-5"));
    /* What a later version adds, or this one doesn't need, is no reason. */
    assert_false(document_refused(document, "ends/0/more", "[1]"));
    assert_false(document_refused(document, "rss_bytes_per_conn", "null"));
    json_decref(document);
    json_decref(null);
    footprint_lines_fini(&l);
}

/* ---- the process ---- */

static void the_program_is_run_and_its_functions_named(void **state)
{
    struct scenario s;
    struct footprint f;
    struct err e = {""};
    (void)state;
    scenario_defaults(&s);
    s.alpn = "h2";
    if (footprint_measure(&(struct footprint_launch){.folder = SOAK_BIN}, &s, &f, &e) < 0)
        fail_msg("%s", e.text);
    const struct footprint_side *server = &f.end[FOOTPRINT_SERVER];
    assert_string_equal(f.tls, "1.3");
    assert_string_equal(f.left_out, "alpn");
    assert_true(server->exact && server->held[FOOTPRINT_IDLE].blocks > 0);
    int right = 0;
    for (size_t i = 0; i < server->sites; i++) {
        const struct footprint_site *site = &server->site[i];
        assert_true(!site->function || strncmp(site->function, "CRYPTO_", 7) != 0 ||
                    strstr(site->file, "crypto/threads"));
        right += site->function && strcmp(site->function, "SSL_new") == 0 &&
                 strcmp(site->file, "ssl/ssl_lib.c") == 0;
    }
#ifdef __x86_64__
    assert_true(right > 0);
#endif
    footprint_free(&f);
}

/* What measuring says with a shell script in the program's place. `watchdog_ns` 0: the usual one.
 */
static char *refusal_after(uint64_t watchdog_ns, const char *script, struct err *e)
{
    char folder[] = "/tmp/soak-footprint-XXXXXX", path[64];
    struct scenario s;
    struct footprint f;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/soak-footprint", folder);
    if (script) {
        FILE *to = fopen(path, "w");
        assert_non_null(to);
        fprintf(to, "#!/bin/sh\n%s\n", script);
        assert_int_equal(fclose(to), 0);
        assert_int_equal(chmod(path, 0700), 0);
    }
    scenario_defaults(&s);
    if (watchdog_ns)
        s.watchdog_ns = watchdog_ns;
    snprintf(e->text, sizeof e->text, "nothing was refused");
    if (footprint_measure(&(struct footprint_launch){.folder = folder}, &s, &f, e) == 0)
        footprint_free(&f);
    unlink(path);
    rmdir(folder);
    return e->text;
}

static char *refusal(const char *script, struct err *e)
{
    return refusal_after(0, script, e);
}

static void a_program_that_fails_is_told_in_a_sentence(void **state)
{
    struct err e;
    (void)state;
    assert_non_null(strstr(refusal(NULL, &e), "soak-footprint can't be started: no such file"));
    assert_non_null(strstr(refusal("exit 3", &e), "ended early, with status 3"));
    assert_non_null(strstr(refusal("kill -9 $$", &e), "ended by signal 9"));
    assert_non_null(strstr(refusal("echo nonsense; read x", &e), "can't be understood: nonsense"));
    assert_non_null(strstr(refusal("echo 'fatal text=no memory'; exit 1", &e), ": no memory"));
    assert_non_null(strstr(refusal_after(100000000, "exec sleep 600", &e), "silent for 0 s"));
    assert_non_null(strstr(refusal("head -c 2000 /dev/zero | tr '\\0' x; read x", &e), "too long"));
}

static void what_the_program_hasnt_is_left_out_by_name(void **state)
{
    char text[256], little[11];
    struct scenario s;
    (void)state;
    scenario_defaults(&s);
    assert_string_equal(footprint_left_out(&s, text, sizeof text), "");
    s.resume = 0.5;
    s.psk = true;
    s.sni = "localhost";
    assert_string_equal(footprint_left_out(&s, text, sizeof text), "resume, psk, sni");
    assert_string_equal(footprint_left_out(&s, little, sizeof little), "resume");
    s.resume = 1;
    assert_string_equal(footprint_left_out(&s, text, sizeof text), "psk, sni");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_a_footprint),
        cmocka_unit_test(lines_that_are_wrong_missing_or_double_are_refused),
        cmocka_unit_test(too_many_sites_are_refused),
        cmocka_unit_test(a_document_gives_back_what_was_written),
        cmocka_unit_test(documents_of_others_are_checked),
        cmocka_unit_test(the_program_is_run_and_its_functions_named),
        cmocka_unit_test(a_program_that_fails_is_told_in_a_sentence),
        cmocka_unit_test(what_the_program_hasnt_is_left_out_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
