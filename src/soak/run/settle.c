/* SPDX-License-Identifier: Apache-2.0 */
#include "settle.h"

/* Two equal readings of the counters may fall into a pause of a busy machine; more of them, a few
 * milliseconds apart, don't all do so while the server still has something to close. */
enum { SETTLE_QUIET_POLLS = 3, SETTLE_BACKGROUND_POLLS = 200 };

static uint64_t activity(const struct run *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->subjects.count; i++)
        sum += snapshot_activity(r->watched[i].subject->child.page);
    return sum;
}

static uint64_t connections(const struct run *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->subjects.count; i++) {
        const struct page_app *app = &r->watched[i].subject->child.page->app;
        sum += atomic_load(&app->opened) + atomic_load(&app->closed) +
               atomic_load(&app->handshakes) + atomic_load(&app->operations);
    }
    return sum;
}

static uint64_t server_open(const struct run *r)
{
    const struct page_app *app = &run_judged(r)->subject->child.page->app;
    return atomic_load(&app->opened) - atomic_load(&app->closed);
}

void settle_begin(struct run *r, enum run_settle purpose)
{
    r->settle = purpose;
    r->quiet.polls = r->quiet.steady_polls = 0;
    r->quiet.activity = activity(r);
    r->quiet.connections = connections(r);
    run_state_set(r, RUN_SETTLE);
}

void settle_poll(struct run *r)
{
    uint64_t now = activity(r), conns = connections(r);
    /* After an interrupted epoch the client may hold fewer than asked: its own word counts. */
    uint64_t want = atomic_load(&run_load(r)->subject->child.page->app.established);
    bool steady = conns == r->quiet.connections && server_open(r) == want;
    bool quiet = steady && now == r->quiet.activity;
    r->quiet.activity = now;
    r->quiet.connections = conns;
    r->quiet.steady_polls = steady ? r->quiet.steady_polls + 1 : 0;
    r->quiet.polls = quiet ? r->quiet.polls + 1 : 0;
    r->quiet.still = r->quiet.polls >= SETTLE_QUIET_POLLS;
    if (!r->quiet.still && r->quiet.steady_polls < SETTLE_BACKGROUND_POLLS)
        return;
    char words[SUBJECTS_MAX][96];
    const char *said[SUBJECTS_MAX];
    for (size_t i = 0; i < r->subjects.count; i++)
        said[i] = profiler_words(r, i, words[i], sizeof words[i]);
    run_state_set(r, RUN_PUBLISH);
    subjects_settle(&r->subjects, said);
}
