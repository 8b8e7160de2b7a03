/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_files.h"

#include "base/check.h"
#include "catalog.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char suffix[] = ".soak";

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static char *kept(const char *text)
{
    char *copy = strdup(text);
    CHECK(copy);
    return copy;
}

/* Adds a file unless it is there already. */
static int add_file(struct suite_files *f, const char *said, struct err *e)
{
    char path[PATH_MAX], name[128];
    if (!realpath(said, path))
        return err_set(e, "%.300s: the scenario can't be read: %s", said, strerror(errno));
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->file[i].path, path) == 0)
            return 0;
    }
    if (f->count == SUITE_SCENARIOS)
        return err_set(e, "%.300s: a suite has at most %d scenarios", said, SUITE_SCENARIOS);
    f->file = realloc(f->file, (f->count + 1) * sizeof *f->file);
    CHECK(f->file);
    catalog_name(said, name, sizeof name);
    f->file[f->count++] =
        (struct suite_file){.path = kept(path), .name = kept(name), .said = kept(said)};
    return 0;
}

static int is_scenario(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), end = strlen(suffix);
    return entry->d_name[0] != '.' && length > end &&
           strcmp(entry->d_name + length - end, suffix) == 0;
}

static int add_folder(struct suite_files *f, const char *folder, struct err *e)
{
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, is_scenario, alphasort);
    int rc = count > 0   ? 0
             : count < 0 ? err_set(e, "%.300s: %s", folder, strerror(errno))
                         : err_set(e, "%.300s: there is no scenario (*.soak) in it", folder);
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] == '/' ? "" : "/";
    for (int i = 0; i < count; i++) {
        char said[PATH_MAX];
        int n = snprintf(said, sizeof said, "%s%s%s", folder, slash, entry[i]->d_name);
        if (rc == 0 && (n < 0 || (size_t)n >= sizeof said))
            rc = err_set(e, "%.60s...: the scenario's path is too long", folder);
        if (rc == 0)
            rc = add_file(f, said, e);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

/* A name in scenarios/ goes before a folder here: so it means the same wherever it is typed. */
static int add_word(struct suite_files *f, const char *word, struct err *e)
{
    char path[PATH_MAX];
    if ((word[0] == '.' || strchr(word, '/')) && is_folder(word))
        return add_folder(f, word, e);
    if (catalog_path(word, path, sizeof path, e) == 0)
        return add_file(f, path, e);
    int n = snprintf(path, sizeof path, "%s/scenarios/%s", catalog_root(), word);
    if (n > 0 && (size_t)n < sizeof path && is_folder(path))
        return add_folder(f, path, e);
    return is_folder(word) ? add_folder(f, word, e) : -1;
}

static int by_name(const void *a, const void *b)
{
    const struct suite_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int suite_files_find(struct suite_files *f, const char *const *word, size_t words, struct err *e)
{
    *f = (struct suite_files){.count = 0};
    for (size_t i = 0; i < words; i++) {
        if (add_word(f, word[i], e) != 0)
            return -1;
    }
    if (f->count == 0)
        return err_set(e, "which scenarios? Give files, folders or names, such as scenarios/");
    qsort(f->file, f->count, sizeof *f->file, by_name);
    for (size_t i = 1; i < f->count; i++) {
        if (strcmp(f->file[i - 1].name, f->file[i].name) == 0)
            return err_set(e,
                           "%.200s and %.200s have one name; a suite tells scenarios apart by it",
                           f->file[i - 1].said, f->file[i].said);
    }
    return 0;
}

void suite_files_free(struct suite_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->file[i].path);
        free(f->file[i].name);
        free(f->file[i].said);
    }
    free(f->file);
}
