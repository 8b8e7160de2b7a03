/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 4096 };

/* The first version says "no limit" by the largest number of whole pages. */
#define NO_LIMIT_V1 (UINT64_C(1) << 62)

static bool read_file(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
    if (fd >= 0)
        close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0;
}

bool cgroup_read(const char *folder, const char *name, char *buf, size_t size)
{
    char path[2 * PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && read_file(path, buf, size);
}

struct hierarchy {
    const char *mount;
    bool second;
    cgroup_fn each;
    void *ctx;
};

static void walk_up(const struct hierarchy *h, char *group)
{
    char folder[PATH_MAX];
    for (;;) {
        int n = snprintf(folder, sizeof folder, "%s%s", h->mount, group);
        if (n > 0 && (size_t)n < sizeof folder)
            h->each(h->ctx, folder, h->second);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* A line is `4:memory:/some/group` of the first version, or `0::/some/group`. */
void cgroup_each(const char *root, const char *controller, cgroup_fn each, void *ctx)
{
    char path[PATH_MAX], text[FILE_BYTES], mount[PATH_MAX], *save = NULL;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!read_file(path, text, sizeof text))
        return;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        bool second = strncmp(line, "0:", 2) == 0;
        if (!second && !strstr(names, controller))
            continue;
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, second ? "" : "/",
                 second ? "" : controller);
        walk_up(&(struct hierarchy){mount, second, each, ctx}, group);
    }
}

/* ---- limits ---- */

static bool read_number(const char *folder, const char *name, uint64_t *ret)
{
    char text[FILE_BYTES];
    return cgroup_read(folder, name, text, sizeof text) && sscanf(text, "%" SCNu64, ret) == 1;
}

static void least_memory(void *ctx, const char *folder, bool second)
{
    uint64_t *least = ctx, limit, used = 0;
    if (!read_number(folder, second ? "memory.max" : "memory.limit_in_bytes", &limit) ||
        limit >= NO_LIMIT_V1)
        return;
    read_number(folder, second ? "memory.current" : "memory.usage_in_bytes", &used);
    uint64_t left = limit > used ? limit - used : 0;
    *least = left < *least ? left : *least;
}

uint64_t cgroup_memory_left(const char *root)
{
    uint64_t least = UINT64_MAX;
    cgroup_each(root, "memory", least_memory, &least);
    return least;
}

static void fewest_processors(void *ctx, const char *folder, bool second)
{
    double *fewest = ctx, quota = 0, period = 0;
    char text[FILE_BYTES], of[FILE_BYTES];
    if (second) {
        if (!cgroup_read(folder, "cpu.max", text, sizeof text) ||
            sscanf(text, "%lf %lf", &quota, &period) != 2)
            return;
    } else if (!cgroup_read(folder, "cpu.cfs_quota_us", text, sizeof text) ||
               !cgroup_read(folder, "cpu.cfs_period_us", of, sizeof of) ||
               sscanf(text, "%lf", &quota) != 1 || sscanf(of, "%lf", &period) != 1) {
        return;
    }
    double allowed = quota > 0 && period > 0 ? quota / period : 0;
    if (allowed > 0 && (*fewest <= 0 || allowed < *fewest))
        *fewest = allowed;
}

double cgroup_processors(const char *root)
{
    double fewest = 0;
    cgroup_each(root, "cpu", fewest_processors, &fewest);
    return fewest;
}
