/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include "base/check.h"
#include "base/ending_signals.h"
#include "base/exit_codes.h"
#include "base/process.h"
#include "control/event_loop.h"
#include "measure/process_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PID_TEXT = 16, CONTROL_FD = 3, BELOW_MAX = 4096, AGAIN_MS = 10 };

/* Tells the guard of a family to end it. */
#define KILL_ALL SIGUSR1

/* The words before those of the program: which of the three, and whose child it is. */
static const char under_word[] = "--under", guard_word[] = "--guard", all_word[] = "--guard-all";

/* Before each variable of the program's, in the environment of its guard: that is soak's own, as
 * the program's may name libraries that soak can't run on. One without a name is always there. */
static const char guarded[] = "SOAK_GUARDED_";
enum { GUARDED_LENGTH = sizeof guarded - 1 };

/* ---- both sides ---- */

/* Everything below `root`, but what has ended. `group`: only what is in that process group,
 * unless it is 0; a daemon has put itself into another one. Returns how many. */
static size_t kill_below(pid_t root, pid_t group)
{
    static struct process_tree tree;
    size_t count = 0;
    process_tree_read(&tree, root);
    for (size_t i = 0; i < tree.count; i++) {
        pid_t pid = tree.process[i].pid;
        if (!group || getpgid(pid) == group)
            count += kill(pid, SIGKILL) == 0;
    }
    return count;
}

/* ---- the side of soak ---- */

static size_t count_of(char *const *variables)
{
    size_t count = 0;
    while (variables[count])
        count++;
    return count;
}

/* soak's own environment with the program's in it. The array and what begins with `guarded` are for
 * free_wrapped. */
static char **wrap(char *const *environment)
{
    size_t own = count_of(environ), used = own;
    char **all = calloc(own + count_of(environment) + 2, sizeof *all);
    CHECK(all);
    memcpy(all, environ, own * sizeof *all);
    CHECK(asprintf(&all[used++], "%s", guarded) > 0);
    for (; *environment; environment++)
        CHECK(asprintf(&all[used++], "%s%s", guarded, *environment) > 0);
    return all;
}

static void free_wrapped(char **all)
{
    for (size_t i = count_of(environ); all[i]; i++)
        free(all[i]);
    free(all);
}

/* `path` NULL: of soak itself. */
static int spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options,
                 const char *word, const char *path)
{
    char parent[PID_TEXT];
    size_t count = 0, words = 0;
    while (options->args[words])
        words++;
    const char **argv = calloc(words + 5, sizeof *argv);
    CHECK(argv);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    argv[count++] = "soak";
    argv[count++] = word;
    argv[count++] = parent;
    if (path)
        argv[count++] = path;
    for (size_t i = path ? 0 : 1; i < words; i++)
        argv[count++] = options->args[i];
    uv_process_options_t changed = *options;
    changed.file = "/proc/self/exe";
    changed.args = (char **)(uintptr_t)argv;
    if (path)
        changed.flags |= UV_PROCESS_DETACHED;
    if (path && options->env)
        changed.env = wrap(options->env);
    int rc = uv_spawn(loop, process, &changed);
    if (changed.env != options->env)
        free_wrapped(changed.env);
    free(argv);
    return rc;
}

static int spawn_guarded(uv_loop_t *loop, uv_process_t *process,
                         const uv_process_options_t *options, const char *word)
{
    char path[PATH_MAX];
    if (process_find(options->file, path, sizeof path, NULL) != 0)
        return uv_spawn(loop, process, options); /* libuv has the right code for it */
    return spawn(loop, process, options, word, path);
}

int guard_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    return spawn_guarded(loop, process, options, guard_word);
}

int guard_spawn_all(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    return spawn_guarded(loop, process, options, all_word);
}

int guard_spawn_self(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options)
{
    return spawn(loop, process, options, under_word, NULL);
}

void guard_kill(const uv_process_t *process, int signal_number)
{
    kill(-process->pid, signal_number);
}

void guard_kill_all(const uv_process_t *process)
{
    kill(process->pid, KILL_ALL);
    kill(process->pid, SIGCONT); /* the program may have stopped it: it has the same rights */
}

