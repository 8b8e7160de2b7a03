/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One odd thing that programs do, by name, with OpenSSL's and the C library's allocations before
 * and after it: `odd-program fork`. Prints what came of it; exit 0. Built dynamically and, with
 * ODD_STATIC and without OpenSSL, statically.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef ODD_STATIC
#define CRYPTO_malloc(size, file, line)         malloc(size)
#define CRYPTO_realloc(block, size, file, line) realloc(block, size)
#define CRYPTO_free(block, file, line)          free(block)
#else
#include <openssl/crypto.h>
#endif

enum { ROUNDS = 2000, THREADS = 16, KEPT = 64, NOBODY = 65534, STACK_BYTES = 256 * 1024 };
static const size_t MIB = 1 << 20;

static _Noreturn void fail(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

/* Every function of the family; some blocks live on for a while. */
static void allocate(void)
{
    void *kept[KEPT] = {0};
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t size = 1 + i * 37 % 3000;
        char *block = CRYPTO_malloc(size, "odd.c", 1);
        block = CRYPTO_realloc(block, size + 100, "odd.c", 2);
        memset(block, 1, size + 100);
        CRYPTO_free(kept[i % KEPT], "odd.c", 3);
        kept[i % KEPT] = block;
        void *aligned = NULL;
        if (posix_memalign(&aligned, 64, size) != 0 || (size_t)aligned % 64)
            fail("posix_memalign");
        char *zeroes = calloc(7, size);
        for (size_t j = 0; j < 7 * size; j++) {
            if (zeroes[j])
                fail("calloc");
        }
        zeroes = realloc(zeroes, size * 9);
        free(aligned);
        free(zeroes);
        free(strdup("odd"));
    }
    for (size_t i = 0; i < KEPT; i++)
        CRYPTO_free(kept[i], "odd.c", 4);
}

static void wait_for(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        fail("child");
    printf("child: %d\n", status);
}

/* The child frees what its parent allocated. */
static void odd_fork(void)
{
    void *inherited = CRYPTO_malloc(100, "odd.c", 5);
    void *plain = malloc(200);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        CRYPTO_free(inherited, "odd.c", 6);
        free(plain);
        allocate();
        _exit(7);
    }
    wait_for(pid);
    CRYPTO_free(inherited, "odd.c", 6);
    free(plain);
}

static void odd_vfork(void)
{
    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    wait_for(pid);
}

/* fork without what the C library does about it. */
static void odd_raw_clone(void)
{
    fflush(stdout);
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) {
        allocate();
        _exit(8);
    }
    wait_for(pid);
}

static int on_clone(void *unused)
{
    (void)unused;
    void *block = CRYPTO_malloc(10, "odd.c", 7);
    CRYPTO_free(block, "odd.c", 8);
    _exit(9);
}

static void odd_clone_vm(void)
{
    static _Alignas(16) char stack[STACK_BYTES];
    fflush(stdout);
    wait_for(clone(on_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static void *on_thread(void *unused)
{
    allocate();
    return unused;
}

static void odd_threads(void)
{
    for (int round = 0; round < 8; round++) {
        pthread_t thread[THREADS];
        for (int i = 0; i < THREADS; i++) {
            if (pthread_create(&thread[i], NULL, on_thread, NULL) != 0)
                fail("pthread_create");
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
    }
}

static atomic_bool ended;

static void *until_ended(void *unused)
{
    while (!atomic_load(&ended))
        CRYPTO_free(CRYPTO_malloc(33, "odd.c", 9), "odd.c", 10);
    return unused;
}

/* Another thread is in the middle of an allocation at each fork. */
static void odd_fork_of_threads(void)
{
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, until_ended, NULL);
    fflush(stdout);
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            CRYPTO_free(CRYPTO_malloc(44, "odd.c", 11), "odd.c", 12);
            _exit(0);
        }
        int status;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            fail("fork");
    }
    atomic_store(&ended, true);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}

static atomic_int signals;

static void on_signal(int number)
{
    (void)number;
    void *block = CRYPTO_malloc(55, "odd.c", 13);
    CRYPTO_free(block, "odd.c", 14);
    atomic_fetch_add(&signals, 1);
}

/* The handler allocates, as no handler may; one that interrupts something else than an allocation
 * gets away with it, so the signals come while the program computes. */
static void odd_signals(void)
{
    signal(SIGALRM, on_signal);
    const struct itimerval often = {{0, 1000}, {0, 1000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    while (atomic_load(&signals) < 100)
        ;
    setitimer(ITIMER_REAL, &never, NULL);
}

static void odd_closed(void)
{
    if (syscall(SYS_close_range, 3, ~0U, 0) != 0)
        fail("close_range");
}

static void odd_nproc(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NPROC, &none) != 0)
        fail("setrlimit");
}

static void say_limit(const char *what, __rlimit_resource_t resource)
{
    struct rlimit limit;
    struct rlimit64 same;
    if (getrlimit(resource, &limit) != 0 || getrlimit64(resource, &same) != 0 ||
        same.rlim_cur != limit.rlim_cur || same.rlim_max != limit.rlim_max)
        fail("getrlimit");
    printf("%s: %zd of %zd\n", what, (ssize_t)limit.rlim_cur, (ssize_t)limit.rlim_max);
}

static void say_room(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("%zu MiB: %s\n", bytes / MIB, at == MAP_FAILED ? "none" : "mapped");
    if (at != MAP_FAILED)
        munmap(at, bytes);
}

/* What is left, as the image after an exec finds it too. */
static void odd_room(void)
{
    say_limit("address space", RLIMIT_AS);
    say_limit("private memory", RLIMIT_DATA);
    say_room(300 * MIB);
    say_room(600 * MIB);
}

static void become(const char *name)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "odd-program", name, (char *)NULL);
        _exit(1);
    }
    wait_for(pid);
}

