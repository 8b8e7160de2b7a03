/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each behaviour is done: a table entry of plain choices, and hooks for what choices can't say.
 * The engine (peer.c, exchange.c, leave.c) follows it. A family has a file of entries and hooks.
 *
 * Hooks run on the peer's loop, in its turn. They end nothing: they return what is to become of the
 * connection. None may block, or keep a pointer to the peer that `gone` doesn't take back.
 */
#ifndef SOAK_CLIENT_RECIPE_H
#define SOAK_CLIENT_RECIPE_H

#include "base/err.h"
#include "behaviour.h"
#include "options/choices.h"
#include "page/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;

/* How it is meant to end. Anything else is a failure. */
enum recipe_end {
    RECIPE_HELD,   /* established, held, and left by `exit` when its turn has come */
    RECIPE_CUT,    /* left by `exit` at `point`, before it is held */
    RECIPE_REFUSED /* never established: an alert or the server's close ends it */
};

enum recipe_exit {
    EXIT_CLOSE_NOTIFY, /* close_notify, and wait for the server's */
    EXIT_SERVER_FIRST, /* ask the server to close (docs/reference/protocol.md, requests), and answer
                        */
    EXIT_HALF_CLOSE,   /* FIN without close_notify, and wait for the server's end */
    EXIT_FIN,          /* close TCP at once, no close_notify */
    EXIT_RESET,        /* RST */
    EXIT_IN_TURN,      /* EXIT_RESET and EXIT_FIN in turn */
    EXIT_STALL         /* say nothing more and wait for the server to end it; only REFUSED */
};

/* After which flight it leaves or stalls. */
enum recipe_point {
    POINT_NONE,
    POINT_CONNECTED,     /* TCP stands, nothing was sent */
    POINT_STARTTLS,      /* before TLS: `transmit` has counted a flight */
    POINT_CLIENT_HELLO,  /* the ClientHello was sent */
    POINT_SERVER_HELLO,  /* the server's first bytes are here, unread */
    POINT_SERVER_FLIGHT, /* its flight was read whole (Certificate .. ), nothing is answered */
    POINT_KEY_EXCHANGE,  /* of our second flight only the first message was sent */
    POINT_FINISHED,      /* our second flight was sent, Finished with it */
    POINT_TICKET,        /* the server's NewSessionTicket has arrived; no message was sent */
    POINT_DATA           /* the message was sent, and its echo isn't awaited */
};

/* What is to become of a connection; peer.c does it when the turn ends. */
enum step {
    STEP_STAY,        /* it waits for what comes */
    STEP_ON,          /* a part is done: the next one begins */
    STEP_ESTABLISHED, /* it is held from now on */
    STEP_OPERATED,    /* the operation on it is done */
    STEP_ABORTED,     /* never held, as intended; it waits for the server's end */
    STEP_ABORT_FIN,   /* the same, and it ends at once */
    STEP_ABORT_RST,
    STEP_FIN, /* it ends at once */
    STEP_RST,
    STEP_LET_GO, /* the server has ended what was held, as it may */
    STEP_FAIL,   /* it ends at once, against its behaviour's intent: peer_fail */
    STEP_ENDED   /* the server has ended it: what that means depends on the state */
};

struct recipe {
    enum recipe_end end;
    enum recipe_exit exit;
    enum recipe_point point;
    int alert;         /* REFUSED: what the server must say (SSL_AD_...); 0: anything, or nothing */
    int alert_tls12;   /* what it must say in TLS 1.2 instead; 0: the same */
    bool raw;          /* speaks no TLS: no SSL object is made, `open` writes the bytes */
    bool no_offer;     /* doesn't take part in --resume */
    bool own_sessions; /* asks for something of its own, to which its sessions are tied: they
                        * aren't offered by others */
    bool in_starttls;  /* its deed is done, and its end meant, in the dialogue before TLS */
    bool mute;         /* sends no message after the handshake; only REFUSED */
    bool wordy;        /* has its message also where the others have none (talk.h) */
    bool own_words;    /* has no message: `work` says all, right after the handshake */
    unsigned repeats;  /* for `work`, as the entry likes */

    /* Why this build can't do it, or NULL. Called once, before the first connection. */
    const char *(*unable)(void);
    /* The SSL object is made; the ClientHello isn't. Returns 0, or -1: can't be made. */
    int (*prepare)(struct peer *p);
    /* The handshake is done; the message isn't sent. */
    void (*on_handshake_done)(struct peer *p);
    /* Raw: TCP is on its way; what is written into shared->out is sent. */
    void (*open)(struct peer *p);
    /* Bytes about to be sent lie in shared->out: they may be changed, cut or held back. Of the
     * dialogue before TLS only with in_starttls. */
    void (*transmit)(struct peer *p);
    /* Bytes have arrived. ON: they are for TLS; else they are dealt with. */
    enum step (*arrived)(struct peer *p, const uint8_t *bytes, size_t count);
    /* Bytes that were queued have left. */
    void (*written)(struct peer *p);
    /* The message has come back: more is to be done before it counts as established. Called again
     * after each arrival. ON: done. `heard` gets what arrives meanwhile. A REFUSED one must be
     * refused before it is done. */
    enum step (*work)(struct peer *p);
    enum step (*heard)(struct peer *p, const uint8_t *bytes, size_t count);
    /* Its turn to leave has come: what it says before it does so as `exit` says. */
    enum step (*last_words)(struct peer *p);
    /* The last of all: the peer is about to be freed. */
    void (*gone)(struct peer *p);
    /* From time to time (about every 100 ms) until it is established or over. */
    enum step (*tick)(struct peer *p);
};

/* `behaviour` is below BEHAVIOUR_COUNT. */
const struct recipe *recipe_of(enum behaviour behaviour);
/* Who holds the slots of a run with this mix when nothing else does: its first that is held, or
 * clean ones. */
enum behaviour recipe_holder(const struct behaviour_mix *mix);
/* The part of `mix` that holds its slots, for connections that must; when it is empty, `holder`. */
struct behaviour_mix recipe_held_part(const struct behaviour_mix *mix, enum behaviour holder);

/* Whether a behaviour that has a weight resumes by itself, whatever --resume says. */
bool recipe_needs_sessions(const uint64_t *weight);

/* The families' tables, indexed by behaviour; entries of other families are all zero. */
extern const struct recipe recipes_leave[BEHAVIOUR_COUNT];
extern const struct recipe recipes_resume[BEHAVIOUR_COUNT];
extern const struct recipe recipes_starttls[BEHAVIOUR_COUNT];
extern const struct recipe recipes_feature[BEHAVIOUR_COUNT];
extern const struct recipe recipes_hostile[BEHAVIOUR_COUNT];
extern const struct recipe recipes_stall[BEHAVIOUR_COUNT];
extern const struct recipe recipes_http2[BEHAVIOUR_COUNT];

/* What the connections of this run do: the mix that was asked for without what can't be done here,
 * and the rows of the page in which it is counted. */
struct choice {
    struct behaviour_mix mix;
    const char *unable[BEHAVIOUR_COUNT]; /* why it can't be done, or NULL */
    struct behaviour_rows rows;
    enum behaviour holder; /* holds slots that the mix has no one for */
};

/* `foreign`: the server isn't soak-server. Returns 0, or -1 when nothing is left, or too much for
 * the page. */
int choice_make(const uint64_t *weight, bool foreign, struct choice *ret, struct err *e);
/* The orchestrator learns from the page what behaviours there are: it knows none by itself. */
void choice_publish(const struct choice *c, enum operation operation, struct page *page);

#endif
