/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/perf_map.h"

#include "base/intern.h"
#include "symbol/image.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Entries that a look-up passes on its way back. In the file of a real process few overlap. */
enum { BACK = 4096 };

struct entry {
    uint64_t start, end; /* [start, end) */
    uint64_t reach;      /* the highest end up to here */
    uint64_t order;      /* of arrival: the later one is right */
    const char *name;    /* borrowed of the texts */
};

struct perf_map {
    struct intern *texts;
    struct entry *entry; /* owned; by rising start, end and order */
    size_t entries, room;
    uint64_t arrived;
    struct stat read; /* the file at its last reading */
};

struct perf_map *perf_map_new(void)
{
    struct perf_map *m = calloc(1, sizeof *m);
    if (m && !(m->texts = intern_new())) {
        free(m);
        m = NULL;
    }
    return m;
}

void perf_map_free(struct perf_map *m)
{
    if (!m)
        return;
    intern_free(m->texts);
    free(m->entry);
    free(m);
}

/* ---- lines ---- */

/* A hexadecimal number, with 0x before it or without, and the blank behind it. */
static bool read_number(char **at, uint64_t *ret)
{
    char *end;
    if (!isxdigit((unsigned char)**at))
        return false;
    errno = 0;
    *ret = strtoull(*at, &end, 16);
    if (errno != 0 || end == *at || *end != ' ')
        return false;
    *at = end + 1;
    return true;
}

/* `long io.netty.internal.tcnative.SSL.newSSL(long, boolean)` is the name of a Java method:
 * leaves `io.netty.internal.tcnative.SSL.newSSL`. Any other name stays as it is. */
static char *without_types(char *name)
{
    static const char in_names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "_$./<>-";
    size_t length = strlen(name), type = strcspn(name, " (");
    if (length == 0 || name[length - 1] != ')' || name[type] != ' ')
        return name;
    char *method = name + type + 1;
    size_t word = strspn(method, in_names);
    if (word == 0 || method[word] != '(')
        return name;
    method[word] = 0;
    return method;
}

static bool read_line(char *line, struct entry *ret, char **ret_name)
{
    uint64_t size;
    if (!read_number(&line, &ret->start) || !read_number(&line, &size))
        return false;
    while (*line == ' ')
        line++;
    if (size == 0 || size > UINT64_MAX - ret->start || !*line)
        return false;
    ret->end = ret->start + size;
    if (strlen(line) > PERF_MAP_NAME)
        line[PERF_MAP_NAME] = 0;
    *ret_name = without_types(line);
    return true;
}

/* ---- order ---- */

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_order(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Of several entries of one place only the last can be the answer. */
static void drop_replaced(struct perf_map *m)
{
    size_t kept = 0;
    qsort(m->entry, m->entries, sizeof *m->entry, by_place);
    for (size_t i = 0; i < m->entries; i++) {
        struct entry *last = kept > 0 ? &m->entry[kept - 1] : NULL;
        if (last && last->start == m->entry[i].start && last->end == m->entry[i].end)
            kept--;
        m->entry[kept++] = m->entry[i];
    }
    m->entries = kept;
}

/* The newest stay: what is looked up ran of late. */
static void drop_oldest(struct perf_map *m)
{
    if (m->entries <= PERF_MAP_ENTRIES)
        return;
    qsort(m->entry, m->entries, sizeof *m->entry, by_order);
    memmove(m->entry, m->entry + m->entries - PERF_MAP_ENTRIES,
            PERF_MAP_ENTRIES * sizeof *m->entry);
    m->entries = PERF_MAP_ENTRIES;
    qsort(m->entry, m->entries, sizeof *m->entry, by_place);
}

/* Those that no entry has any more. */
static void drop_names(struct perf_map *m)
{
    struct intern *texts = intern_count(m->texts) > 2 * PERF_MAP_ENTRIES ? intern_new() : NULL;
    if (!texts)
        return;
    for (size_t i = 0; i < m->entries; i++)
        m->entry[i].name = intern_clean(texts, m->entry[i].name);
    intern_free(m->texts);
    m->texts = texts;
}

static void put_in_order(struct perf_map *m)
{
    uint64_t reach = 0;
    if (m->entries == 0)
        return;
    drop_replaced(m);
    drop_oldest(m);
    drop_names(m);
    for (size_t i = 0; i < m->entries; i++) {
        reach = reach > m->entry[i].end ? reach : m->entry[i].end;
        m->entry[i].reach = reach;
    }
}

/* ---- adding ---- */

/* While lines arrive there is room for twice as many as are kept: those of the last reading, which
 * most of the new ones replace. */
static bool has_room(struct perf_map *m)
{
    if (m->entries == 2 * PERF_MAP_ENTRIES)
        put_in_order(m);
    if (m->entries < m->room)
        return true;
    size_t room = m->room ? 2 * m->room : 1024;
    struct entry *grown = reallocarray(m->entry, room, sizeof *grown);
    if (!grown)
        return false;
    m->entry = grown;
    m->room = room;
    return true;
}

static void add_line(struct perf_map *m, char *line)
{
    struct entry entry = {.order = ++m->arrived};
    char *name;
    if (!has_room(m) || !read_line(line, &entry, &name))
        return;
    entry.name = intern_clean(m->texts, name);
    m->entry[m->entries++] = entry;
}

void perf_map_add(struct perf_map *m, char *text, size_t length)
{
    char *end = text + length;
    while (text < end) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        if (!newline)
            break; /* it is still being written, or was cut */
        *newline = 0;
        add_line(m, text);
        text = newline + 1;
    }
    put_in_order(m);
}

