/* SPDX-License-Identifier: Apache-2.0 */
#include "join.h"

#include "base/clock.h"
#include "options/grammar.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HOST = 256, TRY_MS = 200, CONNECT_S = 5 };
static const uint64_t TOLD_AFTER_NS = 2000000000u;

/* Host and port, a numeric IPv6 address in brackets. */
static int split(const char *where, char host[HOST], const char **ret_port, struct err *e)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon ? (size_t)(colon - where) : 0;
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    if (length == 0 || length >= HOST || digits == 0 || digits > 5 || colon[1 + digits])
        return err_set(e,
                       "--join %.100s: a host and a port, as the run says them, such as "
                       "10.0.0.1:7411",
                       where);
    bool bracketed = length > 2 && where[0] == '[' && where[length - 1] == ']';
    snprintf(host, HOST, "%.*s", (int)(bracketed ? length - 2 : length),
             bracketed ? where + 1 : where);
    *ret_port = colon + 1;
    return 0;
}

int join_check(const char *where, struct err *e)
{
    char host[HOST];
    const char *port = NULL;
    if (!where)
        return err_set(e, "--join HOST:PORT is needed, as the run says it");
    return split(where, host, &port, e);
}

/* A machine that drops packets doesn't keep it longer than CONNECT_S. */
static int try_one(const struct addrinfo *at)
{
    struct timeval limit = {.tv_sec = CONNECT_S};
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    int why = errno == EINPROGRESS ? ETIMEDOUT : errno;
    close(fd);
    return -why;
}

static int try_to_connect(const char *where, struct err *e)
{
    char host[HOST];
    const char *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    if (split(where, host, &port, e) != 0)
        return -1;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return err_set(e, "--join %.100s: %s", where, gai_strerror(rc));
    int fd = -ENOENT;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = try_one(at);
    freeaddrinfo(found);
    return fd >= 0 ? fd : err_set(e, "--join %.100s: %s", where, strerror(-fd));
}

/* A wait that is told: once for each reason. */
struct wait {
    uint64_t begun_ns, limit_ns;
    struct err told;
};

static void tell(struct wait *w, const struct err *why)
{
    char limit[32];
    if (clock_now_ns() - w->begun_ns < TOLD_AFTER_NS || strcmp(w->told.text, why->text) == 0)
        return;
    fprintf(stderr, "soak: agent: waiting for up to %s (--wait): %s\n",
            grammar_duration_print(limit, sizeof limit, w->limit_ns), why->text);
    w->told = *why;
}

int join_run(const char *where, const char *token_file, uint64_t wait_ns, char token[TOKEN_BYTES],
             struct err *e)
{
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    struct wait wait = {.begun_ns = clock_now_ns(), .limit_ns = wait_ns};
    bool known = false;
    int fd = -1;
    for (;;) {
        int rc = known ? 0 : token_read(token_file, token, e);
        if (rc == -1 || (rc != 0 && !token_file))
            return -EINVAL;
        known = rc == 0;
        fd = known ? try_to_connect(where, e) : -1;
        if (fd >= 0 || clock_now_ns() - wait.begun_ns >= wait_ns)
            return fd;
        tell(&wait, e);
        nanosleep(&pause, NULL);
    }
}
