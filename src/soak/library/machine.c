/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include "libs/version.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *machine_glibc(void)
{
    return gnu_get_libc_version();
}

bool machine_glibc_suffices(const char *needed)
{
    return !*needed || version_compare(needed, machine_glibc()) <= 0;
}

static bool is_in(const Dl_serinfo *folders, const char *soname)
{
    char path[PATH_MAX];
    for (unsigned i = 0; i < folders->dls_cnt; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", folders->dls_serpath[i].dls_name, soname);
        if (n > 0 && n < PATH_MAX && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

bool machine_has(const char *soname)
{
    Dl_serinfo size, *folders;
    void *self = dlopen(NULL, RTLD_LAZY);
    bool found = false;
    if (self && dlinfo(self, RTLD_DI_SERINFOSIZE, &size) == 0 &&
        (folders = malloc(size.dls_size))) {
        if (dlinfo(self, RTLD_DI_SERINFOSIZE, folders) == 0 &&
            dlinfo(self, RTLD_DI_SERINFO, folders) == 0)
            found = is_in(folders, soname);
        free(folders);
    }
    if (self)
        dlclose(self);
    return found;
}
