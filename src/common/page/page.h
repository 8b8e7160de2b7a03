/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe page: a shared memory file (memfd) that is the only contract between a subject and
 * everything above it. The orchestrator makes it, the subject's probe writes it, the orchestrator
 * reads it. 64-bit atomics only, fixed tables, one layout version. What doesn't fit is counted and
 * reported, never grown.
 *
 * Every counter below has one writing thread, except where it says shared. Counters of one thread
 * may go negative (a block may be freed by another thread than the one that made it): only the sum
 * over the threads means something, and only at a quiescent point is it exact.
 *
 * A subject may be several processes: they share the page, each has a row and thread slots of its
 * own, and the sums over all slots are those of the whole subject.
 *
 * The file is sparse: pages that no one touches cost nothing. In the subject it counts as RssShmem,
 * so RssAnon stays free of it.
 */
#ifndef SOAK_PAGE_PAGE_H
#define SOAK_PAGE_PAGE_H

#include "base/hist.h"

#include <stdatomic.h>
#include <stdint.h>

#define PAGE_MAGIC   0x65676170206b6173ull /* "sak page" */
#define PAGE_VERSION 14u

enum {
    PAGE_THREADS = 256, /* slots; the last one is shared by all threads that found no own slot */
    PAGE_EPOCHS = 64,   /* an epoch beyond the last is counted as the last */
    PAGE_SITES = 2048,  /* site 0 is "all sites that found no place" */
    PAGE_FILE_BYTES = 112,
    PAGE_CLASSES = 16,
    PAGE_CACHES = 4,
    PAGE_BEHAVIOURS = 64,   /* ways in which a connection can end, "failed" among them */
    PAGE_SIZE_CLASSES = 72, /* jemalloc: 36 small, the first 36 large */
    PAGE_STACKS = 512,      /* stack 0 is none; numbers are 1 to PAGE_STACKS */
    PAGE_STACK_FRAMES = 32,
    PAGE_CAPTURE_WORDS = PAGE_SITES / 64,
    PAGE_PROCESSES = 256
};

/* Set in `epoch` while any site is being captured. The ledger compares the epoch with the table's
 * end at every block anyway: so nothing is paid for captures that no one asked for. */
#define PAGE_EPOCH_CAPTURES (UINT64_C(1) << 32)

/* Set in `epoch`, by the same trick, from before the subject's start while allocations may be made
 * to fail: see fail.h. */
#define PAGE_EPOCH_FAILS (UINT64_C(1) << 33)

/* Set in `epoch`, by the same trick, while the orchestrator itself counts the operations of a
 * foreign subject (app.operations): the self-check plants by them at the next block. */
#define PAGE_EPOCH_TURNS (UINT64_C(1) << 34)

/* In `keeper`, by the orchestrator: the next process that comes. */
#define PAGE_KEEPER_NEXT UINT64_MAX

typedef _Atomic int64_t page_i64;
typedef _Atomic uint64_t page_u64;

/* What one thread made and freed of one site and birth epoch, since start: live is the difference.
 * A block that realloc moves is freed at its old site and made at the new one. */
struct page_cell {
    page_u64 made, freed, made_bytes, freed_bytes;
};

/* Live blocks and bytes of one call stack and birth epoch. */
struct page_live {
    page_i64 blocks, bytes;
};

/* An allocation site, taken once, by whichever process first names it: `key` is a hash of file and
 * line, never 0 when taken. `file` is filled before `ready` becomes 1 and never changes. */
struct page_site {
    page_u64 key;
    page_u64 ready;
    page_u64 apart; /* 1: in no total, because its blocks aren't OpenSSL's */
    uint64_t line;
    char file[PAGE_FILE_BYTES]; /* the tail of the path when it is longer */
};

/* A class of OpenSSL objects: see census.h. */
struct page_class {
    page_u64 ready;
    page_u64 site; /* where the latest object of the class was allocated, 0 = not known */
    char name[24];
};

/* A call stack at which blocks of a captured site were allocated: shared. An entry is taken once,
 * by its hash, and never given back. `site`, `frames` and `frame` are filled before `ready`. */
struct page_stack {
    page_u64 hash; /* of site and frames, never 0 when taken */
    page_u64 ready;
    uint64_t site, frames;
    uint64_t frame[PAGE_STACK_FRAMES];  /* return addresses, innermost first */
    struct page_live born[PAGE_EPOCHS]; /* live, by birth epoch */
};

