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
}

static void add_mix(struct args *a, const struct scenario *s)
{
    char text[OPTS_TEXT];
    size_t count;
    const struct opt *options = scenario_options(&count), *mix = opts_find(options, count, "mix");
    CHECK(mix);
    add(a, "--mix=%s", opts_print(mix, s, text, sizeof text));
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
    add_mix(a, s);
    if (s->sni)
        add(a, "--sni=%s", s->sni);
    if (s->client_auth == CLIENT_AUTH_REQUIRE)
        add(a, "--client-cert=/proc/self/fd/5");
}
