/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/image.h"

#include "symbol/perf_map.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- /proc/PID/maps ---- */

/* The longest line that is read: a path, and the figures before it. */
enum { LINE_BYTES = PATH_MAX + 128, FIRST_MODULES = 32 };

struct mapping {
    uint64_t low, high, offset, inode;
    char access[5];
    const char *path; /* into the line; empty for anonymous memory */
};

/* `low-high rwxp offset major:minor inode   path`, proc(5). */
static bool read_mapping(const char *line, struct mapping *ret)
{
    int path_at = 0;
    unsigned major;
    unsigned minor;
    int fields =
        sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &ret->low,
               &ret->high, ret->access, &ret->offset, &major, &minor, &ret->inode, &path_at);
    if (fields != 7 || path_at == 0 || strlen(ret->access) != 4 || ret->low >= ret->high)
        return false;
    ret->path = line + path_at;
    return true;
}

/* A page that holds the ends of two segments is mapped for both, so their offsets may be equal. */
static bool continues(const struct maps_module *last, const struct mapping *m)
{
    return last->inode == m->inode && m->offset >= last->offset && strcmp(last->path, m->path) == 0;
}

static int add_module(struct maps *maps, const struct mapping *m)
{
    if (maps->count % FIRST_MODULES == 0) {
        size_t size = (maps->count + FIRST_MODULES) * sizeof *maps->module;
        struct maps_module *grown = realloc(maps->module, size);
        if (!grown)
            return -1;
        maps->module = grown;
    }
    char *path = strdup(m->path);
    if (!path)
        return -1;
    maps->module[maps->count++] = (struct maps_module){.low = m->low,
                                                       .first_high = m->high,
                                                       .inode = m->inode,
                                                       .whole = m->offset == 0,
                                                       .path = path};
    return 0;
}

/* Modules without code are of no use: a file that is followed by another takes its place. */
static void drop_codeless(struct maps *maps)
{
    if (maps->count > 0 && !maps->module[maps->count - 1].code)
        free(maps->module[--maps->count].path);
}

static int add_mapping(struct maps *maps, const struct mapping *m)
{
    if (maps->count == 0 || !continues(&maps->module[maps->count - 1], m)) {
        drop_codeless(maps);
        if (add_module(maps, m) != 0)
            return -1;
    }
    struct maps_module *last = &maps->module[maps->count - 1];
    last->high = m->high;
    last->offset = m->offset;
    if (!last->code && m->access[2] == 'x') {
        last->code = true;
        last->code_low = m->low;
        last->code_offset = m->offset;
    }
    return 0;
}

/* Copies the line at `text` without its end; a line that is too long becomes empty. Returns where
 * the next one begins. (sscanf on the text itself would measure all of it for each line.) */
static const char *next_line(const char *text, char *line)
{
    size_t length = strcspn(text, "\n");
    size_t kept = length < LINE_BYTES ? length : 0;
    memcpy(line, text, kept);
    line[kept] = 0;
    return text + length + (text[length] == '\n');
}

static int read_lines(const char *text, struct maps *maps)
{
    char line[LINE_BYTES];
    uint64_t end = 0;
    while (*text) {
        struct mapping m;
        text = next_line(text, line);
        /* The kernel lists by rising address; what doesn't rise isn't its list. */
        if (!read_mapping(line, &m) || m.low < end)
            continue;
        end = m.high;
        if (*m.path && add_mapping(maps, &m) != 0)
            return -1;
    }
    drop_codeless(maps);
    return 0;
}

int maps_parse(const char *text, struct maps *ret, struct err *e)
{
    struct maps maps = {0};
    int rc = read_lines(text, &maps);
    if (rc != 0)
        err_set(e, "out of memory while reading a process's maps");
    else if (maps.count == 0)
        rc = err_set(e, "the maps of the process name no program file");
    if (rc != 0)
        maps_free(&maps);
    else
        *ret = maps;
    return rc;
}

void maps_free(struct maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        free(maps->module[i].path);
    free(maps->module);
    *maps = (struct maps){0};
}

/* More program files than any process of ours maps; each is a descriptor. */
enum { FILES_MAX = 128 };

static const char deleted[] = " (deleted)";

/* The length of the path without what the kernel adds when its file is removed. */
static size_t path_length(const char *path)
{
    size_t length = strlen(path), mark = sizeof deleted - 1;
    bool gone = length > mark && strcmp(path + length - mark, deleted) == 0;
    return gone ? length - mark : length;
}

static bool same_path(const char *a, const char *b)
{
    size_t length = path_length(a);
    return length == path_length(b) && memcmp(a, b, length) == 0;
}

/* File systems in layers keep a layer's number in the upper bits of st_ino, which the kernel's list
 * doesn't show. */
static bool same_inode(uint64_t stated, uint64_t mapped)
{
    return (uint32_t)stated == (uint32_t)mapped;
}

/* O_NONBLOCK: a path that became a FIFO must not hang us. */
static int open_path(const char *path, const struct maps_module *mapped)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        same_inode(st.st_ino, mapped->inode))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The mapped file by its path, or, when another lies there by now, as the process itself has it.
 * (Links in map_files can be followed with CAP_CHECKPOINT_RESTORE only.) */
