/* SPDX-License-Identifier: Apache-2.0 */
#include "resume_early.h"

#include "resume_offer.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <time.h>

/* Within what a server without early data passes over (OpenSSL: 16 KiB), and of an age that is off
 * by more than the 10 s that OpenSSL bears with. */
enum { EARLY_MOST_BYTES = 8192, STALE_S = 30 };

/* Takes `session`, which may be NULL. */
static int send_early(struct peer *p, SSL_SESSION *session)
{
    size_t allowed = session ? SSL_SESSION_get_max_early_data(session) : 0;
    size_t count = p->shared->payload_bytes < allowed ? p->shared->payload_bytes : allowed;
    int rc = session && !SSL_set_session(p->ssl, session) ? -1 : 0;
    SSL_SESSION_free(session);
    if (rc < 0 || count == 0)
        return rc;
    size_t written = 0;
    if (count > EARLY_MOST_BYTES)
        count = EARLY_MOST_BYTES;
    ERR_clear_error();
    if (SSL_write_early_data(p->ssl, p->message, count, &written) != 1)
        return -1;
    p->step = (unsigned)written;
    peer_flush(p);
    return 0;
}

int early_prepare(struct peer *p)
{
    struct session_der der = sessions_take(p->shared->sessions, false);
    int rc = send_early(p, session_decode(&der));
    free(der.bytes);
    return rc;
}

int early_prepare_stale(struct peer *p)
{
    struct session_der der = sessions_take(p->shared->sessions, false);
    SSL_SESSION *session = session_decode(&der);
    free(der.bytes);
    if (session && (!SSL_SESSION_set_max_early_data(session, EARLY_MOST_BYTES) ||
                    !SSL_SESSION_set_time(session, (long)time(NULL) - STALE_S))) {
        SSL_SESSION_free(session);
        return -1;
    }
    return send_early(p, session);
}

int early_prepare_replay(struct peer *p)
{
    struct session_der *replay = &p->shared->sessions->replay;
    bool second = replay->bytes != NULL;
    if (!second)
        *replay = sessions_take(p->shared->sessions, false);
    int rc = send_early(p, session_decode(replay));
    if (second) {
        free(replay->bytes);
        *replay = (struct session_der){0};
    }
    return rc;
}

void early_on_handshake_done(struct peer *p)
{
    if (SSL_get_early_data_status(p->ssl) == SSL_EARLY_DATA_ACCEPTED)
        p->sent = p->step;
}
