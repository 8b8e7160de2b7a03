/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include "base/names.h"
#include "conn_internal.h"
#include "probe/probe.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* X(ENUM, "name", the largest number; 0: takes none) */
#define REQUESTS(X)                                                                                \
    X(REQUEST_CLOSE, "close", 0)                                                                   \
    X(REQUEST_SEND, "send", 64u << 20)                                                             \
    X(REQUEST_UPDATE, "update", 1000)                                                              \
    X(REQUEST_TICKET, "ticket", 1000)                                                              \
    X(REQUEST_AUTH, "auth", 0)                                                                     \
    X(REQUEST_RENEGOTIATE, "renegotiate", 1000)

#define REQUEST_ROW(id, name, max) [id] = {name, max},
enum request_kind { REQUEST_NONE, REQUESTS(ENUM_ID) };
enum { REQUEST_KINDS = 1 + ENUM_COUNT(REQUESTS), TURN_BYTES = 64 * 1024 };

static const struct {
    const char *name;
    uint64_t max;
} table[REQUEST_KINDS] = {REQUESTS(REQUEST_ROW)};

static const char prefix[] = "soak:";
enum { PREFIX = sizeof prefix - 1, TEXT_MAX = 64 };

/* The request under way. */
struct request {
    enum request_kind kind;
    uint64_t left; /* bytes to send, or renegotiations */
    /* The peer's last Finished: another one tells that it has authenticated. */
    unsigned char finished[EVP_MAX_MD_SIZE];
    size_t finished_length;
};

/* A plain number from 1 to `max`, and nothing after it. Returns 0 or -1. */
static int read_number(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t number = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = 10 * number + (uint64_t)(*text - '0');
        if (number > max)
            return -1;
    }
    if (number == 0)
        return -1;
    *ret = number;
    return 0;
}

/* Reads `soak:NAME` or `soak:NAME NUMBER`, whichever the name wants. */
static enum request_kind read_request(const uint8_t *message, size_t count, uint64_t *ret_number)
{
    char text[TEXT_MAX];
    size_t length = count - PREFIX - 1;
    if (length >= sizeof text)
        return REQUEST_NONE;
    memcpy(text, message + PREFIX, length);
    text[length] = '\0';
    for (int kind = REQUEST_NONE + 1; kind < REQUEST_KINDS; kind++) {
        size_t name = strlen(table[kind].name);
        if (strlen(text) != length || strncmp(text, table[kind].name, name) != 0)
            continue;
        if (table[kind].max == 0 && length == name)
            return (enum request_kind)kind;
        if (table[kind].max > 0 && text[name] == ' ' &&
            read_number(text + name + 1, table[kind].max, ret_number) == 0)
            return (enum request_kind)kind;
    }
    return REQUEST_NONE;
}

static enum ssl_result say(struct conn *c, const char *word)
{
    return conn_send(c, (const uint8_t *)word, (int)strlen(word));
}

/* It is finished, well or not. */
static enum ssl_result answer(struct conn *c, const char *word)
{
    c->request->kind = REQUEST_NONE;
    return say(c, word);
}

/* OpenSSL's refusal is the peer's matter: such as a KeyUpdate in TLS 1.2. */
static enum ssl_result refuse(struct conn *c)
{
    ERR_clear_error();
    return answer(c, "soak:failed\n");
}

/* Sends what was prepared. To wait for the peer's part is no reason to stop reading. */
static enum ssl_result prepared(struct conn *c)
{
    enum ssl_result result = conn_do_handshake(c);
    return result == SSL_RESULT_WAITS ? SSL_RESULT_DONE : result;
}

static int new_ticket(SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return SSL_new_session_ticket(ssl);
#else
    (void)ssl;
    return 0; /* OpenSSL 1.1.1 sends tickets in the handshake only */
#endif
}

/* KeyUpdates or tickets, each a message of its own. */
static enum ssl_result repeat(struct conn *c, uint64_t times)
{
    enum ssl_result result = SSL_RESULT_DONE;
    for (uint64_t i = 0; i < times && result == SSL_RESULT_DONE; i++) {
        ERR_clear_error();
        int rc = c->request->kind == REQUEST_TICKET
                     ? new_ticket(c->ssl)
                     : SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED);
        if (rc != 1)
            return refuse(c);
        result = prepared(c);
    }
    return result == SSL_RESULT_DONE ? answer(c, "soak:done\n") : result;
}