void guard_end_all(const uv_process_t *process)
{
    kill_below(process->pid, 0);
    guard_kill(process, SIGKILL);
}

struct job {
    uv_process_t process;
    uv_timer_t timer;
    struct guard_end *end;
};

static void on_exit_process(uv_process_t *process, int64_t status, int signal_number)
{
    struct job *j = process->data;
    *j->end = (struct guard_end){.status = status, .signal_number = signal_number};
    uv_close((uv_handle_t *)process, NULL);
    uv_close((uv_handle_t *)&j->timer, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct job *j = timer->data;
    guard_kill(&j->process, SIGKILL);
}

int guard_run(const struct guard_job *what, struct guard_end *ret)
{
    uv_loop_t loop;
    struct job j = {.end = ret};
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = what->out_fd},
                                    {.flags = UV_INHERIT_FD, .data.fd = what->out_fd}};
    uv_process_options_t options = {.file = what->argv[0],
                                    .args = what->argv,
                                    .env = what->environment,
                                    .exit_cb = on_exit_process,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    int rc = event_loop_open(&loop, EVENT_LOOP_FEW, NULL);
    if (rc < 0)
        return rc;
    CHECK(uv_timer_init(&loop, &j.timer) == 0);
    j.process.data = j.timer.data = &j;
    rc = guard_spawn(&loop, &j.process, &options);
    if (rc != 0)
        on_exit_process(&j.process, -1, 0);
    else if (what->limit_ms)
        CHECK(uv_timer_start(&j.timer, on_timer, what->limit_ms, 0) == 0);
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&loop) == 0);
    return rc;
}

/* ---- the side of the guard ---- */

/* The program's environment, where there is one beside soak's. */
static void unwrap(void)
{
    size_t used = 0;
    bool any = false;
    for (char **from = environ; *from; from++)
        any |= strcmp(*from, guarded) == 0;
    for (char **from = environ; any && *from; from++)
        if (strncmp(*from, guarded, GUARDED_LENGTH) == 0 && (*from)[GUARDED_LENGTH])
            environ[used++] = *from + GUARDED_LENGTH;
    if (any)
        environ[used] = NULL;
}

static _Noreturn void become(const char *path, char **argv, pid_t guard, const sigset_t *before)
{
    process_follow(guard);
    unwrap();
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, before, NULL);
    execvp(path, argv); /* a script without a first line is the shell's, as with uv_spawn */
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_CANNOT_START);
}

static _Noreturn void end_as(int status)
{
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    sigset_t others; /* one that was sent to end the program may still be pending */
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); /* one core is enough */
    sigfillset(&others);
    sigdelset(&others, WTERMSIG(status));
    signal(WTERMSIG(status), SIG_DFL);
    sigprocmask(SIG_SETMASK, &others, NULL);
    raise(WTERMSIG(status));
    _exit(EXIT_CANNOT_START);
}

/* Starts the program: `argv` has its path, then its words. `*set` is what wakes its guard: all
 * signals, as any may be sent to the group, and none may end it. Returns its pid, or -1. */
static pid_t begin(pid_t parent, char **argv, sigset_t *set)
{
    sigset_t before;
    prctl(PR_SET_NAME, "soak-guard"); /* "exe" would tell nobody anything */
    sigfillset(set);
    sigprocmask(SIG_BLOCK, set, &before);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    pid_t self = getpid(), program = getppid() == parent ? fork() : -1;
    if (program == 0)
        become(argv[0], argv + 1, self, &before);
    return program;
}

/* What the program has left running in the background goes with it. */
static void end_group(void)
{
    enum { TRIES = 1000 };
    const struct timespec again = {.tv_nsec = AGAIN_MS * 1000000L};
    for (int i = 0; i < TRIES && kill_below(getpid(), getpgrp()); i++)
        nanosleep(&again, NULL);
}

static _Noreturn void guard(pid_t parent, char **argv)
{
    sigset_t set;
    int status;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that what its parent has left stays below */
    pid_t program = begin(parent, argv, &set), pid;
    while (program > 0 && getppid() == parent) {
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0 && pid != program)
            ;
        if (pid == program) {
            end_group();
            end_as(status);
        }
        sigwaitinfo(&set, NULL);
    }
    kill(0, SIGKILL);
    _exit(EXIT_CANNOT_START);
}

