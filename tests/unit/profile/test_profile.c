/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"
#include "profile/profile_internal.h"
#include "profile_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static int write_leak_svg(const struct profile *p, FILE *out, struct err *e)
{
    return profile_write_svg(p, "Blocks that survived in <server> & client", out, e);
}

static const struct {
    const char *suffix;
    int (*write)(const struct profile *p, FILE *out, struct err *e);
} writers[] = {
    {"folded", profile_write_folded}, {"svg", write_leak_svg}, {"pb.gz", profile_write_pprof}};
enum { FOLDED, SVG, PPROF, WRITERS };

static struct profile *make(const char *name)
{
    struct profile *p = profile_new();
    assert_non_null(p);
    for (size_t i = 0; i < PROFILE_CASES; i++) {
        if (strcmp(profile_cases[i].name, name) == 0)
            profile_cases[i].fill(p);
    }
    return p;
}

/* The bytes that a writer gives; the caller frees them. */
static char *written(const struct profile *p, int writer, size_t *ret_size)
{
    char *text;
    FILE *out = open_memstream(&text, ret_size);
    struct err e;
    assert_non_null(out);
    if (writers[writer].write(p, out, &e) != 0)
        fail_msg("%s", e.text);
    fclose(out);
    return text;
}

static void folded_stacks_read_as_approved(void **state)
{
    (void)state;
    struct profile *p = make("leak");
    size_t size;
    char *text = written(p, FOLDED, &size);
    assert_string_equal(
        text,
        "server;main;worker_run;uv_run;uv__io_poll;on_readable;conn_on_accept;defect_state_new "
        "1920000\n"
        "server;main;worker_run;uv_run;uv__io_poll;on_readable;conn_handshake;SSL_do_handshake;"
        "libssl.so.3+0x4a3bc;SSL_SESSION_new 896000\n"
        "server;main;worker_run;uv_run;uv__io_poll;on_readable;conn_handshake;"
        "libcrypto.so.3+0x10ab3;OPENSSL_sk_new_null 21600\n"
        "client;main;0x7f12aa001234;SSL_new 129280\n");
    free(text);
    profile_free(p);
}

static void names_cannot_break_the_folded_format(void **state)
{
    (void)state;
    struct profile *p = make("hostile");
    size_t size;
    char *text = written(p, FOLDED, &size);
    assert_string_equal(
        text, "ser:ver_<1>;0x0;bad???\?(name]]>;std::map<int,_char>::operator:&_\"x\"_'y' 300\n"
              "bare 50\n");
    free(text);
    profile_free(p);
}

static void equal_stacks_and_labels_are_added_up(void **state)
{
    (void)state;
    static const struct symbol frame[] = {{.function = "f", .module = "m"},
                                          {.function = "main", .module = "m"}};
    const uint64_t address[] = {0x1000, 0x2000};
    const uint64_t elsewhere[] = {0x1000, 0x2001};
    struct profile_sample sample = {.subject = "server",
                                    .behaviour = "clean",
                                    .epoch = 3,
                                    .blocks = 2,
                                    .bytes = 64,
                                    .frame = frame,
                                    .address = address,
                                    .frames = 2};
    struct profile *p = profile_new();
    assert_non_null(p);
    profile_case_add(p, &sample);
    profile_case_add(p, &sample);
    assert_int_equal(profile_count(p), 1);
    struct profile_sample other[6];
    for (size_t i = 0; i < 6; i++)
        other[i] = sample;
    other[0].subject = "client";
    other[1].behaviour = NULL;
    other[2].epoch = 4;
    other[3].frames = 1;
    other[4].address = elsewhere;
    other[5].frame = (const struct symbol[]){frame[0], {.function = "main", .module = "n"}};
    for (size_t i = 0; i < 6; i++) {
        profile_case_add(p, &other[i]);
        assert_int_equal(profile_count(p), i + 2);
    }
    size_t size;
    char *text = written(p, FOLDED, &size);
    assert_non_null(strstr(text, "server;main;f 320\n"));
    assert_non_null(strstr(text, "client;main;f 64\n"));
    free(text);
    profile_free(p);
}

static void the_legend_tells_the_blocks_without_a_stack(void **state)
{
    (void)state;
    static const struct symbol frame[] = {{.function = "f", .module = "m"}};
    const struct profile_sample sample = {
        .subject = "server", .blocks = 1000, .bytes = 32000, .frame = frame, .frames = 1};
    char legend[160];
    struct profile *p = profile_new();
    assert_non_null(p);
    profile_case_add(p, &sample);
    assert_string_equal(profile_legend(p, legend, sizeof legend),
                        "31.25 KiB in 1,000 blocks that outlived their connections");
    profile_untaken(p, 2750);
    assert_string_equal(profile_legend(p, legend, sizeof legend),
                        "31.25 KiB in 1,000 of the 3,750 blocks that outlived their connections");
    size_t size;
    char *text = written(p, SVG, &size);
    assert_non_null(strstr(text, legend));
    free(text);
    profile_free(p);
}

static void too_deep_a_stack_is_refused(void **state)
{
    (void)state;
    static struct symbol frame[PROFILE_FRAMES + 1];
    struct profile_sample sample = {
        .subject = "server", .blocks = 1, .bytes = 1, .frame = frame, .frames = PROFILE_FRAMES + 1};
    struct profile *p = profile_new();
    struct err e;
    assert_non_null(p);
    assert_int_equal(profile_add(p, &sample, &e), -1);
    assert_string_equal(e.text, "a stack of 513 frames; 512 at most");
    assert_int_equal(profile_count(p), 0);
    sample.frames = PROFILE_FRAMES;
    profile_case_add(p, &sample);
    for (int i = 0; i < WRITERS; i++) {
        size_t size;
        free(written(p, i, &size));
    }
    profile_free(p);
}

