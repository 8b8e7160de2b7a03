/*
 * The words of a footprint: what soak-footprint measures (docs/protocol.md) and soak reads and
 * reports. One list for both sides.
 */
#ifndef SOAK_BASE_FOOTPRINT_NAMES_H
#define SOAK_BASE_FOOTPRINT_NAMES_H

/* X(IDENTIFIER, "name"): the two ends of a connection. */
#define FOOTPRINT_ENDS(X)                                                                          \
    X(SERVER, "server")                                                                            \
    X(CLIENT, "client")

enum footprint_end {
#define X(identifier, name) FOOTPRINT_##identifier,
    FOOTPRINT_ENDS(X)
#undef X
        FOOTPRINT_END_COUNT
};

/* X(IDENTIFIER, "name"): when an end is looked at. After SSL_new; when its handshake is complete,
 * with all that it sends then; after its first data; with nothing left to read. */
#define FOOTPRINT_STAGES(X)                                                                        \
    X(NEW, "new")                                                                                  \
    X(HANDSHAKE, "handshake")                                                                      \
    X(DATA, "data")                                                                                \
    X(IDLE, "idle")

enum footprint_stage {
#define X(identifier, name) FOOTPRINT_##identifier,
    FOOTPRINT_STAGES(X)
#undef X
        FOOTPRINT_STAGE_COUNT
};

/* Static texts. */
const char *footprint_end_name(enum footprint_end end);
const char *footprint_stage_name(enum footprint_stage stage);

#endif
