/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other tools call the things that soak has: read by those who refuse a name. One table,
 * hints.def. Pure.
 */
#ifndef SOAK_SCENARIO_HINTS_H
#define SOAK_SCENARIO_HINTS_H

struct hint {
    const char *typed;  /* without dashes */
    const char *option; /* soak's name for it, or NULL */
    const char *remark; /* a phrase that follows the option, or stands for it; or NULL */
};

/* NULL when nobody is known to type that. */
const struct hint *hint_for(const char *typed);
/* The command that is meant by a word that is none, or NULL. */
const char *hint_command(const char *typed);

#endif
