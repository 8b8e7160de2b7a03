/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.json: what was run, on what, with which seed; enough to run it again.
 */
#ifndef SOAK_MANIFEST_H
#define SOAK_MANIFEST_H

#include "run.h"

/* Writes (or writes anew, once the libraries are known) the manifest. Returns 0 or -1. */
int manifest_write(struct run *r, struct err *e);

#endif