/* Call stacks of the sites that the orchestrator asked for. */
struct page_capture {
    page_u64 wanted[PAGE_CAPTURE_WORDS]; /* a bit per site; written by the orchestrator, as is */
    page_u64 pid;                        /* the process whose blocks count; 0: all do */
    page_u64 taken;                      /* shared: blocks whose stack was taken */
    page_u64 lost;                       /* shared: blocks whose stack found no place */
    struct page_stack stack[PAGE_STACKS];
};

/* Whose a slot is. Apart from what is counted in it, so that who looks for one touches little. */
struct page_slot {
    page_u64 used;        /* 1 while or after a thread owned the slot */
    page_u64 owner;       /* PAGE_OWNER; 0: nobody's, or shared (the last slot) */
    page_u64 claimed_ns;  /* when the owner got it: page_process_now_ns; 0: it is about to say so */
    page_u64 since_epoch; /* that in which the owner's process came: its blocks are no older */
};

struct page_thread {
    page_u64 moved[PAGE_SITES];    /* blocks that came to a site by realloc, since start */
    page_i64 census[PAGE_CLASSES]; /* live objects */
    struct page_cell cell[PAGE_EPOCHS][PAGE_SITES];
};

/* What process numbers and times mean depends on these of Linux's namespaces: their names below
 * /proc/PID/ns. */
#define PAGE_NAMESPACE_LIST(X) X(PID, "pid") X(TIME, "time")

#define PAGE_NAMESPACE(name, text) PAGE_NAMESPACE_##name,
enum { PAGE_NAMESPACE_LIST(PAGE_NAMESPACE) PAGE_NAMESPACES };
#undef PAGE_NAMESPACE

/* Who counts in a slot: a thread of `pid` does while `busy`; else the process keeps the slot for
 * another of its threads. Taken by compare and exchange, given back once the process has gone. */
#define PAGE_OWNER(pid, busy) ((uint64_t)(pid) << 1 | (busy))
#define PAGE_OWNER_PID(owner) ((owner) >> 1)

/* How the allocations of a process are seen: X(NAME, "text"). */
#define PAGE_MODE_LIST(X)                                                                          \
    X(INACTIVE, "none")           /* no hook: figures about allocations mean nothing */            \
    X(HOOKS, "set_mem_functions") /* OpenSSL's CRYPTO_set_mem_functions */                         \
    X(INTERPOSED, "interposed")   /* calls of the CRYPTO_ family between libraries */              \
    X(BORINGSSL, "boringssl")     /* OPENSSL_memory_alloc and its siblings: no file, no line */    \
    X(MALLOC, "malloc")           /* malloc and its family alone: of any TLS library */

#define PAGE_MODE(name, text) PAGE_MODE_##name,
enum page_mode { PAGE_MODE_LIST(PAGE_MODE) PAGE_MODES };
#undef PAGE_MODE

/* What else is known of a process: bits of page_process.flags. X(NAME, bit, "text") */
#define PAGE_PROCESS_FLAG_LIST(X)                                                                  \
    X(MALLOC, 1, "malloc")   /* malloc and its family are counted too */                           \
    X(CHAINED, 2, "chained") /* the program's own memory functions run behind the hooks */         \
    X(LATE, 4, "late")       /* OpenSSL had allocated before */                                    \
    X(TWO_LIBCRYPTOS, 8, "two libcryptos") /* the hooks see one of them */                         \
    X(NO_OPENSSL, 16, "no libcrypto")      /* none was found, yet */                               \
    X(ENDED, 32, "ended")                  /* it left by exit() and holds nothing any more */      \
    X(SHARES, 64, "too many threads")      /* one of them counts in the slot that all share */     \
    X(APART, 128, "apart")                 /* its number isn't the one that the orchestrator sees */

#define PAGE_PROCESS_FLAG(name, bit, text) PAGE_PROCESS_##name = (bit),
enum { PAGE_PROCESS_FLAG_LIST(PAGE_PROCESS_FLAG) };
#undef PAGE_PROCESS_FLAG

/* jemalloc's own figures: written by the thread that publishes (probe_publish, or a hook). */
struct page_heap {
    page_u64 present; /* 0 = the process has no jemalloc */
    page_u64 allocated, active, resident, mapped, retained, metadata;
    page_u64 publishes;
    page_u64 class_size[PAGE_SIZE_CLASSES];
    page_u64 class_regions[PAGE_SIZE_CLASSES]; /* live regions */
};

