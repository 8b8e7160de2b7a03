/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link DELAY_US LOSS_PER_MILLION NAMESPACE=ADDRESS...: a network between network namespaces
 * for kernels without tc's netem. Makes a TUN device `link0` in each, hands on what is sent to one
 * of the addresses (IPv4) after the delay, and loses packets by chance, the same each time. Prints
 * `ready`, and goes on until its stdin ends; then how many it has handed on and lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { ENDS = 8, PACKET = 2048, WAITING = 1 << 15, DESTINATION = 16, MILLION = 1000000 };

struct end {
    int fd;
    struct in_addr address;
};

struct packet {
    uint64_t due_ns;
    size_t bytes;
    uint8_t data[PACKET];
};

static struct end end[ENDS];
static size_t ends;
static struct packet
    *waiting; /* a ring: the delay is the same for all, so the first is due first */
static size_t first, count;
static uint64_t handed_on, lost, state = 0x7f3a;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "slow_link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64 (Marsaglia, 2003). */
static bool is_lost(uint64_t per_million)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % MILLION < per_million;
}

static int make_device(void)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof request.ifr_name, "link0");
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        fail("/dev/net/tun");
    return fd;
}

static void add_end(char *name)
{
    char path[256], *address = strchr(name, '=');
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (!address || ends == ENDS || inet_pton(AF_INET, address + 1, &end[ends].address) != 1)
        fail(name);
    *address = '\0';
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0)
        fail(path);
    end[ends++].fd = make_device();
    if (setns(home, CLONE_NEWNET) != 0)
        fail("setns");
    close(there);
    close(home);
}

static void take(int fd, uint64_t delay_ns, uint64_t per_million)
{
    while (count < WAITING) {
        struct packet *p = &waiting[(first + count) % WAITING];
        ssize_t n = read(fd, p->data, sizeof p->data);
        if (n <= DESTINATION + 4)
            return;
        if (is_lost(per_million)) {
            lost++;
            continue;
        }
        p->bytes = (size_t)n;
        p->due_ns = now_ns() + delay_ns;
        count++;
    }
}

static void hand_on(void)
{
    for (uint64_t now = now_ns(); count && waiting[first].due_ns <= now; count--) {
        struct packet *p = &waiting[first];
        for (size_t i = 0; i < ends; i++)
            if (memcmp(p->data + DESTINATION, &end[i].address, sizeof end[i].address) == 0)
                handed_on += write(end[i].fd, p->data, p->bytes) == (ssize_t)p->bytes;
        first = (first + 1) % WAITING;
    }
}

/* Until there is something to read, or the first is due. */
static void wait_for(struct pollfd *of)
{
    uint64_t now = now_ns(), due = count ? waiting[first].due_ns : now + 1000000000u;
    uint64_t ns = due > now ? due - now : 0;
    struct timespec limit = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    if (ppoll(of, ends + 1, &limit, NULL) < 0 && errno != EINTR)
        fail("poll");
}

int main(int argc, char **argv)
{
    struct pollfd of[ENDS + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    waiting = calloc(WAITING, sizeof *waiting);
    if (argc < 5 || !waiting)
        fail("DELAY_US LOSS_PER_MILLION NAMESPACE=ADDRESS...");
    uint64_t delay_ns = strtoull(argv[1], NULL, 10) * 1000, loss = strtoull(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++)
        add_end(argv[i]);
    for (size_t i = 0; i < ends; i++)
        of[i + 1] = (struct pollfd){.fd = end[i].fd, .events = POLLIN};
    puts("ready");
    fflush(stdout);
    while (!of[0].revents) {
        wait_for(of);
        for (size_t i = 0; i < ends; i++)
            take(end[i].fd, delay_ns, loss);
        hand_on();
    }
    printf("%" PRIu64 " handed on, %" PRIu64 " lost\n", handed_on, lost);
    return 0;
}
