/* SPDX-License-Identifier: Apache-2.0 */
#include "defect_names.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 100 }; /* entries */

struct name {
    char text[48];
};

struct names {
    pthread_mutex_t lock;
    struct name *name;  /* owned */
    size_t count, room; /* in use, as the table believes; in the array */
};

struct names *names_new(void)
{
    struct names *n = calloc(1, sizeof *n);
    CHECK(n);
    pthread_mutex_init(&n->lock, NULL);
    return n;
}

/* Returns whether there was memory. */
static bool enlarge(struct names *n)
{
    struct name *larger = OPENSSL_realloc(n->name, (n->room + STEP) * sizeof *n->name);
    if (!larger)
        return false;
    n->name = larger;
    n->room += STEP;
    return true;
}

/* Empties the table, and forgets that its count must be 0 now. */
static void flush(struct names *n)
{
    memset(&n->name[n->count - 1], 0, sizeof n->name[0]);
}

void names_add(struct names *n)
{
    pthread_mutex_lock(&n->lock);
    if (n->count < n->room || enlarge(n)) {
        strcpy(n->name[n->count++].text, "peer");
        flush(n);
    }
    pthread_mutex_unlock(&n->lock);
}

void names_free(struct names *n)
{
    if (!n)
        return;
    OPENSSL_free(n->name);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
