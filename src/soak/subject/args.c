/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#include "base/check.h"
#include "base/rng.h"
#include "options/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* The client waits this much longer than the server: peers that stall are ended by the server, and
 * the client is there to see it. */
static const uint64_t PATIENCE_NS = 10000000000u;

enum program { SERVER, CLIENT, FOOTPRINT, PROGRAMS };

/* Which of scenario_options each program takes. */
static const bool takes[][PROGRAMS] = {
#define TAKES_S                        true
#define TAKES_C                        true
#define TAKES_F                        true
#define TAKES__                        false
#define X(section, name, s, c, f, ...) {TAKES_##s, TAKES_##c, TAKES_##f},
#include "options/options.def"
#undef X
};

/* soak itself ends the client. */
static bool is_kept(const struct opt *option)
{
    return strcmp(option->name, "closed") == 0;
}

const char args_control[] = "--control-fd=3", args_page[] = "--page-fd=4";

/* The program, and its options that soak has too, each with soak's value. */
static void add_options(struct args *a, const struct scenario *s, const char *path,
                        enum program program)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    *a = (struct args){0};
    add(a, "%s", path);
    for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
        char value[OPTS_TEXT];
        if (!takes[i][program] || is_kept(&options[i]))
            continue;
        opts_print(&options[i], s, value, sizeof value);
        if (*value)
            add(a, "--%s=%s", options[i].name, value);
    }
}

/* What child_start gives the two programs. */
static void add_ends(struct args *a, const struct scenario *s)
{
    add(a, "%s", args_control);
    add(a, "%s", args_page);
    if (!s->probe)
        add(a, "--no-ledger");
}

/* The run's load comes from a network of its own, so that the server can tell it from whoever else
 * finds the port; `before` of its addresses are others'. In IPv6 there is one loopback address. */
static void add_network(struct args *a, const struct scenario *s, const char *name, uint64_t seed,
                        unsigned before)
{
    struct rng rng = {.state = seed};
    uint64_t drawn = rng_next(&rng);
    if (strncmp(scenario_address(s), "127.", 4) == 0)
        add(a, "--%s=127.%u.%u.%u", name, (unsigned)(drawn % 254 + 1), (unsigned)(drawn >> 8 & 255),
            before);
}

/* As the operations need it. */
static struct scenario server_scenario(const struct scenario *s, uint64_t seed)
{
    struct scenario of = *s;
    of.seed = seed;
    of.renegotiation |= s->operate == OPERATE_RENEGOTIATE;
    of.requests |= s->operate == OPERATE_TICKET;
    return of;
}

void args_server(struct args *a, const struct scenario *s, const struct args_process *process)
{
    struct scenario of = server_scenario(s, process->seed);
    if (process->address)
        of.listen = process->address;
    add_options(a, &of, "soak-server", SERVER);
    add_ends(a, s);
    add_network(a, s, "client-net", process->seed, 0);
    if (s->agents)
        add(a, "--anywhere");
    if (process->at.of > 1)
        add(a, "--port-use=%s", process->at.number ? "join" : "first");
    if (s->client_auth != CLIENT_AUTH_NONE)
        add(a, "--client-ca=/proc/self/fd/5");
}

void args_paced(struct args *a, const struct scenario *s, const char *program, uint64_t seed)
{
    static const char page[] = "HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n"
                               "\\r\\nhello\\n";
    struct scenario of = *s;
    of.seed = seed;
    add_options(a, &of, program, SERVER);
    add_ends(a, s);
    add(a, "--paced");
    add(a, "--authority=/proc/self/fd/5");
    add(a, "--reply=%s", s->say ? s->say : page);
}

void args_server_check(struct args *a, const struct scenario *s, const char *program)
{
    struct scenario of = server_scenario(s, 1);
    of.client_auth = CLIENT_AUTH_NONE; /* its authority is made for the run */
    add_options(a, &of, program, SERVER);
    if (s->agents)
        add(a, "--anywhere");
    add(a, "--check");
}