static void the_same_samples_give_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < PROFILE_CASES * WRITERS; i++) {
        struct profile *p[] = {make(profile_cases[i / WRITERS].name),
                               make(profile_cases[i / WRITERS].name)};
        size_t size[2];
        char *text[] = {written(p[0], (int)(i % WRITERS), &size[0]),
                        written(p[1], (int)(i % WRITERS), &size[1])};
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(text[0], text[1], size[0]);
        for (int k = 0; k < 2; k++) {
            free(text[k]);
            profile_free(p[k]);
        }
    }
}

static void the_order_of_the_samples_does_not_show_in_the_picture(void **state)
{
    (void)state;
    static const struct symbol a[] = {{.function = "a", .module = "m"}};
    static const struct symbol b[] = {{.function = "b", .module = "m"}};
    char *text[2];
    for (int turn = 0; turn < 2; turn++) {
        struct profile_sample sample = {.subject = "server", .blocks = 1, .bytes = 10, .frames = 1};
        struct profile *p = profile_new();
        assert_non_null(p);
        for (int i = 0; i < 2; i++) {
            sample.frame = i == turn ? a : b;
            profile_case_add(p, &sample);
        }
        size_t size;
        text[turn] = written(p, SVG, &size);
        profile_free(p);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

/* A stack that shrank must not make its callers narrower than what else they called. */
static void stacks_without_bytes_have_no_width(void **state)
{
    (void)state;
    static const struct symbol grown[] = {{.function = "f", .module = "m"},
                                          {.function = "main", .module = "m"}};
    static const struct symbol shrunk[] = {{.function = "g", .module = "m"},
                                           {.function = "main", .module = "m"}};
    struct profile_sample sample = {
        .subject = "server", .blocks = 2, .bytes = 100, .frame = grown, .frames = 2};
    struct profile *p = profile_new();
    assert_non_null(p);
    profile_case_add(p, &sample);
    sample.frame = shrunk;
    sample.bytes = -30;
    profile_case_add(p, &sample);
    size_t size;
    char *text = written(p, SVG, &size);
    assert_non_null(strstr(text, "main\nm\n100 B in 2 blocks, 100.00 %"));
    free(text);
    profile_free(p);
}

/* /dev/full takes what fits the stream's buffer and fails when it is flushed. */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct profile *p = make("many");
    for (int i = 0; i < WRITERS; i++) {
        FILE *out = fopen("/dev/full", "w");
        struct err e;
        assert_non_null(out);
        assert_int_equal(writers[i].write(p, out, &e), -1);
        assert_string_equal(e.text, "the profile can't be written: No space left on device");
        fclose(out);
    }
    profile_free(p);
}

/* The example of the encoding's own guide: field 1 with the value 150 is 08 96 01. */
static void fields_are_encoded_as_the_guide_says(void **state)
{
    (void)state;
    static const unsigned char expected[] = {
        0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's',  't',  'i',  'n',  'g',  0x1a, 0x03,
        0x08, 0x96, 0x01, 0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    struct proto outer = {0};
    struct proto inner = {0};
    proto_number(&outer, 1, 150);
    proto_bytes(&outer, 2, "testing", 7);
    proto_number(&inner, 1, 150);
    proto_message(&outer, 3, &inner);
    proto_number(&outer, 5, 0);
    proto_number(&outer, 4, UINT64_MAX);
    assert_false(outer.failed);
    assert_int_equal(outer.used, sizeof expected);
    assert_memory_equal(outer.data, expected, sizeof expected);
    assert_int_equal(inner.used, 0);
    proto_fini(&outer);
    proto_fini(&inner);
}

/* For tests/cli/test_profile.py: every case in every form. */
static int write_files(const char *folder)
{
    for (size_t i = 0; i < PROFILE_CASES * WRITERS; i++) {
        char path[512];
        struct profile *p = make(profile_cases[i / WRITERS].name);
        snprintf(path, sizeof path, "%s/%s.%s", folder, profile_cases[i / WRITERS].name,
                 writers[i % WRITERS].suffix);
        FILE *out = fopen(path, "w");
        struct err e = {"it can't be made"};
        int rc = out ? writers[i % WRITERS].write(p, out, &e) : -1;
        profile_free(p);
        if (rc != 0 || fclose(out) != 0) {
            fprintf(stderr, "%s: %s\n", path, e.text);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded_stacks_read_as_approved),
        cmocka_unit_test(names_cannot_break_the_folded_format),
        cmocka_unit_test(equal_stacks_and_labels_are_added_up),
        cmocka_unit_test(the_legend_tells_the_blocks_without_a_stack),
        cmocka_unit_test(too_deep_a_stack_is_refused),
        cmocka_unit_test(the_same_samples_give_the_same_bytes),
        cmocka_unit_test(the_order_of_the_samples_does_not_show_in_the_picture),
        cmocka_unit_test(stacks_without_bytes_have_no_width),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(fields_are_encoded_as_the_guide_says),
    };
    if (argc == 3 && strcmp(argv[1], "--files") == 0)
        return write_files(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
