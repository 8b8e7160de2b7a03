/* SPDX-License-Identifier: Apache-2.0 */
#include "libs_add.h"

#include "assembly.h"
#include "base/check.h"
#include "base/input.h"
#include "deb_packages.h"
#include "libs/cache.h"
#include "prefix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEBS = 16 };

/* How a word names libraries. */
enum kind { DEBIAN, PACKAGE, PREFIX, UNKNOWN };

static enum kind kind_of(const char *word)
{
    size_t length = strlen(word);
    const char *equals = strchr(word, '=');
    if (strncmp(word, "debian:", 7) == 0)
        return DEBIAN;
    if (length > 4 && strcmp(word + length - 4, ".deb") == 0)
        return PACKAGE;
    return equals && equals > word && equals[1] ? PREFIX : UNKNOWN;
}

/* ---- debian:SUITE[/PART][=VERSION] ---- */

enum { SUITE_TEXT = 256 };

/* Fills suite, part and version, which point into `text`. */
static int read_debian(const char *word, char text[SUITE_TEXT], struct fetch *ret, struct err *e)
{
    if (snprintf(text, SUITE_TEXT, "%s", word + 7) >= SUITE_TEXT)
        return err_set(e, "%.60s...: no such suite", word);
    char *version = strchr(text, '='), *part = strchr(text, '/');
    if (version)
        *version++ = '\0';
    if (part && version && part > version)
        part = NULL;
    if (part)
        *part++ = '\0';
    ret->suite = text;
    ret->version = version;
    ret->part = part ? lib_part_named(part) : LIB_OPENSSL;
    if (ret->part == LIB_PARTS)
        return err_set(e, "%.200s: no such part; there are openssl, libuv, jemalloc and libc",
                       word);
    if (version && lib_asked_version(ret->part, version, e) != 0)
        return err_prefix(e, "%.200s", word);
    return fetch_check(ret, e);
}

static int add_debian(const char *word, const struct fetch *like, struct err *e)
{
    char text[SUITE_TEXT];
    struct fetch f = *like;
    return read_debian(word, text, &f, e) == 0 ? fetch_suite(&f, e) : -1;
}

/* ---- files ---- */

static int check_package(const char *file, struct err *e)
{
    if (input_check(file, INPUT_LIBRARY_MIB, e) != 0)
        return err_prefix(e, "%.300s", file);
    if (file[0] == '-') /* dpkg-deb would take it for an option */
        return err_set(e, "%.300s: write it as ./%.100s", file, file);
    return 0;
}

static int add_packages(const char *const *words, size_t count, const struct fetch *like,
                        struct err *e)
{
    const char *files[DEBS];
    char log[PATH_MAX + 16], root[PATH_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (kind_of(words[i]) != PACKAGE)
            continue;
        files[used++] = words[i];
    }
    if (used == 0)
        return 0;
    struct lib *l = calloc(1, sizeof *l);
    CHECK(l);
    int rc = cache_make("", root, sizeof root, e);
    snprintf(log, sizeof log, "%s/deb.log", root);
    bool added = false;
    if (rc == 0)
        rc = deb_packages_add(&(struct deb_files){files, used, log}, l, &added, e);
    if (rc == 0)
        like->on_lib(like->ctx, l, added);
    free(l);
    return rc;
}

/* ---- NAME=PREFIX ---- */

static int check_prefix(const char *word, struct err *e)
{
    char name[LIB_NAME + 1];
    size_t length = (size_t)(strchr(word, '=') - word);
    snprintf(name, sizeof name, "%.*s", (int)(length < LIB_NAME ? length : LIB_NAME), word);
    if (length >= LIB_NAME)
        return err_set(e, "%.40s...: a name has at most %d characters", word, LIB_NAME - 1);
    if (!lib_name_ok(name) || strcmp(name, "system") == 0)
        return err_set(e, "%.60s: a name has letters, digits and .+~_- only, and isn't 'system'",
                       name);
    struct lib *unused = malloc(sizeof *unused);
    CHECK(unused);
    int rc = prefix_examine(word + length + 1, LIB_PARTS, unused, e);
    free(unused);
    return rc;
}

