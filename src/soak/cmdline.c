/* SPDX-License-Identifier: Apache-2.0 */
#include "cmdline.h"

#include "base/check.h"
#include "base/words.h"
#include "catalog.h"

#include <stdlib.h>
#include <string.h>

void cmdline_program(struct text *c)
{
    const char *called = catalog_is_installed() ? "soak" : getenv("SOAK_COMMAND");
    words_quote(c, called && called[0] ? called : "./soak");
}

void cmdline_word(struct text *c, const char *word)
{
    text_add(c, " ");
    words_quote(c, word);
}

size_t cmdline_word_room(const char *word)
{
    return strlen(" $''") + strlen("'\\''") * strlen(word);
}

/* One option for each item. */
static void add_list(struct text *c, const struct opt *option, const struct opts_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        text_add(c, " --%s ", option->name);
        words_quote(c, list->item[i]);
    }
}

void cmdline_option(struct text *c, const struct scenario *s, size_t i)
{
    char value[OPTS_TEXT];
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    CHECK(i < count);
    if (option->type == OPT_LIST) {
        add_list(c, option, (const void *)((const char *)s + option->offset));
        return;
    }
    opts_print(option, s, value, sizeof value);
    bool flag = option->type == OPT_FLAG || option->type == OPT_OFF;
    text_add(c, " --%s", option->name);
    if (flag && strcmp(value, "true") == 0)
        return;
    bool joined = flag || option->type == OPT_OUTPUT || value[0] == '-' || !value[0];
    text_add(c, joined ? "=" : " ");
    if (value[0])
        words_quote(c, value);
}

bool cmdline_is_same(const struct scenario *a, const struct scenario *b, size_t i)
{
    char of_a[OPTS_TEXT], of_b[OPTS_TEXT];
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    CHECK(i < count);
    return strcmp(opts_print(option, a, of_a, sizeof of_a),
                  opts_print(option, b, of_b, sizeof of_b)) == 0;
}

bool cmdline_is_usual(const struct scenario *s, size_t i)
{
    struct scenario usual;
    scenario_defaults(&usual);
    return cmdline_is_same(s, &usual, i);
}

/* Items are added to those of the base, and one of a name replaces it: a base that has others is
 * taken back first. */
static void take_back(struct text *c, const struct opt *option, const void *s, const void *base)
{
    const struct opts_list *items = (const void *)((const char *)s + option->offset);
    struct opts_list both = *(const struct opts_list *)((const char *)base + option->offset);
    for (size_t i = 0; i < items->count; i++)
        opts_set(&(struct opt){.type = OPT_LIST}, &both, items->item[i], NULL);
    if (both.count > items->count)
        text_add(c, " --%s=", option->name);
}

void cmdline_differences(struct text *c, const struct scenario *s, const struct scenario *base)
{
    size_t count;
    const struct opt *option = scenario_options(&count);
    for (size_t i = 0; i < count && !scenario_is_weight(i); i++) {
        if (cmdline_is_same(s, base, i))
            continue;
        if (option[i].type == OPT_LIST)
            take_back(c, &option[i], s, base);
        cmdline_option(c, s, i);
    }
}
