/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "scenario/scenario.h"

#include "base/check.h"
#include "base/input.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SECTION_LIMIT = 16,
    SECTION_SIZE = 64,
    DEPTH_LIMIT = 8,   /* of files that include each other */
    FILES_LIMIT = 64,  /* read in all */
    PATH_LIMIT = 1024, /* of an included file */
    LIST = 160
};

/* What the files of one reading have in common. */
struct reading {
    struct scenario scenario;
    struct scenario_origin origin;
    int files;
};

/* One reading of one file. inih splits a line into key and value and tells neither the line's
 * number nor a section without keys, so `next_line` counts, and judges the shape of each line
 * first. */
struct file {
    struct reading *reading;
    const struct file *includer; /* NULL: the one that was asked for */
    const char *path;            /* kept */
    struct stat stat;
    FILE *stream; /* owned */
    char *line;   /* owned */
    size_t line_size;
    int line_number;
    int given_on[SCENARIO_OPTIONS]; /* the line that set option i, or 0 */
    bool any_given;
    bool failed;
    bool placed; /* the error already says where it is */
    struct err error;
};

static int refuse(struct file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct file *f, const char *format, ...)
{
    char said[sizeof f->error.text];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    f->failed = true;
    return err_set(&f->error, "%s", said);
}

static int refuse_section(struct file *f, const char *name, const char *const *names, size_t count)
{
    char text[LIST];
    struct text list = text_into(text, sizeof text);
    const char *nearest = grammar_nearest(name, names, count);
    if (nearest)
        return refuse(f, "no such section [%s]; did you mean [%s]?", name, nearest);
    for (size_t i = 0; i < count; i++) {
        const char *joint = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        text_add(&list, "%s[%s]", joint, names[i]);
    }
    return refuse(f, "no such section [%s]; there are %s", name, text);
}

static int check_section(struct file *f, const char *line)
{
    const char *names[SECTION_LIMIT];
    char name[SECTION_SIZE];
    size_t count = scenario_sections(names, SECTION_LIMIT), length = strcspn(line + 1, "]");
    if (strcmp(line + 1 + length, "]") != 0)
        return refuse(f, "a section is a name in brackets, such as [load]");
    snprintf(name, sizeof name, "%.*s", (int)length, line + 1);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 0;
    return refuse_section(f, name, names, count);
}

static int check_line(struct file *f, const char *line)
{
    if (!*line)
        return 0;
    if (*line == '[')
        return check_section(f, line);
    size_t key = strcspn(line, "=:");
    return line[key] == '=' && key > 0 ? 0 : refuse(f, "a line is `key = value`");
}

/* Cuts blanks at both ends and a comment: from a # or ; that begins the line or follows a blank. */
static char *bare(char *line)
{
    line += strspn(line, " \t");
    for (char *p = line; *p; p++) {
        bool begins = p == line || p[-1] == ' ' || p[-1] == '\t';
        if ((*p == '#' || *p == ';') && begins) {
            *p = '\0';
            break;
        }
    }
    size_t length = strlen(line);
    while (length && strchr(" \t\r\n", line[length - 1]))
        line[--length] = '\0';
    return line;
}

/* inih's reader, in the manner of fgets. A line without leading blanks can't continue the one
 * before it, which inih would otherwise do silently. */
static char *next_line(char *buf, int size, void *ctx)
{
    struct file *f = ctx;
    if (f->failed)
        return NULL;
    ssize_t length = getline(&f->line, &f->line_size, f->stream);
    if (length < 0)
        return NULL;
    f->line_number++;
    if (strlen(f->line) != (size_t)length) {
        refuse(f, "this isn't text");
        return NULL;
    }
    bool marked = f->line_number == 1 && strncmp(f->line, "\xef\xbb\xbf", 3) == 0;
    const char *line = bare(f->line + (marked ? 3 : 0));
    if (check_line(f, line) < 0)
        return NULL;
    if (snprintf(buf, (size_t)size, "%s\n", line) >= size) {
        refuse(f, "this line is too long: at most %d characters", size - 2);
        return NULL;
    }
    return buf;
}

