/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel says of a process, read from outside through /proc, so that sampling can't
 * disturb the subject. Numbers in bytes and nanoseconds. Each function fails with a sentence when
 * the process is gone. No state, thread-safe.
 */
#ifndef SOAK_MEASURE_PROC_H
#define SOAK_MEASURE_PROC_H

#include <stddef.h>

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_sample {
    uint64_t rss_bytes, rss_anon_bytes; /* /proc/PID/status VmRSS, RssAnon */
    uint64_t processes;                 /* whose sum they are */
    uint64_t threads;
    uint64_t open_files;
    uint64_t descriptors; /* 1 + the highest that is open */
    uint64_t cpu_ns;      /* user + system, all threads: the process clock, to the nanosecond */
};
/* However loaded the machine is. A wait counts in `ns` once it's over: so what wants nothing `now`
 * has all of its own in `ns`. */
struct proc_wanted {
    uint64_t ns; /* what the threads have run, and have waited for a processor to run on */
    bool now;    /* one of them runs, or waits */
};
/* /proc/PID/smaps_rollup, or the sum over smaps: 1-2 ms in a big process, checkpoints only. No
 * verdict needs it. */
struct proc_rollup {
    uint64_t processes; /* whose sum it is; 0: the kernel tells of none, or wasn't asked */
    uint64_t pss_bytes, private_dirty_bytes, anonymous_bytes;
};

/* statm and stat only: a few microseconds. open_files, descriptors and rss_anon_bytes stay
 * 0. */
int proc_sample_quick(pid_t pid, struct proc_sample *ret, struct err *e);
/* All of struct proc_sample. */
int proc_sample_full(pid_t pid, struct proc_sample *ret, struct err *e);
/* What its threads want of the processors. Returns 0, or -1 where the kernel doesn't tell. */
int proc_wanted_read(pid_t pid, struct proc_wanted *ret, struct err *e);
/* The processor's time of those of its children that it has waited for, and of theirs: to the clock
 * tick. Returns 0 or -1. */
int proc_ended_cpu_read(pid_t pid, uint64_t *ret_ns, struct err *e);
int proc_rollup_read(pid_t pid, struct proc_rollup *ret, struct err *e);
/* Adds one process of several. Of descriptors the highest counts: each process has a table of its
 * own by them. */
void proc_add_memory(struct proc_sample *sum, const struct proc_sample *one); /* and cpu_ns */
void proc_add_counts(struct proc_sample *sum, const struct proc_sample *one);
void proc_add_rollup(struct proc_rollup *sum, const struct proc_rollup *one);
/* The path of the first mapping in /proc/PID/maps whose file name starts with `prefix` (such as
 * "libcrypto.so"). Returns 0, or -1 when there is none. */
int proc_mapped_path(pid_t pid, const char *prefix, char *buf, size_t size, struct err *e);

/* The thread whose folder in /proc shows the process's memory and files: of a process whose first
 * thread has ended, another one that lives. `pid` itself where there is none, so that the look
 * fails and says why. */
pid_t proc_asked(pid_t pid);

/* This machine, for manifests: "Linux 6.1.0-21-amd64 x86_64", CPUs online. */
void proc_machine(char *buf, size_t size, int *ret_cpus);

/*
 * A copy of /proc/PID/maps, taken while the process lives, so that its addresses can be given names
 * after it has gone.
 */
/* Reads at most `limit` bytes; what is longer is cut after its last whole line. Returns 0 and the
 * text, which the caller frees, or -1. */
int maps_read(pid_t pid, size_t limit, char **ret_text, struct err *e);

#endif
