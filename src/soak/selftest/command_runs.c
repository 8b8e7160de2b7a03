/* SPDX-License-Identifier: Apache-2.0 */
#include "command_runs.h"

#include "base/exit_codes.h"

static int broken(const struct command_runs *c, const struct err *e)
{
    fprintf(stderr, "soak: %s: %s\n", c->command->name, e->text);
    return EXIT_BROKEN;
}

static int run_all(const struct command_runs *c, struct err *e)
{
    int rc = c->run(c->owner, e);
    bool good = c->summarise(c->owner);
    if (c->sub->interrupted)
        return EXIT_INTERRUPTED;
    if (rc != 0)
        return broken(c, e);
    return good ? 0 : EXIT_FOUND;
}

int command_runs(const struct command_runs *c, int argc, char *const *argv)
{
    struct err e = {{0}};
    int code = command_parse(c->command, argc, argv, c->options);
    if (code >= 0)
        return code;
    if (c->check(c->owner, &e) != 0)
        return command_refuse(c->command, &e);
    if (command_is_unbuilt())
        return EXIT_UNBUILT;
    if (run_process_open(c->sub, c->command->name, &e) != 0)
        return broken(c, &e);
    code = run_all(c, &e);
    run_process_close(c->sub);
    return code;
}
