/* SPDX-License-Identifier: Apache-2.0 */
/* Of the coverage build alone: _exit() runs no destructor, which is where gcc's runtime writes what
 * it has counted. */
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);

#if defined(SOAK_COVERED_PROBE)
/* What a program calls into which the probe is loaded: it has the first _exit() that is found. */
__attribute__((visibility("default"))) _Noreturn void _exit(int status)
{
    __gcov_dump();
    for (;;)
        syscall(SYS_exit_group, status);
}
#else
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
#endif
