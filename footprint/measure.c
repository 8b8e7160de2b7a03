#include "measure.h"

#include "meter.h"
#include "ordinary.h"
#include "pair.h"
#include "samples.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* Caches fill and tables grow in the first connections. 500 ends make pages that are only half used
 * a small part of the whole. */
enum { WARM_UP = 20, HELD = 500, FILE_NAME_BYTES = 500 };
/* One connection in 8 is an ordinary one by default; with 16 tickets and two signatures one in 41.
 */
enum { TRIES_EACH = 1000 };

/* The rows of a figure's samples: those of an end, then those of each site at each end. */
enum end_row {
    ROW_ALLOCS,
    ROW_REALLOCS,
    ROW_BYTES,
    ROW_PEAK,
    ROW_KEPT_BLOCKS,
    ROW_KEPT_BYTES,
    ROW_HELD, /* three for each stage */
    END_ROWS = ROW_HELD + 3 * FOOTPRINT_STAGE_COUNT
};
enum site_row { SITE_ALLOCS, SITE_REALLOCS, SITE_BYTES, SITE_IDLE, SITE_ROWS };

static size_t end_row(int end, int row)
{
    return (size_t)(end * END_ROWS + row);
}

static size_t site_row(size_t site, int end, int row)
{
    return (size_t)(FOOTPRINT_END_COUNT * END_ROWS) +
           (site * FOOTPRINT_END_COUNT + (size_t)end) * SITE_ROWS + (size_t)row;
}

/* ---- taking ---- */

static void put_end(struct samples *s, size_t column, int end)
{
    const struct meter_end *m = meter_end_of((enum footprint_end)end);
    samples_put(s, end_row(end, ROW_ALLOCS), column, m->calls.allocs);
    samples_put(s, end_row(end, ROW_REALLOCS), column, m->calls.reallocs);
    samples_put(s, end_row(end, ROW_BYTES), column, m->calls.bytes);
    samples_put(s, end_row(end, ROW_PEAK), column, m->peak_bytes);
    samples_put(s, end_row(end, ROW_KEPT_BLOCKS), column, m->kept_blocks);
    samples_put(s, end_row(end, ROW_KEPT_BYTES), column, m->kept_bytes);
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        const struct meter_held *held = &m->held[stage];
        int row = ROW_HELD + 3 * stage;
        samples_put(s, end_row(end, row), column, held->allocs);
        samples_put(s, end_row(end, row + 1), column, held->blocks);
        samples_put(s, end_row(end, row + 2), column, held->bytes);
    }
}

static void put_site(struct samples *s, size_t column, size_t site, int end)
{
    const struct meter_site_end *m = &meter_site_at(site)->end[end];
    samples_put(s, site_row(site, end, SITE_ALLOCS), column, m->calls.allocs);
    samples_put(s, site_row(site, end, SITE_REALLOCS), column, m->calls.reallocs);
    samples_put(s, site_row(site, end, SITE_BYTES), column, m->calls.bytes);
    samples_put(s, site_row(site, end, SITE_IDLE), column, m->idle_bytes);
}

static void put(struct samples *s, size_t column)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        put_end(s, column, end);
        for (size_t site = 0; site < meter_site_count(); site++)
            put_site(s, column, site, end);
    }
}

/* One whole connection. */
static int connect_once(struct pair *p, struct err *e)
{
    meter_begin();
    int rc = pair_open(p, e);
    if (rc == 0)
        rc = pair_talk(p, e);
    if (rc == 0)
        rc = pair_say_goodbye(p, e);
    pair_free(p);
    meter_finish();
    return rc == 0 ? meter_check(e) : rc;
}

/* A connection that was to resume and didn't would be measured for what it isn't. */
static int check_resumed(const struct pair *p, struct err *e)
{
    if (p->resumed == p->resume)
        return 0;
    return err_set(e, "a connection that was to %s a session didn't",
                   p->resume ? "resume" : "make");
}

static int warm_up(struct pair *p, struct err *e)
{
    for (int i = 0; i < WARM_UP; i++) {
        if (connect_once(p, e) < 0)
            return -1;
    }
    return 0;
}

static int measured(struct pair *p, const struct options *o, struct samples *s, struct err *e)
{
    static struct ordinary ordinary;
    ordinary_watch(&ordinary, p->contexts->ctx[FOOTPRINT_SERVER]);
    if (warm_up(p, e) < 0)
        return -1;
    for (uint64_t taken = 0, tries = 0; taken < o->conns; tries++) {
        if (tries == o->conns * TRIES_EACH)
            return err_set(e, "no %" PRIu64 " of %" PRIu64 " connections were ordinary ones",
                           o->conns, tries);
        ordinary_begin(&ordinary);
        if (connect_once(p, e) < 0 || check_resumed(p, e) < 0)
            return -1;
        if (ordinary_is(&ordinary))
            put(s, taken++);
    }
    return 0;
}

