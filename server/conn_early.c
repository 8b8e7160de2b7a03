/* SPDX-License-Identifier: Apache-2.0 */
/* Early data: what a peer sends with its ClientHello, read and echoed before its handshake is done.
 */
#include "conn_internal.h"
#include "server.h"

#include <openssl/err.h>

static enum outcome send_early(struct conn *c, const uint8_t *bytes, size_t count)
{
    enum outcome outcome;
    size_t written;
    do {
        ERR_clear_error();
        outcome = conn_outcome(c, SSL_write_early_data(c->ssl, bytes, count, &written));
    } while (outcome == OUTCOME_AGAIN);
    return outcome == OUTCOME_WAITS ? OUTCOME_FAILED : outcome;
}

enum outcome conn_early(struct conn *c)
{
    struct worker *w = c->worker;
    enum outcome outcome = OUTCOME_DONE;
    while (c->early && (outcome == OUTCOME_DONE || outcome == OUTCOME_AGAIN)) {
        size_t count = 0;
        ERR_clear_error();
        int result = SSL_read_early_data(c->ssl, w->plain, sizeof w->plain, &count);
        if (result == SSL_READ_EARLY_DATA_ERROR)
            outcome = conn_outcome(c, -1);
        else if (count)
            outcome = send_early(c, w->plain, count);
        if (result == SSL_READ_EARLY_DATA_FINISH)
            c->early = false;
    }
    return outcome;
}
