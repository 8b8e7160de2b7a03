/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the check share. Private to this floor. */
#ifndef SOAK_SCENARIO_SCENARIO_INTERNAL_H
#define SOAK_SCENARIO_SCENARIO_INTERNAL_H

#include "scenario/scenario.h"

/* `--name value: sentence`. Returns -1. */
#define scenario_refuse(s, name, e, ...) opts_refuse(scenario_table(), s, name, e, __VA_ARGS__)

/* Bounds that can't reach the sensitivity asked for. Returns 0 or -1. */
int scenario_check_sure(const struct scenario *s, struct err *e);
/* The weights of the behaviours, and what those need of the other options. Returns 0 or -1. */
int scenario_check_mix(const struct scenario *s, struct err *e);
/* The same for `count` entries of a list and their weights. One run can't tell more behaviours
 * apart than the client's page has room for. Returns 0 or -1. */
int scenario_check_behaviours(const struct scenario *s, const struct behaviour_entry *list,
                              const uint64_t *weight, size_t count, struct err *e);
/* Whether the options are as `needs` (behaviours.def) says, for the option `name`. Returns 0 or -1.
 */
int scenario_check_needs(const struct scenario *s, const char *name, const char *needs,
                         struct err *e);

#endif
