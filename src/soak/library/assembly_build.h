/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the subjects for an assembly, by cmake, in a folder of their own. */
#ifndef SOAK_ASSEMBLY_BUILD_H
#define SOAK_ASSEMBLY_BUILD_H

#include "assembly.h"

/* Sets a->folder from a->part. Builds when it isn't built, the sources are younger, or the
 * libraries have changed; one process at a time. */
int assembly_build(struct assembly *a, struct err *e);

#endif
