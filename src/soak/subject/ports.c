/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"

#include "base/input.h"

#include <stdio.h>

enum { TIME_WAIT_S = 60, USUAL_FIRST = 32768, USUAL_LAST = 60999, USUAL_REUSE = 2 };

/* Up to two numbers of a file below /proc/sys/net/ipv4. */
static void read_numbers(const char *path, long *first, long *second)
{
    FILE *in = input_open(path, NULL);
    if (!in)
        return;
    if (fscanf(in, "%ld %ld", first, second) < 1)
        *first = -1;
    fclose(in);
}

bool ports_suffice(double per_s, uint64_t conns, long ports, bool reused)
{
    if (reused)
        return conns < (uint64_t)ports;
    return per_s > 0 && per_s * TIME_WAIT_S + (double)conns < (double)ports;
}

int ports_check(const struct scenario *s, struct err *e)
{
    long first = USUAL_FIRST, last = USUAL_LAST, reuse = USUAL_REUSE, unused = 0;
    if (s->listen[0] != '[')
        return 0;
    read_numbers("/proc/sys/net/ipv4/ip_local_port_range", &first, &last);
    read_numbers("/proc/sys/net/ipv4/tcp_tw_reuse", &reuse, &unused);
    long ports = last - first + 1;
    if (ports_suffice(s->churn.max ? 0 : s->churn.per_s, s->conns, ports, reuse != 0))
        return 0;
    return err_set(e,
                   "--listen %s: IPv6 has one loopback address, and its %ld ports would run out "
                   "(net.ipv4.tcp_tw_reuse is %ld); give --listen 127.0.0.1:0 or a lower --churn",
                   s->listen, ports, reuse);
}
