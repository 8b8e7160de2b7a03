/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock by its system calls: glibc wraps none of them, and the headers of the machine that
 * builds may be older than the kernel that runs. linux/landlock.h has the layouts and numbers. */
#include "sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* on all processors */
enum { ONLY_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define NET_BIND       (UINT64_C(1) << 0)
#define NET_CONNECT    (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0)
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)

struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct net_port {
    uint64_t allowed, port;
};

int landlock_version(void)
{
    long version = syscall(CREATE_RULESET, NULL, 0, ONLY_VERSION);
    return version > 0 ? (int)version : 0;
}

/* What a version of the interface can refuse: all of it is, but for what the rules allow. */
static struct ruleset all_of(int version)
{
    static const struct {
        int since, fs_rights;
    } fs[] = {{1, 13}, {2, 14}, {3, 15}, {5, 16}};
    struct ruleset r = {0};
    for (size_t i = 0; i < sizeof fs / sizeof fs[0] && fs[i].since <= version; i++)
        r.fs = (UINT64_C(1) << fs[i].fs_rights) - 1;
    r.net = version >= 4 ? NET_BIND | NET_CONNECT : 0;
    r.scoped = version >= 6 ? SCOPE_ABSTRACT | SCOPE_SIGNAL : 0;
    return r;
}

/* The descriptor stays open: a file of /proc is known by its inode, which is another one as soon as
 * nobody holds it. */
static int allow_path(int ruleset, const char *path, uint64_t rights)
{
    struct path_beneath rule = {.allowed = rights, .parent = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0)
        return 0; /* isn't there */
    int rc = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
    /* Memory files and the like have no place in a tree, and are never refused. */
    return rc == 0 || errno == EBADFD ? 0 : -1;
}

static int allow_files(int ruleset, const struct sandbox_options *o)
{
    static const struct {
        const char *path;
        uint64_t rights;
    } always[] = {
        {"/proc/self/maps", FS_READ_FILE}, /* jemalloc's profile names what is mapped */
        {"/proc/sys/vm/overcommit_memory",
         FS_READ_FILE}, /* glibc's malloc asks before it shrinks */
        {"/sys/devices/system/cpu", FS_READ_FILE | FS_READ_DIR}, /* and how many arenas to make */
        {"/dev/null", FS_READ_FILE | FS_WRITE_FILE},
        {"/dev/urandom", FS_READ_FILE},
    };
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (allow_path(ruleset, always[i].path, always[i].rights) != 0)
            return -1;
    for (size_t i = 0; i < o->readables; i++)
        if (o->readable[i] && allow_path(ruleset, o->readable[i], FS_READ_FILE) != 0)
            return -1;
    return 0;
}

/* A source address is bound to with port 0, and gets one only when it connects. */
static int allow_ports(int ruleset, const struct sandbox_options *o)
{
    const struct net_port target = {.allowed = NET_CONNECT, .port = o->port},
                          any = {.allowed = NET_BIND};
    return (int)(syscall(ADD_RULE, ruleset, RULE_NET_PORT, &target, 0) |
                 syscall(ADD_RULE, ruleset, RULE_NET_PORT, &any, 0));
}

int landlock_enter(const struct sandbox_options *o)
{
    int version = landlock_version();
    const struct ruleset all = all_of(version);
    /* Older kernels take what they know: a longer structure only if the rest of it is 0. */
    int ruleset = version ? (int)syscall(CREATE_RULESET, &all, sizeof all, 0) : -1;
    if (ruleset < 0)
        return -1;
    int rc = allow_files(ruleset, o);
#if defined(SOAK_COVERED)
    if (rc == 0) /* the counts are written there at the end */
        rc = allow_path(ruleset, SOAK_COVERED, all.fs);
#endif
    if (rc == 0 && all.net && o->connects)
        rc = allow_ports(ruleset, o);
    if (rc == 0)
        rc = (int)syscall(RESTRICT_SELF, ruleset, 0);
    int why = errno;
    close(ruleset);
    errno = why;
    return rc;
}
