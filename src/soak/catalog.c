/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include "base/input.h"
#include "base/process.h"
#include "base/text.h"
#include "options/grammar.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH = 4, LINE = 512 };

static const char suffix[] = ".soak";

static bool has_suffix(const char *word)
{
    size_t length = strlen(word), end = sizeof suffix - 1;
    return length > end && strcmp(word + length - end, suffix) == 0;
}

static void add(struct catalog *c, const char *name)
{
    size_t length = strlen(name) - (sizeof suffix - 1);
    if (c->count < CATALOG_MAX && length < CATALOG_NAME)
        snprintf(c->name[c->count++], CATALOG_NAME, "%.*s", (int)length, name);
}

static bool is_folder(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && input_is_folder(path);
}

/* ---- where things lie ---- */

/* What the launcher of a clone sets. */
static const char *clone_root(void)
{
    const char *root = getenv("SOAK_ROOT");
    return root && root[0] ? root : NULL;
}

/* The folder in which `cmake --install` put what the program reads, wherever that was moved to
 * since; NULL where there is none. */
static const char *installed_root(void)
{
    static char root[PATH_MAX]; /* found once: a program stays where it is */
    char folder[PATH_MAX], path[2 * PATH_MAX];
    struct err e;
    if (root[0])
        return root;
    if (process_own_folder(folder, sizeof folder, &e) != 0)
        return NULL;
    snprintf(path, sizeof path, "%s/" SOAK_DATA, folder);
    return is_folder(path, "scenarios") ? realpath(path, root) : NULL;
}

int catalog_programs(char *ret, size_t size, struct err *e)
{
    char own[PATH_MAX], path[2 * PATH_MAX], real[PATH_MAX];
    if (process_own_folder(own, sizeof own, e) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/soak-server", own);
    bool beside = access(path, X_OK) == 0;
    snprintf(path, sizeof path, "%s/" SOAK_PROGRAMS, own);
    snprintf(ret, size, "%s", !beside && realpath(path, real) ? real : own);
    return 0;
}

bool catalog_is_installed(void)
{
    return !clone_root() && installed_root();
}

const char *catalog_root(void)
{
    const char *root = clone_root();
    if (!root)
        root = installed_root();
    return root ? root : ".";
}

/* The folder for what a program keeps of its runs, by the XDG base directory specification, which
 * has relative ones ignored. */
static void add_state(struct text *text)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        text_add(text, "%s/soak", state);
    else if (home && home[0] == '/')
        text_add(text, "%s/.local/state/soak", home);
    else
        text_add(text, "./results");
}

const char *catalog_results(const char *asked, const char *kind, char path[PATH_MAX])
{
    struct text text = text_into(path, PATH_MAX);
    if (asked)
        return asked;
    if (catalog_is_installed())
        add_state(&text);
    else
        text_add(&text, "%s/results", catalog_root());
    text_add(&text, "%s%s", kind[0] ? "/" : "", kind);
    return path;
}

const char *catalog_below_root(const char *path)
{
    const char *root = catalog_root();
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

const char *catalog_from_here(const char *path, char buf[PATH_MAX])
{
    if (path[0] == '/' || access(path, F_OK) == 0)
        return path;
    int n = snprintf(buf, PATH_MAX, "%s/%s", catalog_root(), path);
    return n > 0 && n < PATH_MAX && access(buf, F_OK) == 0 ? buf : path;
}

/* ---- names ---- */

/* Adds what is in `folder` of scenarios/ ("" or "family/"). */
static void read_folder(struct catalog *c, const char *folder, int depth)
{
    char path[2 * PATH_MAX], name[2 * CATALOG_NAME];
    struct dirent **entry = NULL;
    snprintf(path, sizeof path, "%s/scenarios/%s", catalog_root(), folder);
    int count = depth > DEPTH ? 0 : scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        bool folders = is_folder(path, entry[i]->d_name);
        int n = snprintf(name, sizeof name, "%s%s%s", folder, entry[i]->d_name, folders ? "/" : "");
        bool fits = n > 0 && (size_t)n < sizeof name && entry[i]->d_name[0] != '.';
        if (fits && folders)
            read_folder(c, name, depth + 1);
        else if (fits && has_suffix(name))
            add(c, name);
        free(entry[i]);
    }
    free(entry);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void catalog_read(struct catalog *c)
{
    c->count = 0;
    read_folder(c, "", 1);
    qsort(c->name, c->count, sizeof c->name[0], by_name);
}

int catalog_refuse(const char *what, const char *word, struct err *e)
{
    struct catalog *c = malloc(sizeof *c);
    const char *names[CATALOG_MAX];
    char text[256];
    struct text list = text_list(text, sizeof text, ", ");
    if (!c)
        return err_set(e, "out of memory");
    catalog_read(c);
    for (size_t i = 0; i < c->count; i++) {
        names[i] = c->name[i];
        text_item(&list, "%s", c->name[i]);
    }
    const char *nearest = grammar_nearest(word, names, c->count);
    if (nearest)
        err_set(e, "%.60s: no such %s; did you mean %s?", word, what, nearest);
    else if (c->count == 0)
        err_set(e,
                "%.60s: no such %s: %.200s/scenarios has none; start soak by the ./soak of its "
                "clone, or give a file",
                word, what, catalog_root());
    else if (!list.cut)
        err_set(e, "%.60s: no such %s; scenarios/ has %s", word, what, text);
    else
        err_set(e, "%.60s: no such %s; `soak list scenarios` has the scenarios", word, what);
    free(c);
    return -1;
}

const char *catalog_nearest(const char *word, char *buf, size_t size)
{
    struct catalog *c = malloc(sizeof *c);
    const char *names[CATALOG_MAX];
    if (!c)
        return NULL;
    catalog_read(c);
    for (size_t i = 0; i < c->count; i++)
        names[i] = c->name[i];
    const char *nearest = grammar_nearest(word, names, c->count);
    if (nearest)
        snprintf(buf, size, "%s", nearest);
    free(c);
    return nearest ? buf : NULL;
}

/* Drops the working folder from the beginning of a path: what people read and copy is short. */
static void shorten(char *path)
{
    char folder[PATH_MAX];
    if (!getcwd(folder, sizeof folder))
        return;
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) == 0 && path[length] == '/')
        memmove(path, path + length + 1, strlen(path + length + 1) + 1);
}

