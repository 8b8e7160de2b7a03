/* SPDX-License-Identifier: Apache-2.0 */
/* How long a run must be for the sensitivity that is asked of it, and the bounds that can't reach
 * it. */
#include "scenario/scenario_internal.h"
#include "stats/judge/plan.h"
#include "stats/judge/plan_loop.h"

#include <math.h>
#include <stdio.h>

enum { SURE_ONE_IN = 10000, SURE_RELOADS = 100, RELOAD_MS = 150, TEXT = 64 };
static const uint64_t MINUTE_NS = 60000000000u, HOUR_NS = 3600000000000u,
                      SURE_LIMIT_NS = 3600000000000u, USUAL_NS = 60000000000u,
                      START_AND_DRAIN_NS = 2000000000u, USUAL_PER_CONNECTION_NS = 1000000u;

static uint64_t asked(const struct scenario *s)
{
    if (s->sensitivity)
        return s->sensitivity;
    if (s->until_sure)
        return s->reload ? SURE_RELOADS : SURE_ONE_IN;
    if (s->closed || s->for_ns)
        return 0;
    return s->loop ? PLAN_ONE_IN_LOOP : plan_one_in(scenario_unit(s));
}

/* Threads over which the connections are spread, of whichever side has more, as far as they are
 * soak's own; the client's as they are asked for. 0: not known. */
static uint64_t threads_of(const struct scenario *s)
{
    uint64_t server = s->server ? 0 : (uint64_t)s->workers * (uint64_t)s->server_procs;
    uint64_t each = s->client_workers ? (uint64_t)s->client_workers : 1;
    uint64_t client = s->client ? 0 : each * (uint64_t)s->client_procs;
    return server > client ? server : client;
}

uint64_t scenario_takes(const struct scenario *s, uint64_t one_in, uint64_t threads)
{
    return s->loop ? plan_loop_for((size_t)s->loop, one_in, s->expect_cache)
                   : plan_measured_for(one_in, threads);
}

static uint64_t takes(const struct scenario *s, uint64_t one_in)
{
    return scenario_takes(s, one_in, threads_of(s));
}

void scenario_loop(const struct scenario *s, uint64_t *ret)
{
    size_t runs = (size_t)s->loop;
    uint64_t total = s->closed ? s->closed : takes(s, s->sensitivity);
    plan_loop(plan_loop_largest(runs, total), runs, ret);
}

enum unit scenario_unit(const struct scenario *s)
{
    if (s->reload)
        return UNIT_RELOAD;
    return s->operate == OPERATE_NONE ? UNIT_CONNECTION : UNIT_OPERATION;
}

void scenario_settle(struct scenario *s)
{
    s->unasked = !s->sensitivity && !s->until_sure;
    s->sensitivity = asked(s);
    if (s->until_sure && !s->for_ns)
        s->for_ns = SURE_LIMIT_NS;
    s->churn.max |= s->client != NULL; /* the program sets the pace */
}

/* Of what it counts; reloads follow each other as fast as the program gets ready. */
static struct rate pace(const struct scenario *s)
{
    struct rate max = {.max = true};
    return s->reload ? max : s->churn;
}

/* At the asked rate; 0 when that is max, which nobody knows before. */
static uint64_t time_for(const struct scenario *s, uint64_t connections)
{
    const struct rate at = pace(s);
    double ns = at.max ? 0 : ceil((double)connections / at.per_s) * 1e9;
    return ns < 9e18 ? (uint64_t)ns : UINT64_C(9000000000000000000);
}

/* A bound with some room: a tenth more, in whole minutes, or hours when it is long. */
static char *with_room(char *buf, size_t size, uint64_t ns)
{
    uint64_t enough = ns / 10 * 11, unit = enough > 2 * HOUR_NS ? HOUR_NS : MINUTE_NS;
    return grammar_duration_print(buf, size, (enough / unit + 1) * unit);
}

/* What depends on how equal the halves of a run turn out is told with two digits. */
static uint64_t about(double connections)
{
    double digits = connections > 100 ? pow(10, floor(log10(connections)) - 1) : 1;
    return (uint64_t)(ceil(connections / digits) * digits);
}

/* A replaced SSL_CTX dies with its last connection. Were it still alive at one checkpoint and not
 * at the next, its blocks would come and go: so each epoch replaces the stable set, also where half
 * as many peers again as in the mix break off before they are held. */
static uint64_t epoch_opens(const struct scenario *s)
{
    uint64_t held = 0, all = 0;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        bool holds = behaviour_entry((enum behaviour)i)->ends & (ENDS_OPEN | ENDS_RESET);
        all += s->weight[i];
        held += holds ? s->weight[i] : 0;
    }
    if (!s->ctx_reload || s->operate != OPERATE_NONE)
        return 0;
    return s->conns + (held ? (s->conns * (all - held) * 3 + 2 * held - 1) / (2 * held) : 0);
}

void scenario_plan(const struct scenario *s, struct plan_input *ret)
{
    enum { PATIENCE_MS = 60000 }; /* most servers wait as long for a request, or longer */
    size_t behaviours = 0;
    const struct rate at = pace(s);
    for (size_t i = 0; i < BEHAVIOUR_COUNT; i++)
        behaviours += s->weight[i] > 0;
    *ret = (struct plan_input){
        .conns = s->reload ? 1 : s->conns,
        .rate_per_s = at.max ? 0 : at.per_s,
        .unit = scenario_unit(s),
        .closed = s->loop && !s->closed ? takes(s, s->sensitivity) : s->closed,
        .epoch_opens = epoch_opens(s),
        .for_ms = s->for_ns / 1000000u,
        .expected = s->expect_cache,
        .one_in = s->sensitivity,
        .until_sure = s->until_sure,
        .hold_most_ms = s->server ? PATIENCE_MS : 0,
        .early_stop = !s->keep_going && !s->closed && (!s->for_ns || s->until_sure),
        .behaviours = s->reload ? 1 : behaviours,
        .threads = threads_of(s)};
}

