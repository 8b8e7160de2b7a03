/* SPDX-License-Identifier: Apache-2.0 */
#include "resume.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of a session without a ticket: more than the second that --session-timeout is at least. */
enum { EXPIRED_AFTER_S = 2 };

static int offer(struct peer *p, SSL_SESSION *session)
{
    int rc = session && SSL_set_session(p->ssl, session) ? 0 : -1;
    SSL_SESSION_free(session);
    return rc;
}

int offer_der(struct peer *p, const struct session_der *der)
{
    return der && der->bytes ? offer(p, session_decode(der)) : 0;
}

int offer_oldest(struct peer *p)
{
    sessions_offer(p->shared->sessions, p->ssl, false);
    return 0;
}

int offer_to_be_refused(struct peer *p)
{
    sessions_offer(p->shared->sessions, p->ssl, true);
    return 0;
}

int offer_without_key(struct peer *p)
{
    struct session_der der = sessions_take(p->shared->sessions, false);
    SSL_SESSION *session = session_decode(&der);
    unsigned char key[SSL_MAX_MASTER_KEY_LENGTH];
    sessions_put(p->shared->sessions, der);
    if (!session)
        return 0;
    size_t size = SSL_SESSION_get_master_key(session, key, sizeof key);
    key[0] ^= 1;
    if (size == 0 || !SSL_SESSION_set1_master_key(session, key, size)) {
        SSL_SESSION_free(session);
        return -1;
    }
    return offer(p, session);
}

static int offer_ancient(struct peer *p)
{
    return offer_der(p, &p->shared->sessions->ancient);
}

int offer_ancient_or_none(struct peer *p)
{
    return peer_variant(p) % 2 ? 0 : offer_ancient(p);
}

/* How long a server waits until it is over: what it said with the ticket, and a second for the
 * rounding of both clocks. Sessions without a ticket say nothing. */
static long over_after_s(const SSL_SESSION *session)
{
    long hint = (long)SSL_SESSION_get_ticket_lifetime_hint(session);
    return hint ? hint + 1 : EXPIRED_AFTER_S;
}

/* A client of TLS 1.3 keeps a ticket to itself when its time is over, so its age is made up. */
int offer_expired(struct peer *p)
{
    SSL_SESSION *session = session_decode(&p->shared->sessions->ancient);
    long now = (long)time(NULL);
    if (!session)
        return 0;
    if (now - (long)SSL_SESSION_get_time(session) <= over_after_s(session)) {
        SSL_SESSION_free(session);
        return 0;
    }
    SSL_SESSION_set_time(session, now);
    return offer(p, session);
}

int offer_newest_or_ancient(struct peer *p)
{
    struct sessions *store = p->shared->sessions;
    if (peer_variant(p) % 2)
        return offer_ancient(p);
    struct session_der der = sessions_take(store, true);
    int rc = offer_der(p, &der);
    free(der.bytes);
    return rc;
}

/* In DER the octets stand as they are. */
static void turn_over(struct session_der *der, const unsigned char *octets, size_t count, bool last)
{
    unsigned char *at = count ? memmem(der->bytes, (size_t)der->length, octets, count) : NULL;
    if (at)
        at[last ? count - 1 : 0] ^= 1;
}

static void spoil(struct session_der *der, const SSL_SESSION *session, bool last)
{
    const unsigned char *octets;
    size_t count = 0;
    SSL_SESSION_get0_ticket(session, &octets, &count);
    if (count == 0) {
        unsigned int length;
        octets = SSL_SESSION_get_id(session, &length);
        count = length;
    }
    turn_over(der, octets, count, last);
}

/* A ticket begins with the name of its key and ends with its seal (RFC 5077 4). */
int offer_spoiled(struct peer *p)
{
    struct session_der der = sessions_take(p->shared->sessions, false);
    SSL_SESSION *session = session_decode(&der);
    if (session)
        spoil(&der, session, peer_variant(p) % 2);
    SSL_SESSION_free(session);
    int rc = offer_der(p, &der);
    free(der.bytes);
    return rc;
}

/* Within what a server without early data passes over (OpenSSL: 16 KiB), and of an age that is off
 * by more than the 10 s that OpenSSL bears with. */
enum { EARLY_MOST_BYTES = 8192, STALE_S = 30 };

/* Takes `session`, which may be NULL. */
static int send_early(struct peer *p, SSL_SESSION *session)
{
    size_t allowed = session ? SSL_SESSION_get_max_early_data(session) : 0;
    size_t count = p->message_bytes < allowed ? p->message_bytes : allowed;
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
