/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_internal.h"

#include <stdlib.h>
#include <string.h>

/* Calls of one function from several lines are one node, as are functions of one name and module.
 */
static bool is_node(const struct profile_node *node, const char *name,
                    const struct profile_frame *frame)
{
    return node->name == name && (!frame || node->frame->module == frame->module);
}

/* The node for `frame` in the list, made when it is new; NULL when out of memory. */
static struct profile_node *enter(struct profile_node **list, const char *name,
                                  const struct profile_frame *frame)
{
    for (; *list; list = &(*list)->next) {
        struct profile_node *node = *list;
        if (!is_node(node, name, frame))
            continue;
        if (frame && (node->frame->file != frame->file || node->frame->line != frame->line))
            node->lines = true;
        return node;
    }
    *list = calloc(1, sizeof **list);
    if (*list)
        **list = (struct profile_node){.name = name, .frame = frame};
    return *list;
}

static void count(struct profile_node *node, const struct profile_stack *stack)
{
    node->blocks += stack->blocks;
    node->bytes += stack->bytes;
}

static int add_stack(struct profile_node **roots, const struct profile_stack *stack)
{
    struct profile_node *node = enter(roots, stack->subject, NULL);
    if (node)
        count(node, stack);
    for (size_t i = stack->frames; node && i-- > 0;) {
        node = enter(&node->child, stack->frame[i].name, &stack->frame[i]);
        if (node)
            count(node, stack);
    }
    if (!node)
        return -1;
    node->own_bytes += stack->bytes;
    return 0;
}

/* The widest first; of equals by name, so that the order of the samples doesn't show. */
static bool before(const struct profile_node *a, const struct profile_node *b)
{
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes;
    int by_name = strcmp(a->name, b->name);
    if (by_name != 0 || !a->frame || !b->frame)
        return by_name < 0;
    return strcmp(a->frame->module, b->frame->module) < 0;
}

static void sort(struct profile_node **list)
{
    struct profile_node *sorted = NULL;
    while (*list) {
        struct profile_node *node = *list;
        *list = node->next;
        struct profile_node **at = &sorted;
        while (*at && before(*at, node))
            at = &(*at)->next;
        node->next = *at;
        *at = node;
        sort(&node->child);
    }
    *list = sorted;
}

struct profile_node *profile_tree_new(const struct profile *p, bool *ret_failed)
{
    struct profile_node *roots = NULL;
    *ret_failed = false;
    for (size_t i = 0; i < p->stacks && !*ret_failed; i++) {
        if (p->stack[i].bytes > 0 && add_stack(&roots, &p->stack[i]) != 0)
            *ret_failed = true;
    }
    if (*ret_failed) {
        profile_tree_free(roots);
        return NULL;
    }
    sort(&roots);
    return roots;
}

void profile_tree_free(struct profile_node *first)
{
    while (first) {
        struct profile_node *next = first->next;
        profile_tree_free(first->child);
        free(first);
        first = next;
    }
}
