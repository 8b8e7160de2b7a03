/* SPDX-License-Identifier: Apache-2.0 */
#include "report_cases.h"

#include "report/footprint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)

static void fill_run(struct result *r)
{
    r->scenario = "default";
    r->version = "0.1.0";
    r->time = "2026-11-22T02:30:00Z";
    r->host = "bookworm";
    r->kernel = "Linux 6.1.0-21-amd64 x86_64";
    r->run_dir = "results/runs/20261122-023000-default";
    r->last_dir = "results/runs/last";
    r->libs = 3;
    r->lib[0] = (struct result_lib){"openssl", "3.0.19"};
    r->lib[1] = (struct result_lib){"libuv", "1.44.2"};
    r->lib[2] = (struct result_lib){"jemalloc", "5.3.0"};
    r->run.conns = 30;
    r->run.closed = 61000;
    r->run.measured = 60000;
    r->run.seconds = 63.2;
    r->run.rate_per_s = 998.1;
    r->run.asked_per_s = 1000;
    r->run.p50_ns = 9800000;
    r->run.p90_ns = 15000000;
    r->run.p99_ns = 21000000;
    r->run.max_ns = 55000000;
    r->run.seed = 0x7f3a;
    r->run.tls = "1.3";
    r->run.key = "p256";
    r->run.epochs = 7;
}

static void add_metric(struct result_subject *s, struct judge_metric m)
{
    s->judgement.metric[s->judgement.metrics++] = m;
}

static void fill_metrics(struct result_subject *s)
{
    const struct judge_metric level[] = {
        {.id = "openssl_blocks", .unit = "blocks", .role = "exact", .start = 4812, .end = 4812},
        {.id = "openssl_bytes",
         .unit = "bytes",
         .role = "exact",
         .start = 1.5 * MIB,
         .end = 1.5 * MIB},
        {.id = "open_files", .unit = "files", .role = "exact", .start = 71, .end = 71},
        {.id = "heap_allocated",
         .unit = "bytes",
         .role = "heap",
         .start = 6.11 * MIB,
         .end = 6.11 * MIB,
         .limit = 1,
         .decides = 4.4,
         .half_width = 0.02},
        {.id = "rss",
         .unit = "bytes",
         .role = "witness",
         .start = 18.41 * MIB,
         .end = 18.46 * MIB,
         .per_conn = 0.09,
         .half_width = 0.3,
         .limit = 16,
         .decides = NAN},
    };
    for (size_t i = 0; i < sizeof level / sizeof *level; i++)
        add_metric(s, level[i]);
}

static void fill_selfcheck(struct canary *check)
{
    *check = (struct canary){
        .state = CANARY_OK, .reached = true, .found = true, .epoch = 3, .bytes = 417};
    for (size_t i = 0; i < CANARY_CONTROLS; i++)
        check->seen[i] = check->quiet[i] = true;
    snprintf(check->sentence, sizeof check->sentence,
             "found the block lost on purpose; no alarm at 3 harmless ones");
}

static const struct result_behaviour behaviours[] = {
    {.name = "clean", .one_in = 4312, .share.connections = 30010},
    {.name = "reset", .one_in = 2633, .share.connections = 17990},
    {.name = "half-close", .one_in = 1304, .share.connections = 8995},
    {.name = "mid-handshake", .one_in = 431, .share.connections = 3005},
};

/* What was solved of a run: `blocks` of `size` bytes for each behaviour, `error` of them. */
static const struct result_attribution *solved(struct result_attribution *w,
                                               enum behaviours_outcome outcome,
                                               const double *blocks, double size,
                                               const double *error)
{
    *w =
        (struct result_attribution){.outcome = outcome, .behaviours = 4, .chance = 1, .freedom = 7};
    w->exact = !error && (outcome == BEHAVIOURS_APART || outcome == BEHAVIOURS_ALIKE);
    for (size_t b = 0; b < 4; b++) {
        struct behaviours_share *one = &w->behaviour[b].share;
        w->behaviour[b] = behaviours[b];
        if (!blocks)
            continue;
        one->blocks = blocks[b];
        one->bytes = blocks[b] * size;
        one->blocks_error = error ? error[b] : 0;
        one->bytes_error = one->blocks_error * size;
        one->verdict = blocks[b] > 3 * one->blocks_error ? BEHAVIOUR_GUILTY : BEHAVIOUR_INNOCENT;
    }
    return w;
}

