/* SPDX-License-Identifier: Apache-2.0 */
#include "base/footprint_names.h"

ENUM_NAMES(footprint_end, FOOTPRINT_ENDS)
ENUM_FROM_NAME(footprint_end, FOOTPRINT_ENDS)
ENUM_NAMES(footprint_stage, FOOTPRINT_STAGES)
ENUM_FROM_NAME(footprint_stage, FOOTPRINT_STAGES)
