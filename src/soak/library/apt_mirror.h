/* SPDX-License-Identifier: Apache-2.0 */
/* Which mirror of Debian the machine's apt uses. */
#ifndef SOAK_APT_MIRROR_H
#define SOAK_APT_MIRROR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { APT_MIRROR = 512, APT_KEYS = 512 };

struct apt_mirror {
    char address[APT_MIRROR];
    char keys[APT_KEYS]; /* a file; "" = those that apt trusts anyway */
};

/* The mirror of Debian, or of its security pockets, that apt is set up with. `log` receives what
 * apt says. -1 with a sentence when there is none. */
int apt_mirror_find(bool security, const char *log, struct apt_mirror *ret, struct err *e);

#endif
