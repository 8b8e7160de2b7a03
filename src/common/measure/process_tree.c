/* SPDX-License-Identifier: Apache-2.0 */
#include "process_tree.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_BYTES = 1024, PATH_BYTES = 64, LISTENS = 0x0A, ESTABLISHED = 1 };

/* ---- the tree ---- */

/* proc_pid_stat(5): the name is in brackets and may hold any of its own. A process whose first
 * thread has ended is shown as a zombie, and lives as long as another one does. */
static bool parse_stat(char *text, struct process *ret)
{
    char *name = strchr(text, '('), *after = strrchr(text, ')'), state;
    int parent, threads;
    uint64_t started;
    if (!name || !after || after < name ||
        sscanf(after + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d "
               "%" SCNu64,
               &state, &parent, &threads, &started) != 4 ||
        ((state == 'Z' || state == 'X') && threads <= 1))
        return false;
    *after = '\0';
    *ret = (struct process){.parent = parent, .started = started};
    snprintf(ret->name, sizeof ret->name, "%s", name + 1);
    return true;
}

bool process_read(pid_t pid, struct process *ret)
{
    char path[PATH_BYTES], text[STAT_BYTES];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    if (!parse_stat(text, ret))
        return false;
    ret->pid = pid;
    return true;
}

static bool has(const struct process_tree *t, pid_t pid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->process[i].pid == pid)
            return true;
    return false;
}

static int by_start(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    if (x->started != y->started)
        return x->started < y->started ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* All of the machine's, as far as there is room. Returns how many. */
static size_t read_all(struct process *all, size_t size)
{
    size_t count = 0;
    DIR *folder = opendir("/proc");
    for (const struct dirent *entry; folder && count < size && (entry = readdir(folder));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0)
            count += process_read(pid, &all[count]);
    }
    if (folder)
        closedir(folder);
    return count;
}

void process_tree_read(struct process_tree *ret, pid_t root)
{
    enum { MACHINE = 32768 };
    struct process *all = calloc(MACHINE, sizeof *all);
    ret->count = 0;
    size_t count = all ? read_all(all, MACHINE) : 0;
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i < count && ret->count < PROCESS_TREE_MAX; i++) {
            bool below = all[i].parent == root || has(ret, all[i].parent);
            if (!below || has(ret, all[i].pid))
                continue;
            ret->process[ret->count++] = all[i];
            grew = true;
        }
    }
    free(all);
    qsort(ret->process, ret->count, sizeof *ret->process, by_start);
}

/* ---- its ports ---- */

static DIR *descriptors_of(pid_t pid)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)proc_asked(pid));
    return opendir(path);
}

/* The next one that is a socket. Returns whether there is one. `*hidden` becomes true when the
 * kernel doesn't say what a descriptor before it is: root that may not trace the process reads only
 * their numbers. */
static bool next_socket(DIR *folder, uint64_t *ret_inode, bool *hidden)
{
    char target[PATH_BYTES];
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        *hidden |= n < 0 && errno == EACCES;
        target[n > 0 ? n : 0] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", ret_inode) == 1)
            return true;
    }
    return false;
}

static void add_sockets(struct process_sockets *s, pid_t pid)
{
    bool hidden = false;
    DIR *folder = descriptors_of(pid);
    while (s->count < PROCESS_SOCKETS_MAX && next_socket(folder, &s->inode[s->count], &hidden))
        s->count++;
    if (folder)
        closedir(folder);
}

static bool owns(const struct process_sockets *s, uint64_t inode)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->inode[i] == inode)
            return true;
    return false;
}

/* An end of a connection: of the address, words of the machine's own order in hex. */
struct end {
    char hex[33];
    unsigned port;
};

/* A row of /proc/net/tcp or tcp6. */
struct row {
    struct end own, other;
    uint64_t inode;
};

/* The next one of a table that is in this state. Returns whether there is one. */
static bool next_row(FILE *in, unsigned state, struct row *ret)
{
    char line[512];
    while (in && fgets(line, sizeof line, in)) {
        unsigned is;
        if (sscanf(line, " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*u %" SCNu64,
                   ret->own.hex, &ret->own.port, ret->other.hex, &ret->other.port, &is,
                   &ret->inode) == 6 &&
            is == state)
            return true;
    }
    return false;
}