/* A process of the subject that has the probe: see process.h. `pid` is written last. */
struct page_process {
    page_u64 pid, parent;
    page_u64 entered_ns; /* when it took the row: page_process_now_ns */
    page_u64 mode, flags;
    char name[16];                   /* comm: /proc/PID/comm */
    char libcrypto[PAGE_FILE_BYTES]; /* the tail of the path of the one that is hooked */
    struct page_heap heap;
};

/* What threads of processes that have gone had counted. */
struct page_gone {
    page_u64 allocs, frees, reallocs, alloc_bytes;
    page_u64 made[PAGE_SITES]; /* allocs, by site */
};

/* What a bounded cache of the subject says of itself: shared, written at quiescent points. */
struct page_cache {
    page_u64 population, capacity; /* entries; capacity 0 = unbounded */
    char name[32];
};

/* X(counter, moves): what the subject as an application says of itself, in the page's order.
 * `moves` is 1 where a change of it means that something goes on, else 0. */
#define PAGE_APP_FIELDS(X)                                                                         \
    X(opened, 1)                                                                                   \
    X(closed, 1) /* gone entirely, failed handshakes too */                                        \
    X(established, 1)                                                                              \
    X(in_flight, 1)                                                                                \
    X(handshakes, 1) /* completed ones */                                                          \
    X(resumed, 1)                                                                                  \
    X(failed, 1) /* connections that failed against their behaviour's intent */                    \
    /* Ended without a handshake because their behaviour says so; server: turned away because      \
     * --emfile says so. */                                                                        \
    X(expected_aborts, 1)                                                                          \
    X(replacements_due, 0)     /* client: that the asked rate made due */                          \
    X(replacements_started, 0) /* client */                                                        \
    X(fail_connect, 0)                                                                             \
    X(fail_handshake, 0)                                                                           \
    X(fail_echo, 0)                                                                                \
    X(fail_timeout, 0)                                                                             \
    X(fail_lost, 0)                                                                                \
    /* Client: operations done on held connections. Server: records of data that it was sent,      \
     * which in such a run is one per operation, and one per connection before the first. */       \
    X(operations, 1)                                                                               \
    X(foreign, 0) /* server: peers that aren't its load; turned away, and in no other count */     \
    X(most, 0)    /* server of a client program: the most that were established at once */

/* Shared: atomic adds, or one publishing thread. */
#define PAGE_COUNTER(counter, moves) page_u64 counter;
struct page_app {
    PAGE_APP_FIELDS(PAGE_COUNTER)
};

/* Client: times of all handshakes, as struct hist. Shared: atomic adds. */
struct page_times {
    page_u64 count, max;
    page_u64 bucket[HIST_BUCKETS];
};

/* The blocks of the self-check: allocation sites PAGE_PLANT_FILE, line 1 + enum page_plant. They
 * are no part of any sum that a reader gives out. */
enum page_plant {
    PAGE_PLANT_LOST,     /* one block, lost on purpose: must be found */
    PAGE_PLANT_ONE_TIME, /* one block, made once and kept */
    PAGE_PLANT_CACHE,    /* PAGE_PLANT_RING entries, the oldest replaced */
    PAGE_PLANT_DEFERRED, /* PAGE_PLANT_WAITING blocks at most, freed some connections later */
    PAGE_PLANTS
};
#define PAGE_PLANT_FILE "soak/self-check"
enum { PAGE_PLANT_RING = 8, PAGE_PLANT_WAITING = 2 };

/* The self-check's plan, in ordinals of connections (0 is the subject's first), or of its
 * operations in a run whose connections are held. Written by the orchestrator at quiescent points;
 * lost_epoch and the three totals are the subject's, shared. */
struct page_check {
    page_u64 until; /* connections from this one on are let alone; 0 = no self-check */
    page_u64 every; /* a cache entry and a deferred block every N connections */
    page_u64 lost_at, lost_bytes, one_time_at; /* ordinals + 1; 0 = not known yet */
    page_u64 lost_epoch;                       /* 1 + the epoch of the lost block; 0 = not yet */
    page_u64 allocs, frees, alloc_bytes;       /* the plants' part of the threads' totals */
    page_u64 by_operation;                     /* 1: the ordinals are those of `operations` */
    page_u64 shared; /* 1: of several processes; what comes and goes one of them plants, */
    page_u64 pid;    /* this one, by connections of its own; 0 = none yet */
    page_u64 turned; /* and the operations that have had their turn */
};

