/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include "apt.h"
#include "base/text.h"
#include "deb_packages.h"
#include "libs/cache.h"
#include "libs/elf_facts.h"
#include "libs/version.h"
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { EXTRAS = 16, SEEN = 400 };

/* ---- one version ---- */

/* What is being fetched: from where, and the folder that it grows in. */
struct work {
    struct apt apt;
    const char *mirror;
    const struct apt_package *package;
    char folder[PATH_MAX], root[PATH_MAX + 8], debs[PATH_MAX + 8];
};

static int make_folders(struct work *w, struct err *e)
{
    if (cache_new_folder(w->folder, sizeof w->folder, e) != 0)
        return -1;
    snprintf(w->root, sizeof w->root, "%s/root", w->folder);
    snprintf(w->debs, sizeof w->debs, "%s/debs", w->folder);
    if (mkdir(w->root, 0700) == 0 && mkdir(w->debs, 0700) == 0)
        return 0;
    return err_set(e, "%.300s: %s", w->folder, strerror(errno));
}

/* Downloads packages and unpacks them, and nothing of an earlier call again. */
static int get(struct work *w, const char *const *packages, struct err *e)
{
    int rc = apt_download(&w->apt, packages, w->debs, e);
    if (rc == 0)
        rc = deb_packages_unpack_folder(w->debs, w->root, w->apt.log, e);
    if (rc != 0)
        return rc;
    cache_drop(w->debs);
    return mkdir(w->debs, 0700) == 0 ? 0 : err_set(e, "%.300s: %s", w->debs, strerror(errno));
}

/* The package that was asked for, and of one with headers the library that it depends on. */
static int get_library(struct work *w, enum lib_part part, struct err *e)
{
    const struct lib_part_entry *entry = lib_part_entry(part);
    char dev[LIB_NAME + LIB_VERSION], name[LIB_NAME], runtime[LIB_NAME + LIB_VERSION];
    const char *packages[] = {dev, NULL, NULL};
    snprintf(dev, sizeof dev, "%s=%s", entry->dev_package, w->package->version);
    if (entry->header) {
        if (!apt_dependency(w->package->depends, entry->runtime_package, name, sizeof name))
            return err_set(e, "%s names no package of the library itself", dev);
        snprintf(runtime, sizeof runtime, "%s=%s", name, w->package->version);
        packages[1] = runtime;
    }
    return get(w, packages, e);
}

/* The first library that `l` needs and that neither lies beside it nor is on this machine. */
static const char *missing(const struct lib *l, char *buf, size_t size)
{
    char path[PATH_MAX + LIB_NAME];
    struct elf_facts facts;
    for (size_t i = 0; i < l->sonames; i++) {
        snprintf(path, sizeof path, "%s/%s", l->library_dir, l->soname[i]);
        if (elf_facts_read(path, &facts, NULL) != 0)
            continue;
        for (size_t n = 0; n < facts.needed_count; n++) {
            snprintf(path, sizeof path, "%s/%s", l->library_dir, facts.needed[n]);
            if (access(path, R_OK) == 0 || machine_has(facts.needed[n]))
                continue;
            snprintf(buf, size, "%s", facts.needed[n]);
            return buf;
        }
    }
    return NULL;
}

/* What the library depends on, of its own suite: for a machine that lacks some of it. */
static int get_extras(struct work *w, struct lib *l, struct err *e)
{
    char soname[ELF_TEXT], names[EXTRAS][LIB_NAME], runtime[LIB_NAME];
    const char *packages[EXTRAS + 1] = {NULL};
    struct apt_package *list = NULL;
    size_t count = 0, used = 0;
    const struct lib_part_entry *entry = lib_part_entry(l->part);
    if (!entry->header || !missing(l, soname, sizeof soname) ||
        !apt_dependency(w->package->depends, entry->runtime_package, runtime, sizeof runtime))
        return 0;
    int rc = apt_versions(&w->apt, runtime, &list, &count, e);
    const char *depends = rc == 0 && count ? list[0].depends : "";
    while (*depends && used < EXTRAS) {
        if (apt_dependency(depends, "lib", names[used], LIB_NAME) &&
            strcmp(names[used], "libc6") != 0) {
            packages[used] = names[used];
            used++;
        }
        depends += strcspn(depends, ",");
        depends += strspn(depends, ", ");
    }
    free(list);
    if (rc == 0 && used)
        rc = get(w, packages, e);
    if (rc == 0 && missing(l, soname, sizeof soname))
        rc = err_set(e, "%s %s needs %s, and neither its suite nor this machine has it",
                     entry->name, l->version, soname);
    return rc;
}

