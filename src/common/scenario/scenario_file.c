#include "scenario/scenario.h"

#include "base/check.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = 64, SECTION_LIMIT = 16 };

/* One reading of one file. inih splits a line into key and value and tells neither the line's
 * number nor a section without keys, so `next_line` counts, and judges the shape of each line
 * first. */
struct file {
    FILE *stream;
    char *line; /* owned */
    size_t line_size;
    int line_number;
    int given_on[OPTION_LIMIT]; /* the line that set option i, or 0 */
    struct scenario *scenario;
    bool failed;
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

/* The names of the sections, in their order. */
static size_t section_names(const char **names)
{
    size_t count = 0, options;
    scenario_options(&options);
    for (size_t i = 0; i < options; i++) {
        if (count && strcmp(names[count - 1], scenario_section(i)) == 0)
            continue;
        CHECK(count < SECTION_LIMIT);
        names[count++] = scenario_section(i);
    }
    return count;
}

static int check_section(struct file *f, const char *line)
{
    const char *names[SECTION_LIMIT];
    char name[OPTION_LIMIT];
    size_t count = section_names(names), length = strcspn(line + 1, "]");
    if (strcmp(line + 1 + length, "]") != 0)
        return refuse(f, "a section is a name in brackets, such as [load]");
    snprintf(name, sizeof name, "%.*s", (int)length, line + 1);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 0;
    const char *nearest = grammar_nearest(name, names, count);
    if (nearest)
        return refuse(f, "no such section [%s]; did you mean [%s]?", name, nearest);
    return refuse(f,
                  "no such section [%s]; there are [load], [tls], [leave], [server], [verdict] "
                  "and [output]",
                  name);
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

static int refuse_key(struct file *f, const char *section, const char *key)
{
    const char *names[OPTION_LIMIT];
    size_t count, here = 0;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(scenario_section(i), section) == 0)
            names[here++] = options[i].name;
    const char *nearest = grammar_nearest(key, names, here);
    if (nearest)
        return refuse(f, "no such key '%s' in [%s]; did you mean %s?", key, section, nearest);
    nearest = opts_nearest(options, count, key);
    if (nearest)
        return refuse(f, "no such key '%s' in [%s]; did you mean %s in [%s]?", key, section,
                      nearest,
                      scenario_section((size_t)(opts_find(options, count, nearest) - options)));
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

static int set_key(struct file *f, const char *section, const char *key, const char *value)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    const struct opt *option = opts_find(options, count, key);
    if (!option)
        return *section ? refuse_key(f, section, key)
                        : refuse(f, "no such key '%s', and no section before it", key);
    size_t i = (size_t)(option - options);
    CHECK(i < OPTION_LIMIT);
    if (!*section)
        return refuse(f, "'%s' belongs in [%s], and no section comes before it", key,
                      scenario_section(i));
    if (strcmp(scenario_section(i), section) != 0)
        return refuse(f, "'%s' belongs in [%s], not in [%s]", key, scenario_section(i), section);
    if (f->given_on[i])
        return refuse(f, "'%s' is already given on line %d", key, f->given_on[i]);
    f->given_on[i] = f->line_number;
    bool text = option->type == OPT_STRING || option->type == OPT_OUTPUT;
    if (opts_set(option, f->scenario, text ? keep(value) : value, &f->error) == 0)
        return 0;
    f->failed = true;
    return err_prefix(&f->error, "%s%s%s", key, *value ? " = " : "", value);
}

/* inih's handler: 1 goes on, 0 notes an error. */
static int on_key(void *ctx, const char *section, const char *key, const char *value)
{
    struct file *f = ctx;
    return !f->failed && set_key(f, section, key, value) == 0;
}

int scenario_read(struct scenario *s, const char *path, struct err *e)
{
    struct scenario result = *s;
    struct file f = {.scenario = &result, .stream = fopen(path, "re")};
    if (!f.stream)
        return err_set(e, "%s: %s", path, strerror(errno));
    int status = ini_parse_stream(next_line, &f, on_key, &f);
    int unread = ferror(f.stream) ? errno : 0;
    fclose(f.stream);
    free(f.line);
    if (unread)
        return err_set(e, "%s: %s", path, strerror(unread));
    if (f.failed)
        return err_set(e, "%s:%d: %s", path, f.line_number, f.error.text);
    if (status != 0)
        return err_set(e, "%s:%d: a line is `key = value`", path, status);
    *s = result;
    return 0;
}
