/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases of preload-case share. */
#ifndef SOAK_TESTS_PRELOAD_CASE_H
#define SOAK_TESTS_PRELOAD_CASE_H

#include <stddef.h>
#include <sys/types.h>

#define FILE_NAME "case.c"

/* Prints `step NUMBER` and waits for a line. */
void step_saying(long number);
void step(void);

/* A block through OpenSSL, as if at that line of FILE_NAME, and its end. */
void *make(size_t size, int line);
void drop(void *block);

/* 0 when the child ended well. */
int wait_for(pid_t pid);

/* Cases return the program's exit code. */
int case_chained(void);
int case_shared(void);
int case_signals(void);
int case_objects(void);
int case_connections(void);
int case_operations(void);
int case_published(void);
int case_confined(void);
int case_locked(void);
int case_sandboxed(void);

#endif
