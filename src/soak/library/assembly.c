/* SPDX-License-Identifier: Apache-2.0 */
#include "assembly.h"

#include "base/text.h"
#include "catalog.h"
#include "fetch.h"
#include "libs/cache.h"
#include "libs/elf_facts.h"
#include "libs/version.h"
#include "machine.h"
#include "prefix.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the libraries ---- */

static void ignore(void *ctx, const struct lib *l, bool added)
{
    (void)ctx;
    (void)l;
    (void)added;
}

static int find_or_fetch(enum lib_part part, const char *asked, struct lib *ret, struct err *e)
{
    int rc = cache_find(part, asked, ret, e);
    if (rc != 0)
        return rc > 0 ? 0 : rc;
    int lock = cache_lock(e);
    if (lock < 0)
        return -1;
    struct fetch fetch = {.part = part, .version = asked, .on_lib = ignore};
    rc = cache_find(part, asked, ret, e); /* another process may have brought it meanwhile */
    if (rc == 0 && (rc = fetch_anywhere(&fetch, e)) == 0)
        rc = cache_find(part, asked, ret, e);
    close(lock);
    if (rc == 0)
        return err_set(e, "%s %s: it was fetched and isn't in the cache",
                       lib_part_entry(part)->name, asked);
    return rc > 0 ? 0 : rc;
}

static int find_or_look(enum lib_part part, const char *asked, struct err *e)
{
    struct lib *found = malloc(sizeof *found);
    int rc = found ? cache_find(part, asked, found, e) : err_set(e, "out of memory");
    free(found);
    if (rc != 0)
        return rc > 0 ? 0 : rc;
    int lock = cache_lock(e);
    if (lock < 0)
        return -1;
    rc = fetch_look(&(struct fetch){.part = part, .version = asked}, e);
    close(lock);
    return rc;
}

/* A prefix has no name, so it gets one that is the same each time: its last folder's, and a sum of
 * the path (FNV-1a). */
static void name_prefix(struct lib *l)
{
    const char *root = strchr(l->origin, '/'), *slash = strrchr(root, '/');
    uint32_t sum = 2166136261u;
    for (const char *p = root; *p; p++)
        sum = (sum ^ (unsigned char)*p) * 16777619u;
    snprintf(l->folder, sizeof l->folder, "%s", root);
    snprintf(l->name, sizeof l->name, "%.40s.%08x", slash[1] ? slash + 1 : "root", sum);
    if (!lib_name_ok(l->name))
        snprintf(l->name, sizeof l->name, "prefix.%08x", sum);
}

static int resolve(enum lib_part part, const char *asked, struct lib *ret, struct err *e)
{
    *ret = (struct lib){.part = part};
    if (!asked || strcmp(asked, "system") == 0)
        return 0;
    if (!strchr(asked, '/'))
        return find_or_fetch(part, asked, ret, e);
    if (prefix_examine(asked, part, ret, e) != 0)
        return -1;
    name_prefix(ret);
    return 0;
}

/* ---- libc ---- */

