#include "program.h"

#include "base/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

enum { EXIT_USAGE = 2 };

void program_start(int control_fd)
{
    signal(SIGPIPE, SIG_IGN);
    if (control_fd >= 0) {
        signal(SIGINT, SIG_IGN);
        if (process_follow_socket(control_fd) != 0)
            process_follow(getppid());
    }
}

int program_refuse(const char *name, const struct err *e)
{
    fprintf(stderr, "%s: %s\n", name, e->text);
    return EXIT_USAGE;
}

int program_begin(const struct program *p)
{
    if (p->help) {
        p->print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (p->version) {
        printf("%s %s, %s, libuv %s\n", p->name, SOAK_VERSION, p->crypto, uv_version_string());
        return EXIT_SUCCESS;
    }
    program_start(p->control_fd);
    return -1;
}

uint64_t program_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return UINT64_MAX;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max;
}

_Noreturn void program_fail(const char *name, int control_fd, const struct err *e)
{
    if (control_fd >= 0)
        dprintf(control_fd, "fatal text=%.400s\n", e->text);
    fprintf(stderr, "%s: %s\n", name, e->text);
    _exit(EXIT_FAILURE);
}