bool catalog_is_path(const char *word)
{
    return has_suffix(word) || word[0] == '/' || word[0] == '.';
}

int catalog_path(const char *word, char *path, size_t size, struct err *e)
{
    bool is_path = catalog_is_path(word);
    int n = is_path ? snprintf(path, size, "%s", word)
                    : snprintf(path, size, "%s/scenarios/%s%s", catalog_root(), word, suffix);
    if (n < 0 || (size_t)n >= size)
        return err_set(e, "%.60s...: the scenario's path is too long", word);
    if (!text_is_utf8(word))
        return err_set(e, "%s: a scenario's name must be UTF-8 text", word);
    if (access(path, R_OK) == 0) {
        if (!is_path)
            shorten(path);
        return 0;
    }
    if (!is_path && strchr(word, '/') && access(word, R_OK) == 0) {
        n = snprintf(path, size, "%s", word);
        return n > 0 && (size_t)n < size ? 0 : err_set(e, "%.60s...: too long", word);
    }
    if (is_path)
        return err_set(e, "%.200s: the scenario can't be read: %s", word, strerror(errno));
    return catalog_refuse("scenario", word, e);
}

static bool holds(const char *folder, const char *name, const char *document)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s/%s", folder, name, document);
    return n > 0 && n < (int)sizeof path && access(path, R_OK) == 0;
}

/* Their names begin with the time. */
static void newest_with(const char *folder, const char *document, char name[NAME_MAX + 1])
{
    DIR *in = opendir(folder);
    struct dirent *d;
    while (in && (d = readdir(in)) != NULL)
        if (d->d_name[0] != '.' && strcmp(d->d_name, "last") != 0 && strcmp(d->d_name, name) > 0 &&
            holds(folder, d->d_name, document))
            snprintf(name, NAME_MAX + 1, "%s", d->d_name);
    if (in)
        closedir(in);
}

const char *catalog_last(const char *word, const char *document, char *path, size_t size)
{
    char folder[PATH_MAX], name[NAME_MAX + 1] = "";
    if (strcmp(word, "last") != 0 || access(word, F_OK) == 0)
        return word;
    catalog_results(NULL, "runs", folder);
    if (!holds(folder, "last", document))
        newest_with(folder, document, name);
    struct text text = text_into(path, size);
    text_add(&text, "%s/%s", folder, name[0] ? name : "last");
    shorten(path);
    return path;
}

void catalog_name(const char *word, char *name, size_t size)
{
    const char *slash = strrchr(word, '/');
    text_copy(name, size, slash ? slash + 1 : word);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
}

/* The text of a comment line, or NULL. */
static char *comment(char *line)
{
    line += strspn(line, " \t");
    if (*line != '#' && *line != ';')
        return NULL;
    line += strspn(line, "#; \t");
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* Ends `text` after so many sentences. Returns whether it had them. */
static bool cut_sentences(char *text, size_t sentences)
{
    for (char *p = strpbrk(text, ".!?"); p; p = strpbrk(p + 1, ".!?")) {
        if ((p[1] && p[1] != ' ') || --sentences > 0)
            continue;
        p[1] = '\0';
        return true;
    }
    return false;
}

char *catalog_about(const char *path, size_t sentences, char *buf, size_t size)
{
    char line[LINE];
    struct text about = text_list(buf, size, " ");
    FILE *in = input_open(path, NULL);
    if (!in)
        return buf;
    while (!about.cut && fgets(line, sizeof line, in)) {
        const char *text = comment(line);
        if (!text || !*text)
            break;
        text_item(&about, "%s", text);
        if (cut_sentences(buf, sentences))
            break;
    }
    fclose(in);
    return buf;
}
