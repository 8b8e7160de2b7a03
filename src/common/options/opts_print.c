/* SPDX-License-Identifier: Apache-2.0 */
#include "opts.h"

#include "base/check.h"
#include "choices.h"
#include "grammar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where the texts begin; in less than HELP_BESIDE columns below their options, near the margin. */
enum { HELP_LEFT = 30, HELP_BESIDE = 70, HELP_BELOW = 6 };

static char *print_text(char *buf, size_t size, const char *text)
{
    snprintf(buf, size, "%s", text ? text : "");
    return buf;
}

static char *print_list(char *buf, size_t size, const struct opts_list *list)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < list->count && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? "\n" : "", list->item[i]);
    return buf;
}

static char *print_int(char *buf, size_t size, int value)
{
    snprintf(buf, size, "%d", value);
    return buf;
}

static char *print_choice(char *buf, size_t size, const char *choices, int index)
{
    size_t length;
    const char *choice = choices_at(choices, index, &length);
    CHECK(choice);
    snprintf(buf, size, "%.*s", (int)length, choice);
    return buf;
}

static char *print_one_in(char *buf, size_t size, uint64_t n)
{
    return n ? grammar_one_in_print(buf, size, n) : print_text(buf, size, "none");
}

char *opts_print(const struct opt *option, const void *target, char *buf, size_t size)
{
    const void *field = (const char *)target + option->offset;
    switch (option->type) {
    case OPT_FLAG:
        return print_text(buf, size, *(const bool *)field ? "true" : "false");
    case OPT_OFF:
        return print_text(buf, size, *(const bool *)field ? "false" : "true");
    case OPT_STRING:
    case OPT_OUTPUT:
        return print_text(buf, size, *(const char *const *)field);
    case OPT_INT:
        return print_int(buf, size, *(const int *)field);
    case OPT_COUNT:
        return grammar_count_print(buf, size, *(const uint64_t *)field);
    case OPT_SIZE:
        return grammar_size_print(buf, size, *(const uint64_t *)field);
    case OPT_DURATION:
        return grammar_duration_print(buf, size, *(const uint64_t *)field);
    case OPT_RATE:
        return grammar_rate_print(buf, size, *(const struct rate *)field);
    case OPT_PERCENT:
        return grammar_percent_print(buf, size, *(const double *)field);
    case OPT_GROWTH:
        return grammar_growth_print(buf, size, *(const double *)field);
    case OPT_ONE_IN:
        return print_one_in(buf, size, *(const uint64_t *)field);
    case OPT_HEX:
        return grammar_hex_print(buf, size, *(const uint64_t *)field);
    case OPT_CHOICE:
        return print_choice(buf, size, option->choices, *(const int *)field);
    case OPT_LIST:
        return print_list(buf, size, field);
    case OPT_WEIGHTS:
        return opts_weights_print(buf, size, option->choices, field);
    }
    check_fail(__FILE__, __LINE__, "every option type has a case");
}

void opts_wrap(const char *text, int left, int columns, FILE *out)
{
    const size_t width = (size_t)(columns - left);
    while (strlen(text) > width) {
        size_t end = width;
        while (end > 0 && text[end] != ' ')
            end--;
        if (end == 0)
            break;
        fprintf(out, "%.*s\n%*s", (int)end, text, left, "");
        text += end + 1;
    }
    fprintf(out, "%s\n", text);
}

/* Where 0 is a value of its own the help says what it does. */
static bool is_unset(const struct opt *option, const char *text)
{
    bool zero = strcmp(text, "0") == 0 || strcmp(text, "0s") == 0 || strcmp(text, "0B") == 0;
    bool told = strstr(option->help, " 0") || option->help[0] == '0' || option->type == OPT_INT;
    return !*text || (zero && !told);
}

char *opts_default(const struct opt *option, const void *defaults, char *buf, size_t size)
{
    bool untold =
        option->type == OPT_FLAG || option->type == OPT_OFF || option->type == OPT_WEIGHTS;
    if (!defaults || untold || is_unset(option, opts_print(option, defaults, buf, size)))
        buf[0] = '\0';
    return buf;
}

