/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/scenario.h"

#include "base/check.h"
#include "scenario/scenario_check.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct opt options[] = {
#define X(section, name, TYPE, field, metavar, choices, help)                                      \
    {name, OPT_##TYPE, offsetof(struct scenario, field), metavar, choices, help},
#include "options/options.def"
#undef X
#define X(identifier, name, family, share, ends, needs, help)                                      \
    {name,     OPT_COUNT, offsetof(struct scenario, weight[BEHAVIOUR_##identifier]),               \
     "WEIGHT", NULL,      help},
#include "options/behaviours.def"
#undef X
};

_Static_assert(sizeof options / sizeof options[0] == SCENARIO_OPTIONS, "none is left out");

static const char *const sections[] = {
#define X(section, name, TYPE, field, metavar, choices, help) section,
#include "options/options.def"
#undef X
};

const struct opt *scenario_options(size_t *ret_count)
{
    *ret_count = SCENARIO_OPTIONS;
    return options;
}

const char *scenario_section(size_t i)
{
    const size_t named = sizeof sections / sizeof sections[0];
    CHECK(i < SCENARIO_OPTIONS);
    return sections[i < named ? i : named - 1];
}

bool scenario_is_weight(size_t i)
{
    return i >= sizeof sections / sizeof sections[0];
}

/* The options are sorted by section. */
size_t scenario_sections(const char **names, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < SCENARIO_OPTIONS; i++) {
        if (count && strcmp(names[count - 1], scenario_section(i)) == 0)
            continue;
        CHECK(count < size);
        names[count++] = scenario_section(i);
    }
    return count;
}

char *scenario_value(const struct scenario *s, const char *name, char *buf, size_t size)
{
    size_t count;
    const struct opt *table = scenario_options(&count), *option = opts_find(table, count, name);
    CHECK(option);
    return opts_print(option, s, buf, size);
}

void scenario_defaults(struct scenario *s)
{
    *s = (struct scenario){
        .conns = 30,
        .churn = {.per_s = 1000},
        .payload = 32,
        .tls = TLS_1_3,
        .key = KEY_P256,
        .session = SESSION_TICKET,
        .cache_size = 20480,
        .client_auth = CLIENT_AUTH_NONE,
        .tickets = 2,
        .workers = 1,
        .malloc = SCENARIO_JEMALLOC ? MALLOC_JEMALLOC : MALLOC_LIBC,
        .handshake_timeout_ns = 30000000000u,
        .watchdog_ns = 60000000000u,
        .listen = "127.0.0.1:0",
        .fail_side = SIDE_BOTH,
        .limit_heap = 1,
        .limit_rss = 16,
        .probe = true,
    };
    for (int i = 0; i < BEHAVIOUR_COUNT; i++)
        s->weight[i] = behaviour_entry((enum behaviour)i)->weight;
}

int scenario_refuse(const struct scenario *s, const char *name, struct err *e, const char *format,
                    ...)
{
    char said[256], value[128];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    const struct opt *option = opts_find(options, SCENARIO_OPTIONS, name);
    CHECK(option);
    value[0] = '\0';
    if (option->type != OPT_FLAG && option->type != OPT_OFF)
        opts_print(option, s, value, sizeof value);
    return err_set(e, "--%s%s%s: %s", name, *value ? " " : "", value, said);
}
