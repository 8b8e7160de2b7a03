/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process owes its neighbours, the same in all four programs: descriptors that nobody else's
 * file can take, limits under which it says a sentence instead of dying, an end when its parent has
 * ended, and where a program that it is to start lies. No threads yet, and no allocation.
 */
#ifndef SOAK_BASE_PROCESS_H
#define SOAK_BASE_PROCESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The first thing that main does. Opens /dev/null as each of the descriptors 0, 1 and 2 that is
 * closed: the next file opened would else become stdout, and be written into. A file that grows
 * beyond the limit (RLIMIT_FSIZE) becomes an error of the write. A limit of the stack that is too
 * small for the program and its threads is raised, and the program executed anew with `argv`; where
 * it can't be raised the process says so and exits with 2. */
void process_begin(char *const *argv);

/* The process dies (SIGKILL) when `parent` does, however that ends; at once when it is gone. */
void process_follow(pid_t parent);

/* The same, when the other end of the socketpair `fd` was made by the parent. Returns 0, or -1 when
 * `fd` is no such thing, and nobody is followed. */
int process_follow_socket(int fd);

/* Whether NAME=VALUE of an environment sets one of these names, which end with NULL. */
bool process_sets_one_of(const char *variable, const char *const *names);

/* How many processors it may run on, at least 1: fewer than the machine has under taskset or in a
 * container that is given some of them. */
int process_processors(void);

/* The path of `program` as execvp would find it: itself if it has a slash, else the first that can
 * be executed in a folder of PATH. Returns 0 or -1 with the reason, `ret` of `size` is written on
 * success. */
int process_find(const char *program, char *ret, size_t size, struct err *e);

/* The folder that this program's own file lies in. Returns 0 or -1. */
int process_own_folder(char *ret, size_t size, struct err *e);

#endif