static void fill_subject(struct result_subject *s, const char *name)
{
    static const struct result_census census[] = {
        {"SSL_CTX", 1, 1}, {"SSL", 30, 30}, {"X509", 3, 3}};
    s->name = name;
    s->judgement.class_ = SIZE_MAX;
    s->judgement.sensitivity = (struct judge_sensitivity){
        .one_in = 8712.4, .closed = 60000, .epochs = 6, .heap_bytes = 0.4, .page_bytes = 17.5};
    s->allocs_per_conn = 1512.2;
    s->cpu_us_per_conn = 341.4;
    s->census = census;
    s->census_count = sizeof census / sizeof *census;
    fill_selfcheck(&s->canary);
    fill_metrics(s);
}

static void fill_pass(struct result *r)
{
    static const struct result_site noted = {.file = "ssl/ssl_sess.c",
                                             .line = 71,
                                             .blocks = 1000,
                                             .bytes = 720000,
                                             .per_conn_blocks = 0.0167,
                                             .per_conn_bytes = 12,
                                             .kind = KIND_CACHE_FILLING,
                                             .verdict = VERDICT_PASS,
                                             .why = "1,000 sessions more in a cache of 20,480"};
    fill_run(r);
    r->subjects = 2;
    fill_subject(&r->subject[0], "server");
    fill_subject(&r->subject[1], "client");
    static struct result_attribution attribution;
    r->subject[0].attribution = solved(&attribution, BEHAVIOURS_NONE, NULL, 0, NULL);
    r->subject[0].site = &noted;
    r->subject[0].sites = 1;
    struct judgement *j = &r->subject[0].judgement;
    j->reasons = 1;
    snprintf(j->reason[0], sizeof j->reason[0], "nothing grows over 60000 connections");
}

static void convict(struct result *r, int subject, enum kind kind, double blocks, double bytes)
{
    struct judgement *j = &r->subject[subject].judgement;
    r->verdict = j->verdict = VERDICT_LEAK;
    j->held = j->proportional = kind != KIND_TIME;
    r->exit_code = 1;
    j->kind = kind;
    j->per_conn_blocks = blocks;
    j->per_conn_bytes = bytes;
    j->metric[0].end = 4812 + blocks * 60000;
    j->metric[0].per_conn = blocks;
    j->metric[0].state = METRIC_GROWS;
    j->metric[1].end = 1.5 * MIB + bytes * 60000;
    j->metric[1].per_conn = bytes;
    j->metric[1].state = METRIC_GROWS;
    r->next[0] = "./soak --seed 7f3a";
    r->next_note[0] = "shows within 61,000";
}

/* Two ways to the same site; the first is what a reader wants, the second has only addresses. */
static void fill_stacks(struct result_capture *c)
{
    static const struct symbol named[] = {
        {.function = "defect_state_new",
         .module = "soak-server",
         .offset = 0x1234,
         .file = "server/defect.c",
         .line = 41},
        {.function = "conn_on_accept",
         .module = "soak-server",
         .offset = 0x2345,
         .file = "server/conn.c",
         .line = 88},
        {.module = "libuv.so.1.0.0", .offset = 0x16a84, .package = "libuv1-dbgsym"},
        {.function = "uv_run", .module = "libuv.so.1.0.0", .offset = 0x1012f}};
    static const struct symbol bare[] = {{.module = "libcrypto.so.3", .offset = 0x22f925},
                                         {.offset = 0x7f12aa001234}};
    static const struct result_stack stack[] = {
        {.file = "server/defect.c",
         .line = 41,
         .blocks = 44990,
         .bytes = 1439680,
         .epoch = 6,
         .frames = 4,
         .frame = named},
        {.blocks = 9, .bytes = 288, .epoch = 7, .frames = 2, .frame = bare}};
    static const struct result_capture_site site = {
        .file = "server/defect.c", .line = 41, .epochs = 3, .blocks = 45000, .bytes = 1440000};
    *c = (struct result_capture){.taken = 45030,
                                 .lost = 1,
                                 .sites = 1,
                                 .site = &site,
                                 .stacks = 2,
                                 .stack = stack,
                                 .stacks_dropped = 3,
                                 .cpu_us_per_conn = 349,
                                 .heap_connections = 158};
}

