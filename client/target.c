/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include "options/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HOST_SIZE = 256 };

/* Looks up IPv4 first: `localhost` is often both, and servers listen on 127.0.0.1 more often. */
static int resolve(const char *host, const char *port, struct target *ret)
{
    static const int families[] = {AF_INET, AF_UNSPEC};
    int rc = EAI_FAMILY;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        struct addrinfo hints = {
            .ai_family = families[i], .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        struct addrinfo *found = NULL;
        rc = getaddrinfo(host, port, &hints, &found);
        if (rc != 0)
            continue;
        memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
        ret->address_bytes = found->ai_addrlen;
        freeaddrinfo(found);
        break;
    }
    return rc;
}

int target_parse(const char *text, struct target *ret, struct err *e)
{
    char host[HOST_SIZE];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    struct target t = {.sources = 0};
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (length == 0 || length >= sizeof host || digits == 0 || digits > 5 || colon[1 + digits])
        return err_set(e, "an address and a port, such as 127.0.0.1:4433");
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? length - 2 : length),
             bracketed ? text + 1 : text);
    int rc = resolve(host, colon + 1, &t);
    if (rc != 0)
        return err_set(e, "%s: %s", host, gai_strerror(rc));
    *ret = t;
    return 0;
}

static bool is_loopback4(const struct target *t)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&t->address;
    return in->sin_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

/* Without an asked rate nothing bounds the connections per minute. */
static uint64_t enough_sources(struct rate churn, uint64_t conns)
{
    if (churn.max || churn.per_s * 60 >= (double)LIMIT_PER_SOURCE_AND_MINUTE * LIMIT_SOURCES)
        return LIMIT_SOURCES;
    uint64_t by_churn = (uint64_t)(churn.per_s * 60) / LIMIT_PER_SOURCE_AND_MINUTE + 1;
    uint64_t by_open = conns / LIMIT_CONNS_PER_SOURCE + 1;
    return by_churn > by_open ? by_churn : by_open;
}

int target_set_sources(struct target *t, const char *net, struct err *e)
{
    struct in_addr address;
    if (inet_pton(AF_INET, net, &address) != 1 || ntohl(address.s_addr) >> 24 != 127)
        return err_set(e, "a loopback address, such as 127.1.2.0");
    t->source_net = ntohl(address.s_addr);
    return 0;
}

void target_count_sources(struct target *t, uint64_t asked, struct rate churn, uint64_t conns)
{
    uint64_t count = asked ? asked : enough_sources(churn, conns);
    uint64_t room = LIMIT_SOURCES - (t->source_net & 0xff) % LIMIT_SOURCES;
    if (count > room)
        count = room;
    t->sources = is_loopback4(t) ? (uint32_t)count : 0;
}

static int bind_source(const struct target *t, int fd, uint64_t turn)
{
    if (t->sources == 0)
        return 0;
    int on = 1;
    struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(t->source_net + 1 + (uint32_t)(turn % t->sources)),
    };
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&source, sizeof source);
}

/* Without TCP_QUICKACK an answer carries the acknowledgement of what it answers, which saves
 * packets. */
static int set_options(int fd)
{
    int on = 1, off = 0;
    int rc = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return rc < 0 ? rc : setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

static int start_connecting(const struct target *t, int fd)
{
    int rc = connect(fd, (const struct sockaddr *)&t->address, t->address_bytes);
    return rc < 0 && errno == EINPROGRESS ? 0 : rc;
}

int target_connect(const struct target *t, uint64_t turn)
{
    int fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (set_options(fd) < 0 || bind_source(t, fd, turn) < 0 || start_connecting(t, fd) < 0) {
        int why = errno;
        close(fd);
        return -why;
    }
    return fd;
}

uint16_t target_port(const struct target *t)
{
    const struct sockaddr *at = (const struct sockaddr *)&t->address;
    return ntohs(at->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)at)->sin6_port
                                           : ((const struct sockaddr_in *)at)->sin_port);
}

bool target_hear_first(int fd)
{
    int on = 1;
    struct sockaddr_storage peer;
    socklen_t bytes = sizeof peer;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    return getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0;
}
