#include "settle.h"

/* Two equal readings of the counters may fall into a pause of a busy machine; more of them, a few
 * milliseconds apart, don't all do so while the server still has something to close. */
enum { SETTLE_QUIET_POLLS = 3 };

static uint64_t activity(const struct run *r)
{
    return snapshot_activity(r->child[RUN_SERVER].page) +
           snapshot_activity(r->child[RUN_CLIENT].page);
}

static uint64_t server_open(const struct run *r)
{
    const struct page_app *app = &r->child[RUN_SERVER].page->app;
    return atomic_load(&app->opened) - atomic_load(&app->closed);
}

void settle_begin(struct run *r, enum run_settle purpose)
{
    r->settle = purpose;
    r->quiet_polls = 0;
    r->last_activity = activity(r);
    run_state_set(r, RUN_SETTLE);
}

void settle_poll(struct run *r)
{
    uint64_t now = activity(r);
    /* After an interrupted epoch the client may hold fewer than asked: its own word counts. */
    uint64_t want = atomic_load(&r->child[RUN_CLIENT].page->app.established);
    bool quiet = now == r->last_activity && server_open(r) == want;
    r->last_activity = now;
    r->quiet_polls = quiet ? r->quiet_polls + 1 : 0;
    if (r->quiet_polls < SETTLE_QUIET_POLLS)
        return;
    r->settled = 0;
    r->settle_id++;
    run_state_set(r, RUN_PUBLISH);
    for (int i = 0; i < RUN_SUBJECTS; i++)
        child_send(&r->child[i], "settle id=%llu", (unsigned long long)r->settle_id);
}

bool settle_answer(struct run *r, int subject, uint64_t id)
{
    if (r->state != RUN_PUBLISH || id != r->settle_id)
        return false;
    r->settled |= 1 << subject;
    return r->settled == (1 << RUN_SUBJECTS) - 1;
}
