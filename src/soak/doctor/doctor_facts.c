/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "base/input.h"
#include "measure/cgroup.h"
#include "measure/proc.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 256 };
#define KIB UINT64_C(1024)

/* The first line of a file; "" where there is none. */
static char *first_line(const char *root, const char *name, char *buf, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, name);
    FILE *in = input_open(path, NULL);
    if (!in || !fgets(buf, (int)size, in))
        *buf = '\0';
    if (in)
        fclose(in);
    buf[strcspn(buf, "\n")] = '\0';
    return buf;
}

/* The word in brackets of `always [madvise] never`. */
static void read_chosen(const char *root, const char *name, char *buf, size_t size)
{
    char line[LINE];
    const char *open = strchr(first_line(root, name, line, sizeof line), '[');
    if (open)
        snprintf(buf, size, "%.*s", (int)strcspn(open + 1, "]"), open + 1);
}

struct meminfo {
    uint64_t available, commit_limit, committed;
};

static struct meminfo read_meminfo(const char *root)
{
    char path[PATH_MAX], line[LINE];
    struct meminfo m = {.available = UINT64_MAX, .commit_limit = UINT64_MAX};
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *in = input_open(path, NULL);
    while (in && fgets(line, sizeof line, in)) {
        uint64_t kib;
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            m.available = kib * KIB;
        else if (sscanf(line, "CommitLimit: %" SCNu64, &kib) == 1)
            m.commit_limit = kib * KIB;
        else if (sscanf(line, "Committed_AS: %" SCNu64, &kib) == 1)
            m.committed = kib * KIB;
    }
    if (in)
        fclose(in);
    return m;
}

void doctor_facts_read(const char *root, struct doctor_facts *ret)
{
    char line[LINE], machine[LINE];
    const struct meminfo memory = read_meminfo(root);
    *ret = (struct doctor_facts){.ports = ports_read(root),
                                 .memory_available = memory.available,
                                 .commit_left = memory.commit_limit > memory.committed
                                                    ? memory.commit_limit - memory.committed
                                                    : 0,
                                 .memory_left = cgroup_memory_left(root),
                                 .allowed = cgroup_processors(root)};
    read_chosen(root, "/sys/kernel/mm/transparent_hugepage/enabled", ret->huge_pages,
                sizeof ret->huge_pages);
    first_line(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", ret->clock,
               sizeof ret->clock);
    sscanf(first_line(root, "/proc/sys/vm/overcommit_memory", line, sizeof line), "%d",
           &ret->overcommit);
    sscanf(first_line(root, "/proc/loadavg", line, sizeof line), "%lf", &ret->load);
    proc_machine(machine, sizeof machine, &ret->processors);
}
