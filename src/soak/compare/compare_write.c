#include "compare_write.h"

#include "compare_json.h"
#include "compare_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
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

int compare_outputs_check(const struct compare_outputs *o, struct err *e)
{
    if (is_stdout(o->json) && is_stdout(o->markdown))
        return err_set(e, "--json and --markdown: one of them to stdout, the other to a FILE");
    return check_one("json", o->json, e) == 0 ? check_one("markdown", o->markdown, e) : -1;
}

static void write_json(const struct compare_set *s, FILE *out)
{
    char *text = compare_json(s);
    if (text)
        fputs(text, out);
    free(text);
}

static int write_one(const char *name, const char *path, const struct compare_set *s,
                     void (*writer)(const struct compare_set *s, FILE *out), struct err *e)
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

int compare_outputs_write(const struct compare_outputs *o, const struct compare_set *s,
                          struct err *e)
{
    int json = write_one("json", o->json, s, write_json, e);
    int markdown = write_one("markdown", o->markdown, s, compare_markdown, e);
    return json == 0 && markdown == 0 ? 0 : -1;
}

FILE *compare_outputs_text(const struct compare_outputs *o)
{
    return is_stdout(o->json) || is_stdout(o->markdown) ? stderr : stdout;
}
