/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of a run, each a subject with a role: one is judged for the user's sake, one makes
 * its load. A subject is told what to do by its kind's operations and answers with words; which of
 * them it can be told is a bit of its kind, so that nobody waits for a word that never comes.
 *
 * All run on one loop, which is theirs. A subject can be opened again once it has ended and the
 * loop has run once more: its page is new then. The certificates of client authentication are made
 * once.
 */
#ifndef SOAK_SUBJECT_H
#define SOAK_SUBJECT_H

#include "base/address.h"
#include "child.h"
#include "measure/proc.h"
#include "page/process.h"
#include "page/snapshot.h"
#include "programs.h"

enum subject_role { SUBJECT_JUDGED, SUBJECT_LOAD };

enum subject_said {
    SUBJECT_READY,   /* it can be connected to, or connect; `number` is the port of one judged */
    SUBJECT_QUIET,   /* the load's last order is done; `number` is the oldest open epoch */
    SUBJECT_SETTLED, /* `number` is the id that was asked for */
    SUBJECT_DRAINED, /* it has closed its connections */
    SUBJECT_FLUSHED, /* its caches are empty */
};

/* What it can be told, and what it tells: a bit each. The rest every subject can. */
enum {
    SUBJECT_CAN_SETTLE = 1,         /* publishes when it is told to settle */
    SUBJECT_COUNTS_CONNECTIONS = 2, /* its page says which it accepted, holds and turned away */
    SUBJECT_HAS_PAGE = 4            /* its allocations are counted; else it is seen from outside */
};

struct subject_word {
    enum subject_said said;
    bool numbered; /* `number` was said */
    uint64_t number;
    const char *line; /* as it was said: borrowed for the call */
};

struct subject;
typedef void (*subject_said_fn)(struct subject *s, const struct subject_word *word);
/* One of its processes has ended: `c`. */
typedef void (*subject_exit_fn)(struct subject *s, const struct child *c);
/* It can't go on, though it may still run: one sentence. */
typedef void (*subject_broken_fn)(struct subject *s, const char *sentence);
/* One sentence for the person, and the run goes on. */
typedef void (*subject_note_fn)(struct subject *s, const char *sentence);

/* What a kind of subject does when it is told to. All but `snapshot` are answered by a word, or by
 * its end. */
struct subject_ops {
    unsigned can;
    /* By the scenario, which is borrowed for the call. Returns 0 or -1. */
    int (*start)(struct subject *s, const struct scenario *scenario, struct err *e);
    /* It has said that it is ready: refuses one that runs on something else than was asked for, and
     * keeps what it has mapped. Returns 0 or -1. */
    int (*ready)(struct subject *s, struct err *e);
    /* Of the load: an epoch of so many connections or operations, with more words of the line, as
     * docs/reference/protocol.md has it; and its early end. NULL: it is never the load. */
    void (*epoch)(struct subject *s, uint64_t opens, const char *words);
    void (*finish)(struct subject *s);
    /* `words` are of the heap's profile: profiler_words, or "". */
    void (*settle)(struct subject *s, uint64_t id, const char *words);
    void (*drain)(struct subject *s);
    void (*flush)(struct subject *s);
    int (*snapshot)(const struct subject *s, struct snapshot *ret, struct err *e);
    /* What the kernel says of it; `ret_rollup` NULL: not asked for; it isn't written
     * where the kernel doesn't tell. Returns 0 or -1. */
    int (*measure)(const struct subject *s, struct proc_sample *ret, struct proc_rollup *ret_rollup,
                   struct err *e);
    /* What it wants of the processors; NULL: nobody asks. */
    struct proc_wanted (*wanted)(const struct subject *s);
    /* It reads its configuration again: says that it is ready once it can be connected to. NULL:
     * never asked for. */
    void (*again)(struct subject *s);
    void (*stop)(struct subject *s);
    /* At once, and all that it has started. */
    void (*kill)(struct subject *s);
    /* Every few milliseconds, while it runs; NULL: there is nothing to look at. */
    void (*look)(struct subject *s);
    /* Whether nothing of it is counted: writes the sentence why. NULL: it says so itself. */
    bool (*blind)(const struct subject *s, char *buf, size_t size);
    /* At each checkpoint: whether its figures are still its own. Returns 0, or -1 with why not.
     * NULL: they are. */
    int (*check)(const struct subject *s, struct err *e);
};

struct foreign;
struct remote;
struct agent_load;

/* How many of its processes have said a word, and the least of their numbers. */
struct subject_gathered {
    size_t count;
    bool unnumbered;
    uint64_t number;
};

struct subject {
    const struct subject_ops *ops;
    enum subject_role role;
    bool serves;          /* it listens, and the other one connects to it */
    struct subjects *all; /* borrowed */
    struct child child;   /* the first of its processes, which stands for all; its page is theirs */
    struct child *others; /* owned: the rest of --client-procs or --server-procs */
    const struct scenario *scenario; /* of its start: borrowed; NULL before it */
    size_t processes;                /* how many it is to have: 1, and as many as `others` */
    struct subject_gathered gathered[SUBJECT_FLUSHED + 1];
    char libs[LINE_MAX_BYTES]; /* "openssl=... libuv=... ...", as it said last; "" until it was
                                  ready */
    int pki_fd;                /* its memory file of certificates, or -1 */
    int heap_fd;               /* a built-in one's memory file for a heap profile, or -1 */
    struct foreign *foreign;   /* owned; NULL: a built-in one, or a remote one */
    struct remote *remote;     /* owned; of one that runs already, from its start on */
    struct agent_load *agents; /* owned; NULL: its processes are on this machine */
    uv_timer_t begin;          /* a remote one's: its first word */
};

