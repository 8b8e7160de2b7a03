/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/hints.h"

#include <stddef.h>
#include <string.h>

#define COMMAND(typed, command) {typed, command},

static const struct hint hints[] = {
#define X(typed, option, remark) {typed, option, remark},
#include "scenario/hints.def"
};

static const struct {
    const char *typed, *command;
} commands[] = {HINT_COMMANDS(COMMAND)};

const struct hint *hint_for(const char *typed)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].typed, typed) == 0)
            return &hints[i];
    return NULL;
}

const char *hint_command(const char *typed)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].typed, typed) == 0)
            return commands[i].command;
    return NULL;
}
