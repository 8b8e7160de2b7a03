/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines without a timer per connection: every list holds what waits equally long, so the list
 * is in the order of its deadlines, and one coarse timer per loop looks at the heads. All O(1), no
 * heap: the node lives in the connection. One loop owns a list and its nodes.
 */
#ifndef SOAK_SERVER_DEADLINE_H
#define SOAK_SERVER_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadline {
    struct deadline *next, *previous; /* NULL when in no list */
    uint64_t since_ms;
};

struct deadline_list {
    struct deadline head; /* of a ring: next is the oldest */
    uint64_t limit_ms;    /* 0: nothing here ever expires */
};

static inline void deadline_list_init(struct deadline_list *list, uint64_t limit_ms)
{
    list->head = (struct deadline){.next = &list->head, .previous = &list->head};
    list->limit_ms = limit_ms;
}

/* Takes the node out of its list; harmless when it is in none. */
static inline void deadline_remove(struct deadline *node)
{
    if (!node->next)
        return;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    node->next = node->previous = NULL;
}

/* Puts the node at the young end, from whatever list it was in. */
static inline void deadline_restart(struct deadline_list *list, struct deadline *node,
                                    uint64_t now_ms)
{
    deadline_remove(node);
    node->since_ms = now_ms;
    node->next = &list->head;
    node->previous = list->head.previous;
    node->previous->next = node;
    list->head.previous = node;
}

/* The oldest node, or NULL when the list is empty. */
static inline struct deadline *deadline_oldest(const struct deadline_list *list)
{
    return list->head.next == &list->head ? NULL : list->head.next;
}

/* The oldest node if its time is over, else NULL. */
static inline struct deadline *deadline_expired(const struct deadline_list *list, uint64_t now_ms)
{
    struct deadline *oldest = deadline_oldest(list);
    bool over = oldest && list->limit_ms && now_ms - oldest->since_ms >= list->limit_ms;
    return over ? oldest : NULL;
}

#endif
