/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of behaviours, as the scenario and the two programs need them: names, families, default
 * weights. What peers do to a server is in behaviours.def, and how is the client's matter
 * (client/recipe.h); what soak-server does to a client program is in server_behaviours.def. Pure.
 */
#ifndef SOAK_OPTIONS_BEHAVIOURS_H
#define SOAK_OPTIONS_BEHAVIOURS_H

#include "base/names.h"

#include <stdbool.h>
#include <stdint.h>

enum behaviour {
#define X(identifier, name, family, weight, ends, server, needs, help) BEHAVIOUR_##identifier,
#include "behaviours.def"
    BEHAVIOUR_COUNT
};

enum server_behaviour {
#define X(identifier, name, needs, help) SERVER_BEHAVIOUR_##identifier,
#include "server_behaviours.def"
    SERVER_BEHAVIOURS
};

/* X(ENUM, name) */
#define BEHAVIOUR_FAMILY_LIST(X)                                                                   \
    X(BEHAVIOUR_LEAVE, "leave")       /* how and where the connection ends */                      \
    X(BEHAVIOUR_RESUME, "resume")     /* sessions, tickets, early data, keys shared beforehand */  \
    X(BEHAVIOUR_FEATURE, "feature")   /* extensions, certificates, groups, post-handshake */       \
    X(BEHAVIOUR_HOSTILE, "hostile")   /* what isn't TLS, or is broken on purpose */                \
    X(BEHAVIOUR_RESOURCE, "resource") /* the server runs out of something, or out of time */       \
    X(BEHAVIOUR_STARTTLS, "starttls") /* the dialogue in clear text before TLS */                  \
    X(BEHAVIOUR_HTTP2, "http2")       /* a request after ALPN has chosen h2 */

enum behaviour_family { BEHAVIOUR_FAMILY_LIST(ENUM_ID) BEHAVIOUR_FAMILIES };

/* How the server sees a behaviour's connections end: bits, as with some it depends on whether there
 * is a session yet. tests/behaviours compares it with the server's log. */
enum behaviour_ends {
    ENDS_OPEN = 1,  /* the handshake is done, and the peer doesn't reset */
    ENDS_RESET = 2, /* an open connection is reset */
    ENDS_FAILS = 4, /* no handshake is done: cut off, refused, silent, or no TLS at all */
    ENDS_OPEN_OR_FAILS = ENDS_OPEN | ENDS_FAILS
};

/* Which servers a behaviour can be done to: X(ENUM, name, why not to a foreign one, why not to
 * soak-server). */
#define BEHAVIOUR_SERVER_LIST(X)                                                                   \
    X(SERVER_ANY, "any", NULL, NULL)                                                               \
    X(SERVER_OBEYS, "soak-server",                                                                 \
      "it needs a server that obeys requests, as only soak-server does", NULL)                     \
    X(SERVER_SET_UP, "soak-server",                                                                \
      "it needs a server that is set up for it, as only soak-server is", NULL)                     \
    X(SERVER_H2, "http2", NULL, "it needs a server that speaks HTTP/2, and soak-server echoes")

enum behaviour_server { BEHAVIOUR_SERVER_LIST(ENUM_ID) };

struct behaviour_entry {
    const char *name, *needs, *help;
    enum behaviour_family family;
    enum behaviour_ends ends;
    enum behaviour_server server;
    uint64_t weight;
};

struct server_behaviour_entry {
    const char *name, *needs, *help;
};

/* "clean|reset|...|": the names, for an option of type OPT_WEIGHTS. */
extern const char behaviour_choices[], server_behaviour_choices[];

/* `behaviour` is below BEHAVIOUR_COUNT. The entries lie one after another in their order. */
const struct behaviour_entry *behaviour_entry(enum behaviour behaviour);
const struct server_behaviour_entry *server_behaviour_entry(enum server_behaviour behaviour);
/* Why a server can't be asked for it, or NULL: it can. Foreign is any other than soak-server. */
const char *behaviour_unfit(enum behaviour behaviour, bool foreign);
/* "any", "soak-server", ... */
const char *behaviour_server_name(enum behaviour_server server);
/* "leave", "resume", ... */
const char *behaviour_family_name(enum behaviour_family family);

#endif