static int own_server(struct elf_facts *ret, struct err *e)
{
    char folder[PATH_MAX], path[PATH_MAX + 16];
    if (catalog_programs(folder, sizeof folder, e) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/soak-server", folder);
    return elf_facts_read(path, ret, e);
}

static bool in_use(const struct lib *l)
{
    return l->name[0] != '\0';
}

/* The part that needs the newest libc; NULL: the machine's suffices for all. */
static const struct lib *most_demanding(const struct lib *part)
{
    const struct lib *most = NULL;
    for (int i = 0; i < LIB_LIBC; i++)
        if (in_use(&part[i]) && !machine_glibc_suffices(part[i].glibc) &&
            (!most || version_compare(part[i].glibc, most->glibc) > 0))
            most = &part[i];
    return most;
}

/* The newest libc that a suite of one of the parts brought; for parts that brought none (files,
 * prefixes), the oldest in the cache that suffices. */
static int choose_libc(struct lib *part, const struct lib *most, struct err *e)
{
    struct cache_list list;
    const struct lib *best = NULL;
    if (cache_list(&list, e) != 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        const struct lib *l = &list.lib[i];
        bool brought = false;
        if (l->part != LIB_LIBC || version_compare(l->version, most->glibc) < 0)
            continue;
        for (int p = 0; p < LIB_LIBC; p++)
            brought |= in_use(&part[p]) && strcmp(part[p].libc, l->name) == 0;
        if (brought || !best)
            best = l;
    }
    if (best)
        part[LIB_LIBC] = *best;
    cache_list_free(&list);
    if (best)
        return 0;
    return err_set(e,
                   "%s %s needs libc %s and this machine has %s: `soak libs add "
                   "debian:trixie/libc` or another suite's brings one",
                   lib_part_entry(most->part)->name, most->name, most->glibc, machine_glibc());
}

/* A libc that was asked for must do for every part, and for what is compiled here. */
static int check_libc(const struct lib *part, struct err *e)
{
    struct elf_facts server;
    const struct lib *libc = &part[LIB_LIBC];
    if (own_server(&server, e) != 0)
        return -1;
    if (version_compare(libc->version, server.glibc) < 0)
        return err_set(e, "libc %s is too old: what is compiled on this machine needs %s",
                       libc->name, server.glibc);
    for (int i = 0; i < LIB_LIBC; i++)
        if (in_use(&part[i]) && version_compare(libc->version, part[i].glibc) < 0)
            return err_set(e, "libc %s is too old for %s %s, which needs %s", libc->name,
                           lib_part_entry((enum lib_part)i)->name, part[i].name, part[i].glibc);
    return 0;
}

static int settle_libc(struct lib *part, struct err *e)
{
    const struct lib *most = most_demanding(part);
    if (in_use(&part[LIB_LIBC]))
        return check_libc(part, e);
    return most ? choose_libc(part, most, e) : 0;
}

/* ---- built or not ---- */

static bool is_needed(const struct elf_facts *facts, const char *soname)
{
    for (size_t i = 0; i < facts->needed_count; i++)
        if (strcmp(facts->needed[i], soname) == 0)
            return true;
    return false;
}

/* A library without headers stands in for the machine's, so it must have the same SONAMEs. */
static int check_sonames(const struct lib *part, struct err *e)
{
    struct elf_facts server;
    if (own_server(&server, e) != 0)
        return -1;
    for (int i = 0; i < LIB_LIBC; i++) {
        const struct lib *l = &part[i];
        for (size_t s = 0; in_use(l) && !l->includes && s < l->sonames; s++)
            if (!is_needed(&server, l->soname[s]))
                return err_set(e,
                               "%s %s is %s, another than this machine's, and has no headers: add "
                               "its %s package with it",
                               lib_part_entry(l->part)->name, l->name, l->soname[s],
                               lib_part_entry(l->part)->dev_package);
    }
    return 0;
}

/* Whether the build's own programs can run with these libraries as they are. */
static bool runs_as_it_is(const struct lib *part)
{
    for (int i = 0; i < LIB_LIBC; i++)
        if (in_use(&part[i]) && part[i].includes)
            return false;
    return !in_use(&part[LIB_LIBC]);
}

static int use_own(struct assembly *a, struct err *e)
{
    struct text path = text_list(a->library_path, sizeof a->library_path, ":");
    for (int i = 0; i < LIB_LIBC; i++) {
        if (in_use(&a->part[i]))
            text_item(&path, "%s", a->part[i].library_dir);
    }
    if (path.cut)
        return err_set(e, "the paths of the libraries are too long");
    return catalog_programs(a->folder, sizeof a->folder, e);
}

int assembly_make_of(const struct lib parts[LIB_PARTS], struct assembly *ret, struct err *e)
{
    struct assembly *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(e, "out of memory");
    memcpy(a->part, parts, sizeof a->part);
    int rc = settle_libc(a->part, e);
    if (rc == 0)
        rc = check_sonames(a->part, e);
    if (rc == 0)
        rc = runs_as_it_is(a->part) ? use_own(a, e) : assembly_build(a, e);
    if (rc == 0)
        *ret = *a;
    free(a);
    return rc;
}

static const char *asked_of(const struct assembly_request *q, int part)
{
    const char *const asked[LIB_PARTS] = {[LIB_OPENSSL] = q->openssl,
                                          [LIB_LIBUV] = q->libuv,
                                          [LIB_JEMALLOC] = q->jemalloc,
                                          [LIB_LIBC] = q->libc};
    return asked[part];
}

int assembly_check(const struct assembly_request *q, struct err *e)
{
    if (q->jemalloc && strcmp(q->jemalloc, "system") != 0 && !SCENARIO_JEMALLOC)
        return err_set(e, "jemalloc %.60s: soak was built without jemalloc", q->jemalloc);
    struct lib_asked names;
    for (int i = 0; i < LIB_PARTS; i++)
        names.name[i] = asked_of(q, i);
    return lib_asked_check(&names, e);
}

int assembly_resolve(const struct assembly_request *q, struct err *e)
{
    struct lib *prefix = malloc(sizeof *prefix);
    int rc = prefix ? assembly_check(q, e) : err_set(e, "out of memory");
    for (int i = 0; rc == 0 && i < LIB_PARTS; i++) {
        const char *asked = asked_of(q, i);
        if (!asked || strcmp(asked, "system") == 0)
            continue;
        rc = strchr(asked, '/') ? prefix_examine(asked, (enum lib_part)i, prefix, e)
                                : find_or_look((enum lib_part)i, asked, e);
    }
    free(prefix);
    return rc;
}

int assembly_make(const struct assembly_request *q, struct assembly *ret, struct err *e)
{
    struct lib *part = calloc(LIB_PARTS, sizeof *part);
    int rc = part ? assembly_resolve(q, e) : err_set(e, "out of memory");
    for (int i = 0; rc == 0 && i < LIB_PARTS; i++)
        rc = resolve((enum lib_part)i, asked_of(q, i), &part[i], e);
    if (rc == 0)
        rc = assembly_make_of(part, ret, e);
    free(part);
    return rc;
}

bool assembly_owns(const struct assembly *a, enum lib_part part, const char *mapped_path)
{
    return in_use(&a->part[part]) && lib_owns(&a->part[part], mapped_path);
}
