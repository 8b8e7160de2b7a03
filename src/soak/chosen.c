/* SPDX-License-Identifier: Apache-2.0 */
#include "chosen.h"

#include "catalog.h"
#include "commands.h"
#include "library/assembly.h"
#include "options/grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first word of a line may be a command that was mistyped. */
static int refuse_first(const char *word, struct err *e)
{
    char buf[CATALOG_NAME];
    const char *command = commands_nearest(word);
    const char *scenario = catalog_nearest(word, buf, sizeof buf);
    const char *const both[] = {command, scenario};
    bool rival = command && scenario && !hint_command(word);
    if (command && (!rival || grammar_nearest(word, both, 2) == command))
        return err_set(e, "%.60s: no such command; did you mean %s?", word, command);
    return catalog_refuse("command or scenario", word, e);
}

/* `--json out.txt`: the word isn't taken for the option's file, and is no scenario either. */
static int add_output(const char *word, int argc, char *const *argv, struct err *e)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    const struct err said = *e;
    for (int i = 2; i < argc; i++) {
        bool output = argv[i] == word && strncmp(argv[i - 1], "--", 2) == 0;
        const struct opt *option = output ? opts_find(table, count, argv[i - 1] + 2) : NULL;
        if (option && option->type == OPT_OUTPUT)
            return err_set(e, "%s; if it is the file to write: --%s=%s", said.text, option->name,
                           word);
    }
    return -1;
}

/* Whether the word stands where a command does, and could be one. */
static bool is_first(const char *command, const char *word, char *const *argv)
{
    return word == argv[1] && strcmp(argv[0], command) != 0 && !strpbrk(word, "/.");
}

/* A second word: unless the first is a command that was mistyped, with its words. */
static int refuse_second(const char *command, const char *const *word, char *const *argv,
                         struct err *e)
{
    char path[PATH_MAX];
    if (is_first(command, word[0], argv) && catalog_path(word[0], path, sizeof path, e) != 0)
        return refuse_first(word[0], e);
    return err_set(e, "%s: one scenario at a time, and '%s' is already one", word[1], word[0]);
}

static int refuse_word(const char *command, const char *word, int argc, char *const *argv,
                       struct err *e)
{
    if (is_first(command, word, argv))
        return refuse_first(word, e);
    return add_output(word, argc, argv, e);
}

bool chosen_is_mistyped(int argc, char *const *argv, struct err *e)
{
    char path[PATH_MAX];
    if (argc < 2 || argv[1][0] == '-' || !is_first("run", argv[1], argv) ||
        catalog_path(argv[1], path, sizeof path, e) == 0)
        return false;
    refuse_first(argv[1], e);
    return true;
}

/* The folder of the scenario's file, or the working folder without one. */
static void find_here(struct chosen *c, const char *path)
{
    char real[PATH_MAX];
    if (!realpath(path ? path : ".", real))
        snprintf(real, sizeof real, ".");
    char *slash = path ? strrchr(real, '/') : NULL;
    if (slash)
        slash[slash == real] = '\0';
    snprintf(c->here, sizeof c->here, "%s", real);
}

static const char *text_of(const struct scenario *s, const struct opt *option)
{
    return *(const char *const *)((const char *)s + option->offset);
}

static int refuse_emptied(const char *name, struct err *e)
{
    return err_set(e, "--%s: it is empty; give it a value, or leave it out", name);
}

/* --serve "$PLACE" with PLACE unset asks for nothing; only what the file has is taken back so. */
static int check_emptied(const struct chosen *c, const struct scenario *of_file, struct err *e)
{
    size_t count;
    const struct opt *table = scenario_options(&count);
    for (size_t i = 0; i < count; i++) {
        const struct opt *option = &table[i];
        bool text = option->type == OPT_STRING || option->type == OPT_OUTPUT;
        if (text && !text_of(&c->scenario, option) && !text_of(of_file, option) &&
            c->origin.place[i].source == SCENARIO_COMMAND)
            return refuse_emptied(option->name, e);
    }
    return 0;
}

/* The line over the scenario in a file; the line was read once to find its name. `default` is the
 * name of none, and has no folder either. Returns 0 or -1. */
static int read_file(struct chosen *c, const struct command_line *line, struct scenario *of_file,
                     struct err *e)
{
    const char *word[2];
    char path[PATH_MAX];
    struct opts_words words = {.word = word, .size = 2};
    if (catalog_path(c->word, path, sizeof path, e) != 0)
        return refuse_word(line->command, c->word, line->opts.argc, line->opts.argv, e);
    if (scenario_read_noting(of_file, &c->origin, path, e) != 0)
        return -1;
    c->scenario = *of_file;
    if (strcmp(c->word, "default") != 0)
        find_here(c, path);
    return command_line_parse(line, &c->scenario, &words, e);
}

int chosen_read(struct chosen *c, const char *command, int argc, char *const *argv, struct err *e)
{
    const char *word[2];
    struct command_line line = {.command = command, .opts = {.argc = argc, .argv = argv}};
    struct opts_words words = {.word = word, .size = 2};
    struct scenario of_file;
    line.opts.table = scenario_options(&line.opts.options);
    line.opts.bounds = scenario_table()->bounds;
    *c = (struct chosen){.word = "default"};
    scenario_defaults(&c->scenario);
    scenario_defaults(&of_file);
    if (command_line_parse(&line, &c->scenario, &words, e) != 0)
        return -1;
    if (words.count > 1)
        return refuse_second(command, word, argv, e);
    if (words.count)
        c->word = word[0];
    catalog_name(c->word, c->name, sizeof c->name);
    find_here(c, NULL);
    if (words.count && read_file(c, &line, &of_file, e) != 0)
        return -1;
    scenario_note_command(&c->origin, argc, argv);
    return check_emptied(c, &of_file, e);
}

/* A file's server that is taken back mustn't become a run of soak's own programs. */
static int check_kept_one(const struct chosen *c, struct err *e)
{
    static const char *const name[] = {"server", "client", "connect"};
    const struct scenario *s = &c->scenario;
    size_t count;
    const struct opt *table = scenario_options(&count);
    for (size_t i = 0; !s->server && !s->client && !s->connect && i < 3; i++) {
        const struct opt *option = opts_find(table, count, name[i]);
        if (option && c->origin.place[option - table].source == SCENARIO_COMMAND)
            return refuse_emptied(name[i], e);
    }
    return 0;
}

int chosen_check(const struct chosen *c, struct err *e)
{
    const struct scenario *s = &c->scenario;
    const struct assembly_request libs = {
        .openssl = s->openssl, .libuv = s->libuv, .jemalloc = s->jemalloc, .libc = s->libc};
    bool right =
        check_kept_one(c, e) == 0 && scenario_check(s, e) == 0 && assembly_check(&libs, e) == 0;
    return right ? 0 : scenario_locate(&c->origin, e);
}
