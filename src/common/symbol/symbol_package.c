/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol_package.h"

#include "base/clock.h"
#include "base/ending_signals.h"
#include "symbol/symbol_module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* dpkg's lists are at most a few megabytes; what is larger isn't one. */
enum { LIST_BYTES_MAX = 64 << 20 };

static const char list_end[] = ".list";

static bool has_line(const char *text, size_t length, const char *line)
{
    size_t wanted = strlen(line);
    const char *end = text + length;
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t this = (size_t)((newline ? newline : end) - at);
        if (this == wanted && memcmp(at, line, wanted) == 0)
            return true;
        at += this + 1;
    }
    return false;
}

/* Whether the list names the file. Distributions that have merged /lib into /usr/lib left the old
 * paths in their packages. */
static bool list_names(int folder, const char *list, const char *path)
{
    struct stat st;
    bool found = false;
    int fd = openat(folder, list, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        st.st_size <= LIST_BYTES_MAX) {
        size_t length = (size_t)st.st_size;
        char *text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text != MAP_FAILED) {
            found = has_line(text, length, path) ||
                    (strncmp(path, "/usr/", 5) == 0 && has_line(text, length, path + 4));
            munmap(text, length);
        }
    }
    close(fd);
    return found;
}

/* The package's name in the list's: `libuv1:amd64.list`. */
static bool package_of_list(const char *list, char *ret, size_t size)
{
    size_t length = strlen(list), ending = sizeof list_end - 1;
    if (length <= ending || strcmp(list + length - ending, list_end) != 0)
        return false;
    size_t name = strcspn(list, ":");
    name = name < length - ending ? name : length - ending;
    if (name == 0 || name >= size)
        return false;
    memcpy(ret, list, name);
    ret[name] = 0;
    return true;
}

bool package_owning(const char *info_folder, const char *path, char *ret, size_t size)
{
    DIR *folder = opendir(info_folder);
    char name[PACKAGE_NAME];
    bool found = false;
    for (struct dirent *d = folder ? readdir(folder) : NULL; d && !found; d = readdir(folder)) {
        found = package_of_list(d->d_name, name, sizeof name) &&
                list_names(dirfd(folder), d->d_name, path);
    }
    if (folder)
        closedir(folder);
    if (found)
        snprintf(ret, size, "%s", name);
    return found;
}

bool package_version(const char *status, const char *package, char *ret, size_t size)
{
    static const char name[] = "Package: ", version[] = "Version: ";
    FILE *in = fopen(status, "re");
    char *line = NULL;
    size_t room = 0;
    bool inside = false, found = false;
    while (in && !found && getline(&line, &room, in) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, name, sizeof name - 1) == 0)
            inside = strcmp(line + sizeof name - 1, package) == 0;
        found = inside && strncmp(line, version, sizeof version - 1) == 0;
    }
    if (found)
        snprintf(ret, size, "%s", line + sizeof version - 1);
    free(line);
    if (in)
        fclose(in);
    return found;
}

void package_of_symbols(const char *package, char *ret, size_t size)
{
    bool by_hand = strcmp(package, "libc6") == 0;
    snprintf(ret, size, "%s-%s", package, by_hand ? "dbg" : "dbgsym");
}

/* ---- servers ---- */

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
    if (fd >= 0 || !m || !m->servers->asked || m->servers->spent_ns > MOST_NS ||
        ending_signals_waiting())
        return fd;
    uint64_t begun = clock_now_ns();
    fd = find_online(&c);
    m->servers->spent_ns += clock_now_ns() - begun;
    return fd;
}

/* The progress function of debuginfod_set_progressfn(3): other than 0 ends the transfer. */
static int give_up(debuginfod_client *client, long done, long all)
{
    (void)client;
    (void)done;
    (void)all;
    return ending_signals_waiting();
}

void servers_give_up_at_signals(Dwfl *dwfl)
{
    typedef void (*set_fn)(debuginfod_client *, int (*)(debuginfod_client *, long, long));
    debuginfod_client *client = dwfl_get_debuginfod_client(dwfl);
    void *library = client ? dlopen(LIBRARY, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    set_fn set = library ? (set_fn)(uintptr_t)dlsym(library, "debuginfod_set_progressfn") : NULL;
    if (set)
        set(client, give_up);
    if (library)
        dlclose(library); /* libdwfl has it open */
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
