/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/symbol_module.h"

#include <dwarf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path and the slash behind it. */
enum { FOLDER_BYTES = PATH_MAX + 1 };

/* Takes the last folder off `path`, which is `used` long, unless it is "..". Returns the new
 * length, or -1 when nothing can be taken off. */
static int step_up(const char *path, size_t used)
{
    if (used == 0 || (used == 1 && path[0] == '/'))
        return -1;
    size_t at = used;
    while (at > 0 && path[at - 1] != '/')
        at--;
    if (used - at == 2 && memcmp(path + at, "..", 2) == 0)
        return -1;
    return (int)(at > 1 ? at - 1 : at);
}

static size_t append(char *path, size_t used, const char *part, size_t length)
{
    bool slash = used > 0 && path[used - 1] != '/';
    if (used + slash + length >= PATH_MAX)
        return used;
    if (slash)
        path[used++] = '/';
    memcpy(path + used, part, length);
    path[used + length] = 0;
    return used + length;
}

/* Adds the parts of `text` to `path` and resolves "." and "..". */
static size_t add_parts(char *path, size_t used, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "/");
        bool up = length == 2 && memcmp(text, "..", 2) == 0;
        int above = up ? step_up(path, used) : -1;
        if (above >= 0)
            used = (size_t)above;
        else if (length > 0 && !(length == 1 && *text == '.') && !(up && path[0] == '/'))
            used = append(path, used, text, length);
        path[used] = 0;
        text += length + (text[length] == '/');
    }
    return used;
}

/* Distributions replace the folder they build in by "." (-ffile-prefix-map), in names that were
 * absolute and in the folder itself: such a name isn't relative to the folder. */
static bool is_mapped(const char *folder, const char *path)
{
    return folder[0] != '/' && strncmp(path, "./", 2) == 0;
}

/* `path`, from `folder` when it is relative, in its shortest form. `buf` has PATH_MAX bytes. */
static void make_path(const char *folder, const char *path, char *buf)
{
    bool from_folder = path[0] != '/' && folder && !is_mapped(folder, path);
    const char *first = from_folder ? folder : path;
    size_t used = first[0] == '/';
    buf[0] = '/';
    buf[used] = 0;
    used = add_parts(buf, used, first);
    if (from_folder)
        add_parts(buf, used, path);
}

/* Cuts `common` to the folders that `path` shares with it. An empty `common` becomes the folder of
 * `path`. `is_folder`: `path` itself is a folder. */
static void narrow(char *common, const char *path, bool is_folder)
{
    char whole[FOLDER_BYTES];
    snprintf(whole, sizeof whole, "%s%s", path, is_folder ? "/" : "");
    if (!*common)
        memcpy(common, whole, sizeof whole);
    size_t same = 0;
    while (common[same] && common[same] == whole[same])
        same++;
    while (same > 0 && common[same - 1] != '/')
        same--;
    common[same] = 0;
}

/* Only what was compiled from absolute paths, and isn't the system's own, has a root of its own. */
static bool counts(const char *name, const char *path)
{
    return name[0] != '<' && path[0] == '/' && strncmp(path, "/usr/", 5) != 0;
}

/* The units whose paths share their first folder: one project, as far as can be told. A static
 * library of another builder has its own. */
struct project {
    char files[FOLDER_BYTES];   /* the folder around its source files */
    char folders[FOLDER_BYTES]; /* the folder around the folders that they were compiled in */
};

static bool same_first_folder(const char *a, const char *b)
{
    size_t length = 1 + strcspn(a + 1, "/");
    return strncmp(a, b, length) == 0 && (b[length] == '/' || !b[length]);
}

/* The project of the path, a new one if there is room; NULL when there is none. */
static struct project *project_of(struct project *projects, const char *path)
{
    for (size_t i = 0; i < MODULE_ROOTS; i++) {
        if (!*projects[i].files || same_first_folder(path, projects[i].files))
            return &projects[i];
    }
    return NULL;
}

static void add_unit(struct project *projects, Dwarf_Die *unit)
{
    char path[PATH_MAX];
    Dwarf_Attribute attribute;
    const char *name = dwarf_diename(unit);
    const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    if (!name)
        return;
    make_path(folder, name, path);
    struct project *project = counts(name, path) ? project_of(projects, path) : NULL;
    if (!project)
        return;
    narrow(project->files, path, false);
    if (folder && folder[0] == '/') {
        make_path("", folder, path);
        narrow(project->folders, path, true);
    }
}

/* Built inside its sources, a library of one folder is still named by that folder (ssl/ssl_lib.c),
 * as the compiler was run above it. Built elsewhere, only the sources say where they begin. */
static const char *root_of(const struct project *project)
{
    size_t length = strlen(project->folders);
    bool inside = length > 1 && strncmp(project->files, project->folders, length) == 0;
    return inside ? project->folders : project->files;
}

void module_find_roots(struct module *m)
{
    struct project *projects = calloc(MODULE_ROOTS, sizeof *projects);
    Dwarf_Addr bias;
    Dwarf_Die *unit = NULL;
    while (projects && (unit = dwfl_module_nextcu(m->file, unit, &bias)) != NULL)
        add_unit(projects, unit);
    for (size_t i = 0; projects && i < MODULE_ROOTS; i++) {
        /* "/" is not stripped: that would only make the path look relative. */
        if (strlen(projects[i].files) > 1)
            m->root[i] = intern_text(m->texts, root_of(&projects[i]));
    }
    free(projects);
}

/* libdw puts a relative folder before the names in the line table as it is: takes it off again. */
static const char *without_folder(const char *folder, const char *path)
{
    size_t length = folder && folder[0] != '/' ? strlen(folder) : 0;
    bool before = length > 0 && strncmp(path, folder, length) == 0 && path[length] == '/';
    return before ? path + length + 1 : path;
}

const char *module_clean_path(const struct module *m, const char *folder, const char *path)
{
    char whole[PATH_MAX];
    make_path(folder, without_folder(folder, path), whole);
    const char *from = whole;
    for (size_t i = 0; i < MODULE_ROOTS && from == whole; i++) {
        size_t root = m->root[i] ? strlen(m->root[i]) : 0;
        if (root > 0 && strncmp(whole, m->root[i], root) == 0)
            from += root;
    }
    while (strncmp(from, "../", 3) == 0)
        from += 3;
    return intern_text(m->texts, from);
}
