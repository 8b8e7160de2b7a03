/* SPDX-License-Identifier: Apache-2.0 */
#include "history_forms.h"

#include "base/text.h"
#include "catalog.h"
#include "report/figures.h"

#include <math.h>
#include <string.h>

enum { LABEL_COLUMNS = 30, VALUE_COLUMNS = 12, BARS_LEAST = 8, BARS_MOST = 30, DATE = 10 };

/* ---- words ---- */

char *history_step_text(const struct history_line *line, const struct step *s, char *buf,
                        size_t size)
{
    char before[FIGURE_SIZE], after[FIGURE_SIZE], by[FIGURE_SIZE], share[FIGURE_SIZE] = "";
    struct history_figure_info info = line->info;
    double change = s->after - s->before;
    history_figure_text(&info, s->before, before, sizeof before);
    history_figure_text(&info, s->after, after, sizeof after);
    info.growth = false; /* it is put with a sign of its own */
    history_figure_text(&info, fabs(change), by, sizeof by);
    if (s->before > 0 && !line->info.growth)
        snprintf(share, sizeof share, " (%+.3g %%)", change / s->before * 100);
    snprintf(buf, size, "%s -> %s, %c%s%s", before, after, change < 0 ? '-' : '+', by, share);
    return buf;
}

char *history_night_text(const struct history_series *s, size_t night, char *buf, size_t size)
{
    const char *time = s->night[night].time;
    bool alone = true;
    for (size_t i = 0; i < s->nights; i++)
        alone = alone && (i == night || strncmp(s->night[i].time, time, DATE) != 0);
    snprintf(buf, size, "%.*s%s%.*s", (int)DATE, time, alone ? "" : " ", alone ? 0 : 8,
             strlen(time) > DATE ? time + DATE + 1 : "");
    return buf;
}

struct screen_bars history_bars(const struct history_line *line, size_t nights)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < nights; i++) {
        low = fmin(low, isfinite(line->value[i]) ? line->value[i] : low);
        high = fmax(high, isfinite(line->value[i]) ? line->value[i] : high);
    }
    double middle = (low + high) / 2;
    double guard = fmax(line->info.absolute, line->info.relative * fabs(middle));
    double half = fmax((high - low) / 2, guard * 2);
    if (!(half > 0))
        half = 1;
    return (struct screen_bars){line->value, nights, middle - half, middle + half};
}

/* ---- a series ---- */

/* `28 PASS, 2 LEAK` */
static void verdicts(const struct history_series *s, char *buf, size_t size)
{
    struct text text = text_list(buf, size, ", ");
    for (size_t i = 0; i < s->nights; i++) {
        const char *verdict = s->night[i].verdict;
        size_t count = 0, before = 0;
        for (size_t j = 0; j < s->nights; j++) {
            bool same = strcmp(s->night[j].verdict, verdict) == 0;
            count += same;
            before += same && j < i;
        }
        if (before == 0)
            text_item(&text, "%zu %s", count, verdict);
    }
}

char *history_place_text(const struct history_series *s, char *buf, size_t size)
{
    const struct history_run *last = s->night + s->nights - 1;
    snprintf(buf, size, "%s on %s%s%s", last->library, last->machine,
             s->beside ? ", options as in " : "",
             s->beside ? catalog_below_root(last->folder) : "");
    return buf;
}

char *history_series_text(const struct history_series *s, char *buf, size_t size)
{
    const struct history_run *first = s->night, *last = s->night + s->nights - 1;
    char told[128], place[HISTORY_PLACE_TEXT];
    verdicts(s, told, sizeof told);
    bool one_day = strncmp(first->time, last->time, DATE) == 0;
    snprintf(buf, size, "%s; %zu run%s, %.*s%s%.*s: %s", history_place_text(s, place, sizeof place),
             s->nights, s->nights == 1 ? "" : "s", (int)DATE, first->time, one_day ? "" : " to ",
             one_day ? 0 : (int)DATE, last->time, told);
    return buf;
}

static void head(const struct history_series *s, const struct screen *screen)
{
    char text[1024];
    struct screen_lead lead = {.column = 2, .word = "", .ink = INK_NONE};
    screen_ink(screen, INK_BOLD, s->night[s->nights - 1].scenario);
    fputc('\n', screen->out);
    screen_wrap(screen, &lead, "%s", history_series_text(s, text, sizeof text));
    if (s->other)
        screen_wrap(screen, &lead, "%zu left out: older, the only one with its options, or INVALID",
                    s->other);
}

