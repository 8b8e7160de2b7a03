/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/heap.h"
#include "probe/probe.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

/* `OpenSSL 3.0.19 27 Jan 2026` -> `3.0.19`; `5.3.0-0-g54eaed1d` -> `5.3.0`. */
static void second_word(char *to, size_t size, const char *text)
{
    const char *blank = strchr(text, ' ');
    const char *word = blank ? blank + 1 : text;
    snprintf(to, size, "%.*s", (int)strcspn(word, " "), word);
}

/* The allocator behind malloc(): jemalloc, glibc, or the file name of whatever took their place (a
 * sanitizer's runtime). */
static void allocator_text(char *to, size_t size)
{
    const char *heap = heap_version();
    Dl_info libc, own;
    void *taken = dlsym(RTLD_DEFAULT, "malloc");
    if (heap)
        snprintf(to, size, "jemalloc=%.*s", (int)strcspn(heap, "-"), heap);
    else if (!taken || !dladdr(taken, &own) || !own.dli_fname ||
             !dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc))
        snprintf(to, size, "malloc=unknown");
    else if (own.dli_fbase == libc.dli_fbase)
        snprintf(to, size, "malloc=glibc-%s", gnu_get_libc_version());
    else {
        const char *slash = strrchr(own.dli_fname, '/');
        snprintf(to, size, "malloc=%.40s", slash ? slash + 1 : own.dli_fname);
    }
}

char *probe_versions(char *buf, size_t size)
{
    char openssl[64], allocator[64];
    second_word(openssl, sizeof openssl, OpenSSL_version(OPENSSL_VERSION));
    allocator_text(allocator, sizeof allocator);
    snprintf(buf, size, "openssl=%s libuv=%s %s", openssl, uv_version_string(), allocator);
    return buf;
}
