/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of preload-case about what a program may no longer do. */
#include "preload_case.h"

#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Gives up all that it can, as servers do: descriptors, the file system, the user, new processes.
 * What it isn't allowed to give up it keeps. */
int case_confined(void)
{
    const struct rlimit none = {0, 0};
    void *block = make(40, 1);
    char folder[] = "/tmp/preload-case-XXXXXX";
    for (int fd = 3; fd < 1000; fd++)
        close(fd);
    int kept = !mkdtemp(folder) || chdir(folder) != 0;
    rmdir(folder);
    kept |= chroot(".") | setgid(65534) | setuid(65534);
    step_saying(kept);
    pid_t pid = fork();
    if (pid == 0) {
        drop(block);
        make(30, 2);
        step_saying(getpid());
        _exit(0);
    }
    int code = wait_for(pid);
    setrlimit(RLIMIT_NPROC, &none);
    setrlimit(RLIMIT_NOFILE, &none);
    make(30, 3);
    drop(block);
    step();
    return code;
}

/* Keeps all of its memory from being swapped, now and later. */
int case_locked(void)
{
    void *before = make(40, 1);
    int code = mlockall(MCL_CURRENT | MCL_FUTURE);
    void *after = make(50, 2);
    step_saying(code);
    drop(before);
    drop(after);
    step();
    return 0;
}

/* What the C library needs for this program, and the kernel's answer to everything else. */
static int sandbox(void)
{
    static const int allowed[] = {SYS_read, SYS_write,  SYS_brk,
                                  SYS_mmap, SYS_munmap, SYS_exit_group};
    enum { COUNT = sizeof allowed / sizeof *allowed };
    struct sock_filter filter[2 * COUNT + 2];
    size_t n = 0;
    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT; i++) {
        filter[n++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) |
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int case_sandboxed(void)
{
    enum { BLOCKS = 200 };
    void *block[BLOCKS];
    step();
    if (sandbox() != 0)
        return 77;
    for (int i = 0; i < BLOCKS; i++)
        block[i] = make((size_t)(1 + i * 3000), 1 + i % 7);
    if (!dlsym(RTLD_DEFAULT, "CRYPTO_malloc"))
        return 78;
    step();
    for (int i = 0; i < BLOCKS; i++)
        drop(block[i]);
    step();
    _exit(0);
}
