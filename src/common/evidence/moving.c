/* SPDX-License-Identifier: Apache-2.0 */
#include "moving.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

enum { TOLD = 3 };

/* How much a site's live blocks have changed. */
static int64_t moved(const struct snapshot *a, const struct snapshot *b, size_t site)
{
    return b->site[site].blocks - (site < a->sites ? a->site[site].blocks : 0);
}

static void add_sites(const struct snapshot *a, const struct snapshot *b, struct text *out)
{
    size_t told[TOLD] = {0};
    for (size_t n = 0; n < TOLD; n++) {
        size_t most = SIZE_MAX;
        for (size_t i = 0; i < b->sites; i++) {
            bool before = false;
            for (size_t k = 0; k < n; k++)
                before |= told[k] == i;
            if (!before && moved(a, b, i) != 0 &&
                (most == SIZE_MAX || llabs(moved(a, b, i)) > llabs(moved(a, b, most))))
                most = i;
        }
        if (most == SIZE_MAX)
            return;
        told[n] = most;
        text_add(out, "%s%s:%" PRIu32 " %+" PRId64, n ? ", " : "; live at ", b->site[most].file,
                 b->site[most].line, moved(a, b, most));
    }
}

char *moving_text(const struct moving_look *before, const struct moving_look *after, char *buf,
                  size_t size)
{
    const struct snapshot *a = before->snapshot, *b = after->snapshot;
    struct text out = text_into(buf, size);
    double seconds = (double)(after->at_ns - before->at_ns) / 1e9;
    uint64_t made = b->allocs - a->allocs, freed = b->frees - a->frees;
    if (made || freed) {
        text_add(&out, "%" PRIu64 " blocks were made and %" PRIu64 " freed in %.1f s", made, freed,
                 seconds);
        add_sites(a, b, &out);
    } else {
        text_add(&out, "it wants %.0f %% of a processor with nothing asked of it",
                 seconds > 0 ? (double)(after->cpu_ns - before->cpu_ns) / 1e7 / seconds : 0);
    }
    return buf;
}
