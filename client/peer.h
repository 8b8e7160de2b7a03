/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: TCP connect, handshake, a message echoed, held, then left as its behaviour says.
 * Everything runs on the loop of struct peer_shared and nothing blocks.
 *
 * peer_new allocates; the peer frees itself in libuv's close callback, right after `gone`. peer.c
 * is the top: what happens to the socket or is asked by the owner begins a turn, and when it ends
 * the peer is sent on, closed and reported, as the step says that the functions below it returned
 * (exchange.c, operate.c, leave.c, the recipes). An event is the last thing of a turn, so that the
 * owner may end the peer from within one. The owner times it out: a peer has no timer.
 */
#ifndef SOAK_CLIENT_PEER_H
#define SOAK_CLIENT_PEER_H

#include "base/names.h"
#include "net/socket.h"
#include "options/choices.h"
#include "page/page.h"
#include "recipe.h"
#include "sessions.h"
#include "talk.h"
#include "target.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { PEER_PAYLOAD_SPARE = 256, PEER_HEARD = 64 };

enum peer_state {
    PEER_NEW,
    PEER_CONNECT,
    PEER_STARTTLS, /* the dialogue before TLS */
    PEER_HANDSHAKE,
    PEER_ECHO,         /* the handshake is done; the message is under way */
    PEER_WORK,         /* what its behaviour does before it is held */
    PEER_HELD,         /* established */
    PEER_ASKED_CLOSE,  /* asked the server to close: waits for its close_notify */
    PEER_CLOSE_NOTIFY, /* left cleanly: waits for the server's close_notify */
    PEER_HALF_CLOSED,  /* left by FIN: waits for the server's, whatever it still says */
    PEER_CLOSED        /* waits for the close callback */
};

/* What went wrong against the behaviour's intent. */
#define PEER_FAILURE_LIST(X)                                                                       \
    X(PEER_FAIL_CONNECT, "connect")                                                                \
    X(PEER_FAIL_HANDSHAKE, "handshake")                                                            \
    X(PEER_FAIL_ECHO, "echo")                                                                      \
    X(PEER_FAIL_TIMEOUT, "timeout")                                                                \
    X(PEER_FAIL_LOST, "lost") /* ended by the server while held */
enum peer_failure { PEER_FAILURE_LIST(ENUM_ID) PEER_FAILURES };
const char *peer_failure_name(enum peer_failure kind);

struct peer;
struct client_certs;

/* What all peers of a loop share. Set up by the owner, borrowed by every peer. */
struct peer_shared {
    SSL_CTX *ctx;
    const struct target *target;
    const char *sni;                  /* or NULL */
    const char *alpn;                 /* `a,b`, or NULL */
    const struct client_certs *certs; /* or NULL */
    enum starttls_protocol starttls;
    struct sessions *sessions; /* NULL: nothing is resumed */
    const struct talk *talk;
    const uint8_t *payload; /* payload_bytes + PEER_PAYLOAD_SPARE */
    size_t payload_bytes;
    struct page_app *app;    /* handshakes and resumed are counted here */
    struct overlap *overlap; /* the group that gathers (overlap.h), or NULL */
    uint64_t slots;          /* connections held by this loop */
    uint64_t aborts;         /* so far, of EXIT_IN_TURN */
    bool may_end;            /* the server, what is held */
    unsigned silent;         /* connections to which nothing was said after the handshake */

    void (*on_handshake)(struct peer *p, uint64_t took_ns);
    void (*on_established)(struct peer *p);
    void (*on_operated)(struct peer *p); /* the operation on a held one is done */
    void (*on_aborted)(struct peer *p);  /* never held, as intended */
    void (*on_ended)(struct peer *p);    /* by the server while held, which may do that */
    void (*on_failed)(struct peer *p, enum peer_failure kind, const char *text);
    void (*on_gone)(struct peer *p); /* the last event of every peer */

    /* Of the turn that fails. */
    enum peer_failure failure;
    char why[256];
    struct net_loop net;
};

