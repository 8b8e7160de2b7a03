/* SPDX-License-Identifier: Apache-2.0 */
#include "choices.h"

#include <string.h>

const char *choices_at(const char *choices, int index, size_t *ret_length)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (!choices)
            return NULL;
        choices++;
    }
    if (!*choices)
        return NULL;
    *ret_length = strcspn(choices, "|");
    return choices;
}

int choices_find(const char *choices, const char *text, size_t length)
{
    size_t has;
    const char *name;
    for (int i = 0; (name = choices_at(choices, i, &has)); i++)
        if (has == length && strncmp(name, text, length) == 0)
            return i;
    return -1;
}

ENUM_NAMES(operation, OPERATE_LIST)
ENUM_NAMES(tls_version, TLS_LIST)
ENUM_NAMES(key_kind, KEY_LIST)
ENUM_NAMES(malloc_kind, MALLOC_LIST)
