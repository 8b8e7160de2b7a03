/* What the rooms of the check share. Private to this floor. */
#ifndef SOAK_SCENARIO_SCENARIO_CHECK_H
#define SOAK_SCENARIO_SCENARIO_CHECK_H

#include "scenario/scenario.h"

/* `--name value: sentence`. Returns -1. */
int scenario_refuse(const struct scenario *s, const char *name, struct err *e, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/* Bounds that can't reach the sensitivity asked for. Returns 0 or -1. */
int scenario_check_sure(const struct scenario *s, struct err *e);
/* What has no meaning with --fail-alloc, or without it. Returns 0 or -1. */
int scenario_check_torture(const struct scenario *s, struct err *e);

#endif
