/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/lib.h"

#include <ctype.h>
#include <string.h>

static const struct lib_part_entry entries[LIB_PARTS] = {
#define X(identifier, name, dev, runtime, header, first, second, oldest)                           \
    {name, dev, runtime, header, {first, second}, oldest},
#include "libs/parts.def"
};

const struct lib_part_entry *lib_part_entry(enum lib_part part)
{
    return &entries[part];
}

enum lib_part lib_part_named(const char *name)
{
    int i = 0;
    while (i < LIB_PARTS && strcmp(entries[i].name, name) != 0)
        i++;
    return (enum lib_part)i;
}

bool lib_name_ok(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= LIB_NAME || !isalnum((unsigned char)text[0]))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(".+~_-", *text))
            return false;
    return true;
}
