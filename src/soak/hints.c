/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an option or a command that isn't there: commands.h. */
#include "base/check.h"
#include "commands.h"
#include "options/grammar.h"
#include "scenario/scenario.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 64, COMMANDS_MAX = 32 };

/* `--for DURATION`, `--json=FILE`, `--quiet` */
static char *print_option(char *buf, size_t size, const struct opt *option)
{
    const char *joint = !option->metavar ? "" : option->type == OPT_OUTPUT ? "=" : " ";
    snprintf(buf, size, "--%s%s%s", option->name, joint, option->metavar ? option->metavar : "");
    return buf;
}

static void say_hint(const char *word, const struct hint *hint, const struct opt *option,
                     struct err *e)
{
    char text[NAME * 2];
    if (!option)
        err_set(e, "%.60s: no such option; %s", word, hint->remark);
    else if (hint->remark)
        err_set(e, "%.60s: no such option; did you mean --%s %s?", word, option->name,
                hint->remark);
    else
        err_set(e, "%.60s: no such option; did you mean %s?", word,
                print_option(text, sizeof text, option));
}

/* The words of a command's line without its options. */
static int plain_words(const struct command *c)
{
    const char *options = strstr(c->words, "[OPTIONS]");
    size_t length = options ? (size_t)(options - c->words) : strlen(c->words);
    while (length && c->words[length - 1] == ' ')
        length--;
    return (int)length;
}

static void say_other(const char *word, const char *name, const struct command *other,
                      const struct opt *option, struct err *e)
{
    char text[NAME * 2];
    int words = plain_words(other);
    bool writes = option->metavar && strcmp(option->metavar, "FILE") == 0;
    snprintf(text, sizeof text, "--%s%s%s", option->name,
             writes            ? "="
             : option->metavar ? " "
                               : "",
             option->metavar ? option->metavar : "");
    err_set(e, "%.60s: soak %s has no such option; soak %s%s%.*s %s %s it", word, name, other->name,
            words ? " " : "", words, other->words, text, writes ? "writes" : "has");
}

/* Whether another command has the option; says so. */
static bool say_of_others(const char *word, const char *typed, const char *name, struct err *e)
{
    size_t count;
    const struct command *const *all = commands(&count);
    for (size_t i = 0; i < count; i++) {
        const struct command *c = all[i];
        const struct opt *option = opts_find(c->table, c->options, typed);
        if (!option || strcmp(c->name, name) == 0)
            continue;
        say_other(word, name, c, option, e);
        return true;
    }
    return false;
}

static bool say_of_a_run(const char *word, const char *typed, const char *name, struct err *e)
{
    size_t count;
    const struct opt *run = scenario_options(&count), *option = opts_find(run, count, typed);
    if (!option)
        return false;
    say_other(word, name, &(struct command){.name = "run", .words = "SCENARIO"}, option, e);
    return true;
}

/* The name in `--name=value`; of `-c30` the letter. */
static char *typed_name(char *buf, size_t size, const char *word)
{
    bool letter = word[1] != '-';
    snprintf(buf, size, "%.*s", letter ? 1 : (int)strcspn(word + 2, "="), word + (letter ? 1 : 2));
    return buf;
}

int commands_stranger(const struct command_line *line, struct err *e)
{
    char typed[NAME], shown[NAME + 2];
    const char *word = opts_stranger(&line->opts);
    CHECK(word);
    typed_name(typed, sizeof typed, word);
    snprintf(shown, sizeof shown, "%.*s", (int)strcspn(word, "="), word);
    const struct hint *hint = hint_for(typed);
    const struct opt *option =
        hint && hint->option ? opts_find(line->opts.table, line->opts.options, hint->option) : NULL;
    if (hint && (option || !hint->option))
        say_hint(shown, hint, option, e);
    else if (opts_nearest(line->opts.table, line->opts.options, typed) ||
             !say_of_a_run(shown, hint ? hint->option : typed, line->command, e))
        say_of_others(shown, hint ? hint->option : typed, line->command, e);
    return -1;
}

const struct command *commands_find(const char *name)
{
    size_t count;
    const struct command *const *all = commands(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

const char *commands_nearest(const char *word)
{
    const char *names[COMMANDS_MAX];
    size_t count;
    const struct command *const *all = commands(&count);
    const char *meant = hint_command(word);
    CHECK(count <= COMMANDS_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = all[i]->name;
    return meant ? meant : grammar_nearest(word, names, count);
}