static void print_listener(const struct end *l, struct text *list)
{
    char address[INET6_ADDRSTRLEN];
    uint32_t word[4] = {0};
    bool v6 = strlen(l->hex) == 32;
    for (int i = 0; i < (v6 ? 4 : 1); i++)
        sscanf(l->hex + (ptrdiff_t)8 * i, "%8" SCNx32, &word[i]);
    inet_ntop(v6 ? AF_INET6 : AF_INET, word, address, sizeof address);
    text_item(list, v6 ? "[%s]:%u" : "%s:%u", address, l->port);
}

static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
enum { TABLES = sizeof tables / sizeof *tables };

char *process_tree_ports(const struct process_tree *t, char *buf, size_t size)
{
    struct process_sockets s = {.count = 0};
    struct text list = text_list(buf, size, ", ");
    for (size_t i = 0; i < t->count; i++)
        add_sockets(&s, t->process[i].pid);
    for (size_t i = 0; i < TABLES; i++) {
        struct row l;
        FILE *in = fopen(tables[i], "re");
        while (next_row(in, LISTENS, &l))
            if (owns(&s, l.inode))
                print_listener(&l.own, &list);
        if (in)
            fclose(in);
    }
    return buf;
}

static bool listens(pid_t pid, unsigned port)
{
    struct process_sockets s = {.count = 0};
    bool found = false;
    add_sockets(&s, pid);
    for (size_t i = 0; i < TABLES; i++) {
        struct row l;
        FILE *in = fopen(tables[i], "re");
        while (next_row(in, LISTENS, &l))
            found |= l.own.port == port && owns(&s, l.inode);
        if (in)
            fclose(in);
    }
    return found;
}

const struct process *process_tree_listener(const struct process_tree *t, unsigned port)
{
    for (size_t i = t->count; i-- > 0;)
        if (listens(t->process[i].pid, port))
            return &t->process[i];
    return NULL;
}

/* ---- the end at a server ---- */

static struct end end_of(const struct address *a)
{
    struct end ret = {.port = address_port(a)};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint32_t word[4];
    if (!address_is_v6(a)) {
        memcpy(&v4, &a->storage, sizeof v4);
        snprintf(ret.hex, sizeof ret.hex, "%08" PRIX32, v4.sin_addr.s_addr);
        return ret;
    }
    memcpy(&v6, &a->storage, sizeof v6);
    memcpy(word, &v6.sin6_addr, sizeof word);
    for (int i = 0; i < 4; i++)
        snprintf(ret.hex + (ptrdiff_t)8 * i, 9, "%08" PRIX32, word[i]);
    return ret;
}

/* An address of IPv4 as it is in tcp, also when it is in tcp6: `::ffff:127.0.0.1`, as of Java. */
static const char *plain(const char *hex)
{
    char mapped[25];
    snprintf(mapped, sizeof mapped, "%016d%08" PRIX32, 0, htonl(0xFFFF));
    return strncmp(hex, mapped, sizeof mapped - 1) == 0 ? hex + sizeof mapped - 1 : hex;
}

static bool is_same(const struct end *a, const struct end *b)
{
    return a->port == b->port && strcmp(plain(a->hex), plain(b->hex)) == 0;
}

/* ---- who holds the connections to a server ---- */

struct standing {
    size_t count, room;
    struct standing_socket {
        uint64_t inode;
        bool chosen, others; /* held by one that is, and by one that isn't */
    } * socket;              /* by inode */
};

/* One that nobody has accepted yet has no inode. */
static void add_standing(struct standing *s, const struct process_holders *h, FILE *in)
{
    const struct end server = end_of(&h->server);
    struct row row;
    while (next_row(in, ESTABLISHED, &row)) {
        if (!is_same(h->outgoing ? &row.other : &row.own, &server) || !row.inode)
            continue;
        size_t room = s->room ? 2 * s->room : PROCESS_SOCKETS_MAX;
        struct standing_socket *more =
            s->count < s->room ? s->socket : realloc(s->socket, room * sizeof *more);
        if (!more)
            return;
        s->room = s->count < s->room ? s->room : room;
        s->socket = more;
        s->socket[s->count++] = (struct standing_socket){.inode = row.inode};
    }
}

