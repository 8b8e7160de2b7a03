/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page.h"
#include "scenario/scenario_internal.h"
#include "stats/judge/plan.h"

#include "base/address.h"
#include "base/check.h"
#include "base/text.h"
#include "options/choices.h"
#include "options/limits.h"
#include "scenario/expect.h"
#include "starttls/starttls.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    REST_S = 10,      /* no churn: checkpoints, a hold, on a machine that is slow */
    ALPN_LIMIT = 256, /* with a byte of length each */
    SNI_LIMIT = 255,
    LIST_LIMIT = 512,
    ENV_BYTES = 4000, /* so that all of them fit into OPTS_TEXT and onto a command line */
    PARTS_LIMIT = 1000,
    TEXT = 64
};

/* Digits up to `end`, from 1 to the limit. Returns 0 when they are anything else. */
static uint64_t read_part(const char *text, char end, const char **ret_rest)
{
    char *rest;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, &rest, 10);
    *ret_rest = rest + 1;
    return *rest == end && !errno && value <= PARTS_LIMIT ? value : 0;
}

int scenario_slice(const struct scenario *s, uint64_t *ret_part, uint64_t *ret_parts)
{
    const char *rest = NULL;
    uint64_t part = s->slice ? read_part(s->slice, '/', &rest) : 1;
    uint64_t parts = s->slice && part ? read_part(rest, '\0', &rest) : 1;
    if (part == 0 || part > parts)
        return -1;
    *ret_part = part;
    *ret_parts = parts;
    return 0;
}

/* They are handed on in command lines, and printed into buffers of OPTS_TEXT. */
static int check_strings(const struct scenario *s, struct err *e)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (options[i].type != OPT_STRING && options[i].type != OPT_OUTPUT)
            continue;
        const char *text = *(const char *const *)((const char *)s + options[i].offset);
        if (text && strlen(text) > OPTS_STRING_LIMIT)
            return err_set(e, "--%s %.40s...: at most %d characters", options[i].name, text,
                           OPTS_STRING_LIMIT);
        if (text && !text_is_utf8(text)) /* no JSON document could hold it */
            return err_set(e, "--%s %s: this must be UTF-8 text", options[i].name, text);
    }
    return 0;
}

static int check_load(const struct scenario *s, struct err *e)
{
    char text[TEXT], needed[TEXT];
    if (s->reload && s->closed && s->closed < PLAN_ROUNDS)
        return scenario_refuse(s, "closed", e, "with --reload at least %d reloads are needed",
                               PLAN_ROUNDS);
    if ((uint64_t)s->client_procs > s->conns)
        return scenario_refuse(s, "client-procs", e, "more of them than --conns %s",
                               human_count(text, sizeof text, (int64_t)s->conns));
    if ((uint64_t)s->agents > s->conns)
        return scenario_refuse(s, "agents", e, "more of them than --conns %s",
                               human_count(text, sizeof text, (int64_t)s->conns));
    if (s->reload || s->loop)
        return 0;
    if (s->closed && s->closed < PLAN_TURNOVERS * s->conns)
        return scenario_refuse(
            s, "closed", e,
            "with %s connection%s at least %s are needed: the open ones must be replaced "
            "%d times",
            human_count(text, sizeof text, (int64_t)s->conns), s->conns == 1 ? "" : "s",
            human_count(needed, sizeof needed, (int64_t)(PLAN_TURNOVERS * s->conns)),
            PLAN_TURNOVERS);
    return 0;
}

/* Seconds until every open connection has been replaced once. */
static double turnover_s(const struct scenario *s)
{
    return s->churn.max ? 0 : (double)s->conns / s->churn.per_s;
}

