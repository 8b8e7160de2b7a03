/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/image.h"

#include "symbol/perf_map.h"
#include "symbol/symbol_maps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

void image_keep(struct image *image, pid_t pid, char *maps_text)
{
    struct maps maps;
    keep_made(image, pid);
    bool known = image->maps && strcmp(image->maps, maps_text) == 0;
    free(image->maps);
    image->maps = maps_text;
    if (known || maps_parse(maps_text, &maps, NULL) != 0)
        return;
    for (size_t i = 0; i < maps.count; i++)
        hold(image, pid, &maps.module[i]);
    maps_free(&maps);
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
    free(image->maps);
    perf_map_free(image->made);
    *image = (struct image){0};
}
