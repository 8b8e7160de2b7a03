/* SPDX-License-Identifier: Apache-2.0 */
#include "defect_notes.h"

#include <openssl/crypto.h>

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
