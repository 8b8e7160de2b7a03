#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static int refuse(const struct sockaddr_in *address, struct err *e)
{
    char host[INET_ADDRSTRLEN];
    int why = errno;
    unsigned port = ntohs(address->sin_port);
    inet_ntop(AF_INET, &address->sin_addr, host, sizeof host);
    if (why == EADDRINUSE)
        return err_set(e, "port %u on %s is in use; choose another with --listen 127.0.0.1:0", port,
                       host);
    return err_set(e, "can't listen on %s:%u: %s; try --listen 127.0.0.1:0", host, port,
                   strerror(why));
}

static int set(int fd, int level, int option)
{
    int one = 1;
    return setsockopt(fd, level, option, &one, sizeof one);
}

/* TCP_NODELAY is inherited by every accepted socket, which saves a call per connection. */
static int socket_open(struct sockaddr_in *address, int backlog, bool shared)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_REUSEADDR) == 0 && set(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
        (!shared || set(fd, SOL_SOCKET, SO_REUSEPORT) == 0) &&
        bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, backlog) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &length) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int listen_open(struct sockaddr_in *address, int backlog, int *ret_fds, int count, struct err *e)
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
