/* SPDX-License-Identifier: Apache-2.0 */
/* How a server answers tickets, early data and keys known beforehand: what its SSL object saw. */
#include "options/limits.h"
#include "tests/unit/leaks.h"
#include "tls/psk.h"
#include "tls_ends.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const enum tls_version versions[] = {TLS_1_2, TLS_1_3};

/* A server with these features, and a client; resumption is what they are about. */
struct pair {
    SSL_CTX *server, *client;
};

static struct pair pair_open(struct ends *f, enum tls_version version, enum session_kind session,
                             const struct context_features *features)
{
    struct context_server_options o = {
        .version = version, .session = session, .cache_size = 100, .features = features};
    return (struct pair){.server = ends_server_ctx(f, o),
                         .client =
                             ends_client_ctx((struct context_client_options){.version = version})};
}

static void pair_close(struct pair *p)
{
    SSL_CTX_free(p->server);
    SSL_CTX_free(p->client);
}

static SSL_SESSION *session_new(struct ends *f, struct pair *p)
{
    assert_true(ends_meet(f, p->server, p->client, NULL));
    return ends_session(f);
}

static bool server_resumed(const struct ends *f)
{
    return SSL_session_reused(f->server.ssl) == 1;
}

static int tickets_taken;

static void on_message(int written, int version, int type, const void *bytes, size_t length,
                       SSL *ssl, void *arg)
{
    (void)version;
    (void)ssl;
    (void)arg;
    if (!written && type == SSL3_RT_HANDSHAKE && length > 0 &&
        *(const unsigned char *)bytes == SSL3_MT_NEWSESSION_TICKET)
        tickets_taken++;
}

/* Counts the tickets that the client reads from now on. */
static void count_tickets(struct pair *p)
{
    tickets_taken = 0;
    SSL_CTX_set_msg_callback(p->client, on_message);
}

static void as_many_tickets_are_sent_as_asked_for(void **state)
{
    static const int asked[] = {0, 1, 2, 5, LIMIT_TICKETS};
    struct ends *f = *state;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct context_features features = {.tickets = asked[i]};
        struct pair p = pair_open(f, TLS_1_3, SESSION_TICKET, &features);
        count_tickets(&p);
        SSL_SESSION_free(session_new(f, &p));
        assert_int_equal(tickets_taken, asked[i]);
        pair_close(&p);
    }
}

struct answered {
    bool finished, resumed;
    int alert, tickets;
};

/* What becomes of a good ticket under this answer. */
static struct answered answer_to_ticket(struct ends *f, enum tls_version version,
                                        enum ticket_callback answer)
{
    struct context_features features = {.tickets = 2, .ticket_answer = answer};
    struct pair p = pair_open(f, version, SESSION_TICKET, &features);
    SSL_SESSION *session = session_new(f, &p);
    count_tickets(&p);
    struct answered a = {.finished = ends_meet(f, p.server, p.client, session)};
    a.resumed = a.finished && server_resumed(f);
    a.alert = f->client.alert;
    a.tickets = tickets_taken;
    ends_close(f);
    SSL_SESSION_free(session);
    pair_close(&p);
    return a;
}

static void without_an_answer_a_ticket_resumes(void **state)
{
    struct answered old = answer_to_ticket(*state, TLS_1_2, TICKET_CALLBACK_NONE);
    assert_true(old.resumed);
    assert_int_equal(old.tickets, 0);
    assert_true(answer_to_ticket(*state, TLS_1_3, TICKET_CALLBACK_NONE).resumed);
}

static void renew_resumes_and_sends_a_new_ticket(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct answered a = answer_to_ticket(*state, versions[i], TICKET_CALLBACK_RENEW);
        assert_true(a.resumed);
        assert_int_equal(a.tickets, 1);
    }
}

static void ignore_makes_a_full_handshake(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct answered a = answer_to_ticket(*state, versions[i], TICKET_CALLBACK_IGNORE);
        assert_true(a.finished);
        assert_false(a.resumed);
        assert_int_equal(a.tickets, 0);
    }
}