static int add_libc(struct work *w, struct lib *l, struct err *e);

static int fill(struct work *w, struct lib *l, struct err *e)
{
    int rc = make_folders(w, e);
    if (rc == 0)
        rc = get_library(w, l->part, e);
    if (rc == 0)
        rc = lib_examine(l, w->root, e);
    if (rc == 0)
        rc = get_extras(w, l, e);
    if (rc == 0 && l->part != LIB_LIBC && !machine_glibc_suffices(l->glibc))
        rc = add_libc(w, l, e);
    if (rc != 0)
        return rc;
    cache_drop(w->debs);
    return deb_packages_install(l, w->folder, e);
}

/* Adds one version of one pocket. *ret_added: it wasn't there. */
static int add_version(struct work *w, enum lib_part part, struct lib *ret, bool *ret_added,
                       struct err *e)
{
    struct lib *l = ret;
    int rc = deb_packages_have(part, w->package->version, l, e);
    if (rc != 0) {
        *ret_added = false;
        return rc < 0 ? rc : 0;
    }
    *l = (struct lib){.part = part};
    snprintf(l->version, sizeof l->version, "%s", w->package->version);
    snprintf(l->origin, sizeof l->origin, "debian:%s", w->apt.pocket->name);
    fprintf(stderr, "soak: fetching %s %s of %s\n", lib_part_entry(part)->name, l->version,
            w->apt.pocket->name);
    w->folder[0] = '\0';
    rc = fill(w, l, e);
    if (rc != 0 && w->folder[0])
        cache_drop(w->folder);
    *ret_added = true;
    return rc;
}

static const struct apt_package *newest(const struct apt_package *list, size_t count)
{
    const struct apt_package *best = list;
    for (size_t i = 1; i < count; i++)
        if (version_compare(list[i].version, best->version) > 0)
            best = &list[i];
    return best;
}

/* The libc of the suite that `l` is of, which was linked against it. */
static int add_libc(struct work *w, struct lib *l, struct err *e)
{
    struct work *own = calloc(1, sizeof *own);
    struct lib *libc = calloc(1, sizeof *libc);
    struct apt_package *list = NULL;
    size_t count = 0;
    bool added;
    int rc = own && libc ? 0 : err_set(e, "out of memory");
    if (rc == 0)
        rc = apt_open(&own->apt, apt_pocket_named(w->apt.pocket->base_suite), w->mirror, e);
    if (rc == 0)
        rc = apt_update(&own->apt, false, e);
    if (rc >= 0)
        rc = apt_versions(&own->apt, lib_part_entry(LIB_LIBC)->dev_package, &list, &count, e);
    if (rc == 0 && (count == 0 || version_compare(newest(list, count)->version, l->glibc) < 0))
        rc = err_set(e, "%s %s needs libc %s, and %s has none as new",
                     lib_part_entry(l->part)->name, l->version, l->glibc, own->apt.pocket->name);
    if (rc == 0) {
        own->mirror = w->mirror;
        own->package = newest(list, count);
        rc = add_version(own, LIB_LIBC, libc, &added, e);
    }
    if (rc == 0)
        snprintf(l->libc, sizeof l->libc, "%s", libc->name);
    free(list);
    free(libc);
    free(own);
    return rc;
}

/* ---- what there is ---- */

/* The versions that were seen, for a sentence. */
struct seen {
    char text[SEEN];
    struct text list; /* in text */
    size_t matched;
    size_t gone; /* they are in the lists, and no longer on the mirror */
};

