/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /proc, of a process whose name and mappings are its own choice. Every file of one
 * number has the input: the linker hands open() and fopen() over (--wrap). */
#include "fuzz.h"
#include "measure/cgroup.h"
#include "measure/proc.h"
#include "measure/process_tree.h"
#include "symbol/image.h"
#include "symbol/perf_map.h"

#include <fcntl.h>
#include <stdarg.h>

enum { PID = 1999999999 };
static char path[FUZZ_PATH];

int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);
FILE *__real_fopen(const char *name, const char *mode);
FILE *__wrap_fopen(const char *name, const char *mode);

static const char *instead(const char *name)
{
    return strstr(name, "/1999999999/") || strncmp(name, "/fuzz/", 6) == 0 ? path : name;
}

int __wrap_open(const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = va_arg(args, int);
    va_end(args);
    return __real_open(instead(name), flags, mode);
}

FILE *__wrap_fopen(const char *name, const char *mode)
{
    return __real_fopen(instead(name), mode);
}

static void sampled(void)
{
    struct proc_sample sample;
    struct proc_wanted wanted;
    struct proc_rollup rollup;
    struct process process;
    char text[512];
    uint64_t ns;
    struct err e = {{0}};
    proc_sample_quick(PID, &sample, &e);
    proc_sample_full(PID, &sample, &e);
    proc_wanted_read(PID, &wanted, &e);
    proc_ended_cpu_read(PID, &ns, &e);
    proc_rollup_read(PID, &rollup, &e);
    proc_mapped_path(PID, "libcrypto.so", text, sizeof text, &e);
    process_read(PID, &process);
    cgroup_memory_left("/fuzz");
    cgroup_processors("/fuzz");
}

static void mapped(const uint8_t *bytes, size_t count)
{
    struct maps maps;
    char *text = fuzz_text(bytes, count);
    if (maps_parse(text, &maps, NULL) == 0)
        maps_free(&maps);
    struct perf_map *map = perf_map_new();
    FILE *out = fopen("/dev/null", "we");
    if (!map || !out)
        abort();
    perf_map_add(map, text, count);
    perf_map_find(map, 0x7f0000001000);
    perf_map_write(map, out);
    fclose(out);
    perf_map_free(map);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *maps;
    fuzz_file(bytes, count, path);
    sampled();
    if (maps_read(PID, 4096, &maps, NULL) == 0)
        free(maps);
    mapped(bytes, count);
    return 0;
}
