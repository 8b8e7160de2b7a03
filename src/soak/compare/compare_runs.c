/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_runs.h"

#include "compare_document.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 128 };

static const char *const parts[] = {"openssl", "libuv", "jemalloc", "malloc", "libc"};

/* `20261122-204222-default` of a folder or of its result.json. */
static void folder_name(const char *word, char *name, size_t size)
{
    char path[PATH_MAX];
    static const char file[] = "/result.json";
    if (!realpath(word, path))
        snprintf(path, sizeof path, "%s", word);
    size_t length = strlen(path), end = sizeof file - 1;
    if (length > end && strcmp(path + length - end, file) == 0)
        path[length - end] = '\0';
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%.*s", (int)size - 1, slash && slash[1] ? slash + 1 : path);
}

static bool told_apart(const struct compare_set *s, const char *part)
{
    for (size_t i = 0; i < s->entries; i++) {
        const char *a = compare_entry_version(&s->entry[i], part);
        if (!a)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(a, compare_entry_version(&s->entry[k], part)) == 0)
                return false;
    }
    return true;
}

/* Debian's revision stays out of a name unless it alone makes the difference: the table of what was
 * mapped has it. */
static void name_by_part(struct compare_set *s, const char *part)
{
    s->part = compare_set_text(s, part);
    for (size_t i = 0; i < s->entries; i++)
        s->entry[i].name = compare_set_text(s, compare_entry_version(&s->entry[i], part));
}

static void name_entries(struct compare_set *s)
{
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        if (!told_apart(s, parts[p]))
            continue;
        name_by_part(s, parts[p]);
        return;
    }
}

/* Two folders of one name are told apart by the words. */
static const char *name_of(const struct compare_set *s, const char *word, char *name, size_t size)
{
    folder_name(word, name, size);
    for (size_t i = 0; i < s->entries; i++)
        if (strcmp(s->entry[i].name, name) == 0)
            return word;
    return name;
}

static int load_one(struct compare_set *s, const char *word, struct err *e)
{
    char name[NAME];
    struct document *document = document_load(word, e);
    if (!document)
        return -1;
    struct compare_entry *entry = compare_set_add(s, name_of(s, word, name, sizeof name));
    const char *scenario = document->result.scenario;
    int rc = compare_document_add(s, entry, document, s->entries, e);
    if (rc != 0)
        err_prefix(e, "%.300s", word);
    else if (s->entries == 1)
        s->scenario = scenario ? compare_set_text(s, scenario) : "";
    else if (!scenario || strcmp(scenario, s->scenario) != 0)
        rc = err_set(e, "%.300s: it is a run of '%.60s', and the first is one of '%.60s'", word,
                     scenario ? scenario : "", s->scenario);
    document_free(document);
    return rc;
}

int compare_runs_load(struct compare_set *s, const char *const *word, size_t words, struct err *e)
{
    if (words > COMPARE_VERSIONS)
        return err_set(e, "at most %d runs", COMPARE_VERSIONS);
    for (size_t i = 0; i < words; i++)
        if (load_one(s, word[i], e) != 0)
            return -1;
    name_entries(s);
    s->planned = s->done = 0;
    s->state = COMPARE_STATE_ALL;
    return 0;
}
