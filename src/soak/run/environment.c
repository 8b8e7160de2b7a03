#include "environment.h"

#include "base/check.h"
#include "scenario/scenario.h"

#include <gnu/lib-names.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* A variable that gets something before what it holds already. */
struct addition {
    const char *name, *value; /* value "": nothing is added */
};

enum { ADDITIONS = 2 };

static char *added(const struct addition *a)
{
    const char *present = getenv(a->name);
    char *text = NULL;
    int n = asprintf(&text, "%s=%s%s%s", a->name, a->value, present && *present ? ":" : "",
                     present ? present : "");
    CHECK(n > 0);
    return text;
}

static bool is_replaced(const char *variable, const struct addition *addition)
{
    for (size_t i = 0; i < ADDITIONS; i++) {
        size_t length = strlen(addition[i].name);
        if (*addition[i].value && strncmp(variable, addition[i].name, length) == 0 &&
            variable[length] == '=')
            return true;
    }
    return false;
}

static char *copied(const char *variable)
{
    char *copy = strdup(variable);
    CHECK(copy);
    return copy;
}

char **environment_make(int allocator, const char *library_path)
{
    bool libc = allocator != MALLOC_JEMALLOC && SCENARIO_JEMALLOC;
    const struct addition addition[ADDITIONS] = {{"LD_PRELOAD", libc ? LIBC_SO : ""},
                                                 {"LD_LIBRARY_PATH", library_path}};
    size_t count = 0, used = 0;
    if (!libc && !*library_path)
        return NULL;
    while (environ[count])
        count++;
    char **copy = calloc(count + ADDITIONS + 1, sizeof *copy);
    CHECK(copy);
    for (size_t i = 0; i < ADDITIONS; i++) {
        if (*addition[i].value)
            copy[used++] = added(&addition[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(environ[i], addition))
            copy[used++] = copied(environ[i]);
    }
    return copy;
}

void environment_free(char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        free(environment[i]);
    free(environment);
}

int environment_check(int allocator, const char *libs, struct err *e)
{
    const char *said = strrchr(libs, ' ');
    const char *wanted = allocator == MALLOC_JEMALLOC ? "jemalloc=" : "malloc=glibc-";
    /* A build without jemalloc (for the sanitizers) runs on what it has, and says what that is. */
    if (!SCENARIO_JEMALLOC || strstr(libs, wanted))
        return 0;
    return err_set(e,
                   "--malloc %s is asked for and it runs on another allocator (%s); is "
                   "something preloaded?",
                   allocator == MALLOC_JEMALLOC ? "jemalloc" : "libc",
                   said ? said + 1 : "it doesn't say");
}
