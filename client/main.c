/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"
#include "client.h"
#include "control/control.h"
#include "options.h"
#include "options/limits.h"
#include "probe/probe.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static const char name[] = "soak-client";

static int raise_open_files(const struct options *o, struct err *e)
{
    uint64_t need = load_need_files(o->conns, o->workers), allowed = program_raise_files();
    if (allowed < need)
        return err_set(e,
                       "--conns %" PRIu64 ": at most %" PRIu64
                       " open files are allowed and %" PRIu64
                       " are needed; raise the limit with ulimit -n, or hold fewer connections",
                       o->conns, allowed, need);
    return 0;
}

int main(int argc, char **argv)
{
    static struct options o; /* the workers borrow it */
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
    if (o.check)
        return client_check(&o, &e) < 0 ? program_refuse(name, &e) : EXIT_SUCCESS;
    struct probe_options probe = {.ledger = !o.no_ledger, .libuv = !o.no_ledger};
    if (raise_open_files(&o, &e) < 0 || probe_start(o.page_fd, &probe, &e) < 0)
        program_fail(name, o.control_fd, &e);
    int code = client_run(&o, &e);
    if (code < 0)
        program_fail(name, o.control_fd, &e);
    return code;
}