/* Takes over what has ended. Returns whether anything is left below. `*status` is the program's. */
static bool reap(pid_t program, int *status)
{
    int one;
    pid_t pid;
    while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
        if (pid != program)
            continue;
        *status = one;
        dprintf(CONTROL_FD, "ended status=%d signal=%d\n", WIFEXITED(one) ? WEXITSTATUS(one) : 0,
                WIFSIGNALED(one) ? WTERMSIG(one) : 0);
    }
    return pid == 0;
}

/* The guard of a family: what the program has started is this process's once its parent has ended,
 * whatever session it has put itself into. */
static _Noreturn void guard_all(pid_t parent, char **argv)
{
    sigset_t set;
    int status = EXIT_CANNOT_START << 8;
    bool killing = false;
    const struct timespec again = {.tv_nsec = AGAIN_MS * 1000000L};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
    pid_t program = begin(parent, argv, &set);
    dprintf(CONTROL_FD, "started pid=%d\n", (int)program);
    while (reap(program, &status)) {
        killing |= getppid() != parent;
        if (killing)
            kill_below(getpid(), 0);
        siginfo_t from;
        killing |= sigtimedwait(&set, &from, killing ? &again : NULL) == KILL_ALL &&
                   from.si_pid == parent; /* others mean the program */
    }
    end_as(status);
}

void guard_begin(int *argc, char ***argv)
{
    char **words = *argv;
    bool all = *argc > 4 && strcmp(words[1], all_word) == 0;
    bool guards = all || (*argc > 4 && strcmp(words[1], guard_word) == 0);
    if (!guards && !(*argc > 2 && strcmp(words[1], under_word) == 0))
        return;
    pid_t parent = (pid_t)strtol(words[2], NULL, 10);
    if (all && getpgrp() == getpid())
        guard_all(parent, words + 3);
    if (guards && getpgrp() == getpid())
        guard(parent, words + 3);
    if (guards)
        return; /* typed by hand: no such option */
    process_follow(parent);
    prctl(PR_SET_NAME, "soak");
    words[2] = words[0];
    *argv = words + 2;
    *argc -= 2;
}

/* ---- signals ---- */

/* How many are started: those of a run, and of a program that it waits for. */
static size_t started;
/* Whether soak was asked to end. */
static bool told;

static void on_signal(uv_signal_t *handle, int number)
{
    struct interrupts *i = handle->data;
    told = true;
    i->fn(i->owner, number);
}

void interrupts_start(struct interrupts *i, uv_loop_t *loop, interrupt_fn fn, void *owner)
{
    i->fn = fn;
    i->owner = owner;
    for (int n = 0; n < ENDING_SIGNALS; n++) {
        CHECK(uv_signal_init(loop, &i->handle[n]) == 0);
        i->handle[n].data = i;
        if (!ending_signal_is_ignored(ending_signal[n]))
            CHECK(uv_signal_start(&i->handle[n], on_signal, ending_signal[n]) == 0);
    }
    started++;
    ending_signals_release();
}

void interrupts_unref(struct interrupts *i)
{
    for (int n = 0; n < ENDING_SIGNALS; n++)
        uv_unref((uv_handle_t *)&i->handle[n]);
}

void handle_close(void *handle)
{
    uv_handle_t *h = handle;
    if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h))
        uv_close(h, NULL);
}

void handle_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    static char bytes[65536];
    (void)handle;
    (void)suggested;
    *ret = uv_buf_init(bytes, sizeof bytes);
}

/* libuv gives a signal its default action back when its last handle is closed. */
void interrupts_stop(struct interrupts *i)
{
    if (i->fn && --started == 0 && told)
        ending_signals_hold();
    i->fn = NULL;
    for (int n = 0; n < ENDING_SIGNALS; n++)
        handle_close(&i->handle[n]);
}

void interrupts_stop_and_hold(struct interrupts *i)
{
    ending_signals_hold();
    interrupts_stop(i);
}
