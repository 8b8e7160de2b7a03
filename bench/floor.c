/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the same handshake, echo and close_notify cycle as the harness, between two SSL
 * objects in one thread's memory, with no sockets and no probe, with the harness's allocator.
 * With `tcp` the bytes go through a loopback TCP connection, made and closed for each pair by
 * blocking calls in the same thread: what sockets alone cost, with no event loop, no second thread
 * and nobody to wait for. Prints JSON: CPU per connection of each side.
 *
 *   floor CONNECTIONS CASE [memory|tcp]      the cases: cases.h
 */
#include "base/check.h"
#include "cases.h"
#include "tls/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WARM = 50 };

struct end {
    SSL_CTX *ctx; /* owned */
    SSL *ssl;     /* owned while a connection goes on */
    struct wire wire;
    struct wire_out out; /* what it has written */
    int fd;              /* its end of the TCP connection, with `tcp` */
    uint64_t took_ns;    /* by the wall clock: only the two sides' proportion is used */
};

static struct end server, client;
static const struct bench_case *this_case;
static bool by_tcp;
static int listener = -1;
static struct sockaddr_in address; /* the listener's */

static uint64_t ns_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A clock that needs no system call: reading CPU time a dozen times per connection would be counted
 * into the floor. */
static uint64_t now(void)
{
    return ns_of(CLOCK_MONOTONIC);
}

static void end_open(struct end *e, bool is_server)
{
    e->out.used = 0;
    e->wire = (struct wire){.out = &e->out};
    e->ssl = wire_ssl_new(e->ctx, &e->wire, is_server);
    CHECK(e->ssl);
    if (!is_server)
        case_resume(this_case, e->ssl);
}

static void tcp_listen(void)
{
    socklen_t length = sizeof address;
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    CHECK(listen(listener, 1) == 0);
}

static void tcp_connect(void)
{
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client.fd >= 0);
    case_no_delay(client.fd);
    CHECK(connect(client.fd, (struct sockaddr *)&address, sizeof address) == 0);
    server.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(server.fd >= 0);
    case_no_delay(server.fd);
}

/* The client closes first, as in the harness. */
static void tcp_close(void)
{
    char end;
    close(client.fd);
    CHECK(read(server.fd, &end, 1) == 0);
    close(server.fd);
}

static void move_by_tcp(const struct end *from, const struct end *to, uint8_t *buf)
{
    size_t count = from->out.used, got = 0;
    if (count == 0)
        return;
    CHECK(write(from->fd, from->out.bytes, count) == (ssize_t)count);
    while (got < count) {
        ssize_t n = read(to->fd, buf + got, count - got);
        CHECK(n > 0);
        got += (size_t)n;
    }
}

/* Hands what `from` has written to `to`. */
static void pass(struct end *from, struct end *to, uint8_t *buf)
{
    if (by_tcp)
        move_by_tcp(from, to, buf);
    else
        memcpy(buf, from->out.bytes, from->out.used);
    to->wire.in = buf;
    to->wire.in_left = from->out.used;
    from->out.used = 0;
}

static void server_step(void)
{
    char echo[CASE_PAYLOAD];
    int n;
    ERR_clear_error();
    if (!SSL_is_init_finished(server.ssl))
        SSL_do_handshake(server.ssl);
    if (!SSL_is_init_finished(server.ssl))
        return;
    while ((n = SSL_read(server.ssl, echo, sizeof echo)) > 0)
        CHECK(SSL_write(server.ssl, echo, n) == n);
    if (SSL_get_shutdown(server.ssl) & SSL_RECEIVED_SHUTDOWN)
        SSL_shutdown(server.ssl);
}

/* Returns true once the echo has come back and close_notify has been said. */
static bool client_step(bool *sent)
{
    char text[CASE_PAYLOAD] = "soak soak soak soak soak soak so";
    ERR_clear_error();
    if (!SSL_is_init_finished(client.ssl))
        SSL_do_handshake(client.ssl);
    if (!SSL_is_init_finished(client.ssl))
        return false;
    if (!*sent)
        CHECK(SSL_write(client.ssl, text, CASE_PAYLOAD) == CASE_PAYLOAD);
    *sent = true;
    if (SSL_read(client.ssl, text, CASE_PAYLOAD) != CASE_PAYLOAD)
        return false;
    CHECK(SSL_shutdown(client.ssl) >= 0);
    return true;
}

/* Adds the time since `*from` to an end's, and begins anew. */
static void took(struct end *e, uint64_t *from)
{
    uint64_t at = now();
    e->took_ns += at - *from;
    *from = at;
}

/* A TCP connection's making and closing belong to both ends: their time is in neither proportion.
 */
static void one_connection(void)
{
    static uint8_t up[WIRE_OUT_BYTES], down[WIRE_OUT_BYTES];
    char rest[CASE_PAYLOAD];
    bool sent = false, done = false;
    if (by_tcp)
        tcp_connect();
    uint64_t from = now();
    end_open(&client, false);
    took(&client, &from);
    end_open(&server, true);
    took(&server, &from);
    for (int flight = 0; !done; flight++) {
        CHECK(flight < 10);
        done = client_step(&sent);
        pass(&client, &server, up);
        took(&client, &from);
        server_step();
        pass(&server, &client, down);
        took(&server, &from);
    }
    CHECK(SSL_read(client.ssl, rest, sizeof rest) == 0);
    SSL_free(client.ssl);
    took(&client, &from);
    SSL_free(server.ssl);
    took(&server, &from);
    if (by_tcp)
        tcp_close();
}

/* CPU microseconds of a connection, both ends, over `count` of them. */
static double measure(long count)
{
    for (int i = 0; i < WARM; i++)
        one_connection();
    server.took_ns = client.took_ns = 0;
    uint64_t began = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < count; i++)
        one_connection();
    return (double)(ns_of(CLOCK_PROCESS_CPUTIME_ID) - began) / (double)count / 1e3;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 0;
    this_case = argc > 2 ? case_named(argv[2]) : NULL;
    by_tcp = argc > 3 && strcmp(argv[3], "tcp") == 0;
    if (count <= 0 || count > 10000000 || !this_case) {
        fputs("floor: CONNECTIONS " CASE_NAMES " [memory|tcp]\n", stderr);
        return 2;
    }
    if (by_tcp)
        tcp_listen();
    server.ctx = case_server(this_case);
    client.ctx = case_client(this_case);
    double cpu_us = measure(count);
    double share = (double)server.took_ns / (double)(server.took_ns + client.took_ns);
    printf("{\"server_us\": %.3f, \"client_us\": %.3f}\n", cpu_us * share, cpu_us * (1 - share));
    case_fini();
    SSL_CTX_free(server.ctx);
    SSL_CTX_free(client.ctx);
    return 0;
}
