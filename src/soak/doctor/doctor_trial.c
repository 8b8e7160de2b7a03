/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "archive/run_dir.h"
#include "base/process.h"
#include "base/text.h"
#include "catalog.h"
#include "guard.h"
#include "measure/proc.h"
#include "page/page_file.h"
#include "page/process.h"
#include "report/document.h"
#include "run_process.h"
#include "subject/child.h"
#include "subject/environment.h"
#include "subject/programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Enough for a figure of the rate; not of how fast many can be opened. */
enum { TRIAL_CLOSED = 1500, TRIAL_CONNS = 30, PRELOAD_MS = 60000, SOURCE = 0x7f00f102 };

/* ---- the loopback interface ---- */

static struct sockaddr_in loopback_address(uint32_t host)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
}

/* Connects as the client does: from an address of its own, which needs no set-up on Linux. */
static int connect_from(int listener, int fd)
{
    struct sockaddr_in to = loopback_address(INADDR_LOOPBACK), from = loopback_address(SOURCE);
    socklen_t size = sizeof to;
    if (bind(listener, (struct sockaddr *)&to, sizeof to) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&to, &size) != 0 ||
        bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        return -1;
    return connect(fd, (struct sockaddr *)&to, sizeof to);
}

static void try_loopback(struct err *e)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || fd < 0 || connect_from(listener, fd) != 0)
        err_set(e, "127.0.0.1 can't be reached: %s", strerror(errno));
    if (listener >= 0)
        close(listener);
    if (fd >= 0)
        close(fd);
}

/* ---- the probe ---- */

/* soak itself is as good a program as any: it has libcrypto loaded. */
static int run_with_probe(char *program, const char *probe, const char *page, struct err *e)
{
    static const struct opts_list none = {.count = 0};
    char *argv[] = {program, (char *)"--version", NULL};
    struct guard_end end;
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char **environment = environment_make(&(struct environment_request){
        .library_path = "", .passed = &none, .preload = probe, .page = page});
    const struct guard_job job = {
        .argv = argv, .environment = environment, .out_fd = out, .limit_ms = PRELOAD_MS};
    int rc = guard_run(&job, &end);
    environment_free(environment);
    if (out >= 0)
        close(out);
    if (rc != 0)
        return err_set(e, "a program can't be started with the probe: %s", uv_strerror(rc));
    if (end.status != 0 || end.signal_number)
        return err_set(e, "a program with the probe ended with status %d, signal %d",
                       (int)end.status, end.signal_number);
    return 0;
}

static int see_row(const struct page *page, struct err *e)
{
    struct snapshot_process row[PAGE_PROCESSES];
    if (snapshot_processes(page, row) == 0)
        return err_set(e, "LD_PRELOAD doesn't load the probe, or it can't open its page");
    return row[0].mode == PAGE_MODE_INACTIVE ? err_set(e, "the probe can't hook libcrypto") : 0;
}

/* On a page that is there. */
static void try_preload(int page_fd, const struct page *page, struct doctor_tried *ret)
{
    struct err *e = &ret->preload;
    char own[PATH_MAX], folder[PATH_MAX], probe[PATH_MAX + 64], program[PATH_MAX + 8], text[160];
    if (process_own_folder(own, sizeof own, e) != 0 ||
        catalog_programs(folder, sizeof folder, e) != 0)
        return;
    programs_probe(folder, false, probe, sizeof probe);
    ret->no_probe = programs_probe_check(probe, e) != 0;
    if (ret->no_probe)
        return;
    snprintf(program, sizeof program, "%s/soak", own);
    child_page_text(page_fd, text, sizeof text);
    if (run_with_probe(program, probe, text, e) == 0)
        see_row(page, e);
}

static void try_page(struct doctor_tried *ret)
{
    struct page *page = NULL;
    int fd = -1;
    if (page_file_check(&ret->page) != 0 || page_file_make(&fd, &page, &ret->page) != 0) {
        err_set(&ret->preload, "there is no page for the probe");
        return;
    }
    try_preload(fd, page, ret);
    page_file_unmap(page);
    close(fd);
}

void doctor_try(const struct doctor_asked *asked, struct doctor_tried *ret)
{
    char folder[PATH_MAX];
    struct scenario s;
    struct proc_rollup unused;
    scenario_defaults(&s);
    s.conns = asked->conns;
    *ret = (struct doctor_tried){.no_probe = false};
    files_check(&s, &ret->files);
    try_loopback(&ret->loopback);
    try_page(ret);
    ret->sandbox = sandbox_can();
    ret->no_sandbox = sandbox_out_of_place();
    proc_rollup_read(getpid(), &unused, &ret->rollup);
    run_dir_check(catalog_results(NULL, "runs", folder), &ret->results);
    if (!environment_text(&s.env, ret->set_aside, sizeof ret->set_aside))
        ret->set_aside[0] = '\0';
}

/* ---- the trial ---- */

static void take_libs(const struct result *r, struct doctor_trial *t)
{
    struct text libs = text_list(t->libs, sizeof t->libs, ", ");
    for (size_t i = 0; i < r->libs; i++) {
        text_item(&libs, "%s %s", r->lib[i].name, r->lib[i].version);
        t->jemalloc |= strcmp(r->lib[i].name, "jemalloc") == 0;
    }
}

static void take_result(const struct result *r, struct doctor_trial *t)
{
    const struct result_subject *server = result_subject_find(r, "server");
    const struct result_subject *client = result_subject_find(r, "client");
    t->closed = r->run.closed;
    t->per_s = r->run.rate_per_s;
    t->server_us = server ? server->cpu_us_per_conn : 0;
    t->client_us = client ? client->cpu_us_per_conn : 0;
    take_libs(r, t);
}

static int take(const struct run_process_result *run, struct doctor_trial *ret)
{
    struct err e = {{0}};
    struct document *d = run->document ? document_read(run->document, &e) : NULL;
    *ret = (struct doctor_trial){.exit_code = run->exit_code};
    snprintf(ret->said, sizeof ret->said, "%s", run->said);
    if (!d)
        return 0;
    take_result(&d->result, ret);
    document_free(d);
    return 0;
}

int doctor_trial_run(const struct doctor_asked *asked, struct doctor_trial *ret, struct err *e)
{
    struct run_process sub;
    struct run_process_result run;
    char conns[32], closed[32];
    uint64_t held = asked->conns < TRIAL_CONNS ? asked->conns : TRIAL_CONNS;
    snprintf(conns, sizeof conns, "%" PRIu64, held);
    snprintf(closed, sizeof closed, "%d", TRIAL_CLOSED);
    const char *const words[] = {"--conns",       conns, "--closed", closed,
                                 "--sensitivity", "1/1", NULL};
    if (run_process_open(&sub, "doctor", e) != 0)
        return -1;
    int rc = run_process_execute(&sub, words, &run, e);
    if (rc == 0) {
        take(&run, ret);
        run_process_done(&sub, &run, false);
    }
    bool interrupted = sub.interrupted;
    run_process_close(&sub);
    return rc == 0 ? 0 : interrupted ? -EINTR : -1;
}