/* OpenSSL up to 3.0.20 loses the session that it made of such a ticket
 * (docs/issues/openssl-30464.md). */
static void abort_ends_the_handshake_by_an_alert(void **state)
{
    for (int i = 0; i < 2; i++) {
        leaks_ignore(true);
        struct answered a = answer_to_ticket(*state, versions[i], TICKET_CALLBACK_ABORT);
        leaks_ignore(false);
        assert_false(a.finished);
        assert_int_not_equal(a.alert, 0);
    }
}

static void an_undecryptable_ticket_is_no_cause_to_abort(void **state)
{
    struct ends *f = *state;
    for (int i = 0; i < 2; i++) {
        struct context_features features = {.tickets = 2, .ticket_answer = TICKET_CALLBACK_ABORT};
        struct pair other = pair_open(f, versions[i], SESSION_TICKET, NULL);
        SSL_SESSION *session = session_new(f, &other);
        struct pair p = pair_open(f, versions[i], SESSION_TICKET, &features);
        assert_true(ends_meet(f, p.server, p.client, session));
        assert_false(server_resumed(f));
        ends_close(f);
        SSL_SESSION_free(session);
        pair_close(&p);
        pair_close(&other);
    }
}

/* A ring that turns at every connection: what becomes of a ticket after `turns` turns. */
static struct answered after_turns(struct ends *f, enum tls_version version, int turns)
{
    struct ticket_ring *ring = NULL;
    assert_int_equal(ticket_ring_new(1, &ring, NULL), 0);
    struct context_features features = {.tickets = 2, .ring = ring};
    struct pair p = pair_open(f, version, SESSION_TICKET, &features);
    ticket_ring_connection(ring);
    SSL_SESSION *session = session_new(f, &p);
    for (int i = 0; i < turns; i++)
        ticket_ring_connection(ring);
    count_tickets(&p);
    struct answered a = {.finished = ends_meet(f, p.server, p.client, session)};
    a.resumed = server_resumed(f);
    a.tickets = tickets_taken;
    ends_close(f);
    SSL_SESSION_free(session);
    pair_close(&p);
    ticket_ring_free(ring);
    return a;
}

static void the_key_before_resumes_and_older_ones_do_not(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct answered same = after_turns(*state, versions[i], 0);
        struct answered before = after_turns(*state, versions[i], 1);
        struct answered older = after_turns(*state, versions[i], 2);
        assert_true(same.resumed);
        assert_true(before.resumed);
        assert_int_equal(before.tickets, 1);
        assert_true(older.finished);
        assert_false(older.resumed);
        /* TLS 1.2 renews for the key before alone; TLS 1.3 renews always. */
        assert_int_equal(same.tickets, versions[i] == TLS_1_3 ? 1 : 0);
    }
}

static void the_key_changes_every_so_many_connections(void **state)
{
    struct ends *f = *state;
    struct ticket_ring *ring = NULL;
    assert_int_equal(ticket_ring_new(3, &ring, NULL), 0);
    struct context_features features = {.tickets = 2, .ring = ring};
    struct pair p = pair_open(f, TLS_1_2, SESSION_TICKET, &features);
    SSL_SESSION *session = NULL;
    static const bool renewed[] = {false, false, false, true, true, true, true};
    for (size_t i = 0; i < sizeof renewed / sizeof renewed[0]; i++) {
        ticket_ring_connection(ring);
        if (!session)
            session = session_new(f, &p);
        count_tickets(&p);
        assert_true(ends_meet(f, p.server, p.client, session));
        assert_int_equal(tickets_taken > 0, renewed[i]);
        /* After six connections the first key is forgotten. */
        assert_int_equal(server_resumed(f), i < 6);
        SSL_SESSION_free(ends_session(f));
    }
    SSL_SESSION_free(session);
    pair_close(&p);
    ticket_ring_free(ring);
}

