/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

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
