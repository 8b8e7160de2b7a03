/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "options/limits.h"
#include "options/opts_check.h"
#include "tls/context.h"

#define TABLE_OF              struct options
#define TABLE_COLUMN(s, c, f) f
#define TABLE_PROGRAMS        1
#define TABLE_WEIGHTS         0
#include "options/program_table.def"

void options_help(FILE *out)
{
    struct options usual = {0};
    opts_set_usual(&table, &usual);
    fprintf(out,
            "usage: soak-footprint [options]\n\n"
            "Measures what OpenSSL allocates and holds for a connection: both ends in one\n"
            "process's memory, without sockets. Prints lines: see docs/reference/protocol.md.\n\n");
    opts_help(table.option, table.count, &usual, OPTS_COLUMNS, out);
}

/* What it can't measure of the values that a run may have. */
static int check(const struct options *o, struct err *e)
{
    if (o->tls == TLS_ANY)
        return opts_refuse(&table, o, "tls", e, "one version is measured: 1.2 or 1.3");
    if (o->key == KEY_BOTH)
        return opts_refuse(&table, o, "key", e, "one kind is measured: p256 or rsa2048");
    if (o->client_auth != CLIENT_AUTH_NONE && o->client_auth != CLIENT_AUTH_REQUIRE)
        return opts_refuse(&table, o, "client-auth", e, "it is none or require");
    return 0;
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    struct options o = {0};
    opts_set_usual(&table, &o);
    if (opts_parse_only(&table, argc, argv, &o, e) < 0 || check(&o, e) < 0 ||
        opts_check(&table, &o, e) < 0)
        return -1;
    *ret = o;
    return 0;
}