/* ` in [load]` where the key belongs to another section than it stands in. */
static int refuse_meant(struct file *f, const char *section, const char *key, const char *meant)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    const char *right = scenario_section((size_t)(opts_find(options, count, meant) - options));
    bool here = strcmp(right, section) == 0;
    return refuse(f, "no such key '%s' in [%s]; did you mean %s%s%s%s?", key, section, meant,
                  here ? "" : " in [", here ? "" : right, here ? "" : "]");
}

static int refuse_key(struct file *f, const char *section, const char *key)
{
    const char *names[SCENARIO_OPTIONS];
    size_t count, here = 0;
    const struct opt *options = scenario_options(&count);
    const struct hint *hint = hint_for(key);
    if (hint && hint->option && opts_find(options, count, hint->option))
        return refuse_meant(f, section, key, hint->option);
    for (size_t i = 0; i < count; i++)
        if (strcmp(scenario_section(i), section) == 0)
            names[here++] = options[i].name;
    const char *nearest = grammar_nearest(key, names, here);
    if (!nearest)
        nearest = opts_nearest(options, count, key);
    if (nearest)
        return refuse_meant(f, section, key, nearest);
    return refuse(f, "no such key '%s' in [%s]", key, section);
}

/* A copy of `text` that stays reachable until the process ends, as scenario_read promises. */
static const char *keep(const char *text)
{
    struct kept {
        struct kept *next;
        char text[];
    };
    static struct kept *all;
    size_t size = strlen(text) + 1;
    struct kept *one = malloc(sizeof *one + size);
    CHECK(one);
    memcpy(one->text, text, size);
    one->next = all;
    all = one;
    return one->text;
}

/* ---- includes ---- */

/* Opens `path` as included by `includer`. The sentence doesn't name the file. */
static int file_open(struct file *f, struct reading *r, const struct file *includer,
                     const char *path, struct err *e)
{
    *f = (struct file){.reading = r, .includer = includer};
    f->stream = input_open(path, e);
    if (!f->stream)
        return -1;
    CHECK(fstat(fileno(f->stream), &f->stat) == 0);
    f->path = keep(path);
    r->files++;
    return 0;
}

static int file_read(struct file *f, struct err *e);

/* Files are the same when they are the same on the disk, whatever their names. */
static bool is_under_way(const struct file *f, const struct stat *stat)
{
    for (; f; f = f->includer)
        if (f->stat.st_dev == stat->st_dev && f->stat.st_ino == stat->st_ino)
            return true;
    return false;
}

static int depth(const struct file *f)
{
    int count = 0;
    for (; f; f = f->includer)
        count++;
    return count;
}

/* `name` beside the file that includes it. */
static int included_path(struct file *f, const char *name, char *path, size_t size)
{
    const char *slash = strrchr(f->path, '/');
    int folder = *name == '/' || !slash ? 0 : (int)(slash - f->path) + 1;
    int n = snprintf(path, size, "%.*s%s", folder, f->path, name);
    if (n < 0 || (size_t)n >= size)
        return refuse(f, "include = %.60s...: this path is too long", name);
    return 0;
}

static int read_included(struct file *f, struct file *inner, const char *name)
{
    struct err why;
    if (is_under_way(f, &inner->stat)) {
        fclose(inner->stream);
        return refuse(f, "include = %s: a file can't include itself, nor by way of others", name);
    }
    if (file_read(inner, &why) == 0)
        return 0;
    f->placed = true;
    return refuse(f, "%s (included at %s:%d)", why.text, f->path, f->line_number);
}

static int include(struct file *f, const char *section, const char *name)
{
    char path[PATH_LIMIT];
    struct file inner;
    struct err why;
    if (*section)
        return refuse(f, "'include' belongs at the top, before the first section");
    if (f->any_given)
        return refuse(f, "'include' belongs before the keys: they override what it gives");
    if (!*name)
        return refuse(f, "include: a file is missing, such as include = common.soak");
    if (depth(f) > DEPTH_LIMIT)
        return refuse(f, "include = %s: files include each other at most %d deep", name,
                      DEPTH_LIMIT);
    if (f->reading->files >= FILES_LIMIT)
        return refuse(f, "include = %s: at most %d files in all", name, FILES_LIMIT);
    if (included_path(f, name, path, sizeof path) < 0)
        return -1;
    if (file_open(&inner, f->reading, f, path, &why) < 0)
        return refuse(f, "include = %s: %s", name, why.text);
    return read_included(f, &inner, name);
}

