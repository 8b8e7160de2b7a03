/* SPDX-License-Identifier: Apache-2.0 */
/* soak: the command line. Parses the first word and hands over. */
#include "base/process.h"
#include "cmd_run.h"
#include "commands.h"
#include "guard.h"
#include "help.h"

#include <stdio.h>
#include <string.h>

static bool asks_for_help(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    process_begin(argv);
    guard_begin(&argc, &argv);
    const char *word = argc > 1 ? argv[1] : "";
    const struct command_entry *entry = commands_find(word);
    if (entry)
        return entry->run(argc - 1, argv + 1);
    if (strcmp(word, "help") == 0)
        return help_command(argc - 1, argv + 1);
    if (asks_for_help(argc, argv)) {
        help_print(stdout);
        return 0;
    }
    if (strcmp(word, "--man") == 0) {
        help_man(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        puts("soak " SOAK_VERSION);
        return 0;
    }
    if (strcmp(word, "run") == 0)
        return cmd_run(argc - 1, argv + 1);
    return cmd_run(argc, argv);
}
