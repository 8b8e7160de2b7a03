/* The call stacks of survivors, by frequency. */
#include "report/parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { STACKS_SHOWN = 2, FRAMES_SHOWN = 6, VALUE_COLUMN = 9 };

static struct screen_lead lead_of(const char *word)
{
    return (struct screen_lead){.indent = 2, .column = VALUE_COLUMN, .word = word, .ink = INK_BOLD};
}

static void print_frames(const struct result_stack *stack, const char *word, const struct screen *s)
{
    char text[SCREEN_TEXT];
    for (size_t i = 0; i < stack->frames && i < FRAMES_SHOWN; i++) {
        struct screen_lead lead = lead_of(i == 0 ? word : "");
        screen_wrap(s, &lead, "%s%s", i == 0 ? "" : "← ",
                    symbol_text(&stack->frame[i], text, sizeof text));
    }
    struct screen_lead lead = lead_of("");
    if (stack->frames > FRAMES_SHOWN)
        screen_wrap(s, &lead, "← %zu more", stack->frames - FRAMES_SHOWN);
}

static int64_t blocks_of(const struct result_capture *c)
{
    int64_t sum = 0;
    for (size_t i = 0; i < c->stacks; i++)
        sum += c->stack[i].blocks;
    return sum;
}

/* How much of what was captured these stacks are, and what found no place. */
static void print_share(const struct result_capture *c, const struct screen *s)
{
    int64_t all = blocks_of(c), shown = 0;
    struct screen_lead lead = lead_of("");
    for (size_t i = 0; i < c->stacks && i < STACKS_SHOWN; i++)
        shown += c->stack[i].blocks;
    size_t more = (c->stacks > STACKS_SHOWN ? c->stacks - STACKS_SHOWN : 0) + c->stacks_dropped;
    if (more)
        screen_wrap(s, &lead, "(%" PRId64 " of %" PRId64 " blocks with a stack; %zu more stack%s)",
                    shown, all, more, more == 1 ? "" : "s");
    else
        screen_wrap(s, &lead, "(all %" PRId64 " blocks that were captured)", all);
    if (c->lost)
        screen_wrap(s, &lead, "(%" PRIu64 " more blocks found no place for their stack)", c->lost);
}

void parts_stacks(const struct result_subject *subject, const struct screen *s)
{
    const struct result_capture *c = &subject->capture;
    for (size_t i = 0; i < c->stacks && i < STACKS_SHOWN; i++)
        print_frames(&c->stack[i], i == 0 ? "stack" : "and", s);
    if (c->stacks)
        print_share(c, s);
}
