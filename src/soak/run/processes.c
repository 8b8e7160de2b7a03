/* SPDX-License-Identifier: Apache-2.0 */
#include "processes.h"

#include "base/text.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct processes *p, pid_t pid)
{
    size_t i = 0;
    while (i < p->count && p->kept[i].row.pid != pid)
        i++;
    return i;
}

static void forget(struct processes *p, size_t i)
{
    history_free(p->kept[i].history);
    memmove(&p->kept[i], &p->kept[i + 1], (p->count - i - 1) * sizeof *p->kept);
    p->count--;
}

static bool is_among(const struct snapshot_process *row, size_t rows, pid_t pid)
{
    for (size_t i = 0; i < rows; i++)
        if (row[i].pid == pid)
            return true;
    return false;
}

/* Whether it had a place, or finds one. */
static bool keep(struct processes *p, const struct snapshot_process *row,
                 const struct history *subject)
{
    size_t i = find(p, row->pid);
    if (i == PROCESSES_KEPT)
        return false;
    if (i == p->count) {
        p->kept[i].history = history_beside(subject);
        if (!p->kept[i].history)
            return false;
        p->count++;
    }
    p->kept[i].row = *row;
    return true;
}

static int64_t ssl_objects(const struct snapshot *s)
{
    for (size_t i = 0; i < s->classes; i++)
        if (strcmp(s->class_[i].name, "SSL") == 0)
            return s->class_[i].live;
    return 0;
}

/* As the subject's, but for what is the process's own. Returns whether it could be had. */
static bool take(const struct page *page, const struct snapshot_process *row,
                 const struct history_sample *like, struct history_sample *ret)
{
    *ret = *like;
    if (snapshot_read_process(page, row->pid, &ret->snapshot, NULL) != 0)
        return false;
    ret->snapshot.mode = row->mode;
    if (proc_sample_full(row->pid, &ret->proc, NULL) == 0)
        return true;
    snapshot_free(&ret->snapshot);
    return false;
}

static void checkpoint(struct run *r, size_t i, const struct history_sample *like,
                       enum history_phase phase, double seconds)
{
    struct processes *p = &r->processes;
    struct history_sample sample;
    if (!take(run_judged(r)->subject->child.page, &p->kept[i].row, like, &sample)) {
        forget(p, i);
        return;
    }
    p->kept[i].ssl_objects = ssl_objects(&sample.snapshot);
    p->kept[i].heap = sample.snapshot.heap.present != 0;
    history_checkpoint(p->kept[i].history, &sample, phase, seconds, r->oldest);
    snapshot_free(&sample.snapshot);
}

void processes_checkpoint(struct run *r, const struct history_sample *like,
                          enum history_phase phase, double seconds)
{
    struct processes *p = &r->processes;
    const struct page *page = run_judged(r)->subject->child.page;
    struct snapshot_process row[PAGE_PROCESSES];
    size_t rows = foreign_processes(run_judged(r)->subject, row);
    for (size_t i = p->count; i-- > 0;)
        if (!is_among(row, rows, p->kept[i].row.pid))
            forget(p, i);
    p->total = p->judged = 0;
    for (size_t i = 0; i < rows; i++) {
        if (row[i].mode == PAGE_MODE_INACTIVE)
            continue;
        p->total++;
        p->judged += foreign_chooses(run_judged(r)->subject->foreign, row[i].pid, row[i].name);
        if (!atomic_load(&page->memory_shared)) /* or nobody's blocks are its own */
            keep(p, &row[i], run_judged(r)->history);
    }
    for (size_t i = p->count; i-- > 0;)
        checkpoint(r, i, like, phase, seconds);
}

uint64_t processes_of(const struct run *r, const struct subject *s)
{
    return s->foreign ? r->processes.judged : s->processes;
}

static bool is_judged(const struct run *r, const struct snapshot_process *row)
{
    return foreign_chooses(run_judged(r)->subject->foreign, row->pid, row->name);
}

void processes_look(struct run *r)
{
    struct snapshot_process row[PAGE_PROCESSES];
    for (size_t i = foreign_processes(run_judged(r)->subject, row); i-- > 0;)
        if (row[i].mode != PAGE_MODE_INACTIVE && is_judged(r, &row[i]) &&
            foreign_is_jvm(row[i].pid))
            r->processes.jvm = row[i];
}

/* Whether one that is judged, and is no JVM, leaks by itself. */
static bool another_leaks(const struct run *r, const struct history_question *question)
{
    const struct processes *p = &r->processes;
    struct judgement *j = calloc(1, sizeof *j);
    bool leaks = false;
    for (size_t i = 0; j && !leaks && i < p->count; i++) {
        const struct history *h = p->kept[i].history;
        if (!is_judged(r, &p->kept[i].row) || foreign_is_jvm(p->kept[i].row.pid))
            continue;
        history_judge(h, question, j);
        leaks = j->verdict == VERDICT_LEAK && history_survivors(h) > 0;
    }
    free(j);
    return leaks;
}

static void doubt_uncollected(struct run *r, const struct history_question *question,
                              struct judgement *j)
{
    struct processes *p = &r->processes;
    char why[sizeof *j->reason];
    p->uncollected = (struct uncollected){.pid = 0};
    if (j->verdict != VERDICT_LEAK || r->scenario->on_checkpoint || r->scenario->on_drain)
        return;
    if (!r->scenario->loop) /* its processes have ended */
        processes_look(r);
    if (!p->jvm.pid || another_leaks(r, question))
        return;
    snprintf(why, sizeof why,
             "%.40s (process %d) is a JVM, and nothing makes its garbage collector run: what "
             "grows may only wait for it",
             p->jvm.name, (int)p->jvm.pid);
    judgement_doubt_leak(j, text_clean(why));
    if (j->verdict != VERDICT_LEAK)
        p->uncollected = (struct uncollected){
            .pid = p->jvm.pid, .is_main = p->jvm.pid == foreign_main(run_judged(r)->subject)};
}

void processes_doubt(struct run *r, const struct history_question *question, struct judgement *j)
{
    if (run_judged(r)->subject->foreign)
        doubt_uncollected(r, question, j);
    const char *left_out = foreign_left_out(run_judged(r)->subject);
    if (!left_out || (j->verdict != VERDICT_PASS && j->verdict != VERDICT_INCONCLUSIVE))
        return;
    if (j->verdict == VERDICT_PASS)
        j->reasons = 0;
    j->verdict = VERDICT_INCONCLUSIVE;
    j->reasons -= j->reasons == JUDGE_REASONS;
    memmove(j->reason[1], j->reason[0], j->reasons++ * sizeof *j->reason);
    text_copy(j->reason[0], sizeof *j->reason, left_out);
}

void processes_fini(struct processes *p)
{
    while (p->count)
        forget(p, p->count - 1);
}
