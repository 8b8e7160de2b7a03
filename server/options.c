/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "listen.h"
#include "options/choices.h"
#include "options/grammar.h"
#include "options/limits.h"
#include "options/opts_check.h"

#include <arpa/inet.h>
#include <stddef.h>

#define TABLE_OF              struct options
#define TABLE_COLUMN(s, c, f) s
#define TABLE_PROGRAMS        1
#define TABLE_WEIGHTS         0
#include "options/program_table.def"

/* By hand any version is served, and choices made by chance are always the same. */
static void set_usual(struct options *o)
{
    *o = (struct options){.control_fd = -1, .page_fd = -1};
    opts_set_usual(&table, o);
    o->tls = TLS_ANY;
    o->seed = 1;
}

void options_help(FILE *out)
{
    struct options usual;
    set_usual(&usual);
    fprintf(out, "usage: soak-server [options]\n\n"
                 "A TLS server that echoes, and publishes what its memory does.\n\n");
    opts_help(table.option, table.count, &usual, OPTS_COLUMNS, out);
    fprintf(out, "\ndefects:\n");
#define X(name, identifier, description) fprintf(out, "  %-16s %s\n", name, description);
#include "options/defects.def"
}

static int read_client_net(const char *text, uint32_t *ret, struct err *e)
{
    struct in_addr address = {.s_addr = 0};
    if (text && (inet_pton(AF_INET, text, &address) != 1 || address.s_addr == 0 ||
                 ntohl(address.s_addr) % LISTEN_NET_ADDRESSES))
        return err_set(e, "--client-net %s: a network of 256 addresses, such as 127.1.2.0", text);
    *ret = ntohl(address.s_addr);
    return 0;
}

static int read_rest(struct options *o, struct err *e)
{
    int (*parse)(const char *, struct address *, struct err *) =
        o->anywhere ? address_parse_any : address_parse;
    if (parse(o->listen ? o->listen : "", &o->address, e) < 0)
        return err_prefix(e, "--listen %.100s", o->listen ? o->listen : "");
    if (o->reply &&
        grammar_bytes(o->reply, o->reply_bytes, sizeof o->reply_bytes, &o->reply_count, e) < 0)
        return err_prefix(e, "--reply %.100s", o->reply);
    return read_client_net(o->client_net, &o->client_net_from, e);
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    struct options o;
    set_usual(&o);
    if (opts_parse_only(&table, argc, argv, &o, e) < 0 || opts_check(&table, &o, e) < 0 ||
        read_rest(&o, e) < 0)
        return -1;
    *ret = o;
    return 0;
}
