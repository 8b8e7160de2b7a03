/* SPDX-License-Identifier: Apache-2.0 */
#include "stayed.h"

#include "base/text.h"
#include "display.h"
#include "run.h"

#include <stdio.h>

/* A pool's connections close, or are used again, in an epoch or two. */
enum { MANY = 3 };

static void look_for_stranger(struct run *r)
{
    char text[192], whose[96];
    const struct subject *program = run_judged(r)->subject;
    struct run_stayed *s = &r->stayed;
    if (s->stranger.pid ||
        !process_connected_elsewhere((unsigned)r->subjects.port, program->child.process.pid,
                                     program->child.pid, &s->stranger))
        return;
    snprintf(text, sizeof text,
             "a connection to the server is of %s; soak-server takes it for one of the client's",
             stayed_whose(r, whose, sizeof whose));
    display_note(r, text);
}

void stayed_look(struct run *r)
{
    struct run_stayed *s = &r->stayed;
    if (!r->scenario->client || r->scenario->loop)
        return;
    bool same = r->epoch > 0 && r->oldest == s->oldest && r->oldest < r->epoch;
    s->checkpoints = same ? s->checkpoints + 1 : 0;
    s->oldest = r->oldest;
    look_for_stranger(r);
}

bool stayed_open(const struct run *r)
{
    return r->stayed.checkpoints >= MANY && !r->scenario->idle_timeout_ns;
}

char *stayed_whose(const struct run *r, char *buf, size_t size)
{
    const struct process *p = &r->stayed.stranger;
    if (p->pid)
        snprintf(buf, size, "%.16s (process %d), which isn't the client's", p->name, (int)p->pid);
    else
        snprintf(buf, size, "the client itself");
    return text_clean(buf);
}
