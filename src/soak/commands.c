/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

static const struct command run_command = {.name = "run", .run = cmd_run},
                            help_command = {.name = "help", .run = cmd_help},
                            man_command = {.name = "--man", .run = cmd_man},
                            completion_command = {.name = "--completion", .run = cmd_completion},
                            complete_command = {.name = "--complete", .run = cmd_complete},
                            version_command = {.name = "version", .run = cmd_version},
                            version_option = {.name = "--version", .run = cmd_version};

static const struct command *const all[] = {
    &list_command,     &show_command,      &suite_command,      &merge_command,    &libs_command,
    &report_command,   &shorten_command,   &compare_command,    &bisect_command,   &history_command,
    &selftest_command, &calibrate_command, &doctor_command,     &agent_command,    &run_command,
    &help_command,     &man_command,       &completion_command, &complete_command, &version_command,
    &version_option};

const struct command *const *commands(size_t *ret_count)
{
    *ret_count = sizeof all / sizeof *all;
    return all;
}