static void the_lifetime_is_told_and_an_old_session_is_not_resumed(void **state)
{
    struct ends *f = *state;
    struct context_features features = {.tickets = 2, .session_timeout_s = 77};
    for (int i = 0; i < 2; i++) {
        struct pair p = pair_open(f, versions[i], SESSION_CACHE, &features);
        assert_true(ends_meet(f, p.server, p.client, NULL));
        SSL_SESSION *kept = SSL_get1_session(f->server.ssl), *session = ends_session(f);
        assert_int_equal(SSL_SESSION_get_timeout(kept), 77);
        if (versions[i] == TLS_1_3)
            assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(session), 77);
        SSL_SESSION_set_time(kept, SSL_SESSION_get_time(kept) - 80);
        assert_true(ends_meet(f, p.server, p.client, session));
        assert_false(server_resumed(f));
        ends_close(f);
        SSL_SESSION_free(kept);
        SSL_SESSION_free(session);
        pair_close(&p);
    }
}

static void an_evicted_session_is_not_resumed(void **state)
{
    struct ends *f = *state;
    SSL_CTX *server =
        ends_server_ctx(f, (struct context_server_options){
                               .version = TLS_1_2, .session = SESSION_CACHE, .cache_size = 10});
    struct pair p = {.server = server,
                     .client =
                         ends_client_ctx((struct context_client_options){.version = TLS_1_2})};
    SSL_SESSION *first = session_new(f, &p), *last = NULL;
    for (int i = 0; i < 20; i++) {
        SSL_SESSION_free(last);
        last = session_new(f, &p);
    }
    assert_true(ends_meet(f, p.server, p.client, first));
    assert_false(server_resumed(f));
    ends_close(f);
    assert_true(ends_meet(f, p.server, p.client, last));
    assert_true(server_resumed(f));
    ends_close(f);
    SSL_SESSION_free(first);
    SSL_SESSION_free(last);
    pair_close(&p);
}

/* ---- early data ---- */

struct early {
    char got[64]; /* what the server read before the handshake was done */
    size_t length;
    int at_client, at_server; /* SSL_get_early_data_status */
};

static void server_reads_early(struct ends *f, struct early *ret)
{
    int result;
    f->server.wire.in = f->client.out.bytes;
    f->server.wire.in_left = f->client.out.used;
    do {
        size_t got = 0;
        ERR_clear_error();
        result = SSL_read_early_data(f->server.ssl, ret->got + ret->length,
                                     sizeof ret->got - ret->length, &got);
        ret->length += got;
    } while (result == SSL_READ_EARLY_DATA_SUCCESS);
    f->client.out.used = 0;
}

/* One connection that resumes `session` and says "early" with its first flight. */
static struct early say_early(struct ends *f, struct pair *p, SSL_SESSION *session)
{
    struct early early = {.length = 0};
    size_t written = 0;
    ends_open(f, p->server, p->client);
    SSL_set_session(f->client.ssl, session);
    assert_int_equal(SSL_write_early_data(f->client.ssl, "early", 5, &written), 1);
    server_reads_early(f, &early);
    for (int turn = 0; turn < 4; turn++) {
        assert_true(end_turn(&f->client, &f->server));
        server_reads_early(f, &early);
        assert_true(end_turn(&f->server, &f->client));
    }
    early.at_client = SSL_get_early_data_status(f->client.ssl);
    early.at_server = SSL_get_early_data_status(f->server.ssl);
    ends_close(f);
    return early;
}

static void early_data_is_read_before_the_handshake_and_once_only(void **state)
{
    struct ends *f = *state;
    struct context_features features = {.tickets = 1, .early_data_bytes = 20000};
    struct pair p = pair_open(f, TLS_1_3, SESSION_TICKET, &features);
    SSL_SESSION *session = session_new(f, &p);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 20000);
    SSL_SESSION *again = SSL_SESSION_dup(session);
    struct early first = say_early(f, &p, session), replayed = say_early(f, &p, again);
    assert_int_equal(first.at_client, SSL_EARLY_DATA_ACCEPTED);
    assert_int_equal(first.at_server, SSL_EARLY_DATA_ACCEPTED);
    assert_int_equal(first.length, 5);
    assert_memory_equal(first.got, "early", 5);
    assert_int_equal(replayed.at_client, SSL_EARLY_DATA_REJECTED);
    assert_int_equal(replayed.at_server, SSL_EARLY_DATA_REJECTED);
    assert_int_equal(replayed.length, 0);
    SSL_SESSION_free(session);
    SSL_SESSION_free(again);
    pair_close(&p);
}

