/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ending_signals.h"

#include "base/check.h"
#include "base/exit_codes.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

const int ending_signal[ENDING_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

bool ending_signal_is_ignored(int number)
{
    struct sigaction action;
    return number != SIGINT && sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

static void mask_all(int how, sigset_t *ret_before)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&set, ending_signal[i]);
    CHECK(pthread_sigmask(how, &set, ret_before) == 0);
}

void ending_signals_hold(void)
{
    mask_all(SIG_BLOCK, NULL);
}

void ending_signals_release(void)
{
    mask_all(SIG_UNBLOCK, NULL);
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

/* A reader who hasn't made room for so long is waited for only while nobody asks soak to end. */
enum { READER_MS = 200 };

/* One piece: where there is room at all, a pipe takes this much without waiting (pipe(7)). Returns
 * how much was written, or -errno. */
static ssize_t write_piece(int fd, const char *bytes, size_t count)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    int ready = poll(&one, 1, READER_MS);
    if (ready == 0 && ending_signals_waiting())
        _exit(EXIT_INTERRUPTED);
    ssize_t n = ready > 0 ? write(fd, bytes, count < PIPE_BUF ? count : PIPE_BUF) : ready;
    return n >= 0 ? n : errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

int ending_signals_write(int fd, const char *bytes, size_t count)
{
    sigset_t before;
    ssize_t n = 0;
    mask_all(SIG_BLOCK, &before);
    while (count > 0 && n >= 0) {
        n = write_piece(fd, bytes, count);
        if (n > 0) {
            bytes += n;
            count -= (size_t)n;
        }
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return n < 0 ? (int)n : 0;
}