static int open_mapped(pid_t pid, const struct maps_module *mapped)
{
    char link[96];
    int fd = open_path(mapped->path, mapped);
    if (fd < 0) {
        snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
        fd = open_path(link, mapped);
    }
    if (fd < 0) {
        snprintf(link, sizeof link, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid,
                 mapped->low, mapped->first_high);
        fd = open_path(link, mapped);
    }
    return fd;
}

static const struct image_file *find(const struct image *image, const struct maps_module *mapped)
{
    for (size_t i = 0; i < image->files; i++) {
        if (image->file[i].inode == mapped->inode && same_path(image->file[i].path, mapped->path))
            return &image->file[i];
    }
    return NULL;
}

static void hold(struct image *image, pid_t pid, const struct maps_module *mapped)
{
    if (image->files == FILES_MAX || mapped->path[0] != '/' || find(image, mapped))
        return;
    struct image_file *grown = reallocarray(image->file, image->files + 1, sizeof *grown);
    if (!grown)
        return;
    image->file = grown;
    int fd = open_mapped(pid, mapped);
    char *path = fd >= 0 ? strdup(mapped->path) : NULL;
    if (path)
        image->file[image->files++] = (struct image_file){mapped->inode, path, fd};
    else if (fd >= 0)
        close(fd);
}

static void keep_made(struct image *image, pid_t pid)
{
    if (!image->made)
        image->made = perf_map_new();
    if (image->made)
        perf_map_read(image->made, pid, NULL);
}

/* ---- what was loaded when ---- */

/* More than any process of ours loads in a run. */
enum { CODES_MAX = 4096 };

static bool is_same(const struct maps_module *a, const struct maps_module *b)
{
    return a->low == b->low && a->inode == b->inode && same_path(a->path, b->path);
}

static const struct maps_module *module_like(const struct maps *maps,
                                             const struct maps_module *module)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (is_same(&maps->module[i], module))
            return &maps->module[i];
    }
    return NULL;
}

static bool is_known(const struct image *image, const struct maps_module *module)
{
    for (size_t i = 0; i < image->codes; i++) {
        if (is_same(&image->code[i].module, module))
            return true;
    }
    return false;
}

static void forget(struct image *image)
{
    for (size_t i = 0; i < image->codes; i++)
        free(image->code[i].module.path);
    free(image->code);
    image->code = NULL;
    image->codes = 0;
}

/* What is gone has run up to the end of the epoch before, when that ended since the last reading.
 */
static void note_unloaded(struct image *image, const struct maps *maps, uint64_t epoch)
{
    for (size_t i = 0; i < image->codes; i++) {
        struct image_code *code = &image->code[i];
        const struct maps_module *now = module_like(maps, &code->module);
        if (now) {
            code->module.high = now->high;
            code->until = IMAGE_LOADED;
        } else if (code->until == IMAGE_LOADED) {
            code->until = epoch > image->epoch ? epoch - 1 : epoch;
        }
    }
}

/* What is new may have run since the last reading. */
static void note_loaded(struct image *image, const struct maps_module *module, uint64_t from)
{
    struct image_code *grown = image->codes < CODES_MAX
                                   ? reallocarray(image->code, image->codes + 1, sizeof *grown)
                                   : NULL;
    if (!grown)
        return;
    image->code = grown;
    struct image_code *code = &image->code[image->codes];
    *code = (struct image_code){.module = *module, .from = from, .until = IMAGE_LOADED};
    code->module.path = strdup(module->path);
    image->codes += code->module.path != NULL;
}

static void note_code(struct image *image, pid_t pid, const struct maps *maps, uint64_t epoch)
{
    if (image->codes > 0 && (image->pid != pid || !module_like(maps, &image->code[0].module)))
        forget(image);
    uint64_t from = image->codes > 0 ? image->epoch : 0;
    note_unloaded(image, maps, epoch);
    for (size_t i = 0; i < maps->count; i++) {
        if (!is_known(image, &maps->module[i]))
            note_loaded(image, &maps->module[i], from);
    }
    image->changes++;
}

void image_keep(struct image *image, pid_t pid, uint64_t epoch, char *maps_text)
{
    struct maps maps;
    keep_made(image, pid);
    bool known = image->maps && image->pid == pid && strcmp(image->maps, maps_text) == 0;
    free(image->maps);
    image->maps = maps_text;
    if (!known && maps_parse(maps_text, &maps, NULL) == 0) {
        for (size_t i = 0; i < maps.count; i++)
            hold(image, pid, &maps.module[i]);
        note_code(image, pid, &maps, epoch);
        maps_free(&maps);
    }
    image->pid = pid;
    image->epoch = epoch;
}

int image_open(const struct image *image, const struct maps_module *mapped)
{
    const struct image_file *held = find(image, mapped);
    return held ? fcntl(held->fd, F_DUPFD_CLOEXEC, 0) : open_path(mapped->path, mapped);
}

void image_fini(struct image *image)
{
    for (size_t i = 0; i < image->files; i++) {
        close(image->file[i].fd);
        free(image->file[i].path);
    }
    free(image->file);
    forget(image);
    free(image->maps);
    perf_map_free(image->made);
    *image = (struct image){0};
}
