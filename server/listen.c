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

/* TCP_NODELAY is inherited by every accepted socket, which saves a call per connection. */
static int socket_open(struct address *address, int backlog, bool shared)
{
    struct sockaddr *at = (struct sockaddr *)&address->storage;
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && set(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
        (!shared || set(fd, SOL_SOCKET, SO_REUSEPORT) == 0) && bind(fd, at, address->bytes) == 0 &&
        listen(fd, backlog) == 0 && getsockname(fd, at, &address->bytes) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int listen_open(struct address *address, int backlog, int *ret_fds, int count, struct err *e)
{
    /* SO_REUSEPORT would share the port with a stranger of the same user without a word: first see
     * that the port is free, alone. */
    int alone = socket_open(address, backlog, false);
    if (alone < 0)
        return refuse(address, e);
    if (count == 1) {
        ret_fds[0] = alone;
        return 0;
    }
    close(alone);
    for (int i = 0; i < count; i++) {
        ret_fds[i] = socket_open(address, backlog, true);
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
