#include "probe/heap.h"
#include "probe/probe.h"

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

char *probe_versions(char *buf, size_t size)
{
    char openssl[64], jemalloc[64];
    second_word(openssl, sizeof openssl, OpenSSL_version(OPENSSL_VERSION));
    const char *heap = heap_version();
    if (!heap) {
        snprintf(buf, size, "openssl=%s libuv=%s", openssl, uv_version_string());
        return buf;
    }
    snprintf(jemalloc, sizeof jemalloc, "%.*s", (int)strcspn(heap, "-"), heap);
    snprintf(buf, size, "openssl=%s libuv=%s jemalloc=%s", openssl, uv_version_string(), jemalloc);
    return buf;
}
