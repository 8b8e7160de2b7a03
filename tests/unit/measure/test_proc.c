/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/proc.h"
#include "measure/process_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct proc_sample full(pid_t pid)
{
    struct proc_sample s;
    struct err e;
    if (proc_sample_full(pid, &s, &e) != 0)
        fail_msg("%s", e.text);
    return s;
}

static void memory_that_is_touched_is_seen(void **state)
{
    (void)state;
    enum { TOUCHED = 16 << 20 };
    struct proc_sample before = full(getpid());
    struct proc_rollup rollup_before;
    assert_int_equal(proc_rollup_read(getpid(), &rollup_before, NULL), 0);
    char *at = mmap(NULL, TOUCHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    memset(at, 1, TOUCHED);
    struct proc_sample after = full(getpid());
    struct proc_rollup rollup_after;
    assert_int_equal(proc_rollup_read(getpid(), &rollup_after, NULL), 0);
    munmap(at, TOUCHED);

    /* The kernel batches its counters by thread, so the figures may be some pages late. */
    uint64_t least = TOUCHED - (1 << 20);
    assert_true(after.rss_bytes - before.rss_bytes >= least);
    assert_true(after.rss_anon_bytes - before.rss_anon_bytes >= least);
    assert_true(after.rss_anon_bytes <= after.rss_bytes);
    assert_true(rollup_after.anonymous_bytes - rollup_before.anonymous_bytes >= least);
    assert_true(rollup_after.private_dirty_bytes - rollup_before.private_dirty_bytes >= least);
    assert_true(rollup_after.pss_bytes - rollup_before.pss_bytes >= least);
}

static void open_files_are_counted_one_by_one(void **state)
{
    (void)state;
    uint64_t before = full(getpid()).open_files;
    int fd = open("/dev/null", O_RDONLY);
    assert_int_equal(full(getpid()).open_files - before, 1);
    int high = fcntl(fd, F_DUPFD, 500);
    assert_int_equal(full(getpid()).descriptors, high + 1);
    close(high);
    assert_in_range(full(getpid()).descriptors, fd + 1, 500);
    close(fd);
    assert_int_equal(full(getpid()).open_files, before);
}

static void *wait_at(void *gate)
{
    pthread_barrier_wait(gate);
    pthread_barrier_wait(gate);
    return NULL;
}

static void *end_at_once(void *ret_tid)
{
    *(pid_t *)ret_tid = (pid_t)syscall(SYS_gettid);
    return NULL;
}

/* A thread that was joined is still counted until the kernel has taken it off its list. */
static void wait_until_gone(pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)tid);
    while (access(path, F_OK) == 0)
        sched_yield();
}

static void threads_are_counted(void **state)
{
    (void)state;
    pthread_t first;
    pid_t tid;
    /* A sanitizer starts a thread of its own along with the first. */
    assert_int_equal(pthread_create(&first, NULL, end_at_once, &tid), 0);
    pthread_join(first, NULL);
    wait_until_gone(tid);
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, 2);
    struct proc_sample before;
    struct proc_sample during;
    assert_int_equal(proc_sample_quick(getpid(), &before, NULL), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_at, &gate), 0);
    pthread_barrier_wait(&gate);
    assert_int_equal(proc_sample_quick(getpid(), &during, NULL), 0);
    pthread_barrier_wait(&gate);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&gate);
    assert_int_equal(during.threads - before.threads, 1);
}

static uint64_t own_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void cpu_time_lies_between_the_process_clock_before_and_after(void **state)
{
    (void)state;
    struct proc_sample s;
    uint64_t before = own_cpu_ns();
    assert_int_equal(proc_sample_quick(getpid(), &s, NULL), 0);
    uint64_t after = own_cpu_ns();
    assert_in_range(s.cpu_ns, before, after);
}

/* A child that waits until it is killed; `name` is its command's name. */
static pid_t child_start(const char *name)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        close(ends[0]);
        if (write(ends[1], "r", 1) == 1)
            pause();
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void a_name_with_blanks_and_parentheses_does_not_shift_the_fields(void **state)
{
    (void)state;
    pid_t plain = child_start("plain");
    pid_t pid = child_start("a) Z 7 (b 9");
    uint64_t threads = full(plain).threads;
    struct proc_sample s = full(pid);
    kill(plain, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(plain, NULL, 0);
    waitpid(pid, NULL, 0);
    assert_int_equal(s.threads, threads);
    assert_true(s.rss_bytes > 0);
    assert_true(s.open_files >= 3);
}

static void compute_for(clock_t ticks)
{
    while (clock() < ticks)
        ;
}

static void what_its_ended_children_used_stays_known(void **state)
{
    (void)state;
    uint64_t before, after;
    assert_int_equal(proc_ended_cpu_read(getpid(), &before, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            compute_for(CLOCKS_PER_SEC / 10);
            _exit(0);
        }
        _exit(waitpid(grandchild, NULL, 0) != grandchild);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(proc_ended_cpu_read(getpid(), &after, NULL), 0);
    assert_true(after - before >= 80000000);
    assert_int_equal(proc_ended_cpu_read(child, &after, NULL), -1);
}

static void an_ended_process_is_named_in_the_sentence(void **state)
{
    (void)state;
    struct proc_sample s = {.threads = 77};
    struct proc_rollup r;
    struct err e;
    pid_t pid = child_start("short");
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_sample_quick(pid, &s, &e), -1);
    assert_non_null(strstr(e.text, "has ended"));

    waitpid(pid, NULL, 0);
    assert_int_equal(proc_sample_quick(pid, &s, &e), -1);
    assert_non_null(strstr(e.text, "is gone"));
    assert_int_equal(proc_sample_full(pid, &s, &e), -1);
    assert_int_equal(proc_rollup_read(pid, &r, &e), -1);
    assert_non_null(strstr(e.text, "is gone"));
    assert_int_equal(s.threads, 77);
}

static struct proc_wanted wanted(pid_t pid)
{
    struct proc_wanted w;
    struct err e;
    if (proc_wanted_read(pid, &w, &e) != 0)
        fail_msg("%s", e.text);
    return w;
}

/* Whether it is on a processor or waits for one. */
static void what_computes_wants_a_processor_now(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            ;
    }
    struct proc_wanted first = wanted(pid), last = first;
    while (first.now && last.now && last.ns < first.ns + 10000000)
        last = wanted(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(first.now && last.now);
}

static void what_sleeps_wants_nothing_and_has_all_of_it_counted(void **state)
{
    (void)state;
    pid_t pid = child_start("idle) R");
    while (wanted(pid).now)
        sched_yield(); /* it is about to sleep */
    struct proc_wanted first = wanted(pid), last = wanted(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(first.now || last.now);
    assert_true(first.ns > 0);
    assert_int_equal(first.ns, last.ns);
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    while (pause() < 0)
        ;
    return NULL;
}

/* A child whose first thread has ended, and if `others` not the only one. */
static pid_t child_without_its_first_thread(bool others)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        if (others && pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
            _exit(1);
        syscall(SYS_exit, 0);
    }
    return pid;
}

static void wait_until_it_is_shown_as_a_zombie(pid_t pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    while (!strstr(line, ") Z ")) {
        FILE *f = fopen(path, "re");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof line, f));
        fclose(f);
        usleep(1000);
    }
}

