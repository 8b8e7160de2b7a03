#include "allocator.h"

#include "base/check.h"
#include "scenario/scenario.h"

#include <gnu/lib-names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char preload[] = "LD_PRELOAD=";

/* LD_PRELOAD with libc before whatever it holds already. */
static char *preload_libc(void)
{
    const char *present = getenv("LD_PRELOAD");
    char *text = NULL;
    int n = asprintf(&text, "%s%s%s%s", preload, LIBC_SO, present && *present ? ":" : "",
                     present ? present : "");
    CHECK(n > 0);
    return text;
}

char **allocator_environment(int kind)
{
    size_t count = 0, used = 0;
    if (kind == MALLOC_JEMALLOC || !SCENARIO_JEMALLOC)
        return NULL;
    while (environ[count])
        count++;
    char **copy = calloc(count + 2, sizeof *copy);
    CHECK(copy);
    copy[used++] = preload_libc();
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], preload, sizeof preload - 1) != 0)
            copy[used++] = environ[i];
    }
    return copy;
}

void allocator_environment_free(char **environment)
{
    if (!environment)
        return;
    free(environment[0]);
    free(environment);
}

int allocator_check(int kind, const char *libs, struct err *e)
{
    const char *said = strrchr(libs, ' ');
    const char *wanted = kind == MALLOC_JEMALLOC ? "jemalloc=" : "malloc=glibc-";
    /* A build without jemalloc (for the sanitizers) runs on what it has, and says what that is. */
    if (!SCENARIO_JEMALLOC || strstr(libs, wanted))
        return 0;
    return err_set(e,
                   "--malloc %s is asked for and it runs on another allocator (%s); is "
                   "something preloaded?",
                   kind == MALLOC_JEMALLOC ? "jemalloc" : "libc",
                   said ? said + 1 : "it doesn't say");
}
