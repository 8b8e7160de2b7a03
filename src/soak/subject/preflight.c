/* SPDX-License-Identifier: Apache-2.0 */
#include "preflight.h"

#include "args.h"
#include "base/address.h"
#include "base/input.h"
#include "base/memory_file.h"
#include "base/process.h"
#include "base/text.h"
#include "control/control.h"
#include "environment.h"
#include "foreign.h"
#include "guard.h"
#include "options/limits.h"
#include "page/page.h"
#include "scenario/placeholders.h"
#include "share.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- ports ---- */

enum { TIME_WAIT_S = 60, USUAL_FIRST = 32768, USUAL_LAST = 60999, USUAL_REUSE = 2 };

/* Up to two numbers of a file below /proc/sys/net/ipv4. */
static void read_numbers(const char *path, long *first, long *second)
{
    FILE *in = input_open(path, NULL);
    if (!in)
        return;
    if (fscanf(in, "%ld %ld", first, second) < 1)
        *first = -1;
    fclose(in);
}

struct ports ports_read(const char *root)
{
    char path[PATH_MAX];
    struct ports p = {USUAL_FIRST, USUAL_LAST, USUAL_REUSE};
    long unused = 0;
    snprintf(path, sizeof path, "%s/proc/sys/net/ipv4/ip_local_port_range", root);
    read_numbers(path, &p.first, &p.last);
    snprintf(path, sizeof path, "%s/proc/sys/net/ipv4/tcp_tw_reuse", root);
    read_numbers(path, &p.reuse, &unused);
    return p;
}

bool ports_suffice(double per_s, uint64_t conns, long ports, bool reused)
{
    if (reused)
        return conns < (uint64_t)ports;
    return per_s > 0 && per_s * TIME_WAIT_S + (double)conns < (double)ports;
}

int ports_check(const struct scenario *s, struct err *e)
{
    if (scenario_address(s)[0] != '[')
        return 0;
    struct ports p = ports_read("");
    long ports = p.last - p.first + 1;
    if (ports_suffice(s->churn.max ? 0 : s->churn.per_s, s->conns, ports, p.reuse != 0))
        return 0;
    return err_set(e,
                   "--listen %s: IPv6 has one loopback address, and its %ld ports would run out "
                   "(net.ipv4.tcp_tw_reuse is %ld); give --listen 127.0.0.1:0 or a lower --churn",
                   s->listen, ports, p.reuse);
}

/* As libuv binds, so that a port whose last connections are in TIME_WAIT is free. Returns 0 or an
 * error. */
static int try_address(const char *text)
{
    struct address at;
    struct err none;
    int yes = 1, error = 0;
    if (address_parse_any(text, &at, &none) != 0)
        return EINVAL;
    int fd = socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (const struct sockaddr *)&at.storage, at.bytes) != 0 || listen(fd, 1) != 0)
        error = errno;
    close(fd);
    return error;
}

/* Where the program of --server is to listen; NULL: wherever there is room. */
static const char *own_address(const struct scenario *s)
{
    const char *address = s->server ? s->connect : NULL;
    return address && !strchr(address, '{') ? address : NULL;
}

int served_check(const struct scenario *s, struct err *e)
{
    static const char *const in_use = "the port is in use; give another, or 0 for one that is free";
    const struct {
        const char *option, *address, *in_use;
    } served[] = {{"metrics", s->metrics, in_use},
                  {"serve", s->serve, in_use},
                  {"agents-listen", s->agents_listen, in_use},
                  {"connect", own_address(s), SERVED_ALREADY}};
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        int error = served[i].address ? try_address(served[i].address) : 0;
        if (error)
            return err_set(e, "--%s %.60s: %s", served[i].option, served[i].address,
                           error == EADDRINUSE ? served[i].in_use : strerror(error));
    }
    return 0;
}

/* ---- files ---- */

/* ` --client-procs=3`, where the processes asked for aren't enough and more would be. */
static void add_needed(struct text *text, const char *option, int asked, size_t needed)
{
    if (needed > (size_t)asked)
        text_add(text, " --%s=%zu", option, needed);
}

/* How many processes would do; "" when none would, or it is not for want of them. */
static void processes_text(const struct scenario *s, uint64_t allowed, char *buf, size_t size)
{
    struct text text = text_into(buf, size);
    size_t clients = share_clients_needed(s, allowed), servers = share_servers_needed(s, allowed);
    if (s->fail_alloc || s->client || !clients || !servers)
        return;
    if (!s->agents)
        add_needed(&text, "client-procs", s->client_procs, clients);
    if (!scenario_meets_foreign(s))
        add_needed(&text, "server-procs", s->server_procs, servers);
}

/* Over how many processes a program that isn't soak's spreads its connections is known to whoever
 * has several clients for it. */
static uint64_t server_files(const struct scenario *s)
{
    bool unknown = scenario_meets_foreign(s) && (s->client_procs > 1 || s->agents);
    return unknown ? 0 : share_server_files(s, (size_t)s->server_procs);
}

/* Whether it fits with one thread of the client: each has some that linger on. */
static bool one_worker_fits(const struct scenario *scenario, uint64_t allowed)
{
    struct scenario s = *scenario;
    s.client_workers = 1;
    return scenario->client_workers != 1 && server_files(&s) <= allowed &&
           share_client_files(&s, (size_t)s.client_procs) <= allowed;
}