static int check_name(const struct lib *l, struct err *e)
{
    struct lib *present = calloc(1, sizeof *present);
    CHECK(present);
    int rc = 0;
    if (lib_read(l->folder, present, NULL) == 0 && strncmp(present->origin, "prefix:", 7) != 0)
        rc = err_set(e, "%s is %s %s of %s already; choose another name", l->name,
                     lib_part_entry(l->part)->name, present->version, present->origin);
    free(present);
    return rc;
}

/* The server is built against it before it is accepted: no list of symbols says as exactly what is
 * needed. */
static int try_it(const struct lib *l, struct err *e)
{
    struct lib *parts = calloc(LIB_PARTS, sizeof *parts);
    struct assembly *a = calloc(1, sizeof *a);
    CHECK(parts && a);
    for (int i = 0; i < LIB_PARTS; i++)
        parts[i].part = (enum lib_part)i;
    parts[l->part] = *l;
    int rc = assembly_make_of(parts, a, e);
    free(parts);
    free(a);
    return rc;
}

static int install(const struct lib *l, struct err *e)
{
    char folder[PATH_MAX];
    int rc = cache_new_folder(folder, sizeof folder, e);
    if (rc == 0 && (rc = cache_install(l, folder, e)) != 0)
        cache_drop(folder);
    return rc;
}

static int add_prefix(const char *word, const struct fetch *like, struct err *e)
{
    struct lib *l = calloc(1, sizeof *l);
    CHECK(l);
    const char *equals = strchr(word, '=');
    int rc = prefix_examine(equals + 1, LIB_PARTS, l, e);
    if (rc == 0)
        snprintf(l->name, sizeof l->name, "%.*s", (int)(equals - word), word);
    if (rc == 0)
        rc = cache_lib_folder(l->part, l->name, l->folder, sizeof l->folder, e);
    if (rc == 0)
        rc = check_name(l, e);
    if (rc == 0)
        rc = try_it(l, e);
    if (rc == 0)
        rc = install(l, e);
    if (rc == 0)
        like->on_lib(like->ctx, l, true);
    free(l);
    return rc;
}

/* ---- all words ---- */

static int check_word(const char *word, struct err *e)
{
    char text[SUITE_TEXT];
    struct fetch unused;
    switch (kind_of(word)) {
    case DEBIAN:
        return read_debian(word, text, &unused, e);
    case PACKAGE:
        return check_package(word, e);
    case PREFIX:
        return check_prefix(word, e);
    case UNKNOWN:
        break;
    }
    return err_set(
        e,
        "%.200s: not a library; give debian:SUITE, debian:SUITE/PART=VERSION, a FILE.deb "
        "or NAME=PREFIX",
        word);
}

/* Before the first is fetched or built. */
static int check_words(const char *const *words, size_t count, struct err *e)
{
    size_t packages = 0;
    for (size_t i = 0; i < count; i++) {
        if (check_word(words[i], e) != 0)
            return -1;
        packages += kind_of(words[i]) == PACKAGE;
    }
    return packages <= DEBS ? 0 : err_set(e, "at most %d package files make a library", DEBS);
}

int libs_add(const char *const *words, size_t count, const struct fetch *like, struct err *e)
{
    if (check_words(words, count, e) != 0)
        return -1;
    int lock = cache_lock(e);
    if (lock < 0)
        return -1;
    int rc = add_packages(words, count, like, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (kind_of(words[i]) == DEBIAN)
            rc = add_debian(words[i], like, e);
        else if (kind_of(words[i]) == PREFIX)
            rc = add_prefix(words[i], like, e);
    }
    close(lock);
    return rc;
}
