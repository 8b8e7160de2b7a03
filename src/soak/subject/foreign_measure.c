/* SPDX-License-Identifier: Apache-2.0 */
/* What the page and the kernel say of a program's processes together: of those that are judged. */
#include "foreign.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The program's processes at a checkpoint, and which of them are counted. */
struct looked {
    const struct foreign *f;
    size_t rows;
    struct snapshot_process row[PAGE_PROCESSES];
};

static bool is_judged(const void *owner, const struct process *p)
{
    const struct looked *l = owner;
    for (size_t i = 0; i < l->rows; i++)
        if (l->row[i].pid == p->pid && l->row[i].mode != PAGE_MODE_INACTIVE)
            return foreign_chooses(l->f, p->pid, p->name);
    return false;
}

static bool are_judged(const struct looked *l, const struct process_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        if (!is_judged(l, &tree->process[i]))
            return false;
    return true;
}

static void say_left_out(struct foreign *f, const struct looked *l, const struct process_holders *h)
{
    struct text to = text_into(f->left_out, sizeof f->left_out),
                wanted = text_into(f->wanted, sizeof f->wanted);
    const struct process *p = &h->others;
    bool chosen = p->pid && foreign_chooses(f, p->pid, p->name);
    if (chosen)
        text_add(&to, "%.*s (process %d) holds connections, and nothing of it is counted",
                 PROCESS_NAME, p->name, (int)p->pid);
    else if (p->pid)
        text_add(&to,
                 "--processes %.40s leaves out %.*s (process %d), which holds connections; "
                 "--processes all judges it too",
                 foreign_chosen(f->subject), PROCESS_NAME, p->name, (int)p->pid);
    else if (h->standing && !h->of_chosen && !h->unread)
        text_add(&to, "no process that is counted and judged holds one of the connections");
    if (chosen)
        text_add(&wanted, "a run in which that is counted: it %s; soak help servers",
                 foreign_why_uncounted(f, l->row, l->rows, p->pid));
    else if (foreign_chosen(f->subject))
        text_add(&wanted, "a run of all its processes: --processes all");
    else
        text_add(&wanted, "a run in which the process that holds them is counted; "
                          "soak help servers");
    text_clean(f->left_out);
}

/* A reload is the master's, whoever holds the connections meanwhile; and at the end of a run of
 * --loop there are none. */
static void look_for_left_out(struct foreign *f, const struct process_tree *tree)
{
    const struct subjects *all = f->subject->all;
    const struct scenario *scenario = all->programs->scenario;
    struct looked *l =
        scenario->reload || scenario->loop || !scenario->probe ? NULL : calloc(1, sizeof *l);
    struct process_holders h = {.outgoing = !f->subject->serves, .chosen = is_judged, .owner = l};
    if (!l)
        return;
    l->f = f;
    l->rows = foreign_processes(f->subject, l->row);
    if (!are_judged(l, tree) && subjects_address(all, &h.server)) {
        process_tree_holders(tree, &h);
        say_left_out(f, l, &h);
    }
    free(l);
}

const char *foreign_left_out(const struct subject *s)
{
    return s->foreign && s->foreign->left_out[0] ? s->foreign->left_out : NULL;
}

const char *foreign_wanted_instead(const struct subject *s)
{
    return foreign_left_out(s) ? s->foreign->wanted : NULL;
}

/* ---- the page ---- */

static void clear(struct snapshot *s)
{
    s->allocs = s->frees = s->reallocs = s->alloc_bytes = 0;
    s->blocks = s->bytes = s->uv_blocks = s->uv_bytes = 0;
    memset(&s->heap, 0, sizeof s->heap);
    for (size_t i = 0; i < s->classes; i++)
        s->class_[i].live = 0;
    for (size_t i = 0; i < s->sites; i++) {
        s->site[i].blocks = s->site[i].bytes = 0;
        memset(s->site[i].born_blocks, 0, sizeof s->site[i].born_blocks);
        memset(s->site[i].born_bytes, 0, sizeof s->site[i].born_bytes);
    }
}

static void add_site(struct snapshot_site *to, const struct snapshot_site *from)
{
    to->blocks += from->blocks;
    to->bytes += from->bytes;
    for (size_t c = 0; c < PAGE_EPOCHS; c++) {
        to->born_blocks[c] += from->born_blocks[c];
        to->born_bytes[c] += from->born_bytes[c];
    }
}

static void add_heap(struct snapshot *to, const struct snapshot *from)
{
    to->heap.present |= from->heap.present;
    to->heap.allocated += from->heap.allocated;
    to->heap.active += from->heap.active;
    to->heap.resident += from->heap.resident;
    to->heap.mapped += from->heap.mapped;
    to->heap.retained += from->heap.retained;
    to->heap.metadata += from->heap.metadata;
    for (size_t i = 0; i < PAGE_SIZE_CLASSES && from->heap.present; i++) {
        to->heap.class_size[i] = from->heap.class_size[i];
        to->heap.class_regions[i] += from->heap.class_regions[i];
    }
}

