/* SPDX-License-Identifier: Apache-2.0 */
#include "opts_weights.h"

#include "base/check.h"
#include "choices.h"
#include "grammar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_LIMIT = 256, NAME_SIZE = 64, ITEM_SIZE = 128 };

static const char none[] = "none";

/* What has been read so far. */
struct weights {
    const char *names;
    uint64_t weight[NAMES_LIMIT];
    bool given[NAMES_LIMIT];
};

static int refuse_name(const char *names, const char *name, struct err *e)
{
    char copy[NAMES_LIMIT][NAME_SIZE];
    const char *list[NAMES_LIMIT], *at;
    size_t count = 0, length;
    for (; count < NAMES_LIMIT && (at = choices_at(names, (int)count, &length)); count++) {
        snprintf(copy[count], NAME_SIZE, "%.*s", (int)length, at);
        list[count] = copy[count];
    }
    const char *nearest = grammar_nearest(name, list, count);
    if (nearest)
        return err_set(e, "no such name '%s'; did you mean %s?", name, nearest);
    if (!*name)
        return err_set(e, "a name is missing; this is NAME=WEIGHT, such as %s=3,%s=1", list[0],
                       list[count > 1]);
    return err_set(e, "no such name '%s'", name);
}

/* `name` or `name=3`. */
static int read_item(struct weights *w, char *item, struct err *e)
{
    uint64_t weight = 1;
    struct err why;
    char *sign = strchr(item, '=');
    if (sign) {
        *sign = '\0';
        if (grammar_count(sign + 1, &weight, &why) < 0)
            return err_set(e, "the weight of %s: %s", item, why.text);
    }
    int i = choices_find(w->names, item, strlen(item));
    if (i < 0)
        return refuse_name(w->names, item, e);
    CHECK(i < NAMES_LIMIT);
    if (w->given[i])
        return err_set(e, "%s is there twice", item);
    w->given[i] = true;
    w->weight[i] = weight;
    return 0;
}

static int read_list(struct weights *w, const char *text, struct err *e)
{
    for (;;) {
        char item[ITEM_SIZE];
        size_t length = strcspn(text, ",");
        if (length >= sizeof item)
            return err_set(e, "no such name '%.40s...'", text);
        memcpy(item, text, length);
        item[length] = '\0';
        if (read_item(w, item, e) < 0)
            return -1;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

int opts_weights_set(uint64_t *weights, const char *names, const char *text, struct err *e)
{
    struct weights w = {.names = names};
    size_t length;
    if (strcmp(text, none) != 0 && read_list(&w, text, e) < 0)
        return -1;
    for (int i = 0; choices_at(names, i, &length); i++)
        weights[i] = w.weight[i];
    return 0;
}

char *opts_weights_print(char *buf, size_t size, const char *names, const uint64_t *weights)
{
    size_t used = 0, length;
    const char *name;
    snprintf(buf, size, "%s", none);
    for (int i = 0; (name = choices_at(names, i, &length)); i++) {
        char count[32];
        if (!weights[i] || used >= size)
            continue;
        used += (size_t)snprintf(buf + used, size - used, "%s%.*s=%s", used ? "," : "", (int)length,
                                 name, grammar_count_print(count, sizeof count, weights[i]));
    }
    return buf;
}
