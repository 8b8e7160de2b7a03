/* SPDX-License-Identifier: Apache-2.0 */
/* The words for the verdict of a version beside that of the first. */
#include "base/text.h"
#include "compare_say.h"
#include "report/figures.h"

#include <math.h>
#include <stdio.h>

static void say_leak(struct text *j, const struct compare_set *s, const struct compare_column *c,
                     enum compare_row row, const char *what)
{
    char figure[COMPARE_FIGURE], place[COMPARE_SENTENCE / 2] = "";
    double value = c->cell[row].value;
    if (c->file)
        figure_place(place, sizeof place, c->file, c->line);
    if (row == COMPARE_GROWTH_BLOCKS)
        figure_plain(figure, sizeof figure, value);
    else
        figure_bytes(figure, sizeof figure, value);
    if (isnan(value))
        text_item(j, "%s%s%s", what, place[0] ? " at " : "", place);
    else
        text_item(j, "%s, %s per %s%s%s", what, figure, unit_name(s->unit), place[0] ? " at " : "",
                  place);
}

/* By its bytes, unless its blocks are graver: then these made the outcome. */
static void say_growth(struct text *j, const struct compare_set *s, const struct compare_column *c)
{
    enum compare_outcome bytes = c->cell[COMPARE_GROWTH_BYTES].outcome,
                         blocks = c->cell[COMPARE_GROWTH_BLOCKS].outcome;
    char figure[COMPARE_FIGURE];
    if (bytes >= blocks)
        say_leak(j, s, c, COMPARE_GROWTH_BYTES,
                 bytes == COMPARE_WORSE ? "the LEAK is larger" : "the LEAK is smaller");
    else
        say_leak(j, s, c, COMPARE_GROWTH_BLOCKS,
                 blocks == COMPARE_WORSE ? "the LEAK is larger by blocks"
                                         : "the LEAK is smaller by blocks");
    if (bytes == COMPARE_BETTER && blocks == COMPARE_WORSE)
        text_item(j, "but smaller by bytes, %s per %s",
                  figure_bytes(figure, sizeof figure, c->cell[COMPARE_GROWTH_BYTES].value),
                  unit_name(s->unit));
}

/* `another LEAK, +32.00 B per connection at server/defect.c:78, where 3.0.17 has none` */
static void say_another(struct text *j, const struct compare_set *s,
                        const struct compare_place *another)
{
    char bytes[COMPARE_FIGURE], place[COMPARE_SENTENCE / 2];
    if (another->file)
        figure_place(place, sizeof place, another->file, another->line);
    else
        snprintf(place, sizeof place, "%s", kind_text(another->kind));
    text_item(j, "another LEAK, %s per %s%s%s%s%s, where %s has none",
              isnan(another->bytes) ? "?" : figure_bytes(bytes, sizeof bytes, another->bytes),
              unit_name(s->unit), another->file ? " at " : ", ", place,
              another->function ? " in " : "", another->function ? another->function : "",
              s->entry[0].name);
}

void compare_say_verdict(struct text *j, const struct compare_set *s, size_t i)
{
    const struct compare_column *first = &s->judgement.column[0], *c = &s->judgement.column[i];
    bool differs = c->cell[COMPARE_GROWTH_BYTES].outcome != COMPARE_SAME ||
                   c->cell[COMPARE_GROWTH_BLOCKS].outcome != COMPARE_SAME;
    if (c->runs == 0 || first->runs == 0)
        text_item(j, "%s wasn't run", s->entry[c->runs ? 0 : i].name);
    else if (c->verdict_change == COMPARE_CHANGE_UNSURE)
        text_item(j, "the verdicts are %s and %s", verdict_name(first->verdict),
                  verdict_name(c->verdict));
    else if (c->another)
        say_another(j, s, c->another);
    else if (c->verdict_outcome == COMPARE_WORSE)
        say_leak(j, s, c, COMPARE_GROWTH_BYTES, "a LEAK");
    else if (c->verdict_outcome == COMPARE_BETTER)
        text_item(j, "the LEAK is gone");
    else if (differs)
        say_growth(j, s, c);
    else if (c->verdict == VERDICT_LEAK)
        text_item(j, "both LEAK");
}
