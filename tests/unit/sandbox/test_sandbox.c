/* SPDX-License-Identifier: Apache-2.0 */
/* What a process in the sandbox is refused, and what it can still do: each in a process of its
 * own, which says by its exit code what it met. */
#include "sandbox/sandbox_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/msdos_fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKED = 0, CANT_ENTER = 200, PORTS_SINCE = 4, SIGNALS_SINCE = 6 };
enum { IO_URING_SETUP = 425, CLONE3 = 435 };

static char readable[] = "/tmp/soak-sandbox-XXXXXX";
static int listener = -1, spare = -1, elsewhere = -1, memory = -1, unnamed = -1, abstract = -1,
           in_folder = -1;
static struct sockaddr_in target, other;
static struct sockaddr_un named; /* what `abstract` is bound to */
static socklen_t named_size;
static struct sockaddr_un placed = {.sun_family = AF_UNIX, .sun_path = "/tmp/soak-sandbox-XXXXXX"};
static char said[512]; /* on stderr, by the last of the processes */

/* errno of a call, 0 when it worked: what a body returns. */
static int met(int rc)
{
    return rc < 0 ? errno : WORKED;
}

/* ---- what is tried ---- */

static int execute(void)
{
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};
    return met(execv("/bin/true", argv));
}

static int called; /* a number, for call_it */

static int call_it(void)
{
    return met((int)syscall(called, -1, -1, -1, -1, -1, -1));
}

