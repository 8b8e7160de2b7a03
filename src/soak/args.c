#include "args.h"

#include "base/check.h"

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

static void add_duration(struct args *a, const char *name, uint64_t ns)
{
    char text[32];
    add(a, "--%s=%s", name, grammar_duration_print(text, sizeof text, ns));
}

static void add_common(struct args *a, const struct scenario *s, const char *program, uint64_t seed)
{
    static const char *const tls[] = {[TLS_1_2] = "1.2", [TLS_1_3] = "1.3", [TLS_ANY] = "any"};
    add(a, "%s", program);
    add(a, "--control-fd=3");
    add(a, "--page-fd=4");
    add(a, "--seed=%" PRIx64, seed);
    add(a, "--tls=%s", tls[s->tls]);
    if (s->alpn)
        add(a, "--alpn=%s", s->alpn);
    if (!s->probe)
        add(a, "--no-ledger");
}

/* Some operations need a server that allows them. */
static void add_allowed(struct args *a, const struct scenario *s)
{
    if (s->operate == OPERATE_RENEGOTIATE)
        add(a, "--renegotiation");
    if (s->operate == OPERATE_TICKET)
        add(a, "--requests");
}

void args_server(struct args *a, const struct scenario *s, const char *program, uint64_t seed)
{
    static const char *const key[] = {[KEY_P256] = "p256", [KEY_RSA2048] = "rsa2048"};
    static const char *const session[] = {
        [SESSION_TICKET] = "ticket", [SESSION_CACHE] = "cache", [SESSION_NONE] = "none"};
    *a = (struct args){0};
    add_common(a, s, program, seed);
    add(a, "--listen=%s", s->listen);
    add(a, "--key=%s", key[s->key]);
    add(a, "--session=%s", session[s->session]);
    add(a, "--cache-size=%" PRIu64, s->cache_size);
    add(a, "--workers=%d", s->workers);
    if (s->client_auth == CLIENT_AUTH_REQUIRE) {
        add(a, "--client-auth=require");
        add(a, "--client-ca=/proc/self/fd/5");
    }
    if (s->defect)
        add(a, "--defect=%s", s->defect);
    add_duration(a, "handshake-timeout", s->handshake_timeout_ns);
    add_duration(a, "idle-timeout", s->idle_timeout_ns);
    add_allowed(a, s);
}

static void add_operation(struct args *a, const struct scenario *s)
{
    static const char *const operation[] = {[OPERATE_REQUEST] = "request",
                                            [OPERATE_KEY_UPDATE] = "key-update",
                                            [OPERATE_RENEGOTIATE] = "renegotiate",
                                            [OPERATE_TICKET] = "ticket"};
    if (s->operate != OPERATE_NONE)
        add(a, "--operate=%s", operation[s->operate]);
}

static void add_weights(struct args *a, const struct scenario *s)
{
    add(a, "--clean=%" PRIu64, s->clean);
    add(a, "--half-close=%" PRIu64, s->half_close);
    add(a, "--reset=%" PRIu64, s->reset);
    add(a, "--mid-handshake=%" PRIu64, s->mid_handshake);
}

void args_client(struct args *a, const struct scenario *s, const char *program, uint64_t seed,
                 const char *address, uint64_t port)
{
    char text[32];
    *a = (struct args){0};
    add_common(a, s, program, seed);
    add(a, "--connect=%s:%" PRIu64, address, port);
    add(a, "--conns=%" PRIu64, s->conns);
    add(a, "--churn=%s", grammar_rate_print(text, sizeof text, s->churn));
    add(a, "--payload=%" PRIu64 "B", s->payload);
    add(a, "--resume=%s", grammar_percent_print(text, sizeof text, s->resume));
    add(a, "--sources=%" PRIu64, s->sources);
    add(a, "--workers=%d", s->client_workers);
    add_duration(a, "timeout", s->handshake_timeout_ns);
    add_operation(a, s);
    add_weights(a, s);
    if (s->sni)
        add(a, "--sni=%s", s->sni);
    if (s->client_auth == CLIENT_AUTH_REQUIRE)
        add(a, "--client-cert=/proc/self/fd/5");
}
