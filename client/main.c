#include "client.h"
#include "options.h"
#include "pool.h"
#include "probe/probe.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

enum { EXIT_USAGE = 2, OTHER_FILES = 64 };

/* Dies with its parent, however that ends. */
static void follow_parent(void)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
}

/* Open connections, those that replace them, and those that linger on. */
static uint64_t files_needed(const struct options *o)
{
    uint64_t opening = (uint64_t)o->workers * POOL_OPENING_MAX;
    uint64_t leaving = (uint64_t)o->workers * POOL_LEAVING_MAX;
    return o->conns + (o->conns < opening ? o->conns : opening) + leaving + OTHER_FILES;
}

static int raise_open_files(const struct options *o, struct err *e)
{
    struct rlimit limit;
    uint64_t need = files_needed(o);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_max < need)
        return err_set(e,
                       "--conns %" PRIu64 ": at most %" PRIu64
                       " open files are allowed and %" PRIu64
                       " are needed; raise the limit with ulimit -n, or hold fewer connections",
                       o->conns, (uint64_t)limit.rlim_max, need);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return 0;
}

/* Other threads may be running by now: nothing is freed. */
static _Noreturn void fail(const struct options *o, const struct err *e)
{
    if (o->control_fd >= 0)
        dprintf(o->control_fd, "fatal text=%.400s\n", e->text);
    fprintf(stderr, "soak-client: %s\n", e->text);
    _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    static struct options o; /* the workers borrow it */
    struct err e;
    if (options_parse(argc, argv, &o, &e) < 0) {
        fprintf(stderr, "soak-client: %s\n", e.text);
        return EXIT_USAGE;
    }
    if (o.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (o.version) {
        printf("soak-client %s, %s, libuv %s\n", SOAK_VERSION, OpenSSL_version(OPENSSL_VERSION),
               uv_version_string());
        return EXIT_SUCCESS;
    }
    signal(SIGPIPE, SIG_IGN);
    if (o.control_fd >= 0) {
        signal(SIGINT, SIG_IGN);
        follow_parent();
    }
    struct probe_options probe = {.ledger = !o.no_ledger, .libuv = !o.no_ledger};
    if (raise_open_files(&o, &e) < 0 || probe_start(o.page_fd, &probe, &e) < 0)
        fail(&o, &e);
    int code = client_run(&o, &e);
    if (code < 0)
        fail(&o, &e);
    return code;
}