static void fill_lost_state(struct result *r)
{
    static const struct result_site site = {
        .file = "server/defect.c",
        .line = 41,
        .blocks = 60000,
        .bytes = 1920000,
        .per_conn_blocks = 1,
        .per_conn_bytes = 32,
        .kind = KIND_SIDE,
        .verdict = VERDICT_LEAK,
        .why = "SSL objects are freed (30 live), this block is not"};
    fill_pass(r);
    convict(r, 0, KIND_SIDE, 1, 32);
    static struct result_attribution attribution;
    r->subject[0].attribution =
        solved(&attribution, BEHAVIOURS_ALIKE, (const double[]){1, 1, 1, 1}, 32, NULL);
    r->subject[0].site = &site;
    fill_stacks(&r->subject[0].capture);
}

/* Operations on held connections: every figure is per operation. */
static void fill_held(struct result *r)
{
    static const struct result_site site = {
        .file = "server/defect_stores.c",
        .line = 31,
        .blocks = 60000,
        .bytes = 2400000,
        .per_conn_blocks = 1,
        .per_conn_bytes = 40,
        .kind = KIND_HELD,
        .verdict = VERDICT_LEAK,
        .why = "60000 blocks stayed while the connections were held, over 60000 operations; "
               "closing them left 0"};
    static struct result_attribution attribution = {
        .outcome = BEHAVIOURS_SINGLE,
        .behaviours = 1,
        .behaviour = {{.name = "key-update", .share.connections = 60000}}};
    fill_pass(r);
    convict(r, 0, KIND_HELD, 1, 40);
    r->run.unit = UNIT_OPERATION;
    for (size_t i = 0; i < r->subjects; i++)
        r->subject[i].judgement.unit = UNIT_OPERATION;
    r->subject[0].attribution = &attribution;
    r->subject[0].site = &site;
    r->subject[0].sites = 1;
}

static void fill_held_pass(struct result *r)
{
    fill_pass(r);
    r->run.unit = UNIT_OPERATION;
    for (size_t i = 0; i < r->subjects; i++)
        r->subject[i].judgement.unit = UNIT_OPERATION;
}

static void fill_reset_path(struct result *r)
{
    static const struct result_site site = {
        .file = "server/defect.c",
        .line = 147,
        .blocks = 17990,
        .bytes = 1151360,
        .per_conn_blocks = 0.2998,
        .per_conn_bytes = 19.19,
        .kind = KIND_SIDE,
        .verdict = VERDICT_LEAK,
        .why = "SSL objects are freed (30 live), this block is not"};
    static struct result_attribution attribution;
    fill_pass(r);
    convict(r, 0, KIND_SIDE, 0.2998, 19.19);
    r->subject[0].attribution =
        solved(&attribution, BEHAVIOURS_APART, (const double[]){0, 1, 0, 0}, 64, NULL);
    attribution.tried = attribution.confirmed = true;
    attribution.alone = (struct behaviours_confirm){250, 250, 250, 16000, {250, 16000, 0}, true};
    attribution.without = (struct behaviours_confirm){250, 0, 0, 0, {0, 0, 0}, true};
    r->subject[0].site = &site;
}

static void fill_error_path(struct result *r)
{
    static struct result_attribution attribution;
    fill_reset_path(r);
    r->subject[0].attribution =
        solved(&attribution, BEHAVIOURS_APART, (const double[]){0, 0, 0, 1}, 48, NULL);
    attribution.tried = true;
    attribution.alone = (struct behaviours_confirm){250, 220, 221, 10608, {220, 10560, 0}, false};
    attribution.without = (struct behaviours_confirm){250, 0, 0, 0, {0, 0, 0}, true};
}