static enum ssl_result authenticate(struct conn *c)
{
    struct request *r = c->request;
    if (SSL_version(c->ssl) != TLS1_3_VERSION)
        return refuse(c);
    ERR_clear_error();
    SSL_set_verify(c->ssl, SSL_get_verify_mode(c->ssl) | SSL_VERIFY_PEER,
                   SSL_get_verify_callback(c->ssl));
    r->finished_length = SSL_get_peer_finished(c->ssl, r->finished, sizeof r->finished);
    return SSL_verify_client_post_handshake(c->ssl) == 1 ? prepared(c) : refuse(c);
}

static bool authenticated(const struct conn *c)
{
    const struct request *r = c->request;
    unsigned char now[EVP_MAX_MD_SIZE];
    size_t length = SSL_get_peer_finished(c->ssl, now, sizeof now);
    return SSL_is_init_finished(c->ssl) &&
           (length != r->finished_length || memcmp(now, r->finished, length) != 0);
}

/* As it was, which is allowed with --renegotiation. */
static void forbid_renegotiation(struct conn *c)
{
    if (!c->shared->options.renegotiation)
        SSL_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION);
}

/* Renegotiation is off but for the ones asked for: a peer can't begin one. */
static enum ssl_result renegotiate(struct conn *c)
{
    ERR_clear_error();
    SSL_clear_options(c->ssl, SSL_OP_NO_RENEGOTIATION);
    if (SSL_version(c->ssl) == TLS1_3_VERSION || SSL_renegotiate(c->ssl) != 1) {
        forbid_renegotiation(c);
        return refuse(c);
    }
    return prepared(c);
}

static enum ssl_result renegotiated(struct conn *c)
{
    if (--c->request->left > 0)
        return renegotiate(c);
    forbid_renegotiation(c);
    return answer(c, "soak:done\n");
}

/* A part of the stream, which leaves by a write that calls back: so a fast peer doesn't keep the
 * loop from its other connections, and for a slow one no more than this is kept. */
static enum ssl_result stream(struct conn *c)
{
    struct net_loop *net = c->socket.net;
    enum ssl_result result = SSL_RESULT_DONE;
    memset(net->plain, '.', sizeof net->plain);
    for (size_t turn = 0; turn < TURN_BYTES && c->request->left; turn += sizeof net->plain) {
        size_t count = sizeof net->plain < c->request->left ? sizeof net->plain : c->request->left;
        result = conn_send(c, net->plain, (int)count);
        if (result != SSL_RESULT_DONE)
            return result;
        c->request->left -= count;
    }
    if (c->request->left)
        conn_flush_kept(c);
    else
        c->request->kind = REQUEST_NONE;
    return result;
}

static enum ssl_result begin(struct conn *c, enum request_kind kind, uint64_t number)
{
    c->request->kind = kind;
    c->request->left = number;
    switch (kind) {
    case REQUEST_CLOSE:
        conn_log_ended(c->log, CONN_LOG_SERVER);
        return SSL_RESULT_ENDED;
    case REQUEST_SEND:
        return stream(c);
    case REQUEST_UPDATE:
    case REQUEST_TICKET:
        return repeat(c, number);
    case REQUEST_AUTH:
        return authenticate(c);
    case REQUEST_RENEGOTIATE:
        return renegotiate(c);
    case REQUEST_NONE:
        break;
    }
    return say(c, "soak:unknown\n");
}

/* Whether the message is a request, and requests are obeyed at all. */
static bool is_request(const struct conn *c, const uint8_t *message, size_t count)
{
    return c->shared->options.requests && count > PREFIX && memcmp(message, prefix, PREFIX) == 0 &&
           message[count - 1] == '\n';
}

/* Obeys it, or answers that it can't. */
static enum ssl_result obey(struct conn *c, const uint8_t *message, size_t count)
{
    uint64_t number = 0;
    enum request_kind kind = read_request(message, count, &number);
    if (!c->request)
        c->request = calloc(1, sizeof *c->request);
    if (!c->request)
        return say(c, "soak:failed\n");
    if (c->request->kind != REQUEST_NONE)
        return say(c, "soak:busy\n");
    return begin(c, kind, number);
}

/* Something has come from the peer: a request under way may be finished. */
static enum ssl_result go_on(struct conn *c)
{
    if (!c->request)
        return SSL_RESULT_WAITS;
    if (c->request->kind == REQUEST_AUTH && authenticated(c))
        return answer(c, "soak:done\n");
    if (c->request->kind == REQUEST_RENEGOTIATE && !SSL_renegotiate_pending(c->ssl))
        return renegotiated(c);
    return SSL_RESULT_WAITS;
}

/* Data of the peer's: one record at most, as SSL_read returns no more. */
static void count_message(struct conn *c)
{
    probe_on_operation(counter_add(&c->shared->app->operations));
    defect_on_message(c->shared->defect, c->ssl);
}