static void add(struct snapshot *to, const struct snapshot *from)
{
    to->allocs += from->allocs;
    to->frees += from->frees;
    to->reallocs += from->reallocs;
    to->alloc_bytes += from->alloc_bytes;
    to->blocks += from->blocks;
    to->bytes += from->bytes;
    to->uv_blocks += from->uv_blocks;
    to->uv_bytes += from->uv_bytes;
    add_heap(to, from);
    for (size_t i = 0; i < to->classes && i < from->classes; i++)
        to->class_[i].live += from->class_[i].live;
    for (size_t i = 0; i < to->sites && i < from->sites; i++)
        add_site(&to->site[i], &from->site[i]);
}

/* The mode is that of the processes: active when one of them is. The self-check's blocks are
 * everybody's. */
int foreign_snapshot(const struct subject *s, struct snapshot *ret, struct err *e)
{
    struct snapshot_process row[PAGE_PROCESSES];
    struct snapshot one;
    bool all = foreign_judges_all(s->foreign);
    if (snapshot_read(s->child.page, ret, e) != 0)
        return -1;
    ret->mode = PAGE_MODE_INACTIVE;
    if (!all)
        clear(ret);
    for (size_t i = foreign_processes(s, row); i-- > 0;) {
        if (row[i].mode == PAGE_MODE_INACTIVE ||
            !foreign_chooses(s->foreign, row[i].pid, row[i].name))
            continue;
        ret->mode = row[i].mode;
        if (all || snapshot_read_process(s->child.page, row[i].pid, &one, NULL) != 0)
            continue;
        add(ret, &one);
        snapshot_free(&one);
    }
    return 0;
}

/* ---- the kernel ---- */

/* What processes that have ended had used stays counted, if somebody has waited for them: the guard
 * does for those that nobody else can. One that is about to be waited for takes nothing away. */
static void add_ended(struct foreign *f, const struct process_tree *tree, struct proc_sample *sum)
{
    uint64_t ns;
    if (!foreign_judges_all(f))
        return;
    if (proc_ended_cpu_read(f->subject->child.process.pid, &ns, NULL) == 0)
        sum->cpu_ns += ns;
    for (size_t i = 0; i < tree->count; i++)
        if (proc_ended_cpu_read(tree->process[i].pid, &ns, NULL) == 0)
            sum->cpu_ns += ns;
    if (sum->cpu_ns < f->cpu_ns)
        sum->cpu_ns = f->cpu_ns;
    f->cpu_ns = sum->cpu_ns;
}

/* Whether a process was there at the last checkpoint. One that has come since may be that of a
 * connection: what it has open goes with it, and how much that is changes from one to the next. */
static bool stays(const struct foreign *f, const struct process *p)
{
    for (size_t i = 0; f->last && i < f->last->count; i++) {
        const struct process *then = &f->last->process[i];
        if (then->pid == p->pid && then->started == p->started)
            return true;
    }
    return !f->last;
}

/* All of its processes together; one that ends meanwhile is in none of them. Threads and files are
 * counted of all that stay, whichever are judged: which of them serve how many of the connections
 * that are open changes from checkpoint to checkpoint, and their sum doesn't. */
int foreign_measure(const struct subject *s, struct proc_sample *ret,
                    struct proc_rollup *ret_rollup, struct err *e)
{
    struct process_tree *tree = malloc(sizeof *tree);
    if (!tree)
        return err_set(e, "out of memory");
    foreign_family(s->foreign, tree);
    *ret = (struct proc_sample){0};
    for (size_t i = 0; i < tree->count; i++) {
        struct proc_sample one;
        struct proc_rollup rollup;
        if (proc_sample_full(tree->process[i].pid, &one, NULL) != 0)
            continue;
        if (stays(s->foreign, &tree->process[i]))
            proc_add_counts(ret, &one);
        if (!foreign_chooses(s->foreign, tree->process[i].pid, tree->process[i].name))
            continue;
        proc_add_memory(ret, &one);
        if (ret_rollup && proc_rollup_read(tree->process[i].pid, &rollup, NULL) == 0)
            proc_add_rollup(ret_rollup, &rollup);
    }
    add_ended(s->foreign, tree, ret);
    if (!ret_rollup) {
        free(tree);
        return 0;
    }
    if (!s->foreign->left_out[0])
        look_for_left_out(s->foreign, tree);
    free(s->foreign->last); /* a checkpoint */
    s->foreign->last = tree;
    return 0;
}

struct proc_wanted foreign_wanted(const struct subject *s)
{
    struct proc_wanted sum = {0}, one;
    struct proc_sample sample;
    struct process_tree *tree = malloc(sizeof *tree);
    CHECK(tree);
    foreign_family(s->foreign, tree);
    for (size_t i = 0; i < tree->count; i++) {
        if (proc_wanted_read(tree->process[i].pid, &one, NULL) == 0) {
            sum.ns += one.ns;
            sum.now |= one.now;
        } else if (proc_sample_quick(tree->process[i].pid, &sample, NULL) == 0) {
            sum.ns += sample.cpu_ns;
        }
    }
    free(tree);
    return sum;
}