/* ---- printing ---- */

static void print_held(const struct samples *s, int end, FILE *out)
{
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        int row = ROW_HELD + 3 * stage;
        fprintf(
            out, "held end=%s stage=%s allocs=%" PRIu64 " blocks=%" PRIu64 " bytes=%" PRIu64 "\n",
            footprint_end_name((enum footprint_end)end),
            footprint_stage_name((enum footprint_stage)stage), samples_median(s, end_row(end, row)),
            samples_median(s, end_row(end, row + 1)), samples_median(s, end_row(end, row + 2)));
    }
}

/* What an end has on average once in many connections isn't part of an ordinary one. */
static void print_site(const struct samples *s, size_t site, int end, FILE *out)
{
    const struct meter_site *m = meter_site_at(site);
    uint64_t allocs = samples_median(s, site_row(site, end, SITE_ALLOCS));
    uint64_t reallocs = samples_median(s, site_row(site, end, SITE_REALLOCS));
    uint64_t idle = samples_median(s, site_row(site, end, SITE_IDLE));
    const char *file = m->file;
    while (strncmp(file, "../", 3) == 0) /* a build outside the source tree */
        file += 3;
    if (allocs || reallocs || idle)
        fprintf(out,
                "site end=%s line=%d allocs=%" PRIu64 " reallocs=%" PRIu64 " bytes=%" PRIu64
                " held-bytes=%" PRIu64 " caller=%" PRIu64 " file=%.*s\n",
                footprint_end_name((enum footprint_end)end), m->line, allocs, reallocs,
                samples_median(s, site_row(site, end, SITE_BYTES)), idle, m->caller,
                FILE_NAME_BYTES, file);
}

static bool end_is_exact(const struct samples *s, int end)
{
    for (int row = 0; row < END_ROWS; row++) {
        if (!samples_equal(s, end_row(end, row)))
            return false;
    }
    return true;
}

static void print_end(const struct samples *s, int end, FILE *out)
{
    fprintf(
        out,
        "end name=%s allocs=%" PRIu64 " reallocs=%" PRIu64 " alloc-bytes=%" PRIu64
        " peak-bytes=%" PRIu64 " kept-blocks=%" PRIu64 " kept-bytes=%" PRIu64 " exact=%d\n",
        footprint_end_name((enum footprint_end)end), samples_median(s, end_row(end, ROW_ALLOCS)),
        samples_median(s, end_row(end, ROW_REALLOCS)), samples_median(s, end_row(end, ROW_BYTES)),
        samples_median(s, end_row(end, ROW_PEAK)), samples_median(s, end_row(end, ROW_KEPT_BLOCKS)),
        samples_median(s, end_row(end, ROW_KEPT_BYTES)), end_is_exact(s, end));
    print_held(s, end, out);
    for (size_t site = 0; site < meter_site_count(); site++)
        print_site(s, site, end, out);
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
    for (size_t i = 0; i < HELD && rc == 0; i++)
        rc = hold_one(&held[i], model, e);
    uint64_t after = anonymous_bytes();
    for (size_t i = 0; i < HELD; i++)
        pair_free(&held[i]);
    if (rc == 0 && before && after > before)
        fprintf(out, "rss conns=%d bytes-per-conn=%" PRIu64 "\n", HELD, (after - before) / HELD);
    return rc;
}

int measure_run(const struct options *o, FILE *out, struct err *e)
{
    static struct contexts contexts;
    static struct pair pair;
    struct samples *s = NULL;
    int rc = samples_new(site_row(MEASURE_SITES, 0, 0), o->conns, &s, e);
    if (rc == 0)
        rc = contexts_open(&contexts, o, e);
    pair = (struct pair){.contexts = &contexts, .payload = o->payload, .resume = o->resume};
    if (rc == 0)
        rc = measured(&pair, o, s, e);
    if (rc == 0) {
        fprintf(out, "measured conns=%" PRIu64 " tls=%s key=%s\n", o->conns, options_tls_name(o),
                options_key_name(o));
        for (int end = 0; end < FOOTPRINT_END_COUNT; end++)
            print_end(s, end, out);
        rc = witness(&pair, out, e);
    }
    contexts_fini(&contexts);
    samples_free(s);
    return rc;
}
