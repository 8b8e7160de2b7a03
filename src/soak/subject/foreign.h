/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that soak doesn't build, as a subject: started with the probe preloaded below a guard
 * (guard_spawn_all), with its log bounded and its readiness found by connecting. It has no control
 * socket: its words (drained, flushed) are said for it at once, and whether it is quiet is seen in
 * its page.
 *
 * Everything here belongs to the floor of subjects; others use struct subject_ops.
 */
#ifndef SOAK_FOREIGN_H
#define SOAK_FOREIGN_H

#include "base/scratch.h"
#include "bounded_log.h"
#include "measure/process_tree.h"
#include "page/process.h"
#include "scenario/placeholders.h"
#include "subject.h"

#include <limits.h>

/* The files that a program is given: PEM, in the folder of the run. */
struct foreign_files {
    char work[PATH_MAX]; /* "" until it is made */
    char cert[PATH_MAX], key[PATH_MAX], pem[PATH_MAX], ca[PATH_MAX];
    struct cleaner cleaner; /* of these */
};

/* A process that has a row, and what it had allocated when it was last looked at. */
struct foreign_known {
    pid_t pid;
    uint64_t allocs;
};

struct foreign {
    struct subject *subject; /* borrowed */
    struct foreign_files files;
    char address[ADDRESS_TEXT], port[8], pid[16], count[24];
    struct placeholders values; /* of the above */
    struct words command;
    int stop_signal;

    pid_t main_pid;  /* 0: not known */
    bool main_ended; /* what it has started may go on: a daemon */
    bool ready;
    bool told;              /* to stop */
    uint64_t runs;          /* of --loop, begun so far */
    struct foreign_end end; /* of the program itself, once main_ended */
    uint64_t started_ns, told_ns;
    uint64_t looked_ns;        /* at its processes */
    uint64_t cpu_ns;           /* that they had used when they were last measured */
    struct process_tree *last; /* at the last checkpoint; owned, NULL before */
    char left_out[160];        /* foreign_left_out; "" */
    char wanted[400];          /* foreign_wanted_instead */
    pid_t strayed;             /* at the last checkpoint: counted, and without the page; or 0 */
    size_t known_count;
    struct foreign_known known[PAGE_PROCESSES];

    uv_timer_t timer; /* tries to connect, later ends what doesn't stop */
    uv_tcp_t tcp;     /* the attempt under way */
    bool trying;
    uv_connect_t connect;
    uv_pipe_t output;
    struct bounded_log log;
};

/* Makes the folder and what of the files `commands` (NULL-ended) use. Returns 0 or -1. */
int foreign_files_make(struct foreign_files *f, const struct subject *s,
                       const struct scenario *scenario, struct err *e);
/* Removes the keys and certificates, and the folder when nothing else is in it. */
void foreign_files_remove(struct foreign_files *f);

/* Whether the files of --template can be read. Returns 0 or -1. */
int foreign_templates_check(const struct scenario *s, const char *here, struct err *e);
/* Copies them to the folder, with the placeholders filled in. Returns 0 or -1. */
int foreign_templates_fill(const struct foreign *f, const struct scenario *s, struct err *e);

/* Whether --processes has all of them judged together. */
bool foreign_judges_all(const struct foreign *f);
/* All of its processes: those below the guard. */
void foreign_family(const struct foreign *f, struct process_tree *ret);
/* Which of them is the program itself: main_pid and {pid}. */
void foreign_find_main(struct foreign *f);
/* Which of them stands for all, with its addresses and libraries: the child's pid. */
void foreign_find_counted(struct foreign *f);
/* Tries to connect, and says `ready` once that succeeds; or that the time is over. */
void foreign_ready_poll(struct foreign *f, uint64_t now);
void foreign_ready_stop(struct foreign *f);
/* It is ready: `how` says by what. */
void foreign_is_ready(struct foreign *f, const char *how);

/* Three of its operations. */
int foreign_snapshot(const struct subject *s, struct snapshot *ret, struct err *e);
int foreign_measure(const struct subject *s, struct proc_sample *ret,
                    struct proc_rollup *ret_rollup, struct err *e);
struct proc_wanted foreign_wanted(const struct subject *s);

/* Whether nothing of it is counted, as its page has no process with an active mode; writes why, in
 * a sentence that ends the run. */
bool foreign_blind(const struct subject *s, char *buf, size_t size);
/* Why a process has no active mode, after its name: `is linked statically, ...`. */
const char *foreign_why_uncounted(const struct foreign *f, const struct snapshot_process *row,
                                  size_t rows, pid_t pid);
/* Whether each process whose figures count still has the page mapped. One that has just executed
 * another program may not have it yet, so two looks in turn decide. Returns 0, or -1 with a
 * sentence that ends the run. */
int foreign_check(const struct subject *s, struct err *e);

#endif
