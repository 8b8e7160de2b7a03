/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a program that may print without end: its beginning as it comes, then only the latest
 * bytes, which are written when it is finished, with a line of how many were left out between. The
 * file never grows beyond the two and that line. One per program.
 */
#ifndef SOAK_BOUNDED_LOG_H
#define SOAK_BOUNDED_LOG_H

#include <stddef.h>
#include <stdint.h>

enum { BOUNDED_LOG_HEAD = 1 << 20, BOUNDED_LOG_TAIL = 1 << 16 };

struct bounded_log {
    int fd; /* owned; -1: not open */
    uint64_t bytes;
    char tail[BOUNDED_LOG_TAIL]; /* a ring: the byte number n lies at n % BOUNDED_LOG_TAIL */
};

/* Takes the descriptor. */
void bounded_log_open(struct bounded_log *l, int fd);
/* A disk that is full loses them: the run's other files say so. */
void bounded_log_add(struct bounded_log *l, const char *bytes, size_t count);
/* Adds what can be read of `fd` at once, `most` bytes of it: who writes there may never end. */
void bounded_log_drain(struct bounded_log *l, int fd, size_t most);
/* Writes what is kept, and closes. Harmless when it is done already. */
void bounded_log_finish(struct bounded_log *l);

#endif
