/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into one program of a test: makes its Nth call of a kind fail, or every one that names
 * a path, or moves the clock of the wall.
 *
 *   FAIL_IN=soak-server     the program, by its argv[0]; others are left alone
 *   FAIL_PAGE=FILE          a file of FAIL_KINDS + 1 64-bit numbers: the calls of each kind so far,
 *                           in all processes of the program; the last: how many have failed
 *   FAIL=KIND N ERRNO [on]  the Nth call of the kind fails, with `on` all after it, too; with N 0
 *                           those whose path has FAIL_PATH
 *   FAIL_PATH=TEXT
 *   FAIL_CLOCK=N SECONDS    from the Nth reading on the clock of the wall has moved
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum kind { KIND_MEMORY, KIND_OPEN, KIND_WRITE, KIND_FORK, KIND_CLOCK, KINDS };

static const char *const names[KINDS] = {"memory", "open", "write", "fork", "clock"};

static struct {
    _Atomic uint64_t *count; /* of the page; NULL: this program is left alone */
    enum kind kind;
    uint64_t nth, from;
    int error;
    bool on;
    long long moved_s;
    const char *path;
} plan;

static void read_plan(void)
{
    const char *fail = getenv("FAIL"), *clock = getenv("FAIL_CLOCK");
    char word[16] = "", on[4] = "";
    unsigned long long nth = 0;
    if (fail && sscanf(fail, "%15s %llu %d %3s", word, &nth, &plan.error, on) >= 3)
        for (int k = 0; k < KINDS; k++)
            if (strcmp(word, names[k]) == 0) {
                plan.kind = (enum kind)k;
                plan.nth = nth;
                plan.on = strcmp(on, "on") == 0;
            }
    plan.path = getenv("FAIL_PATH");
    if (clock && sscanf(clock, "%llu %lld", &nth, &plan.moved_s) == 2)
        plan.from = nth;
}

__attribute__((constructor)) static void begin(void)
{
    const char *in = getenv("FAIL_IN"), *page = getenv("FAIL_PAGE");
    if (!in || !page || strcmp(in, program_invocation_short_name) != 0)
        return;
    read_plan();
    int fd = open(page, O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED
                      : mmap(NULL, (KINDS + 1) * sizeof *plan.count, PROT_READ | PROT_WRITE,
                             MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    plan.count = at == MAP_FAILED ? NULL : at;
}

/* Whether the call is the one; then errno is set. */
static bool fails(enum kind kind, const char *path)
{
    if (!plan.count)
        return false;
    uint64_t now = atomic_fetch_add(&plan.count[kind], 1) + 1;
    if (kind != plan.kind || !plan.error)
        return false;
    if (plan.nth ? now < plan.nth || (now > plan.nth && !plan.on)
                 : !(path && plan.path && strstr(path, plan.path)))
        return false;
    atomic_fetch_add(&plan.count[KINDS], 1);
    errno = plan.error;
    return true;
}

/* Only what lies on a disk can be full. */
static bool write_fails(int fd)
{
    struct stat s;
    int error = errno;
    bool file = plan.count && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink > 0;
    bool nameless = plan.count && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_dev != 1 &&
                    (fcntl(fd, F_GETFL) & O_TMPFILE) == O_TMPFILE;
    errno = error;
    return (file || nameless) && fails(KIND_WRITE, NULL);
}

#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* ---- memory ---- */

/* dlsym may ask for memory itself, once: it gets this. */
static char early[65536];
static size_t early_used;

static bool is_early(const void *p)
{
    return (const char *)p >= early && (const char *)p < early + sizeof early;
}

static void *early_get(size_t size)
{
    size_t at = early_used;
    early_used = (at + size + 15) & ~(size_t)15;
    return early_used <= sizeof early ? early + at : NULL;
}

static __thread bool looking;

#define LOOK_UP(next, name)                                                                        \
    static __typeof__(&name) next;                                                                 \
    if (!next && !looking) {                                                                       \
        looking = true;                                                                            \
        next = NEXT(name);                                                                         \
        looking = false;                                                                           \
    }

EXPORT void *malloc(size_t size)
{
    LOOK_UP(next, malloc)
    if (!next)
        return early_get(size);
    return fails(KIND_MEMORY, NULL) ? NULL : next(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    LOOK_UP(next, calloc)
    if (!next)
        return early_get(count * size);
    return fails(KIND_MEMORY, NULL) ? NULL : next(count, size);
}

EXPORT void *realloc(void *p, size_t size)
{
    LOOK_UP(next, realloc)
    if (!next || is_early(p)) {
        void *to = next ? malloc(size) : early_get(size);
        size_t most = p ? (size_t)(early + sizeof early - (char *)p) : 0;
        return to && p ? memcpy(to, p, size < most ? size : most) : to;
    }
    return fails(KIND_MEMORY, NULL) ? NULL : next(p, size);
}

EXPORT void free(void *p)
{
    LOOK_UP(next, free)
    if (next && !is_early(p))
        next(p);
}

/* ---- descriptors ---- */

#define OPENS(name)                                                                                \
    EXPORT int name(const char *path, int flags, ...)                                              \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = va_arg(args, mode_t);                                                        \
        va_end(args);                                                                              \
        return fails(KIND_OPEN, path) ? -1 : NEXT(name)(path, flags, mode);                        \
    }
#define OPENS_AT(name)                                                                             \
    EXPORT int name(int folder, const char *path, int flags, ...)                                  \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = va_arg(args, mode_t);                                                        \
        va_end(args);                                                                              \
        return fails(KIND_OPEN, path) ? -1 : NEXT(name)(folder, path, flags, mode);                \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

/* What a fortified program calls in their place. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

/* name, result when it fails, parameters, arguments, kind, path */
#define CALL(type, name, failed, parameters, arguments, when)                                      \
    EXPORT type name parameters                                                                    \
    {                                                                                              \
        return when ? failed : NEXT(name) arguments;                                               \
    }
#define OPENING(path) fails(KIND_OPEN, path)
CALL(int, __open_2, -1, (const char *path, int flags), (path, flags), OPENING(path))
CALL(int, __open64_2, -1, (const char *path, int flags), (path, flags), OPENING(path))
CALL(int, __openat_2, -1, (int at, const char *path, int flags), (at, path, flags), OPENING(path))
CALL(int, __openat64_2, -1, (int at, const char *path, int flags), (at, path, flags), OPENING(path))
CALL(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode), OPENING(path))
CALL(FILE *, fopen64, NULL, (const char *path, const char *mode), (path, mode), OPENING(path))
int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int pair[2]);
int epoll_create1(int flags);
int eventfd(unsigned count, int flags);
CALL(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol), OPENING(NULL))
CALL(int, socketpair, -1, (int domain, int type, int protocol, int pair[2]),
     (domain, type, protocol, pair), OPENING(NULL))