/* A way in which the client's connections end. Counted when a connection is gone, by what it in
 * fact did: a connection that tried to leave cleanly and failed is not clean. Twice, because a
 * block is stamped with the epoch of its allocation: what is allocated at accept follows the epoch
 * in which the connection began, what is allocated on leaving the epoch in which it ended. Shared:
 * atomic adds. */
struct page_behaviour {
    char name[24];
    uint64_t weight; /* in the mix that the client was started with; 0: never drawn */
    page_u64 begun[PAGE_EPOCHS], ended[PAGE_EPOCHS];
};

/* A call stack of its own, return addresses, innermost first. `frames` is written last. */
struct page_trace {
    page_u64 frames;
    uint64_t frame[PAGE_STACK_FRAMES];
};

/* An allocation that is made to fail, and what became of it. The first two are the orchestrator's,
 * written while no connection is open; the others are the subject's. */
struct page_fail {
    page_u64 connection; /* 1 + the ordinal of the connection whose allocations count; 0 = none */
    page_u64 nth;        /* which of them fails, from 1; 0 = none: they are only counted */
    page_u64 asked;      /* shared: allocations that the connection has asked for */
    page_u64 failed;     /* 1 = it has failed; the next three are filled */
    page_u64 site, size; /* of the allocation that failed */
    struct page_trace stack;
};

/* What the subject's last signal left: see crash.h. */
struct page_crash {
    page_u64 signal; /* that ended the process; 0 = none */
    page_u64 pid;    /* whose it was */
    struct page_trace stack;
};

struct page {
    uint64_t magic;
    uint64_t version;
    uint64_t bytes; /* sizeof(struct page), as the maker compiled it */
    /* page_epoch_word of the epoch, and the flags PAGE_EPOCH_*; written by the orchestrator, at
     * quiescent points. */
    page_u64 epoch;
    page_u64 mode;  /* enum page_mode, written by the probe */
    page_u64 sites; /* used entries of site[] */
    page_u64 classes;
    page_u64 sites_lost;     /* shared: allocations counted on site 0 */
    page_u64 threads_shared; /* shared: threads that had to use the last slot */
    page_u64 epochs_late;    /* shared: 1 when an epoch was beyond the table */
    page_u64 bad_frees;      /* shared: frees of blocks that carry no header of ours */
    /* shared: processes that found no row, or ended and had counted in the last slot */
    page_u64 processes_lost;
    page_u64 memory_shared;   /* the processes share what they allocate: it outlives them */
    page_u64 processes_apart; /* shared: processes of another namespace (PAGE_PROCESS_APART) */
    uint64_t namespaces[PAGE_NAMESPACES]; /* the orchestrator's: page_namespace; 0: not known */
    page_u64 blocks_lost;   /* shared: blocks that found no place in the block table: not counted */
    page_u64 publish_asked; /* 1, by the orchestrator: the next SSL object that is freed publishes
                               the heap's figures, and sets it to 0 */
    page_u64 keeper; /* the process whose blocks stay counted when it ends, until it is reaped */
    struct page_gone gone;
    struct page_process process[PAGE_PROCESSES];
    struct page_app app;
    struct page_check check;
    struct page_times times;
    struct page_cache cache[PAGE_CACHES];
    struct page_class class_[PAGE_CLASSES];
    struct page_site site[PAGE_SITES];
    struct page_capture capture;
    struct page_slot slot[PAGE_THREADS];
    struct page_thread thread[PAGE_THREADS];
    page_u64 behaviours; /* entries of behaviour[]; written after they are filled */
    struct page_behaviour behaviour[PAGE_BEHAVIOURS];
    struct page_fail fail;
    struct page_crash crash;
};

/* An epoch stands in the page as the distance of its cells from those of the first, in bytes: so a
 * block's cell is found by an addition. */
#define PAGE_EPOCH_BYTES (PAGE_SITES * sizeof(struct page_cell))
#define PAGE_EPOCH_END   (PAGE_EPOCHS * PAGE_EPOCH_BYTES)

static inline uint64_t page_epoch_word(uint64_t epoch)
{
    return epoch * PAGE_EPOCH_BYTES;
}

/* The number of the present epoch, as it is stamped into new blocks. */
static inline uint64_t page_epoch(uint64_t word)
{
    return (word & ~(PAGE_EPOCH_CAPTURES | PAGE_EPOCH_FAILS | PAGE_EPOCH_TURNS)) / PAGE_EPOCH_BYTES;
}

#endif
