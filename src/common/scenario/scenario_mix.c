/* SPDX-License-Identifier: Apache-2.0 */
/* The mix of behaviours: its weights, and what a behaviour needs of the other options. */
#include "base/check.h"
#include "base/text.h"
#include "options/choices.h"
#include "page/page.h"
#include "scenario/scenario_internal.h"

#include <string.h>

/* The page's last place is for connections that did none of the behaviours. */
enum { ROOM = PAGE_BEHAVIOURS - 1, NEED = 128 };

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
static int refuse_list(const struct scenario *s, const char *name, const struct opt *option,
                       const char *values, struct err *e)
{
    char value[OPTS_TEXT];
    size_t first = strcspn(values + 1, "|");
    opts_print(option, s, value, sizeof value);
    if (strcmp(values, "!*") == 0)
        return scenario_refuse(s, name, e, "it needs a run without --%s %.100s", option->name,
                               value);
    return scenario_refuse(s, name, e, "it needs %.*s %s --%s %.100s", (int)first, values + 1,
                           *values == '!' ? "left out of" : "in", option->name, value);
}

/* One `name=value|value`. */
static int check_need(const struct scenario *s, const char *name, char *need, struct err *e)
{
    char wanted[NEED * 2];
    size_t count;
    const struct opt *options = scenario_options(&count);
    char *values = strchr(need, '=');
    CHECK(values);
    *values++ = '\0';
    const struct opt *option = opts_find(options, count, need);
    CHECK(option);
    if (opts_need_met(option, s, values))
        return 0;
    if (*values == '~' || *values == '!')
        return refuse_list(s, name, option, values, e);
    print_need(wanted, sizeof wanted, option, values);
    bool unwanted = is_flag(option) && strcmp(values, "false") == 0;
    return scenario_refuse(s, name, e, "it needs %s%s", unwanted ? "a run without " : "", wanted);
}

int scenario_check_needs(const struct scenario *s, const char *name, const char *needs,
                         struct err *e)
{
    while (*needs) {
        char need[NEED];
        size_t length = strcspn(needs, " ");
        CHECK(length < sizeof need);
        memcpy(need, needs, length);
        need[length] = '\0';
        if (length && check_need(s, name, need, e) < 0)
            return -1;
        needs += length + strspn(needs + length, " ");
    }
    return 0;
}

int scenario_check_behaviours(const struct scenario *s, const struct behaviour_entry *list,
                              const uint64_t *weight, size_t count, struct err *e)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (weight[i] && scenario_check_needs(s, list[i].name, list[i].needs, e) < 0)
            return -1;
        used += weight[i] > 0;
    }
    if (used > ROOM)
        return err_set(e, "--mix: %zu behaviours have a weight, and one run tells at most %d apart",
                       used, ROOM);
    return 0;
}

int scenario_check_mix(const struct scenario *s, struct err *e)
{
    uint64_t total = 0;
    if (scenario_check_behaviours(s, behaviour_entry(0), s->weight, BEHAVIOUR_COUNT, e) < 0)
        return -1;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        total += s->weight[i];
    if (total == 0)
        return scenario_refuse(s, "mix", e,
                               "no peer would do anything; give a behaviour a weight, such as "
                               "--clean 1");
    return 0;
}
