/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"

#include "base/ending_signals.h"
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* ---- in place ---- */

/* Waits for nobody: neither for a reader of a FIFO, nor for a terminal. */
static int output_descriptor(const char *path, int flags, struct err *e)
{
    struct stat stat;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0666);
    if (fd < 0 && errno == ENXIO)
        return err_set(e, "it can't be written: nobody reads this pipe");
    if (fd < 0 || fstat(fd, &stat) != 0)
        err_set(e, "it can't be written: %s", strerror(errno));
    else if (S_ISBLK(stat.st_mode))
        err_set(e, "it can't be written: this is a disk, and a file is needed");
    else if (fcntl(fd, F_SETFL, flags) == 0) /* from here on a slow reader is waited for */
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

FILE *output_append(const char *path, struct err *e)
{
    int fd = output_descriptor(path, O_APPEND, e);
    FILE *out = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (fd >= 0 && !out) {
        err_set(e, "%s", strerror(errno));
        close(fd);
    }
    return out;
}

static int write_in_place(const char *path, const char *text, size_t length, struct err *e)
{
    int fd = output_descriptor(path, O_TRUNC, e);
    int error = fd >= 0 ? ending_signals_write(fd, text, length) : 0;
    if (fd >= 0 && close(fd) != 0 && error == 0)
        error = -errno;
    return error == 0 ? (fd >= 0 ? 0 : -1) : err_set(e, "%s", strerror(-error));
}

/* ---- as a whole ---- */

/* A file that is to be replaced, or made. */
struct whole {
    char path[PATH_MAX]; /* without links where it is there */
    char beside[32];
    struct stat stat;
    struct replacement by;
};

/* Only in place can be written what some process has open, or what would lose its other names or
 * its owner. */
static bool can_be_another(const char *path, const struct stat *s)
{
    bool opened = strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/dev/std", 8) == 0 ||
                  strncmp(path, "/proc/", 6) == 0;
    return !opened && S_ISREG(s->st_mode) && s->st_nlink == 1 && s->st_uid == geteuid() &&
           access(path, W_OK) == 0;
}

/* Fills path, stat and by.like. */
static bool find_file(struct whole *w, const char *path)
{
    if (stat(path, &w->stat) == 0) {
        w->by.like = &w->stat;
        return can_be_another(path, &w->stat) && realpath(path, w->path);
    }
    bool link = errno != ENOENT || lstat(path, &w->stat) == 0; /* to nothing yet */
    int n = snprintf(w->path, sizeof w->path, "%s", path);
    return !link && n > 0 && (size_t)n < sizeof w->path;
}

static int open_folder(const char *path, const char *slash)
{
    char folder[PATH_MAX];
    int length = slash && slash != path ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", length, slash ? path : ".");
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Whether the file can be replaced; then by.folder_fd is the caller's to close. */
static bool whole_open(struct whole *w, const char *path)
{
    w->by = (struct replacement){.mode = 0666, .beside = w->beside};
    if (!find_file(w, path))
        return false;
    const char *slash = strrchr(w->path, '/');
    w->by.name = slash ? slash + 1 : w->path;
    snprintf(w->beside, sizeof w->beside, ".soak-%ld.tmp", (long)getpid());
    w->by.folder_fd = open_folder(w->path, slash);
    if (w->by.folder_fd < 0)
        return false;
    if (w->by.name[0] && replace_check(&w->by) == 0)
        return true;
    close(w->by.folder_fd);
    return false;
}

static int write_file(const char *path, const char *text, size_t length, struct err *e)
{
    struct whole w;
    if (!whole_open(&w, path))
        return write_in_place(path, text, length, e);
    int error = replace_file(&w.by, text, length);
    close(w.by.folder_fd);
    return error == 0
               ? 0
               : err_set(e, "%s%s", strerror(-error), w.by.like ? "; what was there stays" : "");
}

/* ---- outputs ---- */

int output_check(const char *name, const char *path, struct err *e)
{
    struct whole w;
    if (!path || output_is_stdout(path))
        return 0;
    if (whole_open(&w, path)) {
        close(w.by.folder_fd);
        return 0;
    }
    int fd = output_descriptor(path, O_APPEND, e);
    if (fd < 0)
        return err_prefix(e, "--%s=%.300s", name, path);
    /* Whoever reads a pipe would take our closing it for the end. */
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISFIFO(stat.st_mode))
        close(fd);
    return 0;
}