int opts_left(int used, int left, int columns, FILE *out)
{
    bool below = columns < HELP_BESIDE;
    int column = below ? HELP_BELOW : left;
    bool fits = !below && used < column - 1;
    fprintf(out, "%s%*s", fits ? "" : "\n", fits ? column - used : column, "");
    return column;
}

void opts_help(const struct opt *table, size_t table_count, const void *defaults, int columns,
               FILE *out)
{
    for (size_t i = 0; i < table_count; i++) {
        char usual[OPTS_TEXT], help[OPTS_TEXT + 256];
        const struct opt *option = &table[i];
        bool listed = option->type == OPT_CHOICE;
        const char *value = listed ? option->choices : option->metavar;
        const char *joint = !value ? "" : option->type == OPT_OUTPUT ? "[=" : " ";
        const char *close = option->type == OPT_OUTPUT ? "]" : "";
        int used = fprintf(out, "  --%s%s%s%s", option->name, joint, value ? value : "", close);
        int left = opts_left(used, HELP_LEFT, columns, out);
        opts_default(option, defaults, usual, sizeof usual);
        snprintf(help, sizeof help, "%s%s%s%s", option->help, *usual ? " (default " : "", usual,
                 *usual ? ")" : "");
        opts_wrap(help, left, columns, out);
    }
}

/* ---- weights ---- */

enum { NAMES_LIMIT = 256, NAME_SIZE = 64, ITEM_SIZE = 128 };

static const char none[] = "none";

/* What has been read so far. */
struct weights {
    const char *names;
    uint64_t weight[NAMES_LIMIT];
    bool given[NAMES_LIMIT];
};

static int refuse_name(const char *names, const char *name, struct err *e)
{
    char copy[NAMES_LIMIT][NAME_SIZE];
    const char *list[NAMES_LIMIT], *at;
    size_t count = 0, length;
    for (; count < NAMES_LIMIT && (at = choices_at(names, (int)count, &length)); count++) {
        snprintf(copy[count], NAME_SIZE, "%.*s", (int)length, at);
        list[count] = copy[count];
    }
    const char *nearest = grammar_nearest(name, list, count);
    if (nearest)
        return err_set(e, "no such name '%s'; did you mean %s?", name, nearest);
    if (!*name)
        return err_set(e, "a name is missing; this is NAME=WEIGHT, such as %s=3,%s=1", list[0],
                       list[count > 1]);
    return err_set(e, "no such name '%s'", name);
}

/* `name` or `name=3`. */
static int read_item(struct weights *w, char *item, struct err *e)
{
    uint64_t weight = 1;
    struct err why;
    char *sign = strchr(item, '=');
    if (sign) {
        *sign = '\0';
        if (grammar_count(sign + 1, &weight, &why) < 0)
            return err_set(e, "the weight of %s: %s", item, why.text);
    }
    int i = choices_find(w->names, item, strlen(item));
    if (i < 0)
        return refuse_name(w->names, item, e);
    CHECK(i < NAMES_LIMIT);
    if (w->given[i])
        return err_set(e, "%s is given twice", item);
    w->given[i] = true;
    w->weight[i] = weight;
    return 0;
}

static int read_list(struct weights *w, const char *text, struct err *e)
{
    for (;;) {
        char item[ITEM_SIZE];
        size_t length = strcspn(text, ",");
        if (length >= sizeof item)
            return err_set(e, "no such name '%.40s...'", text);
        memcpy(item, text, length);
        item[length] = '\0';
        if (read_item(w, item, e) < 0)
            return -1;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

int opts_weights_set(uint64_t *weights, const char *names, const char *text, struct err *e)
{
    struct weights w = {.names = names};
    size_t length;
    if (strcmp(text, none) != 0 && read_list(&w, text, e) < 0)
        return -1;
    for (int i = 0; choices_at(names, i, &length); i++)
        weights[i] = w.weight[i];
    return 0;
}

char *opts_weights_print(char *buf, size_t size, const char *names, const uint64_t *weights)
{
    size_t used = 0, length;
    const char *name;
    snprintf(buf, size, "%s", none);
    for (int i = 0; (name = choices_at(names, i, &length)); i++) {
        char count[32];
        if (!weights[i] || used >= size)
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%s%.*s=%s", used ? "," : "", (int)length,
                                 name, grammar_count_print(count, sizeof count, weights[i]));
    }
    return buf;
}