/* The side that closes is the server. */
static enum ssl_result last_words(struct conn *c, const uint8_t *bytes, int count)
{
    conn_log_ended(c->log, CONN_LOG_SERVER);
    enum ssl_result result = conn_send(c, bytes, count);
    c->replied = result == SSL_RESULT_DONE;
    return c->replied ? SSL_RESULT_ENDED : result;
}

/* The answer, less its headers over HTTP/1.1 if it has any. */
static const uint8_t *body_of(const struct options *o, size_t *ret_count)
{
    static const char end[] = "\r\n\r\n";
    const uint8_t *at = memmem(o->reply_bytes, o->reply_count, end, sizeof end - 1);
    const uint8_t *body = at ? at + sizeof end - 1 : o->reply_bytes;
    *ret_count = o->reply_count - (size_t)(body - o->reply_bytes);
    return body;
}

/* A client may take several messages to say its request. */
static enum ssl_result answer_h2(struct conn *c, const uint8_t *message, int count)
{
    uint8_t out[HTTP2_OUT_BYTES + OPTS_STRING_LIMIT];
    size_t bytes, used;
    const uint8_t *body = body_of(&c->shared->options, &bytes);
    bool begun = c->http2.begun;
    if (http2_hear(&c->http2, message, (size_t)count, NULL) < 0) {
        c->turn.served = false;
        return SSL_RESULT_FAILED;
    }
    used = c->http2.begun && !begun ? http2_put_hello(out) : 0;
    if (!c->http2.answered)
        return used ? conn_send(c, out, (int)used) : SSL_RESULT_DONE;
    used += http2_put_answer(out + used, c->http2.stream, bytes);
    memcpy(out + used, body, bytes);
    used += bytes;
    if (c->turn.behaviour == SERVER_BEHAVIOUR_GOAWAY)
        used += http2_put_goaway(out + used, c->http2.stream);
    return last_words(c, out, (int)used);
}

static enum ssl_result answer_message(struct conn *c, const uint8_t *message, int count)
{
    const struct options *o = &c->shared->options;
    count_message(c);
    if (c->h2)
        return answer_h2(c, message, count);
    if (o->reply)
        return last_words(c, o->reply_bytes, (int)o->reply_count);
    return is_request(c, message, (size_t)count) ? obey(c, message, (size_t)count)
                                                 : conn_send(c, message, count);
}

/* As it was drawn; without --paced in order. */
static enum step end_of_turn(struct conn *c)
{
    bool closes =
        c->turn.behaviour == SERVER_BEHAVIOUR_RESET || c->turn.behaviour == SERVER_BEHAVIOUR_FIN;
    c->turn.served |= closes || (c->h2 && c->turn.behaviour == SERVER_BEHAVIOUR_GOAWAY);
    c->resets = c->turn.behaviour == SERVER_BEHAVIOUR_RESET;
    return closes ? STEP_CLOSE : STEP_LEAVE;
}

enum step request_serve(struct conn *c)
{
    struct worker *w = c->worker;
    enum ssl_result result;
    deadline_restart(&w->idle, &c->deadline, uv_now(&w->loop));
    if (c->turn.behaviour == SERVER_BEHAVIOUR_CLOSE_FIRST) {
        conn_log_ended(c->log, CONN_LOG_SERVER);
        return STEP_LEAVE;
    }
    do {
        ERR_clear_error();
        int count = SSL_read(c->ssl, w->net.plain, sizeof w->net.plain);
        result = conn_result(c, count);
        if (result == SSL_RESULT_DONE)
            result = answer_message(c, w->net.plain, count);
        else if (result == SSL_RESULT_WAITS)
            result = go_on(c);
    } while (result == SSL_RESULT_DONE || result == SSL_RESULT_AGAIN);
    if (result == SSL_RESULT_ENDED)
        return c->replied ? end_of_turn(c) : STEP_LEAVE;
    return result == SSL_RESULT_FAILED ? STEP_FAIL : STEP_STAY;
}

enum step request_written(struct conn *c)
{
    if (c->state != CONN_OPEN || !c->request || c->request->kind != REQUEST_SEND ||
        c->socket.broken)
        return STEP_STAY;
    return stream(c) == SSL_RESULT_FAILED ? STEP_FAIL : STEP_STAY;
}

void request_linger(struct conn *c)
{
    uint8_t rest[1024];
    if (!c->request || c->request->kind != REQUEST_CLOSE)
        return;
    ERR_clear_error();
    while (SSL_read(c->ssl, rest, sizeof rest) > 0)
        continue;
    ERR_clear_error();
}

void request_free(struct request *r)
{
    free(r);
}
