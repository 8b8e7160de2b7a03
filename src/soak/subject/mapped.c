/* SPDX-License-Identifier: Apache-2.0 */
#include "mapped.h"

#include "measure/proc.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The files that a part is mapped by, by the beginnings of their names. */
static const struct {
    enum lib_part part;
    const char *prefix;
} files[] = {{LIB_OPENSSL, "libssl.so"},
             {LIB_OPENSSL, "libcrypto.so"},
             {LIB_LIBUV, "libuv.so"},
             {LIB_JEMALLOC, "libjemalloc.so"},
             {LIB_LIBC, "libc.so"}};

_Static_assert(sizeof files / sizeof *files == MAPPED_MAX, "a place for each file");

/* The libc of this very process, if the other one has mapped the same file. */
static void own_libc(struct mapped *m)
{
    char own[PATH_MAX];
    if (proc_mapped_path(getpid(), "libc.so", own, sizeof own, NULL) == 0 &&
        strcmp(own, m->file) == 0)
        snprintf(m->version, sizeof m->version, "%s", gnu_get_libc_version());
}

static void fill(struct mapped *m, enum lib_part part, const struct assembly *assembly)
{
    m->part = lib_part_entry(part)->name;
    if (assembly && assembly_owns(assembly, part, m->file)) {
        snprintf(m->version, sizeof m->version, "%s", assembly->part[part].version);
        snprintf(m->origin, sizeof m->origin, "%s", assembly->part[part].origin);
    } else if (part == LIB_LIBC) {
        own_libc(m);
    }
}

size_t mapped_read(const struct assembly *assembly, pid_t pid, struct mapped ret[MAPPED_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < MAPPED_MAX; i++) {
        struct mapped *m = &ret[count];
        *m = (struct mapped){.part = NULL};
        if (proc_mapped_path(pid, files[i].prefix, m->file, sizeof m->file, NULL) != 0)
            continue;
        fill(m, files[i].part, assembly);
        count++;
    }
    return count;
}

int mapped_check(const struct assembly *assembly, pid_t pid, struct err *e)
{
    for (size_t i = 0; i < MAPPED_MAX; i++) {
        char path[PATH_MAX];
        const struct lib *lib = &assembly->part[files[i].part];
        if (!lib->name[0] || proc_mapped_path(pid, files[i].prefix, path, sizeof path, NULL) != 0)
            continue;
        if (!assembly_owns(assembly, files[i].part, path))
            return err_set(e, "%s %s is asked for and it has mapped %.300s",
                           lib_part_entry(files[i].part)->name, lib->name, path);
    }
    return 0;
}
