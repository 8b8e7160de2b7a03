/* SPDX-License-Identifier: Apache-2.0 */
/* A program with functions of the C library's names, each of which asks for the real one when it is
 * first called, as Seastar has its own dl_iterate_phdr, libfaketime its own clock_gettime, and a
 * sanitizer its own strcmp. */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

typedef int on_object(struct dl_phdr_info *object, size_t size, void *to);

EXPORT int dl_iterate_phdr(on_object *on, void *to)
{
    static int (*real)(on_object * on, void *to);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "dl_iterate_phdr");
    return real(on, to);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*real)(clockid_t clock, struct timespec * ret);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    return real(clock, ret);
}

EXPORT int strcmp(const char *a, const char *b)
{
    static int (*real)(const char *a, const char *b);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "strcmp");
    return real(a, b);
}

static int count(struct dl_phdr_info *object, size_t size, void *to)
{
    (void)object;
    (void)size;
    ++*(int *)to;
    return 0;
}

int main(int argc, char **argv)
{
    int objects = 0;
    struct timespec now;
    dl_iterate_phdr(count, &objects);
    int clock = clock_gettime(CLOCK_MONOTONIC, &now);
    bool same = argc > 0 && strcmp(argv[0], *argv) == 0;
    printf("objects: %s, clock: %d, same: %d\n", objects > 1 ? "some" : "none", clock, same);
    return 0;
}
