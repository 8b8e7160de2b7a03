/* SPDX-License-Identifier: Apache-2.0 */
#include "random_mix.h"

#include "base/check.h"
#include "base/rng.h"
#include "options/choices.h"
#include "options/opts.h"
#include "scenario/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    OPTIONS_MOST = 6,
    BEHAVIOURS_MOST = 4,
    WEIGHT_MOST = 4,
    NEEDS_LEFT_OUT_ONE_IN = 8,
    WAITING_BESIDE = 20,
    VALUE = 80
};

/* What is drawn of an option whose type alone would give nothing of sense; NULL: it isn't drawn. */
static const struct {
    const char *name, *values;
} special[] = {
    {"conns", "1|2|5|10|30|80"},
    {"payload", "1B|64B|1KiB|16KiB|64KiB"},
    {"sources", "0|1|3|250"},
    {"client-workers", "0|1|2|4"},
    {"client-procs", "1|2|3"},
    {"server-procs", "1|2|3"},
    {"workers", "1|2|4"},
    {"cache-size", "1|4|100|20480"},
    {"session-timeout", "0s|1s|2s|5m"},
    {"tickets", "0|1|2|16"},
    {"ticket-rotate", "10|300"},
    {"early-data", "0B|1KiB|16KiB"},
    {"record-padding", "0|512|16384"},
    {"groups", "X25519|P-256|P-384|X25519:P-256|X448:X25519"},
    {"ciphers", "TLS_AES_128_GCM_SHA256|TLS_CHACHA20_POLY1305_SHA256|"
                "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384|"
                "ECDHE-ECDSA-AES256-GCM-SHA384|ECDHE-RSA-CHACHA20-POLY1305"},
    {"alpn", "h2|http/1.1|h2,http/1.1"},
    {"sni", "localhost|other.localhost|example.org"},
    {"handshake-timeout", "5s|30s"},
    {"idle-timeout", "0s|1s|15s|60s"},
    {"ctx-reload", "50|300"},
    {"env", "TZ=UTC|LC_ALL=C|MALLOC_CONF=narenas:1|MALLOC_CONF=tcache:false|"
            "OPENSSL_ia32cap=:~0x200000|OPENSSL_CONF=/dev/null"},
    {"emfile", "20|300"},
    /* The run's length, its machine, and a server that isn't clean. */
    {"churn", NULL},
    {"closed", NULL},
    {"for", NULL},
    {"seed", NULL},
    {"openssl", NULL},
    {"libuv", NULL},
    {"jemalloc", NULL},
    {"libc", NULL},
    {"defect", NULL},
    {"watchdog", NULL},
    {"no-sandbox", NULL},
    {"listen", NULL},
    /* Other machines. */
    {"agents", NULL},
    {"agents-listen", NULL},
    {"agents-wait", NULL},
    {"token-file", NULL},
    /* A program that isn't soak's. */
    {"server", NULL},
    {"pid", NULL},
    {"client", NULL},
    {"loop", NULL},
    {"server-mix", NULL},
    {"cert-names", NULL},
    {"connect", NULL},
    {"program", NULL},
    {"template", NULL},
    {"ready-timeout", NULL},
    {"processes", NULL},
    {"malloc-hooks", NULL},
    {"on-checkpoint", NULL},
    {"reload", NULL},
    {"settle", NULL},
    {"stop", NULL},
    /* For servers that aren't soak-server. */
    {"say", NULL},
    {"answer", NULL},
    {"client-cert", NULL},
    {"expect-cache", NULL},
};

/* For options that a later version adds. */
static const char *const usual[] = {
    [OPT_FLAG] = "true",         [OPT_INT] = "0|1|2|16",       [OPT_COUNT] = "0|1|10|300",
    [OPT_SIZE] = "0B|64B|16KiB", [OPT_DURATION] = "0s|1s|30s", [OPT_PERCENT] = "0%|50%|100%",
    [OPT_WEIGHTS] = NULL};

/* Peers that say nothing more wait for the server's end: a long wait would be all of the run. */
static const char waiting_timeout[] = "2s", waiting_conns[] = "30";

struct draw {
    struct rng rng;
    char value[SCENARIO_OPTIONS][VALUE]; /* "" = not drawn */
    uint64_t weight[BEHAVIOUR_COUNT];
};

static const char *values_of(const struct opt *option)
{
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (strcmp(special[i].name, option->name) == 0)
            return special[i].values;
    }
    if (option->type == OPT_CHOICE)
        return option->choices;
    return option->type < sizeof usual / sizeof *usual ? usual[option->type] : NULL;
}

bool random_mix_draws(size_t option)
{
    static const char *const sections[] = {"load", "tls", "server"};
    size_t count;
    const struct opt *options = scenario_options(&count);
    for (size_t i = 0; i < sizeof sections / sizeof *sections && !scenario_is_weight(option); i++) {
        if (strcmp(scenario_section(option), sections[i]) == 0)
            return values_of(&options[option]) != NULL;
    }
    return false;
}

