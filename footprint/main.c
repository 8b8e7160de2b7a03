/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/process.h"
#include "base/version.h"
#include "figures.h"
#include "meter.h"
#include "options.h"
#include "pair.h"
#include "samples.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The measurement: connections to warm up, those that are measured, and a number of server ends
 * held open for the process's own size. What it finds is printed as lines
 * (docs/reference/protocol.md).
 */

/* Room for the meter's tables; the meter is started with it. */
enum { MEASURE_BLOCKS = 1 << 19, MEASURE_SITES = 2048 };

/* Caches fill and tables grow in the first connections. 500 ends make pages that are only half used
 * a small part of the whole. */
enum { WARM_UP = 20, HELD = 500 };
/* One connection in 8 is an ordinary one by default; with 16 tickets and two signatures one in 41.
 */
enum { TRIES_EACH = 1000 };

/* Whoever waits learns that it works: at the first connection, then once a second. */
static void say_working(FILE *out)
{
    enum { EACH_NS = 1000000000 };
    static uint64_t said_ns;
    uint64_t now_ns = clock_now_ns();
    if (said_ns && now_ns - said_ns < EACH_NS)
        return;
    said_ns = now_ns;
    fputs("working\n", out);
    fflush(out);
}

/* One whole connection. */
static int connect_once(struct pair *p, struct err *e)
{
    meter_begin();
    int rc = pair_open(p, e);
    if (rc == 0)
        rc = pair_talk(p, e);
    if (rc == 0)
        rc = pair_send_close_notify(p, e);
    pair_free(p);
    meter_finish();
    return rc == 0 ? meter_check(e) : rc;
}

/* Otherwise a full handshake would be reported as a resumption. */
static int check_resumed(const struct pair *p, struct err *e)
{
    if (p->resumed == p->resume)
        return 0;
    return err_set(e, "a connection meant to %s a session didn't", p->resume ? "resume" : "make");
}

static int warm_up(struct pair *p, FILE *out, struct err *e)
{
    for (int i = 0; i < WARM_UP; i++) {
        say_working(out);
        if (connect_once(p, e) < 0)
            return -1;
    }
    return 0;
}

static int measured(struct pair *p, const struct options *o, struct figures *f, FILE *out,
                    struct err *e)
{
    static struct sample_filter filter;
    sample_filter_watch(&filter, p->contexts->ctx[FOOTPRINT_SERVER]);
    if (warm_up(p, out, e) < 0)
        return -1;
    for (uint64_t taken = 0, tries = 0; taken < o->conns; tries++) {
        if (tries == o->conns * TRIES_EACH)
            return err_set(e, "no %" PRIu64 " of %" PRIu64 " connections were ordinary ones",
                           o->conns, tries);
        say_working(out);
        sample_filter_begin(&filter);
        if (connect_once(p, e) < 0 || check_resumed(p, e) < 0)
            return -1;
        if (!sample_filter_passes(&filter))
            continue;
        figures_take(f);
        taken++;
    }
    return 0;
}

/* ---- the witness ---- */

/* RssAnon of this process, or 0 when the kernel doesn't say. */
static uint64_t anonymous_bytes(void)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status) && sscanf(line, "RssAnon: %llu", &kib) != 1)
        continue;
    if (status)
        fclose(status);
    return kib * 1024;
}

static int hold_one(struct pair *p, const struct pair *model, struct err *e)
{
    p->contexts = model->contexts;
    p->payload = model->payload;
    p->resume = model->resume;
    meter_begin();
    int rc = pair_open(p, e);
    if (rc == 0)
        rc = pair_talk(p, e);
    pair_free_end(p, FOOTPRINT_CLIENT);
    return rc == 0 ? meter_check(e) : rc;
}