CALL(int, pipe2, -1, (int ends[2], int flags), (ends, flags), OPENING(NULL))
CALL(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags), OPENING(NULL))
CALL(int, epoll_create1, -1, (int flags), (flags), OPENING(NULL))
CALL(int, eventfd, -1, (unsigned count, int flags), (count, flags), OPENING(NULL))
CALL(pid_t, fork, -1, (void), (), fails(KIND_FORK, NULL))

/* ---- the disk ---- */

#define WRITING fails(KIND_WRITE, NULL)
CALL(ssize_t, write, -1, (int fd, const void *bytes, size_t count), (fd, bytes, count),
     write_fails(fd))
CALL(ssize_t, writev, -1, (int fd, const struct iovec *parts, int count), (fd, parts, count),
     write_fails(fd))
CALL(ssize_t, pwrite, -1, (int fd, const void *bytes, size_t count, off_t at),
     (fd, bytes, count, at), write_fails(fd))
CALL(int, fsync, -1, (int fd), (fd), write_fails(fd))
CALL(int, rename, -1, (const char *from, const char *to), (from, to), WRITING)
CALL(int, renameat, -1, (int f, const char *from, int t, const char *to), (f, from, t, to), WRITING)
CALL(int, linkat, -1, (int f, const char *from, int t, const char *to, int flags),
     (f, from, t, to, flags), WRITING)
CALL(int, symlinkat, -1, (const char *to, int folder, const char *path), (to, folder, path),
     WRITING)
CALL(int, mkdir, -1, (const char *path, mode_t mode), (path, mode), WRITING)
CALL(int, mkdirat, -1, (int folder, const char *path, mode_t mode), (folder, path, mode), WRITING)

/* ---- the clock of the wall ---- */

static long long moved_s(void)
{
    if (!plan.count || !plan.from)
        return 0;
    return atomic_fetch_add(&plan.count[KIND_CLOCK], 1) + 1 >= plan.from ? plan.moved_s : 0;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int rc = NEXT(clock_gettime)(clock, ret);
    if (rc == 0 && clock == CLOCK_REALTIME)
        ret->tv_sec += moved_s();
    return rc;
}

EXPORT int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    int rc = NEXT(gettimeofday)(ret, zone);
    if (rc == 0)
        ret->tv_sec += moved_s();
    return rc;
}

EXPORT time_t time(time_t *ret)
{
    time_t now = NEXT(time)(NULL) + moved_s();
    if (ret)
        *ret = now;
    return now;
}
