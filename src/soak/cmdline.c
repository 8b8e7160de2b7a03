#include "cmdline.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cmdline_add(struct cmdline *c, const char *format, ...)
{
    va_list args;
    if (c->used >= c->size)
        return;
    va_start(args, format);
    int n = vsnprintf(c->text + c->used, c->size - c->used, format, args);
    va_end(args);
    c->used += n > 0 ? (size_t)n : 0;
}

/* Plain words stay; in any other only the quote itself needs care. */
static void add_quoted(struct cmdline *c, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (word[0] && word[strspn(word, plain)] == '\0') {
        cmdline_add(c, "%s", word);
        return;
    }
    cmdline_add(c, "'");
    for (; *word; word++)
        cmdline_add(c, *word == '\'' ? "'\\''" : "%c", *word);
    cmdline_add(c, "'");
}

void cmdline_word(struct cmdline *c, const char *word)
{
    cmdline_add(c, " ");
    add_quoted(c, word);
}

void cmdline_option(struct cmdline *c, const struct scenario *s, size_t i)
{
    char value[OPTS_TEXT];
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    CHECK(i < count);
    opts_print(option, s, value, sizeof value);
    bool flag = option->type == OPT_FLAG || option->type == OPT_OFF;
    cmdline_add(c, " --%s", option->name);
    if (flag && strcmp(value, "true") == 0)
        return;
    bool joined = flag || option->type == OPT_OUTPUT || value[0] == '-' || !value[0];
    cmdline_add(c, joined ? "=" : " ");
    if (value[0])
        add_quoted(c, value);
}

bool cmdline_same(const struct scenario *s, const struct scenario *other, size_t i)
{
    char a[OPTS_TEXT], b[OPTS_TEXT];
    size_t count;
    const struct opt *option = &scenario_options(&count)[i];
    CHECK(i < count);
    return strcmp(opts_print(option, s, a, sizeof a), opts_print(option, other, b, sizeof b)) == 0;
}

void cmdline_differences(struct cmdline *c, const struct scenario *s)
{
    struct scenario usual;
    scenario_defaults(&usual);
    for (size_t i = 0; i < SCENARIO_OPTIONS && !scenario_is_weight(i); i++)
        if (!cmdline_same(s, &usual, i))
            cmdline_option(c, s, i);
}
