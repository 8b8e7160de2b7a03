#include "scenario/scenario.h"

#include "base/check.h"

#include <stddef.h>

static const struct opt options[] = {
#define X(section, name, TYPE, field, metavar, choices, help)                                      \
    {name, OPT_##TYPE, offsetof(struct scenario, field), metavar, choices, help},
#include "scenario/options.def"
#undef X
};

static const char *const sections[] = {
#define X(section, name, TYPE, field, metavar, choices, help) section,
#include "scenario/options.def"
#undef X
};

const struct opt *scenario_options(size_t *ret_count)
{
    *ret_count = sizeof options / sizeof options[0];
    return options;
}

const char *scenario_section(size_t i)
{
    CHECK(i < sizeof sections / sizeof sections[0]);
    return sections[i];
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
        .clean = 50,
        .reset = 30,
        .half_close = 15,
        .mid_handshake = 5,
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
}
