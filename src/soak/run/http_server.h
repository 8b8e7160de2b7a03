/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --metrics and --serve: what a run has to show while it lasts, over plain HTTP on a loopback
 * address, read-only, on the run's loop. Bounded: HTTP_PEERS at a time, the oldest gives way to the
 * next; HTTP_PER_S a second, the others wait in the kernel; one request each, of HTTP_REQUEST
 * bytes; HTTP_PATIENCE_S from its beginning until all of the answer was taken. Nothing here waits
 * for a peer.
 */
#ifndef SOAK_HTTP_SERVER_H
#define SOAK_HTTP_SERVER_H

#include "base/err.h"

#include <stddef.h>
#include <uv.h>

enum { HTTP_PEERS = 8, HTTP_PER_S = 20, HTTP_REQUEST = 4096, HTTP_PATIENCE_S = 30, HTTP_PAGES = 2 };

/* What stands at a path. */
struct http_page {
    const char *path, *type; /* "/metrics", its Content-Type */
    /* Makes it; free. NULL: there is nothing to show at this moment. */
    char *(*write)(void *owner);
};

struct http_site {
    struct http_page page[HTTP_PAGES];
    size_t pages;
    void *owner; /* borrowed, as all texts: outlives the server */
};

struct http_server;

/* Listens on `address`, as address_parse takes it; port 0 is any. NULL with a sentence that doesn't
 * repeat the address. */
struct http_server *http_open(uv_loop_t *loop, const char *address, const struct http_site *site,
                              struct err *e);
/* `127.0.0.1:9464` */
const char *http_address(const struct http_server *s);
/* Closes all of it; the last close callback frees. NULL is fine. */
void http_close(struct http_server *s);

#endif
