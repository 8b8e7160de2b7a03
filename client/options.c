/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "options/limits.h"
#include "options/load_need.h"
#include "options/opts.h"
#include "starttls/starttls.h"
#include "tls/context.h"

#include <string.h>

#define FIELD(name) offsetof(struct options, name)

static const struct opt table[] = {
    {"connect", OPT_STRING, FIELD(connect), "ADDR:PORT", NULL, "the server; needed"},
    {"conns", OPT_COUNT, FIELD(conns), "COUNT", NULL, "connections held open (30)"},
    {"churn", OPT_RATE, FIELD(churn), "RATE", NULL,
     "connections replaced, such as 1000/s, or max (1000/s)"},
    {"mix", OPT_WEIGHTS, FIELD(mix.weight), "NAME[=WEIGHT],...", behaviour_choices,
     "the whole mix of behaviours; --NAME WEIGHT changes one of them"},
    {"operate", OPT_CHOICE, FIELD(operate), "WHAT", CHOICES(OPERATE_LIST),
     "hold the connections and do this on them at the rate of --churn (none)"},
    {"tls", OPT_CHOICE, FIELD(tls), "VERSION", CHOICES(TLS_LIST), "version spoken (any)"},
    {"starttls", OPT_CHOICE, FIELD(starttls), "PROTOCOL", CHOICES(STARTTLS_LIST),
     "what is spoken in clear text before TLS (none)"},
    {"resume", OPT_PERCENT, FIELD(resume), "PERCENT", NULL,
     "share of connections that resume an earlier session (0%)"},
    {"payload", OPT_SIZE, FIELD(payload), "SIZE", NULL, "bytes of the echoed message (64B)"},
    {"alpn", OPT_STRING, FIELD(alpn), "A,B", NULL, "application protocols offered"},
    {"sni", OPT_STRING, FIELD(sni), "NAME", NULL, "server name asked for"},
    {"client-cert", OPT_STRING, FIELD(client_cert), "PATH", NULL,
     "PEM file with certificate and key to show"},
    {"client-certs", OPT_STRING, FIELD(client_certs), "PATH", NULL,
     "PEM file with certificates of every kind (tls/client_certs.h); the good one is shown"},
    {"seed", OPT_HEX, FIELD(seed), "HEX", NULL, "for the choices made by chance (1)"},
    {"sources", OPT_COUNT, FIELD(sources), "N", NULL,
     "source addresses, the first N of --source-net (0: as many as needed)"},
    {"source-net", OPT_STRING, FIELD(source_net), "A.B.C.0", NULL,
     "where the source addresses begin, at A.B.C.1 (127.0.0.0)"},
    {"workers", OPT_INT, FIELD(workers), "N", NULL,
     "event loops, each a thread (0: as many as processors, at most 4)"},
    {"timeout", OPT_DURATION, FIELD(timeout_ns), "DURATION", NULL,
     "longest handshake, echo and close (30s; 0s: no limit)"},
    {"closed", OPT_COUNT, FIELD(closed), "COUNT", NULL,
     "by hand: end after so many connections, or operations (0: at Ctrl-C)"},
    {"control-fd", OPT_INT, FIELD(control_fd), "FD", NULL,
     "socket to soak: see docs/reference/protocol.md"},
    {"page-fd", OPT_INT, FIELD(page_fd), "FD", NULL, "the probe page's memory file"},
    {"no-ledger", OPT_FLAG, FIELD(no_ledger), NULL, NULL, "don't hook OpenSSL's allocations"},
    {"check", OPT_FLAG, FIELD(check), NULL, NULL,
     "see whether OpenSSL can do any of these behaviours, and exit"},
    {"help", OPT_FLAG, FIELD(help), NULL, NULL, "print this and exit"},
    {"version", OPT_FLAG, FIELD(version), NULL, NULL, "print the versions and exit"},
#define X(identifier, name, family, share, ends, needs, help)                                      \
    {name, OPT_COUNT, FIELD(mix.weight[BEHAVIOUR_##identifier]), "WEIGHT", NULL, help},
#include "options/behaviours.def"
#undef X
};
enum { TABLE = sizeof table / sizeof table[0] };

void options_help(FILE *out)
{
    fprintf(out, "usage: soak-client --connect ADDR:PORT [options]\n\n"
                 "Holds TLS connections open and replaces the oldest at a steady rate. Each\n"
                 "sends one message, checks its echo, and leaves as the weights say.\n\n");
    opts_help(table, TABLE, NULL, out);
}

static int check_starttls(const struct options *o, struct err *e)
{
    if (o->sni && !starttls_name_ok((enum starttls_protocol)o->starttls, o->sni))
        return err_set(e, "--sni %s: not a name that --starttls xmpp could ask for", o->sni);
    for (int i = 0; i < BEHAVIOUR_COUNT && !o->starttls; i++) {
        if (o->mix.weight[i] && behaviour_entry((enum behaviour)i)->family == BEHAVIOUR_STARTTLS)
            return err_set(e, "--%s: has a meaning only with --starttls", behaviour_name(i));
    }
    return 0;
}

/* Certificates of their own are shown by the behaviours named for them. */
static int check_certificates(const struct options *o, struct err *e)
{
    static const enum behaviour shows[] = {
        BEHAVIOUR_CERT_GOOD,       BEHAVIOUR_CERT_EXPIRED,         BEHAVIOUR_CERT_UNKNOWN_CA,
        BEHAVIOUR_CERT_LONG_CHAIN, BEHAVIOUR_CERT_OVER_LONG_CHAIN, BEHAVIOUR_AUTH_LATER,
    };
    for (size_t i = 0; i < sizeof shows / sizeof shows[0] && !o->client_certs; i++) {
        if (o->mix.weight[shows[i]])
            return err_set(e, "--%s: also needs --client-certs PATH",
                           behaviour_name((int)shows[i]));
    }
    return 0;
}

static int check_weights(const struct options *o, struct err *e)
{
    uint64_t total = 0;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (o->mix.weight[i] > LIMIT_WEIGHT)
            return err_set(e, "--%s: a weight is at most %d", behaviour_name(i), LIMIT_WEIGHT);
        total += o->mix.weight[i];
    }
    if (total == 0)
        return err_set(e, "all weights are 0: give one way to leave a weight, such as --clean 1");
    return 0;
}

static int check_operate(const struct options *o, struct err *e)
{
    if (o->operate == OPERATE_NONE)
        return 0;
    if (o->payload > LIMIT_OPERATION)
        return err_set(e, "--payload: at most 16KiB with --operate");
    if (o->operate == OPERATE_RENEGOTIATE && o->tls != TLS_1_2)
        return err_set(e, "--operate renegotiate: only TLS 1.2 does, give --tls 1.2");
    if (o->operate != OPERATE_REQUEST && o->operate != OPERATE_RENEGOTIATE && o->tls == TLS_1_2)
        return err_set(e, "--operate %s: TLS 1.2 has no such thing, give --tls 1.3",
                       operation_name((enum operation)o->operate));
    return 0;
}

static int check(const struct options *o, struct err *e)
{
    if (!o->connect)
        return err_set(e, "--connect ADDR:PORT is needed, such as --connect 127.0.0.1:4433");
    if (o->conns < 1 || o->conns > LIMIT_CONNS)
        return err_set(e, "--conns: from 1 to %d", LIMIT_CONNS);
    if (o->client_cert && o->client_certs)
        return err_set(e, "--client-certs: there is --client-cert too; leave one of them out");
    if (o->payload < 1 || o->payload > LIMIT_PAYLOAD)
        return err_set(e, "--payload: from 1B to 1MiB");
    if (o->sources > LIMIT_SOURCES)
        return err_set(e, "--sources: at most %d", LIMIT_SOURCES);
    if (o->workers > LIMIT_WORKERS)
        return err_set(e, "--workers %d: at most %d", o->workers, LIMIT_WORKERS);
    if (check_operate(o, e) < 0 || check_starttls(o, e) < 0 || check_certificates(o, e) < 0)
        return -1;
    return check_weights(o, e);
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    const char *rest[1];
    size_t rest_count = 0;
    struct options o = {.conns = 30,
                        .churn = {.per_s = 1000},
                        .payload = 64,
                        .seed = 1,
                        .timeout_ns = 30000000000u,
                        .tls = TLS_ANY,
                        .source_net = "127.0.0.0",
                        .control_fd = -1,
                        .page_fd = -1};
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        o.mix.weight[i] = behaviour_entry((enum behaviour)i)->weight;
    if (opts_parse(table, TABLE, argc, argv, &o, rest, 1, &rest_count, e) < 0)
        return -1;
    if (rest_count > 0)
        return err_set(e, "%s: not an option; soak-client takes options only", rest[0]);
    if (!o.help && !o.version) {
        if (check(&o, e) < 0)
            return -1;
        if (target_parse(o.connect, &o.target, e) < 0)
            return err_prefix(e, "--connect %s", o.connect);
        if (target_set_sources(&o.target, o.source_net, e) < 0)
            return err_prefix(e, "--source-net %s", o.source_net);
        target_count_sources(&o.target, o.sources, o.churn, o.conns);
        o.workers = load_need_workers(o.workers, o.conns);
    }
    *ret = o;
    return 0;
}
