/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share: each is one function that hands bytes to one reader. It is called
 * again and again in one process, so what it takes it gives back. A reader that reads beyond its
 * input, leaks or aborts ends the process: that is a finding.
 */
#ifndef SOAK_FUZZ_FUZZ_H
#define SOAK_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Called by libFuzzer (https://llvm.org/docs/LibFuzzer.html). Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A copy of exactly that length and its NUL, so that reading beyond is seen; free. */
static inline char *fuzz_text(const uint8_t *bytes, size_t count)
{
    char *text = malloc(count + 1);
    if (!text)
        abort();
    memcpy(text, bytes, count);
    text[count] = '\0';
    return text;
}

/* The next line of `*rest`, or NULL: for inputs that are several texts. */
static inline char *fuzz_line(char **rest)
{
    return *rest ? strsep(rest, "\n") : NULL;
}

enum { FUZZ_PATH = 64 };

/* Puts the bytes into a file that lies in memory alone and is made once. Returns buf, its path. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t count, char buf[FUZZ_PATH])
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes, count, 0) != (ssize_t)count)
        abort();
    snprintf(buf, FUZZ_PATH, "/proc/self/fd/%d", fd);
    return buf;
}

#endif
