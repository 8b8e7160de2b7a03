/* SPDX-License-Identifier: Apache-2.0 */
/* soak: hands over to the command that the first word names; without one, a run. */
#include "base/exit_codes.h"
#include "base/process.h"
#include "base/scratch.h"
#include "commands.h"
#include "guard.h"
#include "subject/environment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a command has printed and nobody could have read makes its success none. */
static int flushed(int code)
{
    errno = 0;
    if (code != EXIT_PASS || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    fprintf(stderr, "soak: stdout: %s\n", errno ? strerror(errno) : "it can't be written");
    return EXIT_BROKEN;
}

int main(int argc, char **argv)
{
    process_begin(argv);
    cleaner_begin(argc, argv);
    guard_begin(&argc, &argv);
    environment_find_servers();
    const struct command *command = argc > 1 ? commands_find(argv[1]) : NULL;
    return flushed(command ? command->run(argc - 1, argv + 1) : cmd_run(argc, argv));
}
