/* SPDX-License-Identifier: Apache-2.0 */
#include "suite_line.h"

#include "base/check.h"
#include "base/input.h"
#include "catalog.h"
#include "commands.h"
#include "libs/cache.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct opt suite_line_own[SUITE_LINE_OWN] = {
    {"shard", OPT_STRING, offsetof(struct suite_line, shard_text), "K/N", NULL,
     "run shard K of N: every Nth scenario, from the Kth on, in the order of names"},
    {"fail-fast", OPT_FLAG, offsetof(struct suite_line, fail_fast), NULL, NULL,
     "end after the first scenario that is not as expected or broken"},
    SUITE_FORM_OPTIONS(offsetof(struct suite_line, forms)),
};

/* `2/3` */
static int read_shard(struct suite_line *line, struct err *e)
{
    char end;
    line->shard = line->of = 1;
    const char *text = line->shard_text;
    if (!text)
        return 0;
    bool plain = strspn(text, "0123456789/") == strlen(text) && strlen(text) < 16;
    if (!plain || sscanf(text, "%" SCNu64 "/%" SCNu64 "%c", &line->shard, &line->of, &end) != 2)
        return err_set(e, "--shard %.40s: not of the form K/N, such as 1/2", text);
    if (line->of > SUITE_SHARDS || line->shard == 0 || line->shard > line->of)
        return err_set(e, "--shard %.40s: from 1/N to N/N, and N is at most %d", text,
                       SUITE_SHARDS);
    return 0;
}

int suite_line_read(struct suite_line *line, int argc, char *const *argv, struct err *e)
{
    _Static_assert(offsetof(struct suite_line, run) == 0, "options of a run keep their offsets");
    const struct command_line own = {
        "suite", {suite_line_own, SUITE_LINE_OWN, argc, argv, NULL}, NULL};
    struct opts_words words;
    *line = (struct suite_line){.words = 0};
    int rc = forwarded_options_read(&line->forwarded_options, &own, line, &words, e);
    line->word = words.word;
    line->words = words.count;
    return rc == 0 ? read_shard(line, e) : -1;
}

static int check_libs(const struct scenario *s, struct err *e)
{
    return lib_asked_check(&(struct lib_asked){{[LIB_OPENSSL] = s->openssl,
                                                [LIB_LIBUV] = s->libuv,
                                                [LIB_JEMALLOC] = s->jemalloc,
                                                [LIB_LIBC] = s->libc}},
                           e);
}

int suite_line_scenario(const struct suite_line *line, const char *path, struct scenario *ret,
                        struct err *e)
{
    struct scenario_origin origin = {0};
    scenario_defaults(ret);
    if (scenario_read_noting(ret, &origin, path, e) != 0)
        return -1;
    if (forwarded_options_apply(&line->forwarded_options, ret, &origin, e) == 0 &&
        (check_libs(ret, e) == 0 || scenario_locate(&origin, e) == 0))
        return 0;
    /* What the file's own line says has its place; what doesn't go with it gets the file's name. */
    return strncmp(e->text, "--", 2) == 0 ? err_prefix(e, "%.300s", path) : -1;
}

void suite_line_free(struct suite_line *line)
{
    forwarded_options_free(&line->forwarded_options);
    free(line->word);
}

/* ---- which scenarios ---- */

static const char suffix[] = ".soak";

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
    if ((word[0] == '.' || strchr(word, '/')) && input_is_folder(word))
        return add_folder(f, word, e);
    if (catalog_path(word, path, sizeof path, e) == 0)
        return add_file(f, path, e);
    int n = snprintf(path, sizeof path, "%s/scenarios/%s", catalog_root(), word);
    if (n > 0 && (size_t)n < sizeof path && input_is_folder(path))
        return add_folder(f, path, e);
    return input_is_folder(word) ? add_folder(f, word, e) : -1;
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
