/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could come next on a line, for the shells' completion: the one place that knows it, so that
 * the scripts of the shells only ask. A line per candidate, the word and a tab before what it is;
 * `:files` and `:folders` stand for what the shell itself knows.
 */
#include "commands.h"

#include "base/exit_codes.h"
#include "catalog.h"
#include "completion_scripts.h"
#include "options/behaviours.h"
#include "options/choices.h"
#include "scenario/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char defect_choices[] =
#define X(name, identifier, help) name "|"
#include "options/defects.def"
#undef X
    ;

/* A candidate, where it begins as the word does. `before` is the part of the word that stays. */
struct wanted {
    const char *before, *typed;
    int before_length;
};

static void offer(const struct wanted *w, const char *word, size_t length, const char *about)
{
    size_t typed = strlen(w->typed);
    if (length >= typed && strncmp(word, w->typed, typed) == 0)
        printf("%.*s%.*s\t%s\n", w->before_length, w->before, (int)length, word, about);
}

static void offer_choices(const struct wanted *w, const char *choices)
{
    size_t length;
    const char *name;
    for (int i = 0; (name = choices_at(choices, i, &length)) != NULL; i++)
        offer(w, name, length, "");
}

static void offer_scenarios(const struct wanted *w)
{
    struct catalog *c = malloc(sizeof *c);
    if (!c)
        return;
    catalog_read(c);
    for (size_t i = 0; i < c->count; i++)
        offer(w, c->name[i], strlen(c->name[i]), "scenario");
    free(c);
}

static void offer_commands(const struct wanted *w)
{
    size_t count;
    const struct command *const *all = commands(&count);
    for (size_t i = 0; i < count; i++)
        if (all[i]->name[0] != '-')
            offer(w, all[i]->name, strlen(all[i]->name), all[i]->line ? all[i]->line : "");
}

/* ---- values ---- */

/* Behind the last comma of `clean=5,re`. */
static struct wanted last_item(const struct wanted *w)
{
    const char *comma = strrchr(w->typed, ',');
    if (!comma)
        return *w;
    return (struct wanted){.before = w->before,
                           .typed = comma + 1,
                           .before_length = w->before_length + (int)(comma + 1 - w->typed)};
}

static bool is_of(const struct opt *option, const char *metavar)
{
    return option->metavar && strcmp(option->metavar, metavar) == 0;
}

static void offer_value(const struct wanted *w, const struct opt *option)
{
    struct wanted item = last_item(w);
    if (option->type == OPT_CHOICE)
        offer_choices(w, option->choices);
    else if (option->type == OPT_WEIGHTS)
        offer_choices(&item, option->choices);
    else if (option->type == OPT_FLAG || option->type == OPT_OFF)
        offer_choices(w, "true|false");
    else if (strcmp(option->name, "defect") == 0)
        offer_choices(w, defect_choices);
    else if (is_of(option, "FOLDER"))
        puts(":folders");
    else if (option->type == OPT_OUTPUT || is_of(option, "FILE") || is_of(option, "COMMAND"))
        puts(":files");
}

/* ---- the line ---- */

/* The options that can stand on it: the command's own, then a run's. */
struct tables {
    const struct opt *table[2];
    size_t count[2];
    bool many; /* runs */
};

static struct tables tables_of(const struct command *c)
{
    struct tables t = {{c->table, NULL}, {c->options, 0}, c->takes_run && c != &show_command};
    if (c->run == cmd_run || c->takes_run)
        t.table[1] = scenario_options(&t.count[1]);
    return t;
}

static const struct opt *find(const struct tables *t, const char *word, size_t length)
{
    char name[80];
    if (strncmp(word, "--", 2) != 0 || length - 2 >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)length - 2, word + 2);
    const struct opt *option = opts_find(t->table[0], t->count[0], name);
    return option || !t->table[1] ? option : opts_find(t->table[1], t->count[1], name);
}

/* A run's but for those that the command has itself. */
static void offer_options(const struct wanted *w, const struct tables *t)
{
    char word[80];
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < t->count[k]; i++) {
            const struct opt *option = &t->table[k][i];
            if (k == 1 && t->many && command_is_of_one_run(option->name))
                continue;
            int length = snprintf(word, sizeof word, "--%s", option->name);
            if (find(t, word, (size_t)length) == option)
                offer(w, word, (size_t)length, option->help);
        }
    offer_choices(w, "--help");
}

static void offer_words(const struct wanted *w, const struct command *c, bool first)
{
    if (first)
        offer_commands(w);
    if (c->run == cmd_help) {
        offer_commands(w);
        offer_choices(w, "servers");
    } else if (c->choices) {
        offer_choices(w, c->choices);
    } else if (c->run == cmd_run || c->takes_run) {
        offer_scenarios(w);
        puts(":files");
    } else if (strncmp(c->words, "[OPTIONS]", 9) != 0) {
        puts(":files");
    }
}

/* `argv[1..argc)` is the line so far, its last word, maybe empty, the one to complete. */
static void complete(int argc, char *const *argv)
{
    const char *word = argc > 1 ? argv[argc - 1] : "", *before = argc > 2 ? argv[argc - 2] : "";
    const struct command *named = argc > 2 ? commands_find(argv[1]) : NULL;
    const struct command *c = named ? named : commands_find("run");
    const struct tables t = tables_of(c);
    const struct opt *option = find(&t, before, strlen(before));
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    struct wanted w = {.before = word, .typed = word};
    if (option && (option->type == OPT_OUTPUT || opts_takes(option, word))) {
        offer_value(&w, option);
    } else if (equals && (option = find(&t, word, (size_t)(equals - word))) != NULL) {
        w.before_length = (int)(equals + 1 - word);
        w.typed = equals + 1;
        offer_value(&w, option);
    } else if (word[0] == '-') {
        offer_options(&w, &t);
    } else {
        offer_words(&w, c, argc <= 2);
    }
}

int cmd_complete(int argc, char *const *argv)
{
    complete(argc, argv);
    return EXIT_PASS;
}

int cmd_completion(int argc, char *const *argv)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    for (size_t i = 0; argc == 2 && i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(argv[1], scripts[i].shell) == 0) {
            fputs(scripts[i].script, stdout);
            return EXIT_PASS;
        }
    fprintf(stderr, "soak: --completion: which shell? bash, zsh or fish\n");
    return EXIT_USAGE;
}
