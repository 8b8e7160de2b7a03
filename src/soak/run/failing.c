/* SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"

#include "base/clock.h"
#include "checkpoint.h"
#include "options/grammar.h"
#include "units.h"

#include <limits.h>
#include <stdio.h>

/* Leaks, or may leak. */
static bool anything_grows(const struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        const struct judgement *j = &r->judgement[i];
        for (size_t n = 0; n < j->findings; n++)
            if (j->finding[n].verdict != VERDICT_PASS)
                return true;
    }
    return false;
}

/* `; the first, clean: handshake failed: ...`, by the client's own word, or by what its log ends
 * with. */
static void first_text(const struct run *r, char *buf, size_t size)
{
    const struct child *client = &r->child[RUN_CLIENT];
    const struct child_failure *f = &client->failure;
    if (f->text[0])
        snprintf(buf, size, "; the first, %s: %s", f->behaviour, f->text);
    else if (client->problem[0])
        snprintf(buf, size, "; the first: %.300s", client->problem);
    else
        snprintf(buf, size, "; see client.log and server.log in %s", r->dir.path);
}

static void end(struct run *r, uint64_t failed, uint64_t all)
{
    char text[PATH_MAX], some[32], sum[32];
    first_text(r, text, sizeof text);
    run_break(r, "%s of %s %ss failed, so that no verdict can come any more%.600s",
              human_count(some, sizeof some, (int64_t)failed),
              human_count(sum, sizeof sum, (int64_t)all),
              units_are_operations(r) ? "operation" : "connection", text);
}

/* Connections to a server that is just crashing fail, too; its end says more. */
static bool is_crashing(const struct run *r)
{
    for (int i = 0; i < RUN_SUBJECTS; i++)
        if (atomic_load(&r->child[i].page->crash.signal))
            return true;
    return false;
}

void failing_look(struct run *r)
{
    if (r->state != RUN_CHURN || r->interrupted || is_crashing(r))
        return;
    struct judge_load load = checkpoint_load(r);
    uint64_t tried = judge_tried(&load);
    uint64_t elapsed_ms = (clock_now_ns() - r->epoch_start_ns) / 1000000u;
    uint64_t expected = plan_expected(&r->plan, units_begun(r), elapsed_ms);
    if (judge_hopeless(load.failed, tried, expected) && !anything_grows(r))
        end(r, load.failed, tried);
}
