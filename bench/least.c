/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least client and the least server: what one side of a connection takes with next to nothing
 * around it. No timers, statistics or checks of what the peer does; the same OpenSSL, allocator,
 * contexts and BIO as the harness, in one thread. What they take over another program is the limit
 * of what ours could. The server has epoll and one read and one write for what has come. The client
 * goes in `step`: blocking calls, each for a batch of connections before the next, so that it
 * hardly ever waits; or by a `loop`: epoll, as a harness must that lets each connection go its own
 * way. With `ledger` OpenSSL's blocks are counted, as the harness does; `bare` without.
 *
 *   least client PORT CASE bare|ledger step|loop clean|reset [CONNECTIONS]
 *                                          until SIGTERM, or as many; prints their
 *                                          number and how many resumed
 *   least server PORT CASE bare|ledger     until SIGTERM
 *
 * The cases are those of cases.h.
 */
#include "base/check.h"
#include "cases.h"
#include "probe/probe.h"
#include "tls/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 30 /* as many as peers.py has open */, BACKLOG = 256 };

struct end {
    int fd;
    SSL *ssl; /* owned */
    struct wire wire;
    int step; /* of a client by its loop */
};

static const struct bench_case *this_case;
static struct end end[BATCH];
static struct wire_out out;
static SSL_CTX *ctx;
static struct sockaddr_in address;
static int listener, ready;
static bool resets, by_loop;
static long resumed;
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

static void open_tls(struct end *e, bool server)
{
    case_no_delay(e->fd);
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
    while (SSL_do_handshake(e->ssl) != 1) {
        send_all(e);
        CHECK(receive(e));
    }
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
    case_resume(this_case, e->ssl);
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
    static const char text[CASE_PAYLOAD] = "soak soak soak soak soak soak so";
    finish_handshake(e);
    resumed += SSL_session_reused(e->ssl);
    if (!resets)
        CHECK(SSL_write(e->ssl, text, CASE_PAYLOAD) == CASE_PAYLOAD);
    send_all(e);
    if (resets)
        client_reset(e);
}

static void client_leave(struct end *e)
{
    char echo[CASE_PAYLOAD];
    while (SSL_read(e->ssl, echo, CASE_PAYLOAD) != CASE_PAYLOAD)
        CHECK(receive(e));
    CHECK(SSL_shutdown(e->ssl) == 0);
    send_all(e);
}

static void client_await_the_end(struct end *e)
{
    char rest[CASE_PAYLOAD];
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

static void client_watch(struct end *e)
{
    client_open(e);
    e->step = 0;
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = e};
    CHECK(epoll_ctl(ready, EPOLL_CTL_ADD, e->fd, &readable) == 0);
}

static bool client_goes_on(struct end *e)
{
    static void (*const steps[])(struct end *) = {client_speak, client_leave, client_await_the_end};
    steps[e->step++](e);
    return e->step < (resets ? 1 : 3);
}

/* A turn of the loop; those that have ended are replaced together. Returns how many. */
static int client_turn(void)
{
    struct epoll_event event[BATCH];
    struct end *ended[BATCH];
    int left = 0, count = epoll_wait(ready, event, BATCH, -1);
    for (int i = 0; i < count; i++)
        if (!client_goes_on(event[i].data.ptr)) {
            ended[left] = event[i].data.ptr;
            close_tls(ended[left++]);
        }
    for (int i = 0; i < left; i++)
        client_watch(ended[i]);
    return left;
}

static int batch_of(long most, long made)
{
    return most && most - made < BATCH ? (int)(most - made) : BATCH;
}

static void run_client(long most)
{
    long made = 0;
    ctx = case_client(this_case);
    ready = epoll_create1(EPOLL_CLOEXEC);
    if (by_loop)
        each(batch_of(most, 0), client_watch);
    while (!stopped && (!most || made < most)) {
        int count = by_loop ? client_turn() : batch_of(most, made);
        if (!by_loop)
            client_batch(count);
        made += count;
    }
    printf("%ld connections, %ld resumed\n", made, resumed);
}

/* ---- the server ---- */

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
    char text[CASE_PAYLOAD];
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
    struct epoll_event event[BATCH];
    ctx = case_server(this_case);
    server_listen();
    for (;;) {
        int count = epoll_wait(ready, event, BATCH, -1);
        for (int i = 0; i < count; i++)
            server_look(event[i].data.ptr);
    }
}

static void start_ledger(void)
{
    struct err e;
    CHECK(probe_start(-1, &(struct probe_options){.ledger = true}, &e) == 0);
}

static int explain(void)
{
    fputs("least: client PORT CASE bare|ledger step|loop clean|reset [CONNECTIONS], or\n"
          "       server PORT CASE bare|ledger; the cases: " CASE_NAMES "\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bool client = argc > 6 && strcmp(argv[1], "client") == 0;
    bool server = argc == 5 && strcmp(argv[1], "server") == 0;
    this_case = client || server ? case_named(argv[3]) : NULL;
    if (!this_case)
        return explain();
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(argv[2])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, client ? on_stop : on_stop_at_once);
    if (strcmp(argv[4], "ledger") == 0)
        start_ledger();
    by_loop = client && strcmp(argv[5], "loop") == 0;
    resets = client && strcmp(argv[6], "reset") == 0;
    if (client)
        run_client(argc > 7 ? atol(argv[7]) : 0);
    else
        run_server();
    return 0;
}
