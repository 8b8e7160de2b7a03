/* SPDX-License-Identifier: Apache-2.0 */
#include "program_root.h"

#include "base/input.h"
#include "base/text.h"
#include "deb_packages.h"
#include "libs/cache.h"
#include "libs/elf_facts.h"
#include "libs/version.h"
#include "machine.h"
#include "spawn.h"
#include "unpacking.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { NFTW_FILES = 16, UNPACKED_MIB = 4096 };

/* ---- unpacking ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The packages of libc itself: they lie among the others' libraries and can't be left aside once
 * they are unpacked. */
static bool is_libc(const char *file)
{
    return begins(file, "libc6_") || begins(file, "libc-bin_") || begins(file, "libc-gconv") ||
           begins(file, "libcrypt1_");
}

/* libc6_2.41-12_amd64.deb -> whether this machine's is older. */
static bool is_newer_libc(const char *file)
{
    char version[64];
    if (!begins(file, "libc6_"))
        return false;
    const char *from = strchr(file, '_') + 1;
    snprintf(version, sizeof version, "%.*s", (int)strcspn(from, "-_"), from);
    return version_compare(version, machine_glibc()) > 0;
}

/* npm's packages have one folder, package/. A few MiB can hold a thousand times as much: the length
 * is known before a byte of it is on the disk. */
static int unpack_npm(const char *file, const char *to, const char *log, struct err *e)
{
    struct unpacking u;
    const char *const look[] = {"gzip", "-dc", file, NULL};
    const char *const argv[] = {
        "tar", "-xzf", file, "-C", u.apart, "--no-same-owner", "--strip-components=1", NULL};
    struct spawn length = {.argv = look, .log = log, .most_bytes = (uint64_t)UNPACKED_MIB << 20};
    struct spawn s = {.argv = argv, .log = log};
    int rc = spawn_need(&length, file, e);
    if (rc == UV_EFBIG)
        err_set(e, "%.300s: it would unpack to more than %d MiB", file, UNPACKED_MIB);
    return rc == 0 ? unpacking_run(&u, &s, file, to, e) : rc;
}

static int unpack_one(const struct program_root *r, const char *name, const char *log,
                      struct err *e)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", r->packages, name);
    return r->npm ? unpack_npm(path, r->root, log, e) : deb_packages_unpack(path, r->root, log, e);
}

/* The names of the files that were fetched. Owned: free each and the list. */
static int list_files(const char *folder, struct dirent ***ret, struct err *e)
{
    int count = scandir(folder, ret, NULL, alphasort);
    return count >= 0 ? count : err_set(e, "%.300s: %s", folder, strerror(errno));
}

/* Whether it is one of the packages that are to be unpacked. `libc`: libc's too. */
static bool is_package(const struct program_root *r, const char *file, bool libc)
{
    const char *dot = strrchr(file, '.');
    return dot && strcmp(dot, r->npm ? ".tgz" : ".deb") == 0 && (libc || !is_libc(file));
}

int program_root_unpack(const struct program_root *r, const char *log, struct err *e)
{
    struct dirent **file;
    bool libc = false;
    int rc = 0, unpacked = 0, count = list_files(r->packages, &file, e);
    for (int i = 0; i < count; i++)
        libc |= is_newer_libc(file[i]->d_name);
    for (int i = 0; i < count; i++) {
        if (rc == 0 && is_package(r, file[i]->d_name, libc)) {
            rc = unpack_one(r, file[i]->d_name, log, e);
            unpacked++;
        }
        free(file[i]);
    }
    if (count < 0)
        return -1;
    free(file);
    return rc == 0 && !unpacked ? err_set(e, "%s gave no package", r->npm ? "npm" : "apt") : rc;
}

/* ---- running from there ---- */

/* What each program is given. nftw hands its function no context of the caller's: one thread, under
 * the cache's lock. */
static struct patch {
    char interpreter[PATH_MAX + 64]; /* "" = this machine's */
    char libraries[4 * PATH_MAX];
    const char *log;
    struct err *e;
} patch;

static const char *const library_folders[] = {"usr/lib/x86_64-linux-gnu",
                                              "lib/x86_64-linux-gnu",
                                              "usr/lib/aarch64-linux-gnu",
                                              "lib/aarch64-linux-gnu",
                                              "usr/lib",
                                              "lib"};
