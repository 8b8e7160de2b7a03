/* SPDX-License-Identifier: Apache-2.0 */
#include "report_json_internal.h"

#include <math.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *behaviour_json(const struct result_attribution *w, const struct result_behaviour *b)
{
    bool solved = w->outcome != BEHAVIOURS_NONE && w->outcome != BEHAVIOURS_UNTOLD;
    return json_pack(
        "{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "name", b->name, "connections",
        (json_int_t)b->connections, "one_in", number(b->one_in), "blocks",
        solved ? number(b->blocks) : json_null(), "bytes", solved ? number(b->bytes) : json_null(),
        "blocks_error", solved ? number(b->blocks_error) : json_null(), "bytes_error",
        solved ? number(b->bytes_error) : json_null(), "exact", (int)w->exact, "verdict",
        solved ? json_string(behaviour_verdict_name(b->verdict)) : json_null());
}

json_t *attribution_behaviours_json(const struct result_attribution *w)
{
    json_t *array = json_array();
    for (size_t i = 0; w && i < w->behaviours; i++)
        json_array_append_new(array, behaviour_json(w, &w->behaviour[i]));
    return array;
}

static json_t *confirm_json(const struct result_confirm *c)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:b}", "connections", (json_int_t)c->connections,
                     "guilty", (json_int_t)c->guilty, "blocks", (json_int_t)c->blocks, "bytes",
                     (json_int_t)c->bytes, "predicted_blocks", number(c->predicted_blocks),
                     "predicted_bytes", number(c->predicted_bytes), "agrees", (int)c->agrees);
}

static json_t *confirmed_json(const struct result_attribution *w)
{
    if (!w->tried)
        return json_null();
    bool agrees = w->alone.agrees && w->without.agrees && !w->too_rare;
    return json_pack("{s:b,s:b,s:o,s:o}", "agrees", (int)agrees, "too_rare", (int)w->too_rare,
                     "alone", confirm_json(&w->alone), "without", confirm_json(&w->without));
}

json_t *attribution_json(const struct result_attribution *w)
{
    if (!w || w->outcome == BEHAVIOURS_NONE)
        return json_null();
    bool separable = w->outcome == BEHAVIOURS_APART || w->outcome == BEHAVIOURS_ALIKE;
    return json_pack("{s:s,s:b,s:b,s:b,s:b,s:i,s:o,s:o,s:o,s:o}", "outcome",
                     behaviours_outcome_name(w->outcome), "separable", (int)separable, "exact",
                     (int)w->exact, "sparse", (int)w->sparse, "by_end", (int)w->by_end, "freedom",
                     w->freedom, "residual_blocks", number(w->residual_blocks), "residual_bytes",
                     number(w->residual_bytes), "chance", number(w->chance), "confirmed",
                     confirmed_json(w));
}
