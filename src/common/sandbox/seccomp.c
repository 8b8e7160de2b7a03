/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of what is refused, not of what is allowed: the subjects run on OpenSSL, libuv, jemalloc
 * and libc of any version, and what each of them calls is their own affair. The kernel remembers
 * that it allows a call whatever its arguments (since Linux 5.11), so the length of the list costs
 * nothing.
 *
 * Left out on purpose: process_madvise and the pidfd_open that it needs, by which newer versions of
 * jemalloc give their own memory back.
 *
 * The filter is written by hand because libseccomp would have to be there for each libc that the
 * server is built with (src/soak/library/assembly.c).
 */
#include "sandbox_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/msdos_fs.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

static const struct refused_call refused[] = REFUSED_CALLS;
enum { REFUSED = sizeof refused / sizeof refused[0], X32 = 0x40000000 };
/* Requests of ioctl, whatever the descriptor: words that the reader of a terminal, a shell perhaps,
 * would take for typed ones, and a file's attributes. */
static const uint32_t refused_request[] = {TIOCSTI,
                                           TIOCLINUX,
                                           FS_IOC_SETFLAGS,
                                           FS_IOC32_SETFLAGS,
                                           FS_IOC_FSSETXATTR,
                                           FS_IOC_SETVERSION,
                                           FS_IOC32_SETVERSION,
                                           FS_IOC_ENABLE_VERITY,
                                           FS_IOC_SET_ENCRYPTION_POLICY,
                                           FAT_IOCTL_SET_ATTRIBUTES};
enum { REQUESTS = sizeof refused_request / sizeof refused_request[0] };
enum { IO_URING_SETUP = 425, CLONE3 = 435 }; /* on all processors; older headers lack them */

/* ---- the refusal ---- */

static const char *own_name;
static struct sigaction before; /* the probe's, which keeps the call stack */

/* Only what may be called in a handler of signals. A thread that blocks the signal, or code that
 * took the handler away, gets no further: the call is refused all the same. */
static void on_refusal(int number, siginfo_t *info, void *context)
{
    (void)context;
    const char *call = "of another kind";
    for (size_t i = 0; i < REFUSED; i++)
        if (refused[i].number == info->si_syscall)
            call = refused[i].name;
    const char *const part[] = {own_name, ": the sandbox refuses the system call ", call,
                                "; --no-sandbox allows it\n"};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        if (write(STDERR_FILENO, part[i], strlen(part[i])) < 0)
            break;
    sigaction(number, &before, NULL);
    raise(number);
}

/* ---- the filter ---- */

struct filter {
    struct sock_filter code[2 * REFUSED + REQUESTS + 64];
    unsigned short length;
};

struct skip {
    uint8_t if_true, if_false;
};

static void add(struct filter *f, uint16_t code, uint32_t operand)
{
    f->code[f->length++] = (struct sock_filter)BPF_STMT(code, operand);
}

/* Leaves out so many of the next, as the word compares with the operand or doesn't. */
static void jump(struct filter *f, uint16_t compare, uint32_t operand, struct skip skip)
{
    f->code[f->length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | compare, operand,
                                                        skip.if_true, skip.if_false);
}

static void unless_equal(struct filter *f, uint32_t operand, uint8_t skip)
{
    jump(f, BPF_JEQ, operand, (struct skip){0, skip});
}

static void if_equal(struct filter *f, uint32_t operand, uint8_t skip)
{
    jump(f, BPF_JEQ, operand, (struct skip){skip, 0});
}

