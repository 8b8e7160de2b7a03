/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include "sandbox_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#if defined(SOAK_SANITIZED)
static const char *const built = "built with sanitizers";
#else
static const char *const built;
#endif

/* valgrind(1) gives its clients this library. */
const char *sandbox_out_of_place(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload_") ? "run by valgrind" : built;
}

struct sandbox_means sandbox_can(void)
{
    return (struct sandbox_means){.seccomp = seccomp_present(), .landlock = landlock_version()};
}

/* Of one half; where there is none the other stands alone. */
static int entered(int rc, const char *half, struct err *e)
{
    if (rc == 0 || errno == ENOSYS || errno == EOPNOTSUPP)
        return 0;
    return err_set(e, "can't enter the sandbox (%s: %s); --no-sandbox does without it", half,
                   strerror(errno));
}

static int give_up_privileges(struct err *e)
{
    return entered(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs", e);
}

int sandbox_hide_io_uring(struct err *e)
{
    if (sandbox_out_of_place() || !seccomp_present())
        return 0;
    return give_up_privileges(e) < 0 ? -1 : entered(seccomp_hide_io_uring(), "seccomp", e);
}

int sandbox_enter(const struct sandbox_options *o, struct err *e)
{
    if (sandbox_out_of_place())
        return 0;
    if (give_up_privileges(e) < 0)
        return -1;
    /* Landlock first: its own calls are among those that seccomp takes away. */
    if (entered(landlock_enter(o), "Landlock", e) != 0)
        return -1;
    return seccomp_present() ? entered(seccomp_enter(o), "seccomp", e) : 0;
}
