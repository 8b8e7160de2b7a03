/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ending_signals.h"

#include "base/check.h"

#include <signal.h>
#include <stddef.h>

const int ending_signal[ENDING_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

bool ending_signal_is_ignored(int number)
{
    struct sigaction action;
    return number != SIGINT && sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

static void mask_all(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&set, ending_signal[i]);
    CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

void ending_signals_hold(void)
{
    mask_all(SIG_BLOCK);
}

void ending_signals_release(void)
{
    mask_all(SIG_UNBLOCK);
}

/* One that is ignored waits, too, while it is held. */
bool ending_signals_waiting(void)
{
    sigset_t set;
    if (sigpending(&set) != 0)
        return false;
    for (int i = 0; i < ENDING_SIGNALS; i++)
        if (sigismember(&set, ending_signal[i]) && !ending_signal_is_ignored(ending_signal[i]))
            return true;
    return false;
}
