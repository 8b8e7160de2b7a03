/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on the values of options, as rules.def and behaviours.def write them, and what the
 * behaviours of a mix need. */
#include "base/check.h"
#include "base/text.h"
#include "behaviours.h"
#include "choices.h"
#include "grammar.h"
#include "opts_check.h"

#include <string.h>

static bool any_weight(const struct opt *option, const uint64_t *weight)
{
    size_t length;
    for (int i = 0; choices_at(option->choices, i, &length); i++)
        if (weight[i])
            return true;
    return false;
}

/* Whether an option says that there is something: nothing, 0 and none don't. */
static bool is_something(const struct opt *option, const void *target)
{
    const void *field = (const char *)target + option->offset;
    switch (option->type) {
    case OPT_FLAG:
        return *(const bool *)field;
    case OPT_OFF:
        return !*(const bool *)field;
    case OPT_STRING:
    case OPT_OUTPUT:
        return *(const char *const *)field;
    case OPT_INT:
        return *(const int *)field != 0;
    case OPT_COUNT:
    case OPT_SIZE:
    case OPT_DURATION:
    case OPT_ONE_IN:
    case OPT_HEX:
        return *(const uint64_t *)field != 0;
    case OPT_RATE:
        return true;
    case OPT_PERCENT:
    case OPT_GROWTH:
        return *(const double *)field > 0;
    case OPT_CHOICE:
        return choices_find(option->choices, "none", 4) != *(const int *)field;
    case OPT_LIST:
        return ((const struct opts_list *)field)->count > 0;
    case OPT_WEIGHTS:
        return any_weight(option, field);
    }
    check_fail(__FILE__, __LINE__, "every option type has a case");
}

/* Takes the first part off a list, `a:b`. Returns its length; 0 at the list's end. */
static size_t list_next(const char **list, const char **ret_part)
{
    *list += strspn(*list, ":");
    *ret_part = *list;
    size_t length = strcspn(*list, ":");
    *list += length;
    return length;
}

static bool list_has(const char *list, const char *wanted)
{
    const char *part;
    for (size_t length; (length = list_next(&list, &part));)
        if (choices_find(wanted, part, length) >= 0)
            return true;
    return false;
}

bool opts_ciphers_name(const char *ciphers, bool tls13)
{
    const char *name;
    while (list_next(&ciphers, &name))
        if ((strncmp(name, "TLS_", 4) == 0) == tls13)
            return true;
    return false;
}

bool opts_need_met(const struct opt *option, const void *target, const char *values)
{
    char value[OPTS_TEXT];
    if (strcmp(values, "*") == 0)
        return is_something(option, target);
    opts_print(option, target, value, sizeof value);
    if (strcmp(values, "!*") == 0)
        return !*value;
    if (*values == '~' || *values == '!')
        return !*value || list_has(value, values + 1) == (*values == '~');
    return choices_find(values, value, strlen(value)) >= 0;
}

bool opts_condition_next(const char **list, struct opts_condition *ret)
{
    *list += strspn(*list, " ");
    size_t name = strcspn(*list, "= "), length = strcspn(*list, " ");
    if (!length)
        return false;
    CHECK((*list)[name] == '=' && name < sizeof ret->name && length - name <= sizeof ret->values);
    snprintf(ret->name, sizeof ret->name, "%.*s", (int)name, *list);
    snprintf(ret->values, sizeof ret->values, "%.*s", (int)(length - name - 1), *list + name + 1);
    *list += length;
    return true;
}

/* ---- what a behaviour needs ---- */

static bool is_flag(const struct opt *option)
{
    return option->type == OPT_FLAG || option->type == OPT_OFF;
}

/* `--session ticket or cache`, `--alpn NAME`, `--until-sure`. */
static void print_need(char *buf, size_t size, const struct opt *option, const char *values)
{
    size_t length;
    struct text need = text_into(buf, size);
    text_add(&need, "--%s", option->name);
    const char *value;
    if (is_flag(option))
        return;
    if (strcmp(values, "*") == 0) {
        text_add(&need, " %s", option->metavar);
        return;
    }
    for (int i = 0; (value = choices_at(values, i, &length)); i++) {
        const char *joint = i == 0 ? " " : value[length] ? ", " : " or ";
        text_add(&need, "%s%.*s", joint, (int)length, value);
    }
}

/* `name=~a|b`: when it is given, it has one of these. `name=!a|b`: none of them; `name=!*`: it
 * isn't given. */
static int refuse_list(const struct opts_need *n, const struct opt *option, const char *values,
                       struct err *e)
{
    char value[OPTS_TEXT];
    size_t first = strcspn(values + 1, "|");
    opts_print(option, n->target, value, sizeof value);
    if (strcmp(values, "!*") == 0)
        return opts_refuse(n->table, n->target, n->who, e, "it needs a run without --%s %.100s",
                           option->name, value);
    return opts_refuse(n->table, n->target, n->who, e, "it needs %.*s %s --%s %.100s", (int)first,
                       values + 1, *values == '!' ? "left out of" : "in", option->name, value);
}

static int check_need(const struct opts_need *n, const struct opts_condition *c, struct err *e)
{
    char wanted[2 * sizeof c->values];
    const struct opt *option = opts_find(n->table->option, n->table->count, c->name);
    if (!option || opts_need_met(option, n->target, c->values))
        return 0;
    if (*c->values == '~' || *c->values == '!')
        return refuse_list(n, option, c->values, e);
    print_need(wanted, sizeof wanted, option, c->values);
    bool unwanted = is_flag(option) && strcmp(c->values, "false") == 0;
    return opts_refuse(n->table, n->target, n->who, e, "it needs %s%s",
                       unwanted ? "a run without " : "", wanted);
}

int opts_check_needs(const struct opts_need *n, const char *needs, struct err *e)
{
    struct opts_condition c;
    while (opts_condition_next(&needs, &c))
        if (check_need(n, &c, e) < 0)
            return -1;
    return 0;
}

int opts_check_mix(const struct opts_table *t, const void *target, struct err *e)
{
    const struct opt *mix = opts_find(t->option, t->count, "mix");
    CHECK(mix);
    const uint64_t *weight = (const void *)((const char *)target + mix->offset);
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        const struct behaviour_entry *b = behaviour_entry((enum behaviour)i);
        if (weight[i] && opts_check_needs(&(struct opts_need){t, target, b->name}, b->needs, e) < 0)
            return -1;
    }
    if (!any_weight(mix, weight))
        return opts_refuse(
            t, target, "mix", e,
            "no peer would do anything; give a behaviour a weight, such as --clean 1");
    return 0;
}