enum { SUBJECTS_MAX = 2 };

struct subjects {
    /* The owner's, borrowed. */
    void *owner;
    subject_said_fn on_said;
    subject_exit_fn on_exit;
    subject_broken_fn on_broken;
    subject_note_fn on_note;
    const struct programs *programs;
    struct run_dir *dir;
    uint64_t seed;
    uint64_t asked; /* --loop: what {count} stands for in the next run */

    uv_loop_t loop;
    size_t count;
    struct subject subject[SUBJECTS_MAX];
    char host[ADDRESS_TEXT]; /* where the one that is judged listens: `127.0.0.1` */
    uint64_t port;
    uint64_t settle_id;
    unsigned settled; /* a bit per subject that has answered settle_id */
};

/* The owner's fields are set, the others 0: makes the loop, the built-in subjects and their
 * certificates. Returns 0 or -1; subjects_fini is for both. */
int subjects_init(struct subjects *all, struct err *e);
/* Closes the loop, on which nothing is left but what is being closed. */
void subjects_fini(struct subjects *all);

/* Where the one that serves listens. Returns false as long as nobody knows. */
bool subjects_address(const struct subjects *all, struct address *ret);

/* The first with this role. */
struct subject *subjects_find(const struct subjects *all, enum subject_role role);
/* The other one. */
struct subject *subject_partner(const struct subject *s);
size_t subject_index(const struct subject *s);

/* Makes its page, before it is started. Returns 0 or -1. */
int subject_open(struct subject *s, struct err *e);
void subject_close(struct subject *s);

/* Its processes, while it is open. */
static inline size_t subject_processes(const struct subject *s)
{
    return s->others ? s->processes : 1;
}

static inline struct child *subject_process(const struct subject *s, size_t i)
{
    return i ? &s->others[i - 1] : (struct child *)&s->child;
}

/* Reads a line that one of its processes says. Returns whether it is one of the words above. */
bool subject_word_read(const char *line, struct subject_word *ret);
/* Notes that one of them has said it. Whether it was the last; then the number is the least of
 * theirs: of connections that are open, the oldest is. */
bool subject_gather(struct subject *s, struct child *c, struct subject_word *word);
/* It hasn't said anything that the others have yet to say: it has gone. */
void subject_unsay(struct subject *s, struct child *c);
/* Keeps what `ready` says of its libraries. */
void subject_keep_libs(struct subject *s, const char *line);

bool subject_running(const struct subject *s);
/* The first failed connection that one of its processes tells of, or one without text; and the
 * first problem, or "". Borrowed. */
const struct child_failure *subject_failure(const struct subject *s);
const char *subject_problem(const struct subject *s);

/* Why nothing can be judged of a server that soak hasn't started, or can't follow; NULL: it can.
 * It may be in `buf`. */
const char *subject_outside(const struct subject *s, char *buf, size_t size);

/* Asks all that can settle for it, under a new id. `words`: one per subject, or NULL. */
void subjects_settle(struct subjects *all, const char *const *words);
/* Notes an answer. Returns whether it is the last one of all that were asked. */
bool subjects_settled(struct subjects *all, const struct subject *s, uint64_t id);

/* Tells all to go. */
void subjects_stop(struct subjects *all);
void subjects_kill(struct subjects *all);
bool subjects_running(const struct subjects *all);

/* A subject of one process without anything open; whoever makes it adds its role and what its child
 * is listened to by. `name` is borrowed. */
void subject_init(struct subject *s, const struct subject_ops *ops, const char *name);
/* The programs that soak is built with: subject_builtin.c. */
void subject_builtin(struct subject *s, enum subject_role role, bool serves, size_t processes);
/* A program that isn't soak's: subject_foreign.c. It is the one that is judged. */
void subject_foreign(struct subject *s, bool serves);
void foreign_free(struct foreign *f);
/* A server that runs already: it is churned, and with --pid looked at from outside. */
void subject_agents(struct subject *s, size_t agents);
void subject_remote(struct subject *s);
void remote_free(struct remote *remote);
/* Why nothing can be judged of a server that runs already. Returns buf. */
char *remote_outside(const struct subject *s, char *buf, size_t size);
/* Its processes that have the probe, as snapshot_processes, each by the name that it has now; but
 * for those whose numbers aren't ours (PAGE_PROCESS_APART). Returns how many. */
size_t foreign_processes(const struct subject *s, struct snapshot_process *ret);
/* How the program itself has ended. */
struct foreign_end {
    uint64_t status, signal;
};
/* --loop: false while it runs, or where only its guard has ended. What it held at its end stays in
 * the page until it is started again; what others of its processes left there goes. */
bool foreign_ended(const struct subject *s, struct foreign_end *ret);
/* The program itself, among its processes; 0: not known. */
pid_t foreign_main(const struct subject *s);
/* Why its figures show nothing, though it is counted; NULL: they do. */
const char *foreign_doubt(const struct subject *s);
/* Whether a process is a JVM: its garbage collector frees what connections have left. */
bool foreign_is_jvm(pid_t pid);
/* Whether --processes has one of its processes judged. */
bool foreign_chooses(const struct foreign *f, pid_t pid, const char *name);
/* What --processes says; NULL: all are judged. */
const char *foreign_chosen(const struct subject *s);
/* Connections stood at a checkpoint that no process holds which is counted and, by --processes,
 * judged: one sentence; NULL: none did. What a connection leaves behind is then not looked at. And
 * what run would look at it. */
const char *foreign_left_out(const struct subject *s);
const char *foreign_wanted_instead(const struct subject *s);
/* What {name} stands for in commands about it. Borrowed. */
const struct placeholders *foreign_values(const struct foreign *f);

#endif
