/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOTE_EMPTY, NOTE_WRITING, NOTE_READY, NOTE_TOLD };

void shared_report(struct shared *s)
{
    if (!atomic_load(&s->deaf))
        uv_async_send(&s->report);
}

void shared_problem(struct shared *s, enum problem kind, const char *format, ...)
{
    struct problem_note *note = &s->problem[kind];
    int empty = NOTE_EMPTY;
    if (!atomic_compare_exchange_strong(&note->state, &empty, NOTE_WRITING))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
    atomic_store(&note->state, NOTE_READY);
    shared_report(s);
}

const char *shared_take_problem(struct shared *s, enum problem kind)
{
    int ready = NOTE_READY;
    struct problem_note *note = &s->problem[kind];
    return atomic_compare_exchange_strong(&note->state, &ready, NOTE_TOLD) ? note->text : NULL;
}
