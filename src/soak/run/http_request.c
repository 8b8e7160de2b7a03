/* SPDX-License-Identifier: Apache-2.0 */
#include "http_request.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *http_reason(enum http_status status)
{
    switch (status) {
#define REASON(id, status, reason, text)                                                           \
    case id:                                                                                       \
        return reason;
        HTTP_STATUS_LIST(REASON)
#undef REASON
    }
    return "";
}

const char *http_said(enum http_status status)
{
    switch (status) {
#define SAID(id, status, reason, text)                                                             \
    case id:                                                                                       \
        return text;
        HTTP_STATUS_LIST(SAID)
#undef SAID
    }
    return "";
}

/* ---- the name ---- */

static bool is_port(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return length <= 5;
}

/* The name without its port; 0: it is none. */
static size_t name_length(const char *host, size_t length)
{
    const char *end = host[0] == '[' ? memchr(host, ']', length) : memchr(host, ':', length);
    size_t name = !end ? length : (size_t)(end - host) + (*end == ']');
    bool whole =
        name == length || (host[name] == ':' && is_port(host + name + 1, length - name - 1));
    return whole ? name : 0;
}

static bool is_loopback(const char *host, size_t length)
{
    char name[INET6_ADDRSTRLEN + 2];
    struct in_addr v4;
    size_t size = name_length(host, length);
    if (size == 0 || size >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)size, host);
    if (strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* ---- lines ---- */

/* Up to the line's end; SIZE_MAX: a character stands in it that has no place there. */
static size_t line_length(const char *line)
{
    size_t length = 0;
    while (line[length] == '\t' || (unsigned char)line[length] >= 0x20)
        length++;
    return strncmp(line + length, "\r\n", 2) == 0 ? length : SIZE_MAX;
}

/* `GET /metrics HTTP/1.1` */
static enum http_status read_first(const char *line, size_t length, struct http_request *ret)
{
    const char *end = line + length, *path = memchr(line, ' ', length);
    const char *version = path ? memchr(path + 1, ' ', (size_t)(end - path - 1)) : NULL;
    if (!version || end - version != 9 || strncmp(version + 1, "HTTP/1.", 7) != 0 ||
        !isdigit((unsigned char)version[8]))
        return HTTP_BAD;
    size_t method = (size_t)(path - line), bytes = (size_t)(version - path - 1);
    ret->head = method == 4 && strncmp(line, "HEAD", 4) == 0;
    if (!ret->head && !(method == 3 && strncmp(line, "GET", 3) == 0))
        return HTTP_METHOD;
    if (bytes >= sizeof ret->path)
        return HTTP_NOT_FOUND;
    snprintf(ret->path, sizeof ret->path, "%.*s", (int)bytes, path + 1);
    return HTTP_OK;
}

/* A line that goes on from the one before begins with a blank, and is refused as one without a
 * name. */
static enum http_status read_field(const char *line, size_t length, int *ret_hosts)
{
    static const char host[] = "host";
    size_t name = strcspn(line, ": \t\r");
    if (name == 0 || line[name] != ':')
        return HTTP_BAD;
    if (name != sizeof host - 1 || strncasecmp(line, host, name) != 0)
        return HTTP_OK;
    const char *value = line + name + 1, *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (++*ret_hosts > 1)
        return HTTP_BAD;
    return is_loopback(value, (size_t)(end - value)) ? HTTP_OK : HTTP_MISDIRECTED;
}

enum http_status http_request_read(const char *text, struct http_request *ret)
{
    struct http_request read = {.head = false};
    enum http_status status = HTTP_OK;
    int hosts = 0;
    for (const char *line = text; status == HTTP_OK;) {
        size_t length = line_length(line);
        if (length == SIZE_MAX)
            return HTTP_BAD;
        if (length == 0)
            break;
        status = line == text ? read_first(line, length, &read) : read_field(line, length, &hosts);
        line += length + 2;
    }
    if (status == HTTP_OK && (hosts != 1 || !read.path[0]))
        status = HTTP_BAD;
    if (status == HTTP_OK)
        *ret = read;
    return status;
}