static int check_pace(const struct scenario *s, struct err *e)
{
    char rate[TEXT], enough[TEXT], conns[TEXT], faster[TEXT];
    double once_s = turnover_s(s);
    human_count(conns, sizeof conns, (int64_t)s->conns);
    grammar_rate_print(rate, sizeof rate, s->churn);
    if (s->for_ns && 2 * once_s * 1e9 > (double)s->for_ns) {
        double least = ceil(2e9 * (double)s->conns / (double)s->for_ns);
        grammar_rate_print(faster, sizeof faster, (struct rate){.per_s = least});
        if (2 * once_s > 1e9)
            return scenario_refuse(s, "for", e,
                                   "%s connections at %s don't turn over twice; --churn %s does",
                                   conns, rate, faster);
        grammar_duration_print(enough, sizeof enough, (uint64_t)ceil(2 * once_s) * 1000000000u);
        return scenario_refuse(
            s, "for", e,
            "%s connections at %s need %s to turn over twice; give --for %s or --churn %s", conns,
            rate, enough, enough, faster);
    }
    if (s->idle_timeout_ns && once_s + REST_S > (double)s->idle_timeout_ns / 1e9)
        return scenario_refuse(
            s, "idle-timeout", e,
            "%s connections at %s each live %.3g s in silence, and at a checkpoint up to %d s "
            "more; give at least %.0fs, or 0s",
            conns, rate, once_s, REST_S, ceil(once_s + REST_S));
    return 0;
}

/* RFC 7301 3.1: a name of a protocol has 1 to 255 bytes. */
static int check_alpn(const struct scenario *s, struct err *e)
{
    size_t length, used = 0;
    for (const char *name = s->alpn; name; name = name[length] ? name + length + 1 : NULL) {
        length = strcspn(name, ",");
        used += 1 + length;
        if (length == 0 || used > ALPN_LIMIT)
            return scenario_refuse(s, "alpn", e,
                                   "names, separated by commas, of %d characters in all at most",
                                   ALPN_LIMIT - 1);
    }
    return 0;
}

/* Names of a server that refuses others. */
static int check_names(const struct scenario *s, struct err *e)
{
    bool known = !s->sni || strcmp(s->sni, "localhost") == 0 ||
                 (s->sni_switch && strcmp(s->sni, "other.localhost") == 0);
    if (s->sni && !starttls_name_ok((enum starttls_protocol)s->starttls, s->sni))
        return scenario_refuse(s, "sni", e, "not a name that --starttls xmpp could ask for");
    if (s->sni_unknown == SNI_UNKNOWN_REFUSE && !known)
        return scenario_refuse(s, "sni", e,
                               "with --sni-unknown refuse no handshake would succeed; give "
                               "--sni localhost");
    return 0;
}

static int check_lists(const struct scenario *s, struct err *e)
{
    if (s->groups && strlen(s->groups) > LIST_LIMIT)
        return scenario_refuse(s, "groups", e, "at most %d bytes", LIST_LIMIT);
    if (s->ciphers && strlen(s->ciphers) > LIST_LIMIT)
        return scenario_refuse(s, "ciphers", e, "at most %d bytes", LIST_LIMIT);
    return 0;
}

static int check_tls(const struct scenario *s, struct err *e)
{
    if (s->sni && strlen(s->sni) > SNI_LIMIT)
        return scenario_refuse(s, "sni", e, "a server name has at most %d characters", SNI_LIMIT);
    return check_alpn(s, e) < 0 || check_names(s, e) < 0 || check_lists(s, e) < 0 ? -1 : 0;
}

static int check_operate(const struct scenario *s, struct err *e)
{
    char conns[TEXT], needed[TEXT];
    if (s->operate == OPERATE_NONE)
        return 0;
    if (s->closed && s->closed < PLAN_ROUNDS * s->conns)
        return scenario_refuse(
            s, "closed", e,
            "with --operate and %s connection%s at least %s operations are needed: %d on each",
            human_count(conns, sizeof conns, (int64_t)s->conns), s->conns == 1 ? "" : "s",
            human_count(needed, sizeof needed, (int64_t)(PLAN_ROUNDS * s->conns)), PLAN_ROUNDS);
    return 0;
}

/* Whether the mix has a behaviour whose connections end so. */
static bool any_ends(const struct scenario *s, enum behaviour_ends how)
{
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (s->weight[i] > 0 && behaviour_entry((enum behaviour)i)->ends & how)
            return true;
    }
    return false;
}

