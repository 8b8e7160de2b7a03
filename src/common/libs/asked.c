/* SPDX-License-Identifier: Apache-2.0 */
#include "libs/asked.h"

#include "libs/cache.h"
#include "libs/version.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, MAJOR_DIGITS = 2, NUMBERS = 4 };

/* Skips a number of at most `most` digits. Returns NULL when there is none. */
static const char *number_end(const char *text, size_t most)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= most ? text + digits : NULL;
}

/* `1:3.0.22-1~deb12u2`, `1.1.1w`, `3.0`. */
static bool is_version(const char *text)
{
    const char *colon = strchr(text, ':'), *p = colon ? colon + 1 : text;
    int numbers = 0;
    if (colon && number_end(text, MAJOR_DIGITS) != colon)
        return false;
    for (size_t most = MAJOR_DIGITS;; most = DIGITS) {
        p = number_end(p, most);
        if (!p)
            return false;
        if (++numbers == NUMBERS || *p != '.')
            break;
        p++;
    }
    if (numbers >= 3 && isalpha((unsigned char)*p))
        p++;
    return !*p || (strchr("-+~", *p) && version_ok(p + 1));
}

/* Compares as many numbers as were given: 1.1 may mean 1.1.1. */
static bool is_older(const char *asked, const char *oldest)
{
    char upstream[LIB_VERSION], least[LIB_VERSION];
    size_t dots = 0;
    version_upstream(asked, upstream, sizeof upstream);
    for (const char *p = upstream; *p; p++)
        dots += *p == '.';
    snprintf(least, sizeof least, "%s", oldest);
    for (char *p = least; *p; p++)
        if (*p == '.' && dots-- == 0)
            *p-- = '\0';
    return version_compare(upstream, least) < 0;
}

int lib_asked_version(enum lib_part part, const char *asked, struct err *e)
{
    const struct lib_part_entry *entry = lib_part_entry(part);
    if (strlen(asked) >= LIB_NAME)
        return err_set(e, "a name or version has at most %d characters", LIB_NAME - 1);
    if (!is_version(asked))
        return err_set(e, "this is neither a name that `soak libs` lists nor a version, such as %s",
                       entry->oldest);
    if (is_older(asked, entry->oldest))
        return err_set(e, "this is too old: soak needs %s %s or newer", entry->name, entry->oldest);
    return 0;
}

static int check_name(enum lib_part part, const char *asked, struct err *e)
{
    struct lib *found = malloc(sizeof *found);
    if (!found)
        return err_set(e, "out of memory");
    int rc = strlen(asked) < LIB_NAME ? cache_find(part, asked, found, e) : 0;
    free(found);
    if (rc != 0)
        return rc > 0 ? 0 : rc;
    if (lib_asked_version(part, asked, e) == 0)
        return 0;
    return err_prefix(e, "--%s %.60s%s", lib_part_entry(part)->name, asked,
                      strlen(asked) > 60 ? "..." : "");
}

int lib_asked_check(const struct lib_asked *q, struct err *e)
{
    for (int i = 0; i < LIB_PARTS; i++) {
        const char *asked = q->name[i];
        if (!asked || strcmp(asked, "system") == 0 || strchr(asked, '/'))
            continue;
        if (check_name((enum lib_part)i, asked, e) != 0)
            return -1;
    }
    return 0;
}