static void see(struct seen *s, const char *version)
{
    if (!strstr(s->text, version))
        text_item(&s->list, "%s", version);
}

static void see_nothing(struct seen *s)
{
    s->list = text_list(s->text, sizeof s->text, ", ");
    s->matched = s->gone = 0;
}

static int add_package(const struct fetch *f, struct work *w, const struct apt_package *package,
                       struct err *e)
{
    struct lib *l = calloc(1, sizeof *l);
    bool added = false;
    if (!l)
        return err_set(e, "out of memory");
    w->package = package;
    w->mirror = f->mirror;
    int rc = add_version(w, f->part, l, &added, e);
    if (rc == 0)
        f->on_lib(f->ctx, l, added);
    free(l);
    return rc;
}

static int add_matching(const struct fetch *f, struct work *w, struct seen *seen, struct err *e)
{
    struct apt_package *list = NULL;
    size_t count = 0;
    int rc = apt_versions(&w->apt, lib_part_entry(f->part)->dev_package, &list, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        see(seen, list[i].version);
        if (f->version && !version_means(f->version, list[i].version))
            continue;
        rc = add_package(f, w, &list[i], e);
        seen->matched += rc == 0;
        if (rc == UV_ENOENT) {
            seen->gone++;
            fprintf(stderr, "soak: %s\n", e->text);
            rc = 0;
        }
    }
    free(list);
    return rc;
}

static bool is_asked(const struct apt_pocket *pocket, const char *suite)
{
    return strcmp(pocket->name, suite) == 0 || strcmp(pocket->suite, suite) == 0;
}

/* One pass over the pockets of the suite. A pocket that the mirror lacks is passed over as long as
 * it has another. */
static int add_pockets(const struct fetch *f, bool now, struct seen *seen, struct err *e)
{
    const struct apt_pocket *pocket;
    struct work *w = calloc(1, sizeof *w);
    bool there = false;
    int rc = w ? 0 : err_set(e, "out of memory");
    for (size_t i = 0; rc == 0 && (pocket = apt_pocket_at(i)); i++) {
        if (!is_asked(pocket, f->suite))
            continue;
        rc = apt_open(&w->apt, pocket, f->mirror, e);
        if (rc == 0)
            rc = apt_update(&w->apt, now, e);
        if (rc >= 0)
            rc = add_matching(f, w, seen, e);
        there |= rc == 0;
        rc = rc == UV_ENOENT ? 0 : rc;
    }
    free(w);
    return rc == 0 && !there ? -1 : rc;
}

int fetch_check(const struct fetch *f, struct err *e)
{
    const struct apt_pocket *pocket;
    for (size_t i = 0; (pocket = apt_pocket_at(i)); i++)
        if (is_asked(pocket, f->suite))
            return 0;
    return err_set(e,
                   "debian:%.60s: no such suite; there are bullseye, bookworm, trixie, sid, "
                   "experimental, and pockets such as bookworm-security",
                   f->suite);
}

int fetch_suite(const struct fetch *f, struct err *e)
{
    struct seen seen;
    see_nothing(&seen);
    int rc = fetch_check(f, e);
    if (rc == 0)
        rc = add_pockets(f, false, &seen, e);
    if (rc == 0 && !seen.matched) {
        see_nothing(&seen);
        rc = add_pockets(f, true, &seen, e);
    }
    if (rc != 0 || seen.matched)
        return rc;
    if (seen.gone)
        return err_set(e, "debian:%s: nothing could be fetched", f->suite);
    if (!seen.list.used)
        return err_set(e, "debian:%s has no %s", f->suite, lib_part_entry(f->part)->name);
    return err_set(e, "debian:%s has no %s %.60s; it has %s", f->suite,
                   lib_part_entry(f->part)->name, f->version, seen.text);
}

/* ---- anywhere ---- */

/* Where the version was found. Only one upstream version can be meant. */
struct found {
    size_t from; /* the first pocket to look in */
    const struct apt_pocket *pocket;
    size_t index; /* of the pocket */
    struct apt_package package;
    char upstream[LIB_VERSION];
    bool exact;
    struct seen seen;
};

