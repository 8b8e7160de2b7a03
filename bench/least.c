/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least client and the least server: what one side of a connection takes with next to nothing
 * around it. The client makes blocking calls for a batch of connections in step, so that it hardly
 * ever waits; the server has epoll and one read and one write for what has come. No probe, timers,
 * statistics or checks of what the peer does; the same OpenSSL, allocator, contexts and BIO as the
 * harness, in one thread. What they take over another program is the limit of what ours could.
 *
 *   least client PORT clean|reset [CONNECTIONS]    until SIGTERM, or as many; prints their number
 *   least server PORT                              until SIGTERM
 */
#include "base/check.h"
#include "tls/context.h"
#include "tls/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 30 /* as many as peers.py has open */, PAYLOAD = 32, BACKLOG = 256 };

struct end {
    int fd;
    SSL *ssl; /* owned */
    struct wire wire;
};

static struct end end[BATCH];
static struct wire_out out;
static SSL_CTX *ctx;
static struct sockaddr_in address;
static bool resets;
static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* A server has nothing to tell. */
static void on_stop_at_once(int signal)
{
    (void)signal;
    _exit(0);
}

static void no_delay(int fd)
{
    int on = 1;
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

static void open_tls(struct end *e, bool server)
{
    no_delay(e->fd);
    e->wire = (struct wire){.out = &out};
    e->ssl = wire_ssl_new(ctx, &e->wire, server);
    CHECK(e->ssl);
}

static void send_all(struct end *e)
{
    if (out.used)
        CHECK(write(e->fd, out.bytes, out.used) == (ssize_t)out.used);
    out.used = 0;
}

/* One read, whose bytes OpenSSL takes with its next calls. Returns false at the end. */
static bool receive(struct end *e)
{
    static uint8_t bytes[WIRE_OUT_BYTES];
    ssize_t count = read(e->fd, bytes, sizeof bytes);
    e->wire.in = bytes;
    e->wire.in_left = count > 0 ? (size_t)count : 0;
    e->wire.in_eof = count <= 0;
    return count > 0;
}

static void finish_handshake(struct end *e)
{
    ERR_clear_error();
    while (SSL_do_handshake(e->ssl) != 1)
        CHECK(receive(e));
}

static bool is_told_of_the_end(const struct end *e)
{
    return SSL_get_shutdown(e->ssl) & SSL_RECEIVED_SHUTDOWN;
}

static void close_tls(struct end *e)
{
    SSL_free(e->ssl);
    close(e->fd);
}

/* ---- the client ---- */

static void client_open(struct end *e)
{
    e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(e->fd >= 0);
    CHECK(connect(e->fd, (struct sockaddr *)&address, sizeof address) == 0);
    open_tls(e, false);
    CHECK(SSL_do_handshake(e->ssl) == -1);
    send_all(e);
}

static void client_reset(struct end *e)
{
    const struct linger reset = {.l_onoff = 1};
    CHECK(setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
}

/* Finished goes out with the message. */
static void client_speak(struct end *e)
{
    static const char text[PAYLOAD] = "soak soak soak soak soak soak so";
    finish_handshake(e);
    if (!resets)
        CHECK(SSL_write(e->ssl, text, PAYLOAD) == PAYLOAD);
    send_all(e);
    if (resets)
        client_reset(e);
}

static void client_leave(struct end *e)
{
    char echo[PAYLOAD];
    while (SSL_read(e->ssl, echo, PAYLOAD) != PAYLOAD)
        CHECK(receive(e));
    CHECK(SSL_shutdown(e->ssl) == 0);
    send_all(e);
}

static void client_await_the_end(struct end *e)
{
    char rest[PAYLOAD];
    while (SSL_read(e->ssl, rest, sizeof rest) <= 0 && !is_told_of_the_end(e))
        CHECK(receive(e));
}

static void each(int count, void (*step)(struct end *e))
{
    for (int i = 0; i < count; i++)
        step(&end[i]);
}

/* Each step for all before the next: while the server answers the last, it has answered the first.
 */
static void client_batch(int count)
{
    each(count, client_open);
    each(count, client_speak);
    if (!resets) {
        each(count, client_leave);
        each(count, client_await_the_end);
    }
    each(count, close_tls);
}

static void run_client(long most)
{
    const struct context_client_options options = {.version = TLS_1_3};
    struct err e;
    long made = 0;
    CHECK(context_client_new(&options, &ctx, &e) == 0);
    while (!stopped && (!most || made < most)) {
        int count = most && most - made < BATCH ? (int)(most - made) : BATCH;
        client_batch(count);
        made += count;
    }
    printf("%ld connections\n", made);
}

/* ---- the server ---- */

static int listener, ready;

static void server_open(void)
{
    struct end *e = calloc(1, sizeof *e);
    CHECK(e && (e->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
    open_tls(e, true);
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = e};
    CHECK(epoll_ctl(ready, EPOLL_CTL_ADD, e->fd, &readable) == 0);
}

static void echo(struct end *e)
{
    char text[PAYLOAD];
    int count;
    while ((count = SSL_read(e->ssl, text, sizeof text)) > 0)
        CHECK(SSL_write(e->ssl, text, count) == count);
}

/* Takes what has come and answers with one write. Returns whether the connection goes on. */
static bool server_step(struct end *e)
{
    ERR_clear_error();
    if (!receive(e))
        return false;
    if (SSL_is_init_finished(e->ssl) || SSL_do_handshake(e->ssl) == 1)
        echo(e);
    bool ends = is_told_of_the_end(e);
    if (ends)
        SSL_shutdown(e->ssl);
    send_all(e);
    return !ends;
}

static void server_look(struct end *e)
{
    if (!e)
        server_open();
    else if (!server_step(e)) {
        close_tls(e);
        free(e);
    }
}

static void server_listen(void)
{
    int on = 1;
    struct epoll_event readable = {.events = EPOLLIN};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, BACKLOG) == 0);
    ready = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll_ctl(ready, EPOLL_CTL_ADD, listener, &readable) == 0);
}

static void run_server(void)
{
    struct identity id = {0};
    struct err e;
    struct epoll_event event[BATCH];
    const struct context_server_options options = {
        .version = TLS_1_3, .session = SESSION_TICKET, .identity = &id};
    CHECK(identity_make(KEY_P256, "localhost", NULL, &id, &e) == 0);
    CHECK(context_server_new(&options, &ctx, &e) == 0);
    identity_fini(&id);
    server_listen();
    for (;;) {
        int count = epoll_wait(ready, event, BATCH, -1);
        for (int i = 0; i < count; i++)
            server_look(event[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    bool client = argc > 3 && strcmp(argv[1], "client") == 0;
    if (!client && (argc != 3 || strcmp(argv[1], "server") != 0)) {
        fputs("least: client PORT clean|reset [CONNECTIONS], or server PORT\n", stderr);
        return 2;
    }
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(argv[2])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, client ? on_stop : on_stop_at_once);
    resets = client && strcmp(argv[3], "reset") == 0;
    if (client)
        run_client(argc > 4 ? atol(argv[4]) : 0);
    else
        run_server();
    return 0;
}