static int write_stream(FILE *out, const char *text, size_t length, struct err *e)
{
    int error = fflush(out) == 0 ? ending_signals_write(fileno(out), text, length) : -errno;
    return error == 0 ? 0 : err_set(e, "%s", strerror(-error));
}

/* Returns what `writer` writes, the caller's to free; NULL with a sentence. */
static char *text_of(void (*writer)(const void *ctx, FILE *out), const void *ctx,
                     size_t *ret_length, struct err *e)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_length);
    if (out)
        writer(ctx, out);
    if (out && fclose(out) == 0)
        return text;
    err_set(e, "%s", strerror(errno));
    free(text);
    return NULL;
}

int output_print(FILE *out, void (*writer)(const void *ctx, FILE *out), const void *ctx,
                 struct err *e)
{
    size_t length;
    char *text = text_of(writer, ctx, &length, e);
    int rc = text ? write_stream(out, text, length, e) : -1;
    free(text);
    return rc;
}

int output_file(const char *path, void (*writer)(const void *ctx, FILE *out), const void *ctx,
                struct err *e)
{
    size_t length;
    if (output_is_stdout(path))
        return output_print(stdout, writer, ctx, e);
    char *text = text_of(writer, ctx, &length, e);
    int rc = text ? write_file(path, text, length, e) : -1;
    free(text);
    return rc;
}

/* NULL writes nothing. Returns 0, or -1 when something of it couldn't be written. */
static int output_write(const char *name, const char *path,
                        void (*writer)(const void *ctx, FILE *out), const void *ctx, struct err *e)
{
    if (!path || output_file(path, writer, ctx, e) == 0)
        return 0;
    return err_prefix(e, "--%s=%.300s", name, path);
}

static void put_text(const void *ctx, FILE *out)
{
    fputs(ctx, out);
}

int output_text(const char *name, const char *path, const char *text, struct err *e)
{
    return output_write(name, path, put_text, text, e);
}

/* The later of the two would replace the earlier; /dev/null and pipes take both. */
static bool is_same_file(const char *path, const char *other)
{
    struct whole w[2];
    struct stat folder[2];
    if (!whole_open(&w[0], path))
        return false;
    bool both = whole_open(&w[1], other);
    bool same = both && strcmp(w[0].by.name, w[1].by.name) == 0 &&
                fstat(w[0].by.folder_fd, &folder[0]) == 0 &&
                fstat(w[1].by.folder_fd, &folder[1]) == 0 && folder[0].st_dev == folder[1].st_dev &&
                folder[0].st_ino == folder[1].st_ino;
    close(w[0].by.folder_fd);
    if (both)
        close(w[1].by.folder_fd);
    return same;
}

static int check_alone(const struct outputs *o, const struct output *out, struct err *e)
{
    for (const struct output *other = o->output; other < out; other++)
        if (out->path && other->path && !output_is_stdout(out->path) &&
            !output_is_stdout(other->path) && is_same_file(out->path, other->path))
            return err_set(e, "--%s and --%s: both go to %.300s; give each a file of its own",
                           other->name, out->name, out->path);
    return 0;
}

int outputs_check(const struct outputs *o, struct err *e)
{
    const struct output *first = NULL; /* that goes to stdout */
    for (size_t i = 0; i < o->count; i++) {
        const struct output *out = &o->output[i];
        bool to_stdout = output_is_stdout(out->path);
        if (to_stdout && out->needs_file)
            return err_set(e, "--%s: it takes a file: --%s=FILE", out->name, out->name);
        if (to_stdout && first)
            return err_set(e, "--%s and --%s: one of them to stdout, the other to a FILE",
                           first->name, out->name);
        if (output_check(out->name, out->path, e) != 0 || check_alone(o, out, e) != 0)
            return -1;
        first = to_stdout ? out : first;
    }
    return 0;
}

int outputs_write(const struct outputs *o, const void *ctx, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < o->count; i++) {
        const struct output *out = &o->output[i];
        if (output_write(out->name, out->path, out->write, ctx, e) != 0)
            rc = -1;
    }
    return rc;
}

FILE *outputs_text(const struct outputs *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (output_is_stdout(o->output[i].path))
            return stderr;
    return stdout;
}
