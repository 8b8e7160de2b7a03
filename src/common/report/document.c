/* SPDX-License-Identifier: Apache-2.0 */
#include "report/document.h"

#include <stdlib.h>
#include <string.h>

char *document_text(json_t *root)
{
    char *dumped = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    if (!dumped)
        return NULL;
    size_t length = strlen(dumped);
    char *ended = realloc(dumped, length + 2);
    if (!ended) {
        free(dumped);
        return NULL;
    }
    memcpy(ended + length, "\n", 2);
    return ended;
}