const char *perf_map_find(const struct perf_map *m, uint64_t address)
{
    const struct entry *found = NULL;
    size_t low =
        m->entries ? starts_upto(&m->entry->start, m->entries, sizeof *m->entry, address) : 0;
    for (size_t passed = 0; low > 0 && m->entry[low - 1].reach > address; low--, passed++) {
        const struct entry *entry = &m->entry[low - 1];
        if (passed == BACK)
            return NULL;
        if (entry->end > address && (!found || entry->order > found->order))
            found = entry;
    }
    return found ? found->name : NULL;
}

size_t perf_map_count(const struct perf_map *m)
{
    return m->entries;
}

void perf_map_write(const struct perf_map *m, FILE *out)
{
    struct entry *sorted = m->entries ? calloc(m->entries, sizeof *sorted) : NULL;
    if (!sorted)
        return;
    memcpy(sorted, m->entry, m->entries * sizeof *sorted);
    qsort(sorted, m->entries, sizeof *sorted, by_order);
    for (size_t i = 0; i < m->entries; i++)
        fprintf(out, "%" PRIx64 " %" PRIx64 " %s\n", sorted[i].start,
                sorted[i].end - sorted[i].start, sorted[i].name);
    free(sorted);
}

/* ---- the file ---- */

/* The number by which the process knows itself, which in a container isn't ours; and its user. */
struct identity {
    pid_t pid;
    uid_t user;
};

static bool read_identity(pid_t pid, struct identity *ret)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");
    if (!status)
        return false;
    *ret = (struct identity){pid, 0};
    while (fgets(line, sizeof line, status)) {
        const char *innermost = strrchr(line, '\t');
        if (strncmp(line, "NSpid:", 6) == 0 && innermost)
            ret->pid = (pid_t)strtol(innermost, NULL, 10);
        sscanf(line, "Uid: %*u %u", &ret->user); /* real, effective, ... */
    }
    fclose(status);
    return true;
}

/* No link is followed but /proc's own: an absolute one would lead into our file system. */
static int open_file(pid_t pid, const struct identity *as)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root/tmp", (int)pid);
    int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return -1;
    snprintf(path, sizeof path, "perf-%d.map", (int)as->pid);
    int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int error = errno;
    close(folder);
    errno = error;
    return fd;
}

static int check_file(int fd, const struct identity *as, struct stat *ret, struct err *e)
{
    if (fstat(fd, ret) != 0)
        return err_set(e, "/tmp/perf-%d.map: %s", (int)as->pid, strerror(errno));
    if (!S_ISREG(ret->st_mode))
        return err_set(e, "/tmp/perf-%d.map is not a regular file", (int)as->pid);
    if (ret->st_uid != as->user && ret->st_uid != 0)
        return err_set(e, "/tmp/perf-%d.map belongs to user %u, and the process runs as %u",
                       (int)as->pid, ret->st_uid, as->user);
    return 0;
}

static bool is_known(const struct stat *now, const struct stat *before)
{
    return now->st_ino == before->st_ino && now->st_size == before->st_size &&
           now->st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now->st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* Of a file beyond the limit its end, which is the newest part; the first line is cut then. */
static void add_file(struct perf_map *m, int fd, const struct stat *st)
{
    off_t from = st->st_size < PERF_MAP_BYTES ? 0 : st->st_size - PERF_MAP_BYTES;
    size_t size = (size_t)(st->st_size - from), used = 0;
    char *text = malloc(size + 1);
    ssize_t got = 1;
    while (text && used < size && got > 0) {
        got = pread(fd, text + used, size - used, from + (off_t)used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (text) {
        char *newline = from > 0 ? memchr(text, '\n', used) : NULL;
        char *first = newline ? newline + 1 : text;
        perf_map_add(m, first, used - (size_t)(first - text));
        m->read = *st;
    }
    free(text);
}

int perf_map_read(struct perf_map *m, pid_t pid, struct err *e)
{
    struct identity as;
    struct stat st;
    if (!read_identity(pid, &as))
        return 0;
    int fd = open_file(pid, &as);
    if (fd < 0)
        return errno == ENOENT ? 0
                               : err_set(e, "/tmp/perf-%d.map: %s", (int)as.pid, strerror(errno));
    int rc = check_file(fd, &as, &st, e);
    if (rc == 0 && !is_known(&st, &m->read))
        add_file(m, fd, &st);
    close(fd);
    return rc;
}
