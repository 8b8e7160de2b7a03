/* SPDX-License-Identifier: Apache-2.0 */
#include "summary.h"

#include "options/grammar.h"

#include <inttypes.h>

static double ms(const page_u64 *ns)
{
    return (double)atomic_load(ns) / 1e6;
}

void summary_print(FILE *out, const struct page_app *app, uint64_t took_ns)
{
    char done[32], closed[32], took[32], handshakes[32], resumed[32], intended[32], failed[32];
    uint64_t count = atomic_load(&app->closed);
    fprintf(out, "%s connections in %s, %.0f/s\n",
            human_count(closed, sizeof closed, (int64_t)count),
            human_duration(took, sizeof took, took_ns), (double)count * 1e9 / (double)took_ns);
    fprintf(out, "handshakes  %s, %s resumed, %s aborted as intended\n",
            human_count(handshakes, sizeof handshakes, (int64_t)atomic_load(&app->handshakes)),
            human_count(resumed, sizeof resumed, (int64_t)atomic_load(&app->resumed)),
            human_count(intended, sizeof intended, (int64_t)atomic_load(&app->expected_aborts)));
    if (atomic_load(&app->operations) > 0)
        fprintf(out, "operations  %s, %.0f/s\n",
                human_count(done, sizeof done, (int64_t)atomic_load(&app->operations)),
                (double)atomic_load(&app->operations) * 1e9 / (double)took_ns);
    fprintf(out, "times       p50 %.1f ms  p90 %.1f ms  p99 %.1f ms  max %.1f ms\n",
            ms(&app->p50_ns), ms(&app->p90_ns), ms(&app->p99_ns), ms(&app->max_ns));
    fprintf(out, "failed      %s",
            human_count(failed, sizeof failed, (int64_t)atomic_load(&app->failed)));
    if (atomic_load(&app->failed) > 0)
        fprintf(out,
                " (connect %" PRIu64 ", handshake %" PRIu64 ", echo %" PRIu64 ", timeout %" PRIu64
                ", lost %" PRIu64 ")",
                atomic_load(&app->fail_connect), atomic_load(&app->fail_handshake),
                atomic_load(&app->fail_echo), atomic_load(&app->fail_timeout),
                atomic_load(&app->fail_lost));
    fprintf(out, "\n");
}
