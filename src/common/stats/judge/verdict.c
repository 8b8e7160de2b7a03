/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#define VERDICT_EXIT(id, word, code) [id] = code,

ENUM_NAMES(verdict, VERDICT_LIST)
ENUM_FROM_NAME(verdict, VERDICT_LIST)
ENUM_COLUMN(verdict_exit_code, int, verdict, VERDICT_LIST, VERDICT_EXIT)

ENUM_NAMES(kind, KIND_LIST)
ENUM_FROM_NAME(kind, KIND_LIST)
ENUM_TEXTS(kind, KIND_LIST)

ENUM_NAMES(metric_state, METRIC_STATE_LIST)
ENUM_COLUMN(metric_state_verdict, const char *, metric_state, METRIC_STATE_LIST, ENUM_TEXT)
