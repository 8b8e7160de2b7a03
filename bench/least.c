/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least client and the least server: what one side of a connection takes with next to nothing
 * around it. No timers, statistics or checks of what the peer does; the same OpenSSL, allocator,
 * contexts and BIO as the harness, in one thread. What they take over another program is the limit
 * of what ours could. They wait in one of three ways:
 *
 *   step   blocking calls, each for a batch of connections before the next, so that it hardly ever
 *          waits: a client only
 *   epoll  one read and one write for what has come, as a program must that lets each connection go
 *          its own way
 *   libuv  the same by the harness's library, and from more source addresses than one, without
 *          which a client is out of ports after 28,000 connections a minute
 *
 * With `ledger` OpenSSL's blocks are counted, as the harness does; `bare` without.
 *
 *   least client PORT CASE bare|ledger step|epoll|libuv clean|reset [CONNECTIONS]
 *                                          until SIGTERM, or as many; prints their
 *                                          number and how many resumed
 *   least server PORT CASE bare|ledger epoll|libuv
 *                                          until SIGTERM
 *
 * The cases are those of cases.h.
 */
#include "least.h"

#include "base/check.h"
#include "probe/probe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct least least;
static volatile sig_atomic_t stopped;

static const struct way {
    const char *name;
    void (*client)(void);
    void (*server)(void); /* NULL: a client only */
} ways[] = {
    {"step", least_client_in_step, NULL},
    {"epoll", least_client_by_epoll, least_server_by_epoll},
    {"libuv", least_client_by_libuv, least_server_by_libuv},
};

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

int least_wanted(int most)
{
    long to_make = least.most - least.made; /* below 0: more were open than were wanted */
    if (stopped || (least.most && to_make <= 0))
        return 0;
    return least.most && to_make < most ? (int)to_make : most;
}

/* ---- TLS ---- */

void least_open_tls(struct least_tls *t, bool server)
{
    *t = (struct least_tls){.wire.out = &least.out};
    t->ssl = wire_ssl_new(least.ctx, &t->wire, server);
    CHECK(t->ssl);
    if (server)
        return;
    case_resume(least.of, t->ssl);
    CHECK(SSL_do_handshake(t->ssl) == -1);
}

static void take(struct least_tls *t, const uint8_t *bytes, size_t count)
{
    ERR_clear_error();
    t->wire.in = bytes;
    t->wire.in_left = count;
}

static bool is_told_of_the_end(const struct least_tls *t)
{
    return SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN;
}

/* Finished goes out with the message. */
static bool speak(struct least_tls *t)
{
    static const char text[CASE_PAYLOAD] = "soak soak soak soak soak soak so";
    least.resumed += SSL_session_reused(t->ssl);
    t->step = LEAST_ECHO;
    if (!least.resets)
        CHECK(SSL_write(t->ssl, text, CASE_PAYLOAD) == CASE_PAYLOAD);
    return !least.resets;
}

bool least_client_turn(struct least_tls *t, const uint8_t *bytes, size_t count)
{
    char text[CASE_PAYLOAD];
    take(t, bytes, count);
    if (t->step == LEAST_HANDSHAKE)
        return SSL_do_handshake(t->ssl) == 1 ? speak(t) : true;
    int got = SSL_read(t->ssl, text, sizeof text);
    if (t->step == LEAST_END)
        return !is_told_of_the_end(t);
    if (got == CASE_PAYLOAD) {
        t->step = LEAST_END;
        CHECK(SSL_shutdown(t->ssl) == 0);
    }
    return true;
}

static void echo(struct least_tls *t)
{
    char text[CASE_PAYLOAD];
    int count;
    while ((count = SSL_read(t->ssl, text, sizeof text)) > 0)
        CHECK(SSL_write(t->ssl, text, count) == count);
}

bool least_server_turn(struct least_tls *t, const uint8_t *bytes, size_t count)
{
    take(t, bytes, count);
    if (SSL_is_init_finished(t->ssl) || SSL_do_handshake(t->ssl) == 1)
        echo(t);
    bool ends = is_told_of_the_end(t);
    if (ends)
        SSL_shutdown(t->ssl);
    return !ends;
}

/* ---- the program ---- */

static void start_ledger(void)
{
    struct err e;
    CHECK(probe_start(-1, &(struct probe_options){.ledger = true}, &e) == 0);
}

static const struct way *way_named(const char *name)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    return NULL;
}

static int explain(void)
{
    fputs("least: client PORT CASE bare|ledger step|epoll|libuv clean|reset [CONNECTIONS], or\n"
          "       server PORT CASE bare|ledger epoll|libuv; the cases: " CASE_NAMES "\n",
          stderr);
    return 2;
}

static void run_client(const struct way *way, char **argv)
{
    signal(SIGTERM, on_stop);
    least.resets = strcmp(argv[6], "reset") == 0;
    least.most = argv[7] ? atol(argv[7]) : 0;
    least.ctx = case_client(least.of);
    way->client();
    printf("%ld connections, %ld resumed\n", least.made, least.resumed);
}

int main(int argc, char **argv)
{
    bool client = argc > 6 && strcmp(argv[1], "client") == 0;
    bool server = argc == 6 && strcmp(argv[1], "server") == 0;
    least.of = client || server ? case_named(argv[3]) : NULL;
    const struct way *way = least.of ? way_named(argv[5]) : NULL;
    if (!way || (server && !way->server))
        return explain();
    least.server = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(argv[2])),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[4], "ledger") == 0)
        start_ledger();
    if (client) {
        run_client(way, argv);
        return 0;
    }
    signal(SIGTERM, on_stop_at_once);
    least.ctx = case_server(least.of);
    way->server();
    return 0;
}
