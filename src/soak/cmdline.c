/* SPDX-License-Identifier: Apache-2.0 */
#include "cmdline.h"

#include "base/check.h"
#include "base/words.h"
#include "catalog.h"

#include <string.h>

void cmdline_program(struct text *c)
{
    text_add(c, "%s", catalog_is_installed() ? "soak" : "./soak");
}

void cmdline_word(struct text *c, const char *word)
{
    text_add(c, " ");
    words_quote(c, word);
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

bool cmdline_is_usual(const struct scenario *s, size_t i)
{
    char a[OPTS_TEXT], b[OPTS_TEXT];
    struct scenario usual;
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    CHECK(i < count);
    scenario_defaults(&usual);
    return strcmp(opts_print(option, s, a, sizeof a), opts_print(option, &usual, b, sizeof b)) == 0;
}

void cmdline_differences(struct text *c, const struct scenario *s)
{
    for (size_t i = 0; i < SCENARIO_OPTIONS && !scenario_is_weight(i); i++)
        if (!cmdline_is_usual(s, i))
            cmdline_option(c, s, i);
}