static int by_inode(const void *a, const void *b)
{
    const struct standing_socket *x = a, *y = b;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Notes what a process holds; `*unread` becomes true when that isn't known. Whether one of them is
 * held by none that is chosen, as far as those were looked at. */
static bool mark(struct standing *s, pid_t pid, bool chosen, bool *unread)
{
    struct standing_socket key = {0}, *found;
    struct process unused;
    DIR *folder = descriptors_of(pid);
    bool alone = false, hidden = !folder;
    while (next_socket(folder, &key.inode, &hidden)) {
        if (!(found = bsearch(&key, s->socket, s->count, sizeof key, by_inode)))
            continue;
        alone |= !found->chosen;
        found->chosen |= chosen;
        found->others |= !chosen;
    }
    if (folder)
        closedir(folder);
    *unread |= hidden && process_read(pid, &unused); /* one that has ended holds nothing */
    return alone;
}

static void count_standing(const struct standing *s, struct process_holders *h)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct standing_socket *at = &s->socket[i];
        h->standing += !h->outgoing || at->chosen || at->others;
        h->of_chosen += at->chosen;
    }
}

void process_tree_holders(const struct process_tree *t, struct process_holders *h)
{
    struct standing s = {.count = 0};
    bool of_others = false;
    h->unread = false;
    h->standing = h->of_chosen = 0;
    h->others = (struct process){0};
    for (size_t i = 0; i < TABLES; i++) {
        FILE *in = fopen(tables[i], "re");
        add_standing(&s, h, in);
        if (in)
            fclose(in);
    }
    if (s.count)
        qsort(s.socket, s.count, sizeof *s.socket, by_inode);
    for (size_t i = 0; i < t->count && s.count; i++)
        if (h->chosen(h->owner, &t->process[i]))
            mark(&s, t->process[i].pid, true, &h->unread);
    for (size_t i = 0; i < t->count && s.count; i++)
        if (!h->chosen(h->owner, &t->process[i]) && mark(&s, t->process[i].pid, false, &of_others))
            h->others = t->process[i];
    count_standing(&s, h);
    free(s.socket);
}

/* ---- who is connected to a server ---- */

void process_sockets_to(struct process_sockets *ret, const struct address *server)
{
    const struct end wanted = end_of(server);
    ret->count = 0;
    for (size_t i = 0; i < TABLES; i++) {
        struct row row;
        FILE *in = fopen(tables[i], "re");
        while (ret->count < PROCESS_SOCKETS_MAX && next_row(in, ESTABLISHED, &row))
            if (is_same(&row.other, &wanted))
                ret->inode[ret->count++] = row.inode;
        if (in)
            fclose(in);
    }
}

void process_sockets_keep(struct process_sockets *s, const struct process_sockets *now)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (owns(now, s->inode[i]))
            s->inode[kept++] = s->inode[i];
    s->count = kept;
}

static bool shares_any(const struct process_sockets *s, pid_t pid)
{
    struct process_sockets own = {.count = 0};
    add_sockets(&own, pid);
    for (size_t i = 0; i < own.count; i++)
        if (owns(s, own.inode[i]))
            return true;
    return false;
}

static bool has_all(const struct process_sockets *s, pid_t pid)
{
    struct process_sockets own = {.count = 0};
    add_sockets(&own, pid);
    for (size_t i = 0; i < s->count; i++)
        if (!owns(&own, s->inode[i]))
            return false;
    return true;
}

/* One that has ended meanwhile is nobody's. */
static bool is_apart(pid_t pid, pid_t root)
{
    struct process p = {.pid = pid};
    while (p.pid != root && p.pid > 1)
        if (!process_read(p.pid, &p))
            return false;
        else
            p.pid = p.parent;
    return p.pid != root;
}

bool process_sockets_elsewhere(const struct process_sockets *s, pid_t root, pid_t known,
                               struct process *ret)
{
    DIR *folder = has_all(s, known) ? NULL : opendir("/proc");
    bool found = false;
    for (const struct dirent *entry; !found && folder && (entry = readdir(folder));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        found = pid > 0 && shares_any(s, pid) && is_apart(pid, root) && process_read(pid, ret);
    }
    if (folder)
        closedir(folder);
    return found;
}
