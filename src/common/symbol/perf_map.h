/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of machine code that a virtual machine has made, from /tmp/perf-PID.map, the file that
 * perf(1) reads too (tools/perf/Documentation/jit-interface.txt of the kernel):
 *
 *   7f0c8d1a2b00 1c8 name to the end of the line       address and size, hexadecimal
 *
 * A JVM writes it at `jcmd PID Compiler.perfmap`, node with --perf-basic-prof. The file lies where
 * anybody may write, so it is checked line by line, and has the limits below; the newest is kept.
 *
 * Code moves and is thrown away while the process lives. So what one reading has named stays, until
 * a later one, or a later line, names something else there.
 */
#ifndef SOAK_SYMBOL_PERF_MAP_H
#define SOAK_SYMBOL_PERF_MAP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    PERF_MAP_BYTES = 32 << 20,    /* of the file */
    PERF_MAP_ENTRIES = 256 << 10, /* a JVM's code cache of 240 MiB has some 60,000 */
    PERF_MAP_NAME = 512           /* longer names are cut */
};

struct perf_map;

/* NULL when out of memory. */
struct perf_map *perf_map_new(void);
void perf_map_free(struct perf_map *m);

/* Adds the lines of `text`, which has `length` bytes and is changed. Lines that don't read as above
 * are passed over. */
void perf_map_add(struct perf_map *m, char *text, size_t length);

/* Adds the file of the process, as it lies in the file system that the process sees, unless it is
 * the same as at the last reading. Returns 0, also when there is none; -1 with the reason when it
 * isn't read: not a regular file, or neither the process's user's nor root's. */
int perf_map_read(struct perf_map *m, pid_t pid, struct err *e);

/* What stands at `address`; a Java method without its types. Borrowed until more is added; NULL
 * when not known. */
const char *perf_map_find(const struct perf_map *m, uint64_t address);

size_t perf_map_count(const struct perf_map *m);

/* Writes all names as such a file, which read anew gives the same answers. */
void perf_map_write(const struct perf_map *m, FILE *out);

#endif