int files_check(const struct scenario *scenario, struct err *e)
{
    struct scenario s = *scenario;
    char processes[80] = "";
    if (s.fail_alloc)
        s.conns = 1, s.client_workers = 1;
    /* An agent refuses by itself what its machine can't hold. */
    uint64_t client = s.agents ? 0 : share_client_files(&s, (size_t)s.client_procs);
    uint64_t server = server_files(&s);
    uint64_t need = client > server ? client : server, allowed = program_raise_files();
    if (allowed >= need)
        return 0;
    processes_text(&s, allowed, processes, sizeof processes);
    const char *worker =
        !processes[0] && one_worker_fits(&s, allowed) ? ", or give --client-workers 1" : "";
    return err_set(e,
                   "--conns %" PRIu64 " needs %" PRIu64
                   " open files in one process and the hard limit is %" PRIu64
                   "; %s%s%sraise it with 'ulimit -Hn %" PRIu64 "', or hold fewer connections%s",
                   s.conns, need, allowed, processes[0] ? "give" : "", processes,
                   processes[0] ? ", or " : "", need, worker);
}

/* The probe's pages are files, if only in memory. */
int page_file_check(struct err *e)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_max >= sizeof(struct page))
        return 0;
    return err_set(e,
                   "the limit of a file's size is %llu KiB and the probe's page has %zu; raise it "
                   "with 'ulimit -f unlimited'",
                   (unsigned long long)limit.rlim_max >> 10, sizeof(struct page) >> 10);
}

/* ---- the two programs ---- */

enum { PATIENCE_MS = 60000, SAID = 8192 };

static const char *name_of(bool server)
{
    return server ? "soak-server" : "soak-client";
}

/* The last line that it said, without the program's name before it. */
static const char *last_line(char *text, const char *name)
{
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    size_t named = strlen(name);
    bool is_named = strncmp(line, name, named) == 0 && strncmp(line + named, ": ", 2) == 0;
    return is_named ? line + named + 2 : line;
}

static int concluded(const struct programs *p, bool server, const struct guard_end *end, int out_fd,
                     struct err *e)
{
    char text[SAID];
    ssize_t n = pread(out_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    const char *said = last_line(text, name_of(server));
    if (end->status == 0 && end->signal_number == 0)
        return programs_check_allocator(p, server, said, e);
    if (end->status == 2)
        return err_set(e, "%.450s", said);
    char how[64];
    snprintf(how, sizeof how, end->signal_number ? "signal %d" : "status %d",
             end->signal_number ? end->signal_number : (int)end->status);
    return err_set(e, "the %s can't start, it ended with %s%s%.350s", server ? "server" : "client",
                   how, *said ? "; it said: " : "", said);
}

/* The system's libraries, and an address of the kernel's choice, are the build's own affair. */
static bool server_has_questions(const struct programs *p)
{
    const struct scenario *s = p->scenario;
    struct scenario usual;
    scenario_defaults(&usual);
    return p->assembled || s->env.count || s->groups || s->ciphers ||
           strcmp(s->listen, usual.listen) != 0;
}

/* Every OpenSSL lets a connection leave; what else it is to do or to say, the client knows. */
static bool client_has_questions(const struct programs *p)
{
    const struct scenario *s = p->scenario;
    if (s->client)
        return false;
    if (scenario_meets_foreign(s) || s->say || s->answer || s->client_cert)
        return true;
    for (int i = 0; i < BEHAVIOUR_COUNT; i++) {
        if (s->weight[i] && behaviour_entry((enum behaviour)i)->family == BEHAVIOUR_LEAVE)
            return false;
    }
    return true;
}

static int ask(const struct programs *p, bool server, struct err *e)
{
    struct args args;
    struct guard_end end;
    char path[PATH_MAX + 32];
    int out_fd;
    if (memory_file_make(name_of(server), "", &out_fd, e) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/%s", server ? programs_server_folder(p) : p->folder,
             name_of(server));
    if (server)
        args_server_check(&args, p->scenario, path);
    else
        args_client_check(&args, p->scenario, path);
    char **environment = programs_environment(p, server);
    const struct guard_job job = {
        .argv = args.argv, .environment = environment, .out_fd = out_fd, .limit_ms = PATIENCE_MS};
    int started = guard_run(&job, &end);
    int rc = started == 0 ? concluded(p, server, &end, out_fd, e)
                          : err_set(e, "%.300s can't be started: %s", path, uv_strerror(started));
    environment_free(environment);
    close(out_fd);
    return rc;
}

/* The program of --server or --client, as far as its first word says by itself where it lies. */
static int check_foreign(const struct programs *p, struct err *e)
{
    struct placeholders some = {{NULL}};
    struct words words;
    char path[PATH_MAX];
    for (size_t i = 0; i < PLACEHOLDERS; i++)
        some.value[i] = "";
    some.value[PLACEHOLDER_HERE] = p->here;
    some.value[PLACEHOLDER_PROGRAM] = *p->program ? p->program : NULL;
    if (foreign_templates_check(p->scenario, p->here, e) != 0)
        return -1;
    const char *command = p->scenario->client ? p->scenario->client : p->scenario->server;
    const char *name = p->scenario->client ? "client" : "server";
    if (placeholders_split(command, &some, &words, e) != 0)
        return err_prefix(e, "--%s", name);
    if (strncmp(command, "{work}", 6) != 0 &&
        process_find(words.argv[0], path, sizeof path, e) != 0)
        return err_prefix(e, "--%s", name);
    return programs_check_probe(p, e);
}

int subject_check(const struct programs *p, struct err *e)
{
    if ((p->scenario->server || p->scenario->client) && check_foreign(p, e) < 0)
        return -1;
    if (!scenario_meets_foreign(p->scenario) && server_has_questions(p) && ask(p, true, e) < 0)
        return -1;
    return client_has_questions(p) ? ask(p, false, e) : 0;
}