struct peer {
    enum peer_state state;
    enum behaviour behaviour;
    const struct recipe *recipe;
    bool resume;
    bool excused;     /* has nothing to be refused for: does `work` instead */
    bool stalled;     /* says nothing more: waits for the server's end */
    bool heard_after; /* something has come since the handshake was done */
    unsigned flights; /* sent in the handshake; counted where the recipe's point needs it */
    unsigned step;    /* the recipe's */
    void *own;        /* the recipe's; from malloc, freed with the peer */
    struct peer_shared *shared;
    struct starttls *starttls; /* owned; NULL but in the dialogue before TLS */
    SSL *ssl;                  /* owned; NULL when the recipe speaks no TLS */
    struct net_socket socket;
    size_t variant;         /* below PEER_PAYLOAD_SPARE */
    const uint8_t *message; /* borrowed, of `shared`: what it says, and how much of it */
    size_t message_bytes;
    size_t sent, echoed;        /* of the message, and of its echo or answer */
    char heard[PEER_HEARD];     /* the first line of an answer, as long as it isn't the right one */
    unsigned ticks;             /* since the handshake was done */
    enum operation operation;   /* under way on a held connection */
    size_t answered;            /* bytes of the server's answer to it */
    const SSL_SESSION *session; /* before it: only to be compared */
    uint64_t begun_ns;

    /* The owner's. */
    TAILQ_ENTRY(peer) link;
    void *owner;
    int place;
    int ended_as; /* enum behaviour, or BEHAVIOUR_FAILED */
    uint64_t born_epoch, deadline_ns;
    uint64_t active_epoch; /* of its birth, or of the last operation on it */
};

/* `turn` numbers the connections; it chooses source address and message. No I/O yet. */
struct peer *peer_new(struct peer_shared *shared, enum behaviour behaviour, uint64_t turn,
                      bool resume);
/* What the sockets of a loop tell their peers. */
extern const struct net_events peer_events;

/* Begins. May report a failure before it returns. */
void peer_connect(struct peer *p, uint64_t turn);
/* Leaves a held connection as its behaviour says. Reports nothing but `gone`. */
void peer_leave(struct peer *p);
/* Makes a held connection leave in another way than it was drawn to. */
void peer_become(struct peer *p, enum behaviour behaviour);
/* Begins an operation on a held connection that has none: `operated` is its end. */
void peer_operate(struct peer *p, enum operation operation);
/* The recipe's turn that comes by time. */
void peer_tick(struct peer *p);
/* Takes longer than the limit: fails. Harmless once closed. */
void peer_expire(struct peer *p, uint64_t limit_ns);
/* Ends at once by RST, as no failure. Harmless once closed. */
void peer_reset(struct peer *p);

/* peer_io.c: for what runs in its turn. */

/* Notes what went wrong against the behaviour's intent. Returns STEP_FAIL. */
enum step peer_fail(struct peer *p, enum peer_failure kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The server has refused a connection that was to be refused: `alert` is what it said, or 0. A
 * failure when that wasn't what the recipe awaits. */
enum step peer_refused(struct peer *p, int alert);
/* Whether a refusal is what it waits for. */
bool peer_awaits_refusal(const struct peer *p);

/* Whether the message of a connection, or of an operation on it, has its answer; where there is
 * none to wait for, whether the server has accepted the handshake. */
bool peer_is_answered(const struct peer *p);

/* Sends what OpenSSL has written; what the kernel has no room for is kept and sent later. On an
 * error the socket is `broken`. */
void peer_flush(struct peer *p);
/* The same and no more output: FIN leaves in the same segment where the kernel has room. */
void peer_flush_with_fin(struct peer *p);
/* Queues bytes at once, in its turn or outside; what becomes of it, its next turn learns. Harmless
 * once closed. */
void peer_queue(struct peer *p, const uint8_t *bytes, size_t count);
/* The one place that changes the state. */
void peer_set_state(struct peer *p, enum peer_state state);
/* TCP stands: what the kernel takes, it takes for a connection that stands, and only such a one has
 * an end. */
void peer_note_connected(struct peer *p);
/* The server learns of a connection with our first bytes, unless they aren't to come soon. Returns
 * whether it stands already. */
bool peer_hear_first(struct peer *p);
/* A number below PEER_PAYLOAD_SPARE that differs from one connection to the next, for hooks that do
 * several things in turn. */
size_t peer_variant(const struct peer *p);

#endif
