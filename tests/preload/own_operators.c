/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A C++ program's operators new and delete of one object, which write before each block what they
 * know it by; it leaves all others to the C++ library, where they end in these two. Makes and
 * drops objects by each of the operators, prints what came to the two, and keeps COUNT arrays.
 * Usage: own-operators COUNT
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK   UINT64_C(0x77656e20796d2073)

enum { SIZE = 777, ALIGNMENT = 256, SKIPPED = 77 };

struct before {
    size_t size;
    uint64_t mark;
};

static int made, dropped;

EXPORT void *_Znwm(size_t size);
EXPORT void _ZdlPv(void *block);

void *_Znwm(size_t size)
{
    struct before *before = malloc(size + sizeof *before);
    if (!before)
        abort();
    *before = (struct before){size, MARK};
    made++;
    return before + 1;
}

void _ZdlPv(void *block)
{
    struct before *before = (struct before *)block - 1;
    if (!block)
        return;
    if (before->mark != MARK)
        abort();
    before->mark = 0;
    dropped++;
    free(before);
}

/* An operator by its name in the ABI, as a call of it is bound. */
static void operator_get(const char *name, void *to)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found)
        exit(SKIPPED);
    memcpy(to, &found, sizeof found);
}

/* The operators of one family go together, each new with each delete. All are called with three
 * arguments: one that an operator doesn't take it doesn't see. */
static void pair(const char *const *new_name, const char *const *delete_name, size_t argument)
{
    void *(*new)(size_t size, size_t alignment_or_tag, const void *tag);
    void (*delete)(void *block, size_t size_or_alignment, size_t alignment);
    for (; *new_name; new_name++) {
        operator_get(*new_name, &new);
        for (const char *const *name = delete_name; *name; name++) {
            operator_get(*name, &delete);
            void *block = new (SIZE, argument, new_name);
            memset(block, 1, SIZE);
            delete (block, argument, argument);
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const news[] = {"_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t",
                                       "_ZnamRKSt9nothrow_t", NULL};
    static const char *const deletes[] = {
        "_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm", "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t",
        NULL};
    static const char *const aligned_news[] = {"_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
                                               "_ZnwmSt11align_val_tRKSt9nothrow_t",
                                               "_ZnamSt11align_val_tRKSt9nothrow_t", NULL};
    static const char *const aligned_deletes[] = {"_ZdlPvSt11align_val_t",
                                                  "_ZdaPvSt11align_val_t",
                                                  "_ZdlPvmSt11align_val_t",
                                                  "_ZdaPvmSt11align_val_t",
                                                  "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                                                  "_ZdaPvSt11align_val_tRKSt9nothrow_t",
                                                  NULL};
    if (!dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL))
        return SKIPPED;
    pair(news, deletes, SIZE);
    pair(aligned_news, aligned_deletes, ALIGNMENT);
    printf("%d made, %d dropped\n", made, dropped);
    fflush(stdout);
    void *(*new)(size_t size);
    operator_get("_Znam", &new);
    for (int left = argc == 2 ? atoi(argv[1]) : 0; left > 0; left--) {
        if (!new (SIZE))
            return 1;
    }
    _exit(0);
}
