/* SPDX-License-Identifier: Apache-2.0 */
#include "symbol/demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* abi::__cxa_demangle of <cxxabi.h>. */
typedef char *demangle_fn(const char *name, char *buf, size_t *size, int *status);

/* Loaded at the first C++ name; most programs have none. */
static demangle_fn *find_demangle(void)
{
    static demangle_fn *found;
    static bool sought;
    void *library = sought ? NULL : dlopen("libstdc++.so.6", RTLD_LAZY);
    sought = true;
    if (library)
        *(void **)&found = dlsym(library, "__cxa_demangle");
    return found;
}

/* The bracket that the one at `close` ends; NULL when there is none. */
static char *opening(char *text, char *close)
{
    int depth = 0;
    for (char *c = close; c >= text; c--) {
        depth += *c == ')';
        depth -= *c == '(';
        if (depth == 0)
            return c;
    }
    return NULL;
}

/* Takes off the list of parameters and what follows it: `(int) const`. */
static void drop_parameters(char *text)
{
    char *close = strrchr(text, ')');
    char *open = close && !strstr(close, "::") ? opening(text, close) : NULL;
    if (open && open != text)
        *open = '\0';
}

const char *demangle(const char *name, char *buf, size_t size)
{
    int status = 0;
    demangle_fn *function =
        strncmp(name, "_Z", 2) == 0 && strlen(name) <= DEMANGLE_NAME ? find_demangle() : NULL;
    char *text = function ? function(name, NULL, NULL, &status) : NULL;
    const char *ret = name;
    if (text && status == 0) {
        drop_parameters(text);
        size_t length = strlen(text);
        if (length < size)
            ret = memcpy(buf, text, length + 1);
    }
    free(text);
    return ret;
}
