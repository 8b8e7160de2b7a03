/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of control groups, of either version, from made-up trees. */
#include "measure/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/put_file.h"
#include "tests/unit/remove_tree.h"

#include <stdlib.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-cgroup-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return remove_tree(folder);
}

static void without_groups_there_is_no_limit(void **state)
{
    (void)state;
    assert_true(cgroup_memory_left(folder) == UINT64_MAX);
    assert_true(cgroup_processors(folder) == 0);
}

static void the_least_limit_on_the_way_counts_in_the_second_version(void **state)
{
    (void)state;
    put_file(folder, "proc/self/cgroup", "0::/a/b\n");
    put_file(folder, "sys/fs/cgroup/a/b/memory.max", "max\n");
    put_file(folder, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_true(cgroup_memory_left(folder) == UINT64_MAX);
    assert_true(cgroup_processors(folder) == 0);
    put_file(folder, "sys/fs/cgroup/a/memory.max", "1000\n");
    put_file(folder, "sys/fs/cgroup/a/memory.current", "400\n");
    put_file(folder, "sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    assert_int_equal(cgroup_memory_left(folder), 600);
    assert_true(cgroup_processors(folder) == 1.5);
    put_file(folder, "sys/fs/cgroup/a/b/memory.max", "300\n");
    put_file(folder, "sys/fs/cgroup/a/b/memory.current", "301\n");
    put_file(folder, "sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    assert_int_equal(cgroup_memory_left(folder), 0);
    assert_true(cgroup_processors(folder) == 0.5);
}

static void the_first_version_says_no_limit_by_a_large_number(void **state)
{
    (void)state;
    put_file(folder, "proc/self/cgroup", "9:cpu,cpuacct:/g\n4:memory:/g\n3:cpuset:/g\n");
    put_file(folder, "sys/fs/cgroup/memory/g/memory.limit_in_bytes", "9223372036854771712\n");
    put_file(folder, "sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", "-1\n");
    put_file(folder, "sys/fs/cgroup/cpu/g/cpu.cfs_period_us", "100000\n");
    assert_true(cgroup_memory_left(folder) == UINT64_MAX);
    assert_true(cgroup_processors(folder) == 0);
    put_file(folder, "sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
    put_file(folder, "sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
    put_file(folder, "sys/fs/cgroup/cpu/g/cpu.cfs_quota_us", "200000\n");
    assert_int_equal(cgroup_memory_left(folder), 999);
    assert_true(cgroup_processors(folder) == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_groups_there_is_no_limit, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_least_limit_on_the_way_counts_in_the_second_version,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_first_version_says_no_limit_by_a_large_number,
                                        make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
