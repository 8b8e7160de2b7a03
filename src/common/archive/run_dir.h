/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of one run: results/runs/<time>-<scenario>/, mode 0700, owned by this run alone. What
 * is written here is never lost by a later failure: lines are appended as they happen, documents
 * are written beside and renamed.
 */
#ifndef SOAK_ARCHIVE_RUN_DIR_H
#define SOAK_ARCHIVE_RUN_DIR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct run_dir {
    int fd;         /* the folder */
    int samples_fd; /* samples.jsonl, read and append */
    bool entered;   /* it was there already: --results can't ask for another */
    char path[512]; /* absolute */
};

/* Whether run_dir_open could make a folder in `base` and its link beside it: nothing is made yet.
 * Returns 0 or -1. */
int run_dir_check(const char *base, struct err *e);
/* Makes `base`/<UTC time>-<scenario>[-2...]/ with samples.jsonl and links `base`/last to it.
 * `base` is made when missing. Fails with a sentence that names the path (unwritable, full). */
int run_dir_open(struct run_dir *d, const char *base, const char *scenario, struct err *e);
/* The folder of a suite, whose runs lie in it: the same without samples; it takes run_dir_write and
 * run_dir_close only. */
int run_dir_open_suite(struct run_dir *d, const char *base, const char *suite, struct err *e);
/* One that is there already, for more documents: it takes run_dir_write and run_dir_close only.
 * Returns 0, or -1 where nothing can be written into it. */
int run_dir_enter(struct run_dir *d, const char *path, struct err *e);
/* Appends one line (a newline is added) with one write. Returns 0 or -1 (disk full: the sentence
 * says so; the file keeps whole lines only). */
int run_dir_sample(struct run_dir *d, const char *line, struct err *e);
/* What samples.jsonl has so far, on the heap, and its replacement by another text, atomically as
 * run_dir_write does: what is appended later follows that. Return 0 or -1. */
int run_dir_samples_read(const struct run_dir *d, char **ret_text, size_t *ret_length,
                         struct err *e);
int run_dir_samples_replace(struct run_dir *d, const char *text, size_t length, struct err *e);
/* Writes `name` atomically: temporary file, fsync, rename. Returns 0 or -1; on failure an earlier
 * file of that name stays as it was and the temporary file is removed. */
int run_dir_write(struct run_dir *d, const char *name, const char *text, size_t length,
                  struct err *e);
/* Writes `name` so that a reader never sees half of it, and no more than that: the disk may have it
 * later. What can't be written isn't. */
void run_dir_note(struct run_dir *d, const char *name, const char *text);
void run_dir_remove(struct run_dir *d, const char *name);
/* As run_dir_write, of a text on the heap, which it frees; NULL: there was no memory for it. */
int run_dir_keep(struct run_dir *d, const char *name, char *text, struct err *e);
/* Opens `name` for a child's log (append, close-on-exec). Returns the descriptor or -1. */
int run_dir_log(struct run_dir *d, const char *name, struct err *e);
void run_dir_close(struct run_dir *d);

/* Makes the folder `path` and what is missing above it. Returns 0 or -errno. */
int run_dir_make_folders(const char *path);

#endif
