/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_internal.h"

#include <inttypes.h>
#include <string.h>

/* The frames on the way from the root to where the walk is. */
struct path {
    const char *name[PROFILE_FRAMES + 1];
    size_t length;
};

static void write_name(const char *name, FILE *out)
{
    for (; *name; name++)
        putc(*name == ';' ? ':' : *name == ' ' ? '_' : *name, out);
}

static void write_line(const struct path *path, int64_t bytes, FILE *out)
{
    for (size_t i = 0; i < path->length; i++) {
        if (i > 0)
            putc(';', out);
        write_name(path->name[i], out);
    }
    fprintf(out, " %" PRId64 "\n", bytes);
}

static void walk(const struct profile_node *node, struct path *path, FILE *out)
{
    for (; node; node = node->next) {
        path->name[path->length++] = node->name;
        if (node->own_bytes > 0)
            write_line(path, node->own_bytes, out);
        walk(node->child, path, out);
        path->length--;
    }
}

int profile_write_folded(const struct profile *p, FILE *out, struct err *e)
{
    bool failed;
    struct profile_node *tree = profile_tree_new(p, &failed);
    if (failed)
        return err_set(e, "out of memory for the folded stacks");
    struct path path = {.length = 0};
    profile_begin();
    walk(tree, &path, out);
    profile_tree_free(tree);
    return profile_finish(out, e);
}
