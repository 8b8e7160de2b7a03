/* SPDX-License-Identifier: Apache-2.0 */
/* What apt knows of packages, and their download: apt.h, once its lists are there. */
#include "apt.h"

#include "libs/version.h"
#include "spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { WORDS = 48, WORD = 600, BATCH = 32, CLOSURE = 1024 };

/* The value when the line is `key: value`. */
static const char *field(const char *line, const char *key)
{
    size_t length = strlen(key);
    return strncmp(line, key, length) == 0 && strncmp(line + length, ": ", 2) == 0
               ? line + length + 2
               : NULL;
}

static int add_package(struct apt_package **list, size_t *count, const char *version)
{
    struct apt_package *more = realloc(*list, (*count + 1) * sizeof *more);
    if (!more)
        return -1;
    *list = more;
    more[*count] = (struct apt_package){.depends = ""};
    snprintf(more[(*count)++].version, LIB_VERSION, "%s", version);
    return 0;
}

/* Stanzas as apt-cache prints them. What isn't a version, or too long, is passed over. */
static int parse_stanzas(char *text, struct apt_package **list, size_t *count)
{
    char *rest = text, *line, depends[sizeof(*list)->depends] = "", version[LIB_VERSION] = "";
    do {
        line = strsep(&rest, "\n");
        const char *v = field(line, "Version"), *d = field(line, "Depends");
        if (v && version_ok(v) && strlen(v) < sizeof version)
            snprintf(version, sizeof version, "%s", v);
        if (d)
            snprintf(depends, sizeof depends, "%s", d);
        if (*line && rest)
            continue;
        if (*version && add_package(list, count, version) != 0)
            return -1;
        if (*version)
            snprintf((*list)[*count - 1].depends, sizeof depends, "%s", depends);
        version[0] = depends[0] = '\0';
    } while (rest);
    return 0;
}

int apt_versions(const struct apt *a, const char *package, struct apt_package **ret,
                 size_t *ret_count, struct err *e)
{
    const char *const argv[] = {"apt-cache", "-c", a->config, "show", package, NULL};
    char *text = NULL;
    struct apt_package *list = NULL;
    size_t count = 0;
    struct spawn s = {.argv = argv, .log = a->log, .ret_output = &text};
    int rc = spawn_run(&s, e);
    if (rc < 0)
        return rc;
    rc = rc == 0 ? parse_stanzas(text, &list, &count) : 0;
    free(text);
    if (rc != 0) {
        free(list);
        return err_set(e, "out of memory");
    }
    *ret = list;
    *ret_count = count;
    return 0;
}

/* What apt says of a version that its lists don't have, and of one that has gone from the mirror.
 */
static const char *const gone[] = {"404  Not Found",
                                   "  File not found",
                                   "Unable to locate",
                                   "was not found",
                                   "has no installation candidate",
                                   NULL};

/* `argv` has `count` words, and room for WORDS: the packages are added. */
static void add_words(const char **argv, size_t count, const char *const *packages)
{
    for (size_t i = 0; packages[i] && count < WORDS - 1; i++)
        argv[count++] = packages[i];
    argv[count] = NULL;
}

int apt_download(const struct apt *a, const char *const *packages, const char *folder,
                 struct err *e)
{
    const char *argv[WORDS] = {"apt-get", "-q", "-c", a->config, "download"};
    char what[256];
    add_words(argv, 5, packages);
    snprintf(what, sizeof what, "%.100s can't be fetched from %s", packages[0], a->name);
    struct spawn s = {.argv = argv, .folder = folder, .log = a->log, .gone = gone};
    int rc = spawn_need(&s, what, e);
    if (rc == UV_ENOENT)
        err_set(e, "%.100s is in the lists of %s and no longer on the mirror", packages[0],
                a->name);
    return rc;
}

/* The packages of apt's simulation, `Inst NAME [OLD] (VERSION SUITE [ARCHITECTURE])` each, as words
 * for apt_download. They are cut out of `text`. Returns how many. */
static size_t read_simulation(char *text, char **ret, size_t room)
{
    char *rest = NULL;
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line && count < room;
         line = strtok_r(NULL, "\n", &rest)) {
        char *name = line + 5, *version = strchr(line, '(');
        if (strncmp(line, "Inst ", 5) != 0 || !version)
            continue;
        size_t length = strcspn(name, " ");
        version[1 + strcspn(version + 1, " )")] = '\0';
        name[length] = '=';
        memmove(name + length + 1, version + 1, strlen(version));
        ret[count++] = name;
    }
    return count;
}

static int download_all(const struct apt *a, char *const *words, size_t count, const char *folder,
                        struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i += BATCH) {
        const char *batch[BATCH + 1] = {NULL};
        for (size_t k = 0; k < BATCH && i + k < count; k++)
            batch[k] = words[i + k];
        rc = apt_download(a, batch, folder, e);
    }
    return rc;
}

/* What apt would install of the packages, as it says it. Beside a base suite the suite's packages
 * are preferred, else apt takes none of them; and those that are asked for have to be its own
 * (nginx/experimental). */
static int simulate(const struct apt *a, const char *const *packages, char **ret, struct err *e)
{
    bool has_base = apt_has_base(a);
    char bytes[WORDS][WORD], what[256];
    const char *argv[WORDS] = {"apt-get", "-q", "-s", "-c", a->config, "--no-install-recommends",
                               "install"};
    size_t count = 7;
    if (has_base) {
        argv[count++] = "-t";
        argv[count++] = a->name;
    }
    for (size_t i = 0; packages[i] && count < WORDS - 1; i++, count++) {
        bool own = has_base && !strchr(packages[i], '=');
        snprintf(bytes[i], WORD, "%s%s%s", packages[i], own ? "/" : "", own ? a->name : "");
        argv[count] = bytes[i];
    }
    snprintf(what, sizeof what, "%.100s can't be had of %s", packages[0], a->name);
    struct spawn s = {.argv = argv, .log = a->log, .ret_output = ret, .gone = gone};
    return spawn_need(&s, what, e);
}

int apt_download_closure(const struct apt *a, const char *const *packages, const char *folder,
                         struct err *e)
{
    char *text = NULL, *word[CLOSURE];
    int rc = simulate(a, packages, &text, e);
    if (rc == UV_ENOENT)
        err_set(e, "%s has no %.100s, or no longer", a->name, packages[0]);
    if (rc != 0)
        return rc;
    size_t count = read_simulation(text, word, CLOSURE);
    rc = count < CLOSURE ? download_all(a, word, count, folder, e)
                         : err_set(e, "%.100s needs more than %d packages", packages[0], CLOSURE);
    free(text);
    return rc;
}

bool apt_dependency(const char *depends, const char *prefix, char *ret, size_t size)
{
    for (const char *p = depends; *p;) {
        p += strspn(p, " ,|");
        size_t length = strcspn(p, " ,|(:");
        if (strncmp(p, prefix, strlen(prefix)) == 0 && length < size) {
            snprintf(ret, size, "%.*s", (int)length, p);
            return true;
        }
        p += strcspn(p, ",|");
    }
    return false;
}
