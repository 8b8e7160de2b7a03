/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the sandbox. Each returns 0, or -1 with errno set; ENOSYS and EOPNOTSUPP where
 * the kernel is built or started without it. */
#ifndef SOAK_SANDBOX_INTERNAL_H
#define SOAK_SANDBOX_INTERNAL_H

#include "sandbox.h"

#include <sys/syscall.h>

/* The calls that a server is refused, whatever their arguments; a client may have `socket`, `bind`
 * and `connect` in its own way. */
#define REFUSED_LIST(X)                                                                            \
    X(execve) /* programs, and those of others */                                                  \
    X(execveat)                                                                                    \
    X(ptrace)                                                                                      \
    X(process_vm_readv)                                                                            \
    X(process_vm_writev)                                                                           \
    X(kcmp)                                                                                        \
    X(shmat) /* what other processes share by System V's means and POSIX's queues */               \
    X(shmctl)                                                                                      \
    X(semop)                                                                                       \
    X(semtimedop)                                                                                  \
    X(semctl)                                                                                      \
    X(msgsnd)                                                                                      \
    X(msgrcv)                                                                                      \
    X(msgctl)                                                                                      \
    X(mq_open)                                                                                     \
    X(mq_unlink)                                                                                   \
    X(bind) /* the network; the client has another list */                                         \
    X(listen)                                                                                      \
    X(connect)                                                                                     \
    X(socket)                                                                                      \
    X(socketpair) /* half of one sends to any socket in the file system */                         \
    X(mount)      /* what is seen of the machine */                                                \
    X(umount2)                                                                                     \
    X(pivot_root)                                                                                  \
    X(chroot)                                                                                      \
    X(unshare)                                                                                     \
    X(setns)                                                                                       \
    X(name_to_handle_at)                                                                           \
    X(open_by_handle_at)                                                                           \
    X(fanotify_init)                                                                               \
    X(fchmod) /* who may do what with files, which Landlock doesn't look at */                     \
    X(fchmodat)                                                                                    \
    X(fchown)                                                                                      \
    X(fchownat)                                                                                    \
    X(utimensat)                                                                                   \
    X(setxattr)                                                                                    \
    X(lsetxattr)                                                                                   \
    X(fsetxattr)                                                                                   \
    X(removexattr)                                                                                 \
    X(lremovexattr)                                                                                \
    X(fremovexattr)                                                                                \
    X(bpf) /* the kernel */                                                                        \
    X(perf_event_open)                                                                             \
    X(userfaultfd)                                                                                 \
    X(keyctl)                                                                                      \
    X(add_key)                                                                                     \
    X(request_key)                                                                                 \
    X(kexec_load)                                                                                  \
    X(kexec_file_load)                                                                             \
    X(init_module)                                                                                 \
    X(finit_module)                                                                                \
    X(delete_module)                                                                               \
    X(syslog) /* the machine */                                                                    \
    X(reboot)                                                                                      \
    X(swapon)                                                                                      \
    X(swapoff)                                                                                     \
    X(acct)                                                                                        \
    X(quotactl)                                                                                    \
    X(vhangup)                                                                                     \
    X(sethostname)                                                                                 \
    X(setdomainname)                                                                               \
    X(settimeofday)                                                                                \
    X(clock_settime)                                                                               \
    X(clock_adjtime)                                                                               \
    X(adjtimex)

#ifdef __x86_64__
#define REFUSED_X86_LIST(X)                                                                        \
    X(modify_ldt)                                                                                  \
    X(iopl) X(ioperm) X(chmod) X(chown) X(lchown) X(utime) X(utimes) X(futimesat)
#else
#define REFUSED_X86_LIST(X)
#endif

/* Of Linux 5.1 and later: the numbers are the same on all processors, and headers may be older. */
#define REFUSED_NEWER_LIST(X)                                                                      \
    X(io_uring_enter, 426)                                                                         \
    X(io_uring_register, 427)                                                                      \
    X(open_tree, 428)                                                                              \
    X(move_mount, 429)                                                                             \
    X(fsopen, 430)                                                                                 \
    X(fsconfig, 431)                                                                               \
    X(fsmount, 432)                                                                                \
    X(fspick, 433)                                                                                 \
    X(pidfd_getfd, 438)                                                                            \
    X(mount_setattr, 442)                                                                          \
    X(quotactl_fd, 443)                                                                            \
    X(process_mrelease, 448)                                                                       \
    X(fchmodat2, 452)                                                                              \
    X(statmount, 457)                                                                              \
    X(listmount, 458)                                                                              \
    X(setxattrat, 463)                                                                             \
    X(removexattrat, 466)                                                                          \
    X(open_tree_attr, 467)                                                                         \
    X(file_setattr, 469)

struct refused_call {
    int number;
    const char *name;
};

/* All of them, as the initializer of an array of struct refused_call. */
#define REFUSED_CALL(name)               {SYS_##name, #name},
#define REFUSED_NEWER_CALL(name, number) {number, #name},
#define REFUSED_CALLS                                                                              \
    {                                                                                              \
        REFUSED_LIST(REFUSED_CALL)                                                                 \
        REFUSED_X86_LIST(REFUSED_CALL) REFUSED_NEWER_LIST(REFUSED_NEWER_CALL)                      \
    }

int landlock_version(void);
int landlock_enter(const struct sandbox_options *o);

bool seccomp_present(void);
/* io_uring_setup fails with ENOSYS. */
int seccomp_hide_io_uring(void);
/* With it, the signal SIGSYS says which call was refused and ends the process. */
int seccomp_enter(const struct sandbox_options *o);

#endif
