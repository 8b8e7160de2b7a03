/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "feature_hello.h"
#include "options/limits.h"
#include "options/opts_check.h"
#include "recipe.h"
#include "starttls/starttls.h"
#include "tls/context.h"

#define TABLE_OF              struct options
#define TABLE_COLUMN(s, c, f) c
#define TABLE_PROGRAMS        1
#define TABLE_WEIGHTS         1
#include "options/program_table.def"

/* By hand any version is spoken, and choices made by chance are always the same. */
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
    fprintf(out, "usage: soak-client --connect ADDR:PORT [options]\n\n"
                 "Holds TLS connections open and replaces the oldest at a steady rate. Each\n"
                 "sends one message, checks its echo, and leaves as the weights say.\n\n");
    opts_help(table.option, table.count, &usual, OPTS_COLUMNS, out);
}

static int check_starttls(const struct options *o, struct err *e)
{
    if (o->sni && !starttls_name_ok((enum starttls_protocol)o->starttls, o->sni))
        return err_set(e, "--sni %s: not a name that --starttls xmpp could ask for", o->sni);
    return 0;
}

/* What soak gives the client along with --client-auth. */
static int check_certificates(const struct options *o, struct err *e)
{
    for (int i = 0; i < BEHAVIOUR_COUNT && !o->client_certs; i++) {
        if (o->weight[i] && feature_shows_certificate(recipe_of((enum behaviour)i)->prepare))
            return err_set(e, "--%s: also needs --client-certs PATH", behaviour_name(i));
    }
    return 0;
}

static int check(const struct options *o, struct err *e)
{
    if (!o->connect)
        return err_set(e, "--connect ADDR:PORT is needed, such as --connect 127.0.0.1:4433");
    if (opts_check(&table, o, e) < 0 || opts_check_mix(&table, o, e) < 0 ||
        check_starttls(o, e) < 0)
        return -1;
    return check_certificates(o, e);
}

/* What depends on the machine, and on several options. */
static int fill(struct options *o, struct err *e)
{
    if (target_parse(o->connect, &o->target, e) < 0)
        return err_prefix(e, "--connect %s", o->connect);
    if (target_set_sources(&o->target, o->source_net, e) < 0)
        return err_prefix(e, "--source-net %s", o->source_net);
    target_count_sources(&o->target, o->sources, o->churn, o->conns);
    o->workers = load_need_workers(o->workers, o->conns);
    return talk_init(&o->talk, o->say, o->answer, o->foreign, e);
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *e)
{
    struct options o;
    set_usual(&o);
    if (opts_parse_only(&table, argc, argv, &o, e) < 0)
        return -1;
    if (!o.help && !o.version && (check(&o, e) < 0 || fill(&o, e) < 0))
        return -1;
    *ret = o;
    return 0;
}
