/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool output_is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

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

FILE *output_open(const char *path, int flags, struct err *e)
{
    int fd = output_descriptor(path, flags, e);
    FILE *out = fd >= 0 ? fdopen(fd, flags & O_APPEND ? "a" : "w") : NULL;
    if (fd >= 0 && !out) {
        err_set(e, "%s", strerror(errno));
        close(fd);
    }
    return out;
}

int output_check(const char *name, const char *path, struct err *e)
{
    if (!path || output_is_stdout(path))
        return 0;
    int fd = output_descriptor(path, O_APPEND, e);
    if (fd < 0)
        return err_prefix(e, "--%s=%.300s", name, path);
    /* Whoever reads a pipe would take our closing it for the end. */
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISFIFO(stat.st_mode))
        close(fd);
    return 0;
}

/* Calls `writer` with the open file; NULL writes nothing. Returns 0, or -1 when something of it
 * couldn't be written. */
static int output_write(const char *name, const char *path,
                        void (*writer)(const void *ctx, FILE *out), const void *ctx, struct err *e)
{
    if (!path)
        return 0;
    FILE *out = output_is_stdout(path) ? stdout : output_open(path, O_TRUNC, e);
    if (!out)
        return err_prefix(e, "--%s=%.300s", name, path);
    writer(ctx, out);
    bool ok = fflush(out) == 0 && !ferror(out);
    if (out != stdout)
        ok = fclose(out) == 0 && ok;
    return ok ? 0 : err_set(e, "--%s=%.300s: %s", name, path, strerror(errno));
}

static void put_text(const void *ctx, FILE *out)
{
    fputs(ctx, out);
}

int output_text(const char *name, const char *path, const char *text, struct err *e)
{
    return output_write(name, path, put_text, text, e);
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
        if (output_check(out->name, out->path, e) != 0)
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
