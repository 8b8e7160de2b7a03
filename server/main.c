#include "options.h"
#include "probe/probe.h"
#include "server.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

enum { EXIT_USAGE = 2 };

/* Dies with its parent, however that ends. */
static void follow_parent(void)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

static void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Other threads may be running by now: nothing is freed. */
static _Noreturn void fail(const struct options *o, const struct err *e)
{
    if (o->control_fd >= 0)
        dprintf(o->control_fd, "fatal text=%.400s\n", e->text);
    fprintf(stderr, "soak-server: %s\n", e->text);
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    struct options o;
    struct err e;
    if (options_parse(argc, argv, &o, &e) < 0) {
        fprintf(stderr, "soak-server: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (o.version) {
        printf("soak-server %s, %s, libuv %s\n", SOAK_VERSION, OpenSSL_version(OPENSSL_VERSION),
               uv_version_string());
        return EXIT_SUCCESS;
    }
    signal(SIGPIPE, SIG_IGN);
    if (o.control_fd >= 0) {
        signal(SIGINT, SIG_IGN);
        follow_parent();
    }
    raise_open_files();
    struct probe_options probe = {.ledger = !o.no_ledger, .libuv = !o.no_ledger};
    if (probe_start(o.page_fd, &probe, &e) < 0 || server_run(&o, &e) < 0)
        fail(&o, &e);
    return EXIT_SUCCESS;
}
