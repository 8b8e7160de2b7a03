/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenario files that include others, and where each value is from.
 */
#include "scenario/scenario.h"

#include "tests/unit/remove_tree.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_include.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    char inner[PATH_MAX];
    if (!mkdtemp(folder))
        return -1;
    snprintf(inner, sizeof inner, "%s/in", folder);
    return mkdir(inner, 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0 && fclose(out) == 0);
}

struct seen {
    struct scenario s;
    struct scenario_origin o;
    struct err e;
};

static int read_file(struct seen *seen, const char *name)
{
    char path[PATH_MAX];
    *seen = (struct seen){.e = {""}};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    scenario_defaults(&seen->s);
    return scenario_read_noting(&seen->s, &seen->o, path, &seen->e);
}

static void read_well(struct seen *seen, const char *name)
{
    if (read_file(seen, name) < 0)
        fail_msg("%s", seen->e.text);
}

/* The sentence, with the folder's name left out wherever it stands. */
static void assert_refused(const char *name, const char *sentence)
{
    struct seen seen;
    char text[sizeof seen.e.text];
    size_t used = 0, length = strlen(folder) + 1;
    assert_int_equal(read_file(&seen, name), -1);
    for (const char *p = seen.e.text; *p;) {
        if (strncmp(p, folder, length - 1) == 0 && p[length - 1] == '/')
            p += length;
        else
            text[used++] = *p++;
    }
    text[used] = '\0';
    assert_string_equal(text, sentence);
    assert_int_equal(seen.s.conns, 30);
}

/* Where option `name` is from, without the folder. */
static const char *place_of(const struct seen *seen, const char *name)
{
    static char text[PATH_MAX];
    size_t count;
    const struct opt *options = scenario_options(&count);
    const struct opt *option = opts_find(options, count, name);
    assert_non_null(option);
    scenario_place_print(text, sizeof text, &seen->o.place[option - options]);
    size_t length = strlen(folder) + 1;
    return strncmp(text, folder, length - 1) == 0 ? text + length : text;
}

static void keys_override_what_is_included_before_them(void **state)
{
    (void)state;
    struct seen seen;
    write_file("common.soak", "[load]\nconns = 7\nchurn = max\n[mix]\nmix = clean\n");
    write_file("a.soak", "# What it proves.\ninclude = common.soak\nexpect = leak\n[load]\n"
                         "conns = 9\n[mix]\nreset = 3\n");
    read_well(&seen, "a.soak");
    assert_true(seen.s.conns == 9 && seen.s.churn.max);
    assert_string_equal(seen.s.expect, "leak");
    assert_true(seen.s.weight[BEHAVIOUR_CLEAN] == 1 && seen.s.weight[BEHAVIOUR_RESET] == 3);
    assert_int_equal(seen.s.weight[BEHAVIOUR_HALF_CLOSE], 0);
}

static void every_value_knows_its_line(void **state)
{
    (void)state;
    struct seen seen;
    read_well(&seen, "a.soak");
    assert_string_equal(place_of(&seen, "conns"), "a.soak:5");
    assert_string_equal(place_of(&seen, "churn"), "common.soak:3");
    assert_string_equal(place_of(&seen, "expect"), "a.soak:3");
    assert_string_equal(place_of(&seen, "reset"), "a.soak:7");
    assert_string_equal(place_of(&seen, "clean"), "common.soak:5");
    assert_string_equal(place_of(&seen, "half-close"), "common.soak:5");
    assert_string_equal(place_of(&seen, "payload"), "default");
    char *argv[] = {(char *)"soak", (char *)"a",           (char *)"--payload",
                    (char *)"9B",   (char *)"--mix=reset", (char *)"--quiet",
                    (char *)"--",   (char *)"--conns"};
    scenario_note_command(&seen.o, 8, argv);
    assert_string_equal(place_of(&seen, "payload"), "command line");
    assert_string_equal(place_of(&seen, "quiet"), "command line");
    assert_string_equal(place_of(&seen, "clean"), "command line");
    assert_string_equal(place_of(&seen, "conns"), "a.soak:5");
}

static void what_the_server_does_is_no_weight_of_the_mix(void **state)
{
    (void)state;
    struct seen seen;
    char *argv[] = {(char *)"soak", (char *)"a", (char *)"--server-mix=reset"};
    read_well(&seen, "a.soak");
    scenario_note_command(&seen.o, 3, argv);
    assert_string_equal(place_of(&seen, "server-mix"), "command line");
    assert_string_equal(place_of(&seen, "clean"), "common.soak:5");
    assert_string_equal(place_of(&seen, "mix"), "common.soak:5");
    write_file("weight.soak", "[mix]\nreset = 2\n[server]\nserver-mix = reset\n");
    read_well(&seen, "weight.soak");
    assert_string_equal(place_of(&seen, "reset"), "weight.soak:2");
}

