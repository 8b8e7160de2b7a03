/* SPDX-License-Identifier: Apache-2.0 */
#include "base/input.h"
#include "libs/elf_facts.h"
#include "libs/lib.h"
#include "libs/version.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where libraries lie in a prefix and in an unpacked package; and in each the folder of the
 * architecture, such as x86_64-linux-gnu. */
static const char *const places[] = {"lib64", "lib", "usr/lib64", "usr/lib"};
enum { PLACES = sizeof places / sizeof *places };

static bool join(char *to, const char *folder, const char *name)
{
    int n = snprintf(to, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX;
}

/* Whether `file` is `library`.so or `library`.so.1.2; what stands behind .so is its rank. */
static const char *rank(const char *file, const char *library)
{
    size_t length = strlen(library);
    if (strncmp(file, library, length) != 0 || strncmp(file + length, ".so", 3) != 0)
        return NULL;
    const char *rest = file + length + 3;
    return *rest == '\0' || *rest == '.' ? rest : NULL;
}

/* Where the name without a number leads is what a program is built against, so it comes first; then
 * the newest. */
static bool is_better(const char *rest, const char *best)
{
    if (!best || !*rest || !*best)
        return !best || !*rest;
    return version_compare(rest + 1, best + 1) > 0;
}

/* The SONAME of the library in this folder. Returns whether there is one. */
static bool find_soname(const char *folder, const char *library, char *soname)
{
    DIR *dir = opendir(folder);
    char best[NAME_MAX + 1] = "", path[PATH_MAX];
    const char *best_rank = NULL;
    struct elf_facts facts;
    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        const char *rest = rank(d->d_name, library);
        if (!rest || !is_better(rest, best_rank) || !join(path, folder, d->d_name) ||
            elf_facts_read(path, &facts, NULL) != 0 || !facts.soname[0])
            continue;
        snprintf(best, sizeof best, "%s", d->d_name);
        best_rank = rank(best, library);
        snprintf(soname, LIB_NAME, "%s", facts.soname);
    }
    if (dir)
        closedir(dir);
    return best_rank != NULL;
}

/* Calls `visit` with each folder that may hold libraries, until it returns true. */
static bool each_place(const char *root, bool (*visit)(void *ctx, const char *folder), void *ctx)
{
    char folder[PATH_MAX], below[PATH_MAX];
    bool done = false;
    for (int i = 0; i < PLACES && !done; i++) {
        DIR *dir = join(folder, root, places[i]) ? opendir(folder) : NULL;
        for (struct dirent *d = dir ? readdir(dir) : NULL; d && !done; d = readdir(dir))
            done = strstr(d->d_name, "-linux-") && join(below, folder, d->d_name) &&
                   input_is_folder(below) && visit(ctx, below);
        if (dir && !done)
            done = visit(ctx, folder);
        if (dir)
            closedir(dir);
    }
    return done;
}

struct search {
    const char *library;
    char folder[PATH_MAX], soname[LIB_NAME];
};

static bool visit_library(void *ctx, const char *folder)
{
    struct search *s = ctx;
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    return find_soname(folder, s->library, s->soname);
}

static bool visit_archive(void *ctx, const char *folder)
{
    struct search *s = ctx;
    char name[LIB_NAME], path[PATH_MAX];
    snprintf(name, sizeof name, "%s.a", s->library);
    return join(path, folder, name) && access(path, F_OK) == 0;
}

enum lib_part lib_part_in(const char *root)
{
    int part = 0;
    while (part < LIB_PARTS) {
        struct search s = {.library = lib_part_entry((enum lib_part)part)->library[0]};
        if (each_place(root, visit_library, &s) || each_place(root, visit_archive, &s))
            break;
        part++;
    }
    return (enum lib_part)part;
}

static int refuse(const char *root, const char *library, struct err *e)
{
    struct search s = {.library = library};
    if (each_place(root, visit_archive, &s))
        return err_set(e, "%.300s: it has %s.a only; build it with shared libraries", root,
                       library);
    return err_set(e, "%.300s: there is no %s.so in it", root, library);
}

static int take_facts(struct lib *l, const char *soname, struct err *e)
{
    struct elf_facts facts, own;
    char path[PATH_MAX];
    if (!join(path, l->library_dir, soname))
        return err_set(e, "%.300s: the path is too long", l->library_dir);
    if (elf_facts_read(path, &facts, e) != 0 || elf_facts_read("/proc/self/exe", &own, e) != 0)
        return -1;
    if (facts.class != own.class || facts.machine != own.machine)
        return err_set(e, "%.300s: it is for another kind of machine", path);
    if (facts.glibc[0] && (!l->glibc[0] || version_compare(facts.glibc, l->glibc) > 0))
        snprintf(l->glibc, sizeof l->glibc, "%s", facts.glibc);
    return 0;
}

static void take_include(struct lib *l, const char *folder)
{
    if (l->includes < LIB_INCLUDES && input_is_folder(folder))
        snprintf(l->include[l->includes++], PATH_MAX, "%s", folder);
}

/* Packages keep what differs between architectures in a folder of its own beside the rest. */
static void find_includes(struct lib *l, const char *root)
{
    static const char *const names[] = {"include", "usr/include"};
    const char *header = lib_part_entry(l->part)->header;
    const char *architecture = strrchr(l->library_dir, '/') + 1;
    char folder[PATH_MAX], path[PATH_MAX];
    for (int i = 0; header && i < 2; i++) {
        if (!join(folder, root, names[i]) || !join(path, folder, header) ||
            input_check(path, INPUT_TEXT_MIB, NULL) != 0)
            continue;
        take_include(l, folder);
        if (strstr(architecture, "-linux-") && join(path, folder, architecture))
            take_include(l, path);
        return;
    }
}

int lib_examine(struct lib *l, const char *root, struct err *e)
{
    const struct lib_part_entry *part = lib_part_entry(l->part);
    struct search s = {.library = part->library[0]};
    if (!each_place(root, visit_library, &s))
        return refuse(root, s.library, e);
    if (!realpath(s.folder, l->library_dir))
        return err_set(e, "%.300s: it can't be read", s.folder);
    l->sonames = l->includes = 0;
    l->glibc[0] = '\0';
    for (int i = 0; i < LIB_SONAMES && part->library[i]; i++) {
        if (!find_soname(l->library_dir, part->library[i], l->soname[i]))
            return refuse(root, part->library[i], e);
        if (take_facts(l, l->soname[i], e) != 0)
            return -1;
        l->sonames++;
    }
    find_includes(l, root);
    return 0;
}

bool lib_owns(const struct lib *l, const char *mapped_path)
{
    char path[PATH_MAX], real[PATH_MAX];
    const struct lib_part_entry *part = lib_part_entry(l->part);
    const char *slash = strrchr(mapped_path, '/');
    size_t length = strlen(l->library_dir);
    if (!slash)
        return false;
    bool beside = length == (size_t)(slash - mapped_path) &&
                  strncmp(mapped_path, l->library_dir, length) == 0;
    if (beside && l->part == LIB_LIBC)
        return true;
    for (int i = 0; i < LIB_SONAMES && part->library[i]; i++)
        if (beside && rank(slash + 1, part->library[i]))
            return true;
    for (size_t i = 0; i < l->sonames; i++)
        if (join(path, l->library_dir, l->soname[i]) && realpath(path, real) &&
            strcmp(real, mapped_path) == 0)
            return true;
    return false;
}
