/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/outputs.h"

#include "base/ending_signals.h"
#include "base/exit_codes.h"
#include "tests/unit/full_disk.h"
#include "tests/unit/put_file.h"
#include "tests/unit/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/test_outputs.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static const char *in_folder(const char *name)
{
    static char path[2][PATH_MAX + 32];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int entries(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *d = readdir(dir); d; d = readdir(dir))
        count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void assert_content(const char *name, const char *expected)
{
    char text[64] = "";
    int fd = open(in_folder(name), O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    assert_string_equal(text, expected);
}

static int write_page(const char *name, const char *text, struct err *e)
{
    return output_text("html", in_folder(name), text, e);
}

static void a_full_disk_leaves_the_page_that_was_there(void **state)
{
    (void)state;
    struct err e = {""};
    put_file(folder, "page.html", "a page\n");
    full_disk_begin(3);
    int rc = write_page("page.html", "another page\n", &e);
    full_disk_end();
    assert_int_equal(rc, -1);
    assert_non_null(strstr(e.text, "page.html: File too large; what was there stays"));
    assert_content("page.html", "a page\n");
    assert_int_equal(entries(), 1);
}

static void a_full_disk_leaves_no_page_where_none_was(void **state)
{
    (void)state;
    struct err e = {""};
    full_disk_begin(3);
    int rc = write_page("page.html", "a page\n", &e);
    full_disk_end();
    assert_int_equal(rc, -1);
    assert_non_null(strstr(e.text, "page.html: File too large"));
    assert_null(strstr(e.text, "stays"));
    assert_int_equal(entries(), 0);
}

static void a_page_takes_the_place_of_another(void **state)
{
    (void)state;
    struct stat s;
    put_file(folder, "page.html", "a page that is longer\n");
    assert_int_equal(chmod(in_folder("page.html"), 0604), 0);
    assert_int_equal(symlink("page.html", in_folder("link.html")), 0);
    assert_int_equal(write_page("link.html", "short\n", NULL), 0);
    assert_content("page.html", "short\n");
    assert_int_equal(lstat(in_folder("link.html"), &s), 0);
    assert_true(S_ISLNK(s.st_mode));
    assert_int_equal(stat(in_folder("page.html"), &s), 0);
    assert_int_equal(s.st_mode & 07777, 0604);
    assert_int_equal(entries(), 2);
}

/* What other programs know by its inode. */
static void a_file_of_several_names_stays_the_same_file(void **state)
{
    (void)state;
    put_file(folder, "one", "a page\n");
    assert_int_equal(link(in_folder("one"), in_folder("other")), 0);
    assert_int_equal(write_page("one", "new\n", NULL), 0);
    assert_content("other", "new\n");
}

static const char *beside(void)
{
    char name[32];
    snprintf(name, sizeof name, ".soak-%ld.tmp", (long)getpid());
    return in_folder(name);
}

/* Whoever can write into the folder can foresee the name. */
static void what_lies_at_the_name_beside_is_neither_waited_for_nor_written(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(beside(), 0666), 0);
    assert_int_equal(write_page("page.html", "a page\n", NULL), 0);
    assert_content("page.html", "a page\n");
    put_file(folder, "precious", "precious\n");
    assert_int_equal(link(in_folder("precious"), beside()), 0);
    assert_int_equal(write_page("page.html", "another\n", NULL), 0);
    assert_content("precious", "precious\n");
    assert_content("page.html", "another\n");
    assert_int_equal(mkdir(beside(), 0700), 0); /* that can't be unlinked */
    assert_int_equal(write_page("page.html", "in its place\n", NULL), 0);
    assert_content("page.html", "in its place\n");
    assert_int_equal(entries(), 3);
}

static void an_open_descriptor_is_written_as_it_is(void **state)
{
    (void)state;
    char path[64], text[16] = "";
    put_file(folder, "out", "");
    int fd = open(in_folder("out"), O_RDWR);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    assert_int_equal(output_text("json", path, "text\n", NULL), 0);
    assert_int_equal(read(fd, text, sizeof text - 1), 5);
    close(fd);
}

static void asking_whether_a_file_can_be_written_makes_none(void **state)
{
    (void)state;
    struct err e = {""};
    assert_int_equal(output_check("json", in_folder("out.json"), &e), 0);
    assert_int_equal(entries(), 0);
    put_file(folder, "out.json", "{}");
    assert_int_equal(output_check("json", in_folder("out.json"), &e), 0);
    assert_content("out.json", "{}");
    assert_int_equal(output_check("json", in_folder("none/out.json"), &e), -1);
    assert_non_null(strstr(e.text, "none/out.json: it can't be written: No such file"));
    assert_int_equal(output_check("json", folder, &e), -1);
    assert_non_null(strstr(e.text, "it can't be written: Is a directory"));
}

static int check_two(const char *path, const char *other, struct err *e)
{
    const struct outputs both = {.output = {{.name = "json", .path = path},
                                            {.name = "sarif"},
                                            {.name = "html", .path = other}},
                                 .count = 3};
    return outputs_check(&both, e);
}

static void two_of_them_go_to_no_one_file(void **state)
{
    (void)state;
    struct err e = {""};
    char again[PATH_MAX + 64];
    snprintf(again, sizeof again, "%s/../%s/x", folder, strrchr(folder, '/') + 1);
    assert_int_equal(check_two(in_folder("x"), in_folder("y"), &e), 0);
    assert_int_equal(check_two(in_folder("x"), again, &e), -1);
    assert_non_null(strstr(e.text, "--json and --html: both go to /tmp/"));
    put_file(folder, "x", "");
    assert_int_equal(check_two(again, in_folder("x"), &e), -1);
    assert_int_equal(check_two("/dev/null", "/dev/null", &e), 0);
}

/* ---- a reader who doesn't read ---- */

/* More than a pipe of one page takes, and less than any other. */
static const char *page(void)
{
    static char text[3 * PIPE_BUF + 1];
    memset(text, 'x', sizeof text - 1);
    return text;
}

/* The exit code of a process that is asked to end by `number` and has yet to write the page to
 * `path`, with `out` as its stdout. Nobody reads before it has ended. */
static int code_of_writing(const char *path, int out, int number)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        ending_signals_hold();
        raise(number);
        _exit(output_text("json", path, page(), NULL) == 0 ? EXIT_PASS : EXIT_BROKEN);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_signal_ends_what_waits_for_the_reader_of_stdout(void **state)
{
    (void)state;
    int end[2];
    assert_int_equal(pipe(end), 0);
    assert_true(fcntl(end[1], F_SETPIPE_SZ, PIPE_BUF) >= 0);
    for (int i = 0; i < ENDING_SIGNALS; i++)
        assert_int_equal(code_of_writing("-", end[1], ending_signal[i]), EXIT_INTERRUPTED);
    close(end[0]);
    close(end[1]);
}

static void a_signal_ends_what_waits_for_the_reader_of_a_fifo(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    int fd = open(in_folder("fifo"), O_RDWR);
    assert_true(fd >= 0 && fcntl(fd, F_SETPIPE_SZ, PIPE_BUF) >= 0);
    assert_int_equal(code_of_writing(in_folder("fifo"), STDERR_FILENO, SIGTERM), EXIT_INTERRUPTED);
    close(fd);
}

static void what_has_room_is_written_whole_although_a_signal_waits(void **state)
{
    (void)state;
    int end[2], got = 0;
    assert_int_equal(pipe(end), 0);
    assert_int_equal(code_of_writing("-", end[1], SIGTERM), EXIT_PASS);
    assert_int_equal(ioctl(end[0], FIONREAD, &got), 0);
    assert_int_equal(got, strlen(page()));
    close(end[0]);
    close(end[1]);
    assert_int_equal(code_of_writing(in_folder("page"), STDERR_FILENO, SIGTERM), EXIT_PASS);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_full_disk_leaves_the_page_that_was_there),
        IN_A_FOLDER(a_full_disk_leaves_no_page_where_none_was),
        IN_A_FOLDER(a_page_takes_the_place_of_another),
        IN_A_FOLDER(a_file_of_several_names_stays_the_same_file),
        IN_A_FOLDER(what_lies_at_the_name_beside_is_neither_waited_for_nor_written),
        IN_A_FOLDER(an_open_descriptor_is_written_as_it_is),
        IN_A_FOLDER(asking_whether_a_file_can_be_written_makes_none),
        IN_A_FOLDER(two_of_them_go_to_no_one_file),
        IN_A_FOLDER(a_signal_ends_what_waits_for_the_reader_of_stdout),
        IN_A_FOLDER(a_signal_ends_what_waits_for_the_reader_of_a_fifo),
        IN_A_FOLDER(what_has_room_is_written_whole_although_a_signal_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