static void fill_seldom(struct result *r)
{
    static struct result_attribution attribution;
    fill_reset_path(r);
    r->subject[0].attribution =
        solved(&attribution, BEHAVIOURS_APART, (const double[]){0.00004, 0.0103, 0.0002, -0.0003},
               64, (const double[]){0.0004, 0.0008, 0.0007, 0.0009});
    attribution.behaviour[3].share.verdict = BEHAVIOUR_UNSURE;
    attribution.residual_blocks = 6.4;
    attribution.tried = attribution.too_rare = true;
    attribution.alone = (struct behaviours_confirm){400, 400, 3, 192, {4.12, 263.7, 0}, true};
    attribution.without = (struct behaviours_confirm){400, 0, 0, 0, {0.02, 1.28, 0}, true};
}

static void fill_together(struct result *r)
{
    static struct result_attribution attribution;
    fill_reset_path(r);
    r->subject[0].attribution = solved(&attribution, BEHAVIOURS_TOGETHER, NULL, 0, NULL);
    attribution.residual_blocks = 141.3;
    attribution.residual_bytes = 9043.2;
    attribution.chance = 1e-12;
}

static void fill_rare(struct result *r)
{
    static const struct result_site site = {
        .file = "server/defect.c",
        .line = 41,
        .blocks = 60,
        .bytes = 1920,
        .per_conn_blocks = 0.001,
        .per_conn_bytes = 0.032,
        .kind = KIND_SIDE,
        .verdict = VERDICT_LEAK,
        .why = "SSL objects are freed (30 live), this block is not"};
    fill_pass(r);
    convict(r, 0, KIND_SIDE, 0.001, 0.032);
    static struct result_attribution attribution;
    r->subject[0].attribution = solved(&attribution, BEHAVIOURS_UNTOLD, NULL, 0, NULL);
    r->subject[0].site = &site;
}

static void fill_retained(struct result *r)
{
    static const struct result_census census[] = {
        {"SSL_CTX", 1, 1}, {"SSL", 30, 60030}, {"X509", 3, 3}};
    static struct result_site site[7];
    for (int i = 0; i < 7; i++)
        site[i] = (struct result_site){.file = "../ssl/ssl_lib.c",
                                       .line = 700u + (uint32_t)i,
                                       .blocks = 60000 * (i + 1),
                                       .bytes = 60000 * 1000,
                                       .per_conn_blocks = i + 1,
                                       .per_conn_bytes = 7000.5,
                                       .kind = KIND_OBJECT,
                                       .verdict = VERDICT_LEAK,
                                       .why = "SSL objects stay: 30 open, 60,030 alive"};
    fill_pass(r);
    convict(r, 0, KIND_OBJECT, 28, 49003.5);
    r->subject[0].class_name = "SSL";
    r->subject[0].census = census;
    r->subject[0].site = site;
    r->subject[0].sites = 7;
    r->subject[0].judgement.findings = 7;
    r->subject[0].judgement.findings_total = 9;
}

static void fill_client_leak(struct result *r)
{
    static const struct result_site site = {.kind = KIND_OUTSIDE,
                                            .verdict = VERDICT_LEAK,
                                            .bytes = 3840000,
                                            .per_conn_bytes = 64,
                                            .why = "jemalloc's 64-byte class grows by 1.00 per "
                                                   "connection, OpenSSL's blocks don't"};
    fill_pass(r);
    convict(r, 1, KIND_OUTSIDE, 0, 64);
    snprintf(r->subject[1].why, sizeof r->subject[1].why, "in the client, not the server: %s",
             site.why);
    r->subject[0].sites = 0;
    r->subject[1].site = &site;
    r->subject[1].sites = 1;
}