static void a_server_without_early_data_rejects_it(void **state)
{
    struct ends *f = *state;
    struct context_features features = CONTEXT_FEATURES_PLAIN;
    struct pair p = pair_open(f, TLS_1_3, SESSION_TICKET, &features);
    SSL_SESSION *session = session_new(f, &p);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    /* As a client does that remembers another answer. */
    assert_true(SSL_SESSION_set_max_early_data(session, 1000));
    struct early early = say_early(f, &p, session);
    assert_int_equal(early.at_client, SSL_EARLY_DATA_REJECTED);
    assert_int_equal(early.at_server, SSL_EARLY_DATA_REJECTED);
    assert_int_equal(early.length, 0);
    SSL_SESSION_free(session);
    pair_close(&p);
}

/* ---- a key known beforehand ---- */

/* After a handshake in which the client offered the key and no session, on either side: it stands
 * on the key, not on a certificate. */
static bool psk_was_used(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return SSL_session_reused(ssl) == 1;
    int kx = SSL_CIPHER_get_kx_nid(cipher);
    return kx == NID_kx_psk || kx == NID_kx_ecdhe_psk;
}

static bool psk_meet(struct ends *f, struct pair *p, bool offer)
{
    ends_open(f, p->server, p->client);
    if (offer)
        assert_int_equal(psk_offer(f->client.ssl), 0);
    bool finished = ends_do_handshake(f);
    bool used = finished && psk_was_used(f->server.ssl);
    if (finished)
        assert_int_equal(psk_was_used(f->client.ssl), used);
    ends_close(f);
    return used;
}

static void the_key_is_used_when_both_know_it(void **state)
{
    struct ends *f = *state;
    struct context_features knows = {.tickets = 2, .psk = true}, plain = CONTEXT_FEATURES_PLAIN;
    for (int i = 0; i < 2; i++) {
        struct pair p = pair_open(f, versions[i], SESSION_TICKET, &knows);
        assert_true(psk_meet(f, &p, true));
        assert_false(psk_meet(f, &p, false));
        pair_close(&p);
        p = pair_open(f, versions[i], SESSION_TICKET, &plain);
        assert_false(psk_meet(f, &p, true));
        pair_close(&p);
    }
}

static void a_server_that_knows_the_key_still_takes_tickets(void **state)
{
    struct ends *f = *state;
    struct context_features knows = {.tickets = 2, .psk = true};
    for (int i = 0; i < 2; i++) {
        struct pair p = pair_open(f, versions[i], SESSION_TICKET, &knows);
        SSL_SESSION *session = session_new(f, &p);
        assert_true(ends_meet(f, p.server, p.client, session));
        assert_true(server_resumed(f));
        ends_close(f);
        SSL_SESSION_free(session);
        pair_close(&p);
    }
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        CLAIM(as_many_tickets_are_sent_as_asked_for),
        CLAIM(without_an_answer_a_ticket_resumes),
        CLAIM(renew_resumes_and_sends_a_new_ticket),
        CLAIM(ignore_makes_a_full_handshake),
        CLAIM(abort_ends_the_handshake_by_an_alert),
        CLAIM(an_undecryptable_ticket_is_no_cause_to_abort),
        CLAIM(the_key_before_resumes_and_older_ones_do_not),
        CLAIM(the_key_changes_every_so_many_connections),
        CLAIM(the_lifetime_is_told_and_an_old_session_is_not_resumed),
        CLAIM(an_evicted_session_is_not_resumed),
        CLAIM(early_data_is_read_before_the_handshake_and_once_only),
        CLAIM(a_server_without_early_data_rejects_it),
        CLAIM(the_key_is_used_when_both_know_it),
        CLAIM(a_server_that_knows_the_key_still_takes_tickets),
    };
    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