/* 512 MiB by the one call, and 400 by the other. */
static void limit_itself(__rlimit_resource_t resource)
{
    const struct rlimit some = {512 * MIB, 512 * MIB};
    const struct rlimit64 less = {400 * MIB, 512 * MIB};
    struct rlimit64 was;
    say_limit("before", resource);
    if (setrlimit(resource, &some) != 0 || prlimit64(0, resource, &less, &was) != 0)
        fail("setrlimit");
    printf("was: %zd\n", (ssize_t)was.rlim_cur);
    odd_room();
    allocate();
    become("room");
}

static void odd_memory(void)
{
    limit_itself(RLIMIT_AS);
}

static void odd_data(void)
{
    limit_itself(RLIMIT_DATA);
}

static void try_limit(rlim_t soft, rlim_t hard)
{
    int code = setrlimit(RLIMIT_AS, &(struct rlimit){soft, hard});
    printf("%zd of %zd: %s\n", (ssize_t)soft, (ssize_t)hard, code ? strerror(errno) : "set");
    say_limit("now", RLIMIT_AS);
}

/* Who isn't privileged may lower a hard limit, and not raise it again. */
static void odd_hard_limit(void)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        printf("setuid: %s\n", strerror(errno));
    try_limit(RLIM_INFINITY, RLIM_INFINITY);
    try_limit(512 * MIB, RLIM_INFINITY);
    try_limit(512 * MIB, 3072 * MIB);
    try_limit(600 * MIB, 600 * MIB);
    try_limit(700 * MIB, 600 * MIB);
    try_limit(400 * MIB, 601 * MIB);
    try_limit(0, 600 * MIB);
    try_limit(RLIM_INFINITY, RLIM_INFINITY);
    try_limit(500 * MIB, 500 * MIB);
}

static void odd_chroot(void)
{
    if (chroot("/var/empty") != 0 && chroot("/proc/self/fdinfo") != 0)
        printf("chroot: %s\n", strerror(errno));
}

static void odd_setuid(void)
{
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        printf("setuid: %s\n", strerror(errno));
}

static void odd_environment(void)
{
    clearenv();
    odd_fork();
    odd_vfork();
}

/* What memory takes, writing, and the end are let through; any other call kills. */
static void odd_seccomp(void)
{
#define LET(call)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        LET(brk),
        LET(mmap),
        LET(munmap),
        LET(mremap),
        LET(madvise),
        LET(mprotect),
        LET(futex),
        LET(write),
        LET(newfstatat),
        LET(fstat),
        LET(exit),
        LET(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    fflush(stdout);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        fail("seccomp");
}

static void at_exit(void)
{
    allocate();
    printf("at exit\n");
}

static void odd_exit(void)
{
    atexit(at_exit);
}

static void odd_limits_of_malloc(void)
{
    volatile size_t huge = SIZE_MAX - 100;
    void *none[] = {malloc(huge), calloc(huge, 2), realloc(NULL, huge),
                    CRYPTO_malloc(huge, "odd.c", 15), aligned_alloc(64, huge)};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        printf("huge %zu: %s\n", i, none[i] ? "made" : "none");
    void *block = NULL;
    printf("posix_memalign(3): %d\n", posix_memalign(&block, 3, 10));
    void *empty = malloc(0);
    printf("malloc(0): %s\n", empty ? "made" : "none");
    free(realloc(empty, 10));
    free(NULL);
    errno = 77;
    free(malloc(10));
    printf("errno after free: %d\n", errno);
}

static const struct {
    const char *name;
    void (*act)(void);
} odd[] = {
    {"fork", odd_fork},
    {"vfork", odd_vfork},
    {"raw-clone", odd_raw_clone},
    {"clone-vm", odd_clone_vm},
    {"threads", odd_threads},
    {"fork-of-threads", odd_fork_of_threads},
    {"signals", odd_signals},
    {"closed", odd_closed},
    {"nproc", odd_nproc},
    {"memory", odd_memory},
    {"data", odd_data},
    {"room", odd_room},
    {"hard-limit", odd_hard_limit},
    {"chroot", odd_chroot},
    {"setuid", odd_setuid},
    {"environment", odd_environment},
    {"seccomp", odd_seccomp},
    {"exit", odd_exit},
    {"limits", odd_limits_of_malloc},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof odd / sizeof odd[0]; i++) {
        if (strcmp(argv[1], odd[i].name) != 0)
            continue;
        allocate();
        odd[i].act();
        allocate();
        printf("%s: done\n", argv[1]);
        return 0;
    }
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        printf("%s\n", odd[i].name);
    return argc == 1 ? 0 : 2;
}
