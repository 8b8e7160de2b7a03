/* SPDX-License-Identifier: Apache-2.0 */
#include "cmdline.h"

#include "base/check.h"
#include "catalog.h"

#include <string.h>

static bool is_text(const char *word)
{
    for (size_t length; *word; word += length)
        if ((length = text_character(word)) == 0)
            return false;
    return true;
}

/* `$'a\x1bb'`: what could steer a terminal is spelled. */
static void add_escaped(struct text *c, const char *word)
{
    text_add(c, "$'");
    while (*word) {
        size_t length = text_character(word);
        if (length == 0)
            text_add(c, "\\x%02x", (unsigned char)*word);
        else
            text_add(c, "%s%.*s", strchr("'\\", *word) ? "\\" : "", (int)length, word);
        word += length ? length : 1;
    }
    text_add(c, "'");
}

/* Plain words stay; in any other only the quote itself needs care. */
static void add_quoted(struct text *c, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (word[0] && word[strspn(word, plain)] == '\0') {
        text_add(c, "%s", word);
        return;
    }
    if (!is_text(word)) {
        add_escaped(c, word);
        return;
    }
    text_add(c, "'");
    for (; *word; word++)
        text_add(c, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(c, "'");
}

void cmdline_program(struct text *c)
{
    text_add(c, "%s", catalog_is_installed() ? "soak" : "./soak");
}

void cmdline_word(struct text *c, const char *word)
{
    text_add(c, " ");
    add_quoted(c, word);
}

/* One option for each item. */
static void add_list(struct text *c, const struct opt *option, const struct opts_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        text_add(c, " --%s ", option->name);
        add_quoted(c, list->item[i]);
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
        add_quoted(c, value);
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
