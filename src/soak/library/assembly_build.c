/* SPDX-License-Identifier: Apache-2.0 */
#include "assembly.h"

#include "base/input.h"
#include "base/intern.h"
#include "base/process.h"
#include "base/text.h"
#include "base/version.h"
#include "catalog.h"
#include "libs/cache.h"
#include "libs/elf_facts.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { ARGUMENTS = 16, ARGUMENT = 3 * PATH_MAX, NFTW_FILES = 16 };

/* cmake's options for one assembly, and where it is built. */
struct plan {
    char root[PATH_MAX], parent[PATH_MAX]; /* the sources; the folder of all assemblies */
    char folder[PATH_MAX], log[PATH_MAX + 8], lock[PATH_MAX + 8];
    char stamp[PATH_MAX + 8]; /* holds the arguments; as old as the begin of its build */
    char name[LIB_PARTS * (LIB_NAME + 16)];
    size_t options, count; /* cmake's options come first, then what tells the libraries apart */
    char argument[ARGUMENTS][ARGUMENT];
};

/* ---- the options ---- */

static char *new_argument(struct plan *p)
{
    return p->argument[p->count++];
}

/* -DSOAK_OPENSSL_LIBRARIES=... and, when it has headers, -DSOAK_OPENSSL_INCLUDE=... */
static void add_part(struct plan *p, const struct lib *l, const char *variable)
{
    struct text text = text_into(new_argument(p), ARGUMENT);
    text_add(&text, "-DSOAK_%s_LIBRARIES=", variable);
    for (size_t i = 0; i < l->sonames; i++)
        text_add(&text, "%s%s/%s", i ? ";" : "", l->library_dir, l->soname[i]);
    if (!l->includes)
        return;
    text = text_into(new_argument(p), ARGUMENT);
    text_add(&text, "-DSOAK_%s_INCLUDE=", variable);
    for (size_t i = 0; i < l->includes; i++)
        text_add(&text, "%s%s", i ? ";" : "", l->include[i]);
}

/* The libc's dynamic linker has the name of the machine's. */
static int add_loader(struct plan *p, const struct lib *libc, struct err *e)
{
    struct elf_facts own;
    char path[PATH_MAX + NAME_MAX];
    if (elf_facts_read("/proc/self/exe", &own, e) != 0)
        return -1;
    const char *slash = strrchr(own.interpreter, '/');
    snprintf(path, sizeof path, "%s/%s", libc->library_dir, slash ? slash + 1 : "ld.so");
    if (access(path, X_OK) != 0)
        return err_set(e, "libc %s: its dynamic linker %.300s isn't there", libc->name, path);
    snprintf(new_argument(p), ARGUMENT, "-DSOAK_LOADER=%s", path);
    return 0;
}

static void add_rpath(struct plan *p, const struct assembly *a)
{
    struct text text = text_into(new_argument(p), ARGUMENT);
    const char *joint = "";
    text_add(&text, "-DSOAK_RPATH=");
    for (int i = 0; i < LIB_PARTS; i++) {
        if (!a->part[i].name[0])
            continue;
        text_add(&text, "%s%s", joint, a->part[i].library_dir);
        joint = ":";
    }
}

static int add_arguments(struct plan *p, const struct assembly *a, struct err *e)
{
    static const char *const variable[] = {
        [LIB_OPENSSL] = "OPENSSL", [LIB_LIBUV] = "LIBUV", [LIB_JEMALLOC] = "JEMALLOC"};
    snprintf(new_argument(p), ARGUMENT, "-DCMAKE_BUILD_TYPE=Release");
    snprintf(new_argument(p), ARGUMENT, "-DSOAK_SUBJECTS_ONLY=ON");
    snprintf(new_argument(p), ARGUMENT, "-DSOAK_JEMALLOC=%s", SCENARIO_JEMALLOC ? "ON" : "OFF");
    for (int i = 0; i < LIB_LIBC; i++)
        if (a->part[i].name[0])
            add_part(p, &a->part[i], variable[i]);
    add_rpath(p, a);
    return a->part[LIB_LIBC].name[0] ? add_loader(p, &a->part[LIB_LIBC], e) : 0;
}

