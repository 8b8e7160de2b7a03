/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_prepare.h"

#include "base/check.h"
#include "library/assembly.h"
#include "library/program.h"
#include "libs/cache.h"
#include "libs/version.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)PREPARE_NAME >= (int)LIB_NAME, "every name of a library has room");

/* `5.3.0` of `jemalloc-5.3.0`; NULL of `jemalloc` and `libc`, which are the build's own. */
static const char *jemalloc_of(const char *name)
{
    const char *dash = name ? strchr(name, '-') : NULL;
    return dash ? dash + 1 : NULL;
}

static struct assembly_request request_of(const struct prepare_request *q, const char *name,
                                          const char *libc)
{
    const char *asked[COMPARE_PARTS];
    for (int p = 0; p < COMPARE_PARTS; p++)
        asked[p] = p == (int)q->part ? name : q->fixed[p];
    const char *jemalloc = jemalloc_of(asked[COMPARE_MALLOC]);
    return (struct assembly_request){.openssl = asked[COMPARE_OPENSSL],
                                     .libuv = asked[COMPARE_LIBUV],
                                     .jemalloc = jemalloc ? jemalloc : q->jemalloc,
                                     .libc = libc ? libc : q->libc};
}

static enum lib_part lib_part_of(enum compare_part part)
{
    switch (part) {
    case COMPARE_OPENSSL:
        return LIB_OPENSSL;
    case COMPARE_LIBUV:
        return LIB_LIBUV;
    case COMPARE_MALLOC:
        return LIB_JEMALLOC;
    case COMPARE_PROGRAM:
        break; /* not of the cache of libraries */
    }
    check_fail(__FILE__, __LINE__, "every part has its libraries");
}

/* Two names may mean one library, which would be compared with itself. `used` has the library of
 * each name until i. */
static int check_apart(const struct prepare_request *q, char used[][LIB_NAME], size_t i,
                       struct err *e)
{
    for (size_t k = 0; k < i && used[i][0]; k++)
        if (strcmp(used[k], used[i]) == 0)
            return err_set(e, "--%s: %.60s and %.60s are the same library, %s",
                           compare_part_name(q->part), q->name[k], q->name[i], used[i]);
    return 0;
}

/* Makes all of them; the newest libc among them goes to `newest`, empty when all run on this
 * machine's. */
static int make_all(const struct prepare_request *q, const char *libc, struct lib *newest,
                    struct err *e)
{
    char used[PREPARE_NAMES][LIB_NAME];
    newest->name[0] = newest->version[0] = '\0';
    CHECK(q->names <= PREPARE_NAMES);
    for (size_t i = 0; i < q->names; i++) {
        static struct assembly made; /* large */
        struct assembly_request request = request_of(q, q->name[i], libc);
        int rc = assembly_make(&request, &made, e);
        if (rc < 0)
            return rc;
        snprintf(used[i], sizeof used[i], "%s", made.part[lib_part_of(q->part)].name);
        if (check_apart(q, used, i, e) != 0)
            return -1;
        const struct lib *of_libc = &made.part[LIB_LIBC];
        if (of_libc->name[0] && version_compare(of_libc->version, newest->version) > 0)
            *newest = *of_libc;
    }
    return 0;
}

/* All names mean something before the first is fetched or built, which takes minutes. */
static int resolve_all(const struct prepare_request *q, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < q->names; i++) {
        struct assembly_request request = request_of(q, q->name[i], NULL);
        rc = assembly_check(&request, e);
    }
    for (size_t i = 0; rc == 0 && i < q->names; i++) {
        struct assembly_request request = request_of(q, q->name[i], NULL);
        rc = assembly_resolve(&request, e);
    }
    return rc;
}

/* Programs come with all that they run on. */
static int prepare_programs(const struct prepare_request *q, struct err *e)
{
    char root[PATH_MAX];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < q->names; i++)
        rc = program_make(q->name[i], NULL, root, e);
    return rc;
}

int compare_prepare(const struct prepare_request *q, struct prepared *ret, struct err *e)
{
    struct lib newest, same;
    struct prepared prepared = {.libc = ""};
    if (q->part == COMPARE_PROGRAM) {
        *ret = prepared;
        return prepare_programs(q, e);
    }
    int rc = resolve_all(q, e);
    if (rc == 0)
        rc = make_all(q, NULL, &newest, e);
    if (rc == 0 && q->same_libc && newest.name[0]) {
        snprintf(prepared.libc, sizeof prepared.libc, "%s", newest.name);
        rc = make_all(q, newest.name, &same, e);
    }
    if (rc != 0)
        return rc;
    *ret = prepared;
    return 0;
}

int compare_prepare_list(enum compare_part part, struct prepare_list *ret, struct err *e)
{
    struct cache_list list;
    const char *prefix = part == COMPARE_MALLOC ? "jemalloc-" : "";
    if (cache_list(&list, e) != 0)
        return -1;
    *ret = (struct prepare_list){.count = 0};
    for (size_t i = 0; i < list.count && ret->count < PREPARE_NAMES; i++) {
        const struct lib *l = &list.lib[i];
        if (l->part != lib_part_of(part) || !isdigit((unsigned char)l->name[0]))
            continue;
        int n = snprintf(ret->name[ret->count], PREPARE_NAME, "%s%.50s", prefix, l->name);
        ret->count += n > 0 && n < PREPARE_NAME;
    }
    cache_list_free(&list);
    return 0;
}
