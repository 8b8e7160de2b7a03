/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_cases.h"

#include "base/check.h"
#include "base/rng.h"

void profile_case_add(struct profile *p, const struct profile_sample *sample)
{
    CHECK(profile_add(p, sample, NULL) == 0);
}

#define FRAME(name, path, number)                                                                  \
    {                                                                                              \
        .function = (name), .module = "soak-server", .offset = 0x1000 + (number), .file = (path),  \
        .line = (number)                                                                           \
    }
#define IN_LIBRARY(name, library, at)                                                              \
    {                                                                                              \
        .function = (name), .module = (library), .offset = (at)                                    \
    }

/* What every stack of the server ends in. */
#define SERVER_BELOW                                                                               \
    FRAME("on_readable", "server/conn.c", 171), IN_LIBRARY("uv__io_poll", "libuv.so.1", 0x1f2c4),  \
        IN_LIBRARY("uv_run", "libuv.so.1", 0x11d83), FRAME("worker_run", "server/worker.c", 64),   \
        FRAME("main", "server/main.c", 41)

static const struct symbol lost_state[] = {FRAME("defect_state_new", "server/defect.c", 41),
                                           FRAME("conn_on_accept", "server/conn.c", 88),
                                           SERVER_BELOW};
static const struct symbol lost_session[] = {IN_LIBRARY("SSL_SESSION_new", "libssl.so.3", 0x48f21),
                                             {.module = "libssl.so.3", .offset = 0x4a3bc},
                                             IN_LIBRARY("SSL_do_handshake", "libssl.so.3", 0x3c1a0),
                                             FRAME("conn_handshake", "server/conn.c", 132),
                                             SERVER_BELOW};
static const struct symbol lost_stack[] = {
    IN_LIBRARY("OPENSSL_sk_new_null", "libcrypto.so.3", 0x1a5c30),
    {.module = "libcrypto.so.3", .offset = 0x10ab3},
    FRAME("conn_handshake", "server/conn.c", 140),
    SERVER_BELOW};
static const struct symbol in_client[] = {IN_LIBRARY("SSL_new", "libssl.so.3", 0x3b800),
                                          {.offset = 0x7f12aa001234},
                                          FRAME("main", "client/main.c", 30)};

#define SAMPLE(subject_, behaviour_, epoch_, blocks_, bytes_, stack)                               \
    profile_case_add(p, &(struct profile_sample){.subject = (subject_),                            \
                                                 .behaviour = (behaviour_),                        \
                                                 .epoch = (epoch_),                                \
                                                 .blocks = (blocks_),                              \
                                                 .bytes = (bytes_),                                \
                                                 .frame = (stack),                                 \
                                                 .frames = sizeof(stack) / sizeof *(stack)})

static void fill_leak(struct profile *p)
{
    for (uint64_t epoch = 3; epoch < 7; epoch++) {
        SAMPLE("server", "clean", epoch, 10000, 320000, lost_state);
        SAMPLE("server", "reset", epoch, 5000, 160000, lost_state);
        SAMPLE("server", "reset", epoch, 400, 224000, lost_session);
    }
    SAMPLE("server", NULL, 5, 900, 21600, lost_stack);
    SAMPLE("client", "clean", 4, 20, 129280, in_client);
}

static void fill_nothing(struct profile *p)
{
    (void)p;
}

static const struct symbol hostile_names[] = {
    {.function = "std::map<int, char>::operator;& \"x\" 'y'", .module = "a<b>&.so"},
    {.function = "bad\001\n\033\303\050name]]>", .module = "]]>", .file = "<&>.c"},
    {.function = "", .module = ""}};

static void fill_hostile(struct profile *p)
{
    SAMPLE("ser;ver <1>", "a&b", UINT64_MAX, 3, 300, hostile_names);
    SAMPLE("server", "freed", 2, -3, -300, lost_state);
    SAMPLE("server", "none", 2, 0, 0, lost_state);
    profile_case_add(p, &(struct profile_sample){.subject = "bare", .blocks = 1, .bytes = 50});
}

/* Many stacks of very different weight and depth, as a foreign server would give. */
static void fill_many(struct profile *p)
{
    enum { STACKS = 400, NAMES = 90, DEPTH = 24 };
    static char name[NAMES][32];
    struct rng rng = {7};
    for (int i = 0; i < NAMES; i++)
        snprintf(name[i], sizeof name[i], "%s_%d_%s", i % 3 ? "net" : "broker", i,
                 i % 2 ? "on_message" : "dispatch");
    for (int i = 0; i < STACKS; i++) {
        struct symbol frame[DEPTH];
        size_t frames = 6 + (size_t)rng_below(&rng, DEPTH - 6);
        for (size_t at = 0; at < frames; at++) {
            uint64_t spread = 1 + (frames - at) / 2;
            int n = (int)((frames - at) * 3 + rng_below(&rng, spread < 4 ? spread : 4)) % NAMES;
            frame[at] = (struct symbol){.function = n % 11 ? name[n] : NULL,
                                        .module = n % 3 ? "libnet.so.2" : "broker",
                                        .offset = (uint64_t)n * 64};
        }
        int64_t blocks = 1 + (int64_t)rng_below(&rng, 1u << rng_below(&rng, 16));
        profile_case_add(p, &(struct profile_sample){.subject = "server",
                                                     .epoch = (uint64_t)i % 5,
                                                     .blocks = blocks,
                                                     .bytes = blocks * 48,
                                                     .frame = frame,
                                                     .frames = frames});
    }
}

const struct profile_case profile_cases[PROFILE_CASES] = {
    {"leak", fill_leak},
    {"nothing", fill_nothing},
    {"hostile", fill_hostile},
    {"many", fill_many},
};
