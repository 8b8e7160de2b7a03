/* SPDX-License-Identifier: Apache-2.0 */
#include "bisect_exit.h"

#include "argv_split.h"
#include "base/check.h"
#include "base/exit_codes.h"
#include "guard.h"

#include <string.h>
#include <unistd.h>
#include <uv.h>

bool bisect_exit_asked(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--bisect-exit") == 0 || strcmp(argv[i], "--bisect-exit=true") == 0)
            return true;
    return false;
}

int bisect_exit_code(int code, bool tried)
{
    if (!tried)
        return EXIT_STOP;
    return code == 0 || code == EXIT_FOUND || code == EXIT_INTERRUPTED ? code : EXIT_SKIP;
}

struct build {
    uv_process_t process;
    int64_t status;
    int signal_number;
};

static void on_exit_build(uv_process_t *process, int64_t status, int signal_number)
{
    struct build *b = process->data;
    b->status = status;
    b->signal_number = signal_number;
    uv_close((uv_handle_t *)process, NULL);
}

/* Runs it to its end; what it says goes to stderr, as our stdout is for the verdict. Returns
 * libuv's code of the start. */
static int run(struct build *b, char **argv)
{
    uv_loop_t loop;
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
                                    {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO}};
    uv_process_options_t options = {.file = argv[0],
                                    .args = argv,
                                    .exit_cb = on_exit_build,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .stdio = stdio};
    CHECK(uv_loop_init(&loop) == 0);
    b->process.data = b;
    int rc = guard_spawn(&loop, &b->process, &options);
    if (rc != 0)
        uv_close((uv_handle_t *)&b->process, NULL);
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0 && uv_loop_close(&loop) == 0);
    return rc;
}

int bisect_build(const char *command, struct err *e)
{
    struct split_argv w;
    struct build b = {.status = 0};
    if (argv_split(&w, command, 0) != 0)
        return err_set(e, "--build '%.200s' is empty or too long", command);
    int rc = run(&b, w.argv);
    if (rc != 0)
        return err_set(e, "--build '%.200s' can't be started: %s", w.argv[0], uv_strerror(rc));
    if (b.signal_number)
        return err_set(e, "--build '%.200s' ended with signal %d", command, b.signal_number);
    return b.status == 0
               ? 0
               : err_set(e, "--build '%.200s' ended with status %d", command, (int)b.status);
}
