/* SPDX-License-Identifier: Apache-2.0 */
/* soak: hands over to the command that the first word names; without one, a run. */
#include "base/process.h"
#include "cleaner.h"
#include "commands.h"
#include "guard.h"

int main(int argc, char **argv)
{
    process_begin(argv);
    cleaner_begin(argc, argv);
    guard_begin(&argc, &argv);
    const struct command *command = argc > 1 ? commands_find(argv[1]) : NULL;
    return command ? command->run(argc - 1, argv + 1) : cmd_run(argc, argv);
}
