/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/token.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/soak-token-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void a_new_token_is_written_for_its_owner_alone(void **state)
{
    (void)state;
    char token[TOKEN_BYTES], again[TOKEN_BYTES], made[TOKEN_PATH];
    struct err e;
    struct stat s;
    unsetenv(TOKEN_VARIABLE);
    assert_int_equal(token_find(NULL, folder, token, made, &e), 0);
    assert_string_equal(made, in_folder("join-token"));
    assert_int_equal(stat(made, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(strlen(token), 64);
    assert_int_equal(token_read(made, again, &e), 0);
    assert_string_equal(token, again);
    char other[TOKEN_BYTES], unmade[TOKEN_PATH];
    assert_int_equal(token_find(made, folder, other, unmade, &e), 0);
    assert_string_equal(unmade, "");
    assert_string_equal(other, token);
    assert_int_equal(token_write(made, token, &e), -EEXIST); /* never over another's */
    unlink(made);
}

enum { RUNS = 16 };

/* Each in a process of its own, which begins when the pipe is closed. Returns where it writes. */
static int find_in_a_process(const int gate[2], const char *file)
{
    int end[2];
    assert_int_equal(pipe(end), 0);
    if (fork() == 0) {
        char token[TOKEN_BYTES], made[TOKEN_PATH], byte;
        struct err e;
        close(gate[1]);
        ssize_t begin = read(gate[0], &byte, 1);
        int rc = token_find(file, folder, token, made, &e);
        dprintf(end[1], "%c%s", made[0] ? 'm' : 'f', rc == 0 ? token : e.text);
        _exit(begin == 0 ? 0 : 1);
    }
    close(end[1]);
    return end[0];
}

static void runs_that_make_it_at_once_have_the_same(void **state)
{
    (void)state;
    const char *file = in_folder("shared");
    char said[RUNS][TOKEN_BYTES + 2] = {{0}};
    int gate[2], end[RUNS], makers = 0, status;
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < RUNS; i++)
        end[i] = find_in_a_process(gate, file);
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < RUNS; i++) {
        assert_int_equal(read(end[i], said[i], sizeof said[i] - 1), 65);
        makers += said[i][0] == 'm';
        assert_string_equal(said[i] + 1, said[0] + 1);
        close(end[i]);
        assert_true(wait(&status) > 0);
    }
    assert_int_equal(makers, 1);
    unlink(file);
}

static void one_that_others_may_read_is_told(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool exposed;
    } cases[] = {{0600, false}, {0400, false}, {0640, true}, {0604, true}, {0602, true}};
    char text[512] = "";
    struct err e;
    const char *file = in_folder("mode");
    assert_int_equal(token_write(file, "0123456789abcdef0123456789abcdef", &e), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chmod(file, cases[i].mode);
        assert_int_equal(token_is_exposed(file, text, sizeof text), cases[i].exposed);
    }
    assert_non_null(strstr(text, "/mode has mode 0602; chmod 600 keeps it from them"));
    assert_false(token_is_exposed(NULL, text, sizeof text));
    assert_false(token_is_exposed("-", text, sizeof text));
    assert_false(token_is_exposed("/dev/null", text, sizeof text));
    unlink(file);
}

static const struct {
    uid_t owner;
    mode_t mode;
    const char *said;
} of_others[] = {{0, 0400, NULL},
                 {0, 0440, NULL}, /* a secret that is mounted for a group */
                 {0, 0640, NULL},
                 {0, 0660, "is root's and has mode 0660"},
                 {0, 0644, "is root's and has mode 0644"},
                 {0, 0604, "is root's and has mode 0604"},
                 {12345, 0600, "belongs to user 12345"},
                 {12345, 0640, "belongs to user 12345"}};
enum { OF_OTHERS = sizeof of_others / sizeof *of_others };

static const char *numbered(size_t i)
{
    char name[16];
    snprintf(name, sizeof name, "%zu", i);
    return in_folder(name);
}

/* As another user than root finds root's files and those of a third one. */
static int of_others_told(void)
{
    int wrong = setuid(65534);
    for (size_t i = 0; i < OF_OTHERS; i++) {
        char text[512] = "";
        bool told = token_is_exposed(numbered(i), text, sizeof text);
        bool is_right = of_others[i].said ? told && strstr(text, of_others[i].said) : !told;
        if (!is_right)
            fprintf(stderr, "of %u, %04o: %s\n", of_others[i].owner, of_others[i].mode, text);
        wrong |= !is_right;
    }
    return wrong;
}

static void one_of_another_user_is_told_and_roots_where_others_may_read_it(void **state)
{
    (void)state;
    char text[512];
    int status = -1;
    if (geteuid() != 0) {
        print_message("only root can give a file to another user\n");
        skip();
    }
    chmod(folder, 0711);
    for (size_t i = 0; i < OF_OTHERS; i++) {
        assert_int_equal(token_write(numbered(i), "0123456789abcdef0123456789abcdef", NULL), 0);
        assert_int_equal(chown(numbered(i), of_others[i].owner, 0), 0);
        assert_int_equal(chmod(numbered(i), of_others[i].mode), 0);
    }
    pid_t child = fork();
    if (child == 0)
        _exit(of_others_told());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(token_is_exposed(numbered(6), text, sizeof text)); /* root is told, too */
    assert_non_null(strstr(text, "other users may use the join token: "));
    for (size_t i = 0; i < OF_OTHERS; i++)
        unlink(numbered(i));
}

static void a_token_of_the_environment_is_read_once(void **state)
{
    (void)state;
    char token[TOKEN_BYTES];
    struct err e;
    setenv(TOKEN_VARIABLE, "0123456789abcdef0123456789abcdef", 1);
    assert_int_equal(token_check(NULL, &e), 0); /* which leaves it there */
    assert_int_equal(token_read(NULL, token, &e), 0);
    assert_null(getenv(TOKEN_VARIABLE));
    assert_int_equal(token_read(NULL, token, &e), -ENOENT);
    assert_int_equal(token_read(in_folder("none"), token, &e), -ENOENT);
    assert_int_equal(token_check(NULL, &e), 0); /* the run makes it */
    assert_int_equal(token_check(in_folder("none"), &e), 0);
}

static void what_is_short_or_no_token_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES], longer[TOKEN_MOST + 50];
    struct err e;
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const wrong[] = {"short", "0123456789abcdef0123456789abcde\x01", longer,
                                 "two words 0123456789abcdef0123456789abcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv(TOKEN_VARIABLE, wrong[i], 1);
        assert_int_equal(token_check(NULL, &e), -1);
        assert_int_equal(token_read(NULL, token, &e), -1);
    }
    assert_non_null(strstr(e.text, "SOAK_JOIN_TOKEN: a join token has 32 to 256"));
    unsetenv(TOKEN_VARIABLE);
}

static void another_token_gives_another_key(void **state)
{
    (void)state;
    uint8_t one[TOKEN_KEY], other[TOKEN_KEY];
    token_key("0123456789abcdef0123456789abcdef", one);
    token_key("0123456789abcdef0123456789abcdeF", other);
    assert_memory_not_equal(one, other, TOKEN_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_token_is_written_for_its_owner_alone),
        cmocka_unit_test(runs_that_make_it_at_once_have_the_same),
        cmocka_unit_test(one_that_others_may_read_is_told),
        cmocka_unit_test(one_of_another_user_is_told_and_roots_where_others_may_read_it),
        cmocka_unit_test(a_token_of_the_environment_is_read_once),
        cmocka_unit_test(what_is_short_or_no_token_is_refused),
        cmocka_unit_test(another_token_gives_another_key)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
