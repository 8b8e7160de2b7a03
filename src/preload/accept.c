/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of a program whose TLS library tells of no objects (BoringSSL, GnuTLS, any at all
 * when malloc is counted): those that it accepts.
 */
#include "find.h"
#include "objects.h"
#include "preload.h"

#include <stdatomic.h>
#include <sys/socket.h>

typedef int (*accept_fn)(int fd, struct sockaddr *address, socklen_t *length);
typedef int (*accept4_fn)(int fd, struct sockaddr *address, socklen_t *length, int flags);

INTERPOSE int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    static _Atomic accept_fn behind;
    if (!behind)
        behind = (accept_fn)find_after("accept");
    int accepted = behind(fd, address, length);
    if (accepted >= 0)
        objects_accepted();
    return accepted;
}

INTERPOSE int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    static _Atomic accept4_fn behind;
    if (!behind)
        behind = (accept4_fn)find_after("accept4");
    int accepted = behind(fd, address, length, flags);
    if (accepted >= 0)
        objects_accepted();
    return accepted;
}
