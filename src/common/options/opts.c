/* SPDX-License-Identifier: Apache-2.0 */
#include "opts.h"

#include "base/check.h"
#include "choices.h"
#include "grammar.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { NAME_SIZE = 64, TABLE_LIMIT = 512 };

/* A cursor over a line and what its options are written to. */
struct reader {
    const struct opts_line *line;
    int next;
    void *target;
};

static bool is_flag(const struct opt *option)
{
    return option->type == OPT_FLAG || option->type == OPT_OFF;
}

const struct opt *opts_find(const struct opt *table, size_t table_count, const char *name)
{
    for (size_t i = 0; i < table_count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *opts_nearest(const struct opt *table, size_t table_count, const char *name)
{
    const char *names[TABLE_LIMIT];
    CHECK(table_count <= TABLE_LIMIT);
    for (size_t i = 0; i < table_count; i++)
        names[i] = table[i].name;
    return grammar_nearest(name, names, table_count);
}

static int refuse_name(const struct reader *r, const char *name, struct err *e)
{
    const char *nearest = opts_nearest(r->line->table, r->line->options, name);
    if (!nearest)
        err_set(e, "--%s: no such option", name);
    else
        err_set(e, "--%s: no such option; did you mean --%s?", name, nearest);
    return OPTS_STRANGER;
}

static bool ends_in(const char *word, const char *suffix)
{
    size_t length = strlen(word), end = strlen(suffix);
    return length > end && strcmp(word + length - end, suffix) == 0;
}

bool opts_takes(const struct opt *option, const char *next)
{
    if (is_flag(option) || !next || strncmp(next, "--", 2) == 0)
        return false;
    if (option->type != OPT_OUTPUT)
        return true;
    return strcmp(next, "-") == 0 || (option->choices && ends_in(next, option->choices));
}

/* The name in `--name` or `--name=value`; NULL when it is longer than any. */
static const char *name_in(const char *word, char *buf)
{
    size_t length = strcspn(word + 2, "=");
    if (length >= NAME_SIZE)
        return NULL;
    memcpy(buf, word + 2, length);
    buf[length] = '\0';
    return buf;
}

const char *opts_stranger(const struct opts_line *line)
{
    const int argc = line->argc;
    char *const *argv = line->argv;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char buf[NAME_SIZE];
        const char *word = argv[i];
        if (word[0] != '-' || !word[1])
            continue;
        const char *name = word[1] == '-' ? name_in(word, buf) : NULL;
        const struct opt *option = name ? opts_find(line->table, line->options, name) : NULL;
        if (!option)
            return word;
        i += !strchr(word, '=') && opts_takes(option, i + 1 < argc ? argv[i + 1] : NULL);
    }
    return NULL;
}

/* Sets `option` and, on failure, puts `--name value: ` before the sentence. */
static int set_named(const struct reader *r, const struct opt *option, const char *value,
                     struct err *e)
{
    const struct opts_line *line = r->line;
    const struct opt_bounds *bounds = line->bounds ? line->bounds + (option - line->table) : NULL;
    if (opts_set_bounded(option, bounds, r->target, value, e) == 0)
        return 0;
    return err_prefix(e, "--%s%s%s", option->name, *value ? " " : "", value);
}

/* The value of an option that was written without `=`. */
static int take_value(struct reader *r, const struct opt *option, const char **ret_value,
                      struct err *e)
{
    const char *value = r->next < r->line->argc ? r->line->argv[r->next] : NULL;
    bool takes = opts_takes(option, value);
    r->next += takes;
    *ret_value = takes ? value : option->type == OPT_OUTPUT ? "-" : "true";
    if (takes || is_flag(option) || option->type == OPT_OUTPUT)
        return 0;
    if (!value)
        return err_set(e, "--%s: a value is missing: --%s %s", option->name, option->name,
                       option->metavar);
    return err_set(e, "--%s: a value is missing before %s (if that is the value: --%s=%s)",
                   option->name, value, option->name, value);
}

/* Reads the option at argv[next], with its value. */
static int read_option(struct reader *r, struct err *e)
{
    const char *word = r->line->argv[r->next++], *equals = strchr(word, '='), *value;
    char buf[NAME_SIZE];
    const char *name = name_in(word, buf);
    if (!name) {
        err_set(e, "%.*s...: no such option", NAME_SIZE - 1, word);
        return OPTS_STRANGER;
    }
    const struct opt *option = opts_find(r->line->table, r->line->options, name);
    if (!option)
        return refuse_name(r, name, e);
    if (equals)
        return set_named(r, option, equals + 1, e);
    return take_value(r, option, &value, e) < 0 ? -1 : set_named(r, option, value, e);
}

int opts_parse(const struct opts_line *line, void *target, struct opts_words *words, struct err *e)
{
    struct reader r = {line, 1, target};
    bool ended = false;
    words->count = 0;
    while (r.next < line->argc) {
        const char *word = line->argv[r.next];
        if (!ended && strncmp(word, "--", 2) == 0) {
            ended = word[2] == '\0';
            r.next += ended;
            int rc = ended ? 0 : read_option(&r, e);
            if (rc < 0)
                return rc;
            continue;
        }
        if (!ended && word[0] == '-' && word[1]) {
            err_set(e, "%s: no such option; options begin with --", word);
            return OPTS_STRANGER;
        }
        if (words->count == words->size)
            return err_set(e, "%s: unexpected argument", word);
        words->word[words->count++] = word;
        r.next++;
    }
    return 0;
}

/* A value never begins with two dashes (take_value), so each such word is an option. */
void opts_walk(const struct opts_line *line, void (*on_option)(void *ctx, size_t index), void *ctx)
{
    char *const *argv = line->argv;
    for (int i = 1; i < line->argc && strcmp(argv[i], "--") != 0; i++) {
        char name[NAME_SIZE];
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
        const struct opt *option = opts_find(line->table, line->options, name);
        if (option)
            on_option(ctx, (size_t)(option - line->table));
    }
}

static int set_bool(bool *target, bool attribution_true, const char *text, struct err *e)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return err_set(e, "this is true or false");
    *target = (strcmp(text, "true") == 0) == attribution_true;
    return 0;
}

