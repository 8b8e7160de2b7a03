#include "command.h"

#include <string.h>

enum { EXIT_USAGE = 2 };

static void print_help(const struct command *c)
{
    printf("%s\n  soak %s %s\n\n", c->about, c->name, c->words);
    opts_help(c->table, c->options, stdout);
    printf("\n%s", c->after);
}

bool command_help(const struct command *c, int argc, char *const *argv)
{
    bool asked = false;
    for (int i = 1; i < argc; i++)
        asked |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (asked)
        print_help(c);
    return asked;
}

int command_refuse(const struct command *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->name, e->text);
    return EXIT_USAGE;
}

int command_parse(const struct command *c, int argc, char *const *argv, void *target)
{
    struct err e = {{0}};
    const char *word[1];
    size_t words = 0;
    if (command_help(c, argc, argv))
        return 0;
    if (opts_parse(c->table, c->options, argc, argv, target, word, 1, &words, &e) != 0)
        return command_refuse(c, &e);
    if (words) {
        err_set(&e, "%.60s: it takes options only", word[0]);
        return command_refuse(c, &e);
    }
    return -1;
}