bool history_is_nothing(const struct history_line *line, size_t nights)
{
    if (!line->info.growth || line->steps > 0)
        return false;
    for (size_t i = 0; i < nights; i++)
        if (isfinite(line->value[i]) && fabs(line->value[i]) > 0)
            return false;
    return true;
}

double history_newest(const struct history_line *line, size_t nights)
{
    while (nights > 0 && !isfinite(line->value[nights - 1]))
        nights--;
    return nights ? line->value[nights - 1] : NAN;
}

static void row(const struct history_series *s, const struct history_line *line,
                const struct screen *screen)
{
    char bars[SCREEN_TEXT], label[SCREEN_TEXT], value[SCREEN_TEXT], text[FIGURE_SIZE];
    int most = screen->columns - LABEL_COLUMNS - VALUE_COLUMNS - 6;
    int columns = most < BARS_LEAST ? BARS_LEAST : most > BARS_MOST ? BARS_MOST : most;
    struct screen_bars drawn = history_bars(line, s->nights);
    screen_bars(&drawn, screen->utf8, (size_t)columns, bars, sizeof bars);
    screen_clean(screen, label, sizeof label, line->info.label);
    history_figure_text(&line->info, history_newest(line, s->nights), text, sizeof text);
    screen_clean(screen, value, sizeof value, text);
    fprintf(screen->out, "  %s%*s  %s%*s  %*s%s\n", label, LABEL_COLUMNS - screen_width(label), "",
            bars, columns - screen_width(bars), "", VALUE_COLUMNS - screen_width(value), "", value);
}

static void steps(const struct history_series *s, const struct history_line *line,
                  const struct screen *screen)
{
    char night[FIGURE_SIZE], text[HISTORY_STEP_TEXT];
    for (size_t i = 0; i < line->steps; i++) {
        struct screen_lead lead = {4, 9, "STEP", INK_BAD};
        screen_wrap(screen, &lead, "%s: %s",
                    history_night_text(s, line->step[i].at, night, sizeof night),
                    history_step_text(line, &line->step[i], text, sizeof text));
    }
}

static void series(const struct history_series *s, const struct screen *screen)
{
    size_t nothing = 0;
    head(s, screen);
    for (size_t i = 0; i < s->lines; i++) {
        const struct history_line *line = &s->line[i];
        if (history_is_nothing(line, s->nights)) {
            nothing++;
            continue;
        }
        row(s, line, screen);
        steps(s, line, screen);
    }
    if (nothing)
        fprintf(screen->out, "  %zu other figures per connection: no growth in any run\n", nothing);
    fputc('\n', screen->out);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

char *history_headline(const struct histories *h, char *buf, size_t size)
{
    size_t longest = 0, steps = histories_steps(h);
    const char *histories = h->count == 1 ? "y" : "ies";
    for (size_t i = 0; i < h->count; i++)
        longest = h->series[i].nights > longest ? h->series[i].nights : longest;
    if (h->count == 0)
        snprintf(buf, size, "no runs in the history yet");
    else if (steps)
        snprintf(buf, size, "%zu step%s in %zu histor%s", steps, plural(steps), h->count,
                 histories);
    else
        snprintf(buf, size, "no step in %zu histor%s, the longest of %zu run%s", h->count,
                 histories, longest, plural(longest));
    return buf;
}

static void no_step(const struct histories *h, const struct screen *s)
{
    char text[128];
    fprintf(s->out, "%s\n", history_headline(h, text, sizeof text));
    if (h->count == 0)
        screen_say(s, "", 2,
                   "every run in results/ is recorded when it ends; `soak history add FOLDER` "
                   "adds runs from elsewhere");
}

void history_text(const struct histories *h, const struct screen *s)
{
    for (size_t i = 0; i < h->count; i++)
        series(&h->series[i], s);
    if (histories_steps(h) == 0)
        no_step(h, s);
}

void history_text_steps(const struct histories *h, const struct screen *screen)
{
    char night[FIGURE_SIZE], text[HISTORY_STEP_TEXT], place[HISTORY_PLACE_TEXT];
    for (size_t i = 0; i < h->count; i++) {
        const struct history_series *s = &h->series[i];
        for (size_t l = 0; l < s->lines; l++)
            for (size_t k = 0; k < s->line[l].steps; k++)
                screen_say(screen, "STEP", 6, "%s  %s: %s %s; %s",
                           history_night_text(s, s->line[l].step[k].at, night, sizeof night),
                           s->night->scenario, s->line[l].info.label,
                           history_step_text(&s->line[l], &s->line[l].step[k], text, sizeof text),
                           history_place_text(s, place, sizeof place));
    }
    if (histories_steps(h) == 0)
        no_step(h, screen);
}
