/* SPDX-License-Identifier: Apache-2.0 */
/* A call stack by names, for people: who asked for memory, on behalf of which call of ours. */
#ifndef SOAK_TORTURE_TRACE_H
#define SOAK_TORTURE_TRACE_H

#include "symbol/symbol.h"
#include "torture_step.h"

enum { TRACE_LINES = 20, TRACE_TEXT = 128 };

struct trace {
    char call[64]; /* what the program called of the library, such as "SSL_new", or where */
    size_t lines;
    char line[TRACE_LINES][TRACE_TEXT]; /* innermost first, the allocator's own left out */
};

/* `symbols` may be NULL: then there are addresses. `crash`: the stack begins in a signal handler.
 * From the main thread (see symbols_open). */
void trace_name(struct symbols *symbols, const struct step_stack *stack, bool crash,
                struct trace *ret);

#endif