static void fill_inconclusive(struct result *r)
{
    fill_pass(r);
    struct judgement *j = &r->subject[0].judgement;
    r->verdict = j->verdict = VERDICT_INCONCLUSIVE;
    r->exit_code = 3;
    r->run.closed = 32008;
    r->run.measured = 31968;
    r->run.seconds = 120;
    r->run.rate_per_s = 269.3;
    r->run.want_one_in = 2000;
    r->subject[0].sites = 0;
    j->sensitivity = (struct judge_sensitivity){.one_in = 1988.4, .closed = 31968, .epochs = 7};
    j->reasons = 1;
    snprintf(j->reason[0], sizeof j->reason[0],
             "one lost block in 1988 connections would have shown; asked: 1 in 2000");
    j->metric[4].half_width = INFINITY;
    j->metric[4].state = METRIC_NOT_JUDGED;
    j->metric[4].note = "too few points";
    r->ended = "--for 2m";
    r->skipped[0] = (struct result_skipped){
        "group-hybrid", "OpenSSL 3.0.22 knows no X25519MLKEM768; it came with 3.5"};
    r->skipped_count = 1;
    r->missing = "about 160 more connections, 0.6s at the 269/s of this run";
    r->next[0] = "./soak --until-sure --sensitivity 1/2000";
    r->next_note[0] = "about 2m00s";
    r->next[1] = "./soak --until-sure --sensitivity 1/1900";
    r->next_note[1] = "about 1m54s";
}

/* One site grows and can't be told from a cache yet. */
static void fill_doubt(struct result *r)
{
    static const struct result_site site = {
        .file = "ssl/ssl_sess.c",
        .line = 110,
        .blocks = 1500,
        .bytes = 125700,
        .per_conn_blocks = 0.1,
        .per_conn_bytes = 8.38,
        .kind = KIND_CACHE_FILLING,
        .verdict = VERDICT_INCONCLUSIVE,
        .why = "1,500 sessions in a cache of 20,480: it isn't full yet"};
    fill_inconclusive(r);
    struct judgement *j = &r->subject[0].judgement;
    j->reasons = 1;
    snprintf(j->reason[0], sizeof j->reason[0], "ssl/ssl_sess.c:110: %s", site.why);
    j->metric[0].end += 1500;
    j->metric[0].per_conn = 0.1;
    j->metric[0].state = METRIC_UNSURE;
    r->subject[0].site = &site;
    r->subject[0].sites = 1;
    r->ended = NULL;
    r->next[0] = "./soak --closed 128032";
    r->next[1] = NULL;
}

/* The load was far below what was asked. */
static void fill_slow(struct result *r)
{
    fill_pass(r);
    r->run.measured = 17200;
    r->run.rate_per_s = 294.2;
    r->run.shortfall = 0.7058;
    r->next[0] = "./soak --until-sure --sensitivity 1/100000";
    r->next_note[0] = "about 1h44m";
}

/* A descriptor stays, and libuv's table of watchers grows with the descriptors. */
static void fill_fd(struct result *r)
{
    static const struct result_site sites[] = {
        {.blocks = 3795,
         .per_conn_blocks = 1,
         .kind = KIND_DESCRIPTORS,
         .verdict = VERDICT_LEAK,
         .why = "open_files: 3795 more, in 9 intervals, 1750 and 2045 in the halves of the run"},
        {.file = "libuv",
         .bytes = 32768,
         .per_conn_bytes = 8.63,
         .kind = KIND_TABLE,
         .verdict = VERDICT_LEAK,
         .why = "its blocks were made larger by 32768 bytes in 5 steps, none was added"}};
    fill_pass(r);
    convict(r, 0, KIND_DESCRIPTORS, 1, 8.63);
    struct judgement *j = &r->subject[0].judgement;
    for (int i = 0; i < 2; i++)
        j->metric[i] = r->subject[1].judgement.metric[i];
    j->metric[2].end = 71 + 3795;
    j->metric[2].per_conn = 1;
    j->metric[2].state = METRIC_GROWS;
    r->subject[0].site = sites;
    r->subject[0].sites = 2;
}

/* Convicted, and the server crashed when it was told to quit. */
static void fill_crashed(struct result *r)
{
    fill_lost_state(r);
    r->broken = "server exited with signal 11 (SIGSEGV) after 60,030 connections; its log: "
                "results/runs/20261122-023000-default/server.log";
}

