/* SPDX-License-Identifier: Apache-2.0 */
/* What is passed on to the environment of server and client. */
#include "scenario/scenario_check.h"

#include <ctype.h>
#include <string.h>

/* So that all of them fit into OPTS_TEXT and onto a command line. */
enum { ENV_BYTES = 4000 };

static bool is_name(const char *text, size_t length)
{
    if (length == 0 || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    return true;
}

static bool is_one_line(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return false;
    return true;
}

int scenario_check_env(const struct scenario *s, struct err *e)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->env.count; i++) {
        const char *item = s->env.item[i];
        size_t length = strcspn(item, "=");
        if (!item[length] || !is_name(item, length) || !is_one_line(item))
            return err_set(e, "--env %.100s: NAME=VALUE, such as MALLOC_CONF=narenas:1", item);
        bytes += strlen(item) + 1;
    }
    if (bytes > ENV_BYTES)
        return err_set(e, "--env %.40s...: at most %d characters in all", s->env.item[0],
                       ENV_BYTES);
    return 0;
}
