/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include "meter.h"
#include "samples.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAME_BYTES = 500 };

/* The rows of the samples: for each end its own, then three for each stage; then those of each site
 * at each end. */
#define SIDE_ID(name) SIDE_##name,
#define HELD_ID(name) HELD_##name,
#define SITE_ID(name) SITE_##name,
enum side_row { FOOTPRINT_SIDE_FIGURES(SIDE_ID) SIDE_HELD };
enum held_row { FOOTPRINT_HELD_FIGURES(HELD_ID) HELD_ROWS };
enum site_row { FOOTPRINT_SITE_FIGURES(SITE_ID) SITE_ROWS };
enum { SIDE_ROWS = SIDE_HELD + FOOTPRINT_STAGE_COUNT * HELD_ROWS };

struct figures {
    struct samples *samples; /* owned */
    size_t taken;
};

static size_t side_row(int end, int row)
{
    return (size_t)end * SIDE_ROWS + (size_t)row;
}

static size_t held_row(int end, int stage, int row)
{
    return side_row(end, SIDE_HELD + stage * HELD_ROWS + row);
}

static size_t site_row(size_t site, int end, int row)
{
    return side_row(FOOTPRINT_END_COUNT, 0) +
           (site * FOOTPRINT_END_COUNT + (size_t)end) * SITE_ROWS + (size_t)row;
}

int figures_new(size_t connections, size_t sites, struct figures **ret, struct err *e)
{
    struct samples *samples = NULL;
    if (samples_new(site_row(sites, 0, 0), connections, &samples, e) < 0)
        return -1;
    struct figures *f = malloc(sizeof *f);
    if (!f) {
        samples_free(samples);
        return err_set(e, "no memory for the figures");
    }
    *f = (struct figures){.samples = samples};
    *ret = f;
    return 0;
}

void figures_free(struct figures *f)
{
    if (!f)
        return;
    samples_free(f->samples);
    free(f);
}

/* ---- taking ---- */

static void take_row(struct figures *f, size_t row, uint64_t value)
{
    samples_put(f->samples, row, f->taken, value);
}

static void take_end(struct figures *f, int end)
{
    const struct meter_end *m = meter_end_of((enum footprint_end)end);
    take_row(f, side_row(end, SIDE_allocs), m->calls.allocs);
    take_row(f, side_row(end, SIDE_reallocs), m->calls.reallocs);
    take_row(f, side_row(end, SIDE_alloc_bytes), m->calls.bytes);
    take_row(f, side_row(end, SIDE_peak_bytes), m->peak_bytes);
    take_row(f, side_row(end, SIDE_kept_blocks), m->kept_blocks);
    take_row(f, side_row(end, SIDE_kept_bytes), m->kept_bytes);
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        take_row(f, held_row(end, stage, HELD_allocs), m->held[stage].allocs);
        take_row(f, held_row(end, stage, HELD_blocks), m->held[stage].blocks);
        take_row(f, held_row(end, stage, HELD_bytes), m->held[stage].bytes);
    }
}

static void take_site(struct figures *f, size_t site, int end)
{
    const struct meter_site_end *m = &meter_site_at(site)->end[end];
    take_row(f, site_row(site, end, SITE_allocs), m->calls.allocs);
    take_row(f, site_row(site, end, SITE_reallocs), m->calls.reallocs);
    take_row(f, site_row(site, end, SITE_bytes), m->calls.bytes);
    take_row(f, site_row(site, end, SITE_held_bytes), m->idle_bytes);
}

void figures_take(struct figures *f)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        take_end(f, end);
        for (size_t site = 0; site < meter_site_count(); site++)
            take_site(f, site, end);
    }
    f->taken++;
}

/* ---- printing ---- */

static void print_rows(const struct figures *f, size_t first, const char *const *names,
                       size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s=%" PRIu64, names[i], samples_median(f->samples, first + i));
}

#define SPELT(name) #name,

static const char *const side_names[] = {FOOTPRINT_SIDE_FIGURES(SPELT)};
static const char *const held_names[] = {FOOTPRINT_HELD_FIGURES(SPELT)};
static const char *const site_names[] = {FOOTPRINT_SITE_FIGURES(SPELT)};

/* What only some connections do isn't part of an ordinary one: its medians are zero. */
static bool site_is_used(const struct figures *f, size_t site, int end)
{
    for (int row = 0; row < SITE_ROWS; row++) {
        if (samples_median(f->samples, site_row(site, end, row)))
            return true;
    }
    return false;
}

static void print_site(const struct figures *f, size_t site, int end, FILE *out)
{
    const struct meter_site *m = meter_site_at(site);
    const char *file = m->file;
    while (strncmp(file, "../", 3) == 0) /* OpenSSL was built outside its source tree */
        file += 3;
    fprintf(out, "site end=%s line=%d caller=%" PRIu64, footprint_end_name((enum footprint_end)end),
            m->line, m->caller);
    print_rows(f, site_row(site, end, 0), site_names, SITE_ROWS, out);
    fprintf(out, " file=%.*s\n", FILE_NAME_BYTES, file);
}

static bool is_exact(const struct figures *f, int end)
{
    for (int row = 0; row < SIDE_ROWS; row++) {
        if (!samples_equal(f->samples, side_row(end, row)))
            return false;
    }
    return true;
}

static void print_end(const struct figures *f, int end, FILE *out)
{
    const char *name = footprint_end_name((enum footprint_end)end);
    fprintf(out, "end name=%s exact=%d", name, is_exact(f, end));
    print_rows(f, side_row(end, 0), side_names, SIDE_HELD, out);
    fputc('\n', out);
    for (int stage = 0; stage < FOOTPRINT_STAGE_COUNT; stage++) {
        fprintf(out, "held end=%s stage=%s", name,
                footprint_stage_name((enum footprint_stage)stage));
        print_rows(f, held_row(end, stage, 0), held_names, HELD_ROWS, out);
        fputc('\n', out);
    }
}

void figures_print(const struct figures *f, FILE *out)
{
    for (int end = 0; end < FOOTPRINT_END_COUNT; end++) {
        print_end(f, end, out);
        for (size_t site = 0; site < meter_site_count(); site++) {
            if (site_is_used(f, site, end))
                print_site(f, site, end, out);
        }
    }
}
