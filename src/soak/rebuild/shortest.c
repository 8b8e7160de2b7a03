/* SPDX-License-Identifier: Apache-2.0 */
#include "shortest.h"

#include "report/json_util.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char schema[] = "soak-shortest/1";

static const struct json_field list[] = {
    JSON_FIELD(shortest, "version", NAME, version),
    JSON_FIELD(shortest, "command", NAME, command),
    JSON_FIELD(shortest, "by_file", TEXT, by_file),
    JSON_FIELD(shortest, "site", NAME, site),
    JSON_FIELD(shortest, "closed", COUNT, closed),
    JSON_FIELD(shortest, "runs", COUNT, runs),
    JSON_FIELD(shortest, "seconds", NUMBER, seconds),
    JSON_FIELD(shortest, "confirmed", BOOL, confirmed),
    JSON_FIELD(shortest, "stopped", BOOL, stopped),
};
static const struct json_fields fields = JSON_FIELDS(list);

char *shortest_write(const struct shortest *s)
{
    json_t *root = json_pack("{s:s}", "schema", schema);
    if (root)
        json_set_fields(root, &fields, s);
    return json_document(root);
}

static int read_fields(struct shortest *ret, struct err *e)
{
    const char *is = NULL;
    if (json_need_text(ret->root, "schema", &is, e) != 0)
        return -1;
    if (strcmp(is, schema) != 0)
        return err_set(e, "it is %.60s, not %s", is, schema);
    return json_read_fields(ret->root, &fields, ret, e);
}

int shortest_load(struct shortest *ret, const char *folder, struct err *e)
{
    char path[PATH_MAX];
    *ret = (struct shortest){.root = NULL};
    int n = snprintf(path, sizeof path, "%s/" SHORTEST_FILE, folder);
    if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) != 0)
        return 0;
    ret->root = json_load_owned(path, &ret->owner, e);
    if (!ret->root)
        return -1;
    return read_fields(ret, e) == 0 ? 0 : err_prefix(e, "%.300s", path);
}

void shortest_free(struct shortest *s)
{
    json_decref(s->root);
    *s = (struct shortest){.root = NULL};
}