static int set_int(int *target, const char *text, struct err *e)
{
    size_t length = strspn(text, "0123456789");
    long value = 0;
    if (length == 0 || text[length])
        return err_set(e, "this is a whole number, such as 4");
    for (const char *p = text; *p; p++) {
        value = value * 10 + (*p - '0');
        if (value > INT_MAX)
            return err_set(e, "this number is too large");
    }
    *target = (int)value;
    return 0;
}

static int refuse_choice(const char *choices, struct err *e)
{
    char list[256] = "";
    size_t length, used = 0;
    const char *choice;
    for (int i = 0; (choice = choices_at(choices, i, &length)); i++) {
        const char *joint = i == 0 ? "" : choice[length] ? ", " : " or ";
        int n = snprintf(list + used, sizeof list - used, "%s%.*s", joint, (int)length, choice);
        used += (size_t)n;
        CHECK(used < sizeof list);
    }
    return err_set(e, "this is one of %s", list);
}

static int set_choice(int *target, const char *choices, const char *text, struct err *e)
{
    int index = choices_find(choices, text, strlen(text));
    if (index < 0)
        return refuse_choice(choices, e);
    *target = index;
    return 0;
}

static int set_one_in(uint64_t *target, const char *text, struct err *e)
{
    if (strcmp(text, "none") == 0) {
        *target = 0;
        return 0;
    }
    return grammar_one_in(text, target, e);
}

/* `NAME` of `NAME=VALUE`; the whole of another text. */
static size_t name_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return text[length] == '=' ? length : strlen(text);
}

/* An empty text takes back all that was given. */
static int add_item(struct opts_list *list, const char *text, struct err *e)
{
    size_t name = name_length(text);
    if (!*text) {
        list->count = 0;
        return 0;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (name_length(list->item[i]) == name && strncmp(list->item[i], text, name) == 0) {
            list->item[i] = text;
            return 0;
        }
    }
    if (list->count == OPTS_LIST)
        return err_set(e, "at most %d of them", OPTS_LIST);
    list->item[list->count++] = text;
    return 0;
}

int opts_set(const struct opt *option, void *target, const char *text, struct err *e)
{
    void *field = (char *)target + option->offset;
    switch (option->type) {
    case OPT_FLAG:
        return set_bool(field, true, text, e);
    case OPT_OFF:
        return set_bool(field, false, text, e);
    case OPT_STRING:
    case OPT_OUTPUT:
        *(const char **)field = *text ? text : NULL;
        return 0;
    case OPT_INT:
        return set_int(field, text, e);
    case OPT_COUNT:
        return grammar_count(text, field, e);
    case OPT_SIZE:
        return grammar_size(text, field, e);
    case OPT_DURATION:
        return grammar_duration(text, field, e);
    case OPT_RATE:
        return grammar_rate(text, field, e);
    case OPT_PERCENT:
        return grammar_percent(text, field, e);
    case OPT_GROWTH:
        return grammar_growth(text, field, e);
    case OPT_ONE_IN:
        return set_one_in(field, text, e);
    case OPT_HEX:
        return grammar_hex(text, field, e);
    case OPT_CHOICE:
        return set_choice(field, option->choices, text, e);
    case OPT_LIST:
        return add_item(field, text, e);
    case OPT_WEIGHTS:
        return opts_weights_set(field, option->choices, text, e);
    }
    check_fail(__FILE__, __LINE__, "every option type has a case");
}

int opts_set_bounded(const struct opt *option, const struct opt_bounds *bounds, void *target,
                     const char *text, struct err *e)
{
    if (opts_set(option, target, text, e) == 0)
        return 0;
    if (option->type != OPT_INT || !bounds || bounds->limits.most == 0)
        return -1;
    return err_set(e, "this is a whole number from %" PRIu64 " to %" PRIu64, bounds->limits.least,
                   bounds->limits.most);
}
