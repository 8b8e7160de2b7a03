/* SPDX-License-Identifier: Apache-2.0 */
#include "apt.h"

#include "base/input.h"
#include "base/text.h"
#include "libs/cache.h"
#include "libs/version.h"
#include "spawn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { DAY_S = 24 * 60 * 60, CONFIG = 3 * PATH_MAX, SOURCES = 4096 };

static const struct apt_pocket pockets[] = {
#define X(pocket, suite, base, security) {pocket, suite, base, security},
#include "suites.def"
};
enum { POCKETS = sizeof pockets / sizeof *pockets };

const struct apt_pocket *apt_pocket_at(size_t index)
{
    return index < POCKETS ? &pockets[index] : NULL;
}

const struct apt_pocket *apt_pocket_named(const char *name)
{
    for (size_t i = 0; i < POCKETS; i++)
        if (strcmp(pockets[i].name, name) == 0)
            return &pockets[i];
    return NULL;
}

/* ---- the state ---- */

/* Whether the file holds exactly this text. */
static bool holds(const char *path, const char *text)
{
    char present[CONFIG];
    FILE *in = input_open(path, NULL);
    size_t length = in ? fread(present, 1, sizeof present, in) : 0;
    if (in)
        fclose(in);
    return in && length == strlen(text) && memcmp(present, text, length) == 0;
}

static int write_file(const struct apt *a, const char *name, const char *text, struct err *e)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", a->folder, name);
    FILE *out = fopen(path, "we");
    bool written = out && fputs(text, out) >= 0;
    if (out && fclose(out) != 0)
        written = false;
    return written ? 0 : err_set(e, "%.300s: %s", path, strerror(errno));
}

/* Hooks of the system's configuration act on the system's state, so they are cleared. A list that
 * can't be fetched is an error here, not a warning. */
static int write_config(const struct apt *a, struct err *e)
{
    char text[CONFIG];
    int n = snprintf(text, sizeof text,
                     "#clear APT::Update::Pre-Invoke;\n"
                     "#clear APT::Update::Post-Invoke;\n"
                     "#clear APT::Update::Post-Invoke-Success;\n"
                     "APT::Update::Error-Mode \"any\";\n"
                     "APT::Sandbox::User \"\";\n"
                     "Acquire::Languages \"none\";\n"
                     "Dir::State \"%s\";\n"
                     "Dir::State::status \"status\";\n"
                     "Dir::Cache \"%s/cache\";\n"
                     "Dir::Etc::sourcelist \"%s/sources.list\";\n"
                     "Dir::Etc::sourceparts \"/dev/null\";\n"
                     "Dir::Etc::preferences \"/dev/null\";\n"
                     "Dir::Etc::preferencesparts \"/dev/null\";\n",
                     a->folder, a->folder, a->folder);
    if (n < 0 || (size_t)n >= sizeof text)
        return err_set(e, "%.300s: the path is too long", a->folder);
    if (write_file(a, "apt.conf", text, e) != 0)
        return -1;
    return write_file(a, "status", "", e);
}

static bool is_folder_address(const char *mirror)
{
    return *mirror == '/' || strncmp(mirror, "file:", 5) == 0;
}

/* ---- the machine's own mirror ---- */

enum { APT_MIRROR = 512, APT_KEYS = 512 };

struct apt_mirror {
    char address[APT_MIRROR];
    char keys[APT_KEYS]; /* a file; "" = those that apt trusts anyway */
};

/* One line of apt's answer: address|origin|label|keys. Returns whether it is the one. */
static bool take_line(char *line, const char *label, struct apt_mirror *ret)
{
    char *field[4] = {line};
    for (int i = 1; i < 4; i++) {
        char *bar = strchr(field[i - 1], '|');
        if (!bar)
            return false;
        *bar = '\0';
        field[i] = bar + 1;
    }
    if (strcmp(field[1], "Debian") != 0 || strcmp(field[2], label) != 0 || !*field[0] ||
        strpbrk(field[0], " \t[]") || strlen(field[0]) >= sizeof ret->address)
        return false;
    bool file = field[3][0] == '/' && !strpbrk(field[3], " \t[],");
    snprintf(ret->address, sizeof ret->address, "%s", field[0]);
    snprintf(ret->keys, sizeof ret->keys, "%s", file ? field[3] : "");
    return true;
}

/* The mirror of Debian, or of its security pockets, that apt is set up with. */
static int own_mirror(bool security, const char *log, struct apt_mirror *ret, struct err *e)
{
    static const char *const argv[] = {"apt-get",
                                       "indextargets",
                                       "--format",
                                       "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(SIGNED_BY)",
                                       "Created-By: Packages",
                                       NULL};
    const char *label = security ? "Debian-Security" : "Debian";
    char *text = NULL, *rest = NULL;
    bool found = false;
    struct spawn s = {.argv = argv, .log = log, .ret_output = &text};
    int rc = spawn_need(&s, "apt's own set-up can't be read", e);
    if (rc != 0)
        return rc;
    for (char *line = strtok_r(text, "\n", &rest); line && !found;
         line = strtok_r(NULL, "\n", &rest))
        found = take_line(line, label, ret);
    free(text);
    if (found)
        return 0;
    return err_set(e, "this machine's apt has no lists of %s; run apt-get update, or give --mirror",
                   label);
}

