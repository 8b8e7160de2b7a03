/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "leave.h"
#include "overlap.h"
#include "peer.h"
#include "resume.h"
#include "tls/psk.h"

/* A full handshake, for want of a session or because the server has dropped it: there is nothing to
 * refuse. It has brought a session, and goes. */
static void excuse_full(struct peer *p)
{
    p->excused = !SSL_session_reused(p->ssl);
}

/* What comes after the handshake isn't given to TLS; with the first of it the peer goes. */
static enum step leave_unread(struct peer *p, const uint8_t *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return p->state < PEER_ECHO ? STEP_ON : leave_at_point(p);
}

static int prepare_psk(struct peer *p)
{
    return psk_offer(p->ssl);
}

static int prepare_unknown_psk(struct peer *p)
{
    return psk_offer_wrong(p->ssl, PSK_WRONG_IDENTITY);
}

static int prepare_wrong_psk(struct peer *p)
{
    return psk_offer_wrong(p->ssl, PSK_WRONG_KEY);
}

#define HELD(the_prepare)                                                                          \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .prepare = the_prepare                        \
    }
#define PSK_REFUSED(the_prepare, the_alert)                                                        \
    {                                                                                              \
        .end = RECIPE_REFUSED, .no_offer = true, .own_sessions = true, .alert = the_alert,         \
        .prepare = the_prepare                                                                     \
    }
#define PSK_HELD(the_prepare)                                                                      \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .own_sessions = true, .prepare = the_prepare  \
    }
#define REFUSED_SESSION(the_prepare, the_alert)                                                    \
    {                                                                                              \
        .end = RECIPE_REFUSED, .exit = EXIT_FIN, .no_offer = true, .alert = the_alert,             \
        .prepare = the_prepare, .on_handshake_done = excuse_full, .work = leave_at_point           \
    }
#define EARLY(the_prepare)                                                                         \
    {                                                                                              \
        .exit = EXIT_CLOSE_NOTIFY, .no_offer = true, .wordy = true, .prepare = the_prepare,        \
        .on_handshake_done = early_on_handshake_done                                               \
    }

const struct recipe recipes_resume[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_RESUME_TICKET] = HELD(offer_oldest),
    [BEHAVIOUR_RESUME_SESSION_ID] = HELD(offer_oldest),
    [BEHAVIOUR_TICKETS_UNREAD] = {.end = RECIPE_CUT,
                                  .exit = EXIT_FIN,
                                  .no_offer = true,
                                  .prepare = offer_oldest,
                                  .arrived = leave_unread},
    [BEHAVIOUR_RESUME_EXPIRED] = HELD(offer_expired),
    [BEHAVIOUR_RESUME_UNDECRYPTABLE] = HELD(offer_spoiled),
    [BEHAVIOUR_RESUME_UNKNOWN_ID] = HELD(offer_spoiled),
    [BEHAVIOUR_RESUME_ROTATED] = HELD(offer_newest_or_ancient),
    [BEHAVIOUR_RESUME_EVICTED] = HELD(offer_ancient_or_none),
    [BEHAVIOUR_RESUME_ABORTED] = REFUSED_SESSION(offer_to_be_refused, SSL_AD_INTERNAL_ERROR),
    [BEHAVIOUR_RESUME_BAD_BINDER] = REFUSED_SESSION(offer_without_key, SSL_AD_ILLEGAL_PARAMETER),
    [BEHAVIOUR_RESUME_OVERLAP] = {.exit = EXIT_CLOSE_NOTIFY,
                                  .no_offer = true,
                                  .prepare = overlap_prepare,
                                  .transmit = overlap_transmit,
                                  .tick = overlap_tick,
                                  .gone = overlap_gone},
    [BEHAVIOUR_OVERLAP_CORRUPT] = {.end = RECIPE_REFUSED,
                                   .no_offer = true,
                                   .alert = SSL_AD_BAD_RECORD_MAC,
                                   .mute = true,
                                   .prepare = overlap_prepare_spoiler,
                                   .transmit = overlap_transmit_corrupt,
                                   .tick = overlap_tick,
                                   .gone = overlap_gone},
    [BEHAVIOUR_OVERLAP_ABORT] = {.end = RECIPE_CUT,
                                 .exit = EXIT_RESET,
                                 .point = POINT_SERVER_FLIGHT,
                                 .no_offer = true,
                                 .prepare = overlap_prepare_spoiler,
                                 .transmit = overlap_transmit_abort,
                                 .tick = overlap_tick,
                                 .gone = overlap_gone},
    [BEHAVIOUR_EARLY_DATA_ACCEPTED] = EARLY(early_prepare),
    [BEHAVIOUR_EARLY_DATA_REJECTED] = EARLY(early_prepare_stale),
    [BEHAVIOUR_EARLY_DATA_REPLAYED] = EARLY(early_prepare_replay),
    [BEHAVIOUR_EXTERNAL_PSK] = PSK_HELD(prepare_psk),
    [BEHAVIOUR_PSK_UNKNOWN_IDENTITY] = PSK_HELD(prepare_unknown_psk),
    [BEHAVIOUR_PSK_UNKNOWN_REFUSED] = PSK_REFUSED(prepare_unknown_psk, SSL_AD_UNKNOWN_PSK_IDENTITY),
    /* In TLS 1.3 the binder is wrong, in TLS 1.2 the key of Finished. */
    [BEHAVIOUR_PSK_WRONG_KEY] = PSK_REFUSED(prepare_wrong_psk, 0),
};
