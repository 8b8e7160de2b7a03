/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "archive/outputs.h"
#include "base/exit_codes.h"
#include "commands.h"
#include "report/json_util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const struct command *c)
{
    printf("%s\n  soak %s %s\n\n", c->about, c->name, c->words);
    opts_help(c->table, c->options, c->defaults, stdout);
    printf("\n%s", c->after);
}

bool command_is_unbuilt(void)
{
    const char *value = getenv("SOAK_UNBUILT");
    return value && value[0];
}

bool command_helped(const struct command *c, int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(c);
            return true;
        }
    }
    return false;
}

int command_refuse(const struct command *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->name, e->text);
    return EXIT_USAGE;
}

int command_document(const struct command *c, json_t *document, const char *path)
{
    struct err e = {"out of memory"};
    char *text = json_document(document);
    int rc = text ? output_text("json", path, text, &e) : -1;
    free(text);
    return rc == 0 ? 0 : command_refuse(c, &e);
}

int command_ended(const struct command *c, int rc, const struct err *e)
{
    int code = command_refuse(c, e);
    return rc == -EINTR ? EXIT_INTERRUPTED : code;
}

int command_line_parse(const struct command_line *line, void *target, struct command_words *words,
                       struct err *e)
{
    int rc = opts_parse(line->table, line->options, line->argc, line->argv, target, words->word,
                        words->size, &words->count, e);
    return rc == OPTS_STRANGER ? commands_stranger(line, e) : rc;
}

int command_parse_words(const struct command *c, int argc, char *const *argv, void *target,
                        struct command_words *words)
{
    struct err e = {{0}};
    const struct command_line line = {c->name, c->table, c->options, argc, argv};
    if (command_helped(c, argc, argv))
        return 0;
    return command_line_parse(&line, target, words, &e) == 0 ? -1 : command_refuse(c, &e);
}

int command_parse(const struct command *c, int argc, char *const *argv, void *target)
{
    struct err e = {{0}};
    const char *word[1];
    struct command_words words = {.word = word, .size = 1};
    int code = command_parse_words(c, argc, argv, target, &words);
    if (code >= 0 || words.count == 0)
        return code;
    err_set(&e, "%.60s: it takes options only", word[0]);
    return command_refuse(c, &e);
}