static int find_mirror(const struct apt *a, const struct apt_pocket *pocket, const char *asked,
                       struct apt_mirror *ret, struct err *e)
{
    if (!*asked)
        return own_mirror(pocket->security, a->log, ret, e);
    if (strpbrk(asked, " \t\n[]") || strlen(asked) >= sizeof ret->address - 8)
        return err_set(e, "--mirror %.200s: it isn't an address", asked);
    snprintf(ret->address, sizeof ret->address, "%s%s", *asked == '/' ? "file:" : "", asked);
    ret->keys[0] = '\0';
    return 0;
}

/* `asked`: an address, or "" for the machine's mirror. */
static int add_source(const struct apt *a, const struct apt_pocket *pocket, const char *asked,
                      struct text *sources, struct err *e)
{
    struct apt_mirror mirror;
    char option[APT_KEYS + 32] = "";
    int rc = find_mirror(a, pocket, asked, &mirror, e);
    if (rc != 0)
        return rc;
    if (is_folder_address(asked))
        snprintf(option, sizeof option, "[trusted=yes] ");
    else if (mirror.keys[0])
        snprintf(option, sizeof option, "[signed-by=%s] ", mirror.keys);
    text_add(sources, "deb %s%s %s main\n", option, mirror.address, pocket->name);
    return 0;
}

static const char *base_of(const char *suite)
{
    return apt_pocket_named(suite)->base_suite;
}

bool apt_has_base(const struct apt *a)
{
    return !a->pocket && strcmp(base_of(a->name), a->name) != 0;
}

static bool is_wanted(const struct apt *a, const struct apt_pocket *pocket)
{
    if (a->pocket)
        return pocket == a->pocket;
    return strcmp(pocket->suite, a->name) == 0 || strcmp(pocket->suite, base_of(a->name)) == 0;
}

/* A changed source makes the lists stale. */
static int write_sources(const struct apt *a, const char *asked, struct err *e)
{
    char buf[SOURCES], path[PATH_MAX + 16];
    struct text sources = text_into(buf, sizeof buf);
    for (size_t i = 0; i < POCKETS; i++) {
        int rc = is_wanted(a, &pockets[i]) ? add_source(a, &pockets[i], asked, &sources, e) : 0;
        if (rc != 0)
            return rc;
    }
    snprintf(path, sizeof path, "%s/sources.list", a->folder);
    if (holds(path, buf))
        return 0;
    snprintf(path, sizeof path, "%s/updated", a->folder);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set(e, "%.300s: %s", path, strerror(errno));
    return write_file(a, "sources.list", buf, e);
}

/* `state`: the name of the folder with apt's state. */
static int open_state(struct apt *a, const char *state, const char *mirror, struct err *e)
{
    char below[128], path[PATH_MAX];
    static const char *const folders[] = {"lists/partial", "cache/archives/partial"};
    for (int i = 0; i < 2; i++) {
        snprintf(below, sizeof below, "apt/%s/%s", state, folders[i]);
        if (cache_make(below, path, sizeof path, e) != 0)
            return -1;
    }
    snprintf(below, sizeof below, "apt/%s", state);
    if (cache_make(below, a->folder, sizeof a->folder, e) != 0)
        return -1;
    snprintf(a->config, sizeof a->config, "%s/apt.conf", a->folder);
    snprintf(a->log, sizeof a->log, "%s/log", a->folder);
    if (truncate(a->log, 0) != 0 && errno != ENOENT)
        return err_set(e, "%.300s: %s", a->log, strerror(errno));
    if (write_config(a, e) != 0)
        return -1;
    const char *preset = getenv("SOAK_MIRROR");
    return write_sources(a, mirror ? mirror : preset ? preset : "", e);
}

int apt_open(struct apt *a, const struct apt_pocket *pocket, const char *mirror, struct err *e)
{
    a->pocket = pocket;
    a->name = pocket->name;
    return open_state(a, pocket->name, mirror, e);
}

int apt_open_suite(struct apt *a, const char *suite, const char *mirror, struct err *e)
{
    char state[64];
    a->pocket = NULL;
    a->name = suite;
    snprintf(state, sizeof state, "%.40s-all", suite);
    return open_state(a, state, mirror, e);
}

/* ---- apt's work ---- */

static bool is_fresh(const char *stamp)
{
    struct stat s;
    time_t now = time(NULL);
    return stat(stamp, &s) == 0 && s.st_mtime <= now && now - s.st_mtime < DAY_S;
}

int apt_update(struct apt *a, bool now, struct err *e)
{
    char stamp[PATH_MAX + 16], what[128];
    const char *const argv[] = {"apt-get", "-q", "-c", a->config, "update", NULL};
    static const char *const gone[] = {"does not have a Release file", "Packages  File not found",
                                       NULL};
    struct spawn s = {.argv = argv, .log = a->log, .gone = gone};
    snprintf(stamp, sizeof stamp, "%s/updated", a->folder);
    snprintf(what, sizeof what, "the package lists of %s can't be fetched", a->name);
    if (!now && is_fresh(stamp))
        return 0;
    int rc = spawn_need(&s, what, e);
    if (rc == UV_ENOENT)
        err_set(e, "the mirror has no %s", a->name);
    if (rc != 0)
        return rc;
    return write_file(a, "updated", "", e) == 0 ? 1 : -1;
}
