/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#include <string.h>

/* The one behaviour that the leak follows; NULL when there are several, or none is known. */
static const char *behaviour_of(const struct result_attribution *w)
{
    const char *name = NULL;
    if (!w || w->outcome != BEHAVIOURS_APART)
        return NULL;
    for (size_t i = 0; i < w->behaviours; i++) {
        if (w->behaviour[i].share.verdict != BEHAVIOUR_GUILTY)
            continue;
        if (name)
            return NULL;
        name = w->behaviour[i].name;
    }
    return name;
}

/* Of a site that goes on leaking no more stacks are taken than tell where. */
static int64_t untaken_at(const struct result_site *site, const struct result_capture *c)
{
    int64_t taken = 0;
    for (size_t i = 0; site->file && i < c->stacks; i++) {
        const struct result_stack *stack = &c->stack[i];
        if (stack->file && stack->line == site->line && strcmp(stack->file, site->file) == 0)
            taken += stack->blocks;
    }
    return taken > 0 && site->blocks > taken ? site->blocks - taken : 0;
}

static int add_subject(struct profile *p, const struct result_subject *subject, struct err *e)
{
    for (size_t i = 0; i < subject->capture.stacks; i++) {
        const struct result_stack *from = &subject->capture.stack[i];
        struct profile_sample sample = {.subject = subject->name,
                                        .behaviour = behaviour_of(subject->attribution),
                                        .epoch = from->epoch,
                                        .blocks = from->blocks,
                                        .bytes = from->bytes,
                                        .frame = from->frame,
                                        .frames = from->frames};
        if (profile_add(p, &sample, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < subject->sites; i++)
        profile_untaken(p, untaken_at(&subject->site[i], &subject->capture));
    return 0;
}

struct profile *html_stacks(const struct result *result, struct err *e)
{
    struct profile *p = profile_new();
    int rc = p ? 0 : err_set(e, "survivors: out of memory");
    for (size_t i = 0; rc == 0 && i < result->subjects; i++)
        rc = add_subject(p, &result->subject[i], e);
    if (rc == 0 || !p)
        return p;
    profile_free(p);
    return NULL;
}
