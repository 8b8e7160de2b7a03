/* SPDX-License-Identifier: Apache-2.0 */
#include "history_forms.h"

#include "base/markup.h"
#include "report/figures.h"
#include "report/json_util.h"

#include <math.h>
#include <string.h>

#define SCHEMA "soak-history/1"

enum { BARS = 30 };

/* ---- the document ---- */

static json_t *night_json(const struct history_run *run)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "time", json_from_text(run->time),
                     "verdict", json_from_text(run->verdict), "seed", json_from_text(run->seed),
                     "conns", json_from_count(run->conns), "closed", json_from_count(run->closed),
                     "seconds", json_from_number(run->seconds), "soak", json_from_text(run->soak),
                     "folder", json_from_text(run->folder));
}

static json_t *step_json(const struct history_series *s, const struct step *step)
{
    return json_pack("{s:i,s:o,s:o,s:o,s:b}", "night", (int)step->at, "time",
                     json_from_text(s->night[step->at].time), "before",
                     json_from_number(step->before), "after", json_from_number(step->after),
                     "certain", (int)step->certain);
}

static json_t *line_json(const struct history_series *s, const struct history_line *line)
{
    json_t *values = json_array(), *steps = json_array();
    for (size_t i = 0; i < s->nights; i++)
        json_array_append_new(values, json_from_number(line->value[i]));
    for (size_t i = 0; i < line->steps; i++)
        json_array_append_new(steps, step_json(s, &line->step[i]));
    return json_pack("{s:o,s:o,s:o,s:b,s:b,s:o,s:o}", "name", json_from_text(line->name), "label",
                     json_from_text(line->info.label), "unit", json_from_text(line->info.unit),
                     "judged", (int)line->info.judged, "counted", (int)line->info.counted, "values",
                     values, "steps", steps);
}

static json_t *series_json(const struct history_series *s)
{
    json_t *nights = json_array(), *figures = json_array();
    for (size_t i = 0; i < s->nights; i++)
        json_array_append_new(nights, night_json(&s->night[i]));
    for (size_t i = 0; i < s->lines; i++)
        json_array_append_new(figures, line_json(s, &s->line[i]));
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "scenario", json_from_text(s->night->scenario), "library",
        json_from_text(s->night->library), "machine", json_from_text(s->night->machine), "settings",
        json_from_text(s->night->settings), "left_out", json_from_count(s->other), "nights", nights,
        "figures", figures);
}

json_t *history_json(const struct histories *h)
{
    json_t *histories = json_array();
    for (size_t i = 0; i < h->count; i++)
        json_array_append_new(histories, series_json(&h->series[i]));
    return json_pack("{s:s,s:o,s:o}", "schema", SCHEMA, "steps",
                     json_from_count(histories_steps(h)), "histories", histories);
}

/* ---- Markdown ---- */

static void put_cell(const char *text, FILE *out)
{
    markdown_put(text, out);
    fputs(" | ", out);
}

static void put_line(const struct history_series *s, const struct history_line *line, FILE *out)
{
    char text[HISTORY_STEP_TEXT], night[FIGURE_SIZE];
    struct screen_bars bars = history_bars(line, s->nights);
    const struct step *step = line->steps ? &line->step[line->steps - 1] : NULL;
    fputs("| ", out);
    put_cell(s->night->scenario, out);
    put_cell(line->info.label, out);
    put_cell(screen_bars(&bars, true, BARS, text, sizeof text), out);
    put_cell(history_figure_text(&line->info, history_newest(line, s->nights), text, sizeof text),
             out);
    put_cell(step ? history_night_text(s, step->at, night, sizeof night) : "", out);
    put_cell(step ? history_step_text(line, step, text, sizeof text) : "", out);
    fputc('\n', out);
}

/* What has stepped, or else a line that shows that the scenario was looked at. */
static void put_series(const struct history_series *s, FILE *out)
{
    static const char usual[] = "server.allocs_per_conn";
    bool stepped = history_series_steps(s) > 0;
    for (size_t i = 0; i < s->lines; i++)
        if (stepped ? s->line[i].steps > 0 : strcmp(s->line[i].name, usual) == 0)
            put_line(s, &s->line[i], out);
}

void history_markdown(const struct histories *h, FILE *out)
{
    size_t steps = histories_steps(h);
    fputs("| scenario | figure | nights | last | stepped | by |\n|---|---|---|---:|---|---|\n",
          out);
    for (size_t i = 0; i < h->count; i++)
        put_series(&h->series[i], out);
    fprintf(out, "\n**%zu step%s** in %zu histor%s.\n\n", steps, steps == 1 ? "" : "s", h->count,
            h->count == 1 ? "y" : "ies");
}
