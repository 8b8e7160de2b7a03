/* SPDX-License-Identifier: Apache-2.0 */
#include "stayed.h"

#include "base/text.h"
#include "display.h"
#include "run.h"

#include <stdio.h>

/* A pool's connections close, or are used again, in an epoch or two. */
enum { MANY = 3 };

static char *print_stranger(const struct process *p, char *buf, size_t size)
{
    snprintf(buf, size, "%.16s (process %d), which isn't the client's", p->name, (int)p->pid);
    return text_clean(buf);
}

static struct process stranger_of(const struct run *r, const struct process_sockets *s)
{
    const struct child *program = &run_judged(r)->subject->child;
    struct process found;
    bool any = process_sockets_elsewhere(s, program->process.pid, program->pid, &found);
    return any ? found : (struct process){.pid = 0};
}

static void say_once(struct run *r, const struct process *stranger)
{
    char text[192], whose[96];
    if (!stranger->pid || r->stayed.said)
        return;
    r->stayed.said = true;
    snprintf(text, sizeof text,
             "a connection to the server is of %s; soak-server takes it for one of the client's",
             print_stranger(stranger, whose, sizeof whose));
    display_note(r, text);
}

/* What was connected only meanwhile isn't the connection that stayed. */
static void look_for_stranger(struct run *r, bool same)
{
    struct address server;
    struct process_sockets now;
    struct run_stayed *s = &r->stayed;
    if (!subjects_address(&r->subjects, &server))
        return;
    process_sockets_to(&now, &server);
    if (same)
        process_sockets_keep(&s->lasting, &now);
    else
        s->lasting = now;
    s->stranger = stranger_of(r, &s->lasting);
    if (!s->said && now.count > s->lasting.count) {
        struct process passing = stranger_of(r, &now);
        say_once(r, &passing);
    }
    say_once(r, &s->stranger);
}

void stayed_look(struct run *r)
{
    struct run_stayed *s = &r->stayed;
    if (!r->scenario->client || r->scenario->loop)
        return;
    bool same = r->epoch > 0 && r->oldest == s->oldest && r->oldest < r->epoch;
    s->checkpoints = same ? s->checkpoints + 1 : 0;
    s->oldest = r->oldest;
    look_for_stranger(r, same);
}

bool stayed_open(const struct run *r)
{
    return r->stayed.checkpoints >= MANY && !r->scenario->idle_timeout_ns;
}

char *stayed_whose(const struct run *r, char *buf, size_t size)
{
    if (r->stayed.stranger.pid)
        return print_stranger(&r->stayed.stranger, buf, size);
    snprintf(buf, size, "the client itself");
    return buf;
}
