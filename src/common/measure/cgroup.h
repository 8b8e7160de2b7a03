/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control groups of this process, in both versions of the kernel's hierarchy. In a container
 * the group's path may be one of the host, and its mount the group itself. No state, thread-safe.
 */
#ifndef SOAK_MEASURE_CGROUP_H
#define SOAK_MEASURE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `folder` is a group's, whether it is there or not; `second`: of the second version. */
typedef void (*cgroup_fn)(void *ctx, const char *folder, bool second);

/* Calls `each` with the group of `controller` ("memory") that this process is in, and with those
 * above it: a limit above counts here too. `root` stands before /proc and /sys: "". */
void cgroup_each(const char *root, const char *controller, cgroup_fn each, void *ctx);

/* Reads a small file of a group's folder into `buf`. Returns whether there was one. */
bool cgroup_read(const char *folder, const char *name, char *buf, size_t size);

/* The memory that the limits on the way leave: the least of limit minus usage; UINT64_MAX when
 * there is no limit. */
uint64_t cgroup_memory_left(const char *root);
/* The processors that the limits on the way allow, such as 0.5; 0 when there is no limit. */
double cgroup_processors(const char *root);

#endif
