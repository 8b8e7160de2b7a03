/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/run_dir.h"

#include "tests/unit/full_disk.h"
#include "tests/unit/remove_tree.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
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
    strcpy(base, "/tmp/test_run_dir.XXXXXX");
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    (void)state;
    return remove_tree(base);
}

static struct run_dir open_run(const char *scenario)
{
    struct run_dir d;
    struct err e = {""};
    if (run_dir_open(&d, base, scenario, &e) < 0)
        fail_msg("%s", e.text);
    return d;
}

/* The whole file `name` of the run, terminated. */
static const char *content(const struct run_dir *d, const char *name)
{
    static char text[4096];
    int fd = openat(d->fd, name, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static int entries_in(const char *folder)
{
    char command[PATH_MAX + 32];
    int count = -1;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    assert_int_equal(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void a_run_has_a_private_folder_named_by_time_and_scenario(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    char samples[PATH_MAX];
    unsigned date, time;
    char scenario[32];
    assert_int_equal(d.path[0], '/');
    assert_int_equal(sscanf(strrchr(d.path, '/'), "/%8u-%6u-%31s", &date, &time, scenario), 3);
    assert_true(date > 20200101);
    assert_string_equal(scenario, "default");
    assert_int_equal(mode_of(d.path), 0700);
    snprintf(samples, sizeof samples, "%s/samples.jsonl", d.path);
    assert_int_equal(mode_of(samples), 0600);
    run_dir_close(&d);
}

static void runs_of_one_second_have_folders_of_their_own(void **state)
{
    (void)state;
    struct run_dir runs[5];
    for (int i = 0; i < 5; i++)
        runs[i] = open_run("same");
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(runs[i].path, runs[j].path);
    for (int i = 0; i < 5; i++)
        run_dir_close(&runs[i]);
}

static void last_points_at_the_newest_run(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct run_dir d = open_run("default");
        char link[PATH_MAX + 8], target[PATH_MAX];
        snprintf(link, sizeof link, "%s/last", base);
        assert_non_null(realpath(link, target));
        assert_string_equal(target, d.path);
        assert_int_equal(entries_in(base), i + 2);
        run_dir_close(&d);
    }
}

static void folders_above_the_run_are_made(void **state)
{
    (void)state;
    struct run_dir d;
    struct err e = {""};
    char deep[PATH_MAX + 8];
    snprintf(deep, sizeof deep, "%s/a//b/c/", base);
    if (run_dir_open(&d, deep, "default", &e) < 0)
        fail_msg("%s", e.text);
    run_dir_close(&d);
}

static void a_scenario_name_never_leaves_the_folder(void **state)
{
    (void)state;
    struct run_dir d = open_run("../../etc/pass wd");
    assert_non_null(strstr(d.path, "-.._.._etc_pass_wd"));
    assert_int_equal(strncmp(d.path, base, strlen(base)), 0);
    run_dir_close(&d);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct run_dir d = {.fd = 41};
    struct err e = {""};
    assert_int_equal(run_dir_open(&d, "/dev/null/runs", "default", &e), -1);
    assert_string_equal(e.text, "/dev/null/runs: Not a directory");
    assert_int_equal(run_dir_open(&d, "/proc/runs", "default", &e), -1);
    assert_int_equal(strncmp(e.text, "/proc/runs: ", 12), 0);
    assert_int_equal(run_dir_open(&d, "/proc", "default", &e), -1);
    assert_string_equal(e.text, "/proc: no folder can be made there (No such file or directory); "
                                "give another with --results");
    char link[PATH_MAX + 8];
    snprintf(link, sizeof link, "%s/link", base);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(run_dir_open(&d, link, "default", &e), -1);
    assert_non_null(strstr(e.text, "/link: no folder can be made there"));
    assert_int_equal(run_dir_open(&d, "", "default", &e), -1);
    assert_int_equal(d.fd, 41);
}

static void nothing_is_left_when_last_cannot_be_linked(void **state)
{
    (void)state;
    struct run_dir d;
    struct err e = {""};
    char last[PATH_MAX + 8];
    snprintf(last, sizeof last, "%s/last", base);
    assert_int_equal(mkdir(last, 0700), 0);
    assert_int_equal(run_dir_open(&d, base, "default", &e), -1);
    assert_int_equal(entries_in(base), 1);
}

static void what_else_is_called_last_is_refused_beforehand(void **state)
{
    (void)state;
    struct err e = {""};
    char last[PATH_MAX + 8], sentence[PATH_MAX + 64];
    snprintf(last, sizeof last, "%s/last", base);
    assert_int_equal(symlink("nowhere", last), 0);
    assert_int_equal(run_dir_check(base, &e), 0);
    assert_int_equal(unlink(last), 0);
    assert_int_equal(mkdir(last, 0700), 0);
    assert_int_equal(run_dir_check(base, &e), -1);
    snprintf(sentence, sizeof sentence, "%s: is a folder of yours, but soak's link ", last);
    assert_int_equal(strncmp(e.text, sentence, strlen(sentence)), 0);
    assert_int_equal(rmdir(last), 0);
    int file = open(last, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(run_dir_check(base, &e), -1);
    assert_non_null(strstr(e.text, "/last: is a file of yours"));
}

static void samples_are_appended_a_line_each(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    assert_int_equal(run_dir_sample(&d, "{\"a\":1}", NULL), 0);
    assert_int_equal(run_dir_sample(&d, "{\"a\":2}", NULL), 0);
    assert_string_equal(content(&d, "samples.jsonl"), "{\"a\":1}\n{\"a\":2}\n");
    run_dir_close(&d);
}

static void a_full_disk_leaves_whole_samples_only(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    struct err e = {""};
    char sentence[sizeof d.path + 64];
    assert_int_equal(run_dir_sample(&d, "{\"a\":1}", &e), 0);
    full_disk_begin(12);
    int status = run_dir_sample(&d, "{\"a\":2}", &e);
    full_disk_end();
    assert_int_equal(status, -1);
    snprintf(sentence, sizeof sentence, "%s/samples.jsonl: the limit of a file's size is reached (",
             d.path);
    assert_int_equal(strncmp(e.text, sentence, strlen(sentence)), 0);
    assert_string_equal(content(&d, "samples.jsonl"), "{\"a\":1}\n");
    assert_int_equal(run_dir_sample(&d, "{\"a\":3}", &e), 0);
    assert_string_equal(content(&d, "samples.jsonl"), "{\"a\":1}\n{\"a\":3}\n");
    run_dir_close(&d);
}

static void a_document_is_replaced_whole(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    int killed = openat(d.fd, ".result.json.tmp", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(killed, "what a killed run had begun", 27), 27);
    close(killed);
    assert_int_equal(run_dir_write(&d, "result.json", "first and longer", 16, NULL), 0);
    assert_string_equal(content(&d, "result.json"), "first and longer");
    assert_int_equal(run_dir_write(&d, "result.json", "second", 6, NULL), 0);
    assert_string_equal(content(&d, "result.json"), "second");
    assert_int_equal(entries_in(d.path), 2);
    run_dir_close(&d);
}

static void a_full_disk_keeps_the_earlier_document(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    struct err e = {""};
    assert_int_equal(run_dir_write(&d, "result.json", "first", 5, &e), 0);
    full_disk_begin(3);
    int status = run_dir_write(&d, "result.json", "second", 6, &e);
    full_disk_end();
    assert_int_equal(status, -1);
    assert_non_null(strstr(e.text, "/result.json: the limit of a file's size is reached ("));
    assert_string_equal(content(&d, "result.json"), "first");
    assert_int_equal(entries_in(d.path), 2);
    run_dir_close(&d);
}

/* The folder of a finished run isn't chosen by an option. */
static void advice_on_a_folder_that_was_there_names_no_option(void **state)
{
    (void)state;
    struct run_dir made = open_run("default"), d;
    struct err e = {""};
    assert_int_equal(run_dir_enter(&d, made.path, &e), 0);
    assert_int_equal(mkdirat(d.fd, "shortest.json", 0700), 0);
    assert_int_equal(run_dir_write(&d, "shortest.json", "{}", 2, &e), -1);
    assert_non_null(strstr(e.text, "/shortest.json: "));
    assert_null(strstr(e.text, "--results"));
    run_dir_close(&d);
    run_dir_close(&made);
}

static void logs_append_and_are_not_inherited(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    for (int i = 0; i < 2; i++) {
        int fd = run_dir_log(&d, "server.log", NULL);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(write(fd, "x\n", 2), 2);
        close(fd);
    }
    assert_string_equal(content(&d, "server.log"), "x\nx\n");
    run_dir_close(&d);
}

static void closing_twice_is_harmless(void **state)
{
    (void)state;
    struct run_dir d = open_run("default");
    run_dir_close(&d);
    run_dir_close(&d);
    assert_int_equal(d.fd, -1);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_run_has_a_private_folder_named_by_time_and_scenario),
        IN_A_FOLDER(runs_of_one_second_have_folders_of_their_own),
        IN_A_FOLDER(last_points_at_the_newest_run),
        IN_A_FOLDER(folders_above_the_run_are_made),
        IN_A_FOLDER(a_scenario_name_never_leaves_the_folder),
        IN_A_FOLDER(a_folder_that_cannot_be_made_is_named),
        IN_A_FOLDER(nothing_is_left_when_last_cannot_be_linked),
        IN_A_FOLDER(what_else_is_called_last_is_refused_beforehand),
        IN_A_FOLDER(samples_are_appended_a_line_each),
        IN_A_FOLDER(a_full_disk_leaves_whole_samples_only),
        IN_A_FOLDER(a_document_is_replaced_whole),
        IN_A_FOLDER(a_full_disk_keeps_the_earlier_document),
        IN_A_FOLDER(advice_on_a_folder_that_was_there_names_no_option),
        IN_A_FOLDER(logs_append_and_are_not_inherited),
        IN_A_FOLDER(closing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