static int note(const struct fetch *f, size_t index, const struct apt_package *package,
                struct found *found, struct err *e)
{
    char upstream[LIB_VERSION];
    if (found->exact || !version_means(f->version, package->version))
        return 0;
    version_upstream(package->version, upstream, sizeof upstream);
    bool exact = strcmp(f->version, upstream) == 0 || strcmp(f->version, package->version) == 0;
    if (!exact && found->pocket) {
        if (strcmp(upstream, found->upstream) == 0)
            return 0;
        return err_set(e, "%s %s: is that %s or %s?", lib_part_entry(f->part)->name, f->version,
                       found->upstream, upstream);
    }
    found->pocket = apt_pocket_at(index);
    found->index = index;
    found->package = *package;
    found->exact = exact;
    snprintf(found->upstream, sizeof found->upstream, "%s", upstream);
    return 0;
}

static int look_in(const struct fetch *f, size_t index, bool now, struct found *found,
                   struct err *e)
{
    struct apt apt;
    struct apt_package *list = NULL;
    size_t count = 0;
    int rc = apt_open(&apt, apt_pocket_at(index), f->mirror, e);
    if (rc == 0)
        rc = apt_update(&apt, now, e);
    if (rc == UV_ENOENT)
        return 0;
    if (rc >= 0)
        rc = apt_versions(&apt, lib_part_entry(f->part)->dev_package, &list, &count, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        see(&found->seen, list[i].version);
        rc = note(f, index, &list[i], found, e);
    }
    free(list);
    return rc;
}

static int look_everywhere(const struct fetch *f, bool now, struct found *found, struct err *e)
{
    int rc = 0;
    found->pocket = NULL;
    found->exact = false;
    for (size_t i = found->from; rc == 0 && !found->exact && apt_pocket_at(i); i++)
        rc = look_in(f, i, now, found, e);
    return rc;
}

static int add_found(const struct fetch *f, const struct found *found, struct err *e)
{
    struct work *w = calloc(1, sizeof *w);
    int rc = w ? apt_open(&w->apt, found->pocket, f->mirror, e) : err_set(e, "out of memory");
    if (rc == 0)
        rc = add_package(f, w, &found->package, e);
    free(w);
    return rc;
}

/* In the lists as they are, then in new ones. */
static int find_anywhere(const struct fetch *f, struct found *found, struct err *e)
{
    see_nothing(&found->seen);
    int rc = look_everywhere(f, false, found, e);
    if (rc == 0 && !found->pocket) {
        see_nothing(&found->seen);
        rc = look_everywhere(f, true, found, e);
    }
    return rc;
}

static int refuse_version(const struct fetch *f, const struct seen *seen, struct err *e)
{
    err_set(e, "no suite of Debian has %s %.60s; there are %s", lib_part_entry(f->part)->name,
            f->version, seen->list.used ? seen->text : "none at all");
    return seen->list.used ? UV_ENOENT : -1; /* without any, it is the mirror that is wrong */
}

int fetch_look(const struct fetch *f, struct err *e)
{
    struct found found = {.from = 0};
    fprintf(stderr, "soak: looking for %s %s in the suites of Debian\n",
            lib_part_entry(f->part)->name, f->version);
    int rc = find_anywhere(f, &found, e);
    return rc != 0 || found.pocket ? rc : refuse_version(f, &found.seen, e);
}

int fetch_anywhere(const struct fetch *f, struct err *e)
{
    struct found found = {.from = 0};
    int rc = find_anywhere(f, &found, e);
    while (rc == 0 && found.pocket) {
        rc = add_found(f, &found, e);
        if (rc != UV_ENOENT)
            return rc;
        found.seen.gone++;
        found.from = found.index + 1; /* gone from that pocket; another may have it */
        rc = look_everywhere(f, false, &found, e);
    }
    if (rc != 0 || found.seen.gone)
        return rc != 0 ? rc : UV_ENOENT;
    return refuse_version(f, &found.seen, e);
}
