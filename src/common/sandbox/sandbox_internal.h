/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the sandbox. Each returns 0, or -1 with errno set; ENOSYS and EOPNOTSUPP where
 * the kernel is built or started without it. */
#ifndef SOAK_SANDBOX_INTERNAL_H
#define SOAK_SANDBOX_INTERNAL_H

#include "sandbox.h"

int landlock_version(void);
int landlock_enter(const struct sandbox_options *o);

bool seccomp_present(void);
/* With it, the signal SIGSYS says which call was refused and ends the process. */
int seccomp_enter(const struct sandbox_options *o);

#endif
