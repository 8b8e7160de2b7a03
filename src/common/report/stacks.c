/* The call stacks of survivors, by frequency. */
#include "report/figures.h"
#include "report/parts.h"

enum { STACKS_SHOWN = 2, FRAMES_SHOWN = 6 };

static void print_frames(const struct result_stack *stack, const char *word, const struct screen *s)
{
    char text[SCREEN_TEXT];
    for (size_t i = 0; i < stack->frames && i < FRAMES_SHOWN; i++) {
        struct screen_lead lead = screen_lead_at(i == 0 ? word : "", PARTS_LEAK_COLUMN);
        screen_wrap(s, &lead, "%s%s", i == 0 ? "" : "← ",
                    symbol_text(&stack->frame[i], text, sizeof text));
    }
    struct screen_lead lead = screen_lead_at("", PARTS_LEAK_COLUMN);
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
    char some[FIGURE_SIZE], all[FIGURE_SIZE];
    struct screen_lead lead = screen_lead_at("", PARTS_LEAK_COLUMN);
    int64_t shown = 0;
    for (size_t i = 0; i < c->stacks && i < STACKS_SHOWN; i++)
        shown += c->stack[i].blocks;
    size_t more = c->stacks > STACKS_SHOWN ? c->stacks - STACKS_SHOWN : 0;
    figure_grouped(some, sizeof some, (double)shown, 0);
    figure_grouped(all, sizeof all, (double)blocks_of(c), 0);
    if (more)
        screen_wrap(s, &lead, "(%s of %s captured blocks; survivors.svg has all stacks)", some,
                    all);
    else
        screen_wrap(s, &lead, "(all %s captured blocks)", all);
    if (c->lost)
        screen_wrap(s, &lead, "(the stacks of %s more found no place)",
                    figure_grouped(some, sizeof some, (double)c->lost, 0));
}

void parts_stacks(const struct result_subject *subject, const struct screen *s)
{
    const struct result_capture *c = &subject->capture;
    for (size_t i = 0; i < c->stacks && i < STACKS_SHOWN; i++)
        print_frames(&c->stack[i], i == 0 ? "stack" : "and", s);
    if (c->stacks)
        print_share(c, s);
}
