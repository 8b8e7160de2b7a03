/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include "base/check.h"
#include "base/process.h"
#include "base/text.h"
#include "scenario/scenario.h"

#include <gnu/lib-names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* What the children get of the caller's: where a sanitizer's runtime looks for its symbolizer, and
 * its options, which mean nothing to any other build. */
static const char *const kept[] = {"PATH",         "HOME",          "TMPDIR",       "ASAN_OPTIONS",
                                   "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", NULL};

/* What would change how a process loads, allocates or speaks TLS: the dynamic linker and glibc
 * (ld.so(8), mallopt(3)), jemalloc, OpenSSL (openssl-env(7)), libuv. The rest isn't worth a line in
 * the manifest, and what our programs make nothing of isn't worth one on the terminal. */
static const struct {
    const char *begin;
    bool told;
} matters[] = {{"LD_", true},           {"GLIBC_TUNABLES", true},
               {"MALLOC_", true},       {"_RJEM_MALLOC_CONF", true},
               {"OPENSSL_", true},      {"OSSL_", true},
               {"SSLKEYLOGFILE", true}, {"UV_", true},
               {"SSL_", false},         {"CTLOG_FILE", false},
               {"QLOGDIR", false},      {"RANDFILE", false},
               {"GCONV_PATH", false},   {"LOCPATH", false},
               {"RES_OPTIONS", false},  {"LOCALDOMAIN", false},
               {"HOSTALIASES", false}};

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

/* Whether a list such as PATH, with colons between its folders, has this one. */
static bool has_folder(const char *list, const char *folder)
{
    size_t length = strlen(folder);
    for (const char *p = list; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL)
        if (strncmp(p, folder, length) == 0 && (!p[length] || p[length] == ':'))
            return true;
    return false;
}

void environment_find_servers(void)
{
    static const char *const folders[] = {"/usr/local/sbin", "/usr/sbin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = getenv("PATH");
        char *longer = NULL;
        if (!path || !*path || has_folder(path, folders[i]))
            continue;
        CHECK(asprintf(&longer, "%s:%s", path, folders[i]) > 0);
        CHECK(setenv("PATH", longer, 1) == 0);
        free(longer);
    }
}

/* The item of the list that sets the same variable, or NULL. */
static const char *find(const struct opts_list *list, const char *variable)
{
    size_t length = name_length(variable);
    for (size_t i = 0; i < list->count; i++)
        if (name_length(list->item[i]) == length && strncmp(list->item[i], variable, length) == 0)
            return list->item[i];
    return NULL;
}

/* `told`: only what is worth a line on the terminal. */
static bool does_matter(const char *variable, bool told)
{
    for (size_t i = 0; i < sizeof matters / sizeof *matters; i++)
        if (strncmp(variable, matters[i].begin, strlen(matters[i].begin)) == 0)
            return matters[i].told || !told;
    return false;
}

/* A list of libraries or folders: the user's, then soak's own, or the other way round. */
static char *joined(const char *name, const char *first, const char *second)
{
    char *text = NULL;
    int n = asprintf(&text, "%s=%s%s%s", name, first, *first && *second ? ":" : "", second);
    CHECK(n > 0);
    return text;
}

static const char *value_of(const struct opts_list *list, const char *name)
{
    const char *item = find(list, name);
    return item ? item + name_length(item) + 1 : "";
}

static char *copied(const char *variable)
{
    char *copy = strdup(variable);
    CHECK(copy);
    return copy;
}

/* What soak sets goes beside what the user passes on: the user's library comes first and finds
 * libc's functions behind its own; the folders of the libraries that were asked for come before
 * others. */
static size_t add_own(char **to, const struct environment_request *q)
{
    bool libc = q->allocator != MALLOC_JEMALLOC && SCENARIO_JEMALLOC && !q->preload;
    const char *preload = value_of(q->passed, "LD_PRELOAD");
    const char *path = value_of(q->passed, "LD_LIBRARY_PATH");
    const char *own = q->preload ? q->preload : libc ? LIBC_SO : "";
    size_t used = 0;
    if (*own || *preload)
        to[used++] = joined("LD_PRELOAD", preload, own);
    if (q->page)
        to[used++] = joined("SOAK_PROBE", q->page, "");
    if (*q->library_path || *path)
        to[used++] = joined("LD_LIBRARY_PATH", q->library_path, path);
    return used;
}

static bool is_own(const char *variable)
{
    return strncmp(variable, "LD_PRELOAD=", 11) == 0 ||
           strncmp(variable, "LD_LIBRARY_PATH=", 16) == 0;
}

char **environment_make(const struct environment_request *q)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **copy = calloc(count + q->passed->count + 4, sizeof *copy);
    CHECK(copy);
    size_t used = add_own(copy, q);
    for (size_t i = 0; i < count; i++)
        if (process_sets_one_of(environ[i], kept) && !find(q->passed, environ[i]))
            copy[used++] = copied(environ[i]);
    for (size_t i = 0; i < q->passed->count; i++)
        if (!is_own(q->passed->item[i]))
            copy[used++] = copied(q->passed->item[i]);
    return copy;
}

void environment_free(char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
}

void environment_set_aside(const struct opts_list *passed,
                           void (*each)(void *ctx, const char *variable), void *ctx)
{
    for (size_t i = 0; environ[i]; i++)
        if (does_matter(environ[i], false) && !process_sets_one_of(environ[i], kept) &&
            !find(passed, environ[i]))
            each(ctx, environ[i]);
}

static void add_name(void *ctx, const char *variable)
{
    if (does_matter(variable, true))
        text_item(ctx, "%.*s", (int)name_length(variable), variable);
}

bool environment_text(const struct opts_list *passed, char *buf, size_t size)
{
    char names[256];
    struct text list = text_list(names, sizeof names, ", ");
    environment_set_aside(passed, add_name, &list);
    if (list.used)
        snprintf(
            buf, size,
            "%s%s of your environment set aside for server and client; --env NAME=VALUE passes "
            "one on",
            names, list.cut ? "..." : "");
    return list.used > 0;
}

int environment_check(int allocator, const char *libs, struct err *e)
{
    const char *said = strrchr(libs, ' ');
    const char *wanted = allocator == MALLOC_JEMALLOC ? "jemalloc=" : "malloc=glibc-";
    /* A build without jemalloc (for the sanitizers) runs on what it has, and says what that is. */
    if (!SCENARIO_JEMALLOC || strstr(libs, wanted))
        return 0;
    return err_set(e,
                   "--malloc %s is asked for and it runs on another allocator (%s); is "
                   "something preloaded?",
                   malloc_kind_name((enum malloc_kind)allocator),
                   said ? said + 1 : "it doesn't say");
}