static uint64_t closed_for(const struct scenario *s, uint64_t one_in)
{
    struct plan_input in;
    scenario_plan(s, &in);
    return plan_closed_for(&in, one_in);
}

/* Its steps are equal, so that it is known before what they give. */
static int check_closed_of_loop(const struct scenario *s, struct err *e)
{
    char one_in[TEXT], enough[TEXT];
    uint64_t asked_for = s->sensitivity ? s->sensitivity : 1;
    if (s->closed >= takes(s, asked_for))
        return 0;
    return scenario_refuse(
        s, "closed", e, "too few in all for %d runs%s%s; give --closed %s, or leave it out",
        s->loop, s->sensitivity ? " and --sensitivity " : "",
        s->sensitivity ? grammar_one_in_print(one_in, sizeof one_in, asked_for) : "",
        grammar_count_print(enough, sizeof enough, takes(s, asked_for)));
}

static int check_closed(const struct scenario *s, struct err *e)
{
    char one_in[TEXT], least[TEXT], enough[TEXT];
    if (!s->closed)
        return 0;
    if (s->until_sure)
        return scenario_refuse(s, "closed", e,
                               "with --until-sure the sensitivity ends the run; leave one of the "
                               "two out, or limit the time by --for");
    if (s->loop)
        return check_closed_of_loop(s, e);
    uint64_t held = s->reload ? 1 : s->conns;
    if (!s->sensitivity || s->closed >= plan_least_for(s->sensitivity) + held)
        return 0;
    return scenario_refuse(
        s, "closed", e,
        "too few for --sensitivity %s, which takes at least %s; give --closed %s, or leave it out",
        grammar_one_in_print(one_in, sizeof one_in, s->sensitivity),
        human_count(least, sizeof least, (int64_t)plan_least_for(s->sensitivity)),
        grammar_count_print(enough, sizeof enough, closed_for(s, s->sensitivity)));
}

static int check_time(const struct scenario *s, struct err *e)
{
    char one_in[TEXT], count[TEXT], rate[TEXT], time[TEXT], enough[TEXT], limit[TEXT];
    uint64_t n = asked(s), bound = s->for_ns ? s->for_ns : s->until_sure ? SURE_LIMIT_NS : 0;
    if (!n || !bound || time_for(s, plan_least_for(n)) <= bound)
        return 0;
    uint64_t measured = about((double)takes(s, n)), needed = time_for(s, measured);
    grammar_one_in_print(one_in, sizeof one_in, n);
    human_count(count, sizeof count, (int64_t)measured);
    grammar_rate_print(rate, sizeof rate, s->churn);
    human_duration(time, sizeof time, needed);
    with_room(enough, sizeof enough, needed);
    if (s->for_ns)
        return scenario_refuse(s, "for", e,
                               "too short for a sensitivity of %s, which takes about %s "
                               "connections, %s at %s; give --for %s",
                               one_in, count, time, rate, enough);
    return scenario_refuse(s, "until-sure", e,
                           "a sensitivity of %s takes about %s connections, %s at %s, and without "
                           "--for the limit is %s; give --for %s",
                           one_in, count, time, rate,
                           grammar_duration_print(limit, sizeof limit, SURE_LIMIT_NS), enough);
}

int scenario_check_sure(const struct scenario *s, struct err *e)
{
    return check_closed(s, e) < 0 || check_time(s, e) < 0 ? -1 : 0;
}

bool scenario_sure_text(const struct scenario *s, char *buf, size_t size)
{
    char one_in[TEXT], count[TEXT], rate[TEXT], time[TEXT];
    uint64_t n = asked(s), measured = n ? about((double)takes(s, n)) : 0;
    if (!n || s->closed || (s->for_ns && !s->until_sure))
        return false;
    if (!s->until_sure && n <= plan_one_in(scenario_unit(s)))
        return false;
    if (!s->until_sure && !pace(s).max && time_for(s, measured) <= USUAL_NS)
        return false;
    grammar_one_in_print(one_in, sizeof one_in, n);
    human_count(count, sizeof count, (int64_t)measured);
    if (pace(s).max)
        snprintf(buf, size, "a sensitivity of %s takes about %s %s", one_in, count,
                 unit_plural(scenario_unit(s)));
    else
        snprintf(buf, size, "a sensitivity of %s takes about %s connections, %s at %s", one_in,
                 count, human_duration(time, sizeof time, time_for(s, measured)),
                 grammar_rate_print(rate, sizeof rate, s->churn));
    return true;
}

static uint64_t usual_ns(const struct scenario *s)
{
    return s->reload ? s->settle_ns + RELOAD_MS * UINT64_C(1000000) : USUAL_PER_CONNECTION_NS;
}

uint64_t scenario_about_ns(const struct scenario *s)
{
    struct plan_input in;
    scenario_plan(s, &in);
    in.one_in = asked(s);
    uint64_t count = s->closed   ? s->closed
                     : s->loop   ? takes(s, in.one_in)
                     : in.one_in ? plan_unbounded(&in)
                                 : 0;
    uint64_t ns = pace(s).max ? count * usual_ns(s) : time_for(s, count);
    if (!s->closed && !s->for_ns && ns < USUAL_NS)
        ns = USUAL_NS;
    /* Time alone ends a run that neither counts nor waits until it is sure. */
    bool whole = !s->closed && !s->until_sure;
    return START_AND_DRAIN_NS + (s->for_ns && (whole || !ns || s->for_ns < ns) ? s->for_ns : ns);
}
