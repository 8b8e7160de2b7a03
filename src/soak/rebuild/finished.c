/* SPDX-License-Identifier: Apache-2.0 */
#include "finished.h"

#include "base/input.h"
#include "base/words.h"
#include "catalog.h"
#include "report/html/html.h"
#include "shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The folder without links, as the run itself knew it. */
static int find_folder(struct finished *f, const char *path, struct err *e)
{
    char near[PATH_MAX], *slash;
    int n = snprintf(near, sizeof near, "%s", path);
    if (n < 0 || (size_t)n >= sizeof near)
        return err_set(e, "%.60s...: the path is too long", path);
    if (!input_is_folder(near) && (slash = strrchr(near, '/')))
        slash[slash == near] = '\0';
    else if (!input_is_folder(near))
        snprintf(near, sizeof near, ".");
    return realpath(near, f->folder) ? 0 : err_set(e, "%.300s: there is no such folder", near);
}

/* Runs of --fail-alloc have none that this reads. */
static void load_samples(struct finished *f)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/samples.jsonl", f->folder);
    struct err missing;
    if (n > 0 && (size_t)n < sizeof path)
        samples_load(&f->samples, path, &missing);
}

/* Where it is shown to be is where it lies now. */
static void show(struct finished *f)
{
    struct result *r = &f->document->result;
    r->shown_dir = shown_dir(f->folder);
    r->last_dir = shown_last(r->shown_dir, f->last, sizeof f->last);
}

int finished_open(struct finished *f, const char *path, struct err *e)
{
    *f = (struct finished){.document = NULL};
    f->document = document_load(path, e);
    if (!f->document)
        return -1;
    if (f->document->torture)
        return err_set(e,
                       "%.300s: a run with --fail-alloc, which leaves no more than its result.json "
                       "and samples.jsonl",
                       path);
    if (find_folder(f, path, e) != 0)
        return -1;
    if (shortest_load(&f->shortest, f->folder, e) != 0)
        return -1;
    load_samples(f);
    show(f);
    f->stacks = html_stacks(&f->document->result, e);
    return f->stacks ? 0 : err_prefix(e, "%.300s", path);
}

void finished_close(struct finished *f)
{
    if (f->stacks)
        profile_free(f->stacks);
    samples_free(&f->samples);
    shortest_free(&f->shortest);
    document_free(f->document);
    *f = (struct finished){.document = NULL};
}

char *finished_scenario(const struct result *r, char *buf, size_t size)
{
    struct words words = {.count = 0};
    struct err e;
    bool read = r->again && !strstr(r->again, "$'") && /* which only a shell can read */
                words_split(r->again, NULL, &words, &e) == 0 && words.count > 2 &&
                strcmp(words.argv[1], "run") == 0;
    const char *word = read ? words.argv[2] : r->scenario ? r->scenario : "default";
    if (catalog_is_path(word))
        snprintf(buf, size, "%s", strncmp(word, "./", 2) == 0 ? word + 2 : word);
    else
        snprintf(buf, size, "scenarios/%s.soak", word);
    return buf;
}
