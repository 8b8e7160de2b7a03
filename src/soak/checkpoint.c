#include "checkpoint.h"

#include "base/clock.h"
#include "sampler.h"
#include "when.h"

/* A leak ends the run early: the other subject had no chance to reach the sensitivity asked for,
 * and is judged by what it did reach. */
static void judge_without_asking(struct run *r, struct history_question *question)
{
    question->want_one_in = 0;
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        if (r->judgement[i].verdict != VERDICT_LEAK)
            history_judge(r->history[i], question, &r->judgement[i]);
    }
}

void checkpoint_judge(struct run *r)
{
    const struct page_app *client = &r->child[RUN_CLIENT].page->app;
    const struct scenario *s = r->scenario;
    struct history_question question = {.limit_heap = s->limit_heap,
                                        .limit_rss = s->limit_rss,
                                        .want_one_in = s->sensitivity,
                                        .seed = r->seed,
                                        .failed = atomic_load(&client->failed),
                                        .handshakes = atomic_load(&client->handshakes)};
    bool leak = false;
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        history_judge(r->history[i], &question, &r->judgement[i]);
        leak |= r->judgement[i].verdict == VERDICT_LEAK;
    }
    r->judged = true;
    if (leak)
        judge_without_asking(r, &question);
    when_solve(r);
}

static enum history_phase phase_of(const struct run *r)
{
    switch (r->action.step) {
    case PLAN_WARM:
        return HISTORY_WARM;
    case PLAN_HOLD:
        return HISTORY_HOLD;
    case PLAN_CONFIRM_ALONE:
    case PLAN_CONFIRM_WITHOUT:
        return HISTORY_CONFIRM;
    case PLAN_MEASURE:
    case PLAN_TURNOVER:
    case PLAN_DRAIN:
        break;
    }
    return HISTORY_MEASURE;
}

static void keep_epoch(struct run *r, const struct history_sample *sample)
{
    double seconds = (double)(clock_now_ns() - r->epoch_ns) / 1e9;
    for (int i = 0; i < RUN_SUBJECTS; i++)
        history_checkpoint(r->history[i], &sample[i], phase_of(r), seconds, r->oldest);
    when_keep(r);
    r->epoch++;
    for (int i = 0; i < RUN_SUBJECTS; i++)
        atomic_store(&r->child[i].page->epoch, r->epoch);
    r->epoch_ns = clock_now_ns();
    checkpoint_judge(r);
}

static void keep(struct run *r, const struct history_sample *sample)
{
    switch (r->settle) {
    case SETTLE_CHECKPOINT:
        keep_epoch(r, sample);
        return;
    case SETTLE_DRAINED:
        for (int i = 0; i < RUN_SUBJECTS; i++)
            history_drained(r->history[i], &sample[i].snapshot);
        return;
    case SETTLE_FLUSHED:
        for (int i = 0; i < RUN_SUBJECTS; i++)
            history_flushed(r->history[i], &sample[i].snapshot);
        checkpoint_judge(r);
        return;
    }
}

int checkpoint_take(struct run *r, struct err *e)
{
    struct history_sample sample[RUN_SUBJECTS];
    for (int i = 0; i < RUN_SUBJECTS; i++) {
        if (sampler_take(r, i, &sample[i], e) == 0)
            continue;
        while (i-- > 0)
            snapshot_free(&sample[i].snapshot);
        return -1;
    }
    static const char *const kind[] = {[SETTLE_CHECKPOINT] = "checkpoint",
                                       [SETTLE_DRAINED] = "drained",
                                       [SETTLE_FLUSHED] = "flushed"};
    sampler_write(r, kind[r->settle], sample);
    keep(r, sample);
    for (int i = 0; i < RUN_SUBJECTS; i++)
        snapshot_free(&sample[i].snapshot);
    return 0;
}

void checkpoint_seen(const struct run *r, struct plan_seen *ret)
{
    const struct judgement *server = &r->judgement[RUN_SERVER], *client = &r->judgement[RUN_CLIENT];
    uint64_t now = clock_now_ns();
    *ret = (struct plan_seen){.opened = atomic_load(&r->child[RUN_CLIENT].page->app.opened),
                              .elapsed_ms =
                                  r->epoch_start_ns ? (now - r->epoch_start_ns) / 1000000u : 0,
                              .wants_hold = server->wants_hold || client->wants_hold,
                              .wants_more = server->wants_more || client->wants_more,
                              .certain = server->certain || client->certain,
                              .interrupted = r->interrupted};
    when_seen(r, ret);
    size_t n = history_epochs(r->history[RUN_SERVER]);
    for (size_t i = 0; i < 3 && i < n; i++) {
        size_t c = n - 1 - i;
        ret->ledger_blocks[i] =
            history_blocks(r->history[RUN_SERVER], c) + history_blocks(r->history[RUN_CLIENT], c);
        ret->ledger_opened[i] = history_opened(r->history[RUN_SERVER], c);
        ret->checkpoints = (int)i + 1;
    }
}
