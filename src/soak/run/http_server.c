/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include "base/address.h"
#include "base/check.h"
#include "http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x48545450, TICK_MS = 1000 };

struct peer {
    uv_tcp_t tcp;
    uv_write_t write;
    struct http_server *of;
    int seconds; /* that it has been there */
    size_t used;
    char in[HTTP_REQUEST + 1];
    char *out; /* owned */
};

struct http_server {
    unsigned magic;
    uv_tcp_t tcp;
    uv_timer_t second;
    struct http_site site;
    struct peer *peer[HTTP_PEERS]; /* the oldest first */
    size_t peers;
    int left;     /* peers that may still come in this second */
    bool waiting; /* one has come that may not yet */
    size_t open;  /* handles that aren't closed yet */
    char address[ADDRESS_TEXT];
};

static struct http_server *server_of(void *data)
{
    struct http_server *s = data;
    CHECK(s && s->magic == MAGIC);
    return s;
}

static void let_go(struct http_server *s)
{
    if (--s->open == 0)
        free(s);
}

/* ---- a peer ---- */

static void on_peer_closed(uv_handle_t *handle)
{
    struct peer *p = handle->data;
    struct http_server *s = server_of(p->of);
    free(p->out);
    free(p);
    let_go(s);
}

static void close_peer(struct peer *p)
{
    struct http_server *s = server_of(p->of);
    if (uv_is_closing((uv_handle_t *)&p->tcp))
        return;
    size_t at = 0;
    while (s->peer[at] != p)
        at++;
    s->peers--;
    memmove(s->peer + at, s->peer + at + 1, (s->peers - at) * sizeof(struct peer *));
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    close_peer(write->data);
}

/* No other origin may read it, frame it, or take it for something else: there is no CORS. */
static void answer(struct peer *p, enum http_status status, const char *type, const char *body,
                   bool head)
{
    int length = asprintf(&p->out,
                          "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                          "Cache-Control: no-store\r\nConnection: close\r\n"
                          "Content-Security-Policy: frame-ancestors 'none'\r\n"
                          "Cross-Origin-Resource-Policy: same-origin\r\n"
                          "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
                          "\r\n%s",
                          (int)status, http_reason(status), type, strlen(body),
                          status == HTTP_METHOD ? "Allow: GET, HEAD\r\n" : "", head ? "" : body);
    CHECK(length > 0);
    uv_buf_t buf = uv_buf_init(p->out, (unsigned)length);
    p->write.data = p;
    uv_read_stop((uv_stream_t *)&p->tcp);
    if (uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, on_written) != 0)
        close_peer(p);
}

static void refuse(struct peer *p, enum http_status status)
{
    char text[256];
    snprintf(text, sizeof text, "%s\n", http_said(status));
    answer(p, status, "text/plain; charset=utf-8", text, false);
}

static const struct http_page *find(const struct http_server *s, const char *path)
{
    for (size_t i = 0; i < s->site.pages; i++)
        if (strcmp(s->site.page[i].path, path) == 0)
            return &s->site.page[i];
    return NULL;
}

static void obey(struct peer *p)
{
    struct http_server *s = server_of(p->of);
    struct http_request request;
    enum http_status status = http_request_read(p->in, &request);
    const struct http_page *page = status == HTTP_OK ? find(s, request.path) : NULL;
    if (!page) {
        refuse(p, status == HTTP_OK ? HTTP_NOT_FOUND : status);
        return;
    }
    char *body = page->write(s->site.owner);
    if (body)
        answer(p, HTTP_OK, page->type, body, request.head);
    else
        refuse(p, HTTP_NOT_NOW);
    free(body);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct peer *p = handle->data;
    *buf = uv_buf_init(p->in + p->used, (unsigned)(HTTP_REQUEST - p->used));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct peer *p = stream->data;
    if (count < 0) {
        close_peer(p);
        return;
    }
    p->used += (size_t)count;
    p->in[p->used] = '\0';
    if (memchr(p->in, '\0', p->used))
        refuse(p, HTTP_BAD);
    else if (strstr(p->in, "\r\n\r\n"))
        obey(p);
    else if (p->used == HTTP_REQUEST)
        refuse(p, HTTP_TOO_LARGE);
}

/* ---- the server ---- */

static void take_peer(struct http_server *s)
{
    s->left--;
    if (s->peers == HTTP_PEERS)
        close_peer(s->peer[0]);
    struct peer *p = calloc(1, sizeof *p);
    CHECK(p);
    p->of = s;
    p->tcp.data = p;
    CHECK(uv_tcp_init(s->tcp.loop, &p->tcp) == 0);
    s->open++;
    s->peer[s->peers++] = p;
    if (uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)&p->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read) != 0)
        close_peer(p);
}

/* libuv takes no further one from the kernel until this one is accepted. */
static void on_connection(uv_stream_t *stream, int status)
{
    struct http_server *s = server_of(stream->data);
    if (status < 0)
        return;
    s->waiting = s->left == 0;
    if (!s->waiting)
        take_peer(s);
}

static void on_second(uv_timer_t *timer)
{
    struct http_server *s = server_of(timer->data);
    for (size_t i = s->peers; i-- > 0;)
        if (++s->peer[i]->seconds >= HTTP_PATIENCE_S)
            close_peer(s->peer[i]);
    s->left = HTTP_PER_S;
    if (s->waiting) {
        s->waiting = false;
        take_peer(s);
    }
}

static void on_closed(uv_handle_t *handle)
{
    let_go(server_of(handle->data));
}

static int listen_on(struct http_server *s, const char *address, struct err *e)
{
    struct address at;
    if (address_parse(address, &at, e) != 0)
        return -1;
    int bytes = sizeof at.storage;
    int rc = uv_tcp_bind(&s->tcp, (const struct sockaddr *)&at.storage, 0);
    rc = rc == 0 ? uv_listen((uv_stream_t *)&s->tcp, HTTP_PEERS, on_connection) : rc;
    rc = rc == 0 ? uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&at.storage, &bytes) : rc;
    if (rc != 0)
        return err_set(e, "%s", uv_strerror(rc));
    address_print(&at, s->address);
    return 0;
}

struct http_server *http_open(uv_loop_t *loop, const char *address, const struct http_site *site,
                              struct err *e)
{
    struct http_server *s = calloc(1, sizeof *s);
    CHECK(s && site->pages <= HTTP_PAGES);
    s->magic = MAGIC;
    s->site = *site;
    s->left = HTTP_PER_S;
    s->tcp.data = s->second.data = s;
    CHECK(uv_tcp_init(loop, &s->tcp) == 0 && uv_timer_init(loop, &s->second) == 0);
    s->open = 2;
    if (listen_on(s, address, e) == 0 &&
        uv_timer_start(&s->second, on_second, TICK_MS, TICK_MS) == 0)
        return s;
    http_close(s);
    uv_run(loop, UV_RUN_NOWAIT);
    return NULL;
}

const char *http_address(const struct http_server *s)
{
    return s->address;
}

void http_close(struct http_server *s)
{
    if (!s)
        return;
    while (s->peers > 0)
        close_peer(s->peer[0]);
    uv_close((uv_handle_t *)&s->tcp, on_closed);
    uv_close((uv_handle_t *)&s->second, on_closed);
}
