/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include "base/check.h"
#include "tls/psk.h"
#include "tls/wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char identity[] = "soak-agent";
static const char suite_name[] = "TLS_AES_128_GCM_SHA256";

/* ---- the key ---- */

static SSL_SESSION *session_new(SSL *ssl)
{
    const struct channel_loop *l = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    return psk_session_new(ssl, l->key, sizeof l->key);
}

static int find_session(SSL *ssl, const unsigned char *name, size_t length, SSL_SESSION **ret)
{
    *ret = NULL;
    if (length != sizeof identity - 1 || memcmp(name, identity, length) != 0)
        return 1;
    *ret = session_new(ssl);
    return *ret != NULL;
}

static int use_session(SSL *ssl, const EVP_MD *hash, const unsigned char **name, size_t *length,
                       SSL_SESSION **ret)
{
    (void)hash;
    *ret = session_new(ssl);
    *name = (const unsigned char *)identity;
    *length = sizeof identity - 1;
    return *ret != NULL;
}

static bool set_up(struct channel_loop *l)
{
    SSL_CTX *ctx = l->ctx;
    SSL_CTX_set_app_data(ctx, l);
    /* Without a certificate on one side, and one that is trusted on the other, the key is all that
     * a handshake can stand on. Tickets would be keys of a longer life. */
    SSL_CTX_set_verify(ctx, l->serves ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (l->serves)
        SSL_CTX_set_psk_find_session_callback(ctx, find_session);
    else
        SSL_CTX_set_psk_use_session_callback(ctx, use_session);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_ciphersuites(ctx, suite_name) == 1;
}

/* ---- its end ---- */

static void end(struct channel *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void end(struct channel *c, const char *format, ...)
{
    va_list args;
    if (net_is_closed(&c->socket))
        return;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    net_close(&c->socket);
}

/* Why a handshake failed, as the person at this end can act on it. */
static void end_by_tls(struct channel *c)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    int number = ERR_GET_REASON(code);
    if (c->open)
        end(c, "TLS failed: %s", reason ? reason : "the connection broke");
    else if (!c->loop->serves)
        end(c, "it has another join token, or isn't a run (%s)",
            reason ? reason : "the connection broke");
    else if (number == SSL_R_BINDER_DOES_NOT_VERIFY)
        end(c, "it has another join token");
    else
        end(c, "it doesn't speak the protocol of agents (%s)",
            reason ? reason : "the connection broke");
    ERR_clear_error();
}

static void check_output(struct channel *c)
{
    net_flush(&c->socket);
    if (c->socket.broken)
        end(c, "%s", uv_strerror(c->socket.broken));
    else if (channel_kept(c) > CHANNEL_KEPT)
        end(c, "it doesn't read what it is told");
}

void channel_close(struct channel *c)
{
    if (net_is_closed(&c->socket))
        return;
    if (c->open) {
        ERR_clear_error();
        SSL_shutdown(c->ssl);
        net_flush(&c->socket);
        ERR_clear_error();
    }
    net_close(&c->socket);
}

/* ---- bytes in ---- */

/* Returns whether it is open. */
static bool shake(struct channel *c)
{
    ERR_clear_error();
    enum ssl_result result = ssl_result_of(c->ssl, SSL_do_handshake(c->ssl));
    check_output(c); /* an alert, too */
    if (net_is_closed(&c->socket) || result == SSL_RESULT_WAITS)
        return false;
    if (result != SSL_RESULT_DONE || !SSL_session_reused(c->ssl)) {
        end_by_tls(c);
        return false;
    }
    c->open = true;
    c->events->on_open(c);
    return !net_is_closed(&c->socket);
}

static void on_line(void *ctx, const char *line)
{
    struct channel *c = ctx;
    if (!net_is_closed(&c->socket))
        c->events->on_line(c, line);
}

/* Returns whether there may be more. */
static bool read_some(struct channel *c)
{
    char plain[NET_PLAIN_BYTES];
    ERR_clear_error();
    int n = SSL_read(c->ssl, plain, sizeof plain);
    enum ssl_result result = ssl_result_of(c->ssl, n);
    check_output(c);
    if (net_is_closed(&c->socket) || result == SSL_RESULT_WAITS)
        return false;
    if (result == SSL_RESULT_ENDED)
        end(c, "it has left");
    else if (result != SSL_RESULT_DONE)
        end_by_tls(c);
    else if (line_reader_feed(&c->reader, plain, (size_t)n, on_line, c) != 0)
        end(c, "it sent what isn't a line of the protocol");
    return !net_is_closed(&c->socket);
}

static void on_read(struct net_socket *s, const uint8_t *bytes, size_t count)
{
    struct channel *c = (struct channel *)s;
    s->wire.in = bytes;
    s->wire.in_left = count;
    if (net_is_closed(s) || (!c->open && !shake(c)))
        return;
    while (read_some(c))
        ;
}

static void on_ended(struct net_socket *s, int why)
{
    struct channel *c = (struct channel *)s;
    end(c, "%s", why == UV_EOF ? "its connection ended" : uv_strerror(why));
}

static void on_written(struct net_socket *s, size_t count, int status)
{
    (void)count;
    if (status != 0)
        end((struct channel *)s, "%s", uv_strerror(status));
}

static void on_closed(struct net_socket *s)
{
    struct channel *c = (struct channel *)s;
    SSL_free(c->ssl);
    c->ssl = NULL;
    c->events->on_closed(c, c->why);
}

/* ---- the whole ---- */

int channel_loop_init(struct channel_loop *l, uv_loop_t *loop, const char *token, bool serves,
                      struct err *e)
{
    static const struct net_events events = {on_read, on_ended, on_written, on_closed};
    l->net.loop = loop;
    l->net.events = &events;
    l->net.out.used = 0;
    l->serves = serves;
    token_key(token, l->key);
    l->ctx = SSL_CTX_new(serves ? TLS_server_method() : TLS_client_method());
    if (l->ctx && set_up(l))
        return 0;
    channel_loop_fini(l);
    return err_set(e, "OpenSSL can't do TLS 1.3 with a pre-shared key here");
}

void channel_loop_fini(struct channel_loop *l)
{
    SSL_CTX_free(l->ctx);
    l->ctx = NULL;
    OPENSSL_cleanse(l->key, sizeof l->key);
}

static void begin(struct channel *c, struct channel_loop *l)
{
    *c = (struct channel){.loop = l, .events = c->events, .owner = c->owner};
    net_init(&c->socket, &l->net);
}

/* The socket stands, or is on its way. */
static int start(struct channel *c, int rc)
{
    c->ssl = rc == 0 ? wire_ssl_new(c->loop->ctx, &c->socket.wire, c->loop->serves) : NULL;
    if (!c->ssl) {
        end(c, "%s", rc ? uv_strerror(rc) : "out of memory");
        return -1;
    }
    uv_tcp_nodelay(&c->socket.tcp, 1);
    net_read_start(&c->socket);
    return 0;
}

int channel_accept(struct channel *c, struct channel_loop *l, uv_stream_t *listener)
{
    begin(c, l);
    return start(c, uv_accept(listener, (uv_stream_t *)&c->socket.tcp));
}

int channel_connect(struct channel *c, struct channel_loop *l, int fd)
{
    begin(c, l);
    if (start(c, net_connect(&c->socket, fd)) != 0)
        return -1;
    shake(c); /* the first flight, which waits for the connection */
    return 0;
}

void channel_say(struct channel *c, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    if (!c->open || net_is_closed(&c->socket))
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    CHECK(n >= 0);
    size_t length = (size_t)n < sizeof line - 1 ? (size_t)n : sizeof line - 2;
    line[length++] = '\n';
    ERR_clear_error();
    if (SSL_write(c->ssl, line, (int)length) != (int)length)
        end_by_tls(c);
    else
        check_output(c);
}

size_t channel_kept(const struct channel *c)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&c->socket.tcp);
}
