/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has mapped, kept for the names of its addresses: the text of /proc/PID/maps, the
 * program files themselves, held open, and what a virtual machine says of the code that it made. So
 * names can be given after the process has gone and its files have been rebuilt, upgraded or
 * removed. What it has unloaded is kept, too, with its time: a plugin's addresses may be another
 * one's by now.
 */
#ifndef SOAK_SYMBOL_IMAGE_H
#define SOAK_SYMBOL_IMAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct perf_map;

struct image_file {
    uint64_t inode;
    char *path; /* owned */
    int fd;     /* owned */
};

/* One mapped file with code in it: its mappings, which follow each other, as one stretch. */
struct maps_module {
    uint64_t low, high;  /* [low, high) */
    uint64_t first_high; /* of the first mapping alone */
    uint64_t inode;
    uint64_t offset; /* of the last mapping, while reading */
    bool code;       /* one of the mappings may be executed; the first such one: */
    uint64_t code_low, code_offset;
    bool whole; /* begins with the file's first byte, so that `low` is where it was loaded */
    char *path; /* owned; as the kernel says it, or a name such as [vdso] */
};

/* A module, and the epochs in which its code may have run. */
struct image_code {
    struct maps_module module; /* owned */
    uint64_t from, until;      /* both inclusive; until: IMAGE_LOADED while it is loaded */
};
#define IMAGE_LOADED UINT64_MAX

/* Zero at first. */
struct image {
    char *maps; /* owned; NULL: the process was never read */
    size_t files;
    struct image_file *file; /* owned */
    struct perf_map *made;   /* owned; code that lies in no file (symbol/perf_map.h); may be NULL */
    pid_t pid;               /* of the last reading, and the epoch that it was in */
    uint64_t epoch;
    size_t codes, changes;   /* the second counts up when `code` changes */
    struct image_code *code; /* owned; the first is the first of the program's list */
};

/* Keeps `maps_text`, which it takes, the text of /proc/PID/maps at the beginning of `epoch`, and
 * opens the program files in it that it doesn't hold yet; those held stay. Reads
 * /tmp/perf-PID.map. Call it while the process lives. A file that can't be opened isn't held: its
 * addresses stay without names. What was known of another
 * process, or of another program in it, is forgotten. */
void image_keep(struct image *image, pid_t pid, uint64_t epoch, char *maps_text);
void image_fini(struct image *image);

/* A descriptor, the caller's, of the file that was mapped: the one held, else the one at its path
 * if that is still the same. -1 when there is none. For src/common/symbol. */
int image_open(const struct image *image, const struct maps_module *mapped);

/* The program files in the text of /proc/PID/maps. Pure but for the heap. */
struct maps {
    struct maps_module *module; /* by rising address, none overlaps another */
    size_t count;
};

/* Returns 0, or -1 when there is no line with code in the text, or no memory. */
int maps_parse(const char *text, struct maps *ret, struct err *e);
void maps_free(struct maps *maps);

/* How many of the entries begin at or below the address. They lie `bytes` apart, by rising start;
 * `first` is that of the first one. For src/common/symbol. */
static inline size_t starts_upto(const uint64_t *first, size_t count, size_t bytes,
                                 uint64_t address)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const void *start = (const char *)first + middle * bytes;
        if (*(const uint64_t *)start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
