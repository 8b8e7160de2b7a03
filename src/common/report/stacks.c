/* SPDX-License-Identifier: Apache-2.0 */
/* The call stack of most survivors. */
#include "report/figures.h"
#include "sections.h"

#include <stdio.h>
#include <string.h>

enum { FRAMES_SHOWN = 5, FRAMES_BESIDE = 3, FUNCTION_COLUMN = 24 };

/* `server/defect.c:78`, or the file of the code; "" for neither. */
static const char *place_of(const struct symbol *f, char *buf, size_t size)
{
    if (f->file)
        return figure_place(buf, size, f->file, f->line);
    return f->module ? f->module : "";
}

static int function_column(const struct result_stack *stack)
{
    int widest = 0;
    for (size_t i = 0; i < stack->frames && i < FRAMES_SHOWN; i++) {
        int width = stack->frame[i].function ? screen_width(stack->frame[i].function) : 0;
        widest = width > widest && width <= FUNCTION_COLUMN ? width : widest;
    }
    return widest;
}

/* A named frame, or all nameless ones of a file that follow. Returns how many were printed. */
static size_t print_frame(const struct result_stack *stack, size_t i, int column, const char *word,
                          const struct screen *s)
{
    char text[SCREEN_TEXT / 2], place[SCREEN_TEXT / 4];
    const struct symbol *f = &stack->frame[i];
    struct screen_lead lead = screen_lead_at(word, PARTS_LEAK_COLUMN);
    bool wide = s->columns >= 60;
    size_t nameless = symbol_nameless_text(f, stack->frames - i, text, sizeof text);
    if (nameless) {
        screen_wrap(s, &lead, "%s", text);
        return nameless;
    }
    if (!f->function)
        screen_wrap(s, &lead, "%s", symbol_text(f, text, sizeof text));
    else
        screen_wrap(s, &lead, "%-*s  %s%s", wide ? column : 0, f->function,
                    place_of(f, place, sizeof place), i == 0 && wide ? "  allocates it" : "");
    return 1;
}

void parts_stack(const struct result_stack *stack, bool alone, const struct screen *s)
{
    const char *word = alone ? "where" : "stack";
    int most = alone ? FRAMES_SHOWN : FRAMES_BESIDE;
    int column = function_column(stack), lines = 0;
    size_t i = 0;
    while (i < stack->frames && lines < most) {
        i += print_frame(stack, i, column, i == 0 ? word : "", s);
        lines++;
    }
    struct screen_lead lead = screen_lead_at("", PARTS_LEAK_COLUMN);
    if (i < stack->frames)
        screen_wrap(s, &lead, "%zu more in survivors.svg", stack->frames - i);
}