/* Which files these were: another prefix may be put in the place of one, with older files. */
static void add_files(struct plan *p, const struct lib *l)
{
    char path[PATH_MAX + LIB_NAME];
    struct text text = text_into(new_argument(p), ARGUMENT);
    text_add(&text, "%s", lib_part_entry(l->part)->name);
    for (size_t i = 0; i < l->sonames; i++) {
        struct stat s = {.st_ino = 0};
        snprintf(path, sizeof path, "%s/%s", l->library_dir, l->soname[i]);
        stat(path, &s);
        text_add(&text, " %ju %jd %jd.%09ld", (uintmax_t)s.st_ino, (intmax_t)s.st_size,
                 (intmax_t)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    }
}

/* openssl-3.5.7_libuv-1.50.0_libc-2.41 */
static void add_name(struct plan *p, const struct assembly *a)
{
    struct text name = text_list(p->name, sizeof p->name, "_");
    for (int i = 0; i < LIB_PARTS; i++)
        if (a->part[i].name[0])
            text_item(&name, "%s-%s", lib_part_entry((enum lib_part)i)->name, a->part[i].name);
}

/* ---- why a build failed ---- */

enum { NAMES = 128, NAME = 64, SHOWN = 8, LINE = 1024 };

/* What stands before a missing name, and behind it; gcc, clang and ld in the C locale. */
static const struct {
    const char *before, *after;
} marks[] = {
    {"undefined reference to `", "'"},           {"undefined symbol: ", "\n"},
    {"implicit declaration of function '", "'"}, {"unknown type name '", "'"},
    {"use of undeclared identifier '", "'"},     {"error: '", "' undeclared"},
};
enum { MARKS = sizeof marks / sizeof *marks };

struct names {
    size_t count; /* also those that aren't kept */
    char name[NAMES][NAME];
};

static void add_name_once(struct names *n, const char *text, size_t length)
{
    if (length == 0 || length >= NAME)
        return;
    for (size_t i = 0; i < n->count && i < NAMES; i++)
        if (strncmp(n->name[i], text, length) == 0 && n->name[i][length] == '\0')
            return;
    if (n->count < NAMES)
        snprintf(n->name[n->count], NAME, "%.*s", (int)length, text);
    n->count++;
}

static void take_line(struct names *n, const char *line)
{
    for (int i = 0; i < MARKS; i++) {
        const char *at = strstr(line, marks[i].before);
        if (!at)
            continue;
        at += strlen(marks[i].before);
        const char *end = strstr(at, marks[i].after);
        if (end)
            add_name_once(n, at, (size_t)(end - at));
    }
}

static void explain_log(const char *log, const char *name, struct err *e)
{
    static struct names n; /* large; one thread builds */
    char line[LINE], text[400];
    struct text list = text_list(text, sizeof text, ", ");
    FILE *in = input_open(log, NULL);
    n.count = 0;
    while (in && fgets(line, sizeof line, in))
        take_line(&n, line);
    if (in)
        fclose(in);
    for (size_t i = 0; i < n.count && i < SHOWN; i++)
        text_item(&list, "%s", n.name[i]);
    if (n.count > SHOWN)
        text_add(&list, " and %zu more", n.count - SHOWN);
    if (n.count)
        err_set(e,
                "%.100s: it lacks %.250s, which the server needs; the build's output is in %.150s",
                name, text, log);
}

static int make_in_cache(struct plan *p, struct err *e)
{
    char below[128];
    snprintf(below, sizeof below, "build/%s.%08" PRIx32, soak_version,
             (uint32_t)intern_hash(p->root, strlen(p->root)));
    return cache_make(below, p->parent, sizeof p->parent, e);
}

/* A clone keeps them with its build; what is installed may not be written beside, and keeps them in
 * the cache, each version of soak its own, and each of several that are installed. */
static int make_parent(struct plan *p, struct err *e)
{
    if (catalog_is_installed())
        return make_in_cache(p, e);
    int n = snprintf(p->parent, sizeof p->parent, "%s/build", p->root);
    if (n < 0 || (size_t)n >= sizeof p->parent - sizeof "/libs")
        return err_set(e, "%.300s: the path is too long", p->root);
    mkdir(p->parent, 0777);
    memcpy(p->parent + n, "/libs", sizeof "/libs");
    mkdir(p->parent, 0777);
    return 0;
}

static int make_plan(struct plan *p, const struct assembly *a, struct err *e)
{
    char path[PATH_MAX + sizeof p->name + 16];
    *p = (struct plan){.count = 0};
    if (!realpath(catalog_root(), p->root))
        return err_set(e, "%.300s: %s", catalog_root(), strerror(errno));
    snprintf(path, sizeof path, "%s/server/CMakeLists.txt", p->root);
    if (access(path, R_OK) != 0)
        return err_set(e, "%.300s: soak's sources, which building the server needs, are not there",
                       p->root);
    add_name(p, a);
    if (make_parent(p, e) != 0)
        return -1;
    int n = snprintf(path, sizeof path, "%s/%s", p->parent, p->name);
    if (n < 0 || n >= PATH_MAX - 16)
        return err_set(e, "%.300s: the path is too long", p->parent);
    snprintf(p->folder, sizeof p->folder, "%.*s", PATH_MAX - 1, path);
    snprintf(p->log, sizeof p->log, "%s.log", p->folder);
    snprintf(p->lock, sizeof p->lock, "%s.lock", p->folder);
    snprintf(p->stamp, sizeof p->stamp, "%s/ready", p->folder);
    if (add_arguments(p, a, e) != 0)
        return -1;
    p->options = p->count;
    for (int i = 0; i < LIB_PARTS; i++)
        if (a->part[i].name[0])
            add_files(p, &a->part[i]);
    text_copy(new_argument(p), ARGUMENT, p->root);
    return 0;
}

/* ---- is it built? ---- */

static bool is_younger(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
                                                  : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* nftw has no argument for its callback: the stamp that files are compared with. */
static _Thread_local struct stat stamp_now;

static int visit_source(const char *path, const struct stat *s, int kind, struct FTW *place)
{
    (void)path;
    (void)place;
    return kind == FTW_F && is_younger(s, &stamp_now);
}

static bool sources_are_younger(const struct plan *p, const struct stat *stamp)
{
    static const char *const parts[] = {"CMakeLists.txt", "cmake", "src/common", "server",
                                        "footprint"};
    char path[PATH_MAX + 32];
    bool younger = false;
    stamp_now = *stamp;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !younger; i++) {
        snprintf(path, sizeof path, "%s/%s", p->root, parts[i]);
        younger = nftw(path, visit_source, NFTW_FILES, 0) == 1;
    }
    return younger;
}

/* Whether a library was put into the cache after the stamp: its files are as old as their package.
 */
static bool libs_are_younger(const struct assembly *a, const struct stat *stamp)
{
    char path[PATH_MAX + LIB_NAME];
    struct stat s;
    for (int i = 0; i < LIB_PARTS; i++) {
        const struct lib *l = &a->part[i];
        bool cached = l->name[0] && strncmp(l->origin, "prefix:", 7) != 0;
        snprintf(path, sizeof path, "%s/lib.json", l->folder);
        if (cached && stat(path, &s) == 0 && is_younger(&s, stamp))
            return true;
    }
    return false;
}

static bool same_arguments(const struct plan *p)
{
    char line[ARGUMENT + 2];
    FILE *in = input_open(p->stamp, NULL);
    bool same = in != NULL;
    for (size_t i = 0; same && i < p->count; i++) {
        same = fgets(line, sizeof line, in) != NULL;
        line[same ? strcspn(line, "\n") : 0] = '\0';
        same = same && strcmp(line, p->argument[i]) == 0;
    }
    same = same && !fgets(line, sizeof line, in);
    if (in)
        fclose(in);
    return same;
}

enum state { FRESH, SOURCES_CHANGED, LIBS_CHANGED };

static enum state find_state(const struct plan *p, const struct assembly *a)
{
    struct stat stamp;
    if (stat(p->stamp, &stamp) != 0 || !same_arguments(p) || libs_are_younger(a, &stamp))
        return LIBS_CHANGED;
    return sources_are_younger(p, &stamp) ? SOURCES_CHANGED : FRESH;
}

/* ---- building ---- */

static int write_stamp(const struct plan *p, const char *path, struct err *e)
{
    FILE *out = fopen(path, "we");
    bool written = out != NULL;
    for (size_t i = 0; written && i < p->count; i++)
        written = fprintf(out, "%s\n", p->argument[i]) > 0;
    if (out && fclose(out) != 0)
        written = false;
    return written ? 0 : err_set(e, "%.300s: %s", path, strerror(errno));
}

static int configure(const struct plan *p, struct err *e)
{
    const char *argv[ARGUMENTS + 8] = {"cmake", "-G", "Unix Makefiles", "-S",
                                       p->root, "-B", p->folder};
    size_t count = 7;
    for (size_t i = 0; i < p->options; i++)
        argv[count++] = p->argument[i];
    argv[count] = NULL;
    struct spawn s = {.argv = argv, .log = p->log};
    return spawn_need(&s, p->name, e);
}

/* Goes on after an error, so that the log names all that a library lacks. */
static int compile(const struct plan *p, struct err *e)
{
    char jobs[32];
    snprintf(jobs, sizeof jobs, "-j%d", process_processors());
    const char *const argv[] = {"cmake", "--build", p->folder, "--target", "subjects",
                                jobs,    "--",      "-k",      NULL};
    struct spawn s = {.argv = argv, .log = p->log};
    int rc = spawn_need(&s, p->name, e);
    if (rc == -1)
        explain_log(p->log, p->name, e);
    return rc;
}

static int build(const struct plan *p, bool afresh, struct err *e)
{
    char started[PATH_MAX + 16];
    fprintf(stderr, "soak: building the server for %s\n", p->name);
    if (afresh && access(p->folder, F_OK) == 0 && cache_remove(p->folder, e) != 0)
        return -1;
    if (mkdir(p->folder, 0777) != 0 && errno != EEXIST)
        return err_set(e, "%.300s: %s", p->folder, strerror(errno));
    if (truncate(p->log, 0) != 0 && errno != ENOENT)
        return err_set(e, "%.300s: %s", p->log, strerror(errno));
    snprintf(started, sizeof started, "%s/started", p->folder);
    int rc = write_stamp(p, started, e);
    if (rc == 0)
        rc = configure(p, e);
    if (rc == 0)
        rc = compile(p, e);
    if (rc == 0 && rename(started, p->stamp) != 0)
        rc = err_set(e, "%.300s: %s", p->stamp, strerror(errno));
    return rc;
}

/* Returns the descriptor that holds the lock, or -1. */
static int take_lock(const struct plan *p, struct err *e)
{
    int fd = open(p->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(e, "%.300s: %s", p->lock, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    fprintf(stderr, "soak: another process builds %s; waiting for it\n", p->name);
    if (flock(fd, LOCK_EX) == 0)
        return fd;
    err_set(e, "%.300s: %s", p->lock, strerror(errno));
    close(fd);
    return -1;
}

static int build_locked(const struct plan *p, const struct assembly *a, struct err *e)
{
    int lock = take_lock(p, e);
    if (lock < 0)
        return -1;
    enum state state = find_state(p, a);
    int rc = state == FRESH ? 0 : build(p, state == LIBS_CHANGED, e);
    close(lock);
    return rc;
}

int assembly_build(struct assembly *a, struct err *e)
{
    struct plan *p = malloc(sizeof *p);
    int rc = p ? make_plan(p, a, e) : err_set(e, "out of memory");
    if (rc == 0)
        rc = build_locked(p, a, e);
    if (rc == 0) {
        int n = snprintf(a->folder, sizeof a->folder, "%.*s/bin", PATH_MAX - 5, p->folder);
        rc = n > 0 ? 0 : -1;
    }
    free(p);
    return rc;
}
