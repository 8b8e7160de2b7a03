/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run counts: connections that come and go, or operations on connections that are held
 * (--operate). By the client's page.
 */
#ifndef SOAK_UNITS_H
#define SOAK_UNITS_H

#include "run.h"

/* Whether the unit is the operation. */
bool units_are_operations(const struct run *r);
/* Begun and ended since start. */
uint64_t units_begun(const struct run *r);
uint64_t units_ended(const struct run *r);

#endif
