/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of all of a program's processes together. */
#include "foreign.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static bool is_chosen(const struct foreign *f, const struct process *p)
{
    const char *which = f->subject->all->programs->scenario->processes;
    if (strcmp(which, "all") == 0)
        return true;
    return strcmp(which, "main") == 0 ? p->pid == f->main_pid : strcmp(which, p->name) == 0;
}

static void add_sample(struct proc_sample *sum, const struct proc_sample *one)
{
    sum->rss_bytes += one->rss_bytes;
    sum->rss_anon_bytes += one->rss_anon_bytes;
    sum->threads += one->threads;
    sum->open_files += one->open_files;
    sum->descriptors = one->descriptors > sum->descriptors ? one->descriptors : sum->descriptors;
    sum->cpu_ns += one->cpu_ns;
}

/* All of its processes together; one that ends meanwhile is in none of them. */
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
        struct proc_rollup rollup = {0};
        if (!is_chosen(s->foreign, &tree->process[i]) ||
            proc_sample_full(tree->process[i].pid, &one, NULL) != 0)
            continue;
        add_sample(ret, &one);
        if (!ret_rollup || proc_rollup_read(tree->process[i].pid, &rollup, NULL) != 0)
            continue;
        ret_rollup->pss_bytes += rollup.pss_bytes;
        ret_rollup->private_dirty_bytes += rollup.private_dirty_bytes;
        ret_rollup->anonymous_bytes += rollup.anonymous_bytes;
    }
    free(tree);
    return 0;
}

uint64_t foreign_wanted(const struct subject *s)
{
    uint64_t sum = 0, one;
    struct proc_sample sample;
    struct process_tree *tree = malloc(sizeof *tree);
    CHECK(tree);
    foreign_family(s->foreign, tree);
    for (size_t i = 0; i < tree->count; i++) {
        if (proc_wanted_read(tree->process[i].pid, &one, NULL) == 0)
            sum += one;
        else if (proc_sample_quick(tree->process[i].pid, &sample, NULL) == 0)
            sum += sample.cpu_ns;
    }
    free(tree);
    return sum;
}