/* What there is to do where a run on libc's malloc can't tell what is asked. */
static const char *const without_jemalloc =
    SCENARIO_JEMALLOC ? "leave out --malloc libc" : "this build has no jemalloc";

static int check_defect(const struct scenario *s, struct err *e)
{
    if (!s->defect)
        return 0;
    enum defect_kind kind;
    uint64_t one_in;
    CHECK(defect_parse(s->defect, &kind, &one_in, NULL) == 0); /* opts_check has seen it */
    if (kind == DEFECT_PEER_CERT_REF && s->client_auth != CLIENT_AUTH_REQUEST &&
        s->client_auth != CLIENT_AUTH_REQUIRE)
        return scenario_refuse(s, "defect", e,
                               "it needs peers with certificates: --client-auth require");
    if (kind == DEFECT_ERROR_PATH && !any_ends(s, ENDS_FAILS))
        return scenario_refuse(
            s, "defect", e, "it needs handshakes that fail: --mid-handshake with a weight above 0");
    if (s->malloc == MALLOC_LIBC && (kind == DEFECT_OUTSIDE || kind == DEFECT_FRAGMENT))
        return scenario_refuse(s, "defect", e, "it shows in jemalloc's figures alone; %s",
                               without_jemalloc);
    if (kind == DEFECT_RESET_PATH && !any_ends(s, ENDS_RESET))
        return scenario_refuse(s, "defect", e,
                               "it needs peers that reset: --reset with a weight above 0");
    return 0;
}

static int check_malloc(const struct scenario *s, struct err *e)
{
    struct scenario defaults;
    scenario_defaults(&defaults);
    if (s->malloc == MALLOC_JEMALLOC && !SCENARIO_JEMALLOC)
        return scenario_refuse(s, "malloc", e, "this build has no jemalloc; leave it out");
    if (s->malloc == MALLOC_LIBC && s->limit_heap != defaults.limit_heap)
        return scenario_refuse(s, "limit-heap", e, "only jemalloc tells how its heap grows; %s",
                               without_jemalloc);
    return 0;
}

/* Agents that join from elsewhere don't reach a server on loopback. */
static int check_reach(const struct scenario *s, const struct address *join, struct err *e)
{
    char host[ADDRESS_TEXT];
    const char *server = scenario_address(s);
    if (address_is_loopback(join) ||
        (strncmp(server, "127.", 4) != 0 && strncmp(server, "[::1]", 5) != 0))
        return 0;
    bool foreign = scenario_meets_foreign(s);
    return scenario_refuse(
        s, "agents-listen", e, "who joins there can't reach the server at %.60s; give --%s %s:%s",
        server, foreign ? "connect" : "listen", address_host(join, host), foreign ? "PORT" : "0");
}

static int check_agents(const struct scenario *s, struct err *e)
{
    struct address at;
    if (!s->agents)
        return 0;
    if (scenario_parse_address(s, s->agents_listen, &at) < 0)
        return scenario_refuse(s, "agents-listen", e,
                               "an address of this machine and a port, such as 127.0.0.1:7411 or "
                               "10.0.0.1:7411; not 0.0.0.0, which is all of them");
    return check_reach(s, &at, e);
}

/* IPv6 has one loopback address, so one source and its ports. */
static int check_listen(const struct scenario *s, struct err *e)
{
    struct address at;
    char most[TEXT];
    const char *address = scenario_address(s),
               *name = scenario_meets_foreign(s) ? "connect" : "listen";
    if (scenario_parse_address(s, s->listen ? s->listen : "", &at) < 0)
        return scenario_refuse(
            s, "listen", e,
            "the load stays on this machine: 127.0.0.1:0, or [::1]:0, or another loopback "
            "address and a port");
    if (check_agents(s, e) != 0)
        return -1;
    if (address[0] != '[')
        return 0;
    if (s->sources > 1)
        return scenario_refuse(s, "sources", e,
                               "there is one loopback address in IPv6; give --listen "
                               "127.0.0.1:0 or --sources 1");
    if (s->conns > LIMIT_CONNS_PER_SOURCE)
        return scenario_refuse(s, "conns", e,
                               "at most %s with --%s %s: there is one loopback address in IPv6, "
                               "and its ports run out; give --%s 127.0.0.1:%s",
                               human_count(most, sizeof most, LIMIT_CONNS_PER_SOURCE), name,
                               address, name, s->server ? "PORT" : "0");
    return 0;
}

