/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process under soak: soak-server or soak-client, with its control socketpair, its probe
 * page and its log. Runs on the orchestrator's loop. The struct is embedded by the caller and must
 * stay until `on_exit` has been called and the loop has run once more; child_fini then gives back
 * the page.
 */
#ifndef SOAK_CHILD_H
#define SOAK_CHILD_H

#include "base/err.h"
#include "base/line.h"
#include "page/page.h"
#include "symbol/image.h"

#include <stdbool.h>
#include <uv.h>

enum { CHILD_SKIPPED = 16, CHILD_LABEL = 48 };

/* A behaviour that the child's build can't do. */
struct child_skipped {
    char name[32], why[256];
};

/* The client's first failed connection. */
struct child_failure {
    char kind[16], behaviour[32]; /* "handshake"; "clean", or the operation's name */
    char text[256];               /* the sentence; "" when none has failed */
};

struct child;
typedef void (*child_line_fn)(struct child *c, const char *line);
typedef void (*child_exit_fn)(struct child *c);

struct child {
    const char *name;    /* "server", "client": static */
    unsigned number, of; /* among the processes of its subject, from 1; 0: it is the only one */
    void *owner;         /* borrowed, for the callbacks */
    child_line_fn on_line;
    child_exit_fn on_exit;

    bool guarded;       /* started below guard_spawn_all: `process` is the guard's, `pid` the
                         * program's once the guard has said it */
    struct page *page;  /* mapped while the struct lives */
    bool page_lent;     /* by another child */
    struct image image; /* what it had mapped when it was last looked at */
    int pid;            /* 0 before the start */
    bool running;
    bool quitting; /* told to go: its exit is expected */
    bool babbles;  /* sent what is no line, and was ended for it */
    int64_t exit_status;
    int exit_signal;
    char fatal[LINE_MAX_BYTES];   /* the child's own last sentence, or "" */
    char problem[LINE_MAX_BYTES]; /* its first problem, or "" */
    struct child_failure failure;
    size_t skipped_count; /* at most CHILD_SKIPPED */
    struct child_skipped skipped[CHILD_SKIPPED];

    unsigned said; /* of a subject of several: a bit per word that the others have yet to say */
    int page_fd;
    uv_process_t process;
    uv_pipe_t control;
    struct line_reader reader;
};

/* Its name in sentences: "client", "client 2 of 3". And that of its log: "client.log",
 * "client-2.log". Both return buf. */
char *child_label(const struct child *c, char *buf, size_t size);
char *child_log_name(const struct child *c, char *buf, size_t size);
/* Makes the page. name, owner and the callbacks must be set. Returns 0 or -1. */
int child_init(struct child *c, struct err *e);
/* The same for one that shares the page of `first`, which must outlive it. */
void child_init_beside(struct child *c, const struct child *first);
/* What is started. All is the caller's. */
enum { CHILD_HEAP_FD = 6 };
struct child_launch {
    uv_loop_t *loop;
    const char *path;
    char *const *argv;  /* NULL-ended; `--control-fd 3 --page-fd 4` are for the caller to put in */
    char **environment; /* NULL = soak's own */
    int log_fd;         /* becomes stdout and stderr */
    int extra_fd;       /* becomes descriptor 5, or -1 */
    int heap_fd;        /* becomes CHILD_HEAP_FD, or -1 */
};
/* How the preloaded probe finds the page: by the descriptor that a child has, or where it hasn't,
 * by a path. The value of SOAK_PROBE. */
void child_page_text(int page_fd, char *buf, size_t size);
/* What its page takes of memory so far: as much as has been written to. */
uint64_t child_page_bytes(const struct child *c);
/* Returns 0 or -1. */
int child_start(struct child *c, const struct child_launch *launch, struct err *e);
/* Sends one control line (printf format, without its newline). A child that is gone is no error:
 * its exit is told by on_exit. */
void child_send(struct child *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that it says, however it came: keeps its fatal sentence, its problems and what it skips,
 * and hands it to on_line. */
void child_hear(struct child *c, const char *line);
/* Ends it with SIGKILL, if it runs. */
void child_kill(struct child *c);
/* Keeps what it has mapped, for names after it has gone. What was kept stays when it can't be read:
 * then its addresses have no names. */
void child_keep_image(struct child *c);
/* How it ended: "server exited with signal 11 (SIGSEGV)". Returns buf. */
char *child_end_text(const struct child *c, char *buf, size_t size);
void child_fini(struct child *c);

#endif
