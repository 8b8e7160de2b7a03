/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the check share. Private to this floor. */
#ifndef SOAK_SCENARIO_SCENARIO_INTERNAL_H
#define SOAK_SCENARIO_SCENARIO_INTERNAL_H

#include "base/address.h"
#include "scenario/scenario.h"

/* `--name value: sentence`. Returns -1. */
#define scenario_refuse(s, name, e, ...) opts_refuse(scenario_table(), s, name, e, __VA_ARGS__)

/* Bounds that can't reach the sensitivity asked for. Returns 0 or -1. */
int scenario_check_sure(const struct scenario *s, struct err *e);
/* Reads where the server listens: on loopback, or with agents anywhere. Returns 0 or -1. */
int scenario_parse_address(const struct scenario *s, const char *text, struct address *ret);
/* The foreign program's commands and address, and the options that it can't have. Returns 0 or -1.
 */
int scenario_check_foreign(const struct scenario *s, struct err *e);
/* The table of options without those of the built-in server, for runs with another. */
const struct opts_table *scenario_foreign_table(void);

#endif
