/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a program can be connected to, and which of its processes stand for it. */
#include "foreign.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *which_of(const struct foreign *f)
{
    return f->subject->all->programs->scenario->processes;
}

bool foreign_judges_all(const struct foreign *f)
{
    return strcmp(which_of(f), "all") == 0;
}

const char *foreign_chosen(const struct subject *s)
{
    return foreign_judges_all(s->foreign) ? NULL : which_of(s->foreign);
}

bool foreign_chooses(const struct foreign *f, pid_t pid, const char *name)
{
    const char *which = which_of(f);
    if (foreign_judges_all(f))
        return true;
    return strcmp(which, "main") == 0 ? pid == f->main_pid : strcmp(which, name) == 0;
}

size_t foreign_processes(const struct subject *s, struct snapshot_process *ret)
{
    size_t rows = snapshot_processes(s->child.page, ret), count = 0;
    for (size_t i = 0; i < rows; i++) {
        struct process now;
        if (ret[i].flags & PAGE_PROCESS_APART)
            continue;
        ret[count] = ret[i];
        if (process_read(ret[count].pid, &now))
            text_copy(ret[count].name, sizeof ret[count].name, now.name);
        count++;
    }
    return count;
}

void foreign_family(const struct foreign *f, struct process_tree *ret)
{
    process_tree_read(ret, f->subject->child.process.pid);
}

/* The program itself; or where it has ended, what stands in its place: the eldest of those that the
 * guard has inherited. */
void foreign_find_main(struct foreign *f)
{
    struct process_tree *tree = malloc(sizeof *tree);
    CHECK(tree);
    foreign_family(f, tree);
    for (size_t i = 0; f->main_ended && i < tree->count; i++) {
        if (tree->process[i].parent != f->subject->child.process.pid)
            continue;
        f->main_pid = tree->process[i].pid;
        break;
    }
    free(tree);
    snprintf(f->pid, sizeof f->pid, "%d", (int)f->main_pid);
    f->values.value[PLACEHOLDER_PID] = f->pid;
}

/* How much a process has allocated since it was last looked at. */
static uint64_t allocated_meanwhile(const struct foreign *f, const struct foreign_known *now)
{
    uint64_t before = 0;
    for (size_t i = 0; i < f->known_count; i++)
        if (f->known[i].pid == now->pid)
            before = f->known[i].allocs;
    return now->allocs > before ? now->allocs - before : 0;
}

/* The process whose addresses and libraries stand for all: of those that are counted the one that
 * does most at present, as a master may have started again since it forked its workers, and lie at
 * other addresses (haproxy -W). When none does anything it stays the one that it was, else is the
 * first that is counted, else the program itself. */
void foreign_find_counted(struct foreign *f)
{
    struct snapshot_process row[PAGE_PROCESSES];
    struct foreign_known now[PAGE_PROCESSES] = {{0}};
    struct child *c = &f->subject->child;
    pid_t chosen = 0;
    uint64_t most = 0;
    size_t rows = snapshot_processes(c->page, row);
    for (size_t i = rows; i-- > 0;) {
        now[i] = (struct foreign_known){row[i].pid, snapshot_process_allocs(c->page, row[i].pid)};
        if (row[i].mode == PAGE_MODE_INACTIVE || row[i].flags & PAGE_PROCESS_APART)
            continue;
        uint64_t done = allocated_meanwhile(f, &now[i]);
        bool better = done > most || (most == 0 && (chosen != c->pid || row[i].pid == c->pid));
        if (better)
            chosen = row[i].pid;
        most = done > most ? done : most;
    }
    c->pid = chosen ? chosen : f->main_pid;
    f->known_count = rows;
    memcpy(f->known, now, rows * sizeof *now);
}

void foreign_is_ready(struct foreign *f, const char *how)
{
    struct subject *s = f->subject;
    f->ready = true;
    foreign_find_main(f);
    foreign_find_counted(f);
    const char *slash = strrchr(f->command.argv[0], '/');
    snprintf(s->libs, sizeof s->libs, "program=%.200s", slash ? slash + 1 : f->command.argv[0]);
    const struct subject_word word = {
        .said = SUBJECT_READY, .numbered = true, .number = s->all->port, .line = how};
    s->all->on_said(s, &word);
}

static void on_tried(uv_handle_t *handle)
{
    struct foreign *f = handle->data;
    f->trying = false;
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct foreign *f = connect->data;
    if (!uv_is_closing((uv_handle_t *)&f->tcp))
        uv_close((uv_handle_t *)&f->tcp, on_tried);
    if (status == 0 && !f->ready && !f->told && f->subject->child.running)
        foreign_is_ready(f, "it can be connected to");
}

static void try_to_connect(struct foreign *f)
{
    struct address to;
    CHECK(address_parse_any(f->address, &to, NULL) == 0);
    CHECK(uv_tcp_init(&f->subject->all->loop, &f->tcp) == 0);
    f->tcp.data = f->connect.data = f;
    f->trying = true;
    if (uv_tcp_connect(&f->connect, &f->tcp, (const struct sockaddr *)&to.storage, on_connect) != 0)
        uv_close((uv_handle_t *)&f->tcp, on_tried);
}

static void not_ready(struct foreign *f)
{
    char ports[200], text[1024];
    struct process_tree *tree = malloc(sizeof *tree);
    struct subjects *all = f->subject->all;
    CHECK(tree);
    foreign_family(f, tree);
    process_tree_ports(tree, ports, sizeof ports);
    free(tree);
    snprintf(text, sizeof text,
             "server: nothing listened on %s within %.3gs (--ready-timeout); %s%s; its log: "
             "%.200s/server.log",
             f->address, (double)all->programs->scenario->ready_timeout_ns / 1e9,
             *ports ? "it listens on " : "it listens on no port", ports, all->dir->path);
    all->on_broken(f->subject, text);
}

void foreign_ready_poll(struct foreign *f, uint64_t now)
{
    if (now - f->started_ns > f->subject->all->programs->scenario->ready_timeout_ns)
        not_ready(f);
    else if (!f->trying)
        try_to_connect(f);
}

void foreign_ready_stop(struct foreign *f)
{
    if (f->trying && !uv_is_closing((uv_handle_t *)&f->tcp))
        uv_close((uv_handle_t *)&f->tcp, on_tried);
}
