#include "suite_write.h"

#include "suite_json.h"
#include "suite_junit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

static int check_one(const char *name, const char *path, struct err *e)
{
    if (!path || is_stdout(path))
        return 0;
    FILE *out = fopen(path, "ae");
    if (!out)
        return err_set(e, "--%s=%.300s: it can't be written: %s", name, path, strerror(errno));
    fclose(out);
    return 0;
}

int suite_outputs_check(const struct suite_outputs *o, struct err *e)
{
    if (o->junit && is_stdout(o->junit))
        return err_set(e, "--junit: it takes a file: --junit=FILE");
    return check_one("json", o->json, e) == 0 ? check_one("junit", o->junit, e) : -1;
}

static void write_json(const struct suite *s, FILE *out)
{
    char *text = suite_dump(s);
    if (text)
        fputs(text, out);
    free(text);
}

static int write_one(const char *name, const char *path, const struct suite *s,
                     void (*writer)(const struct suite *s, FILE *out), struct err *e)
{
    if (!path)
        return 0;
    FILE *out = is_stdout(path) ? stdout : fopen(path, "we");
    if (!out)
        return err_set(e, "--%s=%.300s: %s", name, path, strerror(errno));
    writer(s, out);
    bool ok = fflush(out) == 0 && !ferror(out);
    if (out != stdout)
        ok = fclose(out) == 0 && ok;
    return ok ? 0 : err_set(e, "--%s=%.300s: %s", name, path, strerror(errno));
}

int suite_outputs_write(const struct suite_outputs *o, const struct suite *s, struct err *e)
{
    int json = write_one("json", o->json, s, write_json, e);
    int junit = write_one("junit", o->junit, s, suite_junit, e);
    return json == 0 && junit == 0 ? 0 : -1;
}

FILE *suite_outputs_text(const struct suite_outputs *o)
{
    return o->json && is_stdout(o->json) ? stderr : stdout;
}
