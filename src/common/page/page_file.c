/* SPDX-License-Identifier: Apache-2.0 */
#include "page_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct page *map_shared(int fd)
{
    void *at = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* A limit of the size of files is meant for those on a disk, and this one is memory: as far as the
 * hard limit allows it is lifted for the moment. Returns 0 or -1 with errno. */
static int lengthen(int fd)
{
    struct rlimit was, raised;
    bool limited = getrlimit(RLIMIT_FSIZE, &was) == 0 && was.rlim_cur < was.rlim_max;
    if (limited) {
        raised = (struct rlimit){.rlim_cur = was.rlim_max, .rlim_max = was.rlim_max};
        setrlimit(RLIMIT_FSIZE, &raised);
    }
    int rc = ftruncate(fd, (off_t)sizeof(struct page)), error = errno;
    if (limited)
        setrlimit(RLIMIT_FSIZE, &was);
    errno = error;
    return rc;
}

uint64_t page_namespace(size_t which)
{
    static const char *const path[PAGE_NAMESPACES] = {
#define PATH(name, text) [PAGE_NAMESPACE_##name] = "/proc/self/ns/" text,
        PAGE_NAMESPACE_LIST(PATH)
#undef PATH
    };
    struct stat st;
    return stat(path[which], &st) == 0 ? st.st_ino : 0;
}

int page_file_make(int *ret_fd, struct page **ret_page, struct err *e)
{
    int fd = memfd_create(PAGE_FILE, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set(e, "cannot make the probe page: memfd_create: %s", strerror(errno));
    if (lengthen(fd) != 0) {
        err_set(e, "cannot make the probe page: ftruncate: %s", strerror(errno));
        goto out;
    }
    /* A file that can't shrink can't make its reader fault, whatever the subject does to it. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        err_set(e, "cannot make the probe page: F_ADD_SEALS: %s", strerror(errno));
        goto out;
    }
    struct page *page = map_shared(fd);
    if (!page) {
        err_set(e, "cannot map the probe page: %s", strerror(errno));
        goto out;
    }
    page->magic = PAGE_MAGIC;
    page->version = PAGE_VERSION;
    page->bytes = sizeof(struct page);
    for (size_t i = 0; i < PAGE_NAMESPACES; i++)
        page->namespaces[i] = page_namespace(i);
    *ret_fd = fd;
    *ret_page = page;
    return 0;
out:
    close(fd);
    return -1;
}

int page_file_map(int fd, struct page **ret_page, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set(e, "fd %d is not a probe page: %s", fd, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct page))
        return err_set(e, "fd %d is not a probe page: %lld bytes instead of %zu", fd,
                       (long long)st.st_size, sizeof(struct page));
    struct page *page = map_shared(fd);
    if (!page)
        return err_set(e, "cannot map the probe page: %s", strerror(errno));
    if (page->magic == PAGE_MAGIC && page->version == PAGE_VERSION &&
        page->bytes == sizeof(struct page)) {
        *ret_page = page;
        return 0;
    }
    if (page->magic != PAGE_MAGIC)
        err_set(e, "fd %d is not a probe page (bad magic)", fd);
    else
        err_set(e, "the probe page has version %llu and this program reads version %u",
                (unsigned long long)page->version, PAGE_VERSION);
    page_file_unmap(page);
    return -1;
}

void page_file_unmap(struct page *page)
{
    if (page)
        munmap(page, sizeof *page);
}
