#include "store/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 64 << 20 };

bool output_is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

int output_check(const char *name, const char *path, struct err *e)
{
    if (!path || output_is_stdout(path))
        return 0;
    FILE *out = fopen(path, "ae");
    if (!out)
        return err_set(e, "--%s=%.300s: it can't be written: %s", name, path, strerror(errno));
    fclose(out);
    return 0;
}

int output_write(const char *name, const char *path, void (*writer)(const void *ctx, FILE *out),
                 const void *ctx, struct err *e)
{
    if (!path)
        return 0;
    FILE *out = output_is_stdout(path) ? stdout : fopen(path, "we");
    if (!out)
        return err_set(e, "--%s=%.300s: %s", name, path, strerror(errno));
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

FILE *input_open(const char *path, struct err *e)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &stat) != 0)
        err_set(e, "%s", strerror(errno));
    else if (!S_ISREG(stat.st_mode) || stat.st_size > FILE_LIMIT)
        err_set(e, "it is no file, or one of more than %d MiB", FILE_LIMIT >> 20);
    else
        return fdopen(fd, "r");
    if (fd >= 0)
        close(fd);
    return NULL;
}