static void a_process_lives_until_its_last_thread_has_ended(void **state)
{
    (void)state;
    struct process p;
    pid_t lives = child_without_its_first_thread(true);
    pid_t ended = child_without_its_first_thread(false);
    wait_until_it_is_shown_as_a_zombie(lives);
    wait_until_it_is_shown_as_a_zombie(ended);
    bool first = process_read(lives, &p), second = process_read(ended, &p);
    kill(lives, SIGKILL);
    waitpid(lives, NULL, 0);
    waitpid(ended, NULL, 0);
    assert_true(first);
    assert_false(second);
    assert_false(process_read(lives, &p));
}

static void a_process_without_its_first_thread_has_all_its_figures(void **state)
{
    (void)state;
    pid_t pid = child_without_its_first_thread(true);
    char path[512], *maps = NULL;
    struct proc_rollup rollup;
    struct proc_sample quick, s;
    wait_until_it_is_shown_as_a_zombie(pid);
    int codes = proc_sample_full(pid, &s, NULL) | proc_rollup_read(pid, &rollup, NULL) |
                maps_read(pid, 1 << 20, &maps, NULL) |
                proc_mapped_path(pid, "libcmocka", path, sizeof path, NULL) |
                proc_sample_quick(pid, &quick, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(codes, 0);
    assert_int_equal(s.threads, 2); /* the kernel counts the first one until all have gone */
    assert_true(s.rss_bytes > 100000 && s.rss_anon_bytes > 10000);
    assert_true(quick.rss_bytes > 100000);
    assert_true(s.open_files >= 3 && s.descriptors >= 3);
    assert_true(rollup.pss_bytes > 0);
    assert_non_null(strstr(maps, "libcmocka"));
    free(maps);
}

static void a_mapped_library_is_found_by_the_start_of_its_name(void **state)
{
    (void)state;
    char path[512];
    struct err e;
    assert_int_equal(proc_mapped_path(getpid(), "libcmocka", path, sizeof path, &e), 0);
    assert_int_equal(path[0], '/');
    assert_non_null(strstr(path, "/libcmocka"));
    assert_int_equal(access(path, R_OK), 0);
}

static void what_is_not_mapped_or_does_not_fit_leaves_the_buffer_alone(void **state)
{
    (void)state;
    char path[8] = "before";
    struct err e;
    assert_int_equal(proc_mapped_path(getpid(), "libnone.so", path, sizeof path, &e), -1);
    assert_non_null(strstr(e.text, "libnone.so"));
    assert_int_equal(proc_mapped_path(getpid(), "libcmocka", path, sizeof path, &e), -1);
    assert_non_null(strstr(e.text, "too long"));
    assert_string_equal(path, "before");
}

static void the_machine_has_a_name_and_processors(void **state)
{
    (void)state;
    char name[128];
    int cpus = 0;
    proc_machine(name, sizeof name, &cpus);
    assert_int_equal(strncmp(name, "Linux ", 6), 0);
    assert_true(cpus >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_touched_is_seen),
        cmocka_unit_test(open_files_are_counted_one_by_one),
        cmocka_unit_test(threads_are_counted),
        cmocka_unit_test(cpu_time_lies_between_the_process_clock_before_and_after),
        cmocka_unit_test(a_name_with_blanks_and_parentheses_does_not_shift_the_fields),
        cmocka_unit_test(what_its_ended_children_used_stays_known),
        cmocka_unit_test(an_ended_process_is_named_in_the_sentence),
        cmocka_unit_test(what_computes_wants_a_processor_now),
        cmocka_unit_test(what_sleeps_wants_nothing_and_has_all_of_it_counted),
        cmocka_unit_test(a_process_lives_until_its_last_thread_has_ended),
        cmocka_unit_test(a_process_without_its_first_thread_has_all_its_figures),
        cmocka_unit_test(a_mapped_library_is_found_by_the_start_of_its_name),
        cmocka_unit_test(what_is_not_mapped_or_does_not_fit_leaves_the_buffer_alone),
        cmocka_unit_test(the_machine_has_a_name_and_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
