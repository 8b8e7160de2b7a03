/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol_servers.h"

#include "base/clock.h"
#include "symbol/symbol_module.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define URLS    "DEBUGINFOD_URLS"
#define LIBRARY "libdebuginfod.so.1"

/* No further file is requested after this long; one file has LIMITS of its own. */
static const uint64_t MOST_NS = 120000000000u;

/* debuginfod_find_debuginfo(3), in seconds: 100 KiB must come within the first, a whole file within
 * the second. What the user has set stays. */
static const struct {
    const char *name, *value;
} limits[] = {
    {"DEBUGINFOD_TIMEOUT", "10"}, {"DEBUGINFOD_MAXTIME", "60"}, {"DEBUGINFOD_RETRY_LIMIT", "0"}};

struct call {
    Dwfl_Module *file;
    void **user;
    const char *name, *path, *link;
    Dwarf_Addr base;
    GElf_Word crc;
    char **ret_path;
};

static int find(const struct call *c)
{
    return dwfl_standard_find_debuginfo(c->file, c->user, c->name, c->base, c->path, c->link,
                                        c->crc, c->ret_path);
}

/* libdwfl asks whenever the variable is there. */
static int find_offline(const struct call *c)
{
    char *urls = getenv(URLS);
    urls = urls ? strdup(urls) : NULL;
    unsetenv(URLS);
    int fd = find(c);
    if (urls)
        setenv(URLS, urls, 1);
    free(urls);
    return fd;
}

static int find_online(const struct call *c)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        setenv(limits[i].name, limits[i].value, 0);
    return find(c);
}

int servers_find_debuginfo(Dwfl_Module *file, void **user, const char *name, Dwarf_Addr base,
                           const char *path, const char *link, GElf_Word crc, char **ret_path)
{
    const struct call c = {file, user, name, path, link, base, crc, ret_path};
    struct module *m = *user;
    int fd = find_offline(&c);
    if (fd >= 0 || !m || !m->servers->asked || m->servers->spent_ns > MOST_NS)
        return fd;
    uint64_t begun = clock_now_ns();
    fd = find_online(&c);
    m->servers->spent_ns += clock_now_ns() - begun;
    return fd;
}

int symbols_servers_check(struct err *e)
{
    const char *urls = getenv(URLS);
    if (!urls || !*urls)
        return err_set(e,
                       URLS " is not set, so there is nobody to ask; Debian's server: export " URLS
                            "=https://debuginfod.debian.net");
    void *library = dlopen(LIBRARY, RTLD_LAZY);
    if (!library)
        return err_set(e, LIBRARY " is missing: install libdebuginfod1");
    dlclose(library);
    return 0;
}