/* What has another name there, or another value. */
static void add_client(struct args *a, const struct scenario *s)
{
    char text[32];
    add(a, "--workers=%d", s->client_workers);
    add(a, "--timeout=%s",
        grammar_duration_print(text, sizeof text, s->handshake_timeout_ns + PATIENCE_NS));
    if (s->client_auth != CLIENT_AUTH_NONE)
        add(a, "--client-certs=/proc/self/fd/5");
    if (scenario_meets_foreign(s))
        add(a, "--foreign");
    if (s->reload)
        add(a, "--reloaded");
}

/* The threads draw from the seeds behind it. */
static uint64_t seed_of(const struct args_process *process)
{
    return process->seed + process->at.number * LIMIT_WORKERS;
}

void args_client(struct args *a, const struct scenario *s, const struct args_process *process)
{
    struct scenario of;
    share_scenario(s, process->at, &of);
    of.seed = seed_of(process);
    if (process->elsewhere) {
        of.client_workers = s->client_workers;
        of.no_sandbox = false;
    }
    add_options(a, &of, "soak-client", CLIENT);
    if (process->elsewhere)
        add(a, "--no-ledger");
    else
        add_ends(a, s);
    if (!scenario_meets_foreign(s) || s->sources != 1) /* a program may trust 127.0.0.1 alone */
        add_network(a, s, "source-net", process->seed, share_sources_before(s, process->at));
    add(a, "--connect=%s", process->address);
    add_client(a, &of);
}

/* The client's own, beside those of soak's that it takes. */
static const char *const of_client[] = {"workers", "timeout",    "foreign",  "reloaded",
                                        "connect", "source-net", "no-ledger"};

static bool is_named(const char *option, const char *name)
{
    size_t length = strlen(name);
    return strncmp(option, "--", 2) == 0 && strncmp(option + 2, name, length) == 0 &&
           (option[2 + length] == '=' || option[2 + length] == '\0');
}

/* A certificate is a file; the sandbox is the affair of the machine that it is on. */
static bool may_be_said(const char *option, const char *name)
{
    return strcmp(name, "client-cert") != 0 &&
           (strcmp(name, "no-sandbox") != 0 || strcmp(option, "--no-sandbox=false") == 0);
}

bool args_client_takes(const char *option)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < sizeof of_client / sizeof *of_client; i++)
        if (is_named(option, of_client[i]))
            return true;
    for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++)
        if (takes[i][CLIENT] && is_named(option, options[i].name))
            return may_be_said(option, options[i].name);
    return false;
}

void args_client_check(struct args *a, const struct scenario *s, const char *program)
{
    add_options(a, s, program, CLIENT);
    add(a, "--connect=%s", s->listen);
    add_client(a, s);
    add(a, "--check");
}

void args_footprint(struct args *a, const struct scenario *s, const char *program)
{
    bool tls13 = s->tls != TLS_1_2;
    uint64_t payload = s->payload < LIMIT_FOOTPRINT_PAYLOAD ? s->payload : LIMIT_FOOTPRINT_PAYLOAD;
    struct scenario of = *s;
    if (s->ciphers && !opts_ciphers_name(s->ciphers, tls13))
        of.ciphers = NULL; /* those of other versions change nothing */
    add_options(a, &of, program, FOOTPRINT);
    add(a, "--tls=%s", tls13 ? "1.3" : "1.2");
    add(a, "--key=%s", s->key == KEY_RSA2048 ? "rsa2048" : "p256");
    add(a, "--client-auth=%s", s->client_auth == CLIENT_AUTH_REQUIRE ? "require" : "none");
    add(a, "--payload=%" PRIu64 "B", payload);
    if (args_footprint_resumes(s))
        add(a, "--resume");
}

bool args_footprint_resumes(const struct scenario *s)
{
    bool can = s->session != SESSION_NONE && (s->tls == TLS_1_2 || s->tickets > 0);
    return can && s->resume >= 1;
}
