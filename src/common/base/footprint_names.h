/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a footprint: what soak-footprint measures (docs/reference/protocol.md) and soak
 * reads and reports. One list for both sides.
 */
#ifndef SOAK_BASE_FOOTPRINT_NAMES_H
#define SOAK_BASE_FOOTPRINT_NAMES_H

#include "base/names.h"

/* X(IDENTIFIER, "name"): the two ends of a connection. */
#define FOOTPRINT_ENDS(X)                                                                          \
    X(FOOTPRINT_SERVER, "server")                                                                  \
    X(FOOTPRINT_CLIENT, "client")

enum footprint_end { FOOTPRINT_ENDS(ENUM_ID) FOOTPRINT_END_COUNT };

/* X(IDENTIFIER, "name"): when an end is looked at. After SSL_new; when its handshake is complete,
 * with all that it sends then; after its first data; with nothing left to read. */
#define FOOTPRINT_STAGES(X)                                                                        \
    X(FOOTPRINT_NEW, "new")                                                                        \
    X(FOOTPRINT_HANDSHAKE, "handshake")                                                            \
    X(FOOTPRINT_DATA, "data")                                                                      \
    X(FOOTPRINT_IDLE, "idle")

enum footprint_stage { FOOTPRINT_STAGES(ENUM_ID) FOOTPRINT_STAGE_COUNT };

/* X(name): the figures of an end over a whole connection, of an end at a stage, and of a site at an
 * end, under the names that lines and documents give them. Bytes are those that OpenSSL asked for.
 *   peak_bytes: most that was alive during the handshake; kept_*: what outlived the connection
 *   held: alive at the stage, of what the connection has made and doesn't outlive it; `allocs` of
 *   a stage: allocations until then; held_bytes: alive when idle */
#define FOOTPRINT_SIDE_FIGURES(X)                                                                  \
    X(allocs) X(reallocs) X(alloc_bytes) X(peak_bytes) X(kept_blocks) X(kept_bytes)
#define FOOTPRINT_HELD_FIGURES(X) X(allocs) X(blocks) X(bytes)
#define FOOTPRINT_SITE_FIGURES(X) X(allocs) X(reallocs) X(bytes) X(held_bytes)

/* Static texts. */
const char *footprint_end_name(enum footprint_end end);
const char *footprint_stage_name(enum footprint_stage stage);
bool footprint_end_from_name(const char *name, enum footprint_end *ret);
bool footprint_stage_from_name(const char *name, enum footprint_stage *ret);

#endif