static void load(struct filter *f, size_t offset)
{
    add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* The lower half of an argument, on both processors: little-endian. */
static void load_argument(struct filter *f, size_t i)
{
    load(f, offsetof(struct seccomp_data, args) + i * sizeof(uint64_t));
}

static void answer(struct filter *f, uint32_t what)
{
    add(f, BPF_RET | BPF_K, what);
}

/* Another processor's numbers would pass under the names of this one's. */
static void check_processor(struct filter *f)
{
#ifdef OWN_ARCH
    load(f, offsetof(struct seccomp_data, arch));
    if_equal(f, OWN_ARCH, 1);
    answer(f, SECCOMP_RET_KILL_PROCESS);
#endif
    load(f, offsetof(struct seccomp_data, nr));
    jump(f, BPF_JGE, X32, (struct skip){0, 1});
    answer(f, SECCOMP_RET_KILL_PROCESS);
}

static bool is_refused(int call, const struct sandbox_options *o)
{
    return !o->connects || (call != SYS_bind && call != SYS_connect && call != SYS_socket);
}

/* A stream of IPv4 or IPv6 over TCP itself: Landlock's ports don't count for MPTCP and others. */
static void check_socket(struct filter *f)
{
    unless_equal(f, SYS_socket, 13);
    load_argument(f, 0);
    if_equal(f, AF_INET, 2);
    if_equal(f, AF_INET6, 1);
    answer(f, SECCOMP_RET_TRAP);
    load_argument(f, 1);
    add(f, BPF_ALU | BPF_AND | BPF_K, 0xf);
    if_equal(f, SOCK_STREAM, 1);
    answer(f, SECCOMP_RET_TRAP);
    load_argument(f, 2);
    if_equal(f, 0, 2);
    if_equal(f, IPPROTO_TCP, 1);
    answer(f, SECCOMP_RET_TRAP);
    answer(f, SECCOMP_RET_ALLOW);
}

/* Refuses the call when one of the flags is set, which are its i-th argument. */
static void check_flags(struct filter *f, int call, size_t i, uint32_t flags)
{
    unless_equal(f, (uint32_t)call, 4);
    load_argument(f, i);
    jump(f, BPF_JSET, flags, (struct skip){0, 1});
    answer(f, SECCOMP_RET_TRAP);
    answer(f, SECCOMP_RET_ALLOW);
}

/* As on a kernel without the call, so that who has another way takes that. */
static void hide(struct filter *f, uint32_t call)
{
    unless_equal(f, call, 1);
    answer(f, SECCOMP_RET_ERRNO | ENOSYS);
}

/* A new process or thread has no namespace of its own. What clone3 is asked for lies in memory,
 * where a filter can't look: libc goes on with clone. */
static void check_clone(struct filter *f)
{
    check_flags(f, SYS_clone, 0,
                CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                    CLONE_NEWPID | CLONE_NEWNET);
    hide(f, CLONE3);
}

static void check_requests(struct filter *f)
{
    unless_equal(f, SYS_ioctl, REQUESTS + 3);
    load_argument(f, 1);
    for (uint8_t i = 0; i < REQUESTS; i++)
        if_equal(f, refused_request[i], REQUESTS - i);
    answer(f, SECCOMP_RET_ALLOW);
    answer(f, SECCOMP_RET_TRAP);
}

/* Another process's limits: soak's, say, of the files that it writes. */
static void check_limits(struct filter *f)
{
    unless_equal(f, SYS_prlimit64, 4);
    load_argument(f, 0);
    if_equal(f, 0, 1);
    answer(f, SECCOMP_RET_TRAP);
    answer(f, SECCOMP_RET_ALLOW);
}

/* They connect where Landlock doesn't look, and what listened once can be made to. */
static void check_sends(struct filter *f)
{
    check_flags(f, SYS_sendto, 3, MSG_FASTOPEN);
    check_flags(f, SYS_sendmsg, 2, MSG_FASTOPEN);
    check_flags(f, SYS_sendmmsg, 3, MSG_FASTOPEN);
}

static void make(struct filter *f, const struct sandbox_options *o)
{
    check_processor(f);
    for (size_t i = 0; i < REFUSED; i++) {
        if (!is_refused(refused[i].number, o))
            continue;
        unless_equal(f, (uint32_t)refused[i].number, 1);
        answer(f, SECCOMP_RET_TRAP);
    }
    hide(f, IO_URING_SETUP);
    check_clone(f);
    check_requests(f);
    check_limits(f);
    check_sends(f);
    if (o->connects)
        check_socket(f);
    answer(f, SECCOMP_RET_ALLOW);
}

bool seccomp_present(void)
{
    const uint32_t trap = SECCOMP_RET_TRAP;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) == 0;
}

/* Without the flag Linux before 5.16 slows the whole process down against Spectre, and what is
 * measured would be that. */
static int install(struct filter *f)
{
    const struct sock_fprog program = {.len = f->length, .filter = f->code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                        &program);
}

int seccomp_hide_io_uring(void)
{
    struct filter f = {.length = 0};
    check_processor(&f);
    hide(&f, IO_URING_SETUP);
    answer(&f, SECCOMP_RET_ALLOW);
    return install(&f);
}

int seccomp_enter(const struct sandbox_options *o)
{
    struct filter f = {.length = 0};
    make(&f, o);
    own_name = o->name;
    struct sigaction action = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSYS, &action, &before) != 0)
        return -1;
    return install(&f);
}
