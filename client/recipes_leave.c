/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "leave.h"
#include "peer.h"
#include "peer_tls.h"

/* More than the kernel's buffers of both ends take, so that the server is left with bytes to write.
 */
static const char large_request[] = "soak:send 16777216\n";

/* Leaves with the first of the bytes, while the server waits for room. */
static enum step leave_large_write(struct peer *p)
{
    return p->step++ == 0 ? peer_tls_say(p, large_request) : STEP_STAY;
}

static enum step on_large_write(struct peer *p, const uint8_t *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    return leave_at_point(p);
}

#define AT(the_point, the_exit)                                                                    \
    {                                                                                              \
        .end = RECIPE_CUT, .exit = the_exit, .point = the_point, .transmit = leave_transmit        \
    }
#define LARGE_WRITE(the_exit)                                                                      \
    {                                                                                              \
        .end = RECIPE_CUT, .exit = the_exit, .work = leave_large_write, .heard = on_large_write    \
    }

const struct recipe recipes_leave[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_CLEAN] = {.exit = EXIT_CLOSE_NOTIFY},
    [BEHAVIOUR_RESET] = {.exit = EXIT_RESET},
    [BEHAVIOUR_HALF_CLOSE] = {.exit = EXIT_HALF_CLOSE},
    [BEHAVIOUR_MID_HANDSHAKE] = {.end = RECIPE_CUT,
                                 .exit = EXIT_IN_TURN,
                                 .point = POINT_SERVER_HELLO},
    [BEHAVIOUR_SERVER_FIRST] = {.exit = EXIT_SERVER_FIRST},
    [BEHAVIOUR_NO_CLOSE_NOTIFY] = {.exit = EXIT_FIN},
    [BEHAVIOUR_RST_CONNECTED] = AT(POINT_CONNECTED, EXIT_RESET),
    [BEHAVIOUR_FIN_CONNECTED] = AT(POINT_CONNECTED, EXIT_FIN),
    [BEHAVIOUR_RST_CLIENT_HELLO] = AT(POINT_CLIENT_HELLO, EXIT_RESET),
    [BEHAVIOUR_FIN_CLIENT_HELLO] = AT(POINT_CLIENT_HELLO, EXIT_FIN),
    [BEHAVIOUR_RST_SERVER_HELLO] = AT(POINT_SERVER_HELLO, EXIT_RESET),
    [BEHAVIOUR_FIN_SERVER_HELLO] = AT(POINT_SERVER_HELLO, EXIT_FIN),
    [BEHAVIOUR_RST_SERVER_FLIGHT] = AT(POINT_SERVER_FLIGHT, EXIT_RESET),
    [BEHAVIOUR_FIN_SERVER_FLIGHT] = AT(POINT_SERVER_FLIGHT, EXIT_FIN),
    [BEHAVIOUR_RST_KEY_EXCHANGE] = AT(POINT_KEY_EXCHANGE, EXIT_RESET),
    [BEHAVIOUR_FIN_KEY_EXCHANGE] = AT(POINT_KEY_EXCHANGE, EXIT_FIN),
    [BEHAVIOUR_RST_FINISHED] = AT(POINT_FINISHED, EXIT_RESET),
    [BEHAVIOUR_FIN_FINISHED] = AT(POINT_FINISHED, EXIT_FIN),
    [BEHAVIOUR_RST_TICKET] = AT(POINT_TICKET, EXIT_RESET),
    [BEHAVIOUR_FIN_TICKET] = AT(POINT_TICKET, EXIT_FIN),
    [BEHAVIOUR_RST_DATA] = {.end = RECIPE_CUT,
                            .exit = EXIT_RESET,
                            .point = POINT_DATA,
                            .wordy = true,
                            .transmit = leave_transmit},
    [BEHAVIOUR_RST_LARGE_WRITE] = LARGE_WRITE(EXIT_RESET),
    [BEHAVIOUR_FIN_LARGE_WRITE] = LARGE_WRITE(EXIT_FIN),
};