static int type_at_the_terminal(void)
{
    return met(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int paste_into_the_terminal(void)
{
    char paste[] = {3, 0}; /* TIOCL_PASTESEL */
    return met(ioctl(STDIN_FILENO, TIOCLINUX, paste));
}

static int ask_the_terminal(void)
{
    struct winsize size;
    ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    return WORKED;
}

static int called_with; /* flags, for make_namespace */

static int make_namespace(void)
{
    long pid = syscall(SYS_clone, called_with | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return met((int)pid);
}

static int make_io_uring(void)
{
    return met((int)syscall(IO_URING_SETUP, 1, NULL));
}

static int clone_by_structure(void)
{
    return met((int)syscall(CLONE3, NULL, 0));
}

static int read_passwd(void)
{
    return met(open("/etc/passwd", O_RDONLY));
}

static int read_own(void)
{
    return met(open(readable, O_RDONLY));
}

static int write_own(void)
{
    return met(open(readable, O_WRONLY));
}

static int make_file(void)
{
    return met(open("/tmp/soak-sandbox-made", O_WRONLY | O_CREAT, 0600));
}

static int remove_own(void)
{
    return met(unlink(readable));
}

static int write_memory_file(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    return met(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
}

static int read_maps(void)
{
    char text[8];
    int fd = open("/proc/self/maps", O_RDONLY);
    return met(fd < 0 ? -1 : (int)read(fd, text, sizeof text));
}

static int read_other_memory(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return met(open(path, O_RDONLY));
}

static int find_by_name(void)
{
    return met((int)sendto(unnamed, "x", 1, 0, (struct sockaddr *)&named, named_size));
}

/* As the machine's logger is found, say: no abstract name, so Landlock doesn't look. */
static int find_by_path(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        return met(-1);
    return met((int)sendto(pair[0], "x", 1, 0, (const struct sockaddr *)&placed, sizeof placed));
}

/* Whether executing a program could: EPERM if not. */
static int gain_rights(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : WORKED;
}

static int signal_parent(void)
{
    return met(kill(getppid(), 0));
}

static void *run_thread(void *unused)
{
    free(malloc(1 << 20));
    return unused;
}

static int work(void)
{
    char bytes[16];
    pthread_t thread;
    if (getrandom(bytes, sizeof bytes, 0) < 0 || pthread_create(&thread, NULL, run_thread, NULL))
        return EINVAL;
    pthread_join(thread, NULL);
    int why = met(accept(listener, NULL, NULL));
    return why == EAGAIN ? WORKED : why;
}

static int open_socket(int family, int type, int protocol)
{
    return met(socket(family, type, protocol));
}

static int open_tcp(void)
{
    return open_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_tcp6(void)
{
    int why = open_socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    return why == EAFNOSUPPORT ? WORKED : why;
}

static int open_udp(void)
{
    return open_socket(AF_INET, SOCK_DGRAM, 0);
}

static int open_unix(void)
{
    return open_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_pair(void)
{
    int pair[2];
    return met(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static int open_netlink(void)
{
    return open_socket(AF_NETLINK, SOCK_RAW, 0);
}

static int open_mptcp(void)
{
    return open_socket(AF_INET, SOCK_STREAM, 262);
}

static int connect_to(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010203)};
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        return met(-1);
    return met(connect(fd, (const struct sockaddr *)to, sizeof *to));
}

static int connect_target(void)
{
    return connect_to(&target);
}

static int connect_other(void)
{
    return connect_to(&other);
}

/* What listens connects again once it is shut down: no socket() has to be called for it. */
static int connect_fast(void)
{
    shutdown(spare, SHUT_RD);
    return met((int)sendto(spare, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&other, sizeof other));
}

static int connect_fast_by_message(void)
{
    struct msghdr message = {.msg_name = &other, .msg_namelen = sizeof other};
    shutdown(spare, SHUT_RD);
    return met((int)sendmsg(spare, &message, MSG_FASTOPEN));
}

static int connect_fast_by_messages(void)
{
    struct mmsghdr message = {.msg_hdr = {.msg_name = &other, .msg_namelen = sizeof other}};
    shutdown(spare, SHUT_RD);
    return met(sendmmsg(spare, &message, 1, MSG_FASTOPEN));
}

static int limit_parent(void)
{
    const struct rlimit64 none = {.rlim_cur = RLIM64_INFINITY, .rlim_max = RLIM64_INFINITY};
    return met(prlimit64(getppid(), RLIMIT_FSIZE, &none, NULL));
}

static int limit_itself(void)
{
    struct rlimit64 is;
    return met(prlimit64(0, RLIMIT_FSIZE, NULL, &is));
}

static int give_away(void)
{
    return met(chmod(readable, 0644));
}

static unsigned long changed_by; /* a request of ioctl, for change_open */

/* Of a file that was open before: its log, say. */
static int change_open(void)
{
    unsigned char none[256] = {0}; /* more than any of the requests takes */
    return met(ioctl(memory, changed_by, none));
}

static int ask_open(void)
{
    int flags;
    ioctl(memory, FS_IOC_GETFLAGS, &flags);
    return WORKED;
}

static int bind_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(1025)};
    return met(bind(fd, (struct sockaddr *)&at, sizeof at));
}

/* ---- each in its process ---- */

static int listen_anywhere(struct sockaddr_in *at)
{
    socklen_t size = sizeof *at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
    return fd;
}

static int as_program(bool client, int (*body)(void))
{
    const char *const files[] = {NULL, readable};
    const struct sandbox_options o = {.name = client ? "soak-client" : "soak-server",
                                      .connects = client,
                                      .port = ntohs(target.sin_port),
                                      .readable = files,
                                      .readables = 2};
    struct err e;
    return sandbox_enter(&o, &e) == 0 ? body() : CANT_ENTER;
}

/* The exit code, or minus the signal. */
static int run(bool client, int (*body)(void))
{
    int end[2], status;
    struct sockaddr_in anywhere;
    assert_int_equal(pipe(end), 0);
    spare = listen_anywhere(&anywhere);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], STDERR_FILENO);
        signal(SIGSYS, SIG_DFL); /* cmocka's would be called */
        _exit(as_program(client, body));
    }
    close(end[1]);
    close(spare);
    ssize_t n = read(end[0], said, sizeof said - 1), more = n;
    while (more > 0 && (more = read(end[0], said + n, sizeof said - 1 - (size_t)n)) > 0)
        n += more;
    said[n > 0 ? n : 0] = '\0';
    close(end[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

enum half { SECCOMP, LANDLOCK, PORTS, SIGNALS, NONE };

/* Whether this build or kernel can't have it, and a sentence that says so. */
static bool lacks(enum half needs)
{
    struct sandbox_means can = sandbox_can();
    const int since[] = {[LANDLOCK] = 1, [PORTS] = PORTS_SINCE, [SIGNALS] = SIGNALS_SINCE};
    const char *why = sandbox_out_of_place();
    if (!why && needs == SECCOMP && !can.seccomp)
        why = "this kernel has no seccomp";
    if (!why && needs != SECCOMP && needs != NONE && can.landlock < since[needs])
        why = "this kernel's Landlock is too old, or there is none";
    if (why)
        print_message("skipped: %s\n", why);
    return why != NULL;
}

struct attempt {
    enum half needs;
    int (*body)(void);
    int server, client; /* errno, or minus the signal */
};

#define REFUSED (-SIGSYS)

/* A case of which a part can't be tried here is skipped, once the others are as they should be. */
static void check(const struct attempt *a, size_t count)
{
    bool lacking = false;
    for (size_t i = 0; i < count; i++) {
        if (lacks(a[i].needs)) {
            lacking = true;
            continue;
        }
        print_message("attempt %zu\n", i);
        assert_int_equal(run(false, a[i].body), a[i].server);
        assert_int_equal(run(true, a[i].body), a[i].client);
    }
    if (lacking)
        skip();
}

static void nothing_is_executed(void **state)
{
    (void)state;
    static const struct attempt a[] = {{SECCOMP, execute, REFUSED, REFUSED},
                                       {NONE, gain_rights, EPERM, EPERM}};
    check(a, sizeof a / sizeof a[0]);
    assert_int_equal(run(false, execute), REFUSED);
    assert_string_equal(said, "soak-server: the sandbox refuses the system call execve; "
                              "--no-sandbox allows it\n");
}

/* With what follows by its means: each of the list, by number, and named in the sentence. */
static void each_call_of_the_list_is_refused(void **state)
{
    (void)state;
    static const struct refused_call call[] = REFUSED_CALLS;
    char sentence[128];
    if (lacks(SECCOMP))
        skip();
    for (size_t i = 0; i < sizeof call / sizeof call[0]; i++) {
        print_message("%s\n", call[i].name);
        called = call[i].number;
        assert_int_equal(run(false, call_it), REFUSED);
        snprintf(sentence, sizeof sentence, "refuses the system call %s;", call[i].name);
        assert_non_null(strstr(said, sentence));
        bool own = called == SYS_socket || called == SYS_bind || called == SYS_connect;
        assert_true(own || run(true, call_it) == REFUSED);
    }
}

/* The list once more, by what docs/reference/security.md names, so that none is taken off it. */
static const char promised[] =
    "execve execveat ptrace process_vm_readv process_vm_writev kcmp userfaultfd "
    "shmat shmctl semop semtimedop semctl msgsnd msgrcv msgctl mq_open mq_unlink "
    "mount umount2 pivot_root chroot unshare setns init_module finit_module delete_module "
    "kexec_load kexec_file_load bpf perf_event_open keyctl add_key request_key "
    "settimeofday clock_settime clock_adjtime adjtimex "
    "socket socketpair bind listen connect name_to_handle_at open_by_handle_at fanotify_init "
    "fchmod fchmodat fchown fchownat utimensat "
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr "
    "syslog reboot swapon swapoff acct quotactl vhangup sethostname setdomainname "
#ifdef __x86_64__
    "chmod chown lchown utime utimes futimesat modify_ldt iopl ioperm"
#endif
    ;
/* And those of Linux 5.1 and later: the numbers that a program calls them by. */
static const int promised_newer[] = {426, 427, 428, 429, 430, 431, 432, 433, 438, 442,
                                     443, 448, 452, 457, 458, 463, 466, 467, 469};

static bool is_listed(int number, const char *name, size_t length)
{
    static const struct refused_call call[] = REFUSED_CALLS;
    for (size_t i = 0; i < sizeof call / sizeof call[0]; i++)
        if (call[i].number == number ||
            (strlen(call[i].name) == length && memcmp(call[i].name, name, length) == 0))
            return true;
    return false;
}

static void no_call_is_missing_in_the_list(void **state)
{
    (void)state;
    for (size_t n, at = 0; at < strlen(promised); at += n + 1) {
        n = strcspn(promised + at, " ");
        if (!is_listed(-1, promised + at, n))
            fail_msg("%.*s isn't refused", (int)n, promised + at);
    }
    for (size_t i = 0; i < sizeof promised_newer / sizeof promised_newer[0]; i++)
        if (!is_listed(promised_newer[i], "", 0))
            fail_msg("the system call %d isn't refused", promised_newer[i]);
}

static void nothing_is_typed_into_the_terminal(void **state)
{
    (void)state;
    static const struct attempt a[] = {{SECCOMP, type_at_the_terminal, REFUSED, REFUSED},
                                       {SECCOMP, paste_into_the_terminal, REFUSED, REFUSED},
                                       {SECCOMP, ask_the_terminal, WORKED, WORKED}};
    check(a, sizeof a / sizeof a[0]);
}

/* By number above; here with arguments that would do. */
static void no_mode_of_a_file_is_changed(void **state)
{
    (void)state;
    static const struct attempt a[] = {{SECCOMP, give_away, REFUSED, REFUSED}};
    check(a, 1);
}

static void no_attribute_of_an_open_file_is_changed(void **state)
{
    (void)state;
    static const unsigned long request[] = {FS_IOC_SETFLAGS,
                                            FS_IOC32_SETFLAGS,
                                            FS_IOC_FSSETXATTR,
                                            FS_IOC_SETVERSION,
                                            FS_IOC32_SETVERSION,
                                            FS_IOC_ENABLE_VERITY,
                                            FS_IOC_SET_ENCRYPTION_POLICY,
                                            FAT_IOCTL_SET_ATTRIBUTES};
    static const struct attempt a[] = {{SECCOMP, change_open, REFUSED, REFUSED},
                                       {SECCOMP, ask_open, WORKED, WORKED}};
    for (size_t i = 0; i < sizeof request / sizeof request[0]; i++) {
        changed_by = request[i];
        check(a, sizeof a / sizeof a[0]);
    }
}

/* What the loops of libuv meet, which are made before the sandbox is entered. */
static void there_is_no_io_uring_before_the_sandbox_or_in_it(void **state)
{
    (void)state;
    static const struct attempt a[] = {{SECCOMP, make_io_uring, ENOSYS, ENOSYS}};
    struct err e;
    int status;
    check(a, 1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(sandbox_hide_io_uring(&e) == 0 ? make_io_uring() : CANT_ENTER);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ENOSYS);
}

static void no_namespace_is_made(void **state)
{
    (void)state;
    static const int flag[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                               CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    static const struct attempt a[] = {{SECCOMP, make_namespace, REFUSED, REFUSED},
                                       {SECCOMP, clone_by_structure, ENOSYS, ENOSYS}};
    for (size_t i = 0; i < sizeof flag / sizeof flag[0]; i++) {
        called_with = flag[i];
        check(a, sizeof a / sizeof a[0]);
    }
}

static void files_are_those_that_were_named(void **state)
{
    (void)state;
    static const struct attempt a[] = {
        {LANDLOCK, read_passwd, EACCES, EACCES}, {LANDLOCK, read_own, WORKED, WORKED},
        {LANDLOCK, write_own, EACCES, EACCES},   {LANDLOCK, make_file, EACCES, EACCES},
        {LANDLOCK, remove_own, EACCES, EACCES},  {LANDLOCK, write_memory_file, WORKED, WORKED},
        {LANDLOCK, read_maps, WORKED, WORKED},   {LANDLOCK, read_other_memory, EACCES, EACCES},
    };
    check(a, sizeof a / sizeof a[0]);
}

static void other_processes_are_left_alone(void **state)
{
    (void)state;
    static const struct attempt a[] = {{SIGNALS, signal_parent, EPERM, EPERM},
                                       {SIGNALS, find_by_name, EPERM, EPERM},
                                       {SECCOMP, find_by_path, REFUSED, REFUSED},
                                       {SECCOMP, limit_parent, REFUSED, REFUSED},
                                       {SECCOMP, limit_itself, WORKED, WORKED}};
    check(a, sizeof a / sizeof a[0]);
}

static void a_server_opens_no_socket_and_a_client_tcp_alone(void **state)
{
    (void)state;
    static const struct attempt a[] = {
        {SECCOMP, open_tcp, REFUSED, WORKED},
        {SECCOMP, open_tcp6, REFUSED, WORKED},
        {SECCOMP, open_udp, REFUSED, REFUSED},
        {SECCOMP, open_unix, REFUSED, REFUSED},
        {SECCOMP, open_pair, REFUSED, REFUSED},
        {SECCOMP, open_netlink, REFUSED, REFUSED},
        {SECCOMP, open_mptcp, REFUSED, REFUSED},
        {SECCOMP, connect_fast, REFUSED, REFUSED},
        {SECCOMP, connect_fast_by_message, REFUSED, REFUSED},
        {SECCOMP, connect_fast_by_messages, REFUSED, REFUSED},
    };
    check(a, sizeof a / sizeof a[0]);
}

static void a_client_connects_to_its_target_alone(void **state)
{
    (void)state;
    static const struct attempt a[] = {{PORTS, connect_target, REFUSED, WORKED},
                                       {PORTS, connect_other, REFUSED, EACCES},
                                       {PORTS, bind_port, REFUSED, EACCES}};
    check(a, sizeof a / sizeof a[0]);
}

static void what_a_server_does_works(void **state)
{
    (void)state;
    static const struct attempt a[] = {{NONE, work, WORKED, WORKED}};
    check(a, 1);
}

/* ---- the machine ---- */

/* An abstract socket, of a name that the kernel chooses, and one that could send to it. */
static void open_abstract(void)
{
    const struct sockaddr_un any = {.sun_family = AF_UNIX};
    named_size = sizeof named;
    abstract = socket(AF_UNIX, SOCK_DGRAM, 0);
    unnamed = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(abstract, (const struct sockaddr *)&any, sizeof any.sun_family), 0);
    assert_int_equal(getsockname(abstract, (struct sockaddr *)&named, &named_size), 0);
    assert_int_equal(find_by_name(), WORKED);
}

/* One that lies in the file system. */
static void open_placed(void)
{
    close(mkstemp(placed.sun_path));
    unlink(placed.sun_path);
    in_folder = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(in_folder, (const struct sockaddr *)&placed, sizeof placed), 0);
    assert_int_equal(find_by_path(), WORKED);
}

static int set_up(void **state)
{
    (void)state;
    close(mkstemp(readable));
    open_abstract();
    open_placed();
    memory = memfd_create("test", 0);
    elsewhere = listen_anywhere(&other);
    listener = listen_anywhere(&target);
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    close(listener);
    close(elsewhere);
    close(memory);
    close(abstract);
    close(unnamed);
    close(in_folder);
    unlink(placed.sun_path);
    return unlink(readable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_does_works),
        cmocka_unit_test(nothing_is_executed),
        cmocka_unit_test(each_call_of_the_list_is_refused),
        cmocka_unit_test(no_call_is_missing_in_the_list),
        cmocka_unit_test(nothing_is_typed_into_the_terminal),
        cmocka_unit_test(no_mode_of_a_file_is_changed),
        cmocka_unit_test(no_attribute_of_an_open_file_is_changed),
        cmocka_unit_test(there_is_no_io_uring_before_the_sandbox_or_in_it),
        cmocka_unit_test(no_namespace_is_made),
        cmocka_unit_test(files_are_those_that_were_named),
        cmocka_unit_test(other_processes_are_left_alone),
        cmocka_unit_test(a_server_opens_no_socket_and_a_client_tcp_alone),
        cmocka_unit_test(a_client_connects_to_its_target_alone),
    };
    return cmocka_run_group_tests(tests, set_up, take_down);
}
