/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "base/exit_codes.h"
#include "join.h"
#include "relay.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

struct options {
    const char *join, *token_file;
    uint64_t wait_ns;
};

static const struct opt table[] = {
    {"join", OPT_STRING, offsetof(struct options, join), "HOST:PORT", NULL,
     "where the run listens for its agents, as it says"},
    {"token-file", OPT_STRING, offsetof(struct options, token_file), "FILE", NULL,
     "the run's join token; - is stdin; else SOAK_JOIN_TOKEN of the environment"},
    {"wait", OPT_DURATION, offsetof(struct options, wait_ns), "DURATION", NULL,
     "how long to wait for the run to listen, and for its token"},
};

static const struct options usual = {.wait_ns = UINT64_C(60) * 1000000000};

const struct command agent_command = {
    .name = "agent",
    .run = cmd_agent,
    .words = "[OPTIONS]",
    .line = "make a part of the load of a run on another machine",
    .about = "Joins the run that listens there (soak run --agents K --agents-listen ADDRESS:PORT), "
             "holds its share of the connections with soak-client, and ends with it. It does "
             "nothing else for the run, and reads and writes no file for it.\n",
    .after = "Exit: 0 when the run is over, 1 when it is lost or refuses this agent, 2 usage, 130 "
             "interrupted.\n",
    .table = table,
    .options = sizeof table / sizeof *table,
    .defaults = &usual};

int cmd_agent(int argc, char *const *argv)
{
    struct options o = usual;
    struct err e = {{0}};
    char token[TOKEN_BYTES];
    int code = command_parse(&agent_command, argc, argv, &o);
    if (code >= 0)
        return code;
    if (join_check(o.join, &e) != 0)
        return command_refuse(&agent_command, &e);
    if (command_is_unbuilt())
        return EXIT_UNBUILT;
    signal(SIGPIPE, SIG_IGN);
    int fd = join_run(o.join, o.token_file, o.wait_ns, token, &e);
    if (fd == -EINVAL)
        return command_refuse(&agent_command, &e);
    char exposed[512];
    if (token_is_exposed(o.token_file, exposed, sizeof exposed))
        fprintf(stderr, "soak: agent: %s\n", exposed);
    int rc = fd < 0 ? -1 : relay_run(fd, token, &e);
    OPENSSL_cleanse(token, sizeof token);
    if (rc != 0)
        fprintf(stderr, "soak: agent: %s\n", e.text);
    return rc == 0 ? EXIT_PASS : rc == -1 ? EXIT_FOUND : EXIT_INTERRUPTED;
}
