/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/crash.h"

#include "probe/stacks.h"

#include <signal.h>
#include <unistd.h>

enum { HANDLER_STACK = 64 << 10 };

static struct page *crash_page;

/* The manual does not promise that the walk is async-signal-safe; crash_start has prepared it, it
 * takes no lock that an allocation holds, and when it fails the process ends all the same, by this
 * signal.
 */
static STACKS_OWN void on_fatal(int number)
{
    struct page_crash *crash = &crash_page->crash;
    uint64_t none = 0;
    if (atomic_compare_exchange_strong(&crash->signal, &none, (uint64_t)number)) {
        atomic_store(&crash->pid, (uint64_t)getpid());
        stacks_trace(&crash->stack);
    }
    raise(number);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CATCHES = 0 };
#else
enum { CATCHES = 1 };
#endif

void crash_start(struct page *page)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    static char room[HANDLER_STACK];
    struct page_trace warm = {0};
    const stack_t other = {.ss_sp = room, .ss_size = sizeof room};
    crash_page = page;
    if (!CATCHES)
        return;
    stacks_trace(&warm); /* whatever the unwinder loads or prepares is there before a crash */
    sigaltstack(&other, NULL);
    /* At the call the default is back, so the signal that the handler raises ends the process. */
    struct sigaction action = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND | SA_ONSTACK};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i], &action, NULL);
}