static void a_file_is_found_beside_the_one_that_includes_it(void **state)
{
    (void)state;
    struct seen seen;
    write_file("in/b.soak", "include = c.soak\ninclude = ../common.soak\n");
    write_file("in/c.soak", "[load]\nconns = 8\npayload = 5B\n");
    write_file("d.soak", "include = in/b.soak\n");
    read_well(&seen, "d.soak");
    assert_true(seen.s.conns == 7 && seen.s.payload == 5);
}

static void the_file_at_fault_is_named_and_how_it_was_come_to(void **state)
{
    (void)state;
    write_file("bad.soak", "[load]\nconns = 3\nchurm = 2/s\n");
    write_file("outer.soak", "\ninclude = bad.soak\n");
    write_file("outmost.soak", "include = outer.soak\n");
    assert_refused("outmost.soak", "bad.soak:3: no such key 'churm' in [load]; did you mean churn? "
                                   "(included at outer.soak:2) (included at outmost.soak:1)");
    write_file("lost.soak", "include = nowhere.soak\n");
    assert_refused("lost.soak", "lost.soak:1: include = nowhere.soak: No such file or directory");
    write_file("folder.soak", "include = in\n");
    assert_refused("folder.soak",
                   "folder.soak:1: include = in: this is a folder, and a file is needed");
}

static void a_circle_is_refused(void **state)
{
    (void)state;
    write_file("self.soak", "include = in/../self.soak\n");
    assert_refused("self.soak", "self.soak:1: include = in/../self.soak: a file can't include "
                                "itself, nor by way of others");
    write_file("x.soak", "include = y.soak\n");
    write_file("y.soak", "# a circle\ninclude = x.soak\n");
    assert_refused("x.soak", "y.soak:2: include = x.soak: a file can't include itself, nor by way "
                             "of others (included at x.soak:1)");
}

static void too_deep_and_too_many_are_refused(void **state)
{
    (void)state;
    struct seen seen;
    char name[32], text[64];
    for (int i = 0; i <= 8; i++) {
        snprintf(name, sizeof name, "deep%d.soak", i);
        snprintf(text, sizeof text, "include = deep%d.soak\n", i + 1);
        write_file(name, i < 8 ? text : "[load]\nconns = 4\n");
    }
    read_well(&seen, "deep0.soak");
    assert_int_equal(seen.s.conns, 4);
    write_file("deeper.soak", "include = deep0.soak\n");
    assert_int_equal(read_file(&seen, "deeper.soak"), -1);
    assert_non_null(strstr(seen.e.text, "deep7.soak:1: include = deep8.soak: files include each "
                                        "other at most 8 deep (included at"));
    char many[64 * 24] = "";
    for (int i = 0; i < 64; i++) {
        if (i == 63) {
            write_file("many.soak", many);
            read_well(&seen, "many.soak");
        }
        strcat(many, "include = in/c.soak\n");
    }
    write_file("many.soak", many);
    assert_refused("many.soak", "many.soak:64: include = in/c.soak: at most 64 files in all");
}

static void the_check_names_the_line_that_is_at_fault(void **state)
{
    (void)state;
    struct seen seen;
    write_file("unfit.soak", "include = common.soak\n[tls]\nresume = 5%\nsession = none\n");
    read_well(&seen, "unfit.soak");
    assert_int_equal(scenario_check(&seen.s, &seen.e), -1);
    assert_int_equal(scenario_locate(&seen.o, &seen.e), -1);
    assert_non_null(strstr(seen.e.text, "/unfit.soak:3: --resume 5%: nothing to resume"));
    read_well(&seen, "common.soak");
    seen.s.conns = 0;
    seen.s.payload = 0;
    scenario_check(&seen.s, &seen.e);
    scenario_locate(&seen.o, &seen.e);
    assert_non_null(strstr(seen.e.text, "/common.soak:2: --conns 0: "));
    seen.s.conns = 7;
    scenario_check(&seen.s, &seen.e);
    scenario_locate(&seen.o, &seen.e);
    assert_memory_equal(seen.e.text, "--payload 0B: ", 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_override_what_is_included_before_them),
        cmocka_unit_test(every_value_knows_its_line),
        cmocka_unit_test(what_the_server_does_is_no_weight_of_the_mix),
        cmocka_unit_test(a_file_is_found_beside_the_one_that_includes_it),
        cmocka_unit_test(the_file_at_fault_is_named_and_how_it_was_come_to),
        cmocka_unit_test(a_circle_is_refused),
        cmocka_unit_test(too_deep_and_too_many_are_refused),
        cmocka_unit_test(the_check_names_the_line_that_is_at_fault),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