/* Ended by its memory limit while it grew, before the second epoch could be judged. */
static void fill_broken_grown(struct result *r)
{
    fill_pass(r);
    r->verdict = VERDICT_INVALID;
    r->exit_code = 4;
    r->broken = "server was ended by its memory limit after 1,214 connections; its log: "
                "results/runs/20261122-023000-default/server.log";
    r->run.closed = 1214;
    r->subject[0].sites = 0;
    for (int i = 0; i < 2; i++) {
        r->subject[i].judgement.verdict = VERDICT_INVALID;
        judgement_distrust(&r->subject[i].judgement, "the run broke");
    }
    r->subject[0].judgement.metric[0].end = 23422;
    r->subject[0].judgement.metric[1].end = 4.21 * MIB;
    r->next[0] = "less results/runs/20261122-023000-default/server.log";
}

/* The server ran on a library that was fetched for it. */
static void fill_assembled(struct result *r)
{
    fill_pass(r);
    r->mapped[0] = (struct result_mapped){"openssl", "/home/u/.cache/soak/libs/x/libssl.so.3",
                                          "3.0.22-1~deb12u2", "debian:bookworm-security"};
    r->mapped[1] = (struct result_mapped){"openssl", "/home/u/.cache/soak/libs/x/libcrypto.so.3",
                                          "3.0.22-1~deb12u2", "debian:bookworm-security"};
    r->mapped[2] = (struct result_mapped){"libuv", "/usr/lib/libuv.so.1.0.0", "1.44.2", NULL};
    r->mapped[3] = (struct result_mapped){"libc", "/home/u/.cache/soak/libs/y/libc.so.6",
                                          "2.41-12+deb13u5", "debian:trixie"};
    r->mapped_count = 4;
    r->subject[0].rest = (struct result_rest){.known = true,
                                              .anon_bytes = 5763072,
                                              .ledger_bytes = 370143,
                                              .heap = true,
                                              .heap_allocated_bytes = 884656,
                                              .heap_active_bytes = 1183744};
}

static void fill_invalid(struct result *r)
{
    fill_pass(r);
    struct judgement *j = &r->subject[0].judgement;
    r->verdict = j->verdict = VERDICT_INVALID;
    r->exit_code = 4;
    r->subject[0].sites = 0;
    r->run.errors = (struct result_errors){.total = 2012, .handshake = 2000, .timeout = 12};
    r->first_failure =
        (struct result_failure){"handshake", "reset", "a handshake failed: internal error"};
    r->run.foreign = 137;
    j->reasons = 1;
    snprintf(j->reason[0], sizeof j->reason[0],
             "2,012 connections failed: a server that refuses looks clean to any memory meter");
    judgement_distrust(j, "not to be trusted");
}

/* A leak by a meter that can't find its own block is no leak that can be told. */
static void fill_self_check(struct result *r)
{
    fill_lost_state(r);
    struct result_subject *server = &r->subject[0];
    r->verdict = server->judgement.verdict = VERDICT_INVALID;
    r->exit_code = 4;
    r->next[0] = NULL;
    server->canary.state = CANARY_FAILED;
    server->canary.found = false;
    snprintf(server->canary.sentence, sizeof server->canary.sentence,
             "1 block of 417 bytes was planted in epoch 3; the ledger has 0 of 0 bytes in all");
    server->judgement.reasons = 1;
    snprintf(
        server->judgement.reason[0], sizeof server->judgement.reason[0],
        "meter check: 1 block of 417 bytes was planted in epoch 3; the ledger has 0 of 0 bytes "
        "in all");
}

static void fill_broken(struct result *r)
{
    fill_run(r);
    r->verdict = VERDICT_INVALID;
    r->exit_code = 4;
    r->broken = "server exited with signal 11 (SIGSEGV) after 12,407 connections; its log: "
                "results/runs/20261122-023000-default/server.log";
    r->run.closed = 12407;
    r->subjects = 2;
    r->subject[0].name = "server";
    r->subject[1].name = "client";
    for (int i = 0; i < 2; i++)
        r->subject[i].judgement.verdict = VERDICT_INVALID;
    r->subject[0].allocs_per_conn = NAN;
    r->next[0] = "less results/runs/20261122-023000-default/server.log";
}