static void draw_value(struct draw *d, size_t option, const char *values)
{
    size_t length;
    int count = 0;
    while (choices_at(values, count, &length))
        count++;
    const char *value = choices_at(values, (int)rng_below(&d->rng, (uint64_t)count), &length);
    snprintf(d->value[option], VALUE, "%.*s", (int)length, value);
}

static void draw_option(struct draw *d)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    size_t at;
    do {
        at = rng_below(&d->rng, count);
    } while (!random_mix_draws(at));
    draw_value(d, at, values_of(&options[at]));
}

/* `*` is any value but nothing, for which the last stands. */
static void draw_need(struct draw *d, const char *name, const char *values)
{
    size_t count;
    const struct opt *options = scenario_options(&count), *option = opts_find(options, count, name);
    CHECK(option);
    size_t at = (size_t)(option - options);
    if (*values == '~' || *values == '!') /* mostly met when nothing is drawn */
        return;
    if (strcmp(values, "*") != 0) {
        draw_value(d, at, values);
        return;
    }
    const char *all = values_of(option), *last = strrchr(all, '|');
    draw_value(d, at, last ? last + 1 : all);
}

static void draw_needs(struct draw *d, const char *needs)
{
    struct opts_condition c;
    while (opts_condition_next(&needs, &c))
        draw_need(d, c.name, c.values);
}

/* A session is lost then, in libssl 3.0.17 to 3.0.20 (OpenSSL's pull request 30464): that is no
 * clean server: scenarios/versions has it. Nor what soak-server has no part in. */
bool random_mix_draws_behaviour(enum behaviour behaviour)
{
    return behaviour != BEHAVIOUR_RESUME_ABORTED && !behaviour_unfit(behaviour, false);
}

static bool waits(const struct behaviour_entry *b)
{
    return b->family == BEHAVIOUR_RESOURCE || strcmp(b->name, "slowloris") == 0 ||
           strcmp(b->name, "half-open") == 0;
}

static void set(struct draw *d, const char *name, const char *value)
{
    size_t count;
    const struct opt *options = scenario_options(&count);
    const struct opt *option = opts_find(options, count, name);
    CHECK(option);
    snprintf(d->value[option - options], VALUE, "%s", value);
}

static void draw_behaviour(struct draw *d)
{
    enum behaviour behaviour;
    do {
        behaviour = (enum behaviour)rng_below(&d->rng, BEHAVIOUR_COUNT);
    } while (!random_mix_draws_behaviour(behaviour));
    const struct behaviour_entry *b = behaviour_entry(behaviour);
    if (rng_below(&d->rng, NEEDS_LEFT_OUT_ONE_IN))
        draw_needs(d, b->needs);
    d->weight[behaviour] = waits(b) ? 1 : 1 + rng_below(&d->rng, WEIGHT_MOST);
    /* Before OpenSSL 3.5 it is skipped, and something must be left to do. */
    if (behaviour == BEHAVIOUR_GROUP_ML_KEM && !d->weight[BEHAVIOUR_CLEAN])
        d->weight[BEHAVIOUR_CLEAN] = 1;
    if (!waits(b))
        return;
    /* Few of them, in many slots, beside many that don't wait. */
    set(d, "handshake-timeout", waiting_timeout);
    set(d, "conns", waiting_conns);
    d->weight[BEHAVIOUR_CLEAN] = WAITING_BESIDE;
}

static void add_word(struct random_mix *m, size_t *used, const char *name, const char *value)
{
    CHECK(m->count < RANDOM_MIX_WORDS);
    int n = snprintf(m->text + *used, sizeof m->text - *used, "--%s=%s", name, value);
    CHECK(n > 0 && (size_t)n < sizeof m->text - *used);
    m->words[m->count++] = m->text + *used;
    *used += (size_t)n + 1;
}

static void add_mix(struct random_mix *m, size_t *used, const struct draw *d)
{
    char mix[RANDOM_MIX_TEXT / 2] = "";
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        size_t end = strlen(mix);
        if (d->weight[i])
            snprintf(mix + end, sizeof mix - end, "%s%s=%" PRIu64, end ? "," : "",
                     behaviour_entry((enum behaviour)i)->name, d->weight[i]);
    }
    if (mix[0])
        add_word(m, used, "mix", mix);
}

static void make_words(const struct draw *d, struct random_mix *ret)
{
    size_t count, used = 0;
    const struct opt *options = scenario_options(&count);
    *ret = (struct random_mix){.count = 0};
    for (size_t i = 0; i < count; i++) {
        if (d->value[i][0])
            add_word(ret, &used, options[i].name, d->value[i]);
    }
    add_mix(ret, &used, d);
}

void random_mix_draw(uint64_t seed, struct random_mix *ret)
{
    struct draw d = {.rng = {.state = seed}};
    for (uint64_t n = rng_below(&d.rng, OPTIONS_MOST + 1); n > 0; n--)
        draw_option(&d);
    for (uint64_t n = rng_below(&d.rng, BEHAVIOURS_MOST + 1); n > 0; n--)
        draw_behaviour(&d);
    make_words(&d, ret);
}
