/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "metric.h"

#define UNIT_OVER(id, name, holds, over, ...)                  [id] = over,
#define UNIT_UNDER_WAY(id, name, holds, over, busy, ...)       [id] = busy,
#define UNIT_PLURAL(id, name, holds, over, busy, plural, ...)  [id] = plural,
#define UNIT_AXIS(id, name, holds, over, busy, plural, axis)   [id] = axis,
#define VERDICT_EXIT(id, name, word, code, ...)                [id] = code,
#define VERDICT_GRAVITY(id, name, word, code, gravity, ...)    [id] = gravity,
#define KIND_MEASURED(id, name, text, measured, ...)           [id] = measured,
#define KIND_HEADLINE(id, name, text, measured, headline, ...) [id] = headline,
#define KIND_MEANING(id, name, text, measured, headline, mean) [id] = mean,
#define STATE_GRAVITY(id, name, verdict, gravity, ...)         [id] = gravity,

ENUM_NAMES(unit, UNIT_LIST)
ENUM_COLUMN(unit_holds, const char *, unit, UNIT_LIST, ENUM_TEXT)
ENUM_COLUMN(unit_over, const char *, unit, UNIT_LIST, UNIT_OVER)
ENUM_COLUMN(unit_under_way, const char *, unit, UNIT_LIST, UNIT_UNDER_WAY)
ENUM_COLUMN(unit_plural, const char *, unit, UNIT_LIST, UNIT_PLURAL)
ENUM_COLUMN(unit_axis, const char *, unit, UNIT_LIST, UNIT_AXIS)

ENUM_NAMES(verdict, VERDICT_LIST)
ENUM_FROM_NAME(verdict, VERDICT_LIST)
ENUM_COLUMN(verdict_exit_code, int, verdict, VERDICT_LIST, VERDICT_EXIT)
ENUM_COLUMN(verdict_gravity, int, verdict, VERDICT_LIST, VERDICT_GRAVITY)

ENUM_NAMES(kind, KIND_LIST)
ENUM_FROM_NAME(kind, KIND_LIST)
ENUM_TEXTS(kind, KIND_LIST)
ENUM_COLUMN(kind_measured_by, enum measured_by, kind, KIND_LIST, KIND_MEASURED)
ENUM_COLUMN(kind_headline, const char *, kind, KIND_LIST, KIND_HEADLINE)
ENUM_COLUMN(kind_meaning, const char *, kind, KIND_LIST, KIND_MEANING)

ENUM_NAMES(metric_state, METRIC_STATE_LIST)
ENUM_COLUMN(metric_state_verdict, const char *, metric_state, METRIC_STATE_LIST, ENUM_TEXT)
ENUM_COLUMN(metric_state_gravity, int, metric_state, METRIC_STATE_LIST, STATE_GRAVITY)

#define INFO(id, name, unit, role, row, label, word, ...) [id] = {unit, label, word, role, row},

ENUM_NAMES(metric_role, METRIC_ROLE_LIST)
ENUM_NAMES(metric, METRIC_LIST)
ENUM_FROM_NAME(metric, METRIC_LIST)

const struct metric_info *metric_info(enum metric m)
{
    static const struct metric_info info[METRICS] = {METRIC_LIST(INFO)};
    CHECK(m > METRIC_NONE && m < METRICS);
    return &info[m];
}
