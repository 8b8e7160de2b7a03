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

struct roots {
    char files[FOLDER_BYTES];   /* the folder around all source files */
    char folders[FOLDER_BYTES]; /* the folder around all folders that were compiled in */
};

static void add_unit(struct roots *roots, Dwarf_Die *unit)
{
    char path[PATH_MAX];
    Dwarf_Attribute attribute;
    const char *name = dwarf_diename(unit);
    const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    if (!name)
        return;
    make_path(folder, name, path);
    if (!counts(name, path))
        return;
    narrow(roots->files, path, false);
    if (folder && folder[0] == '/') {
        make_path(NULL, folder, path);
        narrow(roots->folders, path, true);
    }
}

/* Built inside its sources, a library of one folder is still named by that folder (ssl/ssl_lib.c),
 * as the compiler was run above it. Built elsewhere, only the sources say where they begin. */
void module_find_root(struct module *m)
{
    struct roots *roots = calloc(1, sizeof *roots);
    Dwarf_Addr bias;
    Dwarf_Die *unit = NULL;
    while (roots && (unit = dwfl_module_nextcu(m->file, unit, &bias)) != NULL)
        add_unit(roots, unit);
    const char *root = "";
    if (roots && strlen(roots->files) > 1) {
        size_t length = strlen(roots->folders);
        bool inside = length > 1 && strncmp(roots->files, roots->folders, length) == 0;
        root = inside ? roots->folders : roots->files;
    }
    m->root = strdup(root);
    free(roots);
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
    size_t root = m->root ? strlen(m->root) : 0;
    const char *from = root > 0 && strncmp(whole, m->root, root) == 0 ? whole + root : whole;
    while (strncmp(from, "../", 3) == 0)
        from += 3;
    return intern_text(m->texts, from);
}
