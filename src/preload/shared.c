/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shared_range shared_range;

/* ---- /proc/self/maps, a character at a time: `low-high perms ...` in each line ---- */

enum field { FIELD_LOW, FIELD_HIGH, FIELD_PERMS, FIELD_REST };
enum { READ_BYTES = 512, PERM_SHARED = 4 }; /* the last of rwxs */

struct mapping {
    uintptr_t low, high;
    enum field field;
    int perms;
    bool shared;
};

static uintptr_t add_digit(uintptr_t number, char c)
{
    return number << 4 | (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void take_char(struct mapping *m, char c)
{
    if (c == '\n')
        *m = (struct mapping){0};
    else if (m->field == FIELD_LOW && c == '-')
        m->field = FIELD_HIGH;
    else if (m->field == FIELD_LOW)
        m->low = add_digit(m->low, c);
    else if (m->field == FIELD_HIGH && c == ' ')
        m->field = FIELD_PERMS;
    else if (m->field == FIELD_HIGH)
        m->high = add_digit(m->high, c);
    else if (m->field == FIELD_PERMS && ++m->perms == PERM_SHARED) {
        m->shared = c == 's';
        m->field = FIELD_REST;
    }
}

/* The mapping that an address lies in; empty: there is none, or no /proc. */
static struct mapping find(uintptr_t at)
{
    struct mapping m = {0};
    char text[READ_BYTES];
    bool found = false;
    long n, fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !found && (n = syscall(SYS_read, fd, text, sizeof text)) > 0) {
        for (long i = 0; i < n && !found; i++) {
            take_char(&m, text[i]);
            found = m.field == FIELD_REST && at >= m.low && at < m.high;
        }
    }
    if (fd >= 0)
        syscall(SYS_close, fd);
    return found ? m : (struct mapping){0};
}

bool shared_look(const void *block)
{
    int before = errno;
    struct mapping m = find((uintptr_t)block);
    size_t bytes = m.high - m.low;
    void *entry = MAP_FAILED;
    if (m.shared)
        entry = mmap(NULL, (bytes >> BLOCK_GRANULE_BITS) * sizeof(block_entry),
                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    errno = before;
    if (entry == MAP_FAILED)
        return false;
    shared_range.low = m.low;
    shared_range.entry = entry;
    atomic_store_explicit(&shared_range.bytes, bytes, memory_order_release);
    return true;
}