/* By how much this process grows for a server end that is open and idle. */
static int witness(const struct pair *model, FILE *out, struct err *e)
{
    static struct pair held[HELD];
    int rc = 0;
    memset(held, 0x5a, sizeof held); /* so that its own pages don't count */
    memset(held, 0, sizeof held);
    uint64_t before = anonymous_bytes();
    for (size_t i = 0; i < HELD && rc == 0; i++) {
        say_working(out);
        rc = hold_one(&held[i], model, e);
    }
    uint64_t after = anonymous_bytes();
    for (size_t i = 0; i < HELD; i++)
        pair_free(&held[i]);
    if (rc == 0 && before && after > before)
        fprintf(out, "rss conns=%d bytes_per_conn=%" PRIu64 "\n", HELD, (after - before) / HELD);
    return rc;
}

/* Of one connection more: asking for it may allocate, which isn't to be measured. */
static int ask_group(struct pair *p, char *group, size_t size, struct err *e)
{
    meter_begin();
    int rc = pair_open(p, e);
    if (rc == 0)
        rc = pair_talk(p, e);
    if (rc == 0)
        pair_group(p, group, size);
    pair_free(p);
    meter_finish();
    return rc;
}

/* `OpenSSL 3.0.19 27 Jan 2026` -> `3.0.19`, of the library that is loaded. */
static void print_head(const struct options *o, const char *group, FILE *out)
{
    const char *text = OpenSSL_version(OPENSSL_VERSION), *blank = strchr(text, ' ');
    const char *word = blank ? blank + 1 : text;
    fprintf(out, "measured conns=%" PRIu64 " tls=%s key=%s openssl=%.*s%s%s\n", o->conns,
            tls_version_name((enum tls_version)o->tls), key_kind_name((enum key_kind)o->key),
            (int)strcspn(word, " "), word, *group ? " group=" : "", group);
}

/* Returns 0 when all lines but the last, `done`, are printed; or -1. */
static int measure_run(const struct options *o, FILE *out, struct err *e)
{
    static struct contexts contexts;
    static struct pair pair;
    struct figures *f = NULL;
    char group[32] = "";
    int rc = figures_new(o->conns, MEASURE_SITES, &f, e);
    if (rc == 0)
        rc = contexts_open(&contexts, o, e);
    pair = (struct pair){.contexts = &contexts, .payload = o->payload, .resume = o->resume};
    if (rc == 0)
        rc = measured(&pair, o, f, out, e);
    if (rc == 0)
        rc = ask_group(&pair, group, sizeof group, e);
    if (rc == 0) {
        print_head(o, group, out);
        figures_print(f, out);
        rc = witness(&pair, out, e);
    }
    contexts_fini(&contexts);
    figures_free(f);
    return rc;
}

/* Whoever reads the lines has time to read /proc/PID/maps, for names, until it closes our stdin. By
 * hand nobody does. */
static void wait_for_reader(void)
{
    char bytes[64];
    if (isatty(STDIN_FILENO))
        return;
    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        continue;
}

static int fail(const struct err *e)
{
    printf("fatal text=%.400s\n", e->text);
    fprintf(stderr, "soak-footprint: %s\n", e->text);
    return EXIT_FAILURE;
}

static int run(const struct options *o, struct err *e)
{
    const struct meter_limits limits = {.blocks = MEASURE_BLOCKS, .sites = MEASURE_SITES};
    if (meter_start(&limits, e) < 0)
        return -1;
    return measure_run(o, stdout, e);
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    process_begin(argv);
    if (options_parse(argc, argv, &o, &e) < 0) {
        fprintf(stderr, "soak-footprint: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (o.version) {
        printf("soak-footprint %s, %s\n", soak_version, OpenSSL_version(OPENSSL_VERSION));
        return EXIT_SUCCESS;
    }
    process_follow_socket(STDIN_FILENO); /* by hand it is none */
    if (run(&o, &e) < 0)
        return fail(&e);
    puts("done");
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    wait_for_reader();
    return EXIT_SUCCESS;
}