/* ---- keys ---- */

/* A mix after weights of the same file would take them back without a word. */
static int check_mix_comes_first(struct file *f, const struct opt *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (scenario_is_weight(i) && f->given_on[i])
            return refuse(f, "'mix' is the whole mix and takes back '%s' of line %d; put it first",
                          options[i].name, f->given_on[i]);
    return 0;
}

/* Whether option `i` may stand where it does, in `section`. */
static int check_place(struct file *f, const struct opt *option, size_t i, const char *section)
{
    const char *key = option->name, *right = scenario_section(i);
    bool at_top = strcmp(right, "suite") == 0;
    if (!*section && !at_top)
        return refuse(f, "'%s' belongs in [%s], and no section comes before it", key, right);
    if (*section && strcmp(right, section) != 0)
        return refuse(f, "'%s' belongs in [%s], not in [%s]", key, right, section);
    if (f->given_on[i] && option->type != OPT_LIST)
        return refuse(f, "'%s' is already given on line %d", key, f->given_on[i]);
    return 0;
}

static int set_key(struct file *f, const char *section, const char *key, const char *value)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    if (strcmp(key, "include") == 0)
        return include(f, section, value);
    const struct opt *option = opts_find(options, count, key);
    if (!option)
        return *section ? refuse_key(f, section, key)
                        : refuse(f, "no such key '%s', and no section before it", key);
    size_t i = (size_t)(option - options);
    if (check_place(f, option, i, section) < 0)
        return -1;
    if (scenario_is_mix(i) && check_mix_comes_first(f, options, count) < 0)
        return -1;
    f->given_on[i] = f->line_number;
    f->any_given = true;
    bool text =
        option->type == OPT_STRING || option->type == OPT_OUTPUT || option->type == OPT_LIST;
    if (opts_set_bounded(option, &scenario_table()->bounds[i], &f->reading->scenario,
                         text ? keep(value) : value, &f->error) < 0) {
        f->failed = true;
        return err_prefix(&f->error, "%s%s%s", key, *value ? " = " : "", value);
    }
    scenario_note(&f->reading->origin, i,
                  (struct scenario_place){SCENARIO_FILE, f->path, f->line_number});
    return 0;
}

/* inih's handler: 1 goes on, 0 notes an error. */
static int on_key(void *ctx, const char *section, const char *key, const char *value)
{
    struct file *f = ctx;
    return !f->failed && set_key(f, section, key, value) == 0;
}

/* Reads and closes an open file. */
static int file_read(struct file *f, struct err *e)
{
    int status = ini_parse_stream(next_line, f, on_key, f);
    int unread = ferror(f->stream) ? errno : 0;
    fclose(f->stream);
    free(f->line);
    if (unread)
        return err_set(e, "%s: %s", f->path, strerror(unread));
    if (f->failed && f->placed)
        return err_set(e, "%s", f->error.text);
    if (f->failed)
        return err_set(e, "%s:%d: %s", f->path, f->line_number, f->error.text);
    if (status != 0)
        return err_set(e, "%s:%d: a line is `key = value`", f->path, status);
    return 0;
}

int scenario_read_noting(struct scenario *s, struct scenario_origin *o, const char *path,
                         struct err *e)
{
    struct reading r = {.scenario = *s, .origin = *o};
    struct file f;
    if (file_open(&f, &r, NULL, path, e) < 0)
        return err_prefix(e, "%s", path);
    if (file_read(&f, e) < 0)
        return -1;
    *s = r.scenario;
    *o = r.origin;
    return 0;
}

int scenario_read(struct scenario *s, const char *path, struct err *e)
{
    struct scenario_origin unused = {0};
    return scenario_read_noting(s, &unused, path, e);
}
