/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include "options/grammar.h"
#include "report/figures.h"
#include "report/footprint.h"

#include <math.h>
#include <stdio.h>

enum { CLAUSE = 256 };

/* `45.69 KiB in 36 blocks held idle, peak 78.34 KiB, 742 allocations per handshake` */
static char *side_text(char *buf, size_t size, const struct footprint_side *side)
{
    char held[32], peak[32], blocks[FIGURE_SIZE], allocs[FIGURE_SIZE];
    const struct footprint_held *idle = &side->held[FOOTPRINT_IDLE];
    snprintf(buf, size, "%s in %s blocks held idle, peak %s, %s allocations%s",
             human_bytes(held, sizeof held, idle->bytes),
             figure_grouped(blocks, sizeof blocks, idle->blocks, 0),
             human_bytes(peak, sizeof peak, side->peak_bytes),
             figure_grouped(allocs, sizeof allocs, side->allocs, 0),
             side->exact ? "" : " (medians: not all connections were alike)");
    return buf;
}

void parts_footprint(const struct footprint *f, int column, const struct screen *s)
{
    char server[CLAUSE], client[CLAUSE], rss[32], more[CLAUSE] = "";
    if (!f || f->connections == 0)
        return;
    struct screen_lead lead = screen_lead_at("footprint", column);
    if (isfinite(f->rss_bytes_per_conn))
        snprintf(more, sizeof more, "; RSS %s (not judged)",
                 human_bytes(rss, sizeof rss, f->rss_bytes_per_conn));
    screen_wrap(s, &lead, "per connection, TLS %s, %s: server %s%s; client %s", f->tls, f->key,
                side_text(server, sizeof server, &f->end[FOOTPRINT_SERVER]), more,
                side_text(client, sizeof client, &f->end[FOOTPRINT_CLIENT]));
    lead = screen_lead_at("", column);
    if (f->left_out[0])
        screen_wrap(s, &lead, "without what the scenario has of: %s", f->left_out);
}
