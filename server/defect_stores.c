/* SPDX-License-Identifier: Apache-2.0 */
#include "defect_stores.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
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

struct note {
    struct note *older;
    char text[32];
};

static void notes_free(void *ssl, void *notes, CRYPTO_EX_DATA *data, int index, long number,
                       void *argument)
{
    (void)ssl;
    (void)data;
    (void)index;
    (void)number;
    (void)argument;
    for (struct note *note = notes, *older; note; note = older) {
        older = note->older;
        OPENSSL_free(note);
    }
}

int notes_index(void)
{
    return SSL_get_ex_new_index(0, NULL, NULL, NULL, notes_free);
}

void notes_add(int index, SSL *ssl)
{
    struct note *note = OPENSSL_zalloc(sizeof *note);
    if (!note)
        return;
    note->older = SSL_get_ex_data(ssl, index);
    if (!SSL_set_ex_data(ssl, index, note))
        OPENSSL_free(note);
}

enum {
    RECORD_BYTES = 128,
    RECORD_GROUP = 32, /* a 4 KiB slab of them */
    RECORD_KEPT_EVERY = 8,
    RECORD_GROUPS = 8192,
    RECORD_CONNECTIONS = 16, /* a compaction every so many, so that the store outlasts a run */
    MERGED_BYTES = (RECORD_GROUP - RECORD_GROUP / RECORD_KEPT_EVERY) * RECORD_BYTES
};

struct records {
    atomic_uint_fast64_t connections, merged;
    void *record[RECORD_GROUPS * RECORD_GROUP]; /* in order of their making */
};

static void *filled(size_t size, int byte)
{
    void *block = malloc(size);
    CHECK(block);
    return memset(block, byte, size);
}

struct records *records_new(void)
{
    struct records *r = calloc(1, sizeof *r);
    CHECK(r);
    for (size_t i = 0; i < (size_t)RECORD_GROUPS * RECORD_GROUP; i++)
        r->record[i] = filled(RECORD_BYTES, 'r');
    return r;
}

/* Puts most records of a group into one of their common size. As many bytes are in use as before,
 * but the few records that stay keep the old pages from being used for anything larger. */
void records_add(struct records *r)
{
    if (atomic_fetch_add(&r->connections, 1) % RECORD_CONNECTIONS != 0)
        return;
    uint64_t group = atomic_fetch_add(&r->merged, 1);
    if (group >= RECORD_GROUPS)
        return;
    void **record = r->record + group * RECORD_GROUP;
    for (int i = 0; i < RECORD_GROUP; i++) {
        if (i % RECORD_KEPT_EVERY == 0)
            continue;
        free(record[i]);
        record[i] = NULL;
    }
    record[1] = filled(MERGED_BYTES, 'm');
}

void records_free(struct records *r)
{
    for (size_t i = 0; r && i < (size_t)RECORD_GROUPS * RECORD_GROUP; i++)
        free(r->record[i]);
    free(r);
}
