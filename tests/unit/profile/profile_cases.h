/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as runs could leave them, for the tests of the writers. */
#ifndef SOAK_TESTS_PROFILE_CASES_H
#define SOAK_TESTS_PROFILE_CASES_H

#include "profile/profile.h"

struct profile_case {
    const char *name;
    void (*fill)(struct profile *p);
};

enum { PROFILE_CASES = 4 };
extern const struct profile_case profile_cases[PROFILE_CASES];

/* Adds one sample; aborts when it is refused. */
void profile_case_add(struct profile *p, const struct profile_sample *sample);

#endif
