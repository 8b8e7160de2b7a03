#include "peer_tls.h"

#include "base/check.h"
#include "base/clock.h"
#include "tls/context.h"

#include <limits.h>
#include <openssl/err.h>
#include <string.h>

/* What an SSL call has come to. */
enum outcome { OUTCOME_DONE, OUTCOME_WAITS, OUTCOME_AGAIN, OUTCOME_ENDED, OUTCOME_FAILED };

static void count(page_u64 *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A full buffer is emptied here, so that the call can be made again at once, unless the kernel took
 * only a part. */
static enum outcome outcome_of(struct peer *p, int result)
{
    switch (SSL_get_error(p->ssl, result)) {
    case SSL_ERROR_NONE:
        return OUTCOME_DONE;
    case SSL_ERROR_WANT_READ:
        return OUTCOME_WAITS;
    case SSL_ERROR_WANT_WRITE:
        peer_flush(p);
        return p->writes || p->broken ? OUTCOME_WAITS : OUTCOME_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return OUTCOME_ENDED;
    default:
        return OUTCOME_FAILED;
    }
}

int peer_tls_open(struct peer *p)
{
    struct peer_shared *shared = p->shared;
    ERR_clear_error();
    SSL *ssl = SSL_new(shared->ctx);
    BIO *bio = ssl ? wire_bio_new(&p->wire) : NULL;
    if (!bio || (shared->sni && !SSL_set_tlsext_host_name(ssl, shared->sni))) {
        BIO_free(bio);
        SSL_free(ssl);
        ERR_clear_error();
        return -1;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    p->ssl = ssl;
    if (p->resume)
        sessions_offer(shared->sessions, ssl, p->behaviour == BEHAVIOUR_MID_HANDSHAKE);
    return 0;
}

void peer_tls_free(struct peer *p)
{
    ERR_clear_error();
    SSL_free(p->ssl);
    p->ssl = NULL;
}

/* An alert that refuses our certificate arrives after our side of a TLS 1.3 handshake is done. */
static enum peer_failure failure_kind(const struct peer *p)
{
    if (p->state <= PEER_HANDSHAKE || (p->state == PEER_ECHO && p->echoed == 0))
        return PEER_FAIL_HANDSHAKE;
    return p->state == PEER_ECHO ? PEER_FAIL_ECHO : PEER_FAIL_LOST;
}

static void tls_failed(struct peer *p)
{
    char why[200];
    context_error(why, sizeof why);
    peer_flush(p);
    if (p->state == PEER_CLOSE_NOTIFY) {
        peer_close(p);
        return;
    }
    enum peer_failure kind = failure_kind(p);
    peer_fail(p, kind, "%s failed: %s",
              kind == PEER_FAIL_HANDSHAKE ? "a handshake" : "an established connection", why);
}

static void handshake(struct peer *p)
{
    enum outcome outcome;
    do {
        ERR_clear_error();
        outcome = outcome_of(p, SSL_do_handshake(p->ssl));
    } while (outcome == OUTCOME_AGAIN);
    if (outcome == OUTCOME_ENDED || outcome == OUTCOME_FAILED) {
        tls_failed(p);
    } else if (outcome == OUTCOME_DONE) {
        peer_set_state(p, PEER_ECHO);
        count(&p->shared->app->handshakes);
        if (SSL_session_reused(p->ssl))
            count(&p->shared->app->resumed);
        p->shared->on_handshake(p, clock_now_ns() - p->begun_ns);
    }
}

/* Writes the message into the same buffer as the client's Finished, so that both leave together. */
static void send_message(struct peer *p)
{
    while (p->sent < p->shared->payload_bytes && !p->writes && !p->broken) {
        size_t left = p->shared->payload_bytes - p->sent;
        ERR_clear_error();
        int written = SSL_write(p->ssl, p->message + p->sent, (int)left);
        enum outcome outcome = outcome_of(p, written);
        if (outcome == OUTCOME_DONE) {
            p->sent += (size_t)written;
        } else if (outcome == OUTCOME_FAILED || outcome == OUTCOME_ENDED) {
            tls_failed(p);
            return;
        } else if (outcome == OUTCOME_WAITS) {
            return;
        }
    }
}

static void take_echo(struct peer *p, size_t got)
{
    if (p->state == PEER_CLOSE_NOTIFY)
        return;
    if (got > p->sent - p->echoed) {
        peer_fail(p, PEER_FAIL_ECHO, "the server sent more than it was sent: %zu bytes too many",
                  got - (p->sent - p->echoed));
    } else if (memcmp(p->shared->plain, p->message + p->echoed, got) != 0) {
        peer_fail(p, PEER_FAIL_ECHO, "the echo differs from the message within bytes %zu to %zu",
                  p->echoed, p->echoed + got);
    } else {
        p->echoed += got;
    }
}

/* Reads all that has arrived, tickets too. */
static void receive(struct peer *p)
{
    struct peer_shared *shared = p->shared;
    while (p->wire.in_left > 0 && p->state != PEER_CLOSED) {
        ERR_clear_error();
        int got = SSL_read(p->ssl, shared->plain, sizeof shared->plain);
        switch (outcome_of(p, got)) {
        case OUTCOME_DONE:
            take_echo(p, (size_t)got);
            break;
        case OUTCOME_WAITS:
            return;
        case OUTCOME_AGAIN:
            break;
        case OUTCOME_ENDED:
            peer_ended(p, UV_EOF);
            break;
        case OUTCOME_FAILED:
            tls_failed(p);
            break;
        }
    }
}

void peer_tls_advance(struct peer *p)
{
    CHECK(p->shared->out.used == 0);
    if (p->state <= PEER_HANDSHAKE)
        handshake(p);
    if (p->state == PEER_ECHO)
        send_message(p);
    if (p->state != PEER_CLOSED)
        peer_flush(p);
    if (p->state != PEER_CLOSED && p->state > PEER_HANDSHAKE)
        receive(p);
    p->wire.in_left = 0;
    if (p->state == PEER_CLOSED) {
        p->shared->out.used = 0;
        return;
    }
    peer_flush(p);
    if (p->broken) {
        peer_ended(p, p->broken);
    } else if (p->state == PEER_ECHO && p->echoed == p->shared->payload_bytes) {
        peer_set_state(p, PEER_HELD);
        p->shared->on_established(p);
    }
}

void peer_tls_goodbye(struct peer *p)
{
    ERR_clear_error();
    /* Without our close_notify the server would have nothing to answer. */
    if (SSL_shutdown(p->ssl) < 0)
        p->broken = UV_EPROTO;
    ERR_clear_error();
    peer_flush_with_fin(p);
    if (p->broken)
        peer_close(p);
}