static const char *const interpreters[] = {"usr/lib64/ld-linux-x86-64.so.2",
                                           "lib64/ld-linux-x86-64.so.2",
                                           "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                                           "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                                           "usr/lib/ld-linux-aarch64.so.1",
                                           "lib/ld-linux-aarch64.so.1"};

/* Whether the file is there; a link may be an absolute one, which leads out of the root. */
static bool is_there(const struct program_root *r, const char *below)
{
    char path[2 * PATH_MAX];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", r->root, below);
    return lstat(path, &s) == 0 && !S_ISLNK(s.st_mode);
}

static void find_paths(const struct program_root *r)
{
    struct text list = text_list(patch.libraries, sizeof patch.libraries, ":");
    patch.interpreter[0] = '\0';
    for (size_t i = 0; i < sizeof library_folders / sizeof *library_folders; i++)
        if (is_there(r, library_folders[i]))
            text_item(&list, "%s/root/%s", r->place, library_folders[i]);
    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
        if (!patch.interpreter[0] && is_there(r, interpreters[i]))
            snprintf(patch.interpreter, sizeof patch.interpreter, "%s/root/%s", r->place,
                     interpreters[i]);
}

static int patch_one(const char *path)
{
    const char *const argv[] = {"patchelf",
                                "--force-rpath",
                                "--set-rpath",
                                patch.libraries,
                                path,
                                patch.interpreter[0] ? "--set-interpreter" : NULL,
                                patch.interpreter,
                                NULL};
    struct spawn s = {.argv = argv, .log = patch.log};
    return spawn_need(&s, path, patch.e);
}

/* Programs only: libraries are found by their program's path, libc and its linker by themselves. */
static int on_file(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    struct elf_facts facts;
    const char *name = path + place->base;
    if (kind != FTW_F || !(stat->st_mode & S_IXUSR) || strstr(name, ".so"))
        return 0;
    if (elf_facts_read(path, &facts, NULL) != 0 || !facts.interpreter[0])
        return 0;
    return patch_one(path);
}

static int patch_all(const struct program_root *r, struct err *e)
{
    char log[PATH_MAX + 32];
    snprintf(log, sizeof log, "%s/patchelf.log", r->folder);
    patch.log = log;
    patch.e = e;
    find_paths(r);
    if (!patch.libraries[0])
        return 0;
    int rc = nftw(r->root, on_file, NFTW_FILES, FTW_PHYS);
    return rc == -1 && !e->text[0] ? err_set(e, "%.300s: %s", r->root, strerror(errno)) : rc;
}

/* ---- the record ---- */

static json_t *fetched(const struct program_root *r)
{
    struct dirent **file;
    json_t *list = json_array();
    int count = list_files(r->packages, &file, NULL);
    for (int i = 0; i < count; i++) {
        if (is_package(r, file[i]->d_name, true))
            json_array_append_new(list, json_string(file[i]->d_name));
        free(file[i]);
    }
    if (count >= 0)
        free(file);
    return list;
}

static int write_record(const struct program_root *r, const char *asked, struct err *e)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/program.json", r->folder);
    json_t *record = json_pack("{s:s,s:s,s:o}", "schema", "soak-program/1", "program", asked,
                               "packages", fetched(r));
    int rc = record ? json_dump_file(record, path, JSON_INDENT(2)) : -1;
    json_decref(record);
    return rc == 0 ? 0 : err_set(e, "%.300s: it can't be written", path);
}

int program_root_finish(const struct program_root *r, const char *asked, struct err *e)
{
    int rc = r->npm ? 0 : patch_all(r, e);
    if (rc == 0)
        rc = write_record(r, asked, e);
    if (rc != 0)
        return rc;
    cache_drop(r->packages);
    if (access(r->place, F_OK) == 0 && cache_remove(r->place, e) != 0)
        return -1;
    if (rename(r->folder, r->place) == 0)
        return 0;
    return err_set(e, "%.300s: it can't be renamed to %.200s: %s", r->folder, r->place,
                   strerror(errno));
}

bool program_root_is(const char *place, const char *asked)
{
    char path[PATH_MAX + 32];
    json_error_t unused;
    snprintf(path, sizeof path, "%s/program.json", place);
    FILE *in = input_open(path, NULL);
    json_t *record = in ? json_loadf(in, 0, &unused) : NULL;
    const char *text = json_string_value(json_object_get(record, "program"));
    bool is = text && strcmp(text, asked) == 0;
    if (in)
        fclose(in);
    json_decref(record);
    return is;
}
