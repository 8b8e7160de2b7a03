/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"
#include "control/control.h"
#include "options.h"
#include "probe/probe.h"
#include "server.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static const char name[] = "soak-server";

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    process_begin(argv);
    if (options_parse(argc, argv, &o, &e) < 0)
        return program_refuse(name, &e);
    const struct program self = {.name = name,
                                 .print_help = options_help,
                                 .crypto = OpenSSL_version(OPENSSL_VERSION),
                                 .help = o.help,
                                 .version = o.version,
                                 .control_fd = o.control_fd};
    int answered = program_begin(&self);
    if (answered >= 0)
        return answered;
    program_raise_files();
    if (o.check)
        return server_check(&o, &e) < 0 ? program_refuse(name, &e) : EXIT_SUCCESS;
    struct probe_options probe = {.ledger = !o.no_ledger, .libuv = !o.no_ledger};
    if (probe_start(o.page_fd, &probe, &e) < 0 || server_run(&o, &e) < 0)
        program_fail(name, o.control_fd, &e);
    return EXIT_SUCCESS;
}
