/* SPDX-License-Identifier: Apache-2.0 */
/* What became of each process of a program that isn't soak's. */
#include "outcome.h"

#include "base/names.h"
#include "base/text.h"
#include "checkpoint.h"

#include <math.h>
#include <stdlib.h>

static const char *const modes[] = {
#define MODE(name, text) [PAGE_MODE_##name] = text,
    PAGE_MODE_LIST(MODE)
#undef MODE
};

static char *flags_text(uint64_t flags, char *buf, size_t size)
{
    static const struct {
        uint64_t bit;
        const char *text;
    } known[] = {
#define FLAG(name, bit, text) {bit, text},
        PAGE_PROCESS_FLAG_LIST(FLAG)
#undef FLAG
    };
    struct text list = text_list(buf, size, ", ");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (flags & known[i].bit)
            text_item(&list, "%s", known[i].text);
    return buf;
}

static int64_t whole(const struct judgement *j, enum metric metric, bool end)
{
    const struct judge_metric *m = judgement_metric(j, metric);
    double value = !m ? 0 : end ? m->end : m->start;
    return isfinite(value) ? (int64_t)value : 0;
}

static void fill(struct result_process *to, const struct judgement *j)
{
    to->blocks_start = whole(j, METRIC_OPENSSL_BLOCKS, false);
    to->blocks_end = whole(j, METRIC_OPENSSL_BLOCKS, true);
    to->bytes_start = whole(j, METRIC_OPENSSL_BYTES, false);
    to->bytes_end = whole(j, METRIC_OPENSSL_BYTES, true);
    to->rss_start = (uint64_t)whole(j, METRIC_RSS, false);
    to->rss_end = (uint64_t)whole(j, METRIC_RSS, true);
}

/* Which of several processes serves how many of the connections that are open changes from one
 * checkpoint to the next: what grew in one then without a block that survived is no leak for sure.
 */
static enum verdict verdict_of(const struct judgement *j, int64_t survivors, uint64_t total)
{
    bool doubtful = j->verdict == VERDICT_LEAK && survivors <= 0 && total > 1;
    return doubtful ? VERDICT_INCONCLUSIVE : j->verdict;
}

/* What a process did is judged by the connections of all: it doesn't say which were its own. */
void outcome_processes(struct outcome *o, const struct run *r, struct result_subject *out)
{
    struct judgement *j = calloc(1, sizeof *j);
    struct history_question question = checkpoint_question(r);
    question.want_one_in = 0;
    for (size_t i = 0; j && r->judged && i < r->processes.count; i++) {
        const struct snapshot_process *row = &r->processes.kept[i].row;
        struct result_process *to = &o->process[i];
        text_copy(o->process_name[i], sizeof o->process_name[i], row->name);
        text_copy(o->process_libcrypto[i], sizeof o->process_libcrypto[i], row->libcrypto);
        *to = (struct result_process){
            .pid = (uint64_t)row->pid,
            .name = o->process_name[i],
            .libcrypto = o->process_libcrypto[i],
            .mode = modes[row->mode],
            .flags = flags_text(row->flags, o->process_flags[i], sizeof o->process_flags[i]),
            .left_out = !foreign_chooses(run_judged(r)->subject->foreign, row->pid, row->name),
            .heap = r->processes.kept[i].heap,
            .ssl_objects = r->processes.kept[i].ssl_objects,
            .survivors = history_survivors(r->processes.kept[i].history)};
        history_judge(r->processes.kept[i].history, &question, j);
        fill(to, j);
        to->verdict = verdict_of(j, to->survivors, r->processes.total);
        out->processes = i + 1;
    }
    out->process = o->process;
    out->processes_total = r->processes.total;
    out->processes_judged = r->processes.judged;
    out->chosen = foreign_chosen(run_judged(r)->subject);
    free(j);
}
