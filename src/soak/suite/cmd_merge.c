/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/check.h"
#include "base/exit_codes.h"
#include "catalog.h"
#include "suite_json.h"
#include "suite_merge.h"
#include "suite_text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS = SUITE_SHARDS, WORDS = 2 * PARTS };

struct options {
    const char *json;
    struct suite_forms forms;
};

static const struct opt table[] = {
    {"json", OPT_OUTPUT, offsetof(struct options, json), "FILE", ".json",
     "write the joined suite.json, to stdout without FILE"},
    SUITE_FORM_OPTIONS(offsetof(struct options, forms)),
};

const struct command merge_command = {
    .name = "merge",
    .run = cmd_merge,
    .words = "SUITES [OPTIONS]",
    .line = "the shards of a suite as one",
    .about = "Joins the suites that `soak suite --shard K/N` left on several machines into one, "
             "with the totals of a single run. SUITES are suite.json files, folders that have one, "
             "or folders of such folders; `last` is the latest in results/runs. A suite that is "
             "found twice, as by the link `last`, counts once; a scenario that is in two suites is "
             "refused; differing versions and machines are noted.\n",
    .after = "Exit: as `soak suite`; 3 also when a shard is missing or wasn't finished.\n",
    .table = table,
    .options = sizeof table / sizeof *table};

struct merging {
    struct suite_part part[PARTS];
    char *path[PARTS], *text[PARTS]; /* owned; where it was found, and its document */
    size_t parts;
};

/* `last` leads to a suite that is there by its own name too; a copy that follows links, such as
 * GitHub's of an artifact, has made a folder of it. */
static bool has(const struct merging *m, const char *text)
{
    for (size_t i = 0; i < m->parts; i++)
        if (strcmp(m->text[i], text) == 0)
            return true;
    return false;
}

static int add_part(struct merging *m, const char *path, struct err *e)
{
    struct suite suite;
    suite_init(&suite);
    int rc = suite_load(&suite, path, e);
    char *text = rc == 0 ? suite_dump(&suite) : NULL;
    CHECK(rc != 0 || text);
    bool more = rc == 0 && !has(m, text);
    if (more && m->parts == PARTS)
        rc = err_set(e, "%.300s: at most %d suites", path, PARTS);
    if (!more || rc != 0) {
        suite_free(&suite);
        free(text);
        return rc;
    }
    m->path[m->parts] = strdup(path);
    CHECK(m->path[m->parts]);
    m->part[m->parts] = (struct suite_part){m->path[m->parts], suite};
    m->text[m->parts++] = text;
    return 0;
}

/* Adds FOLDER/suite.json where there is one. Returns 1, 0 when there is none, or -1. */
static int add_folder(struct merging *m, const char *folder, struct err *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/suite.json", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return err_set(e, "%.60s...: the path is too long", folder);
    if (access(path, F_OK) != 0)
        return 0;
    return add_part(m, path, e) == 0 ? 1 : -1;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Adds the suites of the folders in `folder`. Returns how many, or -1. */
static int add_below(struct merging *m, const char *folder, struct err *e)
{
    struct dirent **entry = NULL;
    int count = scandir(folder, &entry, visible, alphasort), found = 0;
    if (count < 0)
        return err_set(e, "%.300s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char below[PATH_MAX];
        int n = snprintf(below, sizeof below, "%s/%s", folder, entry[i]->d_name);
        int rc = 0;
        if (found >= 0 && n > 0 && (size_t)n < sizeof below)
            rc = add_folder(m, below, e);
        found = rc < 0 ? -1 : found + (found >= 0 ? rc : 0);
        free(entry[i]);
    }
    free(entry);
    return found;
}

static int add_word(struct merging *m, const char *typed, struct err *e)
{
    char path[PATH_MAX];
    struct stat s;
    const char *word = catalog_last(typed, "suite.json", path, sizeof path);
    if (stat(word, &s) != 0)
        return err_set(e, "%.300s: %s", word, strerror(errno));
    if (!S_ISDIR(s.st_mode))
        return add_part(m, word, e);
    int found = add_folder(m, word, e);
    if (found == 0)
        found = add_below(m, word, e);
    return found == 0 ? err_set(e, "%.300s: there is no suite.json in it", word)
                      : (found < 0 ? -1 : 0);
}

static void tell(const struct suite *s, const struct options *o, FILE *text, int exit)
{
    struct suite_ending ending = {.joined = true, .exit = exit, .junit = o->forms.junit};
    for (size_t i = 0; i < s->entries; i++)
        suite_text_row(s, i, text);
    suite_text_summary(s, &ending, text);
    suite_github_summary(s);
}

static int merge(struct merging *m, const struct options *o, struct err *e)
{
    struct outputs outputs = suite_outputs(o->json, &o->forms);
    struct suite s;
    struct suite_totals totals;
    suite_init(&s);
    int code = -1;
    if (suite_merge(&s, m->part, m->parts, e) == 0 && outputs_check(&outputs, e) == 0) {
        suite_count(&s, &totals);
        code = suite_exit_code(&totals);
        if (outputs_write(&outputs, &s, e) != 0) {
            fprintf(stderr, "soak: merge: %s\n", e->text);
            code = code == EXIT_FOUND ? code : EXIT_BROKEN;
        }
        tell(&s, o, outputs_text(&outputs), code);
    }
    suite_free(&s);
    return code;
}

int cmd_merge(int argc, char *const *argv)
{
    struct err e = {{0}};
    struct options o = {.json = NULL};
    const char *word[WORDS];
    struct opts_words words = {.word = word, .size = WORDS};
    int code = command_parse_words(&merge_command, argc, argv, &o, &words);
    if (code >= 0)
        return code;
    struct merging *m = calloc(1, sizeof *m);
    CHECK(m);
    int rc = words.count ? 0 : err_set(&e, "which suites? Give suite.json files or their folders");
    for (size_t i = 0; rc == 0 && i < words.count; i++)
        rc = add_word(m, word[i], &e);
    if (rc == 0)
        code = merge(m, &o, &e);
    if (code < 0)
        code = command_refuse(&merge_command, &e);
    for (size_t i = 0; i < m->parts; i++) {
        suite_free(&m->part[i].suite);
        free(m->path[i]);
        free(m->text[i]);
    }
    free(m);
    return code;
}
