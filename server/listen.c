/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int refuse(const struct address *address, struct err *e)
{
    char host[ADDRESS_TEXT], text[ADDRESS_TEXT];
    int why = errno;
    address_host(address, host);
    if (why == EADDRINUSE)
        return err_set(e, "port %u on %s is in use; choose another with --listen %s:0",
                       address_port(address), host, host);
    const char *instead = address_is_v6(address) ? "127.0.0.1:0" : "[::1]:0";
    bool usual = strcmp(host, "127.0.0.1") == 0;
    return err_set(e, "can't listen on %s: %s; try --listen %s", address_print(address, text),
                   strerror(why), usual ? instead : "127.0.0.1:0");
}

static int set(int fd, int level, int option)
{
    int one = 1;
    return setsockopt(fd, level, option, &one, sizeof one);
}

/* A reset is sent once, and may be lost on a network: the peer has gone then, and here nobody knows
 * (RFC 9293 3.8.4). So may a machine be. Inherited, too. */
static int ask_peers(int fd)
{
    const struct {
        int option, value;
    } set_to[] = {{TCP_KEEPIDLE, 5}, {TCP_KEEPINTVL, 2}, {TCP_KEEPCNT, 5}};
    for (size_t i = 0; i < sizeof set_to / sizeof *set_to; i++)
        if (setsockopt(fd, IPPROTO_TCP, set_to[i].option, &set_to[i].value, sizeof(int)) != 0)
            return -1;
    return set(fd, SOL_SOCKET, SO_KEEPALIVE);
}

/* TCP_NODELAY is inherited by every accepted socket, which saves a call per connection. */
static int socket_open(struct address *address, const struct listen_request *r, bool shared)
{
    struct sockaddr *at = (struct sockaddr *)&address->storage;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && set(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
        (!shared || set(fd, SOL_SOCKET, SO_REUSEPORT) == 0) && (!r->asks || ask_peers(fd) == 0) &&
        bind(fd, at, address->bytes) == 0 && listen(fd, r->backlog) == 0 &&
        getsockname(fd, at, &address->bytes) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int open_alone(struct address *address, const struct listen_request *r, int *ret_fd,
                      struct err *e)
{
    *ret_fd = socket_open(address, r, false);
    return *ret_fd < 0 ? refuse(address, e) : 0;
}

int listen_open(struct address *address, const struct listen_request *request, int *ret_fds,
                struct err *e)
{
    /* SO_REUSEPORT would share the port with a stranger of the same user without a word: first see
     * that the port is free, alone. */
    if (request->use != PORT_JOIN && open_alone(address, request, &ret_fds[0], e) < 0)
        return -1;
    if (request->count == 1 && request->use == PORT_ALONE)
        return 0;
    if (request->use != PORT_JOIN)
        close(ret_fds[0]);
    for (int i = 0; i < request->count; i++) {
        ret_fds[i] = socket_open(address, request, true);
        if (ret_fds[i] >= 0)
            continue;
        refuse(address, e);
        while (i > 0)
            close(ret_fds[--i]);
        return -1;
    }
    return 0;
}

/* Unlike getpeername this tells it of a peer that has reset the connection before the accept. */
bool listen_is_foreign(int fd, uint32_t net)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (!net || getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &peer, &length) < 0 ||
        peer.sin_family != AF_INET)
        return false;
    return ntohl(peer.sin_addr.s_addr) - net >= LISTEN_NET_ADDRESSES;
}
