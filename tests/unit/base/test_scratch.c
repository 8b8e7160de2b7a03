/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders: which are removed for those that couldn't, and which never. */
#include "base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/remove_tree.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/scratch-test-XXXXXX";

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static int begin(void **state)
{
    (void)state;
    memcpy(base + strlen(base) - 6, "XXXXXX", 6);
    return mkdtemp(base) && setenv("TMPDIR", base, 1) == 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return remove_tree(base);
}

static void what_a_killed_process_left_is_removed_by_the_next(void **state)
{
    (void)state;
    struct scratch dead, next;
    struct err e;
    char inside[2 * SCRATCH_PATH];
    assert_int_equal(scratch_open(&dead, "dead", &e), 0);
    snprintf(inside, sizeof inside, "%s/inside", dead.path);
    assert_int_equal(mkdir(inside, 0700), 0);
    kill(dead.cleaner.pid, SIGKILL); /* with all of its processes */
    assert_int_equal(waitpid(dead.cleaner.pid, NULL, 0), dead.cleaner.pid);
    close(dead.cleaner.fd);
    close(dead.lock); /* as the kernel does */
    assert_int_equal(scratch_open(&next, "next", &e), 0);
    assert_false(is_there(dead.path));
    assert_true(is_there(next.path));
    scratch_close(&next);
    assert_false(is_there(next.path));
}

static void what_a_killed_process_left_is_removed_by_its_cleaner(void **state)
{
    (void)state;
    struct scratch dead;
    struct err e;
    assert_int_equal(scratch_open(&dead, "dead", &e), 0);
    close(dead.lock);
    close(dead.cleaner.fd); /* as the kernel does for one that is killed */
    assert_int_equal(waitpid(dead.cleaner.pid, NULL, 0), dead.cleaner.pid);
    assert_false(is_there(dead.path));
}

static void that_of_a_living_process_and_other_folders_stay(void **state)
{
    (void)state;
    struct scratch living, kept, next;
    struct err e;
    char other[256], ours[256], users[SCRATCH_PATH];
    snprintf(other, sizeof other, "%s/other", base);
    snprintf(ours, sizeof ours, "%s/soak-of-the-user", base);
    assert_int_equal(mkdir(other, 0700), 0);
    assert_int_equal(mkdir(ours, 0700), 0);
    assert_int_equal(scratch_open(&living, "living", &e), 0);
    assert_int_equal(scratch_open(&kept, "kept", &e), 0);
    memcpy(users, kept.path, sizeof users);
    scratch_keep(&kept);
    scratch_close(&kept);
    assert_int_equal(scratch_open(&next, "next", &e), 0);
    assert_true(is_there(living.path));
    assert_true(is_there(users));
    assert_true(is_there(other));
    assert_true(is_there(ours));
    scratch_close(&next);
    scratch_close(&living);
    assert_false(is_there(living.path));
}

static void where_none_can_be_made_it_says_so(void **state)
{
    (void)state;
    struct scratch s;
    struct err e;
    char missing[256], longer[2 * SCRATCH_PATH];
    snprintf(missing, sizeof missing, "%s/missing", base);
    setenv("TMPDIR", missing, 1);
    assert_int_equal(scratch_open(&s, "a", &e), -1);
    assert_non_null(
        strstr(e.text, "/missing: no temporary folder can be made there: No such file"));
    memset(longer, 'a', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    setenv("TMPDIR", longer, 1);
    assert_int_equal(scratch_open(&s, "a", &e), -1);
    assert_non_null(strstr(e.text, "aaa...: the path is too long"));
}

static void a_folder_that_is_gone_is_removed_already(void **state)
{
    (void)state;
    struct err e;
    char gone[256];
    snprintf(gone, sizeof gone, "%s/gone", base);
    assert_int_equal(tree_remove(gone, &e), 0);
    assert_int_equal(tree_remove("/proc/self/task", &e), -1);
    assert_non_null(strstr(e.text, "/proc/self/task: it can't be removed: "));
}

int main(int argc, char **argv)
{
    cleaner_begin(argc, argv); /* the folders' cleaners are this program */
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(what_a_killed_process_left_is_removed_by_the_next),
        CLAIM(what_a_killed_process_left_is_removed_by_its_cleaner),
        CLAIM(that_of_a_living_process_and_other_folders_stay),
        CLAIM(where_none_can_be_made_it_says_so),
        CLAIM(a_folder_that_is_gone_is_removed_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
