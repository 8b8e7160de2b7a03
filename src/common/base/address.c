/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Decimal digits alone, up to 65535. Returns -1 when it is anything else. */
static int read_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    int port = 0;
    for (size_t i = 0; i < digits && port <= UINT16_MAX; i++)
        port = port * 10 + (text[i] - '0');
    return digits == 0 || text[digits] || port > UINT16_MAX ? -1 : port;
}

static void fill_v4(struct address *a, struct in_addr host, int port)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = host};
    a->bytes = sizeof in;
    memcpy(&a->storage, &in, sizeof in);
}

static void fill_v6(struct address *a, const struct in6_addr *host, int port)
{
    struct sockaddr_in6 in = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = *host};
    a->bytes = sizeof in;
    memcpy(&a->storage, &in, sizeof in);
}

/* `[::1]`, its brackets gone. */
static bool read_v6(const char *host, struct in6_addr *ret)
{
    char inner[ADDRESS_TEXT];
    size_t length = strlen(host);
    if (length < 3 || host[0] != '[' || host[length - 1] != ']')
        return false;
    snprintf(inner, sizeof inner, "%.*s", (int)length - 2, host + 1);
    return inet_pton(AF_INET6, inner, ret) == 1;
}

int address_parse_any(const char *text, struct address *ret, struct err *e)
{
    char host[ADDRESS_TEXT] = "";
    const char *colon = strrchr(text, ':');
    int port = colon ? read_port(colon + 1) : -1;
    size_t length = colon ? (size_t)(colon - text) : 0;
    struct in_addr v4;
    struct in6_addr v6;
    struct address a = {.bytes = 0};
    if (port < 0)
        return err_set(e, "an address and a port, such as 127.0.0.1:4433 or [::1]:4433");
    if (length < sizeof host)
        memcpy(host, text, length);
    if (inet_pton(AF_INET, host, &v4) == 1)
        fill_v4(&a, v4, port);
    else if (read_v6(host, &v6))
        fill_v6(&a, &v6, port);
    else
        return err_set(e, "the address must be a number, such as 127.0.0.1 or [::1]");
    *ret = a;
    return 0;
}

static struct in_addr host_v4(const struct address *a)
{
    struct sockaddr_in in;
    memcpy(&in, &a->storage, sizeof in);
    return in.sin_addr;
}

static struct in6_addr host_v6(const struct address *a)
{
    struct sockaddr_in6 in;
    memcpy(&in, &a->storage, sizeof in);
    return in.sin6_addr;
}

bool address_is_loopback(const struct address *a)
{
    struct in6_addr v6 = host_v6(a);
    return address_is_v6(a) ? memcmp(&v6, &in6addr_loopback, sizeof v6) == 0
                            : ntohl(host_v4(a).s_addr) >> 24 == 127;
}

bool address_is_every(const struct address *a)
{
    struct in6_addr v6 = host_v6(a);
    return address_is_v6(a) ? memcmp(&v6, &in6addr_any, sizeof v6) == 0 : host_v4(a).s_addr == 0;
}

int address_parse(const char *text, struct address *ret, struct err *e)
{
    struct address a;
    if (address_parse_any(text, &a, e) != 0)
        return -1;
    if (!address_is_loopback(&a))
        return err_set(e, "only a loopback address (127.x.x.x or [::1]) is allowed");
    *ret = a;
    return 0;
}

bool address_is_same(const char *a, const char *b)
{
    struct address one, other;
    char text[2][ADDRESS_TEXT];
    return address_parse_any(a, &one, NULL) == 0 && address_parse_any(b, &other, NULL) == 0 &&
           strcmp(address_print(&one, text[0]), address_print(&other, text[1])) == 0;
}

bool address_is_v6(const struct address *a)
{
    return a->storage.ss_family == AF_INET6;
}

unsigned address_port(const struct address *a)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, &a->storage, sizeof v4);
    memcpy(&v6, &a->storage, sizeof v6);
    return ntohs(address_is_v6(a) ? v6.sin6_port : v4.sin_port);
}

char *address_host(const struct address *a, char *buf)
{
    char host[INET6_ADDRSTRLEN] = "?";
    struct in_addr v4 = host_v4(a);
    struct in6_addr v6 = host_v6(a);
    if (address_is_v6(a))
        inet_ntop(AF_INET6, &v6, host, sizeof host);
    else
        inet_ntop(AF_INET, &v4, host, sizeof host);
    snprintf(buf, ADDRESS_TEXT, address_is_v6(a) ? "[%s]" : "%s", host);
    return buf;
}

char *address_print(const struct address *a, char *buf)
{
    char host[ADDRESS_TEXT];
    snprintf(buf, ADDRESS_TEXT, "%.48s:%u", address_host(a, host), address_port(a));
    return buf;
}