static int check_served(const struct scenario *s, const char *option, const char *value,
                        const char *such_as, struct err *e)
{
    struct address at;
    if (!value)
        return 0;
    if (address_parse(value, &at, NULL) != 0)
        return scenario_refuse(s, option, e, "a loopback address and a port, such as %s", such_as);
    if (address_port(&at) != 0 && ((s->listen && address_is_same(value, s->listen)) ||
                                   (s->connect && address_is_same(value, s->connect))))
        return scenario_refuse(s, option, e, "the server listens there; give another port");
    return 0;
}

static int check_server(const struct scenario *s, struct err *e)
{
    if (s->handshake_timeout_ns == 0)
        return scenario_refuse(s, "handshake-timeout", e,
                               "a peer that vanishes would stay for ever; such as "
                               "30s");
    if (check_served(s, "metrics", s->metrics, "127.0.0.1:9464", e) < 0 ||
        check_served(s, "serve", s->serve, "127.0.0.1:8080", e) < 0 || check_listen(s, e) < 0)
        return -1;
    return check_malloc(s, e) < 0 ? -1 : check_defect(s, e);
}

static int check_expect(const struct scenario *s, struct err *e)
{
    struct expect expect;
    struct err why;
    if (expect_parse(s->expect, &expect, &why) < 0)
        return scenario_refuse(s, "expect", e, "%s", why.text);
    return 0;
}

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static bool is_one_line(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

static int check_env(const struct scenario *s, struct err *e)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->env.count; i++) {
        const char *item = s->env.item[i];
        size_t length = strcspn(item, "=");
        if (!item[length] || !is_name(item, length) || !is_one_line(item))
            return err_set(e, "--env %.100s: NAME=VALUE, such as MALLOC_CONF=narenas:1", item);
        bytes += strlen(item) + 1;
    }
    if (bytes > ENV_BYTES)
        return err_set(e, "--env %.40s...: at most %d characters in all", s->env.item[0],
                       ENV_BYTES);
    return 0;
}

static int check_torture(const struct scenario *s, struct err *e)
{
    uint64_t part, parts;
    if (scenario_slice(s, &part, &parts) < 0)
        return scenario_refuse(s, "slice", e, "a part and how many parts, such as 1/7; at most %d",
                               PARTS_LIMIT);
    if (s->fail_alloc && s->resume > 0 && s->resume < 1)
        return scenario_refuse(s, "resume", e,
                               "with --fail-alloc 0%% or 100%%, so that one connection asks for "
                               "what the next one does");
    return 0;
}

/* One run can't tell more behaviours apart than the client's page has room for, whose last place is
 * for connections that did none of them. */
static int check_mix(const struct scenario *s, struct err *e)
{
    enum { ROOM = PAGE_BEHAVIOURS - 1 };
    size_t used = 0;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        used += s->weight[i] > 0;
    if (used > ROOM)
        return err_set(e, "--mix: %zu behaviours have a weight, and one run tells at most %d apart",
                       used, ROOM);
    /* What its own server needs, nobody knows of another. */
    return opts_check_mix(scenario_meets_foreign(s) ? scenario_foreign_table() : scenario_table(),
                          s, e);
}

int scenario_check(const struct scenario *s, struct err *e)
{
    if (check_strings(s, e) < 0 || check_env(s, e) < 0 || scenario_check_foreign(s, e) < 0 ||
        opts_check(scenario_table(), s, e) < 0 || check_load(s, e) < 0 || check_pace(s, e) < 0 ||
        check_tls(s, e) < 0 || check_operate(s, e) < 0 || check_server(s, e) < 0 ||
        check_mix(s, e) < 0 || scenario_check_sure(s, e) < 0 || check_expect(s, e) < 0 ||
        check_torture(s, e) < 0)
        return -1;
    return 0;
}
