/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "options/ciphers.h"
#include "options/limits.h"
#include "options/opts.h"
#include "tls/context.h"

#define FIELD(name) offsetof(struct options, name)

static const struct opt table[] = {
    {"tls", OPT_CHOICE, FIELD(tls), "VERSION", "1.2|1.3", "version spoken (1.3)"},
    {"key", OPT_CHOICE, FIELD(key), "KIND", "p256|rsa2048", "the server's key (p256)"},
    {"resume", OPT_FLAG, FIELD(resume), NULL, NULL, "each connection resumes a session"},
    {"session", OPT_CHOICE, FIELD(session), "KIND", CHOICES(SESSION_LIST),
     "how sessions are resumed (ticket)"},
    {"tickets", OPT_INT, FIELD(tickets), "N", NULL, "tickets that follow a TLS 1.3 handshake (2)"},
    {"client-auth", OPT_CHOICE, FIELD(client_auth), "KIND", "none|require",
     "whether the client shows a certificate (none)"},
    {"groups", OPT_STRING, FIELD(groups), "A:B", NULL, "key exchange, best first (OpenSSL's)"},
    {"ciphers", OPT_STRING, FIELD(ciphers), "A:B", NULL,
     "ciphers of TLS 1.2 and suites of TLS 1.3 (OpenSSL's)"},
    {"payload", OPT_SIZE, FIELD(payload), "SIZE", NULL, "the message that is echoed (32B)"},
    {"conns", OPT_COUNT, FIELD(conns), "COUNT", NULL, "connections measured (101)"},
    {"help", OPT_FLAG, FIELD(help), NULL, NULL, "print this and exit"},
    {"version", OPT_FLAG, FIELD(version), NULL, NULL, "print the versions and exit"},
};
enum { TABLE = sizeof table / sizeof table[0] };

void options_help(FILE *out)
{
    fprintf(out,
            "usage: soak-footprint [options]\n\n"
            "Measures what OpenSSL allocates and holds for a connection: both ends in one\n"
            "process's memory, without sockets. Prints lines: see docs/reference/protocol.md.\n\n");
    opts_help(table, TABLE, NULL, out);
}

static int check_ciphers(const struct options *o, struct err *e)
{
    bool suites = o->tls == TLS_1_3;
    if (o->ciphers && !ciphers_name(o->ciphers, suites))
        return err_set(e, "--ciphers %s: none is of TLS %s", o->ciphers, options_tls_name(o));
    return 0;
}

static int check(const struct options *o, struct err *e)
{
    if (o->conns < 1 || o->conns > OPTIONS_CONNS_MAX)
        return err_set(e, "--conns: from 1 to %d", OPTIONS_CONNS_MAX);
    if (o->payload < 1 || o->payload > OPTIONS_PAYLOAD_MAX)
        return err_set(e, "--payload: from 1B to %dKiB", OPTIONS_PAYLOAD_MAX / 1024);
    if (o->tickets > LIMIT_TICKETS)
        return err_set(e, "--tickets %d: at most %d", o->tickets, LIMIT_TICKETS);
    if (o->resume && o->session == SESSION_NONE)
        return err_set(e, "--resume: it needs sessions: --session ticket or cache");
    if (o->resume && o->tls == TLS_1_3 && o->tickets == 0)
        return err_set(e, "--resume: TLS 1.3 resumes by tickets: --tickets 1 or more");
    return check_ciphers(o, e);
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    const char *rest[1];
    size_t rest_count = 0;
    struct options o = {.tls = TLS_1_3, .tickets = 2, .payload = 32, .conns = 101};
    if (opts_parse(table, TABLE, argc, argv, &o, rest, 1, &rest_count, e) < 0)
        return -1;
    if (rest_count > 0)
        return err_set(e, "%s: not an option; soak-footprint takes options only", rest[0]);
    if (check(&o, e) < 0)
        return -1;
    *ret = o;
    return 0;
}

const char *options_tls_name(const struct options *o)
{
    return o->tls == TLS_1_2 ? "1.2" : "1.3";
}

const char *options_key_name(const struct options *o)
{
    return o->key == KEY_RSA2048 ? "rsa2048" : "p256";
}
