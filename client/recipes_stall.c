/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "hello_send.h"
#include "leave.h"

/* The server's time limit ends them; BEHAVIOUR_HALF_OPEN is the one that never says a byte. */
#define STALL(the_point, the_transmit)                                                             \
    {                                                                                              \
        .end = RECIPE_REFUSED, .exit = EXIT_STALL, .point = the_point, .transmit = the_transmit    \
    }

const struct recipe recipes_stall[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_STALL_CLIENT_HELLO] = STALL(POINT_CLIENT_HELLO, hello_transmit_half),
    [BEHAVIOUR_STALL_SERVER_FLIGHT] = STALL(POINT_SERVER_FLIGHT, leave_transmit),
    [BEHAVIOUR_STALL_KEY_EXCHANGE] = STALL(POINT_KEY_EXCHANGE, leave_transmit),
};