static void fill_interrupted(struct result *r)
{
    fill_pass(r);
    r->interrupted = true;
    r->exit_code = 130;
    r->run.measured = 12407;
    r->run.seconds = 13;
    r->subject[0].sites = 0;
    r->run.asked_per_s = 0;
}

/* On libc's malloc there are no figures of the heap. */
static void fill_libc(struct result *r)
{
    fill_pass(r);
    r->lib[2] = (struct result_lib){"malloc", "glibc-2.36"};
    for (size_t i = 0; i < r->subjects; i++) {
        struct judgement *j = &r->subject[i].judgement;
        size_t kept = 0;
        for (size_t k = 0; k < j->metrics; k++) {
            if (strncmp(j->metric[k].id, "heap_", 5) != 0)
                j->metric[kept++] = j->metric[k];
        }
        j->metrics = kept;
        j->sensitivity.heap_bytes = j->sensitivity.page_bytes = 0;
    }
}

static void fill_all_blocks(struct result *r)
{
    fill_pass(r);
    r->subject[0].counts_all = true;
}

static struct footprint_site footprint_sites[] = {
    {.file = (char[]){"crypto/evp/digest.c"}, .line = 132, .allocs = 98, .bytes = 7056},
    {.file = (char[]){"crypto/stack/stack.c"},
     .line = 69,
     .function = (char[]){"OPENSSL_sk_dup"},
     .allocs = 7,
     .bytes = 640,
     .held_bytes = 488},
};

static void fill_footprint(struct result *r)
{
    static struct footprint f;
    fill_pass(r);
    f = (struct footprint){.connections = 101,
                           .openssl = "3.0.19",
                           .tls = "1.3",
                           .key = "p256",
                           .rss_bytes_per_conn = 23855,
                           .left_out = "alpn, sni"};
    f.end[FOOTPRINT_SERVER] = (struct footprint_side){.allocs = 750,
                                                      .alloc_bytes = 162889,
                                                      .peak_bytes = 80224,
                                                      .exact = true,
                                                      .sites = 2,
                                                      .site = footprint_sites};
    f.end[FOOTPRINT_CLIENT] =
        (struct footprint_side){.allocs = 2256, .reallocs = 12, .peak_bytes = 97672};
    f.end[FOOTPRINT_SERVER].held[FOOTPRINT_IDLE] = (struct footprint_held){746, 36, 46784};
    f.end[FOOTPRINT_CLIENT].held[FOOTPRINT_IDLE] = (struct footprint_held){2252, 124, 50550};
    r->footprint = &f;
}

const struct report_case report_cases[REPORT_CASES] = {
    {"pass", fill_pass},
    {"libc", fill_libc},
    {"all-blocks", fill_all_blocks},
    {"lost-state", fill_lost_state},
    {"held", fill_held},
    {"held-pass", fill_held_pass},
    {"reset-path", fill_reset_path},
    {"error-path", fill_error_path},
    {"seldom", fill_seldom},
    {"together", fill_together},
    {"rare", fill_rare},
    {"retained", fill_retained},
    {"client-leak", fill_client_leak},
    {"inconclusive", fill_inconclusive},
    {"doubt", fill_doubt},
    {"slow", fill_slow},
    {"fd", fill_fd},
    {"crashed", fill_crashed},
    {"broken-grown", fill_broken_grown},
    {"assembled", fill_assembled},
    {"invalid", fill_invalid},
    {"self-check", fill_self_check},
    {"broken", fill_broken},
    {"interrupted", fill_interrupted},
    {"footprint", fill_footprint},
};

const struct report_case *report_case_find(const char *name)
{
    for (size_t i = 0; i < REPORT_CASES; i++)
        if (strcmp(report_cases[i].name, name) == 0)
            return &report_cases[i];
    return NULL;
}
