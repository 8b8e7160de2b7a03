/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request of HTTP/1.1 (RFC 9112), as far as a server that only shows something needs
 * it: what is asked for, and by which name. Strict: what a server and a proxy could read in two
 * ways is refused. Pure.
 */
#ifndef SOAK_HTTP_REQUEST_H
#define SOAK_HTTP_REQUEST_H

#include <stdbool.h>

/* X(identifier, status, reason, what is said of it). The last is for people who see it in a
 * browser. */
#define HTTP_STATUS_LIST(X)                                                                        \
    X(HTTP_OK, 200, "OK", "")                                                                      \
    X(HTTP_BAD, 400, "Bad Request", "not a request of HTTP/1.1")                                   \
    X(HTTP_NOT_FOUND, 404, "Not Found", "there is no such page")                                   \
    X(HTTP_METHOD, 405, "Method Not Allowed", "it is shown, and nothing else: GET or HEAD")        \
    X(HTTP_MISDIRECTED, 421, "Misdirected Request",                                                \
      "it answers to 127.0.0.1, [::1] and localhost alone, lest a page of somebody else's reads "  \
      "it under another name")                                                                     \
    X(HTTP_TOO_LARGE, 431, "Request Header Fields Too Large", "the request is too long")           \
    X(HTTP_NOT_NOW, 503, "Service Unavailable", "there is nothing to show at this moment")

#define HTTP_STATUS_ID(id, status, reason, text) id = status,
enum http_status { HTTP_STATUS_LIST(HTTP_STATUS_ID) };
#undef HTTP_STATUS_ID
const char *http_reason(enum http_status status);
const char *http_said(enum http_status status);

enum { HTTP_PATH = 64 };

struct http_request {
    bool head; /* HEAD: without what it asks for */
    char path[HTTP_PATH];
};

/* Reads a head, with the empty line that ends it. HTTP_OK, else why it is refused and nothing is
 * written. The Host must be a loopback address or localhost, at any port: a page of another origin
 * whose name was made to lead here (DNS rebinding) sends its own. */
enum http_status http_request_read(const char *text, struct http_request *ret);

#endif
