/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on the values of options, as rules.def and behaviours.def write them. */
#include "base/check.h"
#include "choices.h"
#include "opts_check.h"

#include <string.h>

bool opts_any_weight(const struct opt *option, const uint64_t *weight)
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
        return opts_any_weight(option, field);
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
    if (strcmp(values, "!*") == 0)
        return !is_something(option, target);
    opts_print(option, target, value, sizeof value);
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
