/* SPDX-License-Identifier: Apache-2.0 */
#include "base/exit_codes.h"
#include "base/process.h"
#include "measure.h"
#include "meter.h"
#include "options.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

/* Whoever reads the lines has time to read /proc/PID/maps, for names, until it closes our stdin. By
 * hand nobody does. */
static void wait_for_reader(void)
{
    char bytes[64];
    if (isatty(STDIN_FILENO))
        return;
    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        continue;
}

static int fail(const struct err *e)
{
    printf("fatal text=%.400s\n", e->text);
    fprintf(stderr, "soak-footprint: %s\n", e->text);
    return EXIT_FAILURE;
}

static int run(const struct options *o, struct err *e)
{
    const struct meter_limits limits = {.blocks = MEASURE_BLOCKS, .sites = MEASURE_SITES};
    if (meter_start(&limits, e) < 0)
        return -1;
    return measure_run(o, stdout, e);
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    process_begin(argv);
    if (options_parse(argc, argv, &o, &e) < 0) {
        fprintf(stderr, "soak-footprint: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (o.version) {
        printf("soak-footprint %s, %s\n", SOAK_VERSION, OpenSSL_version(OPENSSL_VERSION));
        return EXIT_SUCCESS;
    }
    process_follow_socket(STDIN_FILENO); /* by hand it is none */
    if (run(&o, &e) < 0)
        return fail(&e);
    puts("done");
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    wait_for_reader();
    return EXIT_SUCCESS;
}
