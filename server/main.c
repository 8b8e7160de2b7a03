#include "control/program.h"
#include "options.h"
#include "probe/probe.h"
#include "server.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { EXIT_USAGE = 2 };

static const char name[] = "soak-server";

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    if (options_parse(argc, argv, &o, &e) < 0) {
        fprintf(stderr, "%s: %s\n", name, e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (o.version) {
        printf("%s %s, %s, libuv %s\n", name, SOAK_VERSION, OpenSSL_version(OPENSSL_VERSION),
               uv_version_string());
        return EXIT_SUCCESS;
    }
    program_start(o.control_fd);
    program_raise_files();
    struct probe_options probe = {.ledger = !o.no_ledger, .libuv = !o.no_ledger};
    if (probe_start(o.page_fd, &probe, &e) < 0 || server_run(&o, &e) < 0)
        program_fail(name, o.control_fd, &e);
    return EXIT_SUCCESS;
}
