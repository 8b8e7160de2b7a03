/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#include "base/check.h"
#include "base/rng.h"
#include "options/ciphers.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void add(struct args *a, const char *format, ...)
{
    CHECK(a->count < ARGS_MAX);
    char *at = a->bytes + a->used;
    va_list list;
    va_start(list, format);
    int n = vsnprintf(at, sizeof a->bytes - a->used, format, list);
    va_end(list);
    CHECK(n >= 0 && (size_t)n < sizeof a->bytes - a->used);
    a->argv[a->count++] = at;
    a->used += (size_t)n + 1;
}

/* The client waits so much longer than the server: peers that stall are ended by the server, and
 * the client is there to see it. */
static const uint64_t PATIENCE_NS = 10000000000u;

static void add_duration(struct args *a, const char *name, uint64_t ns)
{
    char text[32];
    add(a, "--%s=%s", name, grammar_duration_print(text, sizeof text, ns));
}

/* An option that both programs have under soak's name and with its values. */
static void add_same(struct args *a, const struct scenario *s, const char *name)
{
    char text[OPTS_TEXT];
    add(a, "--%s=%s", name, scenario_value(s, name, text, sizeof text));
}

static void add_common(struct args *a, const struct scenario *s, const char *program, uint64_t seed)
{
    add(a, "%s", program);
    add(a, "--seed=%" PRIx64, seed);
    add_same(a, s, "tls");
    add_same(a, s, "starttls");
    if (s->alpn)
        add(a, "--alpn=%s", s->alpn);
    if (!s->probe)
        add(a, "--no-ledger");
}

/* What child_start gives the two programs. */
static void add_ends(struct args *a)
{
    add(a, "--control-fd=3");
    add(a, "--page-fd=4");
}

/* The run's load comes from a network of its own, so that the server can tell it from whoever else
 * finds the port. In IPv6 there is one loopback address. */
static void add_network(struct args *a, const struct scenario *s, const char *name, uint64_t seed)
{
    struct rng rng = {.state = seed};
    uint64_t drawn = rng_next(&rng);
    if (s->listen[0] != '[')
        add(a, "--%s=127.%u.%u.0", name, (unsigned)(drawn % 254 + 1), (unsigned)(drawn >> 8 & 255));
}

static void add_flag(struct args *a, bool given, const char *name)
{
    if (given)
        add(a, "--%s", name);
}

static void add_choices(struct args *a, const struct scenario *s)
{
    if (s->client_auth != CLIENT_AUTH_NONE) {
        add_same(a, s, "client-auth");
        add(a, "--client-ca=/proc/self/fd/5");
    }
    add_same(a, s, "ticket-callback");
    add_same(a, s, "ocsp");
    add_same(a, s, "sni-unknown");
}

static void add_features(struct args *a, const struct scenario *s)
{
    add_choices(a, s);
    add_duration(a, "session-timeout", s->session_timeout_ns);
    add(a, "--tickets=%d", s->tickets);
    add(a, "--ticket-rotate=%" PRIu64, s->ticket_rotate);
    add(a, "--early-data=%" PRIu64 "B", s->early_data);
    add(a, "--record-padding=%d", s->record_padding);
    add_flag(a, s->psk, "psk");
    add_flag(a, s->sni_switch, "sni-switch");
    add_flag(a, s->renegotiation || s->operate == OPERATE_RENEGOTIATE, "renegotiation");
    if (s->groups)
        add(a, "--groups=%s", s->groups);
    if (s->ciphers)
        add(a, "--ciphers=%s", s->ciphers);
}

