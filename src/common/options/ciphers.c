/* SPDX-License-Identifier: Apache-2.0 */
#include "ciphers.h"

#include <string.h>

bool ciphers_name(const char *ciphers, bool tls13)
{
    for (const char *name = ciphers; *name;) {
        size_t length = strcspn(name, ":");
        if (length && (strncmp(name, "TLS_", 4) == 0) == tls13)
            return true;
        name += length + (name[length] == ':');
    }
    return false;
}