static void add_server(struct args *a, const struct scenario *s)
{
    add(a, "--listen=%s", s->listen);
    add_same(a, s, "key");
    add_same(a, s, "session");
    add(a, "--cache-size=%" PRIu64, s->cache_size);
    add(a, "--workers=%d", s->workers);
    add(a, "--conns=%" PRIu64, s->conns);
    add_features(a, s);
    if (s->defect)
        add(a, "--defect=%s", s->defect);
    add_flag(a, s->requests || s->operate == OPERATE_TICKET, "requests");
    if (s->ctx == CTX_PER_CONNECTION)
        add(a, "--ctx=per-connection");
    if (s->ctx_reload)
        add(a, "--ctx-reload=%" PRIu64, s->ctx_reload);
    if (s->emfile)
        add(a, "--emfile=%" PRIu64, s->emfile);
    add_duration(a, "handshake-timeout", s->handshake_timeout_ns);
    add_duration(a, "idle-timeout", s->idle_timeout_ns);
}

void args_server(struct args *a, const struct scenario *s, const char *program, uint64_t seed)
{
    *a = (struct args){0};
    add_common(a, s, program, seed);
    add_ends(a);
    add_network(a, s, "client-net", seed);
    add_server(a, s);
}

void args_server_check(struct args *a, const struct scenario *s, const char *program)
{
    struct scenario without = *s;
    without.client_auth = CLIENT_AUTH_NONE; /* its authority is made for the run */
    *a = (struct args){0};
    add_common(a, &without, program, 1);
    add_flag(a, true, "check");
    add_server(a, &without);
}

static void add_client(struct args *a, const struct scenario *s)
{
    char text[32];
    add(a, "--conns=%" PRIu64, s->conns);
    add(a, "--churn=%s", grammar_rate_print(text, sizeof text, s->churn));
    add(a, "--payload=%" PRIu64 "B", s->payload);
    add(a, "--resume=%s", grammar_percent_print(text, sizeof text, s->resume));
    add(a, "--sources=%" PRIu64, s->sources);
    add(a, "--workers=%d", s->client_workers);
    add_duration(a, "timeout", s->handshake_timeout_ns + PATIENCE_NS);
    add_same(a, s, "operate");
    add_same(a, s, "mix");
    if (s->sni)
        add(a, "--sni=%s", s->sni);
    if (s->client_auth != CLIENT_AUTH_NONE)
        add(a, "--client-certs=/proc/self/fd/5");
}

void args_client(struct args *a, const struct scenario *s, const char *program, uint64_t seed,
                 const char *address, uint64_t port)
{
    *a = (struct args){0};
    add_common(a, s, program, seed);
    add_ends(a);
    add(a, "--connect=%s:%" PRIu64, address, port);
    add_network(a, s, "source-net", seed);
    add_client(a, s);
}

void args_client_check(struct args *a, const struct scenario *s, const char *program)
{
    *a = (struct args){0};
    add_common(a, s, program, 1);
    add_flag(a, true, "check");
    add(a, "--connect=%s", s->listen);
    add_client(a, s);
}

void args_footprint(struct args *a, const struct scenario *s, const char *program)
{
    bool tls13 = s->tls != TLS_1_2;
    uint64_t payload = s->payload < ARGS_FOOTPRINT_PAYLOAD ? s->payload : ARGS_FOOTPRINT_PAYLOAD;
    *a = (struct args){0};
    add(a, "%s", program);
    add(a, "--tls=%s", tls13 ? "1.3" : "1.2");
    add(a, "--key=%s", s->key == KEY_RSA2048 ? "rsa2048" : "p256");
    add_same(a, s, "session");
    add(a, "--tickets=%d", s->tickets);
    add(a, "--client-auth=%s", s->client_auth == CLIENT_AUTH_REQUIRE ? "require" : "none");
    add(a, "--payload=%" PRIu64 "B", payload);
    add_flag(a, args_footprint_resumes(s), "resume");
    if (s->groups)
        add(a, "--groups=%s", s->groups);
    /* Ciphers of other versions change nothing. */
    if (s->ciphers && ciphers_name(s->ciphers, tls13))
        add(a, "--ciphers=%s", s->ciphers);
}

bool args_footprint_resumes(const struct scenario *s)
{
    bool can = s->session != SESSION_NONE && (s->tls == TLS_1_2 || s->tickets > 0);
    return can && s->resume >= 1;
}
